/* cli/hold_find: which hold KIND/NAME means; over a log and checkpoints in memory. */
#include "cli/hold_find.h"

#include "core/buf.h"
#include "core/env.h"
#include "core/rng.h"
#include "core/scope.h"
#include "flow/pump_rows.h"
#include "log/ckpt.h"
#include "log/rlog.h"
#include "tests/fakes/fake_clock.h"

#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <cmocka.h>
#include <stdlib.h>
#include <string.h>

#define SYNC SLICE("team/sync")

struct world {
    struct fake_clock clock;
    struct rng_seeded rng;
    struct env env;
    struct rlog_mem_store *logs;
    struct rlog *log;
    struct ckpt_mem_store *ckpts;
    struct ckpt *ckpt;
};

static void hold(struct world *w, const char *key, rlog_off offset)
{
    AUTO(buf_done) struct buf bytes = BUF_INIT(4096);
    struct err e = ERR_INIT;
    const struct hold h = {.offset = offset, .attempts = 1, .cls = "invalid"};
    hold_encode(&h, &bytes);
    const struct ckpt_row row = {CKPT_HOLDS, slice_str(key), buf_slice(&bytes)};
    const struct ckpt_commit what = {.head = {1, 1}, .rows = &row, .n_rows = 1};
    assert_int_equal(ckpt_commit(w->ckpt, SYNC, &what, &e), RC_OK);
}

static int set_up(void **state)
{
    struct world *w = calloc(1, sizeof *w);
    struct err e = ERR_INIT;
    fake_clock_init(&w->clock, NS_PER_S);
    rng_seeded_init(&w->rng, 1);
    w->env = (struct env){.clock = &w->clock.clock, .rng = &w->rng.rng};
    w->logs = rlog_mem_store_new();
    w->ckpts = ckpt_mem_store_new();
    assert_int_equal(rlog_mem_open(w->logs, RLOG_WRITE, &w->env, &w->log, &e), RC_OK);
    assert_int_equal(ckpt_mem_open(w->ckpts, &w->ckpt, &e), RC_OK);
    const struct event kind = {
        .op = EVENT_KIND,
        .cause = CAUSE_SELF,
        .source_kind = SOURCE_KUBERNETES,
        .key = SLICE("@kind/apps/deployments"),
        .body = SLICE("{\"version\":\"v1\",\"kind\":\"Deployment\",\"singular\":\"deployment\","
                      "\"shortNames\":\"deploy\",\"namespaced\":true}")};
    assert_int_equal(rlog_append(w->log, &kind, 1, RLOG_ANY, NULL, &e), RC_OK);
    hold(w, "apps/deployments/n/web", 4);
    hold(w, "apps/deployments/n/web2", 5);
    hold(w, "apps/deployments/m/api", 6);
    hold(w, "apps/deployments/n/api", 7);
    hold(w, "apps/deploymentsplus/n/other", 8);
    *state = w;
    return 0;
}

static int tear_down(void **state)
{
    struct world *w = *state;
    rlog_close(w->log);
    rlog_mem_store_free(w->logs);
    ckpt_close(w->ckpt);
    ckpt_mem_store_free(w->ckpts);
    free(w);
    return 0;
}

static void a_key_is_told_from_a_kind_and_a_name(void **state)
{
    (void)state;
    assert_true(hold_find_is_key("apps/deployments/n/web"));
    assert_true(hold_find_is_key("/configmaps/n/a"));
    assert_false(hold_find_is_key("deploy/web"));
    assert_false(hold_find_is_key("web"));
    assert_false(hold_find_is_key(""));
}

static void an_object_is_found_by_its_kind_its_short_name_or_its_key(void **state)
{
    struct world *w = *state;
    static const struct {
        const char *text, *ns;
        bool with_log;
        rlog_off offset;
    } rows[] = {
        {"deploy/web", NULL, true, 4},
        {"Deployment.apps/web2", "n", true, 5},
        {"deployments/api", "m", true, 6},
        {"apps/deployments/n/api", NULL, true, 7},
        {"apps/deployments/n/web", NULL, false, 4},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        AUTO(buf_done) struct buf key = BUF_INIT(4096);
        struct hold h;
        struct err e = ERR_INIT;
        const struct hold_query q = {w->ckpt, SYNC, rows[i].with_log ? w->log : NULL, rows[i].text,
                                     rows[i].ns};
        if (hold_find(&q, &key, &h, &e) != RC_OK)
            fail_msg("%s: %s", rows[i].text, e.msg);
        assert_int_equal(h.offset, rows[i].offset);
        assert_true(slice_starts(buf_slice(&key), SLICE("apps/deployments/")));
    }
}

static void what_is_not_held_or_not_clear_is_refused_with_the_reason(void **state)
{
    struct world *w = *state;
    static const struct {
        const char *text, *ns;
        bool with_log;
        enum rc rc;
        const char *says;
    } rows[] = {
        {"deploy/none", NULL, true, RC_NOTFOUND, "deploy/none is not held by team/sync"},
        {"deploy/other", NULL, true, RC_NOTFOUND, "not held"},
        {"deploy/web", "m", true, RC_NOTFOUND, "of namespace m is not held"},
        {"apps/deployments/n/we", NULL, true, RC_NOTFOUND, "not held"},
        {"apps/deployments/n/web", "m", true, RC_NOTFOUND, "not held"},
        {"deploy/api", NULL, true, RC_INVALID, "2 namespaces (m, n): give -n NAMESPACE"},
        {"pods/web", NULL, true, RC_NOTFOUND, "apps/deployments"},
        {"web", NULL, true, RC_INVALID, "KIND/NAME"},
        {"deploy/web", NULL, false, RC_INVALID, "without the log"},
        {"/a", NULL, false, RC_NOTFOUND, "/a is not held"},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        AUTO(buf_done) struct buf key = BUF_INIT(4096);
        struct hold h;
        struct err e = ERR_INIT;
        const struct hold_query q = {w->ckpt, SYNC, rows[i].with_log ? w->log : NULL, rows[i].text,
                                     rows[i].ns};
        assert_int_equal(hold_find(&q, &key, &h, &e), rows[i].rc);
        if (!strstr(e.msg, rows[i].says))
            fail_msg("%s: %s", rows[i].text, e.msg);
    }
}

static void a_node_is_found_by_its_path(void **state)
{
    struct world *w = *state;
    static const char *const paths[] = {"/a", "/a/b", "/a/b/c"};
    hold(w, "/a", 11);
    hold(w, "/a/b", 12);
    hold(w, "/a/b/c", 13); /* looks like an object of namespace b */
    for (size_t i = 0; i < 3; i++) {
        AUTO(buf_done) struct buf key = BUF_INIT(4096);
        struct hold h;
        struct err e = ERR_INIT;
        const struct hold_query q = {w->ckpt, SYNC, NULL, paths[i], NULL};
        if (hold_find(&q, &key, &h, &e) != RC_OK)
            fail_msg("%s: %s", paths[i], e.msg);
        assert_int_equal(h.offset, 11 + i);
        assert_string_equal(key.p, paths[i]);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_key_is_told_from_a_kind_and_a_name),
        cmocka_unit_test_setup_teardown(an_object_is_found_by_its_kind_its_short_name_or_its_key,
                                        set_up, tear_down),
        cmocka_unit_test_setup_teardown(what_is_not_held_or_not_clear_is_refused_with_the_reason,
                                        set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_node_is_found_by_its_path, set_up, tear_down),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
