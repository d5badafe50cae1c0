/* Nodes that were made, by their paths. Siblings mostly come together, so the node that was found last is kept. */
#include "sinks/zk_made.h"

#include "core/event.h"
#include "core/map.h"
#include "sinks/zk_item.h"

#include <stdlib.h>

struct zk_made {
    struct map *nodes;     /* path -> int64_t, its czxid */
    struct map_entry last; /* found; value NULL: none */
};

struct zk_made *zk_made_new(void)
{
    struct zk_made *m = calloc(1, sizeof *m);
    if (!m)
        return NULL;
    m->nodes = map_new(free);
    if (m->nodes)
        return m;
    free(m);
    return NULL;
}

void zk_made_free(struct zk_made *m)
{
    if (!m)
        return;
    map_free(m->nodes);
    free(m);
}

void zk_made_clear(struct zk_made *m)
{
    map_clear(m->nodes);
    m->last = (struct map_entry){0};
}

void zk_made_put(struct zk_made *m, struct slice path, int64_t czxid)
{
    struct err ignored = ERR_INIT;
    int64_t *value = malloc(sizeof *value);
    if (!value)
        return;
    *value = czxid;
    if (map_count(m->nodes) >= ZK_MADE_MAX)
        map_clear(m->nodes);
    m->last = (struct map_entry){0};
    if (map_put(m->nodes, path, value, &ignored) != RC_OK)
        zk_made_clear(m);
}

void zk_made_note(struct zk_made *m, const struct zk_item *it)
{
    if (it->item.op == SINK_DELETE)
        zk_made_clear(m);
    else if (it->created && it->seen && it->mine.czxid == it->live.czxid &&
             it->want->stat.num_children > 0)
        zk_made_put(m, it->item.event->key, it->live.czxid);
}

int64_t zk_made_find(struct zk_made *m, struct slice path)
{
    struct map_entry at;
    if (m->last.value && slice_eq(m->last.key, path))
        return *(int64_t *)m->last.value;
    if (!map_seek(m->nodes, path, false, &at) || !slice_eq(at.key, path))
        return 0;
    m->last = at;
    return *(int64_t *)at.value;
}
