/* flow/ingest_recent: nothing is taken for known that was not looked up just so. */
#include "tests/unit/flow/flow_test.h"

#include "flow/ingest_recent.h"

static struct event put(const char *key, const char *version, const char *uid)
{
    return (struct event){.op = EVENT_PUT,
                          .incarnation = 7,
                          .key = slice_str(key),
                          .version = slice_str(version),
                          .uid = slice_str(uid)};
}

static void what_was_noted_is_known_until_it_is_forgotten(void **state)
{
    (void)state;
    AUTO(recent_freep) struct recent *r = recent_new();
    const struct event a = put("/a", "1", "u"), newer = put("/a", "2", "u");
    const struct event other = put("/a", "1", "v"), b = put("/b", "1", "u");
    assert_false(recent_is(r, &a, 7));
    recent_note(r, &a);
    assert_true(recent_is(r, &a, 7));
    assert_false(recent_is(r, &a, 8));
    assert_false(recent_is(r, &newer, 7));
    assert_false(recent_is(r, &other, 7));
    assert_false(recent_is(r, &b, 7));
    recent_note(r, &newer);
    assert_false(recent_is(r, &a, 7));
    assert_true(recent_is(r, &newer, 7));
    recent_forget(r, SLICE("/b"));
    assert_true(recent_is(r, &newer, 7));
    recent_forget(r, SLICE("/a"));
    assert_false(recent_is(r, &newer, 7));
}

static void of_more_than_it_holds_it_knows_the_last_ones_or_nothing(void **state)
{
    (void)state;
    AUTO(recent_freep) struct recent *r = recent_new();
    char key[32];
    size_t known = 0;
    for (int i = 0; i < 100000; i++) {
        snprintf(key, sizeof key, "/n%d", i);
        const struct event ev = put(key, "1", "u");
        recent_note(r, &ev);
        assert_true(recent_is(r, &ev, 7));
    }
    for (int i = 0; i < 100000; i++) {
        snprintf(key, sizeof key, "/n%d", i);
        const struct event ev = put(key, "1", "u"), wrong = put(key, "2", "u");
        known += recent_is(r, &ev, 7);
        assert_false(recent_is(r, &wrong, 7));
    }
    assert_in_range(known, 1, 8192);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_was_noted_is_known_until_it_is_forgotten),
        cmocka_unit_test(of_more_than_it_holds_it_knows_the_last_ones_or_nothing),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
