/* Keys that could not be applied: when they are tried again. Of all that wait for the same dependency one asks, once a
 * second, and all of them go when it got through; so a thousand objects of a missing namespace cost the destination
 * little. One thread. */
#include "flow/pump_prune.h"

#include "core/backoff.h"
#include "core/clock.h"
#include "core/diag.h"
#include "flow/hold_order.h"

#include <stdio.h>

#define RETRY_HELD_FIRST_NS (5 * NS_PER_S)
#define RETRY_HELD_MAX_NS   (600 * NS_PER_S)
#define RETRY_WAIT_FIRST_NS (500 * NS_PER_MS)
#define RETRY_WAIT_MAX_NS   (10 * NS_PER_S)
#define RETRY_ROUND_NS      (100 * NS_PER_MS) /* holds are looked through as often at most */
#define ASK_EVERY_NS        NS_PER_S          /* about one dependency */

static void say_hold(struct pump *p, struct slice key, const struct hold *h)
{
    bool prune = hold_is_prune(h); /* these are reported together */
    const struct diag_field why[] = {DIAG_S("class", slice_str(h->cls)),
                                     DIAG_S("reason", slice_str(h->reason))};
    const struct flow_line line = {
        .level = prune || h->waiting ? DIAG_DEBUG : DIAG_WARN,
        .msg = h->waiting ? "object waits for a dependency" : "object held",
        .more = why,
        .n_more = 2,
    };
    pump_say(p, key, h->offset, &line);
}

enum rc pump_hold(struct pump *p, struct slice key, rlog_off offset, const struct hold_reason *why,
                  struct err *e)
{
    const struct hold *before = rows_hold(p->rows, key);
    bool same = before && before->offset == offset;
    bool ordered = same && before->ordered; /* after what is answered now was sent */
    struct hold h = {.offset = offset,
                     .skipped = same && before->skipped,
                     /* not carried out yet */
                     .adopt = same && before->adopt && (why->waiting || ordered),
                     .waiting = why->waiting,
                     .attempts = same ? before->attempts + 1 : 1,
                     .awaited = same ? before->awaited : 0,
                     .since_ns = before ? before->since_ns : clock_wall_ns(p->env.clock)};
    h.awaited += strcmp(why->cls, HOLD_OPPOSITE) == 0;
    snprintf(h.cls, sizeof h.cls, "%s", why->cls);
    snprintf(h.reason, sizeof h.reason, "%s", why->reason);
    if (why->dependency.n < sizeof h.dependency) /* a part of a key is another key */
        snprintf(h.dependency, sizeof h.dependency, "%.*s", SLICE_ARG(why->dependency));
    struct backoff wait = {.first_ns = h.waiting ? RETRY_WAIT_FIRST_NS : RETRY_HELD_FIRST_NS,
                           .max_ns = h.waiting ? RETRY_WAIT_MAX_NS : RETRY_HELD_MAX_NS,
                           .attempts = h.attempts - 1};
    int64_t delay = backoff_next_ns(&wait, p->env.rng);
    if (why->retry_after_ns > delay)
        delay = why->retry_after_ns;
    if (ordered)
        delay = 0;
    bool by_itself = !hold_is_prune(&h) && !h.skipped;
    h.due_ns = by_itself ? clock_boot_ns(p->env.clock) + delay : INT64_MAX;
    h.next_ns = by_itself ? clock_wall_ns(p->env.clock) + delay : INT64_MAX;
    if (h.due_ns < p->hold_due_ns)
        p->hold_due_ns = h.due_ns;
    if (!h.waiting && !h.skipped)
        snprintf(p->error, sizeof p->error, "%.*s: %s: %.200s", (int)(key.n < 160 ? key.n : 160),
                 key.p, h.cls, h.reason);
    say_hold(p, key, &h);
    return rows_set_hold(p->rows, key, &h, e);
}

void pump_release(struct pump *p, struct slice dependency)
{
    if (!rows_asked(p->rows, dependency))
        return;
    struct slice key = SLICE_NULL;
    struct hold *h;
    while (rows_next_hold(p->rows, key, &key, &h)) {
        if (!slice_eq(slice_str(h->dependency), dependency))
            continue;
        h->released = true;
        p->hold_due_ns = 0;
    }
}

/* When the hold may be tried: 0: now; INT64_MAX: not before something else happens. */
static int64_t due_of(const struct pump *p, const struct hold *h, int64_t now)
{
    if (h->flying || h->skipped)
        return INT64_MAX;
    if (hold_is_prune(h))
        return pump_may_prune(p) ? 0 : INT64_MAX;
    if (h->released)
        return 0;
    const int64_t *asked = rows_asked(p->rows, slice_str(h->dependency));
    int64_t next = asked ? *asked + ASK_EVERY_NS : 0;
    int64_t due = h->due_ns > next ? h->due_ns : next;
    return due > now ? due : 0;
}

static enum rc try_again(struct pump *p, struct slice key, struct hold *h, int64_t now,
                         struct err *e)
{
    int64_t *asked = rows_asked(p->rows, slice_str(h->dependency));
    if (asked)
        *asked = now;
    h->flying = true;
    bool approved = hold_is_prune(h);
    return work_again(p->work, key, (struct again){.approved = approved, .leaving = approved}, e);
}

enum rc pump_retry_holds(struct pump *p, int64_t *ret_due_ns, struct err *e)
{
    int64_t now = clock_boot_ns(p->env.clock), next = INT64_MAX;
    bool any = false;
    struct slice key = SLICE_NULL;
    struct hold *h;
    if (now < p->hold_due_ns) {
        *ret_due_ns = p->hold_due_ns;
        return RC_AGAIN;
    }
    enum rc rc = RC_OK;
    while (rc == RC_OK && rows_next_hold(p->rows, key, &key, &h)) {
        int64_t due = due_of(p, h, now);
        next = due && due < next ? due : next;
        if (due)
            continue;
        rc = try_again(p, key, h, now, e);
        any = true;
    }
    if (rc < 0)
        return rc;
    p->hold_due_ns = *ret_due_ns = next < now + RETRY_ROUND_NS ? now + RETRY_ROUND_NS : next;
    return any ? RC_OK : RC_AGAIN;
}

/* ---- Orders ---- */

/* The latest problem is not one any more that a person dealt with. */
static void forget_problem(struct pump *p, struct slice key)
{
    if (slice_starts(slice_str(p->error), key) && p->error[key.n] == ':')
        p->error[0] = '\0';
}

static void say_order(struct pump *p, const struct hold_order *o)
{
    static const char *const msgs[] = {
        [HOLD_RETRY] = "held object is tried again by order",
        [HOLD_SKIP] = "held object was given up by order",
        [HOLD_ADOPT] = "the destination's object is adopted by order",
        [HOLD_LOOK] = "held object is tried again by order",
    };
    const struct hold *h = rows_hold(p->rows, o->key);
    if (!h)
        return;
    const struct diag_field why[] = {DIAG_S("class", slice_str(h->cls)),
                                     DIAG_S("reason", slice_str(h->reason))};
    const struct flow_line line = {
        .level = DIAG_INFO,
        .msg = msgs[o->act],
        .more = why,
        .n_more = 2,
    };
    pump_say(p, o->key, h->offset, &line);
}

enum rc pump_order(struct pump *p, const struct hold_order *o, size_t *ret_n, bool *ret_broken,
                   struct err *e)
{
    *ret_broken = false;
    enum rc rc = hold_order_rows(p->rows, o, ret_n, e);
    *ret_broken = rc == RC_NOMEM;
    if (rc < 0)
        return rc;
    say_order(p, o);
    if (o->act == HOLD_SKIP)
        forget_problem(p, o->key);
    p->hold_due_ns = 0;
    rc = pump_commit(p, SLICE_NULL, e);
    *ret_broken = rc < 0;
    return rc;
}
