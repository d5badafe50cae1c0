/* controller/order_line: orders and answers as lines; what is none is refused. */
#include "controller/order_line.h"

#include "controller/order_board.h"
#include "core/buf.h"
#include "core/scope.h"

#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>
#include <stdio.h>
#include <string.h>

static void an_order_comes_back_as_it_was(void **state)
{
    (void)state;
    static const struct order orders[] = {
        {HOLD_RETRY, "default/s", ""},
        {HOLD_ADOPT, "a/b", ""},
        {HOLD_LOOK, "a/b", ""},
        {HOLD_SKIP, "team/a", "rbac.authorization.k8s.io/clusterroles//system:\"x\"\n"},
    };
    for (size_t i = 0; i < sizeof orders / sizeof *orders; i++) {
        AUTO(buf_done) struct buf line = BUF_INIT(16384);
        struct order back;
        struct err e = ERR_INIT;
        order_print(&orders[i], &line);
        assert_null(strchr(line.p, '\n'));
        assert_int_equal(order_parse(buf_slice(&line), &back, &e), RC_OK);
        assert_int_equal(back.act, orders[i].act);
        assert_string_equal(back.sync, orders[i].sync);
        assert_string_equal(back.key, orders[i].key);
    }
}

static void what_is_no_order_is_refused(void **state)
{
    (void)state;
    static const char *const rows[] = {
        "",
        "retry",
        "[]",
        "{}",
        "{\"order\":\"retry\"}",
        "{\"order\":\"retry\",\"sync\":\"\",\"key\":\"\"}",
        "{\"order\":\"adopt\",\"sync\":\"default/s\"}",
        "{\"order\":\"adopt\",\"sync\":\"default/s\",\"key\":5}",
        "{\"order\":\"delete\",\"sync\":\"default/s\",\"key\":\"\"}",
        "{\"order\":5,\"sync\":\"default/s\",\"key\":\"\"}",
        "{\"order\":\"skip\",\"sync\":\"a\\u0000b\",\"key\":\"x\"}",
        "{\"order\":\"skip\",\"sync\":\"a\",\"key\":\"x\"} {}",
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct order o = {.key = "untouched"};
        struct err e = ERR_INIT;
        if (order_parse(slice_str(rows[i]), &o, &e) != RC_INVALID)
            fail_msg("%s is taken", rows[i]);
        assert_string_equal(o.key, "untouched");
    }
    AUTO(buf_done) struct buf line = BUF_INIT(65536);
    struct order o;
    struct err e = ERR_INIT;
    buf_addf(&line, "{\"order\":\"skip\",\"sync\":\"s\",\"key\":\"%0*d\"}", KEY_MAX + 1, 1);
    assert_int_equal(order_parse(buf_slice(&line), &o, &e), RC_INVALID);
}

static void an_answer_comes_back_as_it_was(void **state)
{
    (void)state;
    struct order_answer answers[3] = {{.n = 12, .at_rest = true}, {.n = 0}, {.n = 0}};
    (void)err_set(&answers[1].e, RC_NOTFOUND, ERR_FINAL, "/configmaps/n/\"a\" is not held");
    (void)err_set(&answers[2].e, RC_UNSUPPORTED, ERR_FINAL, "x");
    for (size_t i = 0; i < 3; i++) {
        AUTO(buf_done) struct buf line = BUF_INIT(16384);
        struct order_answer back;
        struct err e = ERR_INIT;
        order_answer_print(&answers[i], &line);
        assert_int_equal(order_answer_parse(buf_slice(&line), &back, &e), RC_OK);
        assert_int_equal(back.n, answers[i].n);
        assert_int_equal(back.at_rest, answers[i].at_rest);
        assert_int_equal(back.e.rc, answers[i].e.rc);
        assert_string_equal(back.e.msg, answers[i].e.msg);
    }
}

static void what_is_no_answer_is_refused(void **state)
{
    (void)state;
    static const char *const rows[] = {
        "x",
        "{}",
        "{\"result\":\"ok\"}",
        "{\"result\":\"ok\",\"n\":-1}",
        "{\"result\":\"fine\",\"n\":1}",
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct order_answer a;
        struct err e = ERR_INIT;
        if (order_answer_parse(slice_str(rows[i]), &a, &e) != RC_INVALID)
            fail_msg("%s is taken", rows[i]);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_order_comes_back_as_it_was),
        cmocka_unit_test(what_is_no_order_is_refused),
        cmocka_unit_test(an_answer_comes_back_as_it_was),
        cmocka_unit_test(what_is_no_answer_is_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
