/* What the pump is busy with: for each key at most one item in flight; which keys are to be looked
 * at again; and which offsets are not done yet, so that the committed offset never passes them.
 * Pure bookkeeping. */
#ifndef RESILOG_FLOW_PUMP_WORK_H
#define RESILOG_FLOW_PUMP_WORK_H

#include "core/buf.h"
#include "core/event.h"
#include "core/scope.h"
#include "sinks/sink.h"

struct map;
struct work;

/* One item at the sink, with the memory that it borrows. */
struct flight {
    struct sink_item item;
    struct sink_policy policy; /* of a put */
    struct event *event;       /* owned copy */
    struct buf body;
    struct buf record;
    struct buf opposite;  /* the record of the opposite synchronization */
    struct buf preimage;  /* what was kept of the destination's object before */
    struct buf ns_labels; /* the namespace may change while the item is in flight */
    bool left;            /* its row says that it left the selection */
    bool drifted;         /* it was looked at because the destination had changed */
    rlog_off anchor; /* offset that waits for it; 0: none (a retry of what was committed as held) */
    struct flight *next_by_key, *next_by_ticket; /* in the same bucket, or the next spare one */
};

struct work *work_new(void); /* NULL when out of memory */
void work_free(struct work *w);
DEFINE_FREEP(struct work, work_free)

/* Makes a flight with a copy of ev and a new ticket and enters it; its key must be free. Errors:
 * NOMEM. */
MUST_CHECK enum rc work_begin(struct work *w, const struct event *ev, rlog_off anchor,
                              struct flight **ret, struct err *e);
struct flight *work_by_key(const struct work *w, struct slice key);
struct flight *work_by_ticket(const struct work *w, uint64_t ticket);
/* Ends the flight: frees it and releases its anchor. */
void work_end(struct work *w, struct flight *f);
size_t work_count(const struct work *w);

/* Anchors are counted: an offset may wait for several things. 0 is ignored. Errors: NOMEM. */
MUST_CHECK enum rc work_anchor(struct work *w, rlog_off offset, struct err *e);
void work_release(struct work *w, rlog_off offset);
/* The lowest anchored offset, or `otherwise` if none is. */
rlog_off work_lowest(const struct work *w, rlog_off otherwise);
/* True if something waits for that offset. */
bool work_is_anchored(const struct work *w, rlog_off offset);

/* A key whose last event is to be evaluated (again) as soon as nothing of it is in flight. */
struct again {
    rlog_off anchor; /* counted; the higher one wins; 0: none */
    bool approved;   /* an inferred delete of it passed the prune guard */
    bool leaving;    /* so did the removal of its copy, should it not be selected */
    bool unsure;     /* the destination may not be as the record says */
};
/* Enters key, or joins what is entered already; an approval of before is not one of a newer anchor.
 * Errors: NOMEM. */
MUST_CHECK enum rc work_again(struct work *w, struct slice key, struct again what, struct err *e);
/* Takes out the first key that is not in flight: true, with a key that the caller frees, and with
 * its anchor still counted. */
bool work_next_again(struct work *w, char **ret_key, struct again *ret);

#endif
