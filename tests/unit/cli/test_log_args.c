/* cli/log_args: points in a log, sets of operations, KIND/NAME; over the log in memory. */
#include "cli/log_args.h"

#include "core/buf.h"
#include "core/env.h"
#include "core/rng.h"
#include "core/key.h"
#include "log/rlog.h"
#include "tests/fakes/fake_clock.h"

#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>

#define START (1767323045 * NS_PER_S) /* 2026-01-02T03:04:05Z */
#define STEP  (60 * NS_PER_S)

/* A log whose events are a minute apart. */
struct world {
    struct fake_clock clock;
    struct rng_seeded rng;
    struct env env;
    struct rlog_mem_store *store;
    struct rlog *log;
};

static void append(struct world *w, enum event_op op, const char *key, const char *body)
{
    struct event ev = {.op = op,
                       .cause = op == EVENT_PUT ? CAUSE_WATCH : CAUSE_SELF,
                       .source_kind = SOURCE_KUBERNETES,
                       .key = slice_str(key),
                       .body = slice_str(body)};
    struct err e = ERR_INIT;
    if (rlog_append(w->log, &ev, 1, RLOG_ANY, NULL, &e) != RC_OK)
        fail_msg("%s", e.msg);
    fake_clock_advance(&w->clock, STEP);
}

static int set_up(void **state)
{
    struct world *w = calloc(1, sizeof *w);
    struct err e = ERR_INIT;
    fake_clock_init(&w->clock, START);
    rng_seeded_init(&w->rng, 1);
    w->env.rng = &w->rng.rng;
    w->env.clock = &w->clock.clock;
    w->store = rlog_mem_store_new();
    assert_int_equal(rlog_mem_open(w->store, RLOG_WRITE, &w->env, &w->log, &e), RC_OK);
    append(w, EVENT_KIND, "@kind/apps/deployments",
           "{\"version\":\"v1\",\"kind\":\"Deployment\",\"singular\":\"deployment\","
           "\"shortNames\":\"deploy\",\"namespaced\":true}");
    append(w, EVENT_KIND, "@kind//configmaps",
           "{\"version\":\"v1\",\"kind\":\"ConfigMap\",\"singular\":\"configmap\","
           "\"shortNames\":\"cm,conf\",\"namespaced\":true}");
    append(w, EVENT_KIND, "@kind/a.example/things",
           "{\"version\":\"v1\",\"kind\":\"Thing\",\"singular\":\"thing\",\"shortNames\":\"\"}");
    append(w, EVENT_KIND, "@kind/b.example/things",
           "{\"version\":\"v1\",\"kind\":\"Thing\",\"singular\":\"thing\",\"shortNames\":\"\"}");
    append(w, EVENT_PUT, "/configmaps/ns/a", "{}");
    *state = w;
    return 0;
}

static int tear_down(void **state)
{
    struct world *w = *state;
    rlog_close(w->log);
    rlog_mem_store_free(w->store);
    free(w);
    return 0;
}

static void a_point_is_an_offset_a_time_or_a_duration_ago(void **state)
{
    struct world *w = *state;
    static const struct {
        const char *text;
        rlog_off at;
    } rows[] = {
        {"offset:1", 1},
        {"offset:4", 4},
        {"offset:99", 99}, /* a point that is still to come */
        {"2026-01-02T03:04:05Z", 1},
        {"2026-01-02T04:04:06+01:00", 2},
        {"2026-01-02T03:06:05Z", 3},
        {"2025-01-01T00:00:00Z", 1},
        {"2027-01-01T00:00:00Z", 6},
        {"1m", 5},
        {"-1m", 5},
        {"1m30s", 5},
        {"2m", 4},
        {"5h", 1},
        {"0s", 6},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        rlog_off at = 0;
        struct err e = ERR_INIT;
        if (log_point(w->log, rows[i].text, w->clock.wall_ns, &at, &e) != RC_OK)
            fail_msg("%s: %s", rows[i].text, e.msg);
        if (at != rows[i].at)
            fail_msg("%s: offset %llu", rows[i].text, (unsigned long long)at);
    }
}

static void what_is_no_point_is_refused_and_changes_nothing(void **state)
{
    struct world *w = *state;
    static const char *const rows[] = {
        "",          "yesterday", "offset:",
        "offset:0",  "offset:-1", "offset: 1",
        "offset:+1", "offset:1x", "offset:99999999999999999999",
        "10",        "--1m",      "2026-01-02",
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        rlog_off at = 77;
        struct err e = ERR_INIT;
        if (log_point(w->log, rows[i], w->clock.wall_ns, &at, &e) != RC_INVALID)
            fail_msg("\"%s\" is taken", rows[i]);
        assert_int_equal(at, 77);
        assert_int_equal(e.retry, ERR_FINAL);
        assert_non_null(strstr(e.msg, rows[i]));
    }
}

static void a_range_ends_behind_its_beginning_and_begins_within_the_log(void **state)
{
    (void)state;
    const struct rlog_range empty = {.from = 5, .until = 5}, turned = {.from = 6, .until = 5};
    struct err e = ERR_INIT;
    assert_int_equal(log_check_range("a", "b", &empty, 9, &e), RC_OK);
    assert_int_equal(log_check_range("a", NULL, &empty, 5, &e), RC_OK);
    assert_int_equal(log_check_range(NULL, "b", &turned, 9, &e), RC_OK); /* of a trimmed log */
    assert_int_equal(log_check_range("a", "b", &turned, 9, &e), RC_INVALID);
    assert_non_null(strstr(e.msg, "--since a is behind --until b"));
    assert_int_equal(log_check_range("offset:5", NULL, &empty, 4, &e), RC_INVALID);
    assert_non_null(strstr(e.msg, "the next event gets offset 4"));
}

static void operations_become_a_set_of_bits(void **state)
{
    (void)state;
    uint32_t set = 0;
    struct err e = ERR_INIT;
    assert_int_equal(log_ops("put", &set, &e), RC_OK);
    assert_int_equal(set, 1u << EVENT_PUT);
    assert_int_equal(log_ops("delete,sync-end,delete", &set, &e), RC_OK);
    assert_int_equal(set, 1u << EVENT_DELETE | 1u << EVENT_SYNC_END);
    assert_int_equal(log_ops("clock", &set, &e), RC_OK);
    assert_int_equal(set, 1u << EVENT_CLOCK);
}

static void a_wrong_operation_is_named_beside_the_right_ones(void **state)
{
    (void)state;
    static const char *const rows[] = {"put,remove", "PUT", ",put", "put, delete", ""};
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        uint32_t set = 77;
        struct err e = ERR_INIT;
        assert_int_equal(log_ops(rows[i], &set, &e), RC_INVALID);
        assert_int_equal(set, 77);
        assert_non_null(strstr(e.msg, "there are put, delete, gap"));
        assert_non_null(strstr(e.msg, "clock"));
    }
}

static void a_kind_may_be_given_by_each_of_its_names_in_any_case(void **state)
{
    struct world *w = *state;
    static const struct {
        const char *text, *scope, *name;
    } rows[] = {
        {"deployments/web", "apps/deployments", "web"},
        {"Deployment/web", "apps/deployments", "web"},
        {"DEPLOY/web", "apps/deployments", "web"},
        {"deployments.apps/web", "apps/deployments", "web"},
        {"cm/a.b", "/configmaps", "a.b"},
        {"conf/a", "/configmaps", "a"},
        {"configmap/a", "/configmaps", "a"},
        {"things.b.example/x", "b.example/things", "x"},
        {"thing.a.example/x", "a.example/things", "x"},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        AUTO(buf_done) struct buf scope = BUF_INIT(KEY_MAX);
        struct slice name = SLICE_NULL;
        struct err e = ERR_INIT;
        if (log_object(w->log, rows[i].text, &scope, &name, &e) != RC_OK)
            fail_msg("%s: %s", rows[i].text, e.msg);
        assert_string_equal(scope.p, rows[i].scope);
        assert_true(slice_eq(name, slice_str(rows[i].name)));
    }
}

static void what_selects_no_object_is_told_why(void **state)
{
    struct world *w = *state;
    static const struct {
        const char *text;
        enum rc rc;
        const char *msg;
    } rows[] = {
        {"web", RC_INVALID, "is not KIND/NAME"},
        {"deploy/", RC_INVALID, "is not KIND/NAME"},
        {"/web", RC_INVALID, "is not KIND/NAME"},
        {"", RC_INVALID, "is not KIND/NAME"},
        {"thing/x", RC_INVALID, "served by several groups; write KIND.GROUP/NAME"},
        {"pods/x", RC_NOTFOUND, "no kind \"pods\"; it has "},
        {"pods/x", RC_NOTFOUND, "apps/deployments"},
        {"deployments.extensions/x", RC_NOTFOUND, "no kind \"deployments\""},
        {"configmaps.apps/x", RC_NOTFOUND, "no kind \"configmaps\""},
        {".apps/x", RC_NOTFOUND, "no kind \"\""},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        AUTO(buf_done) struct buf scope = BUF_INIT(KEY_MAX);
        struct slice name = SLICE_NULL;
        struct err e = ERR_INIT;
        if (log_object(w->log, rows[i].text, &scope, &name, &e) != rows[i].rc)
            fail_msg("%s: %s", rows[i].text, e.msg);
        if (!strstr(e.msg, rows[i].msg))
            fail_msg("%s: %s", rows[i].text, e.msg);
    }
}

static void a_kind_that_is_no_more_is_not_found(void **state)
{
    struct world *w = *state;
    AUTO(buf_done) struct buf scope = BUF_INIT(KEY_MAX);
    struct slice name = SLICE_NULL;
    struct err e = ERR_INIT;
    append(w, EVENT_DELETE, "@kind/a.example/things", "");
    assert_int_equal(log_object(w->log, "thing/x", &scope, &name, &e), RC_OK);
    assert_string_equal(scope.p, "b.example/things");
}

static void a_path_is_one_node_and_with_a_slash_all_below_it(void **state)
{
    static const struct {
        const char *text, *key;
        bool has;
    } rows[] = {
        {"/a", "/a", true},
        {"/a", "/a/b", false},
        {"/a", "/ab", false},
        {"/a/", "/a", true},
        {"/a/", "/a/b/c", true},
        {"/a/", "/ab", false},
        {"/", "/", true},
        {"/", "/zookeeper/quota", true},
        {"/", "@sync//", false},
        {"/configmaps/n/a", "/configmaps/n/a", true},
        {"/namespaces//n", "/namespaces//n", true},
    };
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct log_path p;
        struct err e = ERR_INIT;
        if (log_path(rows[i].text, &p, &e) != RC_OK)
            fail_msg("%s: %s", rows[i].text, e.msg);
        if (log_path_has(&p, slice_str(rows[i].key)) != rows[i].has)
            fail_msg("%s and %s", rows[i].text, rows[i].key);
    }
}

static void what_is_no_path_is_told_why(void **state)
{
    static const char *const rows[][2] = {{"/a/b//c", "has an empty segment"},
                                          {"/a//", "ends in /"},
                                          {"/a/../b/c", "segment . or .."}};
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct log_path p;
        struct err e = ERR_INIT;
        assert_int_equal(log_path(rows[i][0], &p, &e), RC_INVALID);
        if (!strstr(e.msg, rows[i][1]))
            fail_msg("%s: %s", rows[i][0], e.msg);
    }
}

#define T(f) cmocka_unit_test_setup_teardown(f, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        T(a_point_is_an_offset_a_time_or_a_duration_ago),
        T(what_is_no_point_is_refused_and_changes_nothing),
        T(a_range_ends_behind_its_beginning_and_begins_within_the_log),
        T(operations_become_a_set_of_bits),
        T(a_wrong_operation_is_named_beside_the_right_ones),
        T(a_kind_may_be_given_by_each_of_its_names_in_any_case),
        T(what_selects_no_object_is_told_why),
        T(a_kind_that_is_no_more_is_not_found),
        cmocka_unit_test(a_path_is_one_node_and_with_a_slash_all_below_it),
        cmocka_unit_test(what_is_no_path_is_told_why),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
