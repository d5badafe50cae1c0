/* The checkpoints in LMDB. */
#include "tests/conformance/ckpt_suite.h"
#include "tests/conformance/temp_dir.h"

#include "core/env.h"
#include "core/rng.h"
#include "tests/fakes/fake_clock.h"

#include <assert.h>
#include <stdio.h>

struct place {
    char *root; /* the temporary folder */
    struct fake_clock clock;
    struct rng_seeded rng;
    struct env env;
};

static void *make(void)
{
    struct place *p = calloc(1, sizeof(*p));
    assert(p);
    p->root = temp_dir_new();
    fake_clock_init(&p->clock, 1700000000 * NS_PER_S);
    rng_seeded_init(&p->rng, 1);
    p->env = (struct env){.clock = &p->clock.clock, .rng = &p->rng.rng};
    return p;
}

static enum rc open_lmdb(void *place, enum ckpt_access access, struct ckpt **ret, struct err *e)
{
    const struct place *p = place;
    char dir[256];
    snprintf(dir, sizeof(dir), "%s/consumers", p->root);
    return ckpt_lmdb_open(dir, access, &p->env, ret, e);
}

/* What a killed process leaves: the files as they are while it still has them open. */
static void crash(void *place, struct ckpt *c)
{
    struct place *p = place;
    char *copy = temp_dir_copy(p->root);
    ckpt_close(c);
    temp_dir_free(p->root);
    p->root = copy;
}

static void destroy(void *place)
{
    struct place *p = place;
    temp_dir_free(p->root);
    free(p);
}

int main(void)
{
    const struct ckpt_backend lmdb = {.name = "ckpt lmdb",
                                      .make = make,
                                      .open = open_lmdb,
                                      .crash = crash,
                                      .destroy = destroy,
                                      .has_access = true};
    return ckpt_suite_run(&lmdb);
}
