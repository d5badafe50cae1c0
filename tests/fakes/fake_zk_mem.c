/* Memory of the modelled ZooKeeper ensemble: what belongs together is allocated one by one and freed at once. */
#include "tests/fakes/fake_zk_priv.h"

#include <stdlib.h>

struct fz_block {
    struct fz_block *next;
    max_align_t at[];
};

void fz_must(enum rc rc)
{
    if (rc != RC_OK)
        abort();
}

void *fz_alloc(struct fz_mem *m, size_t n)
{
    struct fz_block *b = calloc(1, sizeof(*b) + n);
    fz_must(b ? RC_OK : RC_NOMEM);
    b->next = m->blocks;
    m->blocks = b;
    return b->at;
}

struct slice fz_copy(struct fz_mem *m, struct slice s)
{
    if (s.n == 0)
        return SLICE_NULL;
    char *p = fz_alloc(m, s.n);
    memcpy(p, s.p, s.n);
    return slice_of(p, s.n);
}

const struct znode_acl *fz_copy_acl(struct fz_mem *m, const struct znode_acl *acl, size_t n)
{
    struct znode_acl *to = fz_alloc(m, n * sizeof(*to));
    for (size_t i = 0; i < n; i++)
        to[i] = (struct znode_acl){acl[i].perms, fz_copy(m, acl[i].scheme), fz_copy(m, acl[i].id)};
    return to;
}

static void copy_call(struct fz_mem *m, const struct zk_call *from, struct zk_call *to)
{
    *to = *from;
    to->path = fz_copy(m, from->path);
    to->data = fz_copy(m, from->data);
    to->acl = fz_copy_acl(m, from->acl, from->n_acl);
}

const struct zk_call *fz_copy_call(struct fz_mem *m, const struct zk_call *c)
{
    struct zk_call *to = fz_alloc(m, sizeof(*to));
    struct zk_call *parts = fz_alloc(m, c->n_parts * sizeof(*parts));
    copy_call(m, c, to);
    for (size_t i = 0; i < c->n_parts; i++)
        copy_call(m, &c->parts[i], &parts[i]);
    to->parts = parts;
    return to;
}

void fz_mem_done(struct fz_mem *m)
{
    for (struct fz_block *b = m->blocks, *next; b; b = next) {
        next = b->next;
        free(b);
    }
    m->blocks = NULL;
}

void *fz_grow(void *p, size_t n, size_t *cap, size_t size)
{
    if (n < *cap)
        return p;
    *cap = *cap ? 2 * *cap : 4;
    p = reallocarray(p, *cap, size);
    fz_must(p ? RC_OK : RC_NOMEM);
    return p;
}
