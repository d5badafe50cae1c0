/* The log as any reader sees it. I2: what was acknowledged stays, and a position is written with the events that it
 * covers, neither before nor after them. I4: events of one key come in the source's order. I5: a new listing of a scope
 * that was complete stands behind a gap event. */
#include "tests/sim/property_priv.h"

#include "core/event_iter.h"
#include "core/key.h"

#include <stdlib.h>

/* ---- Acknowledged appends ---- */

static void on_append(void *arg)
{
    struct world *w = arg;
    struct property *p = w->property;
    struct rlog_bounds b;
    if (rlog_bounds(w->us.reader, &b, NULL) != RC_OK)
        return;
    if (p->n_batches == p->cap_batches) {
        p->cap_batches = p->cap_batches ? 2 * p->cap_batches : 16;
        p->batches = realloc(p->batches, p->cap_batches * sizeof *p->batches);
        if (!p->batches)
            abort();
    }
    p->batches[p->n_batches++] = b.next;
    p->acknowledged = b.next;
    memcpy(p->chain, b.chain, sizeof p->chain);
}

void property_listen(struct world *w, struct rlog *log)
{
    if (rlog_on_append(log, on_append, w, NULL) != RC_OK)
        abort();
}

/* ---- One event ---- */

/* "group/resource" of a key: what is listed as one here. */
static struct slice scope_of_key(struct slice key)
{
    struct slice rest, first = slice_cut(key, '/', &rest);
    struct slice second = slice_cut(rest, '/', &rest);
    return slice_of(key.p, first.n + 1 + second.n);
}

/* The part behind "@sync/" and the like. */
static struct slice scope_of_own(struct slice key)
{
    struct slice rest;
    (void)slice_cut(key, '/', &rest);
    return rest;
}

static struct scope_history *history_of(struct world *w, struct slice scope)
{
    return property_entry(w->property->scopes, scope, sizeof(struct scope_history));
}

static void note_object(struct world *w, const struct event *ev)
{
    struct key_history *h = property_entry(w->property->keys, ev->key, sizeof *h);
    struct scope_history *s = history_of(w, scope_of_key(ev->key));
    int64_t version = property_number(ev->version);
    bool watched = ev->cause == CAUSE_WATCH;
    if (version < h->version || (version == h->version && watched))
        board_fail(w->board, "I4", "%.*s: offset %llu has version %lld after %lld",
                   SLICE_ARG(ev->key), (unsigned long long)ev->offset, (long long)version,
                   (long long)h->version);
    if (watched && version <= s->position)
        board_fail(w->board, "I2",
                   "%.*s: offset %llu has version %lld, but position %lld was logged before it",
                   SLICE_ARG(ev->key), (unsigned long long)ev->offset, (long long)version,
                   (long long)s->position);
    h->version = version;
    h->op = ev->op;
    if (ev->op == EVENT_DELETE)
        world_saw(w, watched ? SIGHT_OBSERVED_DELETE : SIGHT_INFERRED_DELETE);
}

static void note_own(struct world *w, const struct event *ev)
{
    struct scope_history *s = history_of(w, scope_of_own(ev->key));
    switch ((int)ev->op) {
    case EVENT_EPOCH:
        map_clear(w->property->scopes);
        map_clear(w->property->keys);
        break;
    case EVENT_GAP:
        s->gap = true;
        world_saw(w, SIGHT_GAP);
        break;
    case EVENT_SYNC_BEGIN:
        if (s->complete && !s->gap)
            board_fail(w->board, "I5", "%.*s is listed anew at offset %llu without a gap event",
                       SLICE_ARG(ev->key), (unsigned long long)ev->offset);
        if (s->complete)
            world_saw(w, SIGHT_RELIST);
        s->listing = true;
        break;
    case EVENT_SYNC_END:
        if (!s->listing)
            board_fail(w->board, "I5", "%.*s: a listing ends at offset %llu that did not begin",
                       SLICE_ARG(ev->key), (unsigned long long)ev->offset);
        s->complete = true;
        s->gap = s->listing = false;
        break;
    case EVENT_POSITION:
        s->position = property_number(ev->version);
        break;
    default:
        break;
    }
}

/* ---- One batch ---- */

/* Each watched event's scope has its position in the same batch, at or behind it. */
static void check_positions(struct world *w, const struct map *last)
{
    struct map_entry entry = {SLICE_NULL, NULL};
    while (map_seek(last, entry.key, entry.key.n > 0, &entry)) {
        int64_t version = *(int64_t *)entry.value;
        int64_t position = history_of(w, entry.key)->position;
        if (position < version)
            board_fail(w->board, "I2", "an append holds version %lld of %.*s, but position %lld",
                       (long long)version, SLICE_ARG(entry.key), (long long)position);
    }
}

static void look_at_batch(struct world *w, rlog_off until)
{
    struct property *p = w->property;
    AUTO(event_iter_freep) struct event_iter *it = NULL;
    AUTO(map_freep) struct map *last = map_new(free);
    struct rlog_range range = {.from = p->seen, .until = until, .all_keys = true};
    const struct event *ev;
    if (!last || rlog_cursor(w->us.reader, &range, &it, NULL) != RC_OK)
        return;
    while (event_iter_next(it, &ev, NULL) == RC_OK) {
        if (ev->offset != p->seen)
            board_fail(w->board, "I2", "offset %llu follows where %llu was due",
                       (unsigned long long)ev->offset, (unsigned long long)p->seen);
        p->seen = ev->offset + 1;
        if (ev->op != EVENT_POSITION)
            world_say(w, "log %llu: %s %.*s version %.*s", (unsigned long long)ev->offset,
                      event_op_name(ev->op), SLICE_ARG(ev->key), SLICE_ARG(ev->version));
        if (key_is_internal(ev->key)) {
            note_own(w, ev);
            continue;
        }
        note_object(w, ev);
        if (ev->cause == CAUSE_WATCH)
            *(int64_t *)property_entry(last, scope_of_key(ev->key), sizeof(int64_t)) =
                property_number(ev->version);
    }
    check_positions(w, last);
}

void property_look_log(struct world *w)
{
    struct property *p = w->property;
    struct rlog_bounds b;
    if (rlog_bounds(w->us.reader, &b, NULL) != RC_OK)
        abort();
    if (b.next < p->acknowledged)
        board_fail(w->board, "I2", "offsets up to %llu were acknowledged, the log ends at %llu",
                   (unsigned long long)p->acknowledged, (unsigned long long)b.next);
    if (b.next == p->acknowledged && p->acknowledged > 1 &&
        memcmp(b.chain, p->chain, sizeof p->chain) != 0)
        board_fail(w->board, "I2", "acknowledged events have changed");
    for (size_t i = 0; i < p->n_batches; i++)
        if (p->batches[i] > p->seen)
            look_at_batch(w, p->batches[i]);
    p->n_batches = 0;
    if (b.next > p->seen) /* appended, but the answer was lost */
        look_at_batch(w, b.next);
}
