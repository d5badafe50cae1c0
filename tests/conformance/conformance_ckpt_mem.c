/* The reference model of the checkpoints, alone and behind the tracing decorator. */
#include "tests/conformance/ckpt_suite.h"

#include "core/env.h"

#include <assert.h>

static void *make(void)
{
    void *place = ckpt_mem_store_new();
    assert(place);
    return place;
}

static enum rc open_mem(void *place, enum ckpt_access access, struct ckpt **ret, struct err *e)
{
    (void)access;
    return ckpt_mem_open(place, ret, e);
}

static enum rc open_traced(void *place, enum ckpt_access access, struct ckpt **ret, struct err *e)
{
    static const struct env quiet;
    struct ckpt *inner = NULL;
    enum rc rc = open_mem(place, access, &inner, e);
    return rc == RC_OK ? ckpt_trace_open(inner, &quiet, ret, e) : rc;
}

static void crash(void *place, struct ckpt *c)
{
    (void)place;
    ckpt_close(c);
}

static void destroy(void *place)
{
    ckpt_mem_store_free(place);
}

int main(void)
{
    struct ckpt_backend mem = {
        .name = "ckpt mem", .make = make, .open = open_mem, .crash = crash, .destroy = destroy};
    int failed = ckpt_suite_run(&mem);
    mem.name = "ckpt mem, traced";
    mem.open = open_traced;
    return failed + ckpt_suite_run(&mem);
}
