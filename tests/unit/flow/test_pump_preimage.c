/* flow/pump_preimage: what would be overwritten is durable before the item that overwrites it is sent. */
#include "tests/unit/flow/pump_test.h"

#include "core/buf.h"
#include "flow/pump_preimage.h"
#include "tests/unit/format/golden.h"

#define A "/configmaps/n/a"
#define B "/configmaps/n/b"

static void ask_to_keep(struct pump_world *w, const char *key, const char *preimage)
{
    dest_mem_script(
        w->dest, key,
        &(struct sink_script){.outcome = SINK_WAITING, .cls = "pre-image", .preimage = preimage});
}

/* As committed; "" if there is none. */
static void assert_kept(struct pump_world *w, const char *key, const char *want)
{
    AUTO(buf_done) struct buf got = BUF_INIT(1 << 20);
    struct err e = ERR_INIT;
    enum rc rc = preimage_load(w->ckpt, PT_SYNC, slice_str(key), &got, &e);
    assert_int_equal(rc, *want ? RC_OK : RC_NOTFOUND);
    assert_true(slice_eq(buf_slice(&got), slice_str(want)));
}

static void the_item_comes_again_with_what_was_committed(void **state)
{
    struct pump_world *w = *state;
    ask_to_keep(w, A, "old");
    pt_put(w, A, "{}");
    pt_put(w, B, "{}");
    pt_run(w);
    pt_has(w, A, "{}");
    pt_has(w, B, "{}");
    assert_kept(w, A, "old");
    assert_kept(w, B, "");
    assert_int_equal(dest_mem_submits(w->dest, A), 2);
    assert_int_equal(dest_mem_submits(w->dest, B), 1);
    assert_int_equal(pt_status(w).waiting, 0);
    pt_crash(w);
    pt_run(w);
    assert_kept(w, A, "old"); /* for somebody who wants it back */
}

static void what_is_not_durable_is_never_taken_for_kept(void **state)
{
    struct pump_world *w = *state;
    struct err e = ERR_INIT;
    pt_run(w);
    ask_to_keep(w, A, "old");
    ckpt_fault_set(w->ckpt, CKPT_FAULT_COMMIT, &(struct fault_rule){.times = 1000, .rc = RC_IO});
    pt_put(w, A, "{}");
    assert_int_equal(pt_try_run(w, &e), RC_IO);
    pt_lacks(w, A);
    assert_int_equal(dest_mem_submits(w->dest, A), 1);
    pt_crash(w);
    pt_lacks(w, A);
    pt_run(w);
    pt_has(w, A, "{}");
    assert_int_equal(dest_mem_submits(w->dest, A), 3);
}

static void a_life_that_ends_between_keeping_and_writing_is_gone_on_from(void **state)
{
    struct pump_world *w = *state;
    struct err e = ERR_INIT;
    int64_t wake;
    ask_to_keep(w, A, "old");
    pt_put(w, A, "{}");
    while (pt_committed(w) < pt_head(w)) {
        enum rc rc = pt_step(w, &wake, &e);
        assert_true(rc >= 0);
        if (rc == RC_AGAIN)
            pt_wait(w, wake - pt_now(w));
    }
    pt_lacks(w, A);
    pt_crash(w);
    assert_int_equal(pt_status(w).waiting, 1);
    pt_run(w);
    pt_has(w, A, "{}");
    assert_int_equal(dest_mem_submits(w->dest, A), 2);
}

static void another_state_of_the_object_is_kept_in_the_place_of_the_first(void **state)
{
    struct pump_world *w = *state;
    struct err e = ERR_INIT;
    int64_t wake;
    ask_to_keep(w, A, "old");
    pt_put(w, A, "{}");
    while (dest_mem_submits(w->dest, A) == 0)
        assert_true(pt_step(w, &wake, &e) >= 0);
    ask_to_keep(w, A, "changed since");
    pt_run(w);
    pt_has(w, A, "{}");
    assert_kept(w, A, "changed since");
}

static void all_that_were_kept_by_one_commit_go_on_after_it(void **state)
{
    enum { MANY = 300 };
    struct pump_world *w = *state;
    char key[40];
    for (int i = 0; i < MANY; i++) {
        ask_to_keep(w, pt_key(i, key), "old");
        pt_put(w, key, "{}");
    }
    pt_run_for(w, NS_PER_S);
    assert_int_equal(dest_mem_count(w->dest), MANY);
    for (int i = 0; i < MANY; i++)
        assert_in_range(dest_mem_submits(w->dest, pt_key(i, key)), 2, 3);
}

static void a_key_that_has_no_room_for_it_is_held(void **state)
{
    struct pump_world *w = *state;
    char key[EVENT_TEXT_MAX];
    memset(key, 'x', sizeof key);
    memcpy(key, "/configmaps/n/", 14);
    key[EVENT_TEXT_MAX - 4] = '\0';
    ask_to_keep(w, key, "old");
    pt_put(w, key, "{}");
    pt_put(w, A, "{}");
    pt_run(w);
    pt_has(w, A, "{}");
    assert_int_equal(pt_status(w).held, 1);
    pt_lacks(w, key);
}

static void the_row_is_that_of_the_format_document(void **state)
{
    static const char golden[] = "01 0807060504030201 feffffffffffffff 'RLKR'";
    struct pump_world *w = *state;
    AUTO(buf_done) struct buf row = BUF_INIT(4096), want = BUF_INIT(4096);
    struct err e = ERR_INIT;
    struct preimage got;
    AUTO(rows_freep) struct rows *rows = NULL;
    assert_ok(rows_open(w->ckpt, SLICE("team/other"), &rows, &e));
    const struct preimage what = {0x0102030405060708, -2, SLICE("RLKR")};
    assert_ok(preimage_set(rows, SLICE(A), &what, &e));
    assert_ok(rows_commit(rows, &(struct ckpt_head){1, 1}, SLICE_NULL, &e));
    assert_ok(
        ckpt_get(w->ckpt, SLICE("team/other"), CKPT_APPLIED, SLICE("@preimage/" A), &row, &e));
    assert_golden(buf_slice(&row), golden);
    golden_read(golden, &want);
    assert_ok(preimage_decode(buf_slice(&want), &got, &e));
    assert_true(got.offset == what.offset && got.kept_ns == -2 && slice_eq(got.sink, what.sink));
    for (size_t n = 0; n < 17; n++)
        assert_int_equal(preimage_decode(slice_of(row.p, n), &got, &e), RC_CORRUPT);
    row.p[0] = 0;
    assert_int_equal(preimage_decode(buf_slice(&row), &got, &e), RC_CORRUPT);
    row.p[0] = 2;
    assert_int_equal(preimage_decode(buf_slice(&row), &got, &e), RC_UNSUPPORTED);
}

#define T(f) cmocka_unit_test_setup_teardown(f, pt_setup, pt_teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        T(the_item_comes_again_with_what_was_committed),
        T(what_is_not_durable_is_never_taken_for_kept),
        T(a_life_that_ends_between_keeping_and_writing_is_gone_on_from),
        T(another_state_of_the_object_is_kept_in_the_place_of_the_first),
        T(all_that_were_kept_by_one_commit_go_on_after_it),
        T(a_key_that_has_no_room_for_it_is_held),
        T(the_row_is_that_of_the_format_document),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
