/* cli/names: all consumers of a store in order, and what a user's word means. */
#include "cli/names.h"

#include "cli/cli.h"
#include "core/buf.h"
#include "core/scope.h"
#include "log/ckpt.h"

#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>

struct given {
    struct buf names;
    const char *unreadable; /* fn fails for it */
};

static enum rc give(void *arg, struct slice consumer, struct err *e)
{
    struct given *g = arg;
    if (g->unreadable && slice_eq(consumer, slice_str(g->unreadable)))
        return err_set(e, RC_CORRUPT, ERR_FATAL, "damaged");
    buf_addf(&g->names, "%.*s ", SLICE_ARG(consumer));
    return RC_OK;
}

static void assert_gives(struct ckpt *ckpt, const char *wanted, const char *unreadable, int code,
                         const char *names)
{
    struct given g = {BUF_INIT(1000), unreadable};
    size_t meant = 0, n = unreadable != NULL;
    assert_int_equal(names_each(ckpt, wanted, give, &g, &meant), code);
    assert_string_equal(g.names.n ? g.names.p : "", names);
    for (const char *at = names; *at; at++)
        n += *at == ' ';
    assert_int_equal(meant, n);
    buf_done(&g.names);
}

static void assert_one(struct ckpt *ckpt, const char *wanted, enum rc rc, const char *says)
{
    AUTO(buf_done) struct buf name = BUF_INIT(1000);
    struct err e = ERR_INIT;
    assert_int_equal(names_one(ckpt, wanted, &name, &e), rc);
    if (rc == RC_OK)
        assert_string_equal(name.p, says);
    else if (!strstr(e.msg, says))
        fail_msg("%s", e.msg);
}

static void
all_that_are_meant_come_in_order_and_one_that_cannot_be_read_hides_no_other(void **state)
{
    (void)state;
    static const char *const consumers[] = {"team/b", "default/a", "team/a"};
    struct ckpt_mem_store *store = ckpt_mem_store_new();
    struct ckpt *ckpt = NULL;
    struct err e = ERR_INIT;
    assert_int_equal(ckpt_mem_open(store, &ckpt, &e), RC_OK);
    for (size_t i = 0; i < 3; i++) {
        const struct ckpt_commit what = {.head = {.generation = 1, .offset = 1}};
        assert_int_equal(ckpt_commit(ckpt, slice_str(consumers[i]), &what, &e), RC_OK);
    }
    assert_gives(ckpt, NULL, NULL, EXIT_DONE, "default/a team/a team/b ");
    assert_gives(ckpt, "a", NULL, EXIT_DONE, "default/a team/a ");
    assert_gives(ckpt, "other", NULL, EXIT_DONE, "");
    assert_gives(ckpt, NULL, "team/a", EXIT_DAMAGED, "default/a team/b ");
    assert_one(ckpt, "b", RC_OK, "team/b");
    assert_one(ckpt, "team/a", RC_OK, "team/a");
    assert_one(ckpt, "a", RC_INVALID, "may be default/a, team/a: write");
    assert_one(ckpt, "c", RC_NOTFOUND, "\"c\"; there are: default/a, team/a, team/b");
    ckpt_close(ckpt);
    ckpt_mem_store_free(store);
}

static void a_word_means_a_name_in_any_namespace_or_a_full_name(void **state)
{
    (void)state;
    assert_true(name_is(SLICE("team/a"), "a"));
    assert_true(name_is(SLICE("team/a"), "team/a"));
    assert_false(name_is(SLICE("team/a"), "team"));
    assert_false(name_is(SLICE("team/ab"), "a"));
    assert_false(name_is(SLICE("team/a"), ""));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(
            all_that_are_meant_come_in_order_and_one_that_cannot_be_read_hides_no_other),
        cmocka_unit_test(a_word_means_a_name_in_any_namespace_or_a_full_name),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
