/* controller/source_kinds: what the log was told of, and what the source says. */
#include "tests/unit/flow/flow_test.h"

#include "controller/source_kinds.h"
#include "core/map.h"
#include "tests/fakes/fake_producer.h"

static void log_kind(struct ft_log *log, const char *kind, const char *api_version)
{
    char key[200];
    struct err e = ERR_INIT;
    int n = snprintf(key, sizeof key, "@kind/%s", kind);
    const struct event ev = {.op = EVENT_KIND,
                             .cause = CAUSE_SELF,
                             .source_kind = SOURCE_KUBERNETES,
                             .key = slice_of(key, (size_t)n),
                             .api_version = slice_str(api_version),
                             .body = SLICE("{}")};
    assert_ok(rlog_append(log->log, &ev, 1, RLOG_ANY, NULL, &e));
}

static void assert_known(const struct source_kinds *k, const char *wanted)
{
    AUTO(buf_done) struct buf text = BUF_INIT(4096);
    struct map_entry at = {SLICE_NULL, NULL};
    while (map_seek(source_kinds_known(k), at.key, at.key.n > 0, &at))
        buf_addf(&text, "%.*s: %s", SLICE_ARG(at.key), (const char *)at.value);
    assert_string_equal(text.p ? text.p : "", wanted);
}

static void what_the_log_was_told_of_is_known_while_the_source_is_away(void **state)
{
    (void)state;
    struct err e = ERR_INIT;
    struct ft_log log;
    AUTO(source_kinds_freep) struct source_kinds *k = NULL;
    AUTO(producer_closep) struct producer *p = fake_producer_new();
    ft_log_init(&log);
    log_kind(&log, "/configmaps", "v1");
    log_kind(&log, "apps/deployments", "apps/v1beta1");
    log_kind(&log, "apps/deployments", "apps/v1");
    assert_ok(source_kinds_load(log.log, &k, &e));
    assert_false(source_kinds_none(k));
    assert_int_equal(source_kinds_look(k, p, &e), RC_AGAIN);
    assert_known(k, "/configmaps: v1 apps/deployments: v1 ");
    assert_false(source_kinds_serves(k, SLICE("apps/deployments")));
    ft_log_done(&log);
}

static void the_source_says_anew_what_it_serves_and_what_went_stays_known(void **state)
{
    (void)state;
    struct err e = ERR_INIT;
    struct ft_log log;
    AUTO(source_kinds_freep) struct source_kinds *k = NULL;
    AUTO(producer_closep) struct producer *p = fake_producer_new();
    ft_log_init(&log);
    log_kind(&log, "g/widgets", "g/v1");
    assert_ok(source_kinds_load(log.log, &k, &e));
    fake_producer_serve(p, "/configmaps/v1 g/widgets/v2 g/widgets/v1 g/gadgets/v1");
    assert_ok(source_kinds_look(k, p, &e));
    assert_int_equal(source_kinds_look(k, p, &e), RC_AGAIN);
    assert_known(k, "/configmaps: v1 g/gadgets: v1 g/widgets: v2 v1 ");
    assert_true(source_kinds_serves(k, SLICE("g/gadgets")));
    fake_producer_serve(p, "/configmaps/v1 g/widgets/v1");
    assert_ok(source_kinds_look(k, p, &e));
    assert_known(k, "/configmaps: v1 g/gadgets: v1 g/widgets: v1 ");
    assert_false(source_kinds_serves(k, SLICE("g/gadgets")));
    ft_log_done(&log);
}

static void what_a_group_says_in_part_changes_no_version_of_what_is_known(void **state)
{
    (void)state;
    struct err e = ERR_INIT;
    struct ft_log log;
    AUTO(source_kinds_freep) struct source_kinds *k = NULL;
    AUTO(producer_closep) struct producer *p = fake_producer_new();
    ft_log_init(&log);
    log_kind(&log, "g/widgets", "g/v2");
    assert_ok(source_kinds_load(log.log, &k, &e));
    fake_producer_serve(p, "g/widgets/v1? g/gadgets/v1?");
    assert_ok(source_kinds_look(k, p, &e));
    assert_known(k, "g/gadgets: v1 g/widgets: v2 ");
    assert_true(source_kinds_serves(k, SLICE("g/widgets")));
    fake_producer_serve(p, "g/widgets/v2 g/widgets/v1");
    assert_ok(source_kinds_look(k, p, &e));
    assert_known(k, "g/gadgets: v1 g/widgets: v2 v1 ");
    fake_producer_serve(p, "g/widgets/v1?");
    assert_ok(source_kinds_look(k, p, &e));
    assert_known(k, "g/gadgets: v1 g/widgets: v2 v1 ");
    fake_producer_serve(p, "g/widgets/v1");
    assert_ok(source_kinds_look(k, p, &e));
    assert_known(k, "g/gadgets: v1 g/widgets: v1 ");
    ft_log_done(&log);
}

static void without_a_word_of_anybody_there_are_none(void **state)
{
    (void)state;
    struct err e = ERR_INIT;
    struct ft_log log;
    AUTO(source_kinds_freep) struct source_kinds *k = NULL;
    ft_log_init(&log);
    assert_ok(source_kinds_load(log.log, &k, &e));
    assert_true(source_kinds_none(k));
    ft_log_done(&log);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_the_log_was_told_of_is_known_while_the_source_is_away),
        cmocka_unit_test(the_source_says_anew_what_it_serves_and_what_went_stays_known),
        cmocka_unit_test(what_a_group_says_in_part_changes_no_version_of_what_is_known),
        cmocka_unit_test(without_a_word_of_anybody_there_are_none),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
