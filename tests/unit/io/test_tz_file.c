/* io/tz_file: names of zones, and the system's own database compared with what the C library makes of it. */
#include "io/tz_file.h"

#include "core/tz.h"

#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

static void what_is_no_zone_is_told(void **state)
{
    (void)state;
    static const char *const names[] = {
        "../../etc/passwd", "/etc/passwd", "Europe/",       "Europe//Madrid",
        "Europe/../UTC",    "5",           "Europe Madrid", "."};
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        struct tz *z = NULL;
        struct err e = ERR_INIT;
        assert_int_equal(tz_load(slice_str(names[i]), &z, &e), RC_INVALID);
        assert_non_null(strstr(e.msg, names[i]));
    }
    struct tz *z = NULL;
    struct err e = ERR_INIT;
    assert_int_equal(tz_load(SLICE("Europe/Atlantis"), &z, &e), RC_NOTFOUND);
    assert_non_null(strstr(e.msg, "tzdata"));
}

static void the_systems_zones_are_as_the_c_library_reads_them(void **state)
{
    (void)state;
    static const char *const names[] = {
        "Europe/Madrid",     "America/New_York", "Asia/Kolkata", "Australia/Lord_Howe",
        "Africa/Casablanca", "America/Nuuk",     "Pacific/Apia", "UTC"};
    if (access("/usr/share/zoneinfo/Europe/Madrid", R_OK) != 0)
        skip();
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        AUTO(tz_freep) struct tz *z = NULL;
        struct err e = ERR_INIT;
        assert_int_equal(tz_load(slice_str(names[i]), &z, &e), RC_OK);
        setenv("TZ", names[i], 1);
        tzset();
        for (int64_t t = 0; t < 3000000000; t += 86400 * 5 + 3571) {
            time_t at = (time_t)t;
            struct tm tm;
            localtime_r(&at, &tm);
            assert_int_equal(tz_offset(z, t), tm.tm_gmtoff);
        }
    }
}

static void the_environment_names_the_own_zone(void **state)
{
    (void)state;
    if (access("/usr/share/zoneinfo/Asia/Kolkata", R_OK) != 0)
        skip();
    AUTO(tz_freep) struct tz *z = NULL;
    AUTO(tz_freep) struct tz *other = NULL;
    struct err e = ERR_INIT;
    setenv("TZ", ":Asia/Kolkata", 1);
    assert_int_equal(tz_load(SLICE_NULL, &z, &e), RC_OK);
    assert_int_equal(tz_offset(z, 1800000000), 19800);
    setenv("TZ", "", 1);
    assert_int_equal(tz_load(SLICE_NULL, &other, &e), RC_OK);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_is_no_zone_is_told),
        cmocka_unit_test(the_systems_zones_are_as_the_c_library_reads_them),
        cmocka_unit_test(the_environment_names_the_own_zone),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
