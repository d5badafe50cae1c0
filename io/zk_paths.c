/* A queue of paths: chunks of memory, in each one record behind the other (length, number, bytes). A chunk is freed
 * when its last record is popped. */
#include "io/zk_paths.h"

#include <assert.h>
#include <stdlib.h>

#define CHUNK_BYTES (64u << 10)
#define HEAD_BYTES  8

struct zk_paths_chunk {
    struct zk_paths_chunk *next;
    size_t from, to, size; /* of p: what is used, and all */
    char p[];
};

void zk_paths_init(struct zk_paths *q, size_t max)
{
    *q = (struct zk_paths){.max = max};
}

static void drop_first(struct zk_paths *q)
{
    struct zk_paths_chunk *c = q->first;
    q->first = c->next;
    if (!q->first)
        q->last = NULL;
    q->bytes -= sizeof(*c) + c->size;
    free(c);
}

void zk_paths_done(struct zk_paths *q)
{
    while (q->first)
        drop_first(q);
    q->n = 0;
}

/* Room for n more bytes at the end. */
static enum rc reserve(struct zk_paths *q, size_t n, struct err *e)
{
    if (q->last && q->last->size - q->last->to >= n)
        return RC_OK;
    size_t size = n > CHUNK_BYTES ? n : CHUNK_BYTES;
    if (size + sizeof(struct zk_paths_chunk) > q->max - q->bytes)
        return err_set(e, RC_LIMIT, ERR_FINAL,
                       "the paths of a tree take more than %zu bytes; give smaller parts of the "
                       "tree to synchronizations of their own",
                       q->max);
    struct zk_paths_chunk *c = malloc(sizeof(*c) + size);
    if (!c)
        return err_nomem(e);
    *c = (struct zk_paths_chunk){.size = size};
    q->bytes += sizeof(*c) + size;
    if (q->last)
        q->last->next = c;
    else
        q->first = c;
    q->last = c;
    return RC_OK;
}

static void add(struct zk_paths_chunk *c, const void *p, size_t n)
{
    if (n)
        memcpy(c->p + c->to, p, n);
    c->to += n;
}

enum rc zk_paths_push(struct zk_paths *q, struct slice parent, struct slice name, uint32_t number,
                      struct err *e)
{
    bool slash = name.n && parent.n > 1;
    size_t n = parent.n + slash + name.n;
    if (n > UINT32_MAX)
        return err_set(e, RC_LIMIT, ERR_FINAL, "a path of %zu bytes", n);
    enum rc rc = reserve(q, HEAD_BYTES + n, e);
    if (rc != RC_OK)
        return rc;
    uint32_t head[2] = {(uint32_t)n, number};
    add(q->last, head, HEAD_BYTES);
    add(q->last, parent.p, parent.n);
    add(q->last, "/", slash);
    add(q->last, name.p, name.n);
    q->n++;
    return RC_OK;
}

bool zk_paths_peek(const struct zk_paths *q, struct slice *ret_path, uint32_t *ret_number)
{
    if (q->n == 0)
        return false;
    uint32_t head[2];
    const char *p = q->first->p + q->first->from;
    memcpy(head, p, HEAD_BYTES);
    *ret_path = slice_of(p + HEAD_BYTES, head[0]);
    *ret_number = head[1];
    return true;
}

void zk_paths_pop(struct zk_paths *q)
{
    struct slice path;
    uint32_t number;
    bool there = zk_paths_peek(q, &path, &number);
    assert(there);
    (void)there;
    q->first->from += HEAD_BYTES + path.n;
    q->n--;
    if (q->first->from == q->first->to)
        drop_first(q);
}
