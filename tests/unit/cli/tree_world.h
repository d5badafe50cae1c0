/* Two modelled ensembles and a synchronization between them, for the tests of cli/tree_*. */
#ifndef RESILOG_TESTS_UNIT_CLI_TREE_WORLD_H
#define RESILOG_TESTS_UNIT_CLI_TREE_WORLD_H

#include "cli/tree_compare.h"
#include "controller/resource.h"
#include "core/buf.h"
#include "core/regex.h"
#include "io/zk.h"
#include "tests/fakes/fake_clock.h"
#include "tests/fakes/fake_zk.h"

#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>
#include <stdlib.h>

enum { S, D };

struct tree_world {
    struct fake_clock clock;
    struct fake_zk *w[2];
    struct cluster clusters[2];
    struct replication_entry entry;
    struct sync sync;
    struct tree_compare *t;
    struct buf said;
};

/* Ensembles without nodes; the synchronization copies all below /r with ACLs, "ns/copy". */
static inline int tree_world_setup(void **state)
{
    struct tree_world *t = calloc(1, sizeof(*t));
    assert_non_null(t);
    fake_clock_init(&t->clock, NS_PER_S);
    buf_init(&t->said, 1u << 20);
    for (int i = 0; i < 2; i++)
        t->w[i] = fake_zk_new(&t->clock.clock);
    t->clusters[S].full_name = "ns/one";
    t->clusters[D].full_name = "ns/two";
    t->entry = (struct replication_entry){.root = SLICE("/r"), .policy.adopt = ADOPT_ALWAYS};
    t->sync = (struct sync){
        .full_name = "ns/copy",
        .source = &t->clusters[S],
        .destination = &t->clusters[D],
        .tree = {.acl = true},
        .replication = {
            .sync = SLICE("ns/copy"), .entries = &t->entry, .n_entries = 1, .n_recorded = 1}};
    *state = t;
    return 0;
}

static inline void tree_world_open(struct tree_world *t)
{
    struct tree_compare_opts opts = {.sync = &t->sync, .clock = &t->clock.clock};
    fake_zk_connect(t->w[S], NULL, &opts.source);
    fake_zk_connect(t->w[D], NULL, &opts.destination);
    assert_int_equal(tree_compare_open(&opts, &t->t, NULL), RC_OK);
    buf_reset(&t->said);
}

static inline void tree_world_close(struct tree_world *t)
{
    tree_compare_close(t->t);
    t->t = NULL;
}

static inline int tree_world_teardown(void **state)
{
    struct tree_world *t = *state;
    tree_world_close(t);
    regex_free(t->entry.exclude_path);
    for (int i = 0; i < 2; i++)
        fake_zk_free(t->w[i]);
    buf_done(&t->said);
    free(t);
    return 0;
}

static inline void tree_world_put_both(struct tree_world *t, const char *path, const char *data)
{
    for (int i = 0; i < 2; i++)
        assert_int_equal(fake_zk_put(t->w[i], path, data), ZK_OK);
}

#define TREE_TEST(f) cmocka_unit_test_setup_teardown(f, tree_world_setup, tree_world_teardown)

#endif
