/* The scenario that is run with faults: appends with rolling, upkeep and trim, and checkpoints; after a failure it
 * goes on as the contract says: again where the error is RETRY, else close and open. It tells each acknowledgement
 * through its standard output. Arguments: the folder. */
#include "core/env.h"
#include "core/rng.h"
#include "log/ckpt.h"
#include "log/rlog.h"
#include "tests/fakes/fake_clock.h"
#include "tests/faults/fault_place.h"

#include <dlfcn.h>
#include <inttypes.h>
#include <stdio.h>

#define ATTEMPTS 8
#define CONSUMER SLICE("ns/sync")

struct scenario {
    const char *dir;
    struct env env;
    struct rlog *log;
    struct ckpt *ckpt;
    rlog_off committed;
    int failures;
};

static void mark(uint32_t kind, uint64_t value)
{
    void (*fault_mark)(uint32_t, uint64_t) =
        (void (*)(uint32_t, uint64_t))dlsym(RTLD_DEFAULT, "fault_mark");
    if (fault_mark)
        fault_mark(kind, value);
    printf("%s %" PRIu64 "\n", kind == 1 ? "event" : "checkpoint", value);
    fflush(stdout);
}

/* True if the same call may be made again on the same handle. */
static bool again(struct scenario *s, enum rc rc, const struct err *e, const char *what)
{
    if (rc == RC_OK)
        return false;
    s->failures++;
    fprintf(stderr, "%s: %s\n", what, e->msg);
    return e->retry == ERR_RETRY;
}

static bool open_log(struct scenario *s)
{
    char dir[512];
    snprintf(dir, sizeof(dir), "%s/log", s->dir);
    const struct rlog_lmdb_opts opts = {.dir = dir,
                                        .name = SLICE("default/asset"),
                                        .access = RLOG_WRITE,
                                        .segment_bytes = 1u << 20,
                                        .segment_events = 8};
    for (int i = 0; i < ATTEMPTS && !s->log; i++) {
        struct err e = ERR_INIT;
        again(s, rlog_lmdb_open(&opts, &s->env, &s->log, &e), &e, "open");
    }
    return s->log != NULL;
}

static bool open_ckpt(struct scenario *s)
{
    char dir[512];
    snprintf(dir, sizeof(dir), "%s/consumers", s->dir);
    for (int i = 0; i < ATTEMPTS && !s->ckpt; i++) {
        struct err e = ERR_INIT;
        again(s, ckpt_lmdb_open(dir, CKPT_WRITE, &s->env, &s->ckpt, &e), &e, "open checkpoints");
    }
    return s->ckpt != NULL;
}

static void reopen_log(struct scenario *s)
{
    rlog_close(s->log);
    s->log = NULL;
    open_log(s);
}

static rlog_off next_of(struct scenario *s)
{
    struct rlog_bounds b = {0};
    struct err e = ERR_INIT;
    return s->log && rlog_bounds(s->log, &b, &e) == RC_OK ? b.next : 0;
}

/* One event more, whatever it takes. */
static void append(struct scenario *s)
{
    for (int i = 0; i < ATTEMPTS && s->log; i++) {
        char text[64];
        struct err e = ERR_INIT;
        rlog_off at = next_of(s);
        struct event ev = fault_event(at, text);
        enum rc rc = rlog_append(s->log, &ev, 1, at, NULL, &e);
        if (rc == RC_OK) {
            mark(1, at);
            return;
        }
        if (!again(s, rc, &e, "append"))
            reopen_log(s);
        if (next_of(s) > at)
            return; /* it is there although it was not acknowledged */
    }
}

static void maintain(struct scenario *s)
{
    for (int i = 0; i < ATTEMPTS && s->log; i++) {
        struct err e = ERR_INIT;
        enum rc rc = rlog_maintain(s->log, &e);
        if (rc == RC_AGAIN)
            return;
        if (rc < 0 && !again(s, rc, &e, "maintain"))
            reopen_log(s);
    }
}

/* As a crash while a segment was made. */
static void leave_litter(const struct scenario *s)
{
    char path[512];
    snprintf(path, sizeof(path), "%s/log/s-00000000000000000099.mdb.tmp", s->dir);
    FILE *f = fopen(path, "w");
    if (f)
        fclose(f);
}

static void trim(struct scenario *s)
{
    struct err e = ERR_INIT;
    if (s->log)
        again(s, rlog_trim(s->log, 9, &e), &e, "trim");
}

static void commit(struct scenario *s, rlog_off offset)
{
    for (int i = 0; i < ATTEMPTS && s->ckpt; i++) {
        char text[64];
        struct err e = ERR_INIT;
        struct event ev = fault_event(offset, text);
        const struct ckpt_row row = {CKPT_APPLIED, SLICE("last"), ev.body};
        const struct ckpt_commit what = {.head = {1, offset}, .rows = &row, .n_rows = 1};
        enum rc rc = ckpt_commit(s->ckpt, CONSUMER, &what, &e);
        if (rc == RC_OK) {
            s->committed = offset;
            mark(2, offset);
            return;
        }
        if (!again(s, rc, &e, "commit")) {
            ckpt_close(s->ckpt);
            s->ckpt = NULL;
            open_ckpt(s);
        }
    }
}

static void say_end(const struct scenario *s)
{
    int (*fault_fired)(void) = (int (*)(void))dlsym(RTLD_DEFAULT, "fault_fired");
    unsigned long (*fault_count)(const char *) =
        (unsigned long (*)(const char *))dlsym(RTLD_DEFAULT, "fault_count");
    for (size_t i = 0; fault_count && fault_calls[i]; i++)
        printf("count %zu %lu\n", i, fault_count(fault_calls[i]));
    if (fault_fired && fault_fired())
        printf("fired\n");
    if (s->log && s->ckpt)
        printf("finished\n");
    fflush(stdout);
}

int main(int argc, char **argv)
{
    if (argc != 2)
        return 2;
    struct fake_clock clock;
    struct rng_seeded rng;
    fake_clock_init(&clock, 1700000000 * NS_PER_S);
    rng_seeded_init(&rng, 3);
    struct scenario s = {.dir = argv[1], .env = {.clock = &clock.clock, .rng = &rng.rng}};
    open_log(&s);
    open_ckpt(&s);
    for (rlog_off next = next_of(&s); s.log && s.ckpt && next <= FAULT_EVENTS; next = next_of(&s)) {
        append(&s);
        fake_clock_advance(&clock, NS_PER_S);
        if (next % 3 == 0)
            commit(&s, next);
        if (next % 5 == 0)
            maintain(&s);
        if (next == FAULT_EVENTS - 2)
            trim(&s);
        if (next == 13) {
            leave_litter(&s);
            reopen_log(&s);
        }
    }
    say_end(&s);
    rlog_close(s.log);
    ckpt_close(s.ckpt);
    return 0;
}
