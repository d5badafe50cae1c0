/* resilog holds retry, holds skip: orders about what is held. */
#include "cli/cli.h"
#include "cli/order_give.h"
#include "core/env.h"
#include "io/clock_sys.h"
#include "io/rng_sys.h"

#include <stdio.h>

static enum rc parse_args(int argc, char **argv, struct order_wish *w, struct err *e)
{
    bool all = false, may_all = w->act == HOLD_RETRY;
    const char *words[2] = {NULL, NULL};
    const struct option_spec specs[] = {
        {0, "data", NULL, &w->data, NULL},
        {'n', "namespace", NULL, &w->ns, NULL},
        {0, "all", &all, NULL, NULL},
    };
    size_t n_specs = sizeof specs / sizeof *specs - !may_all;
    struct option_rest rest = {words, 2, 0};
    enum rc rc = options_parse(argc, argv, specs, n_specs, &rest, e);
    if (rc < 0)
        return rc;
    if (!w->data || !w->data[0])
        return err_set(e, RC_INVALID, ERR_FINAL, "which folder? give --data DIR");
    if (rest.n == 0 || (rest.n == 1 && !all))
        return err_set(e, RC_INVALID, ERR_FINAL, "which object? give SYNCHRONIZATION KIND/NAME%s",
                       may_all ? ", or SYNCHRONIZATION --all" : "");
    if (rest.n == 2 && all)
        return err_set(e, RC_INVALID, ERR_FINAL, "KIND/NAME and --all exclude each other");
    w->sync = words[0];
    w->object = words[1];
    return order_wish_check(w, e);
}

static void tell(const struct order *o, size_t n, bool at_rest)
{
    const char *when = at_rest ? "when the synchronization is at work again" : "now";
    if (o->act == HOLD_SKIP)
        printf("%s: given up until a newer event of it\n", o->key);
    else if (o->key[0])
        printf("%s: tried %s\n", o->key, when);
    else
        printf("%zu object%s: tried %s\n", n, cli_plural(n), when);
}

static int change(int argc, char **argv, const char *command, enum hold_act act)
{
    const struct env env = {clock_sys(), rng_sys(), NULL, NULL};
    struct order_wish wish = {.act = act};
    struct order order;
    struct err e = ERR_INIT;
    size_t n = 0;
    bool at_rest = false;
    if (parse_args(argc, argv, &wish, &e) < 0)
        return cli_usage(command, &e);
    if (order_find(&wish, &env, &order, &e) < 0 ||
        order_give(wish.data, &env, &order, &n, &at_rest, &e) < 0)
        return cli_fail(&e);
    tell(&order, n, at_rest);
    return cli_finish_output(EXIT_DONE);
}

int cmd_holds_retry(int argc, char **argv)
{
    return change(argc, argv, "holds retry", HOLD_RETRY);
}

int cmd_holds_skip(int argc, char **argv)
{
    return change(argc, argv, "holds skip", HOLD_SKIP);
}
