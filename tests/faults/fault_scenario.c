/* The scenario that is run with faults: appends with rolling, upkeep and trim, a reader beside them, and checkpoints
 * with a compaction; after a failure it goes on as the contracts say: again where the error is RETRY, else close and
 * open. It tells each acknowledgement through its standard output, and what it finds wrong. Arguments: the folder. */
#include "core/env.h"
#include "core/rng.h"
#include "core/scope.h"
#include "log/ckpt.h"
#include "log/rlog.h"
#include "tests/fakes/fake_clock.h"
#include "tests/faults/fault_place.h"

#include <dlfcn.h>
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#define ATTEMPTS    8
#define CONSUMER    SLICE("ns/sync")
#define LARGE_BYTES (1100u << 10) /* makes a file worth a compaction when it is free again */
#define TRIM_BELOW  11            /* two segments at once */

struct scenario {
    const char *dir;
    struct env env;
    struct rlog *log, *reader;
    struct ckpt *ckpt;
    char large[LARGE_BYTES];
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

static void say_wrong(const char *what, const struct err *e)
{
    printf("wrong %s: %.60s\n", what, e->msg);
    fflush(stdout);
}

/* True if the same call may be made again on the same handle. */
static bool again(enum rc rc, const struct err *e, const char *what)
{
    if (rc == RC_OK)
        return false;
    fprintf(stderr, "%s: %s\n", what, e->msg);
    return e->retry == ERR_RETRY;
}

/* ---- Handles ---- */

static bool open_handle(struct scenario *s, enum rlog_access access, struct rlog **ret)
{
    char dir[512];
    snprintf(dir, sizeof(dir), "%s/log", s->dir);
    const struct rlog_lmdb_opts opts = {.dir = dir,
                                        .name = SLICE("default/asset"),
                                        .access = access,
                                        .segment_bytes = 1u << 20,
                                        .segment_events = FAULT_SEGMENT};
    for (int i = 0; i < ATTEMPTS && !*ret; i++) {
        struct err e = ERR_INIT;
        again(rlog_lmdb_open(&opts, &s->env, ret, &e), &e, "open");
    }
    return *ret != NULL;
}

static bool open_ckpt(struct scenario *s)
{
    char dir[512];
    snprintf(dir, sizeof(dir), "%s/consumers", s->dir);
    for (int i = 0; i < ATTEMPTS && !s->ckpt; i++) {
        struct err e = ERR_INIT;
        again(ckpt_lmdb_open(dir, CKPT_WRITE, &s->env, &s->ckpt, &e), &e, "open checkpoints");
    }
    return s->ckpt != NULL;
}

static void reopen_log(struct scenario *s)
{
    rlog_close(s->log);
    s->log = NULL;
    open_handle(s, RLOG_WRITE, &s->log);
}

static void reopen_ckpt(struct scenario *s)
{
    ckpt_close(s->ckpt);
    s->ckpt = NULL;
    open_ckpt(s);
}

static rlog_off next_of(struct rlog *l)
{
    struct rlog_bounds b = {0};
    for (int i = 0; l && i < 2; i++) {
        struct err e = ERR_INIT;
        if (rlog_bounds(l, &b, &e) == RC_OK)
            return b.next;
    }
    return 0;
}

/* ---- The log ---- */

/* Only one call fails, so the second question must be answered, and no answer may be an old one. */
static void follow(struct scenario *s)
{
    if (!s->reader && !open_handle(s, RLOG_READ, &s->reader))
        return;
    struct rlog_bounds b = {0};
    struct err e = ERR_INIT;
    rlog_off next = next_of(s->log);
    if (rlog_bounds(s->reader, &b, &e) != RC_OK && rlog_bounds(s->reader, &b, &e) != RC_OK)
        say_wrong("a reader fails again and again", &e);
    else if (next && b.next != next)
        say_wrong("a reader sees another end", &e);
}

static void read_all(struct scenario *s)
{
    struct rlog_bounds b = {0};
    struct err e = ERR_INIT;
    const char *bad = "no handle";
    for (int i = 0; s->reader && bad && i < 2; i++) {
        e = (struct err)ERR_INIT;
        bad = rlog_bounds(s->reader, &b, &e) == RC_OK ? fault_read(s->reader, b.first, b.next, &e)
                                                      : "bounds failed";
    }
    if (bad)
        say_wrong(bad, &e);
}

/* ---- Handles that were told to stop ---- */

/* After any other failure nothing was under way, so that trying again may succeed. */
static bool device_fails(void)
{
    static const char *const calls[] = {"pwrite", "writev", "write", "fdatasync", "fsync"};
    const char *call = getenv("FAULT_CALL");
    for (size_t i = 0; call && i < sizeof(calls) / sizeof(calls[0]); i++) {
        if (strcmp(call, calls[i]) == 0)
            return true;
    }
    return false;
}

static void must_refuse(enum rc rc, const struct err *e, const char *what)
{
    if (device_fails() && (rc != RC_IO || e->retry != ERR_FATAL))
        say_wrong(what, e);
}

/* What was under way when the device failed is not tried again: every call that would write says so and changes
 * nothing, and the handle can still be asked and closed. */
static void use_dead_log(struct scenario *s, const struct err *first)
{
    char text[64];
    struct err e = ERR_INIT;
    if (first->rc != RC_IO || first->retry != ERR_FATAL)
        return;
    rlog_off next = next_of(s->log);
    struct event ev = fault_event(next, text);
    enum rc rc = rlog_append(s->log, &ev, 1, next, NULL, &e);
    must_refuse(rc, &e, "a dead log takes an event");
    if (rc == RC_OK)
        mark(1, next++);
    must_refuse(rlog_trim(s->log, TRIM_BELOW, &e), &e, "a dead log forgets events");
    must_refuse(rlog_maintain(s->log, &e), &e, "a dead log is maintained");
    struct rlog_bounds b = {0};
    if (rlog_bounds(s->log, &b, &e) != RC_OK || b.next != next)
        say_wrong("a dead log has another end", first);
    else if (fault_read(s->log, b.first, b.next, &e))
        say_wrong("a dead log cannot be read", &e);
}

static rlog_off checkpoint_of(struct ckpt *c)
{
    struct ckpt_head head = {0};
    struct err e = ERR_INIT;
    return ckpt_load(c, CONSUMER, &head, NULL, NULL, &e) == RC_OK ? head.offset : 0;
}

/* The same of checkpoints, once there are any: making their file begins anew with another one. */
static void use_dead_ckpt(struct scenario *s, const struct ckpt_commit *what,
                          const struct err *first)
{
    struct err e = ERR_INIT;
    if (first->rc != RC_IO || first->retry != ERR_FATAL)
        return;
    rlog_off before = checkpoint_of(s->ckpt);
    enum rc rc = ckpt_commit(s->ckpt, CONSUMER, what, &e);
    if (before > 0)
        must_refuse(rc, &e, "dead checkpoints take a commit");
    if (rc == RC_OK)
        mark(2, what->head.offset);
    else if (checkpoint_of(s->ckpt) != before)
        say_wrong("a dead checkpoint moved", first);
}

/* ---- The log: trim and append ---- */

/* Needs no room. */
static bool trim(struct scenario *s)
{
    for (int i = 0; i < ATTEMPTS && s->log; i++) {
        struct err e = ERR_INIT;
        enum rc rc = rlog_trim(s->log, TRIM_BELOW, &e);
        if (rc == RC_OK)
            return true;
        if (rc == RC_LIMIT && e.sys == ENOSPC && i > 0)
            say_wrong("trim needs room", &e);
        if (!again(rc, &e, "trim")) {
            use_dead_log(s, &e);
            reopen_log(s);
        }
    }
    return false;
}

static void remove_other_files(void)
{
    void (*fault_make_room)(void) = (void (*)(void))dlsym(RTLD_DEFAULT, "fault_make_room");
    if (fault_make_room)
        fault_make_room();
}

/* What a person does when there is no room: starts it anew, lets it forget old events, removes other files. */
static void make_room(struct scenario *s)
{
    struct err none = ERR_INIT;
    reopen_log(s);
    if (!s->log)
        say_wrong("no room, and the log does not open", &none);
    else
        trim(s);
    if (next_of(s->log) <= TRIM_BELOW)
        remove_other_files();
}

/* One event more, whatever it takes. */
static void append(struct scenario *s)
{
    for (int i = 0; i < ATTEMPTS && s->log; i++) {
        char text[64];
        struct err e = ERR_INIT;
        rlog_off at = next_of(s->log);
        struct event ev = fault_event(at, text);
        enum rc rc = rlog_append(s->log, &ev, 1, at, NULL, &e);
        if (rc == RC_OK) {
            mark(1, at);
            return;
        }
        if (!again(rc, &e, "append")) {
            use_dead_log(s, &e);
            reopen_log(s);
        } else if (i > 0)
            make_room(s);
        next_of(s->reader); /* the reader opens what is half made */
        if (next_of(s->log) > at)
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
        if (rc < 0 && !again(rc, &e, "maintain"))
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

/* ---- The checkpoint ---- */

/* The row that belongs to the head, one of this commit alone, and a large one or none. */
static void commit(struct scenario *s, rlog_off offset, struct slice large)
{
    for (int i = 0; i < ATTEMPTS && s->ckpt; i++) {
        char text[64], own[32];
        struct err e = ERR_INIT;
        struct event ev = fault_event(offset, text);
        const struct ckpt_row rows[] = {{CKPT_APPLIED, SLICE("last"), ev.body},
                                        {CKPT_APPLIED, fault_commit_key(offset, own), ev.body},
                                        {CKPT_APPLIED, SLICE("large"), large}};
        const struct ckpt_commit what = {.head = {1, offset}, .rows = rows, .n_rows = 3};
        enum rc rc = ckpt_commit(s->ckpt, CONSUMER, &what, &e);
        if (rc == RC_OK) {
            mark(2, offset);
            return;
        }
        if (!again(rc, &e, "commit")) {
            use_dead_ckpt(s, &what, &e);
            reopen_ckpt(s);
        } else if (i > 0)
            make_room(s);
    }
}

/* The next commit finds a file that is mostly free, and compacts it. */
static void leave_free_pages(struct scenario *s, rlog_off offset)
{
    commit(s, offset, slice_of(s->large, LARGE_BYTES));
    commit(s, offset, SLICE_NULL);
    reopen_ckpt(s);
}

/* ---- The run ---- */

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

static void step(struct scenario *s, rlog_off next)
{
    append(s);
    follow(s);
    if (next % 3 == 0)
        commit(s, next, SLICE_NULL);
    if (next == 9)
        leave_free_pages(s, next);
    if (next % 5 == 0)
        maintain(s);
    if (next == 13) {
        leave_litter(s);
        reopen_log(s);
    }
    if (next == FAULT_EVENTS - 2) {
        read_all(s);
        trim(s);
        follow(s);
    }
}

/* Goes on where the life before ended, so that the log holds no clock events. */
static void set_clock(const struct scenario *s, struct fake_clock *clock)
{
    struct rlog_bounds b = {0};
    struct err e = ERR_INIT;
    if (s->log && rlog_bounds(s->log, &b, &e) == RC_OK && b.last_time_ns > clock->wall_ns)
        fake_clock_advance(clock, b.last_time_ns - clock->wall_ns);
}

int main(int argc, char **argv)
{
    struct fake_clock clock;
    struct rng_seeded rng;
    AUTO(freep) struct scenario *s = argc == 2 ? calloc(1, sizeof(*s)) : NULL;
    if (!s)
        return 2;
    fake_clock_init(&clock, 1700000000 * NS_PER_S);
    rng_seeded_init(&rng, 3);
    s->dir = argv[1];
    s->env = (struct env){.clock = &clock.clock, .rng = &rng.rng};
    if (!open_handle(s, RLOG_WRITE, &s->log)) {
        remove_other_files();
        open_handle(s, RLOG_WRITE, &s->log);
    }
    set_clock(s, &clock);
    open_ckpt(s);
    for (rlog_off next = next_of(s->log); s->log && s->ckpt && next <= FAULT_EVENTS;
         next = next_of(s->log)) {
        step(s, next);
        fake_clock_advance(&clock, NS_PER_S);
    }
    say_end(s);
    rlog_close(s->reader);
    rlog_close(s->log);
    ckpt_close(s->ckpt);
    return 0;
}
