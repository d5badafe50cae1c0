/* What `time` the log gives to events, for back ends: a state machine over the wall clock and the boot clock, and the
 * batch with the clock event that says where the two fell apart.
 *
 * `time` is the wall clock as far as it is believed, and never falls:
 * - A jump is a change of more than RLOG_CLOCK_JUMP_NS of the wall clock against the boot clock, forward or backward,
 *   since the last append. For RLOG_CLOCK_DOUBT_NS from the append that saw it first `time` goes on by the boot clock,
 *   as if nothing had happened, so a clock that was put right meanwhile leaves no trace. Then it is believed, and a
 *   clock event comes first in the append that believes it.
 * - After a jump backward, and where the wall clock lies before the last event at opening, `time` stands still until
 *   the wall clock has reached it. It does not go on by the boot clock: that would be wrong for ever, while this is
 *   wrong for as long as the clock was, and each event's `wall` is right. docs/adr/0009 says why it does not fall.
 * - A smaller change is believed at once and is no event; where it goes backward `time` stands still as well.
 * - A batch that leaves no room for the clock event believes nothing; the next one does.
 *
 * A new writer believes the wall clock that it finds at opening. Pure, except for rlog_clock_now. For the thread that
 * appends. */
#ifndef RESILOG_LOG_RLOG_CLOCK_H
#define RESILOG_LOG_RLOG_CLOCK_H

#include "core/clock.h"
#include "core/event.h"

#define RLOG_CLOCK_JUMP_NS  (300 * NS_PER_S)
#define RLOG_CLOCK_DOUBT_NS (60 * NS_PER_S)
#define RLOG_CLOCK_KEY      "@clock/log"

/* What a clock event reports. */
enum rlog_clock_news {
    RLOG_CLOCK_NONE,
    RLOG_CLOCK_FORWARD,
    RLOG_CLOCK_BACKWARD,
    RLOG_CLOCK_BEHIND /* at opening the wall clock lies before the last event */
};

/* What is believed of the clocks. Numbers are nanoseconds. */
struct rlog_clock {
    int64_t ahead_ns; /* of the wall clock against the boot clock */
    bool behind;      /* it lay before the last event at opening, which no event says yet */
    bool doubts;      /* there is a jump that is not believed yet: */
    int64_t doubted_ahead_ns;
    int64_t doubted_since_ns; /* boot clock */
};

/* One look at the clocks. Both are what a kernel gives: not negative, and far from the ends of 64 bits. */
struct rlog_clock_now {
    int64_t wall_ns, boot_ns;
    int64_t last_ns; /* time of the log's last event, 0 if there is none */
};

struct rlog_clock_told {
    struct rlog_clock next; /* believed once the batch with this time is durable */
    int64_t time_ns;        /* of the batch */
    enum rlog_clock_news news;
    int64_t old_ns; /* of news: what was held for the time until now */
};

/* A batch as the log appends it: the given one, with a clock event before it where one is due. It points into itself
 * and into the given events: it must not be copied, and they must live longer. */
struct rlog_stamped {
    const struct event *batch;
    size_t n;
    size_t own; /* how many of them come before the given ones: 0 or 1 */
    int64_t time_ns;
    struct rlog_clock next;
    struct event *events; /* owned, NULL without a clock event */
    char body[192];
};

/* Reads both clocks. */
struct rlog_clock_now rlog_clock_now(struct clock *clock, int64_t last_ns);
/* At opening for writing. */
struct rlog_clock rlog_clock_start(const struct rlog_clock_now *now);
/* The time of the next batch. With room false it tells no news and believes no jump. */
struct rlog_clock_told rlog_clock_tell(const struct rlog_clock *c, const struct rlog_clock_now *now,
                                       bool room);

/* Prepares a batch that passed the dispatcher's checks. Errors: NOMEM. */
MUST_CHECK enum rc rlog_clock_stamp(const struct rlog_clock *c, const struct rlog_clock_now *now,
                                    const struct event *batch, size_t n, struct rlog_stamped *ret,
                                    struct err *e);
/* Ends what rlog_clock_stamp prepared, or a zeroed one. */
void rlog_stamped_done(struct rlog_stamped *s);

#endif
