/* core/yaml_scalar: what kubectl's reader makes of plain scalars. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "core/buf.h"
#include "core/scope.h"
#include "core/yaml_scalar.h"

static const struct row {
    const char *text;
    enum yaml_kind kind;
    const char *json; /* NULL: nothing is printed */
} rows[] = {
    {"", YAML_NULL, "null"},
    {"~", YAML_NULL, "null"},
    {"null", YAML_NULL, "null"},
    {"Null", YAML_NULL, "null"},
    {"NULL", YAML_NULL, "null"},
    {"nULL", YAML_STRING, NULL},
    {"~~", YAML_STRING, NULL},

    {"y", YAML_BOOL, "true"},
    {"Y", YAML_BOOL, "true"},
    {"yes", YAML_BOOL, "true"},
    {"Yes", YAML_BOOL, "true"},
    {"YES", YAML_BOOL, "true"},
    {"true", YAML_BOOL, "true"},
    {"True", YAML_BOOL, "true"},
    {"TRUE", YAML_BOOL, "true"},
    {"on", YAML_BOOL, "true"},
    {"On", YAML_BOOL, "true"},
    {"ON", YAML_BOOL, "true"},
    {"n", YAML_BOOL, "false"},
    {"N", YAML_BOOL, "false"},
    {"no", YAML_BOOL, "false"},
    {"No", YAML_BOOL, "false"},
    {"NO", YAML_BOOL, "false"},
    {"false", YAML_BOOL, "false"},
    {"False", YAML_BOOL, "false"},
    {"FALSE", YAML_BOOL, "false"},
    {"off", YAML_BOOL, "false"},
    {"Off", YAML_BOOL, "false"},
    {"OFF", YAML_BOOL, "false"},
    {"yEs", YAML_STRING, NULL},
    {"tRUE", YAML_STRING, NULL},
    {"nope", YAML_STRING, NULL},
    {"onn", YAML_STRING, NULL},

    {"0", YAML_INT, "0"},
    {"7", YAML_INT, "7"},
    {"-7", YAML_INT, "-7"},
    {"+7", YAML_INT, "7"},
    {"9223372036854775807", YAML_INT, "9223372036854775807"},
    {"-9223372036854775808", YAML_INT, "-9223372036854775808"},
    {"18446744073709551615", YAML_INT, "18446744073709551615"},
    {"9007199254740993", YAML_INT, "9007199254740993"},
    {"-9223372036854775809", YAML_FLOAT, "-9223372036854775809"},
    {"18446744073709551616", YAML_FLOAT, "18446744073709551616"},
    {"1_000", YAML_INT, "1000"},
    {"1__0_", YAML_INT, "10"},
    {"_1", YAML_STRING, NULL},
    {"-_1", YAML_INT, "-1"},

    {"0777", YAML_INT, "511"},
    {"00", YAML_INT, "0"},
    {"-017", YAML_INT, "-15"},
    {"0888", YAML_FLOAT, "888"},
    {"08", YAML_FLOAT, "8"},
    {"0777777777777777777777777", YAML_FLOAT, "777777777777777777777777"},
    {"0o17", YAML_INT, "15"},
    {"0O17", YAML_INT, "15"},
    {"0o8", YAML_STRING, NULL},
    {"0x1f", YAML_INT, "31"},
    {"0X1F", YAML_INT, "31"},
    {"-0x1f", YAML_INT, "-31"},
    {"+0x1f", YAML_INT, "31"},
    {"0x", YAML_STRING, NULL},
    {"0xg", YAML_STRING, NULL},
    {"0b101", YAML_INT, "5"},
    {"0B11", YAML_INT, "3"},
    {"0b2", YAML_STRING, NULL},
    {"0b", YAML_STRING, NULL},
    {"-0b1", YAML_INT, "-1"},
    {"0xffffffffffffffff", YAML_INT, "18446744073709551615"},
    {"0x10000000000000000", YAML_TOO_BIG, NULL},
    {"-0x8000000000000000", YAML_INT, "-9223372036854775808"},
    {"-0x8000000000000001", YAML_TOO_BIG, NULL},
    {"0x1_f", YAML_INT, "31"},
    {"0x1.8", YAML_STRING, NULL},

    {"1.0", YAML_FLOAT, "1.0"},
    {"1.10", YAML_FLOAT, "1.10"},
    {"-0.0", YAML_FLOAT, "-0.0"},
    {"1e3", YAML_FLOAT, "1e3"},
    {"1E+3", YAML_FLOAT, "1E+3"},
    {"1.", YAML_FLOAT, "1"},
    {"1.e5", YAML_FLOAT, "1e5"},
    {".5", YAML_FLOAT, "0.5"},
    {"-.5", YAML_FLOAT, "-0.5"},
    {"+.5e1", YAML_FLOAT, "0.5e1"},
    {"01.5", YAML_FLOAT, "1.5"},
    {"00.5", YAML_FLOAT, "0.5"},
    {"1_0.5", YAML_FLOAT, "10.5"},
    {"1e308", YAML_FLOAT, "1e308"},
    {"1.7976931348623157e308", YAML_FLOAT, "1.7976931348623157e308"},
    {"1.8e308", YAML_STRING, NULL},
    {"1e400", YAML_STRING, NULL},
    {"1e-400", YAML_FLOAT, "1e-400"},
    {"123456e4000000000000000000000", YAML_STRING, NULL},
    {"0e4000000000000000000000", YAML_FLOAT, "0e4000000000000000000000"},
    {"1e-99999999999999999999", YAML_FLOAT, "1e-99999999999999999999"},
    {".", YAML_STRING, NULL},
    {"..", YAML_STRING, NULL},
    {"-", YAML_STRING, NULL},
    {"+", YAML_STRING, NULL},
    {"--1", YAML_STRING, NULL},
    {"+-1", YAML_STRING, NULL},
    {"-.", YAML_STRING, NULL},
    {"1e", YAML_STRING, NULL},
    {"1e+", YAML_STRING, NULL},
    {"1.2.3", YAML_STRING, NULL},
    {".5_0", YAML_STRING, NULL},
    {"._5", YAML_STRING, NULL},
    {"1 ", YAML_STRING, NULL},
    {"1h", YAML_STRING, NULL},
    {"100m", YAML_STRING, NULL},
    {"10.0.0.1", YAML_STRING, NULL},
    {"190:20:30", YAML_STRING, NULL},
    {"2001-12-14", YAML_STRING, NULL},
    {"2001-12-14T21:59:43Z", YAML_STRING, NULL},
    {"1-2", YAML_STRING, NULL},
    {"5e", YAML_STRING, NULL},
    {"1234567e8", YAML_FLOAT, "1234567e8"},

    {".inf", YAML_NOT_FINITE, NULL},
    {"+.Inf", YAML_NOT_FINITE, NULL},
    {"-.INF", YAML_NOT_FINITE, NULL},
    {".nan", YAML_NOT_FINITE, NULL},
    {".NaN", YAML_NOT_FINITE, NULL},
    {"inf", YAML_STRING, NULL},
    {"nan", YAML_STRING, NULL},
    {"-inf", YAML_STRING, NULL},
    {"infinity", YAML_STRING, NULL},
    {"text", YAML_STRING, NULL},
    {"<<", YAML_STRING, NULL},
    {"=", YAML_STRING, NULL},
    {"\xc3\xa9", YAML_STRING, NULL},
    {"_", YAML_STRING, NULL},
    {"-_", YAML_STRING, NULL},
};

static void B33_each_spelling_has_the_kind_that_kubectl_gives_it(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        AUTO(buf_done) struct buf json = BUF_INIT(256);
        enum yaml_kind kind = yaml_scalar(slice_str(rows[i].text), &json);
        if (kind != rows[i].kind || !slice_eq(buf_slice(&json), slice_str(rows[i].json)))
            fail_msg("%s: kind %d, text %.*s", rows[i].text, (int)kind,
                     SLICE_ARG(buf_slice(&json)));
    }
}

static void a_scalar_of_thousands_of_digits_is_a_string(void **state)
{
    (void)state;
    char digits[5000];
    memset(digits, '1', sizeof digits);
    AUTO(buf_done) struct buf json = BUF_INIT(256);
    assert_int_equal(yaml_scalar(slice_of(digits, sizeof digits), &json), YAML_STRING);
    assert_int_equal(yaml_scalar(slice_of(digits, 4096), &json), YAML_STRING);
    assert_int_equal(yaml_scalar(slice_of(digits, 200), &json), YAML_FLOAT);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(B33_each_spelling_has_the_kind_that_kubectl_gives_it),
        cmocka_unit_test(a_scalar_of_thousands_of_digits_is_a_string),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
