/* A clock that moves only when told. For one thread. */
#include "tests/fakes/fake_clock.h"

#include <assert.h>

static int64_t fake_wall(struct clock *c)
{
    return ((struct fake_clock *)c)->wall_ns;
}

static int64_t fake_boot(struct clock *c)
{
    return ((struct fake_clock *)c)->boot_ns;
}

void fake_clock_init(struct fake_clock *c, int64_t wall_ns)
{
    static const struct clock_ops ops = {.wall_ns = fake_wall, .boot_ns = fake_boot};
    *c = (struct fake_clock){.clock = {.ops = &ops}, .wall_ns = wall_ns, .boot_ns = NS_PER_S};
}

void fake_clock_advance(struct fake_clock *c, int64_t ns)
{
    assert(ns >= 0);
    c->wall_ns += ns;
    c->boot_ns += ns;
}

void fake_clock_set_wall(struct fake_clock *c, int64_t wall_ns)
{
    c->wall_ns = wall_ns;
}
