/* io/clock_sys: what the system's clocks promise. */
#include "io/clock_sys.h"

#include "core/clock.h"

#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>

static void the_boot_clock_never_goes_back(void **state)
{
    (void)state;
    int64_t last = clock_boot_ns(clock_sys());
    assert_true(last > 0);
    for (int i = 0; i < 10000; i++) {
        int64_t now = clock_boot_ns(clock_sys());
        assert_true(now >= last);
        last = now;
    }
}

static void the_wall_clock_counts_nanoseconds_since_1970(void **state)
{
    (void)state;
    int64_t y2020 = 0, y2200 = 0;
    assert_int_equal(time_parse(SLICE("2020-01-01T00:00:00Z"), &y2020, NULL), RC_OK);
    assert_int_equal(time_parse(SLICE("2200-01-01T00:00:00Z"), &y2200, NULL), RC_OK);
    int64_t now = clock_wall_ns(clock_sys());
    assert_true(now > y2020 && now < y2200);
}

static void there_is_one_instance(void **state)
{
    (void)state;
    assert_ptr_equal(clock_sys(), clock_sys());
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_boot_clock_never_goes_back),
        cmocka_unit_test(the_wall_clock_counts_nanoseconds_since_1970),
        cmocka_unit_test(there_is_one_instance),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
