/* The log's clock, used by every back end. Keeps: how far the wall clock is believed to be ahead of
 * the boot clock, which only steps change (the kernel slews both alike), and the step that is in
 * doubt. Invariants: a told time is never below the last one; what was not appended changes nothing,
 * as the caller takes `next` over only afterwards. Threads: none of its own. */
#include "log/rlog_clock.h"

#include "core/event_codec.h"

#include <stdio.h>
#include <stdlib.h>

/* For the clock event, and for the writer's epoch in each event, which the given sizes do not know. */
#define ROOM_BYTES (64u << 10)

/* Of a clock event's body, as docs/FORMAT.md says. */
static const char *const reasons[] = {
    [RLOG_CLOCK_FORWARD] = "forward",
    [RLOG_CLOCK_BACKWARD] = "backward",
    [RLOG_CLOCK_BEHIND] = "behind-at-open",
};

struct rlog_clock_now rlog_clock_now(struct clock *clock, int64_t last_ns)
{
    return (struct rlog_clock_now){
        .wall_ns = clock_wall_ns(clock), .boot_ns = clock_boot_ns(clock), .last_ns = last_ns};
}

struct rlog_clock rlog_clock_start(const struct rlog_clock_now *now)
{
    return (struct rlog_clock){.ahead_ns = now->wall_ns - now->boot_ns,
                               .behind = now->wall_ns < now->last_ns};
}

static bool is_jump(int64_t from_ns, int64_t to_ns)
{
    int64_t by = to_ns - from_ns;
    return by > RLOG_CLOCK_JUMP_NS || by < -RLOG_CLOCK_JUMP_NS;
}

/* Takes a look over into what is believed, as far as it is. */
static enum rlog_clock_news look(struct rlog_clock *c, const struct rlog_clock_now *now, bool room)
{
    int64_t ahead = now->wall_ns - now->boot_ns;
    enum rlog_clock_news news = RLOG_CLOCK_NONE;
    if (is_jump(c->ahead_ns, ahead)) {
        if (!c->doubts || is_jump(c->doubted_ahead_ns, ahead)) {
            c->doubts = true;
            c->doubted_ahead_ns = ahead;
            c->doubted_since_ns = now->boot_ns;
        }
        if (!room || now->boot_ns - c->doubted_since_ns < RLOG_CLOCK_DOUBT_NS)
            return RLOG_CLOCK_NONE;
        news = ahead > c->ahead_ns ? RLOG_CLOCK_FORWARD : RLOG_CLOCK_BACKWARD;
    }
    c->ahead_ns = ahead;
    c->doubts = false;
    return news;
}

struct rlog_clock_told rlog_clock_tell(const struct rlog_clock *c, const struct rlog_clock_now *now,
                                       bool room)
{
    struct rlog_clock_told t = {.next = *c, .old_ns = now->boot_ns + c->ahead_ns};
    t.news = look(&t.next, now, room);
    int64_t believed = now->boot_ns + t.next.ahead_ns;
    bool stands = believed < now->last_ns;
    if (c->behind && stands && room && t.news == RLOG_CLOCK_NONE) {
        t.news = RLOG_CLOCK_BEHIND;
        t.old_ns = now->last_ns;
    }
    t.next.behind = c->behind && stands && t.news == RLOG_CLOCK_NONE;
    t.time_ns = stands ? now->last_ns : believed;
    return t;
}

/* ---- The batch ---- */

static bool has_room(const struct event *batch, size_t n)
{
    size_t bytes = ROOM_BYTES;
    for (size_t i = 0; i < n; i++)
        bytes += event_encoded_size(&batch[i]);
    return n < EVENT_BATCH_MAX && bytes <= EVENT_BATCH_BYTES_MAX;
}

/* Says whose source it is by the event behind it. */
static enum rc add_clock_event(struct rlog_stamped *s, const struct rlog_clock_told *t,
                               int64_t wall_ns, struct err *e)
{
    char old[TIME_TEXT_MAX], now[TIME_TEXT_MAX];
    s->events = malloc((s->n + 1) * sizeof(struct event));
    if (!s->events)
        return err_nomem(e);
    snprintf(s->body, sizeof(s->body), "{\"reason\":\"%s\",\"old\":\"%s\",\"new\":\"%s\"}",
             reasons[t->news], time_text(t->old_ns, old), time_text(wall_ns, now));
    s->events[0] = (struct event){.incarnation = s->batch[0].incarnation,
                                  .wall_ns = wall_ns,
                                  .op = EVENT_CLOCK,
                                  .cause = CAUSE_SELF,
                                  .source_kind = s->batch[0].source_kind,
                                  .source = s->batch[0].source,
                                  .key = SLICE(RLOG_CLOCK_KEY),
                                  .body = slice_str(s->body)};
    memcpy(s->events + 1, s->batch, s->n * sizeof(struct event));
    s->batch = s->events;
    s->own = 1;
    s->n++;
    return RC_OK;
}

enum rc rlog_clock_stamp(const struct rlog_clock *c, const struct rlog_clock_now *now,
                         const struct event *batch, size_t n, struct rlog_stamped *ret,
                         struct err *e)
{
    struct rlog_clock_told t = rlog_clock_tell(c, now, /* room= */ true);
    if (t.news != RLOG_CLOCK_NONE && !has_room(batch, n))
        t = rlog_clock_tell(c, now, /* room= */ false);
    *ret = (struct rlog_stamped){.batch = batch, .n = n, .time_ns = t.time_ns, .next = t.next};
    return t.news == RLOG_CLOCK_NONE ? RC_OK : add_clock_event(ret, &t, now->wall_ns, e);
}

void rlog_stamped_done(struct rlog_stamped *s)
{
    free(s->events);
    s->events = NULL;
}
