#include "tests/unit/flow/flow_test.h"

#include "flow/ingest_listing.h"
#include "flow/scope.h"
#include "tests/fakes/rlog_fault.h"

static struct event object(const char *key, const char *version)
{
    return (struct event){.op = EVENT_PUT,
                          .cause = CAUSE_LIST,
                          .incarnation = 1,
                          .key = slice_str(key),
                          .version = slice_str(version),
                          .uid = SLICE("u"),
                          .api_version = SLICE("v1"),
                          .body = SLICE("{}")};
}

static bool note(struct listing *l, const struct event *ev)
{
    bool is_new = false;
    struct err e = ERR_INIT;
    assert_ok(listing_note(l, ev, ev->incarnation, &is_new, &e));
    return is_new;
}

/* The keys that are missing, without their common prefix. */
static void assert_missing(struct listing *l, const char *want)
{
    char seen[200] = "";
    for (;;) {
        const struct event *gone = NULL;
        struct err e = ERR_INIT;
        enum rc rc = listing_next_missing(l, &gone, &e);
        if (rc == RC_END)
            break;
        assert_true(rc >= 0);
        if (rc == RC_OK)
            strncat(seen, gone->key.p + sizeof "/configmaps/n/" - 1,
                    gone->key.n - (sizeof "/configmaps/n/" - 1));
    }
    assert_string_equal(seen, want);
}

static void the_log_learns_only_of_what_it_does_not_have_in_that_version(void **state)
{
    (void)state;
    struct ft_log w;
    ft_log_init(&w);
    struct event known = object("/configmaps/n/a", "5");
    struct event gone = object("/configmaps/n/gone", "5");
    ft_append(&w, &known);
    ft_append(&w, &gone);
    gone.op = EVENT_DELETE;
    ft_append(&w, &gone);
    gone.op = EVENT_PUT;
    AUTO(listing_freep)
    struct listing *l = listing_new(&(struct scope){SLICE("/configmaps"), false}, w.log);
    assert_false(note(l, &known));
    struct event other = known;
    other.version = SLICE("6");
    assert_true(note(l, &other));
    other = known;
    other.uid = SLICE("another");
    assert_true(note(l, &other));
    other = known;
    other.api_version = SLICE("v2");
    assert_true(note(l, &other));
    other = known;
    other.incarnation = 2;
    assert_true(note(l, &other));
    assert_true(note(l, &gone));
    other = object("/configmaps/n/new", "1");
    assert_true(note(l, &other));
    struct listing_counts counts = listing_count(l);
    assert_int_equal(counts.listed, 7);
    assert_int_equal(counts.changed, 6);
    assert_true(slice_eq(listing_scope(l), SLICE("/configmaps")));
    listing_free(steal(&l));
    ft_log_done(&w);
}

static void missing_are_the_live_objects_of_the_scope_that_were_not_listed(void **state)
{
    (void)state;
    struct ft_log w;
    ft_log_init(&w);
    const char *keys[] = {"/configmaps/n/a", "/configmaps/n/b",  "/configmaps/n/c",
                          "/configmaps/n/d", "/configmapsx/n/e", "/secrets/n/f"};
    for (size_t i = 0; i < 6; i++) {
        struct event ev = object(keys[i], "1");
        ft_append(&w, &ev);
    }
    ft_delete(&w, "/configmaps/n/d", CAUSE_WATCH);
    AUTO(listing_freep)
    struct listing *l = listing_new(&(struct scope){SLICE("/configmaps"), false}, w.log);
    struct event b = object("/configmaps/n/b", "1");
    note(l, &b);
    assert_missing(l, "ac");
    assert_int_equal(listing_count(l).missing, 2);
    listing_free(steal(&l));
    ft_log_done(&w);
}

static void a_namespaced_scope_reaches_no_other_namespace(void **state)
{
    (void)state;
    struct ft_log w;
    ft_log_init(&w);
    struct event in = object("/configmaps/n/a", "1"), out = object("/configmaps/n2/b", "1");
    ft_append(&w, &in);
    ft_append(&w, &out);
    AUTO(listing_freep)
    struct listing *l = listing_new(&(struct scope){SLICE("/configmaps/n"), false}, w.log);
    assert_missing(l, "a");
    listing_free(steal(&l));
    ft_log_done(&w);
}

static void what_came_into_the_log_since_is_not_missing(void **state)
{
    (void)state;
    struct ft_log w;
    ft_log_init(&w);
    struct event a = object("/configmaps/n/a", "1"), b = object("/configmaps/n/b", "1"),
                 c = object("/configmaps/n/c", "1");
    ft_append(&w, &a);
    AUTO(listing_freep)
    struct listing *l = listing_new(&(struct scope){SLICE("/configmaps"), false}, w.log);
    assert_true(note(l, &b));
    ft_append(&w, &b);
    ft_append(&w, &c);
    assert_missing(l, "a");
    listing_free(steal(&l));
    ft_log_done(&w);
}

static void a_long_search_comes_up_for_air(void **state)
{
    (void)state;
    struct ft_log w;
    ft_log_init(&w);
    AUTO(listing_freep)
    struct listing *l = listing_new(&(struct scope){SLICE("/configmaps"), false}, w.log);
    for (int i = 0; i < 3000; i++) {
        char key[40];
        snprintf(key, sizeof key, "/configmaps/n/k%d", i % 1500);
        struct event ev = object(key, "1");
        if (i < 1500)
            ft_append(&w, &ev);
        else
            assert_false(note(l, &ev));
    }
    const struct event *gone;
    struct err e = ERR_INIT;
    assert_int_equal(listing_next_missing(l, &gone, &e), RC_AGAIN);
    assert_int_equal(listing_next_missing(l, &gone, &e), RC_END);
    listing_free(steal(&l));
    ft_log_done(&w);
}

static void a_log_that_cannot_be_read_is_an_error(void **state)
{
    (void)state;
    struct ft_log w;
    ft_log_init(&w);
    w.log = rlog_fault_new(w.log);
    struct err e = ERR_INIT;
    struct fault_rule broken = {.rc = RC_IO, .retry = ERR_FATAL};
    AUTO(listing_freep)
    struct listing *l = listing_new(&(struct scope){SLICE("/configmaps"), false}, w.log);
    struct event ev = object("/configmaps/n/a", "1");
    const struct event *gone;
    bool is_new;
    rlog_fault_set(w.log, RLOG_FAULT_LAST, &broken);
    assert_int_equal(listing_note(l, &ev, 1, &is_new, &e), RC_IO);
    rlog_fault_set(w.log, RLOG_FAULT_CURSOR, &broken);
    assert_int_equal(listing_next_missing(l, &gone, &e), RC_IO);
    listing_free(steal(&l));
    ft_log_done(&w);
}

static void what_the_source_did_not_tell_of_is_not_missing(void **state)
{
    (void)state;
    struct ft_log w;
    ft_log_init(&w);
    static const char *const KEYS[] = {"/configmaps/n/a", "/configmaps/n/b",   "/configmaps/n/b/c",
                                       "/configmaps/n/d", "/configmaps/n/d/e", "/configmaps/n/dd"};
    for (size_t i = 0; i < sizeof KEYS / sizeof *KEYS; i++) {
        struct event ev = object(KEYS[i], "5");
        ft_append(&w, &ev);
    }
    AUTO(listing_freep)
    struct listing *l = listing_new(&(struct scope){SLICE("/configmaps"), true}, w.log);
    struct err e = ERR_INIT;
    struct slice body = SLICE("{\"unread\":[\"/configmaps/n/b\",\"/configmaps/n/d/\"]}");
    assert_ok(listing_end(l, body, &e));
    assert_missing(l, "ab/cddd");
    assert_int_equal(listing_end(l, SLICE("["), &e), RC_INVALID);
    listing_free(steal(&l));
    ft_log_done(&w);
}

static void what_the_log_surely_lacks_is_counted_and_met(void **state)
{
    (void)state;
    struct ft_log w;
    ft_log_init(&w);
    struct event a = object("/configmaps/n/a", "5"), b = object("/configmaps/n/b", "5");
    struct err e = ERR_INIT;
    ft_append(&w, &a);
    ft_append(&w, &b);
    AUTO(listing_freep)
    struct listing *l = listing_new(&(struct scope){SLICE("/configmaps"), false}, w.log);
    assert_ok(listing_note_unknown(l, SLICE("/configmaps/n/c"), &e));
    assert_ok(listing_note_unknown(l, b.key, &e)); /* as if: it counts as met */
    assert_missing(l, "a");
    assert_ok(listing_note_known(l, SLICE("/configmaps/n/d"), &e));
    assert_int_equal(listing_count(l).listed, 3);
    assert_int_equal(listing_count(l).changed, 2);
    listing_free(steal(&l));
    ft_log_done(&w);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_the_log_surely_lacks_is_counted_and_met),
        cmocka_unit_test(the_log_learns_only_of_what_it_does_not_have_in_that_version),
        cmocka_unit_test(missing_are_the_live_objects_of_the_scope_that_were_not_listed),
        cmocka_unit_test(a_namespaced_scope_reaches_no_other_namespace),
        cmocka_unit_test(what_came_into_the_log_since_is_not_missing),
        cmocka_unit_test(a_long_search_comes_up_for_air),
        cmocka_unit_test(a_log_that_cannot_be_read_is_an_error),
        cmocka_unit_test(what_the_source_did_not_tell_of_is_not_missing),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
