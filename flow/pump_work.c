/* Flights by key and by ticket, in two tables of buckets with as many buckets as there ever were flights, at least; and
 * the keys to look at again. Flights that ended are kept for the next ones, with their small memory, for their number is
 * that of all events. One thread. */
#include "flow/pump_work.h"

#include "core/event_codec.h"
#include "core/map.h"
#include "flow/anchors.h"

#include <assert.h>
#include <stdlib.h>

#define FIRST_BUCKETS 64u /* a power of two, as all numbers of buckets are */
#define SPARE_MAX     128u
#define SPARE_BYTES   (4u << 10) /* of one buffer of a spare flight */

struct work {
    struct flight **by_key, **by_ticket; /* own the flights, and borrow them */
    size_t n_buckets, n;
    struct flight *spare;
    size_t n_spare;
    struct map *again; /* key -> struct again */
    struct anchors *anchors;
    uint64_t last_ticket;
};

static void flight_free(struct flight *f)
{
    free(f->event);
    buf_done(&f->body);
    buf_done(&f->record);
    buf_done(&f->opposite);
    buf_done(&f->preimage);
    buf_done(&f->ns_labels);
    free(f);
}

struct work *work_new(void)
{
    AUTO(work_freep) struct work *w = calloc(1, sizeof *w);
    if (!w)
        return NULL;
    w->n_buckets = FIRST_BUCKETS;
    w->by_key = calloc(w->n_buckets, sizeof *w->by_key);
    w->by_ticket = calloc(w->n_buckets, sizeof *w->by_ticket);
    w->again = map_new(free);
    w->anchors = anchors_new();
    return w->by_key && w->by_ticket && w->again && w->anchors ? steal(&w) : NULL;
}

static void free_chain(struct flight *f)
{
    for (struct flight *next; f; f = next) {
        next = f->next_by_key;
        flight_free(f);
    }
}

void work_free(struct work *w)
{
    if (!w)
        return;
    for (size_t i = 0; w->by_key && i < w->n_buckets; i++)
        free_chain(w->by_key[i]);
    free_chain(w->spare);
    free(w->by_key);
    free(w->by_ticket);
    map_free(w->again);
    anchors_free(w->anchors);
    free(w);
}

/* ---- Anchors ---- */

enum rc work_anchor(struct work *w, rlog_off offset, struct err *e)
{
    return offset ? anchors_add(w->anchors, offset, e) : RC_OK;
}

void work_release(struct work *w, rlog_off offset)
{
    if (offset)
        anchors_release(w->anchors, offset);
}

rlog_off work_lowest(const struct work *w, rlog_off otherwise)
{
    return anchors_lowest(w->anchors, otherwise);
}

bool work_is_anchored(const struct work *w, rlog_off offset)
{
    return anchors_has(w->anchors, offset);
}

/* ---- Flights ---- */

static size_t bucket_of_key(struct slice key, size_t n_buckets)
{
    return (size_t)slice_hash(key) & (n_buckets - 1);
}

static size_t bucket_of_ticket(uint64_t ticket, size_t n_buckets)
{
    return (size_t)ticket & (n_buckets - 1);
}

static void enter(struct flight **by_key, struct flight **by_ticket, size_t n_buckets,
                  struct flight *f)
{
    struct flight **key = &by_key[bucket_of_key(f->event->key, n_buckets)];
    struct flight **ticket = &by_ticket[bucket_of_ticket(f->item.ticket, n_buckets)];
    f->next_by_key = *key;
    f->next_by_ticket = *ticket;
    *key = *ticket = f;
}

static enum rc grow(struct work *w, struct err *e)
{
    size_t n_buckets = w->n_buckets * 2;
    AUTO(freep) struct flight **by_key = calloc(n_buckets, sizeof *by_key);
    AUTO(freep) struct flight **by_ticket = calloc(n_buckets, sizeof *by_ticket);
    if (!by_key || !by_ticket)
        return err_nomem(e);
    for (size_t i = 0; i < w->n_buckets; i++)
        for (struct flight *f = w->by_key[i], *next; f; f = next) {
            next = f->next_by_key;
            enter(by_key, by_ticket, n_buckets, f);
        }
    free(w->by_key);
    free(w->by_ticket);
    w->by_key = steal(&by_key);
    w->by_ticket = steal(&by_ticket);
    w->n_buckets = n_buckets;
    return RC_OK;
}

static void leave(struct work *w, const struct flight *f)
{
    struct flight **at = &w->by_key[bucket_of_key(f->event->key, w->n_buckets)];
    while (*at != f)
        at = &(*at)->next_by_key;
    *at = f->next_by_key;
    at = &w->by_ticket[bucket_of_ticket(f->item.ticket, w->n_buckets)];
    while (*at != f)
        at = &(*at)->next_by_ticket;
    *at = f->next_by_ticket;
    w->n--;
}

static void keep_small(struct buf *b)
{
    buf_reset(b);
    if (b->cap > SPARE_BYTES)
        buf_done(b);
}

static void put_away(struct work *w, struct flight *f)
{
    if (w->n_spare == SPARE_MAX) {
        flight_free(f);
        return;
    }
    free(f->event);
    keep_small(&f->body);
    keep_small(&f->record);
    keep_small(&f->opposite);
    keep_small(&f->preimage);
    keep_small(&f->ns_labels);
    *f = (struct flight){.body = f->body,
                         .record = f->record,
                         .opposite = f->opposite,
                         .preimage = f->preimage,
                         .ns_labels = f->ns_labels,
                         .next_by_key = w->spare};
    w->spare = f;
    w->n_spare++;
}

/* A spare one, or a new one; NULL when out of memory. */
static struct flight *flight_get(struct work *w)
{
    struct flight *f = w->spare;
    if (f) {
        w->spare = f->next_by_key;
        w->n_spare--;
        f->next_by_key = NULL;
        return f;
    }
    f = calloc(1, sizeof *f);
    if (!f)
        return NULL;
    buf_init(&f->body, EVENT_BODY_MAX);
    buf_init(&f->record, EVENT_BATCH_BYTES_MAX);
    buf_init(&f->opposite, EVENT_BATCH_BYTES_MAX);
    buf_init(&f->preimage, EVENT_BATCH_BYTES_MAX);
    buf_init(&f->ns_labels, EVENT_BODY_MAX);
    return f;
}

enum rc work_begin(struct work *w, const struct event *ev, rlog_off anchor, struct flight **ret,
                   struct err *e)
{
    assert(!work_by_key(w, ev->key));
    enum rc rc = w->n == w->n_buckets ? grow(w, e) : RC_OK;
    if (rc != RC_OK)
        return rc;
    struct flight *f = flight_get(w);
    if (!f)
        return err_nomem(e);
    f->event = event_copy(ev);
    rc = f->event ? work_anchor(w, anchor, e) : err_nomem(e);
    if (rc != RC_OK) {
        flight_free(f);
        return rc;
    }
    f->anchor = anchor;
    f->item.event = f->event;
    f->item.ticket = ++w->last_ticket;
    enter(w->by_key, w->by_ticket, w->n_buckets, f);
    w->n++;
    *ret = f;
    return RC_OK;
}

struct flight *work_by_key(const struct work *w, struct slice key)
{
    struct flight *f = w->n ? w->by_key[bucket_of_key(key, w->n_buckets)] : NULL;
    while (f && !slice_eq(f->event->key, key))
        f = f->next_by_key;
    return f;
}

struct flight *work_by_ticket(const struct work *w, uint64_t ticket)
{
    struct flight *f = w->by_ticket[bucket_of_ticket(ticket, w->n_buckets)];
    while (f && f->item.ticket != ticket)
        f = f->next_by_ticket;
    return f;
}

void work_end(struct work *w, struct flight *f)
{
    work_release(w, f->anchor);
    leave(w, f);
    put_away(w, f);
}

size_t work_count(const struct work *w)
{
    return w->n;
}

/* ---- Again ---- */

enum rc work_again(struct work *w, struct slice key, struct again what, struct err *e)
{
    struct again *known = map_get(w->again, key);
    if (known && what.anchor <= known->anchor) {
        known->approved = known->approved || what.approved;
        known->leaving = known->leaving || what.leaving;
        known->unsure = known->unsure || what.unsure;
        return RC_OK;
    }
    enum rc rc = work_anchor(w, what.anchor, e);
    if (rc < 0)
        return rc;
    if (known) {
        work_release(w, known->anchor);
        what.unsure = what.unsure || known->unsure;
        *known = what;
        return RC_OK;
    }
    struct again *copy = malloc(sizeof *copy);
    if (copy) {
        *copy = what;
        rc = map_put(w->again, key, copy, e);
    } else {
        rc = err_nomem(e);
    }
    if (rc < 0)
        work_release(w, what.anchor);
    return rc;
}

bool work_next_again(struct work *w, char **ret_key, struct again *ret)
{
    struct map_entry entry = {SLICE_NULL, NULL};
    do {
        if (!map_seek(w->again, entry.key, entry.key.n > 0, &entry))
            return false;
    } while (work_by_key(w, entry.key));
    char *key = strndup(entry.key.p, entry.key.n);
    if (!key)
        return false;
    *ret_key = key;
    *ret = *(struct again *)entry.value;
    map_delete(w->again, slice_str(key));
    return true;
}
