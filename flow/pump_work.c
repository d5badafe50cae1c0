/* Flights by key and by ticket, and counted anchors in offset order. One thread. */
#include "flow/pump_work.h"

#include "core/event_codec.h"
#include "core/map.h"

#include <assert.h>
#include <stdlib.h>

struct work {
    struct map *by_key;    /* owns the flights */
    struct map *by_ticket; /* borrows them */
    struct map *again;     /* key -> struct again */
    struct map *anchors;   /* big-endian offset -> size_t count */
    uint64_t last_ticket;
};

/* Big-endian, so that byte order is number order. */
static struct slice number_key(uint64_t n, char out[8])
{
    for (int i = 7; i >= 0; i--, n >>= 8)
        out[i] = (char)(n & 0xff);
    return slice_of(out, 8);
}

static uint64_t key_number(struct slice key)
{
    uint64_t n = 0;
    for (size_t i = 0; i < 8; i++)
        n = n << 8 | (uint8_t)key.p[i];
    return n;
}

static void flight_free(void *value)
{
    struct flight *f = value;
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
    w->by_key = map_new(flight_free);
    w->by_ticket = map_new(NULL);
    w->again = map_new(free);
    w->anchors = map_new(free);
    return w->by_key && w->by_ticket && w->again && w->anchors ? steal(&w) : NULL;
}

void work_free(struct work *w)
{
    if (!w)
        return;
    map_free(w->by_ticket);
    map_free(w->by_key);
    map_free(w->again);
    map_free(w->anchors);
    free(w);
}

enum rc work_anchor(struct work *w, rlog_off offset, struct err *e)
{
    if (offset == 0)
        return RC_OK;
    char text[8];
    struct slice key = number_key(offset, text);
    size_t *count = map_get(w->anchors, key);
    if (count) {
        ++*count;
        return RC_OK;
    }
    count = malloc(sizeof *count);
    if (!count)
        return err_nomem(e);
    *count = 1;
    return map_put(w->anchors, key, count, e);
}

void work_release(struct work *w, rlog_off offset)
{
    if (offset == 0)
        return;
    char text[8];
    struct slice key = number_key(offset, text);
    size_t *count = map_get(w->anchors, key);
    assert(count && *count > 0);
    if (--*count == 0)
        map_delete(w->anchors, key);
}

rlog_off work_lowest(const struct work *w, rlog_off otherwise)
{
    struct map_entry entry;
    return map_seek(w->anchors, SLICE_NULL, false, &entry) ? key_number(entry.key) : otherwise;
}

bool work_is_anchored(const struct work *w, rlog_off offset)
{
    char text[8];
    return map_get(w->anchors, number_key(offset, text)) != NULL;
}

enum rc work_begin(struct work *w, const struct event *ev, rlog_off anchor, struct flight **ret,
                   struct err *e)
{
    assert(!work_by_key(w, ev->key));
    struct flight *f = calloc(1, sizeof *f);
    if (!f)
        return err_nomem(e);
    buf_init(&f->body, EVENT_BODY_MAX);
    buf_init(&f->record, EVENT_BATCH_BYTES_MAX);
    buf_init(&f->opposite, EVENT_BATCH_BYTES_MAX);
    buf_init(&f->preimage, EVENT_BATCH_BYTES_MAX);
    buf_init(&f->ns_labels, EVENT_BODY_MAX);
    f->event = event_copy(ev);
    if (!f->event) {
        flight_free(f);
        return err_nomem(e);
    }
    f->item.event = f->event;
    f->item.ticket = ++w->last_ticket;
    char text[8];
    enum rc rc = map_put(w->by_ticket, number_key(f->item.ticket, text), f, e);
    if (rc < 0) {
        flight_free(f);
        return rc;
    }
    rc = map_put(w->by_key, f->event->key, f, e);
    if (rc == RC_OK) {
        rc = work_anchor(w, anchor, e);
        if (rc == RC_OK) {
            f->anchor = anchor;
            *ret = f;
            return RC_OK;
        }
        map_delete(w->by_ticket, number_key(w->last_ticket, text));
        map_delete(w->by_key, ev->key);
        return rc;
    }
    map_delete(w->by_ticket, number_key(w->last_ticket, text));
    return rc;
}

struct flight *work_by_key(const struct work *w, struct slice key)
{
    return map_get(w->by_key, key);
}

struct flight *work_by_ticket(const struct work *w, uint64_t ticket)
{
    char text[8];
    return map_get(w->by_ticket, number_key(ticket, text));
}

void work_end(struct work *w, struct flight *f)
{
    char text[8];
    work_release(w, f->anchor);
    map_delete(w->by_ticket, number_key(f->item.ticket, text));
    struct flight *owned = map_take(w->by_key, f->event->key);
    assert(owned == f);
    flight_free(owned);
}

size_t work_count(const struct work *w)
{
    return map_count(w->by_key);
}

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
