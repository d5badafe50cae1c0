/* Fails the n-th call of each kind, n = 1, 2, ... until the scenario passes clean: what was acknowledged is there
 * each time, the log opens again, and the scenario reaches its end. Arguments: libfault.so and the scenario. Prints
 * how often each call was made; a call that was never made proves nothing. */
#include "tests/faults/fault_place.h"

#include <stdio.h>
#include <stdlib.h>

#define NTH_MAX 2000

/* The last two of fault_calls: the log's files are never written so. Should that change, they must be failed, too. */
static bool is_unused(const char *call)
{
    return strcmp(call, "write") == 0 || strcmp(call, "pwritev") == 0;
}

static bool is_write(const char *call)
{
    return strcmp(call, "pwrite") == 0 || strcmp(call, "writev") == 0;
}

/* -1: something was wrong. 1: the fault fired. 0: it did not. */
static int run_once(struct fault_run *run)
{
    char what[512];
    char *place = fault_place_new();
    run->dir = place;
    struct fault_told told = fault_run(run);
    const char *bad = fault_check(place, &told, true, what);
    fault_place_free(place);
    if (!bad && !told.finished)
        bad = "the scenario did not come to its end";
    if (!bad && told.event < FAULT_EVENTS - 2)
        bad = "too few appends were acknowledged";
    if (bad)
        printf("FAILED: %s number %s fails with %s: %s\n", run->call, run->nth, run->kind, bad);
    return bad ? -1 : told.fired;
}

static bool fail_each(struct fault_run *run, unsigned *runs)
{
    for (unsigned n = 1; n < NTH_MAX; n++) {
        char nth[16];
        snprintf(nth, sizeof(nth), "%u", n);
        run->nth = nth;
        ++*runs;
        int fired = run_once(run);
        if (fired <= 0)
            return fired == 0;
    }
    return false;
}

static bool count_calls(struct fault_run run, struct fault_told *ret)
{
    char *place = fault_place_new();
    run.dir = place;
    *ret = fault_run(&run);
    fault_place_free(place);
    return ret->finished && ret->event == FAULT_EVENTS;
}

int main(int argc, char **argv)
{
    if (argc != 3)
        return 2;
    static const char *const kinds[] = {"EIO", "ENOSPC", "SHORT"};
    struct fault_run run = {.library = argv[1], .scenario = argv[2]};
    struct fault_told clean;
    bool ok = count_calls(run, &clean);
    if (!ok)
        printf("FAILED: the scenario does not pass without a fault\n");
    for (size_t i = 0; ok && fault_calls[i]; i++) {
        unsigned runs = 0;
        run.call = fault_calls[i];
        for (size_t k = 0; ok && !is_unused(run.call) && k < (is_write(run.call) ? 3 : 2); k++) {
            run.kind = kinds[k];
            ok = fail_each(&run, &runs);
        }
        printf("%-10s made %4lu times, failed in %u runs\n", fault_calls[i], clean.counts[i], runs);
        if (ok && (clean.counts[i] == 0) != is_unused(run.call)) {
            printf("FAILED: %s is listed wrongly as %s\n", run.call,
                   clean.counts[i] ? "unused" : "used");
            ok = false;
        }
        fflush(stdout);
    }
    return ok ? 0 : 1;
}
