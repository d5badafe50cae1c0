/* Each test gets an empty store. The longest of them drives random commits against a model that is
 * an array of keys. */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>

#include "tests/conformance/ckpt_suite.h"

#include "core/buf.h"
#include "core/digest.h"
#include "core/rng.h"

#include <pthread.h>
#include <stdio.h>

#define A SLICE("ns/sync-a")
#define B SLICE("ns/sync-b")

struct world {
    const struct ckpt_backend *backend;
    void *place;
    struct ckpt *c;
};

static void world_open(struct world *w)
{
    struct err e = ERR_INIT;
    enum rc rc = w->backend->open(w->place, CKPT_WRITE, &w->c, &e);
    if (rc != RC_OK)
        print_error("%s\n", e.msg);
    assert_int_equal(rc, RC_OK);
}

static void world_reopen(struct world *w)
{
    ckpt_close(w->c);
    w->c = NULL;
    world_open(w);
}

static void assert_failed(enum rc found, enum rc rc, enum err_retry retry, const struct err *e)
{
    assert_int_equal(found, rc);
    assert_int_equal(e->rc, rc);
    assert_int_equal(e->retry, retry);
    assert_true(e->msg[0] != '\0');
}

static struct ckpt_commit commit_of(uint64_t generation, rlog_off offset,
                                    const struct ckpt_row *rows, size_t n)
{
    return (struct ckpt_commit){
        .head = {.generation = generation, .offset = offset}, .rows = rows, .n_rows = n};
}

static void commit(struct world *w, struct slice consumer, const struct ckpt_commit *what)
{
    struct err e = ERR_INIT;
    enum rc rc = ckpt_commit(w->c, consumer, what, &e);
    if (rc != RC_OK)
        print_error("%s\n", e.msg);
    assert_int_equal(rc, RC_OK);
}

static void assert_head(struct world *w, struct slice consumer, uint64_t generation,
                        rlog_off offset)
{
    struct ckpt_head head = {0};
    struct err e = ERR_INIT;
    assert_int_equal(ckpt_load(w->c, consumer, &head, NULL, NULL, &e), RC_OK);
    assert_int_equal(head.generation, generation);
    assert_int_equal(head.offset, offset);
}

static void assert_texts(struct world *w, struct slice position, struct slice status)
{
    AUTO(buf_done) struct buf p = BUF_INIT(CKPT_VALUE_MAX);
    AUTO(buf_done) struct buf s = BUF_INIT(CKPT_VALUE_MAX);
    struct ckpt_head head;
    struct err e = ERR_INIT;
    assert_int_equal(ckpt_load(w->c, A, &head, &p, &s, &e), RC_OK);
    assert_true(slice_eq(buf_slice(&p), position));
    assert_true(slice_eq(buf_slice(&s), status));
}

/* An expected value with p == NULL: there is no such row. */
static void assert_row(struct world *w, struct slice consumer, enum ckpt_table table,
                       struct slice key, struct slice value)
{
    AUTO(buf_done) struct buf out = BUF_INIT(CKPT_VALUE_MAX);
    struct err e = ERR_INIT;
    enum rc rc = ckpt_get(w->c, consumer, table, key, &out, &e);
    if (!value.p) {
        assert_failed(rc, RC_NOTFOUND, ERR_FINAL, &e);
        return;
    }
    assert_int_equal(rc, RC_OK);
    assert_true(slice_eq(buf_slice(&out), value));
}

/* Adds "key=value;" for each row. */
static enum rc note_row(void *arg, struct slice key, struct slice value, struct err *e)
{
    struct buf *out = arg;
    (void)e;
    buf_addf(out, "%.*s=%.*s;", SLICE_ARG(key), SLICE_ARG(value));
    return RC_OK;
}

static void assert_scan(struct world *w, struct slice consumer, enum ckpt_table table,
                        const char *prefix, const char *expected)
{
    AUTO(buf_done) struct buf out = BUF_INIT(1u << 20);
    struct err e = ERR_INIT;
    assert_int_equal(ckpt_scan(w->c, consumer, table, slice_str(prefix), note_row, &out, &e),
                     RC_OK);
    assert_true(slice_eq(buf_slice(&out), slice_str(expected)));
}

static enum rc note_name(void *arg, struct slice consumer, struct err *e)
{
    return note_row(arg, consumer, SLICE_NULL, e);
}

static void assert_list(struct world *w, const char *expected)
{
    AUTO(buf_done) struct buf out = BUF_INIT(1u << 20);
    struct err e = ERR_INIT;
    assert_int_equal(ckpt_list(w->c, note_name, &out, &e), RC_OK);
    assert_true(slice_eq(buf_slice(&out), slice_str(expected)));
}

/* ---- Tests ---- */

static void a_consumer_that_never_committed_has_nothing(void **state)
{
    struct world *w = *state;
    struct ckpt_head head = {7, 7};
    struct err e = ERR_INIT;
    assert_failed(ckpt_load(w->c, A, &head, NULL, NULL, &e), RC_NOTFOUND, ERR_FINAL, &e);
    assert_int_equal(head.offset, 7);
    assert_row(w, A, CKPT_APPLIED, SLICE("k"), SLICE_NULL);
    assert_scan(w, A, CKPT_HOLDS, "", "");
    assert_list(w, "");
    assert_int_equal(ckpt_remove(w->c, A, &e), RC_OK);
    assert_list(w, "");
}

static void I3_one_commit_changes_head_texts_and_rows_together(void **state)
{
    struct world *w = *state;
    const struct ckpt_row rows[] = {{CKPT_HOLDS, SLICE("k"), SLICE("held")},
                                    {CKPT_APPLIED, SLICE("k"), SLICE("applied")},
                                    {CKPT_APPLIED, SLICE("empty"), SLICE("")}};
    struct ckpt_commit what = commit_of(3, 42, rows, 3);
    what.position = SLICE("pos\0");
    what.status = SLICE("{\"phase\":\"Live\"}");
    commit(w, A, &what);
    for (int reopened = 0; reopened < 2; reopened++) {
        assert_head(w, A, 3, 42);
        assert_texts(w, what.position, what.status);
        assert_row(w, A, CKPT_HOLDS, SLICE("k"), SLICE("held"));
        assert_row(w, A, CKPT_APPLIED, SLICE("k"), SLICE("applied"));
        assert_row(w, A, CKPT_APPLIED, SLICE("empty"), SLICE(""));
        assert_row(w, A, CKPT_HOLDS, SLICE("empty"), SLICE_NULL);
        world_reopen(w);
    }
}

static void I3_an_acknowledged_commit_is_there_after_a_crash(void **state)
{
    struct world *w = *state;
    for (rlog_off offset = 1; offset <= 5; offset++) {
        char value[24];
        snprintf(value, sizeof(value), "v%d", (int)offset);
        const struct ckpt_row row = {CKPT_APPLIED, SLICE("k"), slice_str(value)};
        struct ckpt_commit what = commit_of(1, offset, &row, 1);
        what.status = slice_str(value);
        commit(w, A, &what);
        w->backend->crash(w->place, w->c);
        w->c = NULL;
        world_open(w);
        assert_head(w, A, 1, offset);
        assert_row(w, A, CKPT_APPLIED, SLICE("k"), slice_str(value));
        assert_texts(w, SLICE(""), slice_str(value));
    }
}

static void position_and_status_are_kept_when_not_given(void **state)
{
    struct world *w = *state;
    struct ckpt_commit what = commit_of(1, 1, NULL, 0);
    commit(w, A, &what);
    assert_texts(w, SLICE(""), SLICE(""));
    what.position = SLICE("p1");
    what.status = SLICE("s1");
    commit(w, A, &what);
    what = commit_of(1, 2, NULL, 0);
    commit(w, A, &what);
    assert_texts(w, SLICE("p1"), SLICE("s1"));
    what.status = SLICE("s2");
    commit(w, A, &what);
    assert_texts(w, SLICE("p1"), SLICE("s2"));
    what.status = SLICE(""); /* given, and empty */
    what.position = SLICE("p2");
    commit(w, A, &what);
    assert_texts(w, SLICE("p2"), SLICE(""));
}

static void texts_are_appended_to_what_a_buffer_holds(void **state)
{
    struct world *w = *state;
    struct ckpt_commit what = commit_of(1, 1, NULL, 0);
    what.position = SLICE("p");
    commit(w, A, &what);
    AUTO(buf_done) struct buf out = BUF_INIT(100);
    buf_add_str(&out, "before ");
    struct ckpt_head head;
    struct err e = ERR_INIT;
    assert_int_equal(ckpt_load(w->c, A, &head, &out, NULL, &e), RC_OK);
    assert_string_equal(out.p, "before p");
}

static void rows_are_replaced_and_deleted(void **state)
{
    struct world *w = *state;
    const struct ckpt_row first[] = {{CKPT_HOLDS, SLICE("a"), SLICE("1")},
                                     {CKPT_HOLDS, SLICE("b"), SLICE("1")},
                                     {CKPT_APPLIED, SLICE("a"), SLICE("x")}};
    const struct ckpt_row second[] = {{CKPT_HOLDS, SLICE("a"), SLICE("22")},
                                      {CKPT_HOLDS, SLICE("b"), SLICE_NULL},
                                      {CKPT_HOLDS, SLICE("never"), SLICE_NULL}};
    struct ckpt_commit what = commit_of(1, 1, first, 3);
    commit(w, A, &what);
    what = commit_of(1, 2, second, 3);
    commit(w, A, &what);
    assert_scan(w, A, CKPT_HOLDS, "", "a=22;");
    assert_scan(w, A, CKPT_APPLIED, "", "a=x;");
}

static void of_two_rows_with_one_key_the_later_counts(void **state)
{
    struct world *w = *state;
    const struct ckpt_row rows[] = {{CKPT_HOLDS, SLICE("a"), SLICE("1")},
                                    {CKPT_HOLDS, SLICE("b"), SLICE_NULL},
                                    {CKPT_HOLDS, SLICE("a"), SLICE_NULL},
                                    {CKPT_HOLDS, SLICE("b"), SLICE("2")}};
    struct ckpt_commit what = commit_of(1, 1, rows, 4);
    commit(w, A, &what);
    assert_scan(w, A, CKPT_HOLDS, "", "b=2;");
}

/* A commit that must be refused with CONFLICT and leave all as it was. */
static void assert_fenced(struct world *w, uint64_t generation, rlog_off offset)
{
    const struct ckpt_row row = {CKPT_HOLDS, SLICE("fenced"), SLICE("1")};
    struct ckpt_commit what = commit_of(generation, offset, &row, 1);
    what.status = SLICE("fenced");
    struct err e = ERR_INIT;
    assert_failed(ckpt_commit(w->c, A, &what, &e), RC_CONFLICT, ERR_FATAL, &e);
    assert_row(w, A, CKPT_HOLDS, SLICE("fenced"), SLICE_NULL);
    assert_texts(w, SLICE(""), SLICE("s"));
}

static void I9_an_older_generation_or_a_lower_offset_changes_nothing(void **state)
{
    struct world *w = *state;
    struct ckpt_commit what = commit_of(5, 100, NULL, 0);
    what.status = SLICE("s");
    commit(w, A, &what);
    assert_fenced(w, 5, 99);
    assert_fenced(w, 4, 100);
    assert_fenced(w, 4, 1000);
    assert_head(w, A, 5, 100);
    commit(w, A, &what); /* the same place again, as for a change of status or rows */
    what.head = (struct ckpt_head){.generation = 6, .offset = 1};
    commit(w, A, &what); /* a new generation may start over */
    assert_fenced(w, 5, 100);
    world_reopen(w);
    assert_fenced(w, 5, 101);
    assert_head(w, A, 6, 1);
    what.head = (struct ckpt_head){.generation = 0, .offset = 0};
    commit(w, B, &what); /* another consumer's fences are its own */
}

static void a_scan_gives_the_rows_of_a_prefix_in_byte_order(void **state)
{
    struct world *w = *state;
    const struct ckpt_row rows[] = {
        {CKPT_APPLIED, SLICE("b/2"), SLICE("3")},  {CKPT_APPLIED, SLICE("b"), SLICE("0")},
        {CKPT_APPLIED, SLICE("b/1"), SLICE("1")},  {CKPT_APPLIED, SLICE("b/\xff"), SLICE("4")},
        {CKPT_APPLIED, SLICE("c"), SLICE("9")},    {CKPT_APPLIED, SLICE("b/11"), SLICE("2")},
        {CKPT_HOLDS, SLICE("b/1"), SLICE("held")}, {CKPT_APPLIED, SLICE("a"), SLICE("8")},
    };
    struct ckpt_commit what = commit_of(1, 1, rows, 8);
    commit(w, A, &what);
    assert_scan(w, A, CKPT_APPLIED, "b/", "b/1=1;b/11=2;b/2=3;b/\xff=4;");
    assert_scan(w, A, CKPT_APPLIED, "", "a=8;b=0;b/1=1;b/11=2;b/2=3;b/\xff=4;c=9;");
    assert_scan(w, A, CKPT_APPLIED, "b/\xff\xff", "");
    assert_scan(w, A, CKPT_APPLIED, "d", "");
    assert_scan(w, A, CKPT_HOLDS, "b/", "b/1=held;");
}

struct stopper {
    int left;
    enum rc rc;
};

static enum rc stop_after(void *arg, struct slice key, struct slice value, struct err *e)
{
    struct stopper *s = arg;
    (void)key;
    (void)value;
    if (--s->left > 0)
        return RC_OK;
    return s->rc < 0 ? err_set(e, s->rc, ERR_FINAL, "enough") : s->rc;
}

static enum rc stop_after_name(void *arg, struct slice consumer, struct err *e)
{
    return stop_after(arg, consumer, SLICE_NULL, e);
}

static void a_walk_ends_with_what_the_callback_says(void **state)
{
    struct world *w = *state;
    const struct ckpt_row rows[] = {{CKPT_HOLDS, SLICE("a"), SLICE("1")},
                                    {CKPT_HOLDS, SLICE("b"), SLICE("2")},
                                    {CKPT_HOLDS, SLICE("c"), SLICE("3")}};
    struct ckpt_commit what = commit_of(1, 1, rows, 3);
    commit(w, A, &what);
    commit(w, B, &what);
    const enum rc stops[] = {RC_END, RC_INVALID};
    for (int i = 0; i < 2; i++) {
        struct stopper s = {.left = 2, .rc = stops[i]};
        struct err e = ERR_INIT;
        assert_int_equal(ckpt_scan(w->c, A, CKPT_HOLDS, SLICE_NULL, stop_after, &s, &e), stops[i]);
        assert_int_equal(s.left, 0);
        s.left = 1;
        assert_int_equal(ckpt_list(w->c, stop_after_name, &s, &e), stops[i]);
        assert_int_equal(s.left, 0);
    }
    assert_scan(w, A, CKPT_HOLDS, "", "a=1;b=2;c=3;"); /* and left nothing locked */
}

static void consumers_are_listed_in_byte_order_and_share_nothing(void **state)
{
    struct world *w = *state;
    const struct ckpt_row row = {CKPT_HOLDS, SLICE("k"), SLICE("b")};
    struct ckpt_commit what = commit_of(1, 10, &row, 1);
    commit(w, B, &what);
    what = commit_of(2, 20, NULL, 0);
    commit(w, SLICE("ns/sync-a2"), &what);
    commit(w, SLICE("a/z"), &what);
    commit(w, A, &what);
    assert_list(w, "a/z=;ns/sync-a=;ns/sync-a2=;ns/sync-b=;");
    assert_head(w, B, 1, 10);
    assert_row(w, A, CKPT_HOLDS, SLICE("k"), SLICE_NULL);
    world_reopen(w);
    assert_list(w, "a/z=;ns/sync-a=;ns/sync-a2=;ns/sync-b=;");
}

static void a_removed_consumer_is_forgotten_and_may_start_again(void **state)
{
    struct world *w = *state;
    const struct ckpt_row row = {CKPT_HOLDS, SLICE("k"), SLICE("v")};
    struct ckpt_commit what = commit_of(9, 90, &row, 1);
    what.status = SLICE("old");
    commit(w, A, &what);
    commit(w, B, &what);
    struct err e = ERR_INIT;
    struct ckpt_head head;
    assert_int_equal(ckpt_remove(w->c, A, &e), RC_OK);
    assert_failed(ckpt_load(w->c, A, &head, NULL, NULL, &e), RC_NOTFOUND, ERR_FINAL, &e);
    assert_row(w, A, CKPT_HOLDS, SLICE("k"), SLICE_NULL);
    assert_list(w, "ns/sync-b=;");
    world_reopen(w);
    assert_list(w, "ns/sync-b=;");
    what = commit_of(1, 1, NULL, 0); /* no fence is left */
    commit(w, A, &what);
    assert_texts(w, SLICE(""), SLICE(""));
    assert_scan(w, A, CKPT_HOLDS, "", "");
    assert_row(w, B, CKPT_HOLDS, SLICE("k"), SLICE("v"));
}

static void what_begins_anew_keeps_its_own_rows_alone(void **state)
{
    struct world *w = *state;
    const struct ckpt_row rows[] = {{CKPT_APPLIED, SLICE("a"), SLICE("1")},
                                    {CKPT_HOLDS, SLICE("h"), SLICE("1")}};
    struct ckpt_commit what = commit_of(5, 500, rows, 2);
    what.position = what.status = SLICE("old");
    commit(w, A, &what);
    commit(w, B, &what);
    what = commit_of(0, 1, &(struct ckpt_row){CKPT_APPLIED, SLICE("b"), SLICE("2")}, 1);
    what.anew = true;
    commit(w, A, &what);
    world_reopen(w);
    assert_head(w, A, 0, 1);
    assert_texts(w, SLICE(""), SLICE(""));
    assert_scan(w, A, CKPT_APPLIED, "", "b=2;");
    assert_scan(w, A, CKPT_HOLDS, "", "");
    assert_head(w, B, 5, 500);
}

static void I10_the_largest_sizes_pass_and_one_byte_more_does_not(void **state)
{
    struct world *w = *state;
    AUTO(freep) char *bytes = malloc(CKPT_VALUE_MAX + 1);
    assert_non_null(bytes);
    memset(bytes, 'x', CKPT_VALUE_MAX + 1);
    struct slice name = slice_of(bytes, CKPT_NAME_MAX);
    struct ckpt_row row = {CKPT_APPLIED, slice_of(bytes, EVENT_TEXT_MAX),
                           slice_of(bytes, CKPT_VALUE_MAX)};
    struct ckpt_commit what = commit_of(1, 1, &row, 1);
    what.position = what.status = row.value;
    commit(w, name, &what);
    world_reopen(w);
    assert_row(w, name, CKPT_APPLIED, row.key, row.value);

    struct err e = ERR_INIT;
    size_t *const sizes[] = {&name.n, &row.key.n, &row.value.n, &what.position.n, &what.status.n};
    what.head.offset = 2;
    for (size_t i = 0; i < 5; i++) {
        ++*sizes[i];
        assert_failed(ckpt_commit(w->c, name, &what, &e), RC_LIMIT, ERR_FINAL, &e);
        --*sizes[i];
    }
    assert_head(w, name, 1, 1);
}

/* Keys whose first 600 bytes are the same must not meet in an index that cuts them. */
static void long_keys_are_told_apart_and_sorted(void **state)
{
    struct world *w = *state;
    char keys[3][604];
    struct ckpt_row rows[3];
    for (int i = 0; i < 3; i++) {
        memset(keys[i], 'k', sizeof(keys[i]));
        keys[i][603] = (char)('c' - i);
        rows[i] = (struct ckpt_row){CKPT_HOLDS, slice_of(keys[i], 604), slice_of(&keys[i][603], 1)};
    }
    struct ckpt_commit what = commit_of(1, 1, rows, 3);
    commit(w, A, &what);
    for (int i = 0; i < 3; i++)
        assert_row(w, A, CKPT_HOLDS, rows[i].key, rows[i].value);
    AUTO(buf_done) struct buf expected = BUF_INIT(1u << 16);
    for (int i = 2; i >= 0; i--)
        assert_int_equal(note_row(&expected, rows[i].key, rows[i].value, NULL), RC_OK);
    assert_scan(w, A, CKPT_HOLDS, "kkk", expected.p);
    rows[1].value = SLICE_NULL;
    what = commit_of(1, 2, &rows[1], 1);
    commit(w, A, &what);
    assert_row(w, A, CKPT_HOLDS, rows[0].key, rows[0].value);
    assert_row(w, A, CKPT_HOLDS, rows[1].key, SLICE_NULL);
    assert_row(w, A, CKPT_HOLDS, rows[2].key, rows[2].value);
}

/* A back end that stores long keys cut, with a part of their SHA-256, must not take another key for it. */
static void a_key_that_looks_like_a_cut_one_is_another_key(void **state)
{
    struct world *w = *state;
    char whole[500], like[480];
    uint8_t digest[SHA256_SIZE];
    memset(whole, 'k', sizeof(whole));
    memcpy(like, whole, 464);
    sha256(slice_of(whole, sizeof(whole)), SLICE_NULL, digest);
    memcpy(like + 464, digest, 16);
    const struct ckpt_row rows[] = {
        {CKPT_APPLIED, slice_of(whole, sizeof(whole)), SLICE("whole")},
        {CKPT_APPLIED, slice_of(like, sizeof(like)), SLICE("like")},
    };
    struct ckpt_commit what = commit_of(1, 1, rows, 2);
    commit(w, A, &what);
    for (int i = 0; i < 2; i++)
        assert_row(w, A, CKPT_APPLIED, rows[i].key, rows[i].value);
}

static void names_tables_and_keys_that_make_no_sense_are_refused(void **state)
{
    struct world *w = *state;
    AUTO(buf_done) struct buf out = BUF_INIT(100);
    struct ckpt_head head;
    struct err e = ERR_INIT;
    enum ckpt_table wrong = (enum ckpt_table)2;
    struct ckpt_row rows[] = {{CKPT_HOLDS, SLICE("k"), SLICE("v")},
                              {CKPT_HOLDS, SLICE(""), SLICE("v")}};
    struct ckpt_commit what = commit_of(1, 1, rows, 2);
    assert_int_equal(ckpt_commit(w->c, A, &what, &e), RC_INVALID);
    rows[1] = (struct ckpt_row){wrong, SLICE("k"), SLICE("v")};
    assert_int_equal(ckpt_commit(w->c, A, &what, &e), RC_INVALID);
    assert_int_equal(ckpt_commit(w->c, SLICE_NULL, &what, &e), RC_INVALID);
    assert_list(w, "");
    assert_int_equal(ckpt_load(w->c, SLICE_NULL, &head, NULL, NULL, &e), RC_INVALID);
    assert_int_equal(ckpt_remove(w->c, SLICE_NULL, &e), RC_INVALID);
    assert_int_equal(ckpt_get(w->c, A, wrong, SLICE("k"), &out, &e), RC_INVALID);
    assert_int_equal(ckpt_get(w->c, A, CKPT_HOLDS, SLICE_NULL, &out, &e), RC_INVALID);
    assert_int_equal(ckpt_scan(w->c, A, wrong, SLICE_NULL, note_row, &out, &e), RC_INVALID);
}

static void a_buffer_that_is_too_small_is_a_limit_and_stays_as_it_was(void **state)
{
    struct world *w = *state;
    const struct ckpt_row row = {CKPT_HOLDS, SLICE("k"), SLICE("12345")};
    struct ckpt_commit what = commit_of(1, 1, &row, 1);
    what.position = SLICE("12");
    what.status = SLICE("12345");
    commit(w, A, &what);
    AUTO(buf_done) struct buf roomy = BUF_INIT(10);
    AUTO(buf_done) struct buf small = BUF_INIT(4);
    struct ckpt_head head = {7, 7};
    struct err e = ERR_INIT;
    assert_int_equal(ckpt_load(w->c, A, &head, &roomy, &small, &e), RC_LIMIT);
    assert_int_equal(roomy.n, 0);
    assert_int_equal(small.n, 0);
    assert_int_equal(head.offset, 7);
    buf_reset(&small);
    assert_int_equal(ckpt_get(w->c, A, CKPT_HOLDS, SLICE("k"), &small, &e), RC_LIMIT);
    assert_int_equal(small.n, 0);
}

static void a_second_handle_sees_each_commit(void **state)
{
    struct world *w = *state;
    struct world other = *w;
    struct err e = ERR_INIT;
    struct ckpt_commit what = commit_of(1, 1, NULL, 0);
    commit(w, A, &what);
    assert_int_equal(w->backend->open(w->place, CKPT_READ, &other.c, &e), RC_OK);
    for (rlog_off offset = 2; offset < 6; offset++) {
        const struct ckpt_row row = {CKPT_HOLDS, SLICE("k"),
                                     offset % 2 ? SLICE("odd") : SLICE("even")};
        what = commit_of(1, offset, &row, 1);
        commit(w, A, &what);
        assert_head(&other, A, 1, offset);
        assert_row(&other, A, CKPT_HOLDS, SLICE("k"), row.value);
    }
    what = commit_of(1, 6, NULL, 0);
    commit(w, B, &what); /* also a consumer that is newer than the handle */
    assert_list(&other, "ns/sync-a=;ns/sync-b=;");
    if (w->backend->has_access) {
        assert_failed(ckpt_commit(other.c, A, &what, &e), RC_DENIED, ERR_FINAL, &e);
        assert_failed(ckpt_remove(other.c, A, &e), RC_DENIED, ERR_FINAL, &e);
        assert_head(w, A, 1, 5);
    }
    ckpt_close(other.c);
}

#define MODEL_KEYS 40

/* Each row of each table is a small number, 0 for none. */
static void assert_model(struct world *w, const unsigned model[2][MODEL_KEYS])
{
    for (int table = 0; table < 2; table++) {
        AUTO(buf_done) struct buf expected = BUF_INIT(1u << 16);
        buf_add_str(&expected, "");
        for (unsigned k = 0; k < MODEL_KEYS; k++) {
            if (model[table][k])
                buf_addf(&expected, "k%02u=%u;", k, model[table][k]);
        }
        assert_scan(w, A, (enum ckpt_table)table, "", expected.n ? expected.p : "");
    }
}

static void any_sequence_of_commits_leaves_what_a_naive_model_holds(void **state)
{
    struct world *w = *state;
    struct rng_seeded r;
    rng_seeded_init(&r, 7);
    unsigned model[2][MODEL_KEYS] = {{0}};
    for (rlog_off offset = 1; offset <= 60; offset++) {
        char keys[6][8], values[6][16];
        struct ckpt_row rows[6];
        size_t n = (size_t)rng_below(&r.rng, 7);
        for (size_t i = 0; i < n; i++) {
            unsigned k = (unsigned)rng_below(&r.rng, MODEL_KEYS), table = k % 2;
            unsigned v = (unsigned)rng_below(&r.rng, 3) ? (unsigned)rng_below(&r.rng, 99) + 1 : 0;
            snprintf(keys[i], sizeof(keys[i]), "k%02u", k % 100);
            snprintf(values[i], sizeof(values[i]), "%u", v);
            rows[i] = (struct ckpt_row){(enum ckpt_table)table, slice_str(keys[i]),
                                        v ? slice_str(values[i]) : SLICE_NULL};
            model[table][k] = v;
        }
        struct ckpt_commit what = commit_of(1, offset, n ? rows : NULL, n);
        commit(w, A, &what);
        if (offset % 10 == 0)
            world_reopen(w);
        assert_model(w, model);
    }
}

/* One thread per consumer, each on the same handle. */
struct worker {
    struct ckpt *c;
    char name[16];
    enum rc rc;
};

static void *work(void *arg)
{
    struct worker *t = arg;
    struct err e = ERR_INIT;
    for (rlog_off offset = 1; t->rc == RC_OK && offset <= 30; offset++) {
        const struct ckpt_row row = {CKPT_APPLIED, SLICE("k"), slice_str(t->name)};
        const struct ckpt_commit what = commit_of(1, offset, &row, 1);
        struct ckpt_head head = {0};
        t->rc = ckpt_commit(t->c, slice_str(t->name), &what, &e);
        if (t->rc == RC_OK)
            t->rc = ckpt_load(t->c, slice_str(t->name), &head, NULL, NULL, &e);
        if (t->rc == RC_OK && head.offset != offset)
            t->rc = RC_CORRUPT;
    }
    return NULL;
}

static void consumers_work_beside_one_another(void **state)
{
    struct world *w = *state;
    struct worker workers[3];
    pthread_t threads[3];
    for (int i = 0; i < 3; i++) {
        workers[i] = (struct worker){.c = w->c, .rc = RC_OK};
        snprintf(workers[i].name, sizeof(workers[i].name), "ns/w%d", i);
        assert_int_equal(pthread_create(&threads[i], NULL, work, &workers[i]), 0);
    }
    for (int i = 0; i < 3; i++)
        pthread_join(threads[i], NULL);
    for (int i = 0; i < 3; i++) {
        assert_int_equal(workers[i].rc, RC_OK);
        assert_head(w, slice_str(workers[i].name), 1, 30);
        assert_row(w, slice_str(workers[i].name), CKPT_APPLIED, SLICE("k"),
                   slice_str(workers[i].name));
    }
}

/* ---- Running ---- */

static int world_setup(void **state)
{
    struct world *w = calloc(1, sizeof(*w));
    assert_non_null(w);
    w->backend = *state;
    w->place = w->backend->make();
    world_open(w);
    *state = w;
    return 0;
}

static int world_teardown(void **state)
{
    struct world *w = *state;
    ckpt_close(w->c);
    w->backend->destroy(w->place);
    free(w);
    return 0;
}

#define CASE(function)                                                                             \
    {                                                                                              \
        .name = #function, .test_func = function                                                   \
    }

int ckpt_suite_run(const struct ckpt_backend *backend)
{
    struct CMUnitTest tests[] = {
        CASE(a_consumer_that_never_committed_has_nothing),
        CASE(I3_one_commit_changes_head_texts_and_rows_together),
        CASE(I3_an_acknowledged_commit_is_there_after_a_crash),
        CASE(position_and_status_are_kept_when_not_given),
        CASE(texts_are_appended_to_what_a_buffer_holds),
        CASE(rows_are_replaced_and_deleted),
        CASE(of_two_rows_with_one_key_the_later_counts),
        CASE(I9_an_older_generation_or_a_lower_offset_changes_nothing),
        CASE(a_scan_gives_the_rows_of_a_prefix_in_byte_order),
        CASE(a_walk_ends_with_what_the_callback_says),
        CASE(consumers_are_listed_in_byte_order_and_share_nothing),
        CASE(a_removed_consumer_is_forgotten_and_may_start_again),
        CASE(what_begins_anew_keeps_its_own_rows_alone),
        CASE(I10_the_largest_sizes_pass_and_one_byte_more_does_not),
        CASE(long_keys_are_told_apart_and_sorted),
        CASE(a_key_that_looks_like_a_cut_one_is_another_key),
        CASE(names_tables_and_keys_that_make_no_sense_are_refused),
        CASE(a_buffer_that_is_too_small_is_a_limit_and_stays_as_it_was),
        CASE(a_second_handle_sees_each_commit),
        CASE(any_sequence_of_commits_leaves_what_a_naive_model_holds),
        CASE(consumers_work_beside_one_another),
    };
    size_t n = sizeof(tests) / sizeof(tests[0]);
    for (size_t i = 0; i < n; i++) {
        tests[i].setup_func = world_setup;
        tests[i].teardown_func = world_teardown;
        tests[i].initial_state = (void *)(uintptr_t)backend;
    }
    return _cmocka_run_group_tests(backend->name, tests, n, NULL, NULL);
}
