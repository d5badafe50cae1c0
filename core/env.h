/* What a component gets of the outside world. Nothing below cli/ asks the operating system for these itself,
 * so that the simulation can own time, chance and every message. All four are borrowed for the component's
 * life. */
#ifndef RESILOG_CORE_ENV_H
#define RESILOG_CORE_ENV_H

struct clock;
struct rng;
struct diag;
struct meter;

struct env {
    struct clock *clock;
    struct rng *rng;
    struct diag *diag;
    struct meter *meter;
};

#endif
