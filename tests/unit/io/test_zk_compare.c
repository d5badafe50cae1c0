/* io/zk_compare on two modelled ensembles. */
#include "io/zk_compare.h"

#include "core/buf.h"
#include "core/rng.h"
#include "io/zk.h"
#include "io/zk_walk.h"
#include "tests/fakes/fake_clock.h"
#include "tests/fakes/fake_zk.h"

#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>
#include <stdio.h>

enum { S, D };

struct world {
    struct fake_clock clock;
    struct fake_zk *w[2];
    struct zk *z[2];
    struct zk_walk *walk[2];
    struct zk_compare *c;
    struct buf said;
    uint64_t equal;
};

static int setup(void **state)
{
    struct world *t = calloc(1, sizeof(*t));
    assert_non_null(t);
    fake_clock_init(&t->clock, NS_PER_S);
    buf_init(&t->said, 1u << 20);
    for (int i = 0; i < 2; i++)
        t->w[i] = fake_zk_new(&t->clock.clock);
    *state = t;
    return 0;
}

static int teardown(void **state)
{
    struct world *t = *state;
    for (int i = 0; i < 2; i++)
        fake_zk_free(t->w[i]);
    buf_done(&t->said);
    free(t);
    return 0;
}

static bool wants_acl(void *arg, struct slice path, const struct znode_stat *stat)
{
    (void)arg, (void)path, (void)stat;
    return true;
}

static void open_side(struct world *t, int i, const char *root)
{
    struct zk_event ev;
    fake_zk_connect(t->w[i], NULL, &t->z[i]);
    assert_int_equal(zk_take(t->z[i], &ev, NULL), RC_OK);
    struct zk_walk_opts opts = {
        .zk = t->z[i], .root = slice_str(root), .first_tag = 1, .want_acl = wants_acl};
    assert_int_equal(zk_walk_open(&opts, &t->walk[i], NULL), RC_OK);
}

static void pass(struct world *t, int i)
{
    struct zk_event ev;
    while (zk_walk_step(t->walk[i]) == RC_OK)
        ;
    if (zk_take(t->z[i], &ev, NULL) == RC_OK)
        zk_walk_offer(t->walk[i], &ev);
}

static void say(struct world *t, const struct zk_difference *d)
{
    static const char letters[] = "MEDASU"; /* as the bits */
    for (int i = 0; letters[i]; i++)
        if (d->what & 1u << i)
            buf_add_char(&t->said, letters[i]);
    buf_addf(&t->said, " %.*s\n", SLICE_ARG(d->path));
    assert_true(!d->source || slice_eq(d->source->path, d->path));
    assert_true(!d->destination || slice_eq(d->destination->path, d->path));
    assert_true(d->source || d->destination);
    assert_true(!(d->what & ZK_COMPARE_MISSING) || !d->destination);
    assert_true(!(d->what & ZK_COMPARE_EXTRA) || !d->source);
}

/* seed 0: both walks go on together; else in a random order. */
static enum rc run(struct world *t, const struct zk_compare_opts *opts, uint64_t seed,
                   struct err *e)
{
    struct rng_seeded r;
    struct zk_difference d;
    enum rc rc;
    rng_seeded_init(&r, seed);
    buf_reset(&t->said);
    t->c = zk_compare_new(opts);
    assert_non_null(t->c);
    while ((rc = zk_compare_next(t->c, &d, e)) == RC_OK || rc == RC_AGAIN) {
        if (rc == RC_OK)
            say(t, &d);
        for (int i = 0; i < 2; i++)
            if (!seed || rng_below(&r.rng, 3) == 0)
                pass(t, i);
    }
    t->equal = zk_compare_equal(t->c);
    zk_compare_free(t->c);
    return rc;
}

static enum rc compare(struct world *t, const char *root,
                       bool (*selects)(void *arg, const struct zk_walk_node *node), uint64_t seed,
                       struct err *e)
{
    for (int i = 0; i < 2; i++)
        open_side(t, i, root);
    struct zk_compare_opts opts = {
        .source = t->walk[S], .destination = t->walk[D], .selects = selects};
    enum rc rc = run(t, &opts, seed, e);
    for (int i = 0; i < 2; i++) {
        zk_walk_close(t->walk[i]);
        zk_close(t->z[i]);
    }
    return rc;
}

static void assert_differences(struct world *t, const char *root, const char *want)
{
    assert_int_equal(compare(t, root, NULL, 0, NULL), RC_END);
    assert_string_equal(t->said.p ? t->said.p : "", want);
}

static void put_both(struct world *t, const char *path, const char *data)
{
    for (int i = 0; i < 2; i++)
        assert_int_equal(fake_zk_put(t->w[i], path, data), ZK_OK);
}

static void equal_trees_have_no_difference(void **state)
{
    struct world *t = *state;
    put_both(t, "/r/a/b", "1");
    put_both(t, "/r/c", NULL);
    fake_zk_put(t->w[S], "/other", "x");
    assert_differences(t, "/r", "");
    assert_int_equal(t->equal, 4);
}

static void each_difference_is_told_with_what_it_is_of(void **state)
{
    struct world *t = *state;
    put_both(t, "/r/same", "1");
    put_both(t, "/r/data", "1");
    put_both(t, "/r/null", "");
    put_both(t, "/r/acl", "1");
    put_both(t, "/r/both", "1");
    fake_zk_set(t->w[D], "/r/data", "2");
    fake_zk_set(t->w[D], "/r/null", NULL);
    fake_zk_set_acl(t->w[S], "/r/acl", "world:anyone:r");
    fake_zk_set_acl(t->w[S], "/r/both", "world:anyone:r");
    fake_zk_set(t->w[S], "/r/both", "3");
    fake_zk_put(t->w[S], "/r/missing/deep", "1");
    fake_zk_put(t->w[D], "/r/extra", "1");
    assert_differences(t, "/r",
                       "A /r/acl\nDA /r/both\nD /r/data\nE /r/extra\nM /r/missing\nD /r/null\n"
                       "M /r/missing/deep\n");
    assert_int_equal(t->equal, 2);
}

static void only_a_sequence_that_is_behind_is_a_difference(void **state)
{
    struct world *t = *state;
    put_both(t, "/r/q", "1");
    fake_zk_create(t->w[S], "/r/q/x", "");
    fake_zk_delete(t->w[S], "/r/q/x");
    assert_differences(t, "/r", "S /r/q\n");
    for (int i = 0; i < 2; i++) {
        fake_zk_create(t->w[D], "/r/q/x", "");
        fake_zk_delete(t->w[D], "/r/q/x");
    }
    assert_differences(t, "/r", "");
}

static void acls_are_compared_as_sets(void **state)
{
    struct world *t = *state;
    put_both(t, "/r", "1");
    fake_zk_set_acl(t->w[S], "/r", "world:anyone:cdrwa,ip:127.0.0.1:r");
    fake_zk_set_acl(t->w[D], "/r", "ip:127.0.0.1:r,world:anyone:cdrwa");
    assert_differences(t, "/r", "");
}

static void an_acl_that_a_server_shows_in_part_is_not_compared(void **state)
{
    struct world *t = *state;
    put_both(t, "/r", "1");
    fake_zk_set_acl(t->w[S], "/r", "world:anyone:r,digest:u:one:cdrwa");
    fake_zk_set_acl(t->w[D], "/r", "world:anyone:ra,digest:u:two:cdrwa");
    assert_differences(t, "/r", ""); /* the source's digest is hidden from who reads */
    fake_zk_set_acl(t->w[S], "/r", "world:anyone:ra,digest:u:one:cdrwa");
    assert_differences(t, "/r", "A /r\n");
}

static void a_root_on_one_side_only_is_told_with_all_below(void **state)
{
    struct world *t = *state;
    fake_zk_put(t->w[S], "/r/a", "1");
    assert_differences(t, "/r", "M /r\nM /r/a\n");
    assert_differences(t, "/none", "");
}

static void what_cannot_be_read_is_neither_missing_nor_extra(void **state)
{
    struct world *t = *state;
    put_both(t, "/r/a/b/c", "1");
    put_both(t, "/r/d", "1");
    fake_zk_set_acl(t->w[D], "/r/a", "digest:u:h:r");
    assert_differences(t, "/r", "U /r/a\nU /r/a/b\nU /r/a/b/c\n");
    fake_zk_set_acl(t->w[D], "/r/a", "world:anyone:cdrwa");
    fake_zk_set_acl(t->w[S], "/r/a", "digest:u:h:r");
    assert_differences(t, "/r", "U /r/a\nU /r/a/b\nU /r/a/b/c\n");
    fake_zk_delete_tree(t->w[D], "/r/a");
    assert_differences(t, "/r", "U /r/a\n");
}

static bool selects_visible(void *arg, const struct zk_walk_node *node)
{
    (void)arg;
    return !memmem(node->path.p, node->path.n, "/hidden", 7) && !node->node.stat.ephemeral_owner;
}

static void what_does_not_count_is_passed_over_on_both_sides(void **state)
{
    struct world *t = *state;
    put_both(t, "/r/hidden/x", "1");
    fake_zk_set(t->w[S], "/r/hidden/x", "2");
    fake_zk_put(t->w[D], "/r/hidden/y", "1");
    fake_zk_create_ephemeral(t->w[S], "/r/e", "1");
    put_both(t, "/r/z", "1");
    assert_int_equal(compare(t, "/r/z", selects_visible, 0, NULL), RC_END);
    assert_int_equal(compare(t, "/r", selects_visible, 0, NULL), RC_END);
    assert_string_equal(t->said.p, "S /r\n");
    assert_int_equal(t->equal, 1);
}

/* Random trees: what is told is what a comparison of the whole trees tells, however the walks go on. */
static void make_random(struct world *t, struct rng *r)
{
    char path[64];
    for (int i = 0; i < 300; i++) {
        snprintf(path, sizeof(path), "/r/%c/%c%s", (int)('a' + rng_below(r, 6)),
                 (int)('a' + rng_below(r, 6)), rng_below(r, 2) ? "/x" : "-");
        fake_zk_put(t->w[S], path, "1");
        if (rng_below(r, 6))
            fake_zk_put(t->w[D], path, rng_below(r, 8) ? "1" : "2");
    }
}

static void expect(struct world *t, struct buf *missing, struct buf *extra)
{
    for (int i = 0; i < 2; i++) {
        struct slice path = SLICE("/r");
        struct znode n, other;
        do {
            bool there = fake_zk_get(t->w[!i], path, &other);
            if (znode_is_within(path, SLICE("/r")) && !there)
                buf_addf(i == S ? missing : extra, "%c %.*s\n", i == S ? 'M' : 'E',
                         SLICE_ARG(path));
        } while (fake_zk_next(t->w[i], path, &path, &n));
    }
}

static size_t lines_with(struct slice text, char letter, struct slice wanted)
{
    size_t n = 0;
    for (struct slice rest = text; rest.n;) {
        struct slice line = slice_cut(rest, '\n', &rest);
        n += line.p[0] == letter && memmem(wanted.p, wanted.n, line.p, line.n + 1) != NULL;
    }
    return n;
}

static size_t count_lines(struct slice text)
{
    size_t n = 0;
    for (size_t i = 0; i < text.n; i++)
        n += text.p[i] == '\n';
    return n;
}

static void whatever_way_the_walks_go_on_the_differences_are_the_same(void **state)
{
    struct world *t = *state;
    struct rng_seeded r;
    AUTO(buf_done)
    struct buf missing = BUF_INIT(1u << 20), extra = BUF_INIT(1u << 20), first = BUF_INIT(1u << 20);
    rng_seeded_init(&r, 11);
    make_random(t, &r.rng);
    fake_zk_put(t->w[D], "/r/a/only/here", "1");
    expect(t, &missing, &extra);
    assert_int_equal(compare(t, "/r", NULL, 0, NULL), RC_END);
    buf_add_slice(&first, buf_slice(&t->said));
    struct slice said = buf_slice(&first);
    assert_int_equal(lines_with(said, 'M', buf_slice(&missing)), count_lines(buf_slice(&missing)));
    assert_int_equal(lines_with(said, 'E', buf_slice(&extra)), count_lines(buf_slice(&extra)));
    for (uint64_t seed = 1; seed < 20; seed++) {
        assert_int_equal(compare(t, "/r", NULL, seed, NULL), RC_END);
        assert_string_equal(t->said.p, first.p);
    }
}

static void a_failure_names_its_side(void **state)
{
    struct world *t = *state;
    put_both(t, "/r/a", "1");
    for (int i = 0; i < 2; i++) {
        struct err e = ERR_INIT;
        fake_zk_plan(t->w[i],
                     &(struct fake_zk_rule){.fault = FAKE_ZK_ANSWER_LOST, .op = ZK_GET_CHILDREN});
        assert_int_equal(compare(t, "/r", NULL, 0, &e), RC_UNAVAILABLE);
        assert_int_equal(e.retry, ERR_RETRY);
        assert_true(
            slice_starts(slice_str(e.msg), i == S ? SLICE("source: ") : SLICE("destination: ")));
    }
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(equal_trees_have_no_difference),
        TEST(each_difference_is_told_with_what_it_is_of),
        TEST(only_a_sequence_that_is_behind_is_a_difference),
        TEST(acls_are_compared_as_sets),
        TEST(an_acl_that_a_server_shows_in_part_is_not_compared),
        TEST(a_root_on_one_side_only_is_told_with_all_below),
        TEST(what_cannot_be_read_is_neither_missing_nor_extra),
        TEST(what_does_not_count_is_passed_over_on_both_sides),
        TEST(whatever_way_the_walks_go_on_the_differences_are_the_same),
        TEST(a_failure_names_its_side),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
