/* The check before a segment is trusted: every flipped bit is seen or changes nothing, and a child that dies is
 * damage. */
#include "tests/unit/log/log_world.h"

#include "log/pages.h"
#include "log/segment_check.h"

#include <pthread.h>
#include <stdatomic.h>

#define EVENTS    7
#define FLIP_STEP 97 /* RESILOG_FLIP_STEP: another one; 1: every bit of the file */
#define PATH_S1   "/s-00000000000000000001.mdb"

struct checked {
    rlog_off next;
    bool wrong;
};

static enum rc see_event(void *arg, const struct event *ev, struct err *e)
{
    (void)e;
    struct checked *c = arg;
    c->wrong = c->wrong || !log_event_is(ev, c->next);
    c->next++;
    return RC_OK;
}

/* One segment of seven events, not sealed; its path. */
static const char *make_log(struct log_world *w, char path[512])
{
    AUTO(rlog_closep) struct rlog *l = log_open(w, RLOG_WRITE);
    for (rlog_off at = 1; at <= EVENTS; at++)
        log_append(l, at);
    snprintf(path, 512, "%s" PATH_S1, w->dir);
    return path;
}

static enum rc check(const char *path, struct checked *c, struct segment_report *r, struct err *e)
{
    AUTO(pages_closep) struct pages *f = NULL;
    *c = (struct checked){.next = 1};
    *r = (struct segment_report){0};
    enum rc rc = pages_open(path, PAGES_ROW_A_TXN, &f, e);
    return rc == RC_OK ? segment_check_read(f, 1, see_event, c, r, e) : rc;
}

static void a_sound_segment_is_reported_with_its_tail(void **state)
{
    struct log_world *w = *state;
    char path[512];
    struct checked c;
    struct segment_report r;
    struct err e = ERR_INIT;
    assert_int_equal(check(make_log(w, path), &c, &r, &e), RC_OK);
    assert_int_equal(c.next, EVENTS + 1);
    assert_false(c.wrong);
    assert_int_equal(r.tail.next, EVENTS + 1);
    assert_int_equal(r.frames, EVENTS);
    assert_int_equal(r.events, EVENTS);
    assert_false(r.tail.sealed);
    assert_int_equal(segment_check_main(path), 0);
}

static void every_flipped_bit_is_seen_or_changes_nothing(void **state)
{
    struct log_world *w = *state;
    const char *text = getenv("RESILOG_FLIP_STEP");
    uint64_t step = text ? strtoul(text, NULL, 10) : FLIP_STEP;
    char path[512];
    struct checked c;
    struct segment_report r;
    make_log(w, path);
    uint64_t bits = file_bits(path);
    unsigned seen = 0, harmless = 0;
    for (uint64_t bit = 0; bit < bits; bit += step) {
        struct err e = ERR_INIT;
        flip_bit(path, bit);
        enum rc rc = check(path, &c, &r, &e);
        flip_bit(path, bit);
        assert_false(c.wrong);
        if (rc == RC_OK) {
            assert_int_equal(r.tail.next, EVENTS + 1);
            harmless++;
            continue;
        }
        assert_true(rc == RC_CORRUPT || rc == RC_UNSUPPORTED);
        assert_true(r.tail.next <= EVENTS + 1);
        seen++;
    }
    assert_true(seen > 50 && harmless > 50);
}

/* Each bit of both meta pages: these can hide whole commits. */
static void every_bit_of_the_meta_pages_is_seen_or_changes_nothing(void **state)
{
    struct log_world *w = *state;
    char path[512];
    struct checked c;
    struct segment_report r;
    make_log(w, path);
    for (uint64_t page = 0; page < 2; page++) {
        for (uint64_t bit = page * 4096 * 8; bit < (page * 4096 + 152) * 8; bit++) {
            struct err e = ERR_INIT;
            flip_bit(path, bit);
            enum rc rc = check(path, &c, &r, &e);
            flip_bit(path, bit);
            assert_false(c.wrong);
            assert_true(rc != RC_OK || r.tail.next == EVENTS + 1);
        }
    }
}

static void damage_names_the_first_bad_offset(void **state)
{
    struct log_world *w = *state;
    char path[512], whole[1 << 17];
    make_log(w, path);
    int fd = open(path, O_RDONLY);
    ssize_t n = read(fd, whole, sizeof(whole));
    close(fd);
    assert_true(n > 0 && n < (ssize_t)sizeof(whole));
    char *last = NULL; /* of the newest copy of the frame of offset 5 */
    for (char *p = whole; p + 24 < whole + n; p++) {
        if (memcmp(p, "RSLF", 4) == 0 && p[16] == 5)
            last = p;
    }
    assert_non_null(last);
    unsigned seen = 0;
    for (char *p = whole; p <= last; p++) {
        if (memcmp(p, "RSLF", 4) != 0 || p[16] != 5)
            continue;
        struct checked c;
        struct segment_report r;
        struct err e = ERR_INIT;
        flip_bit(path, (uint64_t)(p - whole + 40) * 8);
        if (check(path, &c, &r, &e) == RC_CORRUPT) {
            assert_int_equal(r.tail.next, 5);
            assert_non_null(strstr(e.msg, "first bad offset is 5"));
            seen++;
        }
        flip_bit(path, (uint64_t)(p - whole + 40) * 8);
    }
    assert_int_equal(seen, 1);
}

static void write_script(const struct log_world *w, char path[512], const char *text)
{
    snprintf(path, 512, "%s/checker", w->root);
    unlink(path);
    FILE *f = fopen(path, "w");
    assert_non_null(f);
    fprintf(f, "#!/bin/sh\n%s\n", text);
    fclose(f);
    assert_int_equal(chmod(path, 0700), 0);
}

static void a_child_that_dies_or_says_so_is_damage_and_a_missing_one_is_not(void **state)
{
    struct log_world *w = *state;
    char path[512], checker[512];
    make_log(w, path);
    const struct {
        const char *script;
        enum rc rc;
    } cases[] = {{"kill -SEGV $$", RC_CORRUPT},
                 {"exit 5", RC_CORRUPT},
                 {"exit 1", RC_OK},
                 {"[ \"$1\" = __check-segment ] && [ -f \"$2\" ] || exit 5", RC_OK}};
    for (size_t i = 0; i < 4; i++) {
        struct segment_report r;
        struct err e = ERR_INIT;
        write_script(w, checker, cases[i].script);
        assert_int_equal(segment_check_open(w->dir, 1, checker, NULL, NULL, &r, &e), cases[i].rc);
    }
    struct segment_report r;
    struct err e = ERR_INIT;
    assert_int_equal(segment_check_open(w->dir, 1, "/nonexistent", NULL, NULL, &r, &e), RC_OK);
    assert_int_equal(segment_check_open(w->dir, 1, NULL, NULL, NULL, &r, &e), RC_OK);
    assert_int_equal(segment_check_open(w->dir, 2, NULL, NULL, NULL, &r, &e), RC_NOTFOUND);
    assert_int_equal(segment_check_main("/nonexistent"), 1);
    flip_bit(path, 8 * 16);
    assert_int_equal(segment_check_main(path), 5);
}

static void a_folder_is_walked_over_all_segments(void **state)
{
    struct log_world *w = *state;
    struct segment_summary s;
    struct err e = ERR_INIT;
    assert_int_equal(segment_check_folder(w->dir, &s, &e), RC_NOTFOUND);
    AUTO(rlog_closep) struct rlog *l = log_open(w, RLOG_WRITE);
    for (rlog_off at = 1; at <= 30; at++)
        log_append(l, at);
    assert_int_equal(segment_check_folder(w->dir, &s, &e), RC_OK); /* while it is open */
    assert_int_equal(s.first, 1);
    assert_int_equal(s.next, 31);
    assert_int_equal(s.events, 30);
    assert_int_equal(s.segments, 4);
    struct rlog_bounds b;
    assert_int_equal(rlog_bounds(l, &b, &e), RC_OK);
    assert_memory_equal(b.chain, s.chain, SHA256_SIZE);
    char path[512], gone[600];
    snprintf(path, sizeof(path), "%s/s-00000000000000000009.mdb", w->dir);
    snprintf(gone, sizeof(gone), "%s.away", path);
    assert_int_equal(rename(path, gone), 0);
    assert_int_equal(segment_check_folder(w->dir, &s, &e), RC_CORRUPT);
    assert_int_equal(s.next, 9);
    assert_non_null(strstr(e.msg, "first bad offset is 9"));
}

/* Appends and trims without end. */
struct busy_writer {
    struct rlog *log;
    atomic_bool stop;
    enum rc rc;
};

static void *append_and_trim(void *arg)
{
    struct busy_writer *b = arg;
    struct err e = ERR_INIT;
    b->rc = RC_OK;
    for (rlog_off at = 1; b->rc == RC_OK && !atomic_load(&b->stop); at++) {
        char text[64];
        struct event ev = log_event((unsigned)at, text);
        b->rc = rlog_append(b->log, &ev, 1, at, NULL, &e);
        if (b->rc == RC_OK && at > 12)
            b->rc = rlog_trim(b->log, at - 12, &e);
    }
    return NULL;
}

static void a_folder_is_walked_while_its_log_is_written_and_trimmed(void **state)
{
    struct log_world *w = *state;
    w->opts.segment_events = 2;
    struct busy_writer b = {.log = log_open(w, RLOG_WRITE)};
    pthread_t thread;
    rlog_off first = 0;
    enum rc rc = RC_OK;
    struct err e = ERR_INIT;
    assert_int_equal(pthread_create(&thread, NULL, append_and_trim, &b), 0);
    for (int i = 0; rc == RC_OK && (i < 100 || first < 60); i++) {
        struct segment_summary s;
        rc = segment_check_folder(w->dir, &s, &e);
        if (rc == RC_OK && (s.next - s.first != s.events || s.first < first))
            rc = RC_INVALID;
        first = s.first;
    }
    atomic_store(&b.stop, true);
    pthread_join(thread, NULL);
    rlog_close(b.log);
    if (rc != RC_OK)
        print_error("%s: %s\n", rc_name(rc), e.msg);
    assert_int_equal(rc, RC_OK);
    assert_int_equal(b.rc, RC_OK);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        LOG_CASE(a_sound_segment_is_reported_with_its_tail),
        LOG_CASE(every_flipped_bit_is_seen_or_changes_nothing),
        LOG_CASE(every_bit_of_the_meta_pages_is_seen_or_changes_nothing),
        LOG_CASE(damage_names_the_first_bad_offset),
        LOG_CASE(a_child_that_dies_or_says_so_is_damage_and_a_missing_one_is_not),
        LOG_CASE(a_folder_is_walked_over_all_segments),
        LOG_CASE(a_folder_is_walked_while_its_log_is_written_and_trimmed),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
