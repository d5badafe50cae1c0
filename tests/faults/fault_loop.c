/* Fails the n-th call of each kind, n = 1, 2, ... until the scenario passes clean: what was acknowledged is there
 * each time, nothing was wrong in between, the log opens again, and the scenario reaches its end. Arguments:
 * libfault.so and the scenario. Prints how often each call was made and failed; one that was never made proves
 * nothing. */
#include "tests/faults/fault_place.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define CALLS_MAX 200 /* of a call that is made more often, this many are failed, evenly spread */

static const struct {
    const char *call;
    const char *kinds[4];
} plans[] = {
    {"pwrite", {"EIO", "SHORT", "FULL"}},
    {"writev", {"EIO", "SHORT", "FULL"}},
    {"write", {"EIO", "SHORT", "FULL"}},
    {"fallocate", {"EIO", "ENOSPC", "FULL"}},
    {"fdatasync", {"EIO", "ENOSPC"}},
    {"fsync", {"EIO", "ENOSPC"}},
    {"ftruncate", {"EIO", "ENOSPC"}},
    {"open", {"EIO", "EMFILE"}},
    {"mkdir", {"EIO", "ENOSPC"}},
    {"rename", {"EIO", "ENOSPC"}},
    {"unlink", {"EIO", "ENOSPC"}},
    {"unlinkat", {"EIO", "ENOSPC"}},
    {"pread", {"EIO"}},
    {"fstat", {"EIO"}},
    {"pwritev", {NULL}}, /* never made on these files; should that change, it must be failed, too */
};

/* -1: something was wrong. 1: the fault fired. 0: it did not. */
static int run_once(struct fault_run *run)
{
    char what[512];
    char *place = fault_place_new();
    run->dir = place;
    struct fault_told told = fault_run(run);
    const char *bad = told.wrong[0] ? told.wrong : fault_check(place, &told, what);
    if (!bad && !told.finished)
        bad = "the scenario did not come to its end";
    if (!bad && told.event < FAULT_EVENTS - 2)
        bad = "too few appends were acknowledged";
    if (bad)
        printf("FAILED: %s number %s fails with %s: %s\n", run->call, run->nth, run->kind, bad);
    fault_place_free(place);
    return bad ? -1 : told.fired;
}

/* Up to the first one that is made no more; of the `made` calls none may be missing. */
static bool fail_each(struct fault_run *run, unsigned long made, unsigned *failed)
{
    unsigned long stride = made / CALLS_MAX + 1;
    for (unsigned long n = 1;; n += stride) {
        char nth[24];
        snprintf(nth, sizeof(nth), "%lu", n);
        run->nth = nth;
        int fired = run_once(run);
        if (fired == 0 && n <= made)
            printf("FAILED: %s number %lu of %lu was not failed\n", run->call, n, made);
        if (fired <= 0)
            return fired == 0 && n > made;
        ++*failed;
    }
}

static bool count_calls(struct fault_run run, struct fault_told *ret)
{
    char *place = fault_place_new();
    run.dir = place;
    *ret = fault_run(&run);
    fault_place_free(place);
    return ret->finished && ret->event == FAULT_EVENTS && !ret->wrong[0];
}

static unsigned long made_of(const struct fault_told *told, const char *call)
{
    for (size_t i = 0; fault_calls[i]; i++) {
        if (strcmp(fault_calls[i], call) == 0)
            return told->counts[i];
    }
    return 0;
}

/* All kinds of one plan. False as well if the call was never made, or is made although it is listed as unused. */
static bool follow_plan(struct fault_run *run, unsigned long made, const char *const *kinds)
{
    unsigned failed = 0;
    bool ok = true, used = kinds[0] != NULL;
    for (size_t k = 0; ok && kinds[k]; k++) {
        run->kind = kinds[k];
        ok = fail_each(run, made, &failed);
    }
    printf("%-10s made %4lu times, failed %4u times\n", run->call, made, failed);
    if (ok && (made > 0) != used)
        printf("FAILED: %s %s\n", run->call,
               made ? "is made, and no plan fails it" : "was never made, which proves nothing");
    fflush(stdout);
    return ok && (made > 0) == used;
}

int main(int argc, char **argv)
{
    if (argc != 3)
        return 2;
    struct fault_run run = {.library = argv[1], .scenario = argv[2]};
    struct fault_told clean;
    bool ok = count_calls(run, &clean);
    if (!ok)
        printf("FAILED: the scenario does not pass without a fault: %s\n", clean.wrong);
    for (size_t i = 0; ok && i < sizeof(plans) / sizeof(plans[0]); i++) {
        run.call = plans[i].call;
        ok = follow_plan(&run, made_of(&clean, run.call), plans[i].kinds);
    }
    return ok ? 0 : 1;
}
