/* The phases of a run, in their order. */
#include "controller/turn.h"

void turn_begin(struct turn *t, int64_t now_ns)
{
    *t = (struct turn){.phase = TURN_BEGINNING, .progress_ns = now_ns, .connected_ns = now_ns};
}

/* What waits and is tried again now and then is no progress, nor is what the source tells behind the target. */
static bool moved(const struct turn *t, const struct pump_status *now)
{
    const struct pump_status *last = &t->last;
    bool behind = t->phase < TURN_APPLYING || last->decided < t->target;
    return (behind && last->decided != now->decided) || last->held != now->held ||
           last->waiting != now->waiting || last->compared_ns != now->compared_ns;
}

/* Everything up to the target was decided, and what waits has waited long enough. */
static bool is_quiet(const struct turn *t, const struct turn_input *in)
{
    const struct pump_status *p = in->pump;
    bool stuck = in->now_ns - t->progress_ns >= TURN_PATIENCE_NS;
    return p->decided >= t->target && !p->catching_up && p->in_flight == 0 &&
           (p->waiting == 0 || stuck);
}

static bool is_compared(const struct turn *t, const struct turn_input *in)
{
    return in->pump->began_anew || in->pump->compared_ns != t->compared_ns;
}

/* One phase further, if it is over. */
static enum turn_want advance(struct turn *t, const struct turn_input *in)
{
    switch (t->phase) {
    case TURN_BEGINNING:
        t->compared_ns = in->pump->compared_ns;
        t->phase = TURN_LISTING;
        return in->pump->began_anew ? TURN_GO_ON : TURN_LOOK;
    case TURN_LISTING:
        if (!in->listed)
            return TURN_GO_ON;
        t->target = in->listed_to;
        t->phase = TURN_APPLYING;
        return in->pump->began_anew ? TURN_GO_ON : TURN_COMPARE;
    case TURN_APPLYING:
        if (!is_quiet(t, in) || !is_compared(t, in))
            return TURN_GO_ON;
        t->phase = TURN_OVER;
        return TURN_DONE;
    case TURN_OVER:
        break;
    }
    return TURN_DONE;
}

enum turn_want turn_step(struct turn *t, const struct turn_input *in)
{
    if (moved(t, in->pump))
        t->progress_ns = in->now_ns;
    t->last = *in->pump;
    if (in->connected)
        t->connected_ns = in->now_ns;
    if (t->phase != TURN_OVER && in->now_ns - t->connected_ns >= TURN_PATIENCE_NS) {
        t->cut_off = true;
        t->phase = TURN_OVER;
    }
    enum turn_phase before;
    enum turn_want want;
    do {
        before = t->phase;
        want = advance(t, in);
    } while (want == TURN_GO_ON && t->phase != before);
    return want;
}

bool turn_succeeded(const struct turn *t)
{
    const struct pump_status *p = &t->last;
    return t->phase == TURN_OVER && !t->cut_off && p->held == 0 && p->waiting == 0 &&
           p->prune_held == 0 && p->uncompared == 0;
}
