/* resilog adopt: makes objects of the destination copies that are held because they are nobody's. */
#include "cli/adopt_plan.h"
#include "cli/cli.h"
#include "cli/order_give.h"
#include "cli/pager.h"
#include "cli/print_hold.h"
#include "cli/table.h"
#include "cli/wire.h"
#include "core/buf.h"
#include "core/clock.h"
#include "core/env.h"
#include "flow/pump_rows.h"
#include "io/clock_sys.h"
#include "io/rng_sys.h"

#include <stdio.h>

#define ROW_MAX (64u << 10)

static enum rc parse_args(int argc, char **argv, struct order_wish *w, bool *ret_plan,
                          struct err *e)
{
    const char *words[2] = {NULL, NULL};
    const struct option_spec specs[] = {
        {0, "data", NULL, &w->data, NULL},
        {'n', "namespace", NULL, &w->ns, NULL},
        {0, "plan", ret_plan, NULL, NULL},
    };
    struct option_rest rest = {words, 2, 0};
    enum rc rc = options_parse(argc, argv, specs, sizeof specs / sizeof *specs, &rest, e);
    if (rc < 0)
        return rc;
    if (!w->data || !w->data[0])
        return err_set(e, RC_INVALID, ERR_FINAL, "which folder? give --data DIR");
    if (rest.n == 0)
        return err_set(e, RC_INVALID, ERR_FINAL, "which synchronization? give its name");
    w->sync = words[0];
    w->object = words[1];
    return order_wish_check(w, e);
}

/* ---- The plan: the running instance tries what is held once more, the rows tell how it went ---- */

/* What is not answered within that time of the last answer is not waited for. */
#define LOOK_PATIENCE_NS (15 * NS_PER_S)
#define LOOK_POLL_MS     100

static const struct table_column COLUMNS[] = {
    {"KEY", false}, {"AGE", true}, {"SEEN", false}, {"REASON", false}};

struct plan {
    const struct order *order;
    const struct adopt_plan *looks;
    struct table *table;
    int64_t now_ns;
    size_t n, stale;
};

static enum rc plan_hold(void *arg, struct slice key, struct slice value, struct err *e)
{
    struct plan *p = arg;
    AUTO(buf_done) struct buf row = BUF_INIT(ROW_MAX);
    struct hold h;
    enum rc rc = hold_decode(value, &h, e);
    if (rc < 0 || !adopt_plan_concerns(p->order, key, &h))
        return rc;
    bool fresh = adopt_plan_is_fresh(p->looks, key, &h);
    buf_addf(&row, "%.*s%c", SLICE_ARG(key), '\0');
    print_age(p->now_ns - h.since_ns, &row);
    buf_addf(&row, "%c%s%c%s%c", '\0', fresh ? "now" : "before", '\0', h.reason, '\0');
    rc = buf_check(&row, "row", e);
    p->n += rc == RC_OK;
    p->stale += !fresh;
    return rc == RC_OK ? table_add(p->table, row.p, NULL, e) : rc;
}

/* Gives why nobody looks, in *why: it leaves the plan as of before. */
static enum rc look(const struct order_wish *wish, const struct order *o, const struct env *env,
                    const struct adopt_plan *looks, struct err *why, struct err *e)
{
    struct order order = *o;
    bool ignored;
    size_t left, last;
    enum rc rc = adopt_plan_stale(looks, &last, e);
    order.act = HOLD_LOOK;
    if (rc < 0 || last == 0 || order_give(wish->data, env, &order, &left, &ignored, why) < 0)
        return rc;
    int64_t until = clock_boot_ns(env->clock) + LOOK_PATIENCE_NS;
    while ((rc = adopt_plan_stale(looks, &left, e)) == RC_OK && left > 0 &&
           clock_boot_ns(env->clock) < until && !cli_reader_is_gone(LOOK_POLL_MS)) {
        if (left < last)
            until = clock_boot_ns(env->clock) + LOOK_PATIENCE_NS;
        last = left;
    }
    return rc;
}

static void say_plan(const struct plan *p, const struct err *why)
{
    if (p->n > 0)
        table_print(p->table);
    fprintf(stderr, "resilog: %zu object%s would be adopted\n", p->n, cli_plural(p->n));
    if (p->stale > 0)
        fprintf(stderr,
                "resilog: %zu of them could not be looked at now, the reason is of before: %s\n",
                p->stale, why->rc < 0 ? why->msg : "the destination did not answer in time");
}

static enum rc plan(const struct order_wish *wish, const struct order *o, const struct env *env,
                    struct err *e)
{
    AUTO(ckpt_closep) struct ckpt *ckpt = NULL;
    AUTO(table_freep) struct table *table = NULL;
    AUTO(adopt_plan_freep) struct adopt_plan *looks = NULL;
    struct err why = ERR_INIT;
    enum rc rc = data_open_ckpt(wish->data, env, &ckpt, e);
    if (rc == RC_OK)
        rc = table_new(COLUMNS, sizeof COLUMNS / sizeof *COLUMNS, pager_may_colour(), &table, e);
    if (rc == RC_OK)
        rc = adopt_plan_new(ckpt, o, &looks, e);
    if (rc == RC_OK)
        rc = look(wish, o, env, looks, &why, e);
    struct plan p = {o, looks, table, clock_wall_ns(env->clock), 0, 0};
    if (rc == RC_OK)
        rc = ckpt_scan(ckpt, slice_str(o->sync), CKPT_HOLDS, SLICE_NULL, plan_hold, &p, e);
    if (rc == RC_OK)
        say_plan(&p, &why);
    return rc;
}

/* ---- The command ---- */

static enum rc adopt(const struct order_wish *wish, const struct order *o, const struct env *env,
                     struct err *e)
{
    bool at_rest;
    size_t n = 0;
    enum rc rc = order_give(wish->data, env, o, &n, &at_rest, e);
    if (rc == RC_OK)
        printf("%zu object%s: adoption tried now\n", n, cli_plural(n));
    return rc;
}

int cmd_adopt(int argc, char **argv)
{
    const struct env env = {clock_sys(), rng_sys(), NULL, NULL};
    struct order_wish wish = {.act = HOLD_ADOPT};
    struct order order;
    struct err e = ERR_INIT;
    bool only_plan = false;
    if (parse_args(argc, argv, &wish, &only_plan, &e) < 0)
        return cli_usage("adopt", &e);
    enum rc rc = order_find(&wish, &env, &order, &e);
    if (rc == RC_OK)
        rc = only_plan ? plan(&wish, &order, &env, &e) : adopt(&wish, &order, &env, &e);
    return rc < 0 ? cli_fail(&e) : cli_finish_output(EXIT_DONE);
}
