/* io/kube_frame: watches and lists cut at every byte, damage, limits. */
#include "core/buf.h"
#include "io/kube_frame.h"

#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>

#define assert_slice(s, text) assert_true(slice_eq((s), slice_str(text)))

/* ---- watch ---- */

static const char WATCH[] =
    "{\"type\":\"ADDED\",\"object\":{\"a\":\"}{\\\"\\\\\",\"n\":[1,{}]}}\n"
    " {\"object\" : {\"k\":\"\\u00e4\"} , \"x\":null, \"type\":\"MODIFIED\"}\r\n"
    "{\"type\":\"DELETED\",\"object\":{}}{\"type\":\"BOOKMARK\",\"object\":{\"v\":1e400}}"
    "{\"type\":\"ERROR\",\"object\":{\"kind\":\"Status\"}}\n";

static const struct {
    enum kube_watch_type type;
    const char *object;
} FRAMES[] = {
    {KUBE_ADDED, "{\"a\":\"}{\\\"\\\\\",\"n\":[1,{}]}"},
    {KUBE_MODIFIED, "{\"k\":\"\\u00e4\"}"},
    {KUBE_DELETED, "{}"},
    {KUBE_BOOKMARK, "{\"v\":1e400}"},
    {KUBE_ERROR, "{\"kind\":\"Status\"}"},
};

/* Takes all frames that are there; returns how many were seen in all. */
static size_t take_frames(struct kube_watch_frames *f, size_t seen)
{
    enum kube_watch_type type;
    struct slice object;
    struct err e;
    enum rc rc;
    while ((rc = kube_watch_next(f, &type, &object, &e)) == RC_OK) {
        assert_true(seen < 5);
        assert_int_equal(type, FRAMES[seen].type);
        assert_slice(object, FRAMES[seen].object);
        seen++;
    }
    assert_int_equal(rc, RC_AGAIN);
    return seen;
}

static void a_watch_cut_in_two_at_any_byte_gives_the_same_frames(void **state)
{
    (void)state;
    size_t n = sizeof WATCH - 1;
    for (size_t cut = 0; cut <= n; cut++) {
        AUTO(kube_watch_frames_freep) struct kube_watch_frames *f = kube_watch_frames_new();
        struct err e;
        assert_int_equal(kube_watch_feed(f, slice_of(WATCH, cut), &e), RC_OK);
        size_t seen = take_frames(f, 0);
        assert_int_equal(kube_watch_feed(f, slice_of(WATCH + cut, n - cut), &e), RC_OK);
        assert_int_equal(take_frames(f, seen), 5);
    }
}

static void a_watch_byte_by_byte_gives_the_same_frames(void **state)
{
    (void)state;
    AUTO(kube_watch_frames_freep) struct kube_watch_frames *f = kube_watch_frames_new();
    struct err e;
    size_t seen = 0;
    for (size_t i = 0; i < sizeof WATCH - 1; i++) {
        assert_int_equal(kube_watch_feed(f, slice_of(WATCH + i, 1), &e), RC_OK);
        seen = take_frames(f, seen);
    }
    assert_int_equal(seen, 5);
}

static void D54_what_is_no_watch_frame_is_corrupt_for_ever(void **state)
{
    (void)state;
    const char *const rows[] = {
        "hello ",
        "<html>",
        "]",
        "7 ",
        "\"x\"",
        "[]",
        "{}",
        "null ",
        "{\"type\":\"ADDED\"}",
        "{\"object\":{}}",
        "{\"type\":\"ADDED\",\"object\":null}",
        "{\"type\":\"ADDED\",\"object\":[]}",
        "{\"type\":\"added\",\"object\":{}}",
        "{\"type\":\"SYNC\",\"object\":{}}",
        "{\"type\":7,\"object\":{}}",
        "{\"type\":\"ADDED\",\"object\":{]}}",
        "{\"type\":\"ADDED\" \"object\":{}}",
        "{\"type\":\"ADDED\",,\"object\":{}}",
        "{7:\"ADDED\",\"object\":{}}",
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        AUTO(kube_watch_frames_freep) struct kube_watch_frames *f = kube_watch_frames_new();
        enum kube_watch_type type;
        struct slice object;
        struct err e;
        assert_int_equal(kube_watch_feed(f, slice_str(rows[i]), &e), RC_OK);
        assert_int_equal(kube_watch_next(f, &type, &object, &e), RC_CORRUPT);
        assert_int_equal(e.retry, ERR_RESYNC);
        assert_int_equal(kube_watch_feed(f, SLICE("{\"type\":\"ADDED\",\"object\":{}}"), &e),
                         RC_OK);
        assert_int_equal(kube_watch_next(f, &type, &object, &e), RC_CORRUPT);
    }
}

/* Feeds a frame whose text is n bytes, in pieces; returns what came of it. */
static enum rc feed_sized(struct kube_watch_frames *f, size_t n, struct err *e)
{
    static const char head[] = "{\"type\":\"ADDED\",\"object\":{\"a\":\"", tail[] = "\"}}";
    static char fill[1 << 16];
    enum kube_watch_type type;
    struct slice object;
    memset(fill, 'x', sizeof fill);
    size_t left = n - (sizeof head - 1) - (sizeof tail - 1);
    enum rc rc = kube_watch_feed(f, slice_of(head, sizeof head - 1), e);
    while (rc == RC_OK && left) {
        size_t piece = left < sizeof fill ? left : sizeof fill;
        rc = kube_watch_feed(f, slice_of(fill, piece), e);
        left -= piece;
        if (rc == RC_OK && left) {
            rc = kube_watch_next(f, &type, &object, e);
            rc = rc == RC_AGAIN ? RC_OK : rc;
        }
    }
    if (rc == RC_OK)
        rc = kube_watch_feed(f, slice_of(tail, sizeof tail - 1), e);
    return rc == RC_OK ? kube_watch_next(f, &type, &object, e) : rc;
}

static void a_frame_of_the_greatest_size_is_taken_and_one_byte_more_refused(void **state)
{
    (void)state;
    AUTO(kube_watch_frames_freep) struct kube_watch_frames *f = kube_watch_frames_new();
    struct err e;
    assert_int_equal(feed_sized(f, KUBE_FRAME_MAX, &e), RC_OK);
    assert_int_equal(feed_sized(f, 100, &e), RC_OK);
    assert_int_equal(feed_sized(f, KUBE_FRAME_MAX + 1, &e), RC_LIMIT);
    assert_int_equal(e.retry, ERR_RESYNC);
}

static void bytes_that_nobody_takes_are_bounded(void **state)
{
    (void)state;
    AUTO(kube_watch_frames_freep) struct kube_watch_frames *f = kube_watch_frames_new();
    static char fill[1 << 20];
    struct err e;
    enum rc rc = RC_OK;
    memset(fill, ' ', sizeof fill);
    for (int i = 0; i < 17 && rc == RC_OK; i++)
        rc = kube_watch_feed(f, slice_of(fill, sizeof fill), &e);
    assert_int_equal(rc, RC_LIMIT);
}

/* ---- list ---- */

static const char LIST[] =
    "{\"kind\":\"PodList\",\"apiVersion\":\"v1\",\"items\" : [ {\"a\":\"]}\"} ,\n{\"b\":[[]]},{}],"
    "\"n\":12, "
    "\"metadata\":{\"resourceVersion\":\"77\",\"continue\":\"c\\/d\",\"remainingItemCount\":9}}\n";
static const char *const ITEMS[] = {"{\"a\":\"]}\"}", "{\"b\":[[]]}", "{}"};

static enum rc take_items(struct kube_list_frames *f, size_t *seen)
{
    struct slice item;
    struct err e;
    enum rc rc;
    while ((rc = kube_list_next(f, &item, &e)) == RC_OK) {
        assert_true(*seen < 3);
        assert_slice(item, ITEMS[*seen]);
        ++*seen;
    }
    return rc;
}

static void a_list_cut_in_two_at_any_byte_gives_the_same_items(void **state)
{
    (void)state;
    size_t n = sizeof LIST - 1;
    for (size_t cut = 0; cut < n - 1; cut++) {
        AUTO(kube_list_frames_freep) struct kube_list_frames *f = kube_list_frames_new();
        struct err e;
        size_t seen = 0;
        assert_int_equal(kube_list_feed(f, slice_of(LIST, cut), &e), RC_OK);
        assert_int_equal(take_items(f, &seen), RC_AGAIN);
        assert_int_equal(kube_list_feed(f, slice_of(LIST + cut, n - cut), &e), RC_OK);
        assert_int_equal(take_items(f, &seen), RC_END);
        assert_int_equal(seen, 3);
        assert_int_equal(take_items(f, &seen), RC_END);
        assert_slice(kube_list_version(f), "77");
        assert_slice(kube_list_continue(f), "c/d");
    }
}

static void a_list_byte_by_byte_gives_the_same_items(void **state)
{
    (void)state;
    AUTO(kube_list_frames_freep) struct kube_list_frames *f = kube_list_frames_new();
    struct err e;
    size_t seen = 0;
    enum rc rc = RC_AGAIN;
    for (size_t i = 0; i < sizeof LIST - 1; i++) {
        assert_int_equal(kube_list_feed(f, slice_of(LIST + i, 1), &e), RC_OK);
        rc = take_items(f, &seen);
    }
    assert_int_equal(rc, RC_END);
    assert_int_equal(seen, 3);
}

static void empty_lists_end_without_items(void **state)
{
    (void)state;
    const char *const rows[] = {"{\"items\":[]}", "{\"items\": null }",
                                "{\"metadata\":{\"resourceVersion\":\"\"},\"items\":[ ]}",
                                "{\"items\":[],\"metadata\":null}"};
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        AUTO(kube_list_frames_freep) struct kube_list_frames *f = kube_list_frames_new();
        struct err e;
        size_t seen = 0;
        assert_int_equal(kube_list_feed(f, slice_str(rows[i]), &e), RC_OK);
        assert_int_equal(take_items(f, &seen), RC_END);
        assert_int_equal(seen, 0);
        assert_int_equal(kube_list_version(f).n, 0);
        assert_int_equal(kube_list_continue(f).n, 0);
    }
}

static void what_is_no_list_is_corrupt_and_never_an_empty_one(void **state)
{
    (void)state;
    const char *const rows[] = {
        "{}",
        "{\"kind\":\"Status\",\"code\":500}",
        "[]",
        "<html>",
        "null ",
        "{\"items\":{}}",
        "{\"items\":7}",
        "{\"items\":[7]}",
        "{\"items\":[null]}",
        "{\"items\":[{},]}",
        "{\"items\":[,{}]}",
        "{\"items\":[{}{}]}",
        "{\"items\":[{]]}",
        "{\"items\":[]]",
        "{\"items\":[],}",
        "{\"items\":[]} {}",
        "{\"items\":[],\"items\":[]}",
        "{\"items\" []}",
        "{items:[]}",
        "{\"items\":[],\"metadata\":{\"a\" 1}}",
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        AUTO(kube_list_frames_freep) struct kube_list_frames *f = kube_list_frames_new();
        struct slice item;
        struct err e;
        enum rc rc;
        assert_int_equal(kube_list_feed(f, slice_str(rows[i]), &e), RC_OK);
        while ((rc = kube_list_next(f, &item, &e)) == RC_OK)
            ;
        if (rc != RC_CORRUPT)
            print_error("not refused: %s\n", rows[i]);
        assert_int_equal(rc, RC_CORRUPT);
        assert_int_equal(kube_list_next(f, &item, &e), RC_CORRUPT);
    }
}

static void a_truncated_list_never_ends(void **state)
{
    (void)state;
    AUTO(kube_list_frames_freep) struct kube_list_frames *f = kube_list_frames_new();
    struct err e;
    size_t seen = 0;
    assert_int_equal(kube_list_feed(f, slice_of(LIST, sizeof LIST - 3), &e), RC_OK);
    assert_int_equal(take_items(f, &seen), RC_AGAIN);
    assert_int_equal(seen, 3);
}

/* Anybody who may create one custom resource can nest it this deep. */
static void an_object_that_nests_deep_is_an_item_like_others(void **state)
{
    (void)state;
    enum { DEPTH = 5000 };
    AUTO(kube_list_frames_freep) struct kube_list_frames *f = kube_list_frames_new();
    AUTO(buf_done) struct buf b = BUF_INIT(1 << 20);
    struct slice item;
    struct err e = ERR_INIT;
    buf_add_str(&b, "{\"metadata\":{\"resourceVersion\":\"1\"},\"items\":[{\"spec\":");
    for (int i = 0; i < DEPTH; i++)
        buf_add_char(&b, '[');
    for (int i = 0; i < DEPTH; i++)
        buf_add_char(&b, ']');
    buf_add_str(&b, "}]}");
    assert_int_equal(kube_list_feed(f, buf_slice(&b), &e), RC_OK);
    assert_int_equal(kube_list_next(f, &item, &e), RC_OK);
    assert_int_equal(kube_list_next(f, &item, &e), RC_END);
}

static void a_list_larger_than_any_buffer_passes_item_by_item(void **state)
{
    (void)state;
    AUTO(kube_list_frames_freep) struct kube_list_frames *f = kube_list_frames_new();
    AUTO(buf_done) struct buf item = BUF_INIT(2 << 20);
    struct slice got;
    struct err e;
    buf_add_str(&item, ",{\"a\":\"");
    memset(buf_extend(&item, 1 << 20), 'x', 1 << 20);
    buf_add_str(&item, "\"}");
    assert_int_equal(kube_list_feed(f, SLICE("{\"items\":[{}"), &e), RC_OK);
    assert_int_equal(kube_list_next(f, &got, &e), RC_OK);
    for (int i = 0; i < 20; i++) {
        assert_int_equal(kube_list_feed(f, buf_slice(&item), &e), RC_OK);
        assert_int_equal(kube_list_next(f, &got, &e), RC_OK);
        assert_int_equal(got.n, item.n - 1);
    }
    assert_int_equal(kube_list_feed(f, SLICE("]}"), &e), RC_OK);
    assert_int_equal(kube_list_next(f, &got, &e), RC_END);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_watch_cut_in_two_at_any_byte_gives_the_same_frames),
        cmocka_unit_test(a_watch_byte_by_byte_gives_the_same_frames),
        cmocka_unit_test(D54_what_is_no_watch_frame_is_corrupt_for_ever),
        cmocka_unit_test(a_frame_of_the_greatest_size_is_taken_and_one_byte_more_refused),
        cmocka_unit_test(bytes_that_nobody_takes_are_bounded),
        cmocka_unit_test(a_list_cut_in_two_at_any_byte_gives_the_same_items),
        cmocka_unit_test(a_list_byte_by_byte_gives_the_same_items),
        cmocka_unit_test(empty_lists_end_without_items),
        cmocka_unit_test(what_is_no_list_is_corrupt_and_never_an_empty_one),
        cmocka_unit_test(a_truncated_list_never_ends),
        cmocka_unit_test(an_object_that_nests_deep_is_an_item_like_others),
        cmocka_unit_test(a_list_larger_than_any_buffer_passes_item_by_item),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
