/* sim_live [SHARD SHARDS]: the simulation of the live path.
 *
 * Runs RESILOG_SIM_SEEDS seeds (default 1000), or of them each SHARDS-th; SEED=x runs that one alone, with
 * every line of its trace if RESILOG_SIM_TRACE=1. The runs happen in a child process, so that a run that dies
 * is named, too. A failing seed is run again for its last lines. */
#include "tests/sim/board.h"
#include "tests/sim/world.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#define SEEDS_DEFAULT 1000
#define SIGHTS_FROM   400 /* with fewer seeds a situation may well be missed */

static uint64_t number(const char *text, uint64_t otherwise)
{
    return text && *text ? strtoull(text, NULL, 10) : otherwise;
}

/* Runs seeds first, first + step, ... up to last in a child; true if all held. */
static bool run_seeds(struct board *b, uint64_t first, uint64_t last, uint64_t step)
{
    int status = 0;
    fflush(NULL);
    pid_t pid = fork();
    if (pid < 0) {
        perror("fork");
        exit(2);
    }
    if (pid == 0) {
        bool held = true;
        for (uint64_t seed = first; held && seed <= last; seed += step) {
            b->seed = seed;
            held = world_run(seed, b);
            b->done += held;
        }
        exit(held ? 0 : 1);
    }
    while (waitpid(pid, &status, 0) < 0 && errno == EINTR)
        ;
    if (status != 0 && !b->failed)
        snprintf(b->failure, sizeof b->failure, "the process died (status %d)", status);
    return status == 0;
}

static void explain(struct board *b, uint64_t seed, bool aloud)
{
    char first[sizeof b->failure];
    memcpy(first, b->failure, sizeof first);
    if (!aloud) {
        b->failed = false;
        b->trace = true;
        b->n_lines = 0;
        (void)run_seeds(b, seed, seed, 1);
    }
    fprintf(stderr, "FAILED: SEED=%llu: %s\n", (unsigned long long)seed, first);
    if (strcmp(first, b->failure) != 0)
        fprintf(stderr, "and when run again, which must not be: %s\n", b->failure);
    if (!aloud) {
        fprintf(stderr, "its last lines (all of them: SEED=%llu RESILOG_SIM_TRACE=1):\n",
                (unsigned long long)seed);
        board_print_lines(b);
    }
}

static bool print_sights(const struct board *b, bool all_needed)
{
    bool complete = true;
    printf("met:");
    for (int i = 0; i < SIGHTS; i++)
        printf(" %s %llu", sight_name((enum sight)i), (unsigned long long)b->sights[i]);
    printf("\n");
    for (int i = 0; all_needed && i < SIGHTS; i++) {
        if (b->sights[i])
            continue;
        printf("FAILED: no seed met %s: the simulation lost its reach\n",
               sight_name((enum sight)i));
        complete = false;
    }
    return complete;
}

int main(int argc, char **argv)
{
    const char *one = getenv("SEED");
    const char *trace = getenv("RESILOG_SIM_TRACE");
    uint64_t shard = number(argc > 2 ? argv[1] : NULL, 0);
    uint64_t shards = number(argc > 2 ? argv[2] : NULL, 1);
    uint64_t seeds = number(getenv("RESILOG_SIM_SEEDS"), SEEDS_DEFAULT);
    struct board *b =
        mmap(NULL, sizeof *b, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    if (b == MAP_FAILED || shards == 0 || shard >= shards) {
        fprintf(stderr, "usage: sim_live [SHARD SHARDS]\n");
        return 2;
    }
    b->trace = b->aloud = one && trace && *trace == '1';
    bool held = one ? run_seeds(b, number(one, 1), number(one, 1), 1)
                    : run_seeds(b, 1 + shard, seeds, shards);
    if (!held) {
        explain(b, b->seed, b->aloud);
        return 1;
    }
    printf("%llu seeds held\n", (unsigned long long)b->done);
    return print_sights(b, !one && b->done >= SIGHTS_FROM) ? 0 : 1;
}
