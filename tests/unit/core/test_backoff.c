/* core/backoff: how long to wait after each failure, its bounds and its start anew. */
#include "core/backoff.h"

#include "core/rng.h"

#include <stdbool.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>

static void waits_lie_in_the_upper_half_of_a_doubling_ceiling(void **state)
{
    (void)state;
    struct rng_seeded r;
    for (uint64_t seed = 0; seed < 50; seed++) {
        rng_seeded_init(&r, seed);
        struct backoff b = {.first_ns = 100, .max_ns = 1500};
        static const int64_t ceiling[] = {100, 200, 400, 800, 1500, 1500, 1500};
        for (size_t i = 0; i < sizeof ceiling / sizeof *ceiling; i++)
            assert_in_range(backoff_next_ns(&b, &r.rng), ceiling[i] / 2, ceiling[i]);
        assert_int_equal(b.attempts, 7);
    }
}

static void chance_reaches_both_ends(void **state)
{
    (void)state;
    struct rng_seeded r;
    rng_seeded_init(&r, 1);
    bool low = false, high = false;
    for (int i = 0; i < 200; i++) {
        struct backoff b = {.first_ns = 10, .max_ns = 10};
        int64_t ns = backoff_next_ns(&b, &r.rng);
        low |= ns == 5;
        high |= ns == 10;
    }
    assert_true(low && high);
}

static void a_success_starts_from_the_beginning(void **state)
{
    (void)state;
    struct rng_seeded r;
    rng_seeded_init(&r, 1);
    struct backoff b = {.first_ns = 100, .max_ns = 100000};
    for (int i = 0; i < 5; i++)
        backoff_next_ns(&b, &r.rng);
    backoff_reset(&b);
    assert_in_range(backoff_next_ns(&b, &r.rng), 50, 100);
}

static void the_extremes_do_not_overflow(void **state)
{
    (void)state;
    struct rng_seeded r;
    rng_seeded_init(&r, 1);
    struct backoff b = {.first_ns = 1, .max_ns = INT64_MAX, .attempts = UINT32_MAX};
    assert_true(backoff_next_ns(&b, &r.rng) >= INT64_MAX / 2);
    assert_true(b.attempts == UINT32_MAX);
}

static void a_first_wait_above_the_limit_is_cut_to_it(void **state)
{
    (void)state;
    struct rng_seeded r;
    rng_seeded_init(&r, 1);
    struct backoff b = {.first_ns = 1000, .max_ns = 10};
    assert_in_range(backoff_next_ns(&b, &r.rng), 5, 10);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(waits_lie_in_the_upper_half_of_a_doubling_ceiling),
        cmocka_unit_test(chance_reaches_both_ends),
        cmocka_unit_test(a_success_starts_from_the_beginning),
        cmocka_unit_test(the_extremes_do_not_overflow),
        cmocka_unit_test(a_first_wait_above_the_limit_is_cut_to_it),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
