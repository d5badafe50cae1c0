/* A dict from path to a record of its own. One thread. */
#include "producers/zk_known.h"

#include "core/dict.h"

struct zk_known {
    struct dict *nodes;
};

struct zk_known *zk_known_new(void)
{
    AUTO(zk_known_freep) struct zk_known *k = calloc(1, sizeof *k);
    if (k)
        k->nodes = dict_new(free);
    return k && k->nodes ? steal(&k) : NULL;
}

void zk_known_free(struct zk_known *k)
{
    if (!k)
        return;
    dict_free(k->nodes);
    free(k);
}

const struct zk_said *zk_known_get(const struct zk_known *k, struct slice path)
{
    return dict_get(k->nodes, path);
}

enum rc zk_known_put(struct zk_known *k, struct slice path, struct zk_said said, struct err *e)
{
    struct zk_said *there = dict_get(k->nodes, path);
    if (there) {
        *there = said;
        return RC_OK;
    }
    there = malloc(sizeof *there);
    if (!there)
        return err_nomem(e);
    *there = said;
    return dict_put(k->nodes, path, there, e);
}

void zk_known_delete(struct zk_known *k, struct slice path)
{
    dict_delete(k->nodes, path);
}

void zk_known_clear(struct zk_known *k)
{
    dict_clear(k->nodes);
}

bool zk_known_unmet(const struct zk_known *k, uint32_t walk, size_t *at, struct slice *ret)
{
    void *value;
    while (dict_next(k->nodes, at, ret, &value))
        if (((const struct zk_said *)value)->walk != walk)
            return true;
    return false;
}
