/* core/meter: the text that is exposed, and counting from several threads. */
#include "core/meter.h"

#include "core/buf.h"
#include "core/scope.h"

#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>
#include <pthread.h>

static void assert_printed(struct meter *m, const char *want)
{
    AUTO(buf_done) struct buf out = BUF_INIT(100000);
    meter_print(m, &out);
    assert_string_equal(out.p ? out.p : "", want);
}

static void an_empty_registry_prints_nothing(void **state)
{
    (void)state;
    struct meter *m = meter_new();
    assert_printed(m, "");
    meter_free(m);
    meter_free(NULL);
}

static void values_are_printed_sorted_by_name_and_labels(void **state)
{
    (void)state;
    struct meter *m = meter_new();
    meter_set(meter_get(m, METER_GAUGE, "resilog_lag", "Records behind.", "sync=\"b\""), -5);
    meter_add(meter_get(m, METER_COUNTER, "resilog_events_total", "Events.", ""), 3);
    meter_set(meter_get(m, METER_GAUGE, "resilog_lag", "Records behind.", "sync=\"a\""), 7);
    assert_printed(m, "# HELP resilog_events_total Events.\n"
                      "# TYPE resilog_events_total counter\n"
                      "resilog_events_total 3\n"
                      "# HELP resilog_lag Records behind.\n"
                      "# TYPE resilog_lag gauge\n"
                      "resilog_lag{sync=\"a\"} 7\n"
                      "resilog_lag{sync=\"b\"} -5\n");
    meter_free(m);
}

static void the_same_name_and_labels_are_the_same_value(void **state)
{
    (void)state;
    struct meter *m = meter_new();
    struct meter_value *a = meter_get(m, METER_COUNTER, "resilog_x", "h", "k=\"1\"");
    struct meter_value *other = meter_get(m, METER_COUNTER, "resilog_x", "h", "k=\"2\"");
    assert_ptr_equal(meter_get(m, METER_COUNTER, "resilog_x", "h", "k=\"1\""), a);
    assert_ptr_not_equal(a, other);
    meter_add(a, 2);
    meter_add(a, 3);
    assert_int_equal(meter_read(a), 5);
    assert_int_equal(meter_read(other), 0);
    meter_free(m);
}

static void the_first_use_fixes_help_and_type(void **state)
{
    (void)state;
    struct meter *m = meter_new();
    meter_get(m, METER_GAUGE, "resilog_x", "first", "");
    meter_get(m, METER_COUNTER, "resilog_x", "second", "");
    assert_printed(m, "# HELP resilog_x first\n# TYPE resilog_x gauge\nresilog_x 0\n");
    meter_free(m);
}

static void a_help_text_can_not_break_the_format(void **state)
{
    (void)state;
    struct meter *m = meter_new();
    meter_get(m, METER_GAUGE, "resilog_x", "a\nb\\c\"d", "");
    assert_printed(m, "# HELP resilog_x a\\nb\\\\c\"d\n# TYPE resilog_x gauge\nresilog_x 0\n");
    meter_free(m);
}

static void without_a_registry_nothing_is_counted(void **state)
{
    (void)state;
    struct meter_value *v = meter_get(NULL, METER_GAUGE, "resilog_x", "h", "");
    assert_null(v);
    meter_add(v, 1);
    meter_set(v, 1);
    assert_int_equal(meter_read(v), 0);
    assert_printed(NULL, "");
}

static void *count_many(void *arg)
{
    struct meter *m = arg;
    struct meter_value *shared = meter_get(m, METER_GAUGE, "resilog_shared", "h", "");
    for (int i = 0; i < 100000; i++)
        meter_add(shared, 1);
    for (int i = 0; i < 2000; i++)
        meter_add(meter_get(m, METER_COUNTER, "resilog_x", "h", i % 2 ? "k=\"1\"" : "k=\"2\""), 1);
    return NULL;
}

static void counts_of_several_threads_add_up(void **state)
{
    (void)state;
    struct meter *m = meter_new();
    pthread_t threads[4];
    for (size_t i = 0; i < 4; i++)
        assert_int_equal(pthread_create(&threads[i], NULL, count_many, m), 0);
    AUTO(buf_done) struct buf out = BUF_INIT(100000);
    meter_print(m, &out);
    for (size_t i = 0; i < 4; i++)
        pthread_join(threads[i], NULL);
    assert_printed(m, "# HELP resilog_shared h\n# TYPE resilog_shared gauge\n"
                      "resilog_shared 400000\n"
                      "# HELP resilog_x h\n# TYPE resilog_x counter\n"
                      "resilog_x{k=\"1\"} 4000\nresilog_x{k=\"2\"} 4000\n");
    meter_free(m);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_empty_registry_prints_nothing),
        cmocka_unit_test(values_are_printed_sorted_by_name_and_labels),
        cmocka_unit_test(the_same_name_and_labels_are_the_same_value),
        cmocka_unit_test(the_first_use_fixes_help_and_type),
        cmocka_unit_test(a_help_text_can_not_break_the_format),
        cmocka_unit_test(without_a_registry_nothing_is_counted),
        cmocka_unit_test(counts_of_several_threads_add_up),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
