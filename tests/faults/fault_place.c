/* Running the scenario and looking at what it left. */
#include "tests/faults/fault_place.h"

#include "core/buf.h"
#include "core/env.h"
#include "core/rng.h"
#include "log/ckpt.h"
#include "log/rlog.h"
#include "tests/conformance/temp_dir.h"
#include "tests/fakes/fake_clock.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

char *fault_place_new(void)
{
    char *path = strdup("/dev/shm/resilog-faults-XXXXXX");
    if (path && mkdtemp(path))
        return path;
    free(path);
    return temp_dir_new();
}

void fault_place_free(char *path)
{
    temp_dir_free(path);
}

static void set(const char *name, const char *value)
{
    if (value)
        setenv(name, value, 1);
}

static void exec_scenario(const struct fault_run *run, int out)
{
    set("LD_PRELOAD", run->library);
    set("FAULT_DIR", run->dir);
    set("FAULT_CALL", run->call);
    set("FAULT_NTH", run->nth);
    set("FAULT_KIND", run->kind);
    set("FAULT_RECORD", run->record);
    if (dup2(out, STDOUT_FILENO) < 0 || !freopen("/dev/null", "w", stderr))
        _exit(126);
    execl(run->scenario, run->scenario, run->dir, (char *)NULL);
    _exit(127);
}

void fault_hear(struct fault_told *t, uint32_t kind, rlog_off at)
{
    if (kind == 1) {
        t->event = at;
    } else {
        t->checkpoint = at;
        t->commits |= 1ull << at;
    }
}

static void hear(const char *line, struct fault_told *t)
{
    uint64_t v = 0;
    size_t i = 0;
    unsigned long n = 0;
    if (sscanf(line, "event %" SCNu64, &v) == 1)
        fault_hear(t, 1, v);
    else if (sscanf(line, "checkpoint %" SCNu64, &v) == 1)
        fault_hear(t, 2, v);
    else if (sscanf(line, "count %zu %lu", &i, &n) == 2 && i < 24)
        t->counts[i] = n;
    else if (strncmp(line, "wrong ", 6) == 0 && !t->wrong[0])
        snprintf(t->wrong, sizeof(t->wrong), "%.*s", (int)strcspn(line + 6, "\n"), line + 6);
    t->fired = t->fired || strcmp(line, "fired\n") == 0;
    t->finished = t->finished || strcmp(line, "finished\n") == 0;
}

struct fault_told fault_run(const struct fault_run *run)
{
    struct fault_told told = {0};
    int fds[2];
    if (pipe(fds) != 0)
        abort();
    pid_t pid = fork();
    if (pid == 0)
        exec_scenario(run, fds[1]);
    close(fds[1]);
    FILE *in = fdopen(fds[0], "r");
    char line[128];
    while (in && fgets(line, sizeof(line), in))
        hear(line, &told);
    if (in)
        fclose(in);
    int status = 0;
    if (pid < 0 || waitpid(pid, &status, 0) != pid || !WIFEXITED(status) ||
        WEXITSTATUS(status) != 0)
        told.finished = false;
    return told;
}

/* ---- What must be true ---- */

struct look {
    const struct fault_told *told;
    struct env env;
    char *out;
};

static const char *wrong(const struct look *w, const char *what, rlog_off at, const struct err *e)
{
    snprintf(w->out, 512,
             "%s (%" PRIu64 "; acknowledged: event %" PRIu64 ", checkpoint %" PRIu64 ") %.300s",
             what, at, w->told->event, w->told->checkpoint, e->msg);
    return w->out;
}

static const char *look_at_events(const struct look *w, struct rlog *l)
{
    struct rlog_bounds b;
    struct err e = ERR_INIT;
    if (rlog_bounds(l, &b, &e) != RC_OK)
        return wrong(w, "bounds failed", 0, &e);
    if (b.next <= w->told->event || b.next > FAULT_EVENTS + 3)
        return wrong(w, "acknowledged events are missing, the next one is", b.next, &e);
    const char *bad = fault_read(l, b.first, b.next, &e);
    return bad ? wrong(w, bad, b.first, &e) : NULL;
}

static const char *append_one(const struct look *w, struct rlog *l)
{
    char text[64];
    struct err e = ERR_INIT;
    struct rlog_bounds b;
    if (rlog_bounds(l, &b, &e) != RC_OK)
        return wrong(w, "bounds failed", 0, &e);
    struct event ev = fault_event(b.next, text);
    if (rlog_append(l, &ev, 1, b.next, NULL, &e) != RC_OK)
        return wrong(w, "append failed", b.next, &e);
    return look_at_events(w, l);
}

static const char *look_at_log(const struct look *w, const char *dir, enum rlog_access access)
{
    const struct rlog_lmdb_opts opts = {.dir = dir,
                                        .name = SLICE("default/asset"),
                                        .access = access,
                                        .segment_bytes = 1u << 20,
                                        .segment_events = FAULT_SEGMENT};
    AUTO(rlog_closep) struct rlog *l = NULL;
    struct err e = ERR_INIT;
    enum rc rc = rlog_lmdb_open(&opts, &w->env, &l, &e);
    if (rc == RC_NOTFOUND && access == RLOG_READ && w->told->event == 0)
        return NULL;
    if (rc != RC_OK)
        return wrong(w, "the log does not open", access, &e);
    const char *bad = look_at_events(w, l);
    return bad || access == RLOG_READ ? bad : append_one(w, l);
}

/* The head, and the row that belongs to it. */
static const char *look_at_commit(const struct look *w, struct ckpt *c, rlog_off at_least,
                                  rlog_off *ret_offset)
{
    AUTO(buf_done) struct buf row = BUF_INIT(100);
    struct ckpt_head head = {0};
    struct err e = ERR_INIT;
    char text[64];
    *ret_offset = 0;
    enum rc rc = ckpt_load(c, SLICE("ns/sync"), &head, NULL, NULL, &e);
    if (rc == RC_NOTFOUND && at_least == 0)
        return NULL;
    if (rc != RC_OK || head.offset < at_least)
        return wrong(w, "an acknowledged commit is missing", head.offset, &e);
    *ret_offset = head.offset;
    struct event ev = fault_event(head.offset, text);
    rc = ckpt_get(c, SLICE("ns/sync"), CKPT_APPLIED, SLICE("last"), &row, &e);
    return rc == RC_OK && slice_eq(buf_slice(&row), ev.body)
               ? NULL
               : wrong(w, "a commit is torn", head.offset, &e);
}

static const char *look_at_rows(const struct look *w, struct ckpt *c)
{
    for (rlog_off at = 1; at < 64; at++) {
        AUTO(buf_done) struct buf row = BUF_INIT(100);
        struct err e = ERR_INIT;
        char text[32];
        if (w->told->commits >> at & 1 && ckpt_get(c, SLICE("ns/sync"), CKPT_APPLIED,
                                                   fault_commit_key(at, text), &row, &e) != RC_OK)
            return wrong(w, "a row of an acknowledged commit is missing", at, &e);
    }
    return NULL;
}

/* What was acknowledged is there; one commit more is there for whoever opens the store then. */
static const char *look_at_ckpt(const struct look *w, const char *dir)
{
    rlog_off offset = w->told->checkpoint;
    for (int life = 0; life < 2; life++) {
        AUTO(ckpt_closep) struct ckpt *c = NULL;
        struct err e = ERR_INIT;
        char text[64];
        if (ckpt_lmdb_open(dir, CKPT_WRITE, &w->env, &c, &e) != RC_OK)
            return wrong(w, "the checkpoints do not open", 0, &e);
        const char *bad = look_at_commit(w, c, offset, &offset);
        if (!bad)
            bad = look_at_rows(w, c);
        if (bad)
            return bad;
        struct event ev = fault_event(++offset, text);
        const struct ckpt_row row = {CKPT_APPLIED, SLICE("last"), ev.body};
        const struct ckpt_commit what = {.head = {1, offset}, .rows = &row, .n_rows = 1};
        if (ckpt_commit(c, SLICE("ns/sync"), &what, &e) != RC_OK)
            return wrong(w, "commit failed", offset, &e);
    }
    return NULL;
}

const char *fault_check(const char *dir, const struct fault_told *told, char *out)
{
    struct fake_clock clock;
    struct rng_seeded rng;
    char path[512];
    fake_clock_init(&clock, 1800000000 * NS_PER_S);
    rng_seeded_init(&rng, 4);
    const struct look w = {
        .told = told, .env = {.clock = &clock.clock, .rng = &rng.rng}, .out = out};
    snprintf(path, sizeof(path), "%s/log", dir);
    const char *bad = look_at_log(&w, path, RLOG_READ);
    if (!bad)
        bad = look_at_log(&w, path, RLOG_WRITE);
    snprintf(path, sizeof(path), "%s/consumers", dir);
    return bad ? bad : look_at_ckpt(&w, path);
}
