/* core/event: names of operations and causes, and what an event may hold. */
#include "core/event.h"

#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>
#include <stdio.h>

static struct event sample(void)
{
    return (struct event){.op = EVENT_PUT,
                          .cause = CAUSE_WATCH,
                          .source_kind = SOURCE_KUBERNETES,
                          .key = SLICE("/pods/ns/a")};
}

static void every_operation_has_a_name_that_leads_back_to_it(void **state)
{
    (void)state;
    for (int i = EVENT_PUT; i <= EVENT_TRIM; i++) {
        enum event_op op = EVENT_PUT;
        const char *name = event_op_name((enum event_op)i);
        assert_non_null(name);
        assert_true(event_op_parse(slice_str(name), &op));
        assert_int_equal(op, i);
    }
    assert_string_equal(event_op_name(EVENT_SYNC_BEGIN), "sync-begin");
}

static void numbers_and_names_that_are_none_are_told(void **state)
{
    (void)state;
    enum event_op op = EVENT_FENCE;
    assert_null(event_op_name((enum event_op)0));
    assert_null(event_op_name((enum event_op)14));
    assert_null(event_op_name((enum event_op) - 1));
    assert_false(event_op_parse(SLICE("PUT"), &op));
    assert_false(event_op_parse(SLICE(""), &op));
    assert_false(event_op_parse(SLICE("pu"), &op));
    assert_int_equal(op, EVENT_FENCE);
    assert_null(event_cause_name((enum event_cause)0));
    assert_null(event_cause_name((enum event_cause)6));
    assert_string_equal(event_cause_name(CAUSE_WATCH), "watch");
    assert_string_equal(event_cause_name(CAUSE_SELF), "self");
}

static void the_least_event_passes(void **state)
{
    (void)state;
    struct event ev = sample();
    assert_int_equal(event_check(&ev, NULL), RC_OK);
}

static void unknown_numbers_and_a_missing_key_are_invalid(void **state)
{
    (void)state;
    struct err e = ERR_INIT;
    struct event ev = sample();
    ev.op = (enum event_op)14;
    assert_int_equal(event_check(&ev, &e), RC_INVALID);
    assert_non_null(strstr(e.msg, "/pods/ns/a"));
    assert_non_null(strstr(e.msg, "operation 14"));
    ev = sample();
    ev.cause = (enum event_cause)0;
    assert_int_equal(event_check(&ev, &e), RC_INVALID);
    assert_non_null(strstr(e.msg, "cause 0"));
    ev = sample();
    ev.source_kind = (enum event_source_kind)3;
    assert_int_equal(event_check(&ev, &e), RC_INVALID);
    assert_non_null(strstr(e.msg, "source 3"));
    ev = sample();
    ev.key = SLICE_NULL;
    assert_int_equal(event_check(&ev, &e), RC_INVALID);
}

static char big[EVENT_BODY_MAX + 1];

static void each_text_may_be_as_long_as_its_limit_and_no_longer(void **state)
{
    (void)state;
    struct event ev = sample();
    struct {
        struct slice *at;
        size_t max;
        const char *name;
    } texts[] = {
        {&ev.source, EVENT_TEXT_MAX, "source"},   {&ev.key, EVENT_TEXT_MAX, "key"},
        {&ev.version, EVENT_TEXT_MAX, "version"}, {&ev.uid, EVENT_TEXT_MAX, "uid"},
        {&ev.kind, EVENT_TEXT_MAX, "kind"},       {&ev.api_version, EVENT_TEXT_MAX, "api version"},
        {&ev.user, EVENT_TEXT_MAX, "user"},       {&ev.manager, EVENT_TEXT_MAX, "manager"},
        {&ev.body, EVENT_BODY_MAX, "body"},
    };
    memset(big, 'S', sizeof big);
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++) {
        struct err e = ERR_INIT;
        ev = sample();
        *texts[i].at = slice_of(big, texts[i].max);
        assert_int_equal(event_check(&ev, &e), RC_OK);
        *texts[i].at = slice_of(big, texts[i].max + 1);
        assert_int_equal(event_check(&ev, &e), RC_LIMIT);
        assert_int_equal(e.retry, ERR_FINAL);
        char want[32];
        snprintf(want, sizeof want, "its %s is", texts[i].name);
        assert_non_null(strstr(e.msg, want));
    }
}

static void a_message_never_holds_the_body(void **state)
{
    (void)state;
    struct err e = ERR_INIT;
    struct event ev = sample();
    memset(big, 'S', sizeof big);
    ev.body = slice_of(big, sizeof big);
    assert_int_equal(event_check(&ev, &e), RC_LIMIT);
    assert_null(strstr(e.msg, "SS"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_operation_has_a_name_that_leads_back_to_it),
        cmocka_unit_test(numbers_and_names_that_are_none_are_told),
        cmocka_unit_test(the_least_event_passes),
        cmocka_unit_test(unknown_numbers_and_a_missing_key_are_invalid),
        cmocka_unit_test(each_text_may_be_as_long_as_its_limit_and_no_longer),
        cmocka_unit_test(a_message_never_holds_the_body),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
