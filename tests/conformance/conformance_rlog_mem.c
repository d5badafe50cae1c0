/* The reference model itself, alone and behind the tracing decorator. */
#include "tests/conformance/rlog_suite_priv.h"

struct place {
    struct rlog_mem_store *store;
    const struct env *env;
};

static void *make(const struct env *env)
{
    struct place *p = calloc(1, sizeof(*p));
    assert_non_null(p);
    p->env = env;
    p->store = rlog_mem_store_new();
    assert_non_null(p->store);
    return p;
}

static enum rc open_mem(void *place, enum rlog_access access, struct rlog **ret, struct err *e)
{
    struct place *p = place;
    return rlog_mem_open(p->store, access, p->env, ret, e);
}

static enum rc open_traced(void *place, enum rlog_access access, struct rlog **ret, struct err *e)
{
    struct rlog *inner = NULL;
    enum rc rc = open_mem(place, access, &inner, e);
    return rc == RC_OK ? rlog_trace_open(inner, ((struct place *)place)->env, ret, e) : rc;
}

/* A handle of the dead process must be good for nothing but closing. */
static void crash(void *place, struct rlog *writer)
{
    struct rlog_bounds b;
    struct err e = ERR_INIT;
    struct event ev = put_of("a");
    rlog_mem_crash(((struct place *)place)->store);
    assert_failed(rlog_append(writer, &ev, 1, RLOG_ANY, NULL, &e), RC_IO, ERR_FATAL, &e);
    assert_failed(rlog_bounds(writer, &b, &e), RC_IO, ERR_FATAL, &e);
    rlog_close(writer);
}

static void destroy(void *place)
{
    rlog_mem_store_free(((struct place *)place)->store);
    free(place);
}

int main(void)
{
    struct rlog_backend mem = {.name = "rlog mem",
                               .make = make,
                               .open = open_mem,
                               .crash = crash,
                               .destroy = destroy,
                               .takes_over = true,
                               .trim_events = 64};
    int failed = rlog_suite_run(&mem);
    mem.name = "rlog mem, traced";
    mem.open = open_traced;
    return failed + rlog_suite_run(&mem);
}
