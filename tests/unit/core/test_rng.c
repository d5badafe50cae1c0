/* core/rng: the seeded generator's published numbers, and fair numbers below a bound. */
#include "core/rng.h"

#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>
#include <string.h>

static void a_seed_gives_the_numbers_of_splitmix64(void **state)
{
    (void)state;
    struct rng_seeded r;
    rng_seeded_init(&r, 1234567);
    /* The reference implementation's first numbers for this seed. */
    assert_true(rng_u64(&r.rng) == 6457827717110365317u);
    assert_true(rng_u64(&r.rng) == 3203168211198807973u);
    assert_true(rng_u64(&r.rng) == 9817491932198370423u);
}

static void different_seeds_give_different_numbers(void **state)
{
    (void)state;
    struct rng_seeded a, b;
    rng_seeded_init(&a, 1);
    rng_seeded_init(&b, 2);
    assert_true(rng_u64(&a.rng) != rng_u64(&b.rng));
}

static void any_length_can_be_filled(void **state)
{
    (void)state;
    for (size_t n = 0; n < 20; n++) {
        unsigned char bytes[21];
        struct rng_seeded r;
        rng_seeded_init(&r, 7);
        memset(bytes, 0xee, sizeof bytes);
        r.rng.ops->fill(&r.rng, bytes, n);
        assert_int_equal(bytes[n], 0xee);
        struct rng_seeded again;
        rng_seeded_init(&again, 7);
        for (size_t i = 0; i < n; i += 8) {
            uint64_t want = rng_u64(&again.rng);
            for (size_t k = i; k < n && k < i + 8; k++)
                assert_int_equal(bytes[k], (want >> (8 * (k - i))) & 0xff);
        }
    }
}

static void every_number_below_the_bound_comes_about_equally_often(void **state)
{
    (void)state;
    struct rng_seeded r;
    rng_seeded_init(&r, 3);
    int hits[6] = {0};
    for (int i = 0; i < 60000; i++) {
        uint64_t v = rng_below(&r.rng, 6);
        assert_in_range(v, 0, 5);
        hits[v]++;
    }
    for (int i = 0; i < 6; i++)
        assert_in_range(hits[i], 9500, 10500);
}

static void the_smallest_and_the_largest_bound_work(void **state)
{
    (void)state;
    struct rng_seeded r;
    rng_seeded_init(&r, 3);
    assert_int_equal(rng_below(&r.rng, 1), 0);
    for (int i = 0; i < 100; i++)
        assert_true(rng_below(&r.rng, UINT64_MAX) < UINT64_MAX);
}

/* Gives the numbers of an array, one a call. */
struct scripted {
    struct rng rng;
    const uint64_t *next;
};

static void scripted_fill(struct rng *r, void *out, size_t n)
{
    struct scripted *s = (struct scripted *)r;
    assert_int_equal(n, 8);
    uint64_t v = *s->next++;
    for (size_t i = 0; i < n; i++)
        ((unsigned char *)out)[i] = (unsigned char)(v >> (8 * i));
}

static void numbers_that_would_favour_small_results_are_drawn_again(void **state)
{
    (void)state;
    static const struct rng_ops ops = {.fill = scripted_fill};
    /* 2^64 mod 10 is 6: 0 to 5 are surplus. */
    static const uint64_t numbers[] = {0, 5, 6, 13};
    struct scripted s = {.rng = {.ops = &ops}, .next = numbers};
    assert_int_equal(rng_below(&s.rng, 10), 6);
    assert_ptr_equal(s.next, numbers + 3);
    assert_int_equal(rng_below(&s.rng, 10), 3);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_seed_gives_the_numbers_of_splitmix64),
        cmocka_unit_test(different_seeds_give_different_numbers),
        cmocka_unit_test(any_length_can_be_filled),
        cmocka_unit_test(every_number_below_the_bound_comes_about_equally_often),
        cmocka_unit_test(the_smallest_and_the_largest_bound_work),
        cmocka_unit_test(numbers_that_would_favour_small_results_are_drawn_again),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
