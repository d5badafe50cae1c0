/* io/zk: what callers see of errors and of sizes; test_zk_jute compares each size with its bytes. */
#include "io/zk.h"

#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>

static void errors_have_names(void **state)
{
    (void)state;
    assert_string_equal(zk_error_name(ZK_OK), "ok");
    assert_string_equal(zk_error_name(ZK_NO_NODE), "no node");
    assert_string_equal(zk_error_name(-115), "authentication failed");
    assert_string_equal(zk_error_name(12345), "unknown error");
}

/* So that a batch may be filled by the sum of its calls' sizes. */
static void a_multi_is_no_longer_than_its_parts_sent_alone_and_a_head(void **state)
{
    (void)state;
    const struct zk_call parts[] = {
        {.op = ZK_CREATE, .path = SLICE("/a"), .data = SLICE("data")},
        {.op = ZK_SET_DATA, .path = SLICE("/b"), .null_data = true},
        {.op = ZK_DELETE, .path = SLICE("/c")},
    };
    const struct zk_call multi = {.op = ZK_MULTI, .parts = parts, .n_parts = 3};
    const struct zk_call none = {.op = ZK_MULTI};
    size_t alone = 0;
    for (size_t i = 0; i < multi.n_parts; i++)
        alone += zk_call_size(&parts[i]);
    assert_true(zk_call_size(&multi) <= alone + zk_call_size(&none));
}

struct counting {
    struct zk base;
    int closed;
};

static void count_close(struct zk *z)
{
    ((struct counting *)z)->closed++;
}

static void closing_ends_the_session_once_and_takes_null(void **state)
{
    (void)state;
    const struct zk_ops ops = {.close = count_close};
    struct counting c = {.base.ops = &ops};
    zk_close(&c.base);
    zk_close(NULL);
    assert_int_equal(c.closed, 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(errors_have_names),
        cmocka_unit_test(a_multi_is_no_longer_than_its_parts_sent_alone_and_a_head),
        cmocka_unit_test(closing_ends_the_session_once_and_takes_null),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
