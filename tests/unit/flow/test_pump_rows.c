#include "tests/unit/flow/flow_test.h"

#include "flow/pump_rows.h"
#include "tests/fakes/ckpt_fault.h"
#include "tests/unit/format/golden.h"

#define SYNC SLICE("ns/sync")

struct store {
    struct ckpt_mem_store *store;
    struct ckpt *ckpt; /* a ckpt_fault */
    struct rows *rows;
};

static void open_rows(struct store *s)
{
    struct err e = ERR_INIT;
    struct ckpt *inner = NULL;
    assert_ok(ckpt_mem_open(s->store, &inner, &e));
    s->ckpt = ckpt_fault_new(inner);
    assert_non_null(s->ckpt);
    assert_ok(rows_open(s->ckpt, SYNC, &s->rows, &e));
}

static void close_rows(struct store *s)
{
    rows_free(s->rows);
    ckpt_close(s->ckpt);
}

static int setup(void **state)
{
    struct store *s = calloc(1, sizeof *s);
    assert_non_null(s);
    s->store = ckpt_mem_store_new();
    open_rows(s);
    *state = s;
    return 0;
}

static int teardown(void **state)
{
    struct store *s = *state;
    close_rows(s);
    ckpt_mem_store_free(s->store);
    free(s);
    return 0;
}

static void restart(struct store *s)
{
    close_rows(s);
    open_rows(s);
}

static void set_applied(struct store *s, const char *key, rlog_off offset, const char *record)
{
    struct err e = ERR_INIT;
    struct applied a = {APPLIED_SYNCED, offset, slice_str(record)};
    assert_ok(rows_set_applied(s->rows, slice_str(key), &a, &e));
}

static void assert_applied(struct store *s, const char *key, rlog_off offset, const char *record)
{
    struct err e = ERR_INIT;
    struct applied a;
    assert_ok(rows_applied(s->rows, slice_str(key), &a, &e));
    assert_int_equal(a.offset, offset);
    assert_true(slice_eq(a.record, slice_str(record)));
}

static void assert_not_applied(struct store *s, const char *key)
{
    struct err e = ERR_INIT;
    struct applied a;
    assert_int_equal(rows_applied(s->rows, slice_str(key), &a, &e), RC_NOTFOUND);
}

static void set_hold(struct store *s, const char *key, const char *cls, const char *dependency,
                     bool waiting)
{
    struct err e = ERR_INIT;
    struct hold h = {.offset = 4, .waiting = waiting, .attempts = 3, .since_ns = -7, .due_ns = 99};
    snprintf(h.cls, sizeof h.cls, "%s", cls);
    snprintf(h.reason, sizeof h.reason, "because");
    snprintf(h.dependency, sizeof h.dependency, "%s", dependency);
    assert_ok(rows_set_hold(s->rows, slice_str(key), &h, &e));
}

static void commit(struct store *s, rlog_off offset)
{
    struct err e = ERR_INIT;
    struct ckpt_head head = {.generation = 1, .offset = offset};
    assert_ok(rows_commit(s->rows, &head, SLICE_NULL, &e));
}

static void a_change_is_seen_at_once_and_survives_only_a_commit(void **state)
{
    struct store *s = *state;
    set_applied(s, "a", 3, "r");
    assert_applied(s, "a", 3, "r");
    restart(s);
    assert_not_applied(s, "a");
    set_applied(s, "a", 3, "r");
    commit(s, 4);
    assert_int_equal(rows_pending(s->rows), 0);
    restart(s);
    assert_applied(s, "a", 3, "r");
}

static void a_dropped_row_is_gone_before_and_after_the_commit(void **state)
{
    struct store *s = *state;
    struct err e = ERR_INIT;
    set_applied(s, "a", 3, "");
    commit(s, 4);
    assert_applied(s, "a", 3, "");
    assert_ok(rows_drop_applied(s->rows, SLICE("a"), &e));
    assert_not_applied(s, "a");
    commit(s, 5);
    assert_not_applied(s, "a");
    restart(s);
    assert_not_applied(s, "a");
}

static void a_hold_comes_back_after_a_restart_and_is_due_at_once(void **state)
{
    struct store *s = *state;
    set_hold(s, "a", "invalid", "/namespaces//n", true);
    rows_hold(s->rows, SLICE("a"))->flying = true;
    commit(s, 4);
    restart(s);
    const struct hold *h = rows_hold(s->rows, SLICE("a"));
    assert_non_null(h);
    assert_string_equal(h->cls, "invalid");
    assert_string_equal(h->reason, "because");
    assert_int_equal(h->offset, 4);
    assert_int_equal(h->attempts, 3);
    assert_int_equal(h->since_ns, -7);
    assert_int_equal(h->due_ns, 0);
    assert_false(h->flying);
    assert_true(h->waiting);
    assert_true(rows_asked(s->rows, SLICE("/namespaces//n")));
}

static void a_dependency_is_awaited_as_long_as_one_hold_waits_for_it(void **state)
{
    struct store *s = *state;
    struct err e = ERR_INIT;
    set_hold(s, "a", "x", "dep", true);
    set_hold(s, "b", "x", "dep", true);
    set_hold(s, "a", "x", "dep", true);
    assert_ok(rows_drop_hold(s->rows, SLICE("a"), &e));
    assert_true(rows_asked(s->rows, SLICE("dep")));
    set_hold(s, "b", "x", "other", true);
    assert_false(rows_asked(s->rows, SLICE("dep")));
    assert_true(rows_asked(s->rows, SLICE("other")));
    assert_ok(rows_drop_hold(s->rows, SLICE("b"), &e));
    assert_ok(rows_drop_hold(s->rows, SLICE("never"), &e));
    assert_false(rows_asked(s->rows, SLICE("other")));
}

static void holds_are_counted_by_kind_and_walked_in_order(void **state)
{
    struct store *s = *state;
    set_hold(s, "b", HOLD_PRUNE, "", false);
    set_hold(s, "c", "namespace-missing", "", true);
    set_hold(s, "a", "invalid", "", false);
    struct rows_counts counts;
    rows_count(s->rows, &counts);
    assert_int_equal(counts.held, 2);
    assert_int_equal(counts.waiting, 1);
    assert_int_equal(counts.prune, 1);
    struct slice key = SLICE_NULL;
    struct hold *h;
    char walked[8] = "";
    while (rows_next_hold(s->rows, key, &key, &h))
        strncat(walked, key.p, key.n);
    assert_string_equal(walked, "abc");
}

static void what_was_given_up_is_stored_so_and_counted_apart(void **state)
{
    struct store *s = *state;
    struct err e = ERR_INIT;
    set_hold(s, "a", "invalid", "", false);
    struct hold h = *rows_hold(s->rows, SLICE("a"));
    h.skipped = true;
    assert_ok(rows_set_hold(s->rows, SLICE("a"), &h, &e));
    commit(s, 4);
    restart(s);
    const struct hold *back = rows_hold(s->rows, SLICE("a"));
    assert_true(back->skipped && !back->waiting);
    struct rows_counts counts;
    rows_count(s->rows, &counts);
    assert_int_equal(counts.skipped, 1);
    assert_int_equal(counts.held + counts.waiting + counts.prune, 0);
}

static void after_a_failed_commit_everything_still_waits(void **state)
{
    struct store *s = *state;
    struct err e = ERR_INIT;
    struct ckpt_head head = {.generation = 1, .offset = 4};
    set_applied(s, "a", 3, "r");
    set_hold(s, "b", "x", "", false);
    ckpt_fault_set(s->ckpt, CKPT_FAULT_COMMIT,
                   &(struct fault_rule){.times = 1, .rc = RC_LIMIT, .retry = ERR_RETRY});
    assert_int_equal(rows_commit(s->rows, &head, SLICE_NULL, &e), RC_LIMIT);
    assert_int_equal(rows_pending(s->rows), 2);
    commit(s, 4);
    restart(s);
    assert_applied(s, "a", 3, "r");
    assert_non_null(rows_hold(s->rows, SLICE("b")));
}

static uint64_t deselected(struct store *s)
{
    struct rows_counts counts;
    rows_count(s->rows, &counts);
    return counts.deselected;
}

static void deselect(struct store *s, const char *key)
{
    struct err e = ERR_INIT;
    struct applied a = {APPLIED_SYNCED, 3, SLICE("r")};
    assert_ok(rows_deselect(s->rows, slice_str(key), &a, &e));
}

static void assert_deselected(struct store *s, const char *key, rlog_off offset)
{
    struct applied a;
    struct err e = ERR_INIT;
    assert_ok(rows_applied(s->rows, slice_str(key), &a, &e));
    assert_int_equal(a.state, APPLIED_DESELECTED);
    assert_int_equal(a.offset, offset);
}

static void what_is_deselected_is_counted_over_restarts(void **state)
{
    struct store *s = *state;
    struct err e = ERR_INIT;
    set_applied(s, "a", 3, "r");
    deselect(s, "b");
    deselect(s, "c");
    deselect(s, "d");
    assert_int_equal(deselected(s), 3);
    set_applied(s, "b", 4, "r");
    set_applied(s, "a", 4, "r");
    commit(s, 5);
    restart(s);
    assert_int_equal(deselected(s), 2);
    assert_deselected(s, "c", 3);
    assert_ok(rows_drop_applied(s->rows, SLICE("a"), &e));
    assert_ok(rows_drop_applied(s->rows, SLICE("c"), &e));
    assert_ok(rows_drop_applied(s->rows, SLICE("c"), &e));
    assert_int_equal(deselected(s), 1);
    ckpt_fault_set(s->ckpt, CKPT_FAULT_COMMIT,
                   &(struct fault_rule){.times = 1, .rc = RC_LIMIT, .retry = ERR_RETRY});
    struct ckpt_head head = {.generation = 1, .offset = 6};
    assert_int_equal(rows_commit(s->rows, &head, SLICE_NULL, &e), RC_LIMIT);
    commit(s, 6);
    restart(s);
    assert_int_equal(deselected(s), 1);
    assert_int_equal(ckpt_fault_count(s->ckpt, CKPT_FAULT_SCAN),
                     1); /* of the holds: no row is read */
}

static void a_checkpoint_that_does_not_tell_their_number_is_counted(void **state)
{
    struct store *s = *state;
    struct err e = ERR_INIT;
    deselect(s, "a");
    deselect(s, "b");
    commit(s, 5);
    const struct ckpt_row none = {CKPT_APPLIED, SLICE("@deselected"), SLICE_NULL};
    assert_ok(ckpt_commit(
        s->ckpt, SYNC,
        &(struct ckpt_commit){.head = {.generation = 1, .offset = 5}, .rows = &none, .n_rows = 1},
        &e));
    restart(s);
    assert_int_equal(deselected(s), 2);
}

static void what_begins_anew_keeps_at_most_what_is_deselected(void **state)
{
    struct store *s = *state;
    struct err e = ERR_INIT;
    struct applied a;
    struct ckpt_head head;
    set_applied(s, "a", 3, "r");
    set_hold(s, "b", "x", "y", false);
    deselect(s, "c");
    commit(s, 4);
    restart(s);
    assert_ok(rows_begin_anew(s->rows, true, &e));
    for (int i = 0; i < 2; i++) {
        assert_ok(ckpt_load(s->ckpt, SYNC, &head, NULL, NULL, &e));
        assert_int_equal(head.generation, 0);
        assert_int_equal(head.offset, 1);
        assert_int_equal(rows_applied(s->rows, SLICE("a"), &a, &e), RC_NOTFOUND);
        assert_null(rows_hold(s->rows, SLICE("b")));
        assert_null(rows_asked(s->rows, SLICE("y")));
        assert_deselected(s, "c", 0);
        assert_int_equal(deselected(s), 1);
        restart(s);
    }
    assert_ok(rows_begin_anew(s->rows, false, &e));
    assert_int_equal(rows_applied(s->rows, SLICE("c"), &a, &e), RC_NOTFOUND);
    assert_int_equal(deselected(s), 0);
}

static enum rc note_key(void *arg, struct slice key, const struct applied *a, struct err *e)
{
    (void)e;
    char *out = arg;
    strncat(out, key.p, key.n);
    assert_int_equal(a->state, APPLIED_SYNCED);
    return RC_OK;
}

static void a_walk_gives_the_committed_rows_of_a_prefix(void **state)
{
    struct store *s = *state;
    struct err e = ERR_INIT;
    char seen[64] = "";
    set_applied(s, "p/1", 1, "");
    set_applied(s, "q/1", 1, "");
    commit(s, 2);
    set_applied(s, "p/2", 2, "");
    assert_ok(rows_scan_applied(s->rows, SLICE("p/"), note_key, seen, &e));
    assert_string_equal(seen, "p/1");
}

static void rows_that_are_cut_or_unknown_are_corrupt(void **state)
{
    (void)state;
    struct err e = ERR_INIT;
    AUTO(buf_done) struct buf row = BUF_INIT(4096);
    struct hold h = {.offset = 1, .attempts = 2}, back;
    snprintf(h.cls, sizeof h.cls, "c");
    snprintf(h.reason, sizeof h.reason, "r");
    snprintf(h.dependency, sizeof h.dependency, "d");
    hold_encode(&h, &row);
    for (size_t n = 0; n < row.n; n++)
        assert_int_equal(hold_decode(slice_of(row.p, n), &back, &e), RC_CORRUPT);
    assert_ok(hold_decode(buf_slice(&row), &back, &e));
    buf_add_char(&row, 'x');
    assert_int_equal(hold_decode(buf_slice(&row), &back, &e), RC_CORRUPT);
    row.n--;
    assert_ok(hold_decode(buf_slice(&row), &back, &e));
    row.p[34] = '\0'; /* the class */
    assert_int_equal(hold_decode(buf_slice(&row), &back, &e), RC_CORRUPT);
    buf_reset(&row);
    struct applied a = {APPLIED_DESELECTED, 5, SLICE("r")}, got;
    applied_encode(&a, &row);
    for (size_t n = 0; n < 10; n++)
        assert_int_equal(applied_decode(slice_of(row.p, n), &got, &e), RC_CORRUPT);
    assert_ok(applied_decode(buf_slice(&row), &got, &e));
    assert_int_equal(got.state, APPLIED_DESELECTED);
    row.p[1] = 3;
    assert_int_equal(applied_decode(buf_slice(&row), &got, &e), RC_CORRUPT);
    row.p[1] = 1;
    row.p[0] = 2;
    assert_int_equal(applied_decode(buf_slice(&row), &got, &e), RC_UNSUPPORTED);
    row.p[0] = 0;
    assert_int_equal(applied_decode(buf_slice(&row), &got, &e), RC_CORRUPT);
    buf_reset(&row);
    hold_encode(&h, &row);
    row.p[0] = 3;
    assert_int_equal(hold_decode(buf_slice(&row), &back, &e), RC_UNSUPPORTED);
}

static const char GOLDEN_HOLD[] = "02 01 0000 05000000" /* version, waiting, flags, attempts */
                                  "0807060504030201 feffffffffffffff" /* offset, since */
                                  "0700000000000000"                  /* next */
                                  "1100 'namespace-missing' 0200 'no' 0e00 '/namespaces//a'";
static const char GOLDEN_APPLIED[] = "01 02 0807060504030201 'record'";

static void the_rows_are_those_of_the_format_document(void **state)
{
    (void)state;
    AUTO(buf_done) struct buf row = BUF_INIT(4096), golden = BUF_INIT(4096);
    struct err e = ERR_INIT;
    const struct hold h = {.offset = 0x0102030405060708,
                           .waiting = true,
                           .attempts = 5,
                           .since_ns = -2,
                           .next_ns = 7,
                           .cls = "namespace-missing",
                           .reason = "no",
                           .dependency = "/namespaces//a"};
    const struct applied a = {APPLIED_DESELECTED, h.offset, SLICE("record")};
    struct hold hold;
    struct applied applied;
    hold_encode(&h, &row);
    assert_golden(buf_slice(&row), GOLDEN_HOLD);
    golden_read(GOLDEN_HOLD, &golden);
    assert_ok(hold_decode(buf_slice(&golden), &hold, &e));
    assert_true(hold.offset == h.offset && hold.waiting && hold.attempts == 5);
    assert_true(hold.since_ns == -2 && hold.next_ns == 7);
    assert_string_equal(hold.cls, h.cls);
    assert_string_equal(hold.reason, h.reason);
    assert_string_equal(hold.dependency, h.dependency);
    buf_reset(&row);
    buf_reset(&golden);
    applied_encode(&a, &row);
    assert_golden(buf_slice(&row), GOLDEN_APPLIED);
    golden_read(GOLDEN_APPLIED, &golden);
    assert_ok(applied_decode(buf_slice(&golden), &applied, &e));
    assert_int_equal(applied.state, a.state);
    assert_true(applied.offset == a.offset && slice_eq(applied.record, a.record));
}

static void a_hold_of_the_first_version_is_read(void **state)
{
    (void)state;
    AUTO(buf_done) struct buf golden = BUF_INIT(4096);
    struct err e = ERR_INIT;
    struct hold h = {.next_ns = 1};
    golden_read("01 01 0000 05000000 0807060504030201 feffffffffffffff 0100 'c' 0200 'no' 0000",
                &golden);
    assert_ok(hold_decode(buf_slice(&golden), &h, &e));
    assert_true(h.offset == 0x0102030405060708 && h.waiting && h.since_ns == -2 && h.next_ns == 0);
    assert_string_equal(h.cls, "c");
    assert_string_equal(h.reason, "no");
    for (size_t n = 0; n < golden.n; n++)
        assert_int_equal(hold_decode(slice_of(golden.p, n), &h, &e), RC_CORRUPT);
}

static void put_digest_row(struct store *s, const char *golden)
{
    AUTO(buf_done) struct buf bytes = BUF_INIT(4096);
    struct err e = ERR_INIT;
    golden_read(golden, &bytes);
    struct ckpt_row row = {CKPT_APPLIED, SLICE("@replication"), buf_slice(&bytes)};
    struct ckpt_commit what = {.head = {1, 1}, .rows = &row, .n_rows = 1};
    assert_ok(ckpt_commit(s->ckpt, SYNC, &what, &e));
}

static void the_digest_row_is_that_of_the_format_document(void **state)
{
    struct store *s = *state;
    AUTO(buf_done) struct buf row = BUF_INIT(4096);
    const uint8_t digest[REPLICATION_DIGEST] = {7, 8};
    uint8_t back[REPLICATION_DIGEST];
    struct err e = ERR_INIT;
    assert_ok(rows_set_digest(s->rows, digest, &e));
    assert_ok(rows_commit(s->rows, &(struct ckpt_head){1, 1}, SLICE_NULL, &e));
    assert_ok(ckpt_get(s->ckpt, SYNC, CKPT_APPLIED, SLICE("@replication"), &row, &e));
    assert_golden(buf_slice(&row), "01 07 08 00*30");
    put_digest_row(s, "01 09 00*31");
    assert_ok(rows_digest(s->rows, back, &e));
    assert_int_equal(back[0], 9);
    put_digest_row(s, "01 09 00*30");
    assert_int_equal(rows_digest(s->rows, back, &e), RC_CORRUPT);
}

static void a_newer_row_is_named_with_what_can_be_read(void **state)
{
    struct store *s = *state;
    AUTO(buf_done) struct buf row = BUF_INIT(4096);
    uint8_t digest[REPLICATION_DIGEST];
    struct hold hold;
    struct applied applied;
    struct err e = ERR_INIT;
    golden_read(GOLDEN_HOLD, &row);
    row.p[0] = 3;
    assert_newer(hold_decode(buf_slice(&row), &hold, &e), &e, "hold of version 3", "up to 2");
    row.p[0] = 2;
    row.p[3] = 1;
    assert_newer(hold_decode(buf_slice(&row), &hold, &e), &e, "flags 100", "knows none");
    buf_reset(&row);
    golden_read(GOLDEN_APPLIED, &row);
    row.p[0] = 2;
    assert_newer(applied_decode(buf_slice(&row), &applied, &e), &e, "row of version 2", "up to 1");
    put_digest_row(s, "02 09 00*31");
    assert_newer(rows_digest(s->rows, digest, &e), &e, "of version 2", "up to 1");
}

static void a_damaged_hold_stops_the_opening(void **state)
{
    struct store *s = *state;
    struct err e = ERR_INIT;
    struct ckpt_row bad = {CKPT_HOLDS, SLICE("a"), SLICE("\001rubbish")};
    struct ckpt_commit what = {.head = {1, 1}, .rows = &bad, .n_rows = 1};
    struct rows *other = NULL;
    assert_ok(ckpt_commit(s->ckpt, SYNC, &what, &e));
    assert_int_equal(rows_open(s->ckpt, SYNC, &other, &e), RC_CORRUPT);
    assert_null(other);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(a_change_is_seen_at_once_and_survives_only_a_commit),
        TEST(a_dropped_row_is_gone_before_and_after_the_commit),
        TEST(a_hold_comes_back_after_a_restart_and_is_due_at_once),
        TEST(a_dependency_is_awaited_as_long_as_one_hold_waits_for_it),
        TEST(holds_are_counted_by_kind_and_walked_in_order),
        TEST(what_was_given_up_is_stored_so_and_counted_apart),
        TEST(after_a_failed_commit_everything_still_waits),
        TEST(what_is_deselected_is_counted_over_restarts),
        TEST(a_checkpoint_that_does_not_tell_their_number_is_counted),
        TEST(what_begins_anew_keeps_at_most_what_is_deselected),
        TEST(a_walk_gives_the_committed_rows_of_a_prefix),
        TEST(rows_that_are_cut_or_unknown_are_corrupt),
        TEST(the_rows_are_those_of_the_format_document),
        TEST(a_hold_of_the_first_version_is_read),
        TEST(the_digest_row_is_that_of_the_format_document),
        TEST(a_newer_row_is_named_with_what_can_be_read),
        TEST(a_damaged_hold_stops_the_opening),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
