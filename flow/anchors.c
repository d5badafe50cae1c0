/* Two places: a queue of offsets in ascending order, for those above all that it holds, and a map for the others. An
 * offset of the queue that is released stays with the count 0 until all below it are, or until half of the queue is
 * such. Invariant: the queue's first one counts at least 1. */
#include "flow/anchors.h"

#include "core/map.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#define FIRST_CAP 256u

struct anchor {
    rlog_off offset;
    size_t count;
};

struct anchors {
    struct anchor *queue; /* from `head` to n */
    size_t head, n, cap;
    size_t ended;       /* of them with the count 0 */
    struct map *others; /* big-endian offset -> size_t, its count */
};

struct anchors *anchors_new(void)
{
    AUTO(anchors_freep) struct anchors *a = calloc(1, sizeof *a);
    if (!a)
        return NULL;
    a->others = map_new(free);
    return a->others ? steal(&a) : NULL;
}

void anchors_free(struct anchors *a)
{
    if (!a)
        return;
    map_free(a->others);
    free(a->queue);
    free(a);
}

/* ---- The queue ---- */

/* Its entry, or NULL. */
static struct anchor *find(const struct anchors *a, rlog_off offset)
{
    size_t low = a->head, high = a->n;
    while (low < high) {
        size_t mid = low + (high - low) / 2;
        if (a->queue[mid].offset < offset)
            low = mid + 1;
        else
            high = mid;
    }
    return low < a->n && a->queue[low].offset == offset ? &a->queue[low] : NULL;
}

static void compact(struct anchors *a)
{
    size_t to = 0;
    for (size_t i = a->head; i < a->n; i++)
        if (a->queue[i].count > 0)
            a->queue[to++] = a->queue[i];
    a->head = a->ended = 0;
    a->n = to;
}

static enum rc push(struct anchors *a, rlog_off offset, struct err *e)
{
    if (a->n == a->cap && (a->head + a->ended) * 2 >= a->cap)
        compact(a);
    if (a->n == a->cap) {
        size_t cap = a->cap ? a->cap * 2 : FIRST_CAP;
        struct anchor *queue = reallocarray(a->queue, cap, sizeof *queue);
        if (!queue)
            return err_nomem(e);
        a->queue = queue;
        a->cap = cap;
    }
    a->queue[a->n++] = (struct anchor){offset, 1};
    return RC_OK;
}

/* ---- The others ---- */

/* Big-endian, so that byte order is number order. */
static struct slice key_of(rlog_off n, char out[8])
{
    for (int i = 7; i >= 0; i--, n >>= 8)
        out[i] = (char)(n & 0xff);
    return slice_of(out, 8);
}

static rlog_off offset_of(struct slice key)
{
    rlog_off n = 0;
    for (size_t i = 0; i < 8; i++)
        n = n << 8 | (uint8_t)key.p[i];
    return n;
}

static enum rc add_other(struct anchors *a, rlog_off offset, struct err *e)
{
    char text[8];
    struct slice key = key_of(offset, text);
    size_t *count = map_get(a->others, key);
    if (count) {
        ++*count;
        return RC_OK;
    }
    count = malloc(sizeof *count);
    if (!count)
        return err_nomem(e);
    *count = 1;
    return map_put(a->others, key, count, e);
}

static void release_other(struct anchors *a, rlog_off offset)
{
    char text[8];
    struct slice key = key_of(offset, text);
    size_t *count = map_get(a->others, key);
    assert(count && *count > 0);
    if (--*count == 0)
        map_delete(a->others, key);
}

/* ---- Both ---- */

enum rc anchors_add(struct anchors *a, rlog_off offset, struct err *e)
{
    assert(offset > 0);
    if (a->n == a->head || offset > a->queue[a->n - 1].offset)
        return push(a, offset, e);
    struct anchor *known = find(a, offset);
    if (!known)
        return add_other(a, offset, e);
    a->ended -= known->count == 0;
    known->count++;
    return RC_OK;
}

void anchors_release(struct anchors *a, rlog_off offset)
{
    struct anchor *known = find(a, offset);
    if (!known || known->count == 0) {
        release_other(a, offset);
        return;
    }
    known->count--;
    a->ended += known->count == 0;
    for (; a->head < a->n && a->queue[a->head].count == 0; a->head++)
        a->ended--;
    if (a->head == a->n)
        a->head = a->n = 0;
}

bool anchors_has(const struct anchors *a, rlog_off offset)
{
    char text[8];
    const struct anchor *known = find(a, offset);
    return (known && known->count > 0) || map_get(a->others, key_of(offset, text));
}

rlog_off anchors_lowest(const struct anchors *a, rlog_off otherwise)
{
    struct map_entry entry;
    bool queued = a->head < a->n;
    if (!map_seek(a->others, SLICE_NULL, false, &entry))
        return queued ? a->queue[a->head].offset : otherwise;
    rlog_off other = offset_of(entry.key);
    return queued && a->queue[a->head].offset < other ? a->queue[a->head].offset : other;
}
