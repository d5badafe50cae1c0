/* Batches are bounded by parts and bytes: a server drops the connection of who sends more than its jute.maxbuffer, and
 * has no limit for what it answers. Keeps nothing but the batch itself. */
#include "sinks/zk_batch.h"

#include "io/zk.h"

#define ANSWER_BYTES 256u /* of a node without its data */

static enum rc calls_of(struct zk_slot *x, const struct zk_dest *d, struct zk_call *out, size_t max,
                        size_t *ret_n, struct err *e)
{
    if (x->state == ZK_SLOT_WRITE)
        return zk_item_calls(&x->item, d, out, max, ret_n, e);
    zk_item_look(&x->item, out);
    *ret_n = 1;
    return RC_OK;
}

/* What the source has says best what the destination may answer. */
static size_t size_of(const struct zk_slot *x, const struct zk_call *calls, size_t n)
{
    size_t size = x->state == ZK_SLOT_WRITE ? 0 : ANSWER_BYTES + x->item.item.body.n;
    for (size_t i = 0; i < n; i++)
        size += zk_call_size(&calls[i]);
    return size;
}

bool zk_batch_is_alone(const struct zk_slot *x)
{
    return x->alone || x->lost > 0 || zk_item_is_alone(&x->item);
}

/* Of what is repeated: pairs go, as long as it is too long. */
static size_t fit(const struct zk_slot *x, const struct zk_call *calls, size_t n)
{
    size_t size = size_of(x, calls, n);
    if (n < 4 || size <= ZK_BATCH_BYTES || x->item.next != ZK_NEXT_ALIGN)
        return n;
    return (size_t)((uint64_t)n * ZK_BATCH_BYTES / size) / 2 * 2;
}

enum rc zk_batch_fill(struct zk_batch *b, const struct zk_list *from, const struct zk_dest *d,
                      struct zk_call *calls, size_t *ret_n, struct err *e)
{
    size_t n = 0, bytes = 0, more;
    *b = (struct zk_batch){0};
    for (struct zk_slot *x = from->first; x && b->n < ZK_BATCH_SLOTS; x = x->next) {
        bool alone = zk_batch_is_alone(x);
        if (b->n > 0 && (alone || n + 2 > ZK_BATCH_PARTS))
            break;
        enum rc rc = calls_of(x, d, calls + n, ZK_BATCH_PARTS - n, &more, e);
        if (rc != RC_OK)
            return rc;
        if (alone)
            more = fit(x, calls, more);
        bytes += size_of(x, calls + n, more);
        if (b->n > 0 && bytes > ZK_BATCH_BYTES)
            break;
        b->slots[b->n] = x;
        b->parts[b->n++] = (uint32_t)more;
        n += more;
        if (alone)
            break;
    }
    *ret_n = n;
    return RC_OK;
}

struct zk_slot *zk_batch_culprit(const struct zk_batch *b, const struct zk_result *r,
                                 int *ret_error)
{
    size_t at = 0;
    for (uint32_t i = 0; i < b->n; i++)
        for (uint32_t k = 0; k < b->parts[i] && at < r->n_parts; k++, at++) {
            int error = r->parts[at].error;
            if (error == ZK_OK || error == ZK_RUNTIME_INCONSISTENCY)
                continue;
            *ret_error = error;
            return b->slots[i];
        }
    return NULL;
}
