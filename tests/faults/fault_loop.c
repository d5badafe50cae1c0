/* Fails the n-th call of each kind, n = 1, 2, ... until the scenario passes clean: what was acknowledged is there
 * each time, nothing was wrong in between, the log opens again, and the scenario reaches its end. Arguments:
 * libfault.so and the scenario. Prints how often each call was made; a call that was never made proves nothing. */
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

static bool fail_each(struct fault_run *run, unsigned long made, unsigned *runs)
{
    unsigned long stride = made / CALLS_MAX + 1;
    for (unsigned long n = 1;; n += stride) {
        char nth[24];
        snprintf(nth, sizeof(nth), "%lu", n);
        run->nth = nth;
        ++*runs;
        int fired = run_once(run);
        if (fired <= 0)
            return fired == 0 && n + stride > made;
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
        unsigned runs = 0;
        run.call = plans[i].call;
        unsigned long made = made_of(&clean, run.call);
        for (size_t k = 0; ok && plans[i].kinds[k]; k++) {
            run.kind = plans[i].kinds[k];
            ok = fail_each(&run, made, &runs);
        }
        printf("%-10s made %4lu times, failed in %u runs\n", run.call, made, runs);
        if (ok && (made == 0) != (plans[i].kinds[0] == NULL)) {
            printf("FAILED: %s is listed wrongly as %s\n", run.call, made ? "unused" : "used");
            ok = false;
        }
        fflush(stdout);
    }
    return ok ? 0 : 1;
}
