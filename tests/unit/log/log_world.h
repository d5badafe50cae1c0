/* What the tests of the LMDB log share: a folder, a clock, an environment, and events to append. */
#ifndef RESILOG_TESTS_LOG_WORLD_H
#define RESILOG_TESTS_LOG_WORLD_H

#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>

#include "core/buf.h"
#include "core/env.h"
#include "core/event_iter.h"
#include "core/rng.h"
#include "log/rlog.h"
#include "tests/conformance/temp_dir.h"
#include "tests/fakes/fake_clock.h"

#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

struct log_world {
    char *root;
    char dir[256]; /* the log's folder, not made yet */
    struct fake_clock clock;
    struct rng_seeded rng;
    struct env env;
    struct rlog_lmdb_opts opts; /* for writing; 8 events a segment */
};

static inline int log_world_setup(void **state)
{
    struct log_world *w = calloc(1, sizeof(*w));
    assert_non_null(w);
    w->root = temp_dir_new();
    snprintf(w->dir, sizeof(w->dir), "%s/log", w->root);
    fake_clock_init(&w->clock, 1700000000 * NS_PER_S);
    rng_seeded_init(&w->rng, 5);
    w->env = (struct env){.clock = &w->clock.clock, .rng = &w->rng.rng};
    w->opts = (struct rlog_lmdb_opts){.dir = w->dir,
                                      .name = SLICE("default/asset"),
                                      .access = RLOG_WRITE,
                                      .segment_bytes = 1u << 20,
                                      .segment_events = 8};
    *state = w;
    return 0;
}

static inline int log_world_teardown(void **state)
{
    struct log_world *w = *state;
    temp_dir_free(w->root);
    free(w);
    return 0;
}

#define LOG_CASE(f) cmocka_unit_test_setup_teardown(f, log_world_setup, log_world_teardown)

/* An event whose key and body follow from a number. `text` holds 64 bytes and outlives it. */
static inline struct event log_event(unsigned number, char *text)
{
    int n = snprintf(text, 64, "/configmaps/ns/%u", number % 5);
    int m = snprintf(text + 32, 32, "{\"number\":%u}", number);
    return (struct event){.incarnation = 1,
                          .op = number % 7 == 6 ? EVENT_DELETE : EVENT_PUT,
                          .cause = CAUSE_WATCH,
                          .source_kind = SOURCE_KUBERNETES,
                          .key = slice_of(text, (size_t)n),
                          .body = slice_of(text + 32, (size_t)m)};
}

static inline struct rlog *log_open(const struct log_world *w, enum rlog_access access)
{
    struct rlog_lmdb_opts opts = w->opts;
    struct rlog *l = NULL;
    struct err e = ERR_INIT;
    opts.access = access;
    enum rc rc = rlog_lmdb_open(&opts, &w->env, &l, &e);
    if (rc != RC_OK)
        print_error("%s\n", e.msg);
    assert_int_equal(rc, RC_OK);
    return l;
}

/* Appends one event, log_event(its offset). */
static inline void log_append(struct rlog *l, rlog_off at)
{
    char text[64];
    struct event ev = log_event((unsigned)at, text);
    struct err e = ERR_INIT;
    enum rc rc = rlog_append(l, &ev, 1, at, NULL, &e);
    if (rc != RC_OK)
        print_error("%s\n", e.msg);
    assert_int_equal(rc, RC_OK);
}

static inline rlog_off log_next(struct rlog *l)
{
    struct rlog_bounds b = {0};
    struct err e = ERR_INIT;
    assert_int_equal(rlog_bounds(l, &b, &e), RC_OK);
    return b.next;
}

static inline bool log_event_is(const struct event *ev, rlog_off at)
{
    char text[64];
    struct event expected = log_event((unsigned)at, text);
    return ev->offset == at && ev->op == expected.op && slice_eq(ev->key, expected.key) &&
           slice_eq(ev->body, expected.body);
}

/* Reads from `from` on while events are those of log_append; *ret_rc is what ended it. Returns the offset behind the
 * last good one; 0 if a wrong event was given. */
static inline rlog_off log_read(struct rlog *l, rlog_off from, enum rc *ret_rc, struct err *e)
{
    const struct rlog_range range = {.from = from, .all_keys = true};
    struct event_iter *it = NULL;
    const struct event *ev = NULL;
    *ret_rc = rlog_cursor(l, &range, &it, e);
    rlog_off at = from;
    while (*ret_rc == RC_OK) {
        *ret_rc = event_iter_next(it, &ev, e);
        if (*ret_rc == RC_OK && !log_event_is(ev, at)) {
            at = 0;
            break;
        }
        at += *ret_rc == RC_OK;
    }
    event_iter_free(it);
    return at;
}

static inline void assert_log_holds(struct rlog *l, rlog_off next)
{
    enum rc rc = RC_OK;
    struct err e = ERR_INIT;
    rlog_off at = log_read(l, 1, &rc, &e);
    if (rc != RC_AGAIN)
        print_error("%s\n", e.msg);
    assert_int_equal(rc, RC_AGAIN);
    assert_int_equal(at, next);
}

static inline void flip_bit(const char *path, uint64_t bit)
{
    char byte = 0;
    chmod(path, 0600);
    int fd = open(path, O_RDWR);
    assert_true(fd >= 0);
    assert_int_equal(pread(fd, &byte, 1, (off_t)(bit / 8)), 1);
    byte = (char)(byte ^ (1 << bit % 8));
    assert_int_equal(pwrite(fd, &byte, 1, (off_t)(bit / 8)), 1);
    close(fd);
}

/* Flips a bit in each copy of the frame that begins at an offset (at most 255): LMDB leaves old pages in the file. */
static inline void flip_frame(const char *path, rlog_off at)
{
    AUTO(freep) char *bytes = malloc(1u << 17);
    int fd = open(path, O_RDONLY);
    assert_true(bytes && fd >= 0);
    ssize_t n = read(fd, bytes, 1u << 17);
    close(fd);
    assert_true(n > 0 && n < 1 << 17);
    unsigned found = 0;
    for (const char *p = bytes; p + 64 < bytes + n; p++) {
        if (memcmp(p, "RSLF", 4) != 0 || (rlog_off)(unsigned char)p[16] != at)
            continue;
        flip_bit(path, (uint64_t)(p - bytes + 40) * 8);
        found++;
    }
    assert_true(found > 0);
}

static inline uint64_t file_bits(const char *path)
{
    struct stat st;
    assert_int_equal(stat(path, &st), 0);
    return (uint64_t)st.st_size * 8;
}

#endif
