/* The fold of a log prefix: an ordered map from key to a copy of the key's last event, deletes left
 * out. Invariant: an entry's key equals its event's key. Failure: an apply that runs out of memory
 * leaves the key as it was. Threads: one at a time; concurrent reads are fine. */
#include "core/state.h"

#include "core/buf.h"
#include "core/event_codec.h"
#include "core/event_iter.h"
#include "core/map.h"

struct state {
    struct map *events; /* key -> struct event */
};

struct state *state_new(void)
{
    struct state *s = calloc(1, sizeof(*s));
    if (!s)
        return NULL;
    s->events = map_new(free);
    if (s->events)
        return s;
    free(s);
    return NULL;
}

void state_free(struct state *s)
{
    if (!s)
        return;
    map_free(s->events);
    free(s);
}

enum rc state_apply(struct state *s, const struct event *ev, struct err *e)
{
    const struct event *present = map_get(s->events, ev->key);
    if (present && ev->offset <= present->offset)
        return RC_OK;
    if (ev->op == EVENT_DELETE) {
        map_delete(s->events, ev->key);
        return RC_OK;
    }
    struct event *copy = event_copy(ev);
    return copy ? map_put(s->events, ev->key, copy, e) : err_nomem(e);
}

enum rc state_fold(struct state *s, struct event_iter *it, struct err *e)
{
    for (;;) {
        const struct event *ev = NULL;
        enum rc rc = event_iter_next(it, &ev, e);
        if (rc == RC_END || rc == RC_AGAIN)
            return RC_OK;
        if (rc == RC_OK)
            rc = state_apply(s, ev, e);
        if (rc != RC_OK)
            return rc;
    }
}

const struct event *state_get(const struct state *s, struct slice key)
{
    return map_get(s->events, key);
}

size_t state_count(const struct state *s)
{
    return map_count(s->events);
}

const struct event *state_next(const struct state *s, struct slice prefix, struct slice after)
{
    struct map_entry entry;
    bool before = slice_cmp(after, prefix) < 0;
    bool behind = after.n > 0 && !before;
    if (!map_seek(s->events, behind ? after : prefix, behind, &entry))
        return NULL;
    return slice_starts(entry.key, prefix) ? entry.value : NULL;
}

static enum rc digest_events(const struct state *s, struct sha256 *hash, struct err *e)
{
    AUTO(buf_done) struct buf bytes = BUF_INIT(EVENT_BATCH_BYTES_MAX);
    struct map_entry entry = {.key = SLICE_NULL};
    for (bool more = map_seek(s->events, SLICE_NULL, false, &entry); more;
         more = map_seek(s->events, entry.key, true, &entry)) {
        buf_reset(&bytes);
        enum rc rc = event_encode(entry.value, &bytes, e);
        if (rc != RC_OK)
            return rc;
        sha256_add(hash, buf_slice(&bytes));
    }
    return RC_OK;
}

enum rc state_digest(const struct state *s, uint8_t out[SHA256_SIZE], struct err *e)
{
    struct sha256 *hash = sha256_new();
    if (!hash)
        return err_nomem(e);
    sha256_start(hash);
    enum rc rc = digest_events(s, hash, e);
    if (rc == RC_OK)
        sha256_finish(hash, out);
    sha256_free(hash);
    return rc;
}
