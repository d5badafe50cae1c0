/* The log in LMDB, with segments so small that every test crosses many of them. */
#include "tests/conformance/rlog_suite_priv.h"
#include "tests/conformance/temp_dir.h"

#include <stdio.h>

struct place {
    char *root; /* the temporary folder */
    const struct env *env;
    uint32_t segment_events;
};

static struct place *make_place(const struct env *env, uint32_t segment_events)
{
    struct place *p = calloc(1, sizeof(*p));
    assert_non_null(p);
    p->root = temp_dir_new();
    p->env = env;
    p->segment_events = segment_events;
    return p;
}

static void *make_small(const struct env *env)
{
    return make_place(env, 16);
}

static void *make_large(const struct env *env)
{
    return make_place(env, 0);
}

static enum rc open_lmdb(void *place, enum rlog_access access, struct rlog **ret, struct err *e)
{
    const struct place *p = place;
    char dir[256];
    snprintf(dir, sizeof(dir), "%s/log", p->root);
    const struct rlog_lmdb_opts opts = {.dir = dir,
                                        .name = SLICE("default/asset"),
                                        .access = access,
                                        .segment_events = p->segment_events};
    return rlog_lmdb_open(&opts, p->env, ret, e);
}

/* What a killed process leaves: the files as they are while it still has them open. */
static void crash(void *place, struct rlog *writer)
{
    struct place *p = place;
    char *copy = temp_dir_copy(p->root);
    rlog_close(writer);
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
    struct rlog_backend lmdb = {.name = "rlog lmdb, small segments",
                                .make = make_small,
                                .open = open_lmdb,
                                .crash = crash,
                                .destroy = destroy,
                                .trim_events = 64};
    int failed = rlog_suite_run(&lmdb);
    lmdb.name = "rlog lmdb, one segment";
    lmdb.make = make_large;
    lmdb.trim_events = 0;
    return failed + rlog_suite_run(&lmdb);
}
