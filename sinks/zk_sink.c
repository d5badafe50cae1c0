/* The ZooKeeper sink: sends the requests of many items at once, and waits for the ensemble where it does not answer.
 *
 * Keeps a slot an item, from submit until its result was taken (I10). Looks and writes go in batches, several of them
 * open, in order of submission, so that a parent precedes its children; the less is open, the smaller a batch may be.
 * A multi that failed tells whose part it was: the others go again, each in a request of its own, so that one node
 * harms nobody. After a lost answer the node is looked at; who was in flight when the connection was lost again and
 * again goes with nothing else open, and is held if it is lost even so. Failures: NOMEM leaves every item where it was.
 * Threads: one. */
#include "sinks/zk_sink.h"

#include "core/clock.h"
#include "core/digest.h"
#include "core/env.h"
#include "core/event.h"
#include "io/zk.h"
#include "sinks/zk_batch.h"
#include "sinks/zk_link.h"
#include "sinks/zk_made.h"
#include "sinks/zk_scan.h"

#include <stdio.h>

#define WINDOW_DEFAULT 4096u
#define WINDOW_MAX     65536u
#define BATCHES        16u   /* open at once */
#define OPEN_MOST      1024u /* requests open at once */
#define FULL           256u  /* so many items make a batch worth sending while others are open */
#define PAUSE_FIRST_NS (100 * NS_PER_MS)
#define PAUSE_MOST_NS  (10 * NS_PER_S)
#define POLL_NS        (50 * NS_PER_MS) /* waiting items are looked after */
#define CHILDREN_NS    NS_PER_S         /* without a creation: its children are not on their way */
#define EMPTIED_NS     (5 * NS_PER_S)   /* as long for children that are to be deleted */
#define WAIT_NS        (30 * NS_PER_S)  /* for children, at most */
#define LOST_APART     2 /* lost answers in a row, after which it goes with nothing else open */
#define LOST_MOST      6
#define TEXTS_MAX      (16u << 10)

/* What a tag begins with; the rest is a number. Scans have those from 16 on. */
enum tag { TAG_LINK = 1, TAG_SLOT, TAG_BATCH };
#define TAG(kind, number) ((uint64_t)(kind) << 32 | (number))

enum kind { WRITES, LOOKS, ACLS, KINDS };

struct zk_sink {
    struct sink sink; /* first */
    struct zk *zk;
    struct env env;
    struct buf texts; /* root, our id, the Database's name: each with a NUL */
    struct zk_dest dest;
    struct zk_link link;
    struct zk_scans scans;
    struct zk_slots slots;
    struct zk_made *made;
    struct zk_batch batches[BATCHES];
    struct zk_call calls[ZK_BATCH_PARTS]; /* of the request that is being made */
    uint32_t open[KINDS];                 /* requests */
    uint32_t batched[KINDS];              /* of them: batches */
    bool apart;                           /* the open request is to be the only one */
    int64_t created_ns;                   /* boot clock: when a node was made last */
    int64_t due_ns;                /* boot clock: when waiting and paused items are looked after */
    struct buf record, dependency; /* of the result that was taken last */
    char trouble[128]; /* the last answer that decided nothing; empty after one that did */
};

static struct zk_sink *of(struct sink *s)
{
    return (struct zk_sink *)s;
}

static struct zk_list *list(struct zk_sink *k, enum zk_state state)
{
    return &k->slots.lists[state];
}

static int64_t now_ns(const struct zk_sink *k)
{
    return clock_boot_ns(k->env.clock);
}

/* ---- Where an item goes next ---- */

static void wait_until(struct zk_sink *k, struct zk_slot *x, enum zk_state state, int64_t due_ns)
{
    zk_slots_move(&k->slots, x, state, false);
    x->due_ns = due_ns;
    if (due_ns < k->due_ns)
        k->due_ns = due_ns;
}

static void route(struct zk_sink *k, struct zk_slot *x)
{
    int64_t now = now_ns(k);
    switch (x->item.wants) {
    case ZK_WANTS_LOOK:
        zk_slots_move(&k->slots, x, ZK_SLOT_LOOK, false);
        return;
    case ZK_WANTS_ACL:
        zk_slots_move(&k->slots, x, ZK_SLOT_ACL, false);
        return;
    case ZK_WANTS_WRITE:
        zk_slots_move(&k->slots, x, ZK_SLOT_WRITE, false);
        return;
    case ZK_WANTS_CHILDREN:
        if (x->state != ZK_SLOT_WAITING)
            x->since_ns = now;
        wait_until(k, x, ZK_SLOT_WAITING, now + POLL_NS);
        return;
    case ZK_WANTS_PAUSE:
        wait_until(k, x, ZK_SLOT_PAUSED, now + backoff_next_ns(&x->pause, k->env.rng));
        return;
    case ZK_WANTS_NOTHING:
        zk_slots_move(&k->slots, x, ZK_SLOT_FINISHED, false);
        return;
    case ZK_WANTS_STOP:
        zk_link_stop(&k->link, &k->env, "source and destination are the same ensemble");
        x->item.wants = ZK_WANTS_LOOK;
        zk_slots_move(&k->slots, x, ZK_SLOT_LOOK, false);
        return;
    }
}

static void release_taken(struct zk_sink *k)
{
    while (list(k, ZK_SLOT_TAKEN)->first)
        zk_slots_move(&k->slots, list(k, ZK_SLOT_TAKEN)->first, ZK_SLOT_FREE, false);
}

static enum rc sink_submit_item(struct sink *s, const struct sink_item *item, struct err *e)
{
    struct zk_sink *k = of(s);
    release_taken(k);
    struct zk_slot *x = list(k, ZK_SLOT_FREE)->first;
    if (!x || !zk_link_is_up(&k->link))
        return RC_AGAIN;
    enum rc rc = zk_item_begin(&x->item, &k->dest, item, e);
    int64_t made = zk_made_find(k->made, znode_parent(item->event->key));
    if (rc == RC_OK && made)
        rc = zk_item_expect_absent(&x->item, &k->dest, made, e);
    if (rc != RC_OK) {
        zk_item_done(&x->item);
        return rc;
    }
    x->pause = (struct backoff){.first_ns = PAUSE_FIRST_NS, .max_ns = PAUSE_MOST_NS};
    zk_slots_name(&k->slots, x, item->event->key);
    route(k, x);
    return RC_OK;
}

static enum rc sink_take_result(struct sink *s, struct sink_result *ret, struct err *e)
{
    struct zk_sink *k = of(s);
    release_taken(k);
    struct zk_slot *x = list(k, ZK_SLOT_FINISHED)->first;
    if (!x)
        return RC_AGAIN;
    enum rc rc = zk_item_result(&x->item, &k->record, ret, e);
    if (rc != RC_OK)
        return rc;
    buf_reset(&k->dependency); /* it is a part of the item's path, which is borrowed until now */
    buf_add_slice(&k->dependency, ret->dependency);
    ret->dependency = buf_slice(&k->dependency);
    rc = buf_check(&k->dependency, "a path", e);
    if (rc == RC_OK)
        zk_slots_move(&k->slots, x, ZK_SLOT_TAKEN, false);
    return rc;
}

/* ---- Answers ---- */

static bool is_making(const struct zk_item *it)
{
    return it->item.op == SINK_PUT && it->next == ZK_NEXT_CREATE;
}

/* The parent's numbers changed with it. */
static void tell_parent(struct zk_sink *k, const struct zk_slot *x, bool made)
{
    struct zk_slot *parent = zk_slots_find(&k->slots, znode_parent(x->path));
    if (!parent)
        return;
    bool queued = parent->state == ZK_SLOT_WAITING || parent->state == ZK_SLOT_WRITE;
    zk_item_child(&parent->item, &k->dest, made, !queued);
    if (queued && (parent->state != ZK_SLOT_WRITE || parent->item.wants != ZK_WANTS_WRITE))
        route(k, parent);
}

/* Another root node than before is nobody else's, if we made it. */
static void note_node(struct zk_sink *k, const struct zk_slot *x)
{
    const struct zk_item *it = &x->item;
    zk_made_note(k->made, it);
    if (!slice_eq(x->path, k->dest.root))
        return;
    if (it->created && it->seen && it->mine.czxid == it->live.czxid)
        zk_link_root_made(&k->link, it->live.czxid);
    else if (it->item.op == SINK_DELETE && it->wrote && it->wants == ZK_WANTS_NOTHING)
        zk_link_root_gone(&k->link);
}

static void wrote(struct zk_sink *k, struct zk_slot *x, const struct zk_event *ev,
                  const struct zk_result *r, size_t n)
{
    bool making = is_making(&x->item), deleting = x->item.item.op == SINK_DELETE;
    x->alone = false;
    x->lost = 0;
    k->trouble[0] = '\0';
    zk_item_wrote(&x->item, &k->dest, r, n, ev->zxid);
    if (making)
        k->created_ns = now_ns(k);
    if (making || deleting)
        tell_parent(k, x, making);
    note_node(k, x);
    route(k, x);
}

static bool is_ended(const struct zk_slot *x)
{
    return x->state == ZK_SLOT_FINISHED || x->state == ZK_SLOT_TAKEN;
}

static void refused(struct zk_sink *k, struct zk_slot *x, int error)
{
    const struct zk_slot *parent = zk_slots_find(&k->slots, znode_parent(x->path));
    if (slice_eq(x->path, k->dest.root) && is_making(&x->item))
        zk_link_doubt(&k->link); /* an ancestor may have come or gone */
    x->alone = false;
    x->lost = 0;
    zk_item_refused(&x->item, error, parent && !is_ended(parent));
    if (zk_decide_refusal(error, false)->remedy == ZK_REMEDY_LATER)
        snprintf(k->trouble, sizeof k->trouble,
                 "the destination answers: %s (%d); it is asked again", zk_error_name(error),
                 error);
    else
        k->trouble[0] = '\0';
    route(k, x);
}

/* A request with parts of its own, or a single one. */
static enum rc answered(struct zk_sink *k, struct zk_slot *x, const struct zk_event *ev,
                        const struct zk_result *r, size_t n, struct err *e)
{
    enum rc rc = RC_OK;
    switch (x->item.wants) {
    case ZK_WANTS_WRITE:
        if (ev->result->error == ZK_OK)
            wrote(k, x, ev, r, n);
        else
            refused(k, x, ev->result->error);
        return RC_OK;
    case ZK_WANTS_LOOK:
        rc = zk_item_saw(&x->item, &k->dest, r, ev->zxid, e);
        break;
    case ZK_WANTS_ACL:
        rc = zk_item_saw_acl(&x->item, &k->dest, r, e);
        break;
    case ZK_WANTS_CHILDREN:
    case ZK_WANTS_PAUSE:
    case ZK_WANTS_NOTHING:
    case ZK_WANTS_STOP:
        break;
    }
    if (rc != RC_OK)
        x->item.wants = ZK_WANTS_LOOK;
    note_node(k, x);
    route(k, x);
    return rc;
}

static void lost(struct zk_sink *k, struct zk_slot *x)
{
    zk_item_lost(&x->item);
    if (++x->lost >= LOST_MOST)
        zk_item_hold(&x->item, "unserved",
                     "the connection is lost whenever the destination is asked about this node; is "
                     "its jute.maxbuffer too small for it?");
    route(k, x);
}

/* Only one of them is to blame: all others go again, alone, and before what was submitted later. */
static void failed(struct zk_sink *k, struct zk_batch *b, const struct zk_result *r)
{
    int error = r->error;
    struct zk_slot *culprit = zk_batch_culprit(b, r, &error);
    if (b->n == 1)
        culprit = b->slots[0];
    for (uint32_t i = b->n; i-- > 0;) {
        if (b->slots[i] == culprit)
            continue;
        b->slots[i]->alone = true;
        zk_slots_move(&k->slots, b->slots[i], ZK_SLOT_WRITE, true);
    }
    if (culprit)
        refused(k, culprit, error);
}

static enum rc all_answered(struct zk_sink *k, struct zk_batch *b, const struct zk_event *ev,
                            struct err *e)
{
    const struct zk_result *r = ev->result;
    size_t at = 0;
    enum rc rc = RC_OK;
    for (uint32_t i = 0; i < b->n; i++) {
        struct zk_slot *x = b->slots[i];
        if (at + b->parts[i] > r->n_parts) { /* a multi read that was refused as a whole */
            refused(k, x, r->error);
        } else if (rc == RC_OK) {
            rc = answered(k, x, ev, r->parts + at, b->parts[i], e);
        } else {
            x->item.wants = ZK_WANTS_LOOK;
            route(k, x);
        }
        at += b->parts[i];
    }
    return rc;
}

static enum rc on_batch(struct zk_sink *k, struct zk_batch *b, const struct zk_event *ev,
                        struct err *e)
{
    enum rc rc = RC_OK;
    b->open = false;
    enum kind kind = b->reading ? LOOKS : WRITES;
    k->open[kind]--;
    k->batched[kind]--;
    if (ev->err.rc != RC_OK)
        for (uint32_t i = 0; i < b->n; i++)
            lost(k, b->slots[i]);
    else if (!b->reading && ev->result->error != ZK_OK)
        failed(k, b, ev->result);
    else
        rc = all_answered(k, b, ev, e);
    return rc;
}

static enum kind kind_of(const struct zk_item *it)
{
    return it->wants == ZK_WANTS_WRITE ? WRITES : it->wants == ZK_WANTS_ACL ? ACLS : LOOKS;
}

static enum rc on_slot(struct zk_sink *k, struct zk_slot *x, const struct zk_event *ev,
                       struct err *e)
{
    k->open[kind_of(&x->item)]--;
    if (ev->err.rc == RC_OK)
        return answered(k, x, ev, ev->result, 1, e);
    lost(k, x);
    return RC_OK;
}

/* An answer that decides nothing here moves it, too. */
static void note_zxid(struct zk_sink *k, const struct zk_event *ev)
{
    if (ev->kind == ZK_LOST || ev->err.rc != RC_OK)
        k->dest.before_zxid = 0;
    else if (ev->kind != ZK_CHANGED)
        k->dest.before_zxid = ev->zxid;
}

static enum rc on_event(struct zk_sink *k, const struct zk_event *ev, struct err *e)
{
    uint32_t number = (uint32_t)ev->tag;
    if (zk_scans_offer(&k->scans, ev) || ev->kind == ZK_CHANGED)
        return RC_OK;
    if (ev->kind == ZK_LOST)
        zk_made_clear(k->made); /* somebody else may have been there */
    if (ev->kind != ZK_ANSWER)
        return zk_link_event(&k->link, ev, &k->env, e);
    switch ((enum tag)(ev->tag >> 32)) {
    case TAG_LINK:
        return zk_link_event(&k->link, ev, &k->env, e);
    case TAG_SLOT:
        k->apart = false;
        return on_slot(k, &k->slots.all[number], ev, e);
    case TAG_BATCH:
        k->apart = false;
        return on_batch(k, &k->batches[number], ev, e);
    }
    return RC_OK;
}

/* ---- Requests ---- */

static uint32_t all_open(const struct zk_sink *k)
{
    return k->open[WRITES] + k->open[LOOKS] + k->open[ACLS];
}

/* What is not full waits for the answers to its like: so the slower the ensemble, the larger batches get. */
static bool is_worth(const struct zk_sink *k, const struct zk_list *l, enum kind kind)
{
    if (!l->first || k->apart || all_open(k) >= OPEN_MOST)
        return false;
    if (l->first->lost >= LOST_APART)
        return all_open(k) == 0;
    return k->open[kind] == 0 ||
           (k->batched[kind] < BATCHES / 2 && (l->n >= FULL || zk_batch_is_alone(l->first)));
}

static struct zk_batch *free_batch(struct zk_sink *k)
{
    struct zk_batch *b = k->batches;
    while (b->open)
        b++; /* of the two kinds at most half are open each */
    return b;
}

static void hold_large(struct zk_sink *k, struct zk_slot *x, const struct err *why)
{
    zk_slots_move(&k->slots, x, ZK_SLOT_RUNNING, false);
    zk_item_hold(&x->item, "too-large", why->msg);
    route(k, x);
}

static enum rc send_batch(struct zk_sink *k, struct zk_batch *b, size_t n, bool reading,
                          struct err *e)
{
    bool single = b->n == 1 && n == 1;
    struct zk_call multi = {
        .op = reading ? ZK_MULTI_READ : ZK_MULTI, .parts = k->calls, .n_parts = n};
    uint64_t tag = single ? TAG(TAG_SLOT, (uint64_t)(b->slots[0] - k->slots.all))
                          : TAG(TAG_BATCH, (uint64_t)(b - k->batches));
    struct err why = ERR_INIT;
    enum rc rc = zk_call(k->zk, single ? k->calls : &multi, tag, &why);
    if (rc == RC_LIMIT && b->n == 1) {
        hold_large(k, b->slots[0], &why);
        return RC_OK;
    }
    if (rc != RC_OK) {
        if (rc < 0)
            *e = why;
        return rc;
    }
    k->apart = b->slots[0]->lost >= LOST_APART;
    b->open = !single;
    b->reading = reading;
    k->open[reading ? LOOKS : WRITES]++;
    k->batched[reading ? LOOKS : WRITES] += !single;
    for (uint32_t i = 0; i < b->n; i++)
        zk_slots_move(&k->slots, b->slots[i], ZK_SLOT_RUNNING, false);
    return RC_OK;
}

/* RC_OK: something was sent; RC_AGAIN: there is nothing to send now. */
static enum rc send_some(struct zk_sink *k, enum zk_state state, struct err *e)
{
    bool reading = state == ZK_SLOT_LOOK;
    size_t n;
    if (!is_worth(k, list(k, state), reading ? LOOKS : WRITES))
        return RC_AGAIN;
    struct zk_batch *b = free_batch(k);
    enum rc rc = zk_batch_fill(b, list(k, state), &k->dest, k->calls, &n, e);
    return rc == RC_OK ? send_batch(k, b, n, reading, e) : rc;
}

/* There is no request for the ACLs of many nodes. */
static enum rc send_acl(struct zk_sink *k, struct err *e)
{
    struct zk_slot *x = list(k, ZK_SLOT_ACL)->first;
    struct zk_call c;
    if (!x || k->apart || all_open(k) >= OPEN_MOST)
        return RC_AGAIN;
    zk_item_look(&x->item, &c);
    enum rc rc = zk_call(k->zk, &c, TAG(TAG_SLOT, (uint64_t)(x - k->slots.all)), e);
    if (rc != RC_OK)
        return rc;
    k->open[ACLS]++;
    zk_slots_move(&k->slots, x, ZK_SLOT_RUNNING, false);
    return RC_OK;
}

/* ---- Waiting ---- */

/* A child of it is on its way. */
static bool has_child(const struct zk_sink *k, const struct zk_slot *x)
{
    for (uint32_t i = 0; i < k->slots.n; i++) {
        const struct zk_slot *y = &k->slots.all[i];
        if (y->path.n && !is_ended(y) && slice_eq(znode_parent(y->path), x->path))
            return true;
    }
    return false;
}

/* No child of it is to come any more that it counts. A node that is new, or has other data, may be told before its
 * children. */
static bool is_settled(const struct zk_sink *k, const struct zk_slot *x)
{
    const struct zk_item *it = &x->item;
    bool early = it->item.record.n == 0 || it->has_new_data;
    return (it->item.settled == SETTLED_ALL || (it->item.settled == SETTLED_BEFORE && !early)) &&
           !has_child(k, x);
}

/* The pump gives it again, and knows more then. */
static bool has_waited(const struct zk_sink *k, const struct zk_slot *x, int64_t quiet_ns)
{
    int64_t last = k->created_ns > x->since_ns ? k->created_ns : x->since_ns;
    return now_ns(k) - last >= quiet_ns || now_ns(k) - x->since_ns >= WAIT_NS;
}

static void look_after(struct zk_sink *k, struct zk_slot *x)
{
    bool put = x->item.item.op == SINK_PUT;
    bool crowded = list(k, ZK_SLOT_WAITING)->n > k->slots.n / 2;
    if (put && is_settled(k, x))
        zk_item_settle(&x->item);
    else if (crowded || has_waited(k, x, put ? CHILDREN_NS : EMPTIED_NS))
        zk_item_stop_waiting(&x->item);
    route(k, x);
}

static void look_after_all(struct zk_sink *k)
{
    int64_t now = now_ns(k);
    struct zk_slot *next;
    k->due_ns = INT64_MAX;
    for (struct zk_slot *x = list(k, ZK_SLOT_PAUSED)->first; x; x = next) {
        next = x->next;
        if (x->due_ns <= now) {
            x->item.wants = ZK_WANTS_LOOK;
            route(k, x);
        } else if (x->due_ns < k->due_ns) {
            k->due_ns = x->due_ns;
        }
    }
    for (struct zk_slot *x = list(k, ZK_SLOT_WAITING)->first; x; x = next) {
        next = x->next;
        if (x->due_ns <= now)
            look_after(k, x);
        else if (x->due_ns < k->due_ns)
            k->due_ns = x->due_ns;
    }
}

/* ---- The rest of the interface ---- */

static enum rc send_next(struct zk_sink *k, int64_t *ret_wake_ns, struct err *e)
{
    static const enum zk_state order[] = {ZK_SLOT_WRITE, ZK_SLOT_LOOK};
    enum rc rc = zk_link_ask(&k->link, k->zk, TAG(TAG_LINK, 0), &k->env, ret_wake_ns, e);
    k->scans.up = zk_link_is_up(&k->link);
    if (rc != RC_AGAIN || !k->scans.up)
        return rc;
    if (now_ns(k) >= k->due_ns)
        look_after_all(k);
    rc = send_acl(k, e);
    for (size_t i = 0; rc == RC_AGAIN && i < sizeof order / sizeof *order; i++)
        rc = send_some(k, order[i], e);
    if (rc == RC_AGAIN)
        rc = zk_scans_step(&k->scans);
    *ret_wake_ns = list(k, ZK_SLOT_FINISHED)->first ? now_ns(k) : k->due_ns;
    return rc;
}

static enum rc sink_step_once(struct sink *s, int64_t *ret_wake_ns, struct err *e)
{
    struct zk_sink *k = of(s);
    struct zk_event ev;
    release_taken(k);
    enum rc rc = zk_take(k->zk, &ev, e);
    if (rc == RC_OK) {
        rc = on_event(k, &ev, e);
        note_zxid(k, &ev);
        return rc;
    }
    int64_t wake = INT64_MAX;
    if (rc == RC_AGAIN)
        rc = send_next(k, &wake, e);
    if (rc == RC_AGAIN)
        *ret_wake_ns = wake;
    return rc;
}

/* The scope is the tree's root node. */
static enum rc sink_scan_scope(struct sink *s, struct slice scope, struct slice api_version,
                               struct event_iter **ret, struct err *e)
{
    struct zk_sink *k = of(s);
    (void)api_version;
    if (!znode_is_path(scope, NULL) || !znode_is_within(scope, k->dest.root))
        return err_set(e, RC_INVALID, ERR_FINAL, "%.*s is no node below rootPath",
                       SLICE_ARG(scope));
    return zk_scan_open(&k->scans, scope, ret, e);
}

static bool sink_recognises_record(struct sink *s, struct slice record, const struct event *found)
{
    struct zk_record r;
    struct err ignored = ERR_INIT;
    return found && zk_record_decode(record, &r, &ignored) == RC_OK &&
           zk_scan_is_as(&r, found, of(s)->dest.acl);
}

static void sink_get_status(struct sink *s, struct sink_status *ret)
{
    const struct zk_sink *k = of(s);
    const struct zk_link *l = &k->link;
    *ret = (struct sink_status){.connected = zk_link_is_up(l), .fatal = l->fatal};
    snprintf(ret->error, sizeof ret->error, "%s", ret->connected ? k->trouble : l->error);
    snprintf(ret->identity, sizeof ret->identity, "%s", l->identity);
}

static enum rc sink_wait_for(struct sink *s, int wake_fd, int64_t timeout_ns, struct err *e)
{
    return zk_wait(of(s)->zk, wake_fd, timeout_ns, e);
}

static void sink_end(struct sink *s)
{
    struct zk_sink *k = of(s);
    zk_scans_done(&k->scans);
    zk_slots_done(&k->slots);
    zk_made_free(k->made);
    zk_link_done(&k->link);
    sha256_free(k->dest.sha);
    buf_done(&k->texts);
    buf_done(&k->record);
    buf_done(&k->dependency);
    zk_close(k->zk);
    free(k);
}

static const struct sink_ops zk_sink_ops = {
    .name = "zookeeper",
    .submit = sink_submit_item,
    .step = sink_step_once,
    .take = sink_take_result,
    .scan = sink_scan_scope,
    .recognises = sink_recognises_record,
    .status = sink_get_status,
    .wait = sink_wait_for,
    .close = sink_end,
};

/* ---- Opening ---- */

/* root, then our id, then the Database's name. */
static enum rc copy_texts(struct zk_sink *k, const struct zk_sink_opts *opts, struct err *e)
{
    size_t id, name;
    buf_add_slice(&k->texts, opts->root);
    buf_add_char(&k->texts, '\0');
    id = k->texts.n;
    if (opts->user)
        zk_acl_digest_id(opts->user, opts->password ? opts->password : "", &k->texts);
    buf_add_char(&k->texts, '\0');
    name = k->texts.n;
    buf_add_str(&k->texts, opts->name ? opts->name : "");
    enum rc rc = buf_check(&k->texts, "the names of a ZooKeeper sink", e);
    if (rc != RC_OK)
        return rc;
    k->dest.root = slice_of(k->texts.p, opts->root.n);
    k->dest.me.digest = slice_str(k->texts.p + id);
    zk_link_init(&k->link, &k->dest, k->texts.p + name, opts->create_root);
    return RC_OK;
}

static enum rc init(struct zk_sink *k, const struct zk_sink_opts *opts, struct err *e)
{
    uint32_t window = opts->window ? opts->window : WINDOW_DEFAULT;
    const char *why = "";
    if (!znode_is_path(opts->root, &why))
        return err_set(e, RC_INVALID, ERR_FINAL, "rootPath %.*s %s; it is to be as /a/b, or /",
                       SLICE_ARG(opts->root), why);
    if (window > WINDOW_MAX)
        return err_set(e, RC_INVALID, ERR_FINAL, "a window of %u; at most %u are allowed", window,
                       WINDOW_MAX);
    k->dest.acl = opts->acl;
    k->dest.diag = k->env.diag;
    k->dest.sha = sha256_new();
    k->made = zk_made_new();
    k->created_ns = now_ns(k);
    k->due_ns = INT64_MAX;
    if (!k->dest.sha || !k->made)
        return err_nomem(e);
    enum rc rc = copy_texts(k, opts, e);
    return rc == RC_OK ? zk_slots_init(&k->slots, window, e) : rc;
}

enum rc zk_sink_open(const struct zk_sink_opts *opts, const struct env *env, struct sink **ret,
                     struct err *e)
{
    struct zk_sink *k = calloc(1, sizeof *k);
    if (!k) {
        zk_close(opts->zk);
        return err_nomem(e);
    }
    k->sink.ops = &zk_sink_ops;
    k->zk = k->scans.zk = opts->zk;
    k->env = *env;
    buf_init(&k->texts, TEXTS_MAX);
    buf_init(&k->record, ZK_RECORD_MAX);
    buf_init(&k->dependency, ZNODE_PATH_MAX);
    enum rc rc = init(k, opts, e);
    if (rc == RC_OK)
        *ret = &k->sink;
    else
        sink_end(&k->sink);
    return rc;
}
