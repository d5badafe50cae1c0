/* Nodes that were made, by their paths. */
#include "sinks/zk_made.h"

#include "core/dict.h"
#include "core/event.h"
#include "sinks/zk_item.h"

#include <stdlib.h>

struct zk_made {
    struct dict *nodes; /* path -> int64_t, its czxid */
};

struct zk_made *zk_made_new(void)
{
    struct zk_made *m = calloc(1, sizeof *m);
    if (!m)
        return NULL;
    m->nodes = dict_new(free);
    if (m->nodes)
        return m;
    free(m);
    return NULL;
}

void zk_made_free(struct zk_made *m)
{
    if (!m)
        return;
    dict_free(m->nodes);
    free(m);
}

void zk_made_clear(struct zk_made *m)
{
    if (dict_count(m->nodes) > 0)
        dict_clear(m->nodes);
}

void zk_made_put(struct zk_made *m, struct slice path, int64_t czxid)
{
    struct err ignored = ERR_INIT;
    int64_t *value = malloc(sizeof *value);
    if (!value)
        return;
    *value = czxid;
    if (dict_count(m->nodes) >= ZK_MADE_MAX)
        dict_clear(m->nodes);
    if (dict_put(m->nodes, path, value, &ignored) != RC_OK)
        dict_clear(m->nodes);
}

void zk_made_note(struct zk_made *m, const struct zk_item *it)
{
    if (it->item.op == SINK_DELETE) {
        if (it->wrote)
            zk_made_clear(m);
    } else if (it->created && it->seen && it->mine.czxid == it->live.czxid &&
               it->want->stat.num_children > 0)
        zk_made_put(m, it->item.event->key, it->live.czxid);
}

int64_t zk_made_find(const struct zk_made *m, struct slice path)
{
    const int64_t *czxid = dict_get(m->nodes, path);
    return czxid ? *czxid : 0;
}
