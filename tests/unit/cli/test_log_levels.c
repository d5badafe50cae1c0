/* cli/log_levels: what the values of --log-level mean. */
#include "cli/log_levels.h"

#include "controller/resource.h"
#include "tests/fakes/fake_clock.h"

#include <string.h>

#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>

static void nothing(void *arg, const char *line, size_t n)
{
    (void)arg;
    (void)line;
    (void)n;
}

static const struct cluster cluster = {.ns = "n", .name = "c", .full_name = "n/c"};
/* Asks for debug of its processor and of its synchronizer. */
static const struct sync sync_of_file = {
    .full_name = "n/s",
    .source = &cluster,
    .destination = &cluster,
    .levels = {.has = {[SPEAKER_PROCESSOR] = true, [SPEAKER_SYNCHRONIZER] = true}}};

/* Whether that speaker of that sync (NULL: none) says lines of that level. */
static bool sync_says(const struct option_values *given, enum speaker who, const struct sync *sync,
                      enum diag_level level)
{
    struct fake_clock clock;
    struct log_levels levels;
    struct err e = ERR_INIT;
    AUTO(diag_freep) struct diag *speaker = NULL;
    fake_clock_init(&clock, 0);
    if (log_levels_parse(given, &levels, &e) != RC_OK)
        fail_msg("%s", e.msg);
    AUTO(diag_freep)
    struct diag *d = diag_new(&clock.clock, DIAG_TEXT, levels.least, nothing, NULL);
    log_levels_apply(&levels, d);
    assert_int_equal(speaker_bind(d, who, NULL, sync, &speaker, &e), RC_OK);
    return diag_says(speaker, level);
}

static bool says(const struct option_values *given, enum speaker who, enum diag_level level)
{
    return sync_says(given, who, NULL, level);
}

static void without_a_value_it_is_info(void **state)
{
    (void)state;
    const struct option_values none = {.n = 0};
    assert_true(says(&none, SPEAKER_LOG, DIAG_INFO));
    assert_false(says(&none, SPEAKER_LOG, DIAG_DEBUG));
}

static void a_component_may_have_a_level_of_its_own_and_the_last_value_counts(void **state)
{
    (void)state;
    const struct option_values given = {
        {"log=error", "debug", "controller=debug", "warn", "log=debug"}, 5};
    assert_true(says(&given, SPEAKER_LOG, DIAG_DEBUG));
    assert_true(says(&given, SPEAKER_CONTROLLER, DIAG_DEBUG));
    assert_false(says(&given, SPEAKER_PROCESSOR, DIAG_INFO));
    assert_true(says(&given, SPEAKER_PROCESSOR, DIAG_WARN));
}

static void what_a_synchronization_asks_for_counts_where_the_command_line_is_silent(void **state)
{
    (void)state;
    const struct option_values none = {.n = 0}, all = {{"warn"}, 1}, one = {{"processor=info"}, 1};
    assert_true(sync_says(&none, SPEAKER_PROCESSOR, &sync_of_file, DIAG_DEBUG));
    assert_false(sync_says(&none, SPEAKER_RECONCILER, &sync_of_file, DIAG_DEBUG));
    assert_false(sync_says(&all, SPEAKER_PROCESSOR, &sync_of_file, DIAG_INFO));
    assert_false(sync_says(&one, SPEAKER_PROCESSOR, &sync_of_file, DIAG_DEBUG));
    assert_true(sync_says(&one, SPEAKER_SYNCHRONIZER, &sync_of_file, DIAG_DEBUG));
}

static void wrong_values_are_told_with_what_is_allowed(void **state)
{
    (void)state;
    static const struct {
        const char *value, *says;
    } rows[] = {
        {"loud", "--log-level: \"loud\" is no level: debug, info, warn or error"},
        {"", "--log-level: \"\" is no level: debug, info, warn or error"},
        {"log=", "--log-level: \"\" is no level: debug, info, warn or error"},
        {"log=Debug", "--log-level: \"Debug\" is no level: debug, info, warn or error"},
        {"logs=debug", "--log-level: there is no component \"logs\"; there are controller, log, "
                       "eventslistener, processor, synchronizer, reconciler"},
        {"=debug", "--log-level: there is no component \"\"; there are controller, log, "
                   "eventslistener, processor, synchronizer, reconciler"},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        const struct option_values given = {{rows[i].value}, 1};
        struct log_levels levels;
        struct err e = ERR_INIT;
        assert_int_equal(log_levels_parse(&given, &levels, &e), RC_INVALID);
        assert_string_equal(e.msg, rows[i].says);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(without_a_value_it_is_info),
        cmocka_unit_test(a_component_may_have_a_level_of_its_own_and_the_last_value_counts),
        cmocka_unit_test(what_a_synchronization_asks_for_counts_where_the_command_line_is_silent),
        cmocka_unit_test(wrong_values_are_told_with_what_is_allowed),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
