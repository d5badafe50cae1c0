/* Room for the items in flight: each slot is in one list, by its state, and can be found by its path. */
#ifndef RESILOG_SINKS_ZK_SLOTS_H
#define RESILOG_SINKS_ZK_SLOTS_H

#include "core/backoff.h"
#include "sinks/zk_item.h"

enum zk_state {
    ZK_SLOT_FREE,
    ZK_SLOT_LOOK, /* to be asked for: in order of submission */
    ZK_SLOT_ACL,
    ZK_SLOT_WRITE,   /* to be written, in that order */
    ZK_SLOT_RUNNING, /* a request is open */
    ZK_SLOT_WAITING, /* for children, the longest first */
    ZK_SLOT_PAUSED,
    ZK_SLOT_FINISHED, /* in the order in which they ended */
    ZK_SLOT_TAKEN,
    ZK_SLOT_STATES
};

struct zk_slot {
    struct zk_item item;
    enum zk_state state;
    struct zk_slot *prev, *next; /* in the state's list */
    struct zk_slot *chain;       /* of the same hash */
    struct slice path;           /* empty while FREE or TAKEN */
    int64_t due_ns;              /* boot clock: of PAUSED and WAITING, when to look after it */
    int64_t since_ns;            /* of WAITING */
    struct backoff pause;
    unsigned lost; /* answers in a row */
    bool alone;    /* its next write goes in a request of its own */
};

struct zk_list {
    struct zk_slot *first, *last;
    uint32_t n;
};

struct zk_slots {
    struct zk_slot *all;
    uint32_t n;
    struct zk_list lists[ZK_SLOT_STATES];
    struct zk_slot **chains;
    uint32_t n_chains; /* a power of 2 */
};

/* All free. Errors: NOMEM; zk_slots_done is due even then. */
MUST_CHECK enum rc zk_slots_init(struct zk_slots *s, uint32_t n, struct err *e);
void zk_slots_done(struct zk_slots *s);
/* Puts the slot at the end (or the front) of another list. TAKEN forgets its path, FREE ends its item, too. */
void zk_slots_move(struct zk_slots *s, struct zk_slot *x, enum zk_state state, bool front);
/* From now on the slot is found by this path, which is borrowed. x is FREE. */
void zk_slots_name(struct zk_slots *s, struct zk_slot *x, struct slice path);
/* The slot of that path, or NULL. */
struct zk_slot *zk_slots_find(const struct zk_slots *s, struct slice path);

#endif
