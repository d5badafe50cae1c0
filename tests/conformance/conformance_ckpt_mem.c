/* The reference model of the checkpoints. */
#include "tests/conformance/ckpt_suite.h"

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
    const struct ckpt_backend mem = {
        .name = "ckpt mem", .make = make, .open = open_mem, .crash = crash, .destroy = destroy};
    return ckpt_suite_run(&mem);
}
