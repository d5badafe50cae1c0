/* A map from path to a record of its own. One thread. */
#include "producers/zk_known.h"

#include "core/map.h"

struct zk_known {
    struct map *nodes;
};

struct zk_known *zk_known_new(void)
{
    AUTO(zk_known_freep) struct zk_known *k = calloc(1, sizeof *k);
    if (k)
        k->nodes = map_new(free);
    return k && k->nodes ? steal(&k) : NULL;
}

void zk_known_free(struct zk_known *k)
{
    if (!k)
        return;
    map_free(k->nodes);
    free(k);
}

const struct zk_said *zk_known_get(const struct zk_known *k, struct slice path)
{
    return map_get(k->nodes, path);
}

enum rc zk_known_put(struct zk_known *k, struct slice path, struct zk_said said, struct err *e)
{
    struct zk_said *there = map_get(k->nodes, path);
    if (there) {
        *there = said;
        return RC_OK;
    }
    there = malloc(sizeof *there);
    if (!there)
        return err_nomem(e);
    *there = said;
    return map_put(k->nodes, path, there, e);
}

void zk_known_delete(struct zk_known *k, struct slice path)
{
    map_delete(k->nodes, path);
}

void zk_known_clear(struct zk_known *k)
{
    map_clear(k->nodes);
}

bool zk_known_unmet(const struct zk_known *k, uint32_t walk, struct slice after, struct slice *ret)
{
    struct map_entry entry = {after, NULL};
    while (map_seek(k->nodes, entry.key, entry.key.n > 0, &entry)) {
        const struct zk_said *said = entry.value;
        if (said->walk == walk)
            continue;
        *ret = entry.key;
        return true;
    }
    return false;
}
