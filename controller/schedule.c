/* The decision needs no history but the last time that was decided about: it is found again after a restart, too. */
#include "controller/schedule.h"

/* A clock that was further ahead than that was wrong: else the plan would be silent until then. A smaller step back runs
 * nothing twice. */
#define AHEAD_MAX_S 86400

/* The latest due time in (after, now]; false if there is none. However long that is, only its end is walked. */
static bool latest(const struct schedule *s, int64_t after_s, int64_t now_s, int64_t *ret)
{
    int64_t at;
    for (int64_t back = 60;; back *= 2) {
        bool all = now_s - back <= after_s;
        if (cron_next(&s->cron, s->zone, all ? after_s : now_s - back, &at) && at <= now_s)
            break;
        if (all)
            return false;
    }
    do
        *ret = at;
    while (cron_next(&s->cron, s->zone, *ret, &at) && at <= now_s);
    return true;
}

static int64_t next_after(const struct schedule *s, int64_t now_s)
{
    int64_t at;
    return cron_next(&s->cron, s->zone, now_s, &at) ? at : INT64_MAX;
}

enum schedule_act schedule_look(const struct schedule *s, int64_t now_s,
                                struct schedule_state *state, int64_t *ret_due_s,
                                int64_t *ret_next_s)
{
    int64_t due;
    *ret_next_s = next_after(s, now_s);
    if (state->last_s > now_s + AHEAD_MAX_S)
        state->last_s = now_s;
    if (s->suspend || !latest(s, state->last_s, now_s, &due))
        return SCHEDULE_WAIT;
    bool late = s->deadline_s >= 0 && now_s - due > s->deadline_s;
    if (state->running && !late && s->concurrency == CONCURRENCY_ALLOW)
        return SCHEDULE_WAIT;
    *ret_due_s = state->last_s = due;
    if (late)
        return SCHEDULE_MISSED;
    if (!state->running)
        return SCHEDULE_START;
    return s->concurrency == CONCURRENCY_FORBID ? SCHEDULE_SKIP : SCHEDULE_REPLACE;
}
