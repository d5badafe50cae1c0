/* Who the source of a log is, and who it was before. */
#include "tests/unit/flow/flow_test.h"

#include "core/buf.h"
#include "flow/source_identity.h"

#include <stdio.h>

static void say(struct ft_log *log, struct slice body)
{
    ft_append(log, &(struct event){.op = EVENT_EPOCH,
                                   .cause = CAUSE_SELF,
                                   .source_kind = SOURCE_KUBERNETES,
                                   .key = SLICE(SOURCE_KEY),
                                   .body = body});
}

/* The log says that the source is now that one. */
static void becomes(struct ft_log *log, const char *identity)
{
    AUTO(source_identity_done) struct source_identity before = {.doc = NULL};
    AUTO(buf_done) struct buf body = BUF_INIT(EVENT_TEXT_MAX);
    struct err e = ERR_INIT;
    bool first = source_identity_load(log->log, &before, &e) == RC_NOTFOUND;
    source_identity_print(first ? NULL : &before, slice_str(identity), 1, &body);
    assert_ok(buf_check(&body, "body", &e));
    say(log, buf_slice(&body));
}

static void assert_source(struct ft_log *log, const char *want)
{
    AUTO(source_identity_done) struct source_identity s = {.doc = NULL};
    AUTO(buf_done) struct buf text = BUF_INIT(EVENT_TEXT_MAX);
    struct err e = ERR_INIT;
    assert_ok(source_identity_load(log->log, &s, &e));
    buf_add_slice(&text, s.identity);
    for (size_t i = 0; i < s.n_former; i++)
        buf_addf(&text, " %.*s", SLICE_ARG(s.former[i]));
    assert_string_equal(text.p, want);
}

static void a_new_log_knows_nobody(void **state)
{
    struct ft_log log;
    struct source_identity s;
    struct err e = ERR_INIT;
    (void)state;
    ft_log_init(&log);
    assert_int_equal(source_identity_load(log.log, &s, &e), RC_NOTFOUND);
    ft_log_done(&log);
}

static void
those_before_are_kept_the_latest_first_and_one_that_comes_back_is_none_of_them(void **state)
{
    struct ft_log log;
    (void)state;
    ft_log_init(&log);
    becomes(&log, "a");
    assert_source(&log, "a");
    becomes(&log, "a"); /* a regression */
    assert_source(&log, "a");
    becomes(&log, "b");
    becomes(&log, "c");
    assert_source(&log, "c b a");
    becomes(&log, "a");
    assert_source(&log, "a c b");
    ft_log_done(&log);
}

static void of_many_the_oldest_is_forgotten(void **state)
{
    struct ft_log log;
    char name[16];
    (void)state;
    ft_log_init(&log);
    for (int i = 0; i < SOURCE_FORMER_MAX + 3; i++) {
        snprintf(name, sizeof name, "c%d", i);
        becomes(&log, name);
    }
    assert_source(&log, "c10 c9 c8 c7 c6 c5 c4 c3 c2");
    ft_log_done(&log);
}

static void a_body_without_members_of_later_is_read(void **state)
{
    struct ft_log log;
    (void)state;
    ft_log_init(&log);
    say(&log, SLICE("{\"identity\":\"a\",\"incarnation\":1}"));
    assert_source(&log, "a");
    ft_log_done(&log);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_new_log_knows_nobody),
        cmocka_unit_test(
            those_before_are_kept_the_latest_first_and_one_that_comes_back_is_none_of_them),
        cmocka_unit_test(of_many_the_oldest_is_forgotten),
        cmocka_unit_test(a_body_without_members_of_later_is_read),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
