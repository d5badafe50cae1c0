/* resilog holds retry, holds skip: orders about what is held, to the running instance, or carried out here where none
 * runs. */
#include "cli/cli.h"
#include "cli/hold_find.h"
#include "cli/names.h"
#include "cli/wire.h"
#include "controller/control.h"
#include "controller/order_board.h"
#include "controller/order_line.h"
#include "core/buf.h"
#include "flow/pump_rows.h"
#include "io/clock_sys.h"
#include "io/line.h"
#include "io/line_ask.h"
#include "io/rng_sys.h"
#include "log/rlog.h"

#include <stdio.h>

struct change {
    const char *data, *ns;
    const char *words[2]; /* the synchronization and the object */
    bool all;
    struct env env;
    struct order order;
    bool at_rest; /* nobody runs: it was done here */
};

static enum rc parse_args(int argc, char **argv, struct change *c, struct err *e)
{
    const struct option_spec specs[] = {
        {0, "data", NULL, &c->data, NULL},
        {'n', "namespace", NULL, &c->ns, NULL},
        {0, "all", &c->all, NULL, NULL},
    };
    bool may_all = c->order.act == HOLD_RETRY;
    size_t n_specs = sizeof specs / sizeof *specs - !may_all;
    struct option_rest rest = {c->words, 2, 0};
    enum rc rc = options_parse(argc, argv, specs, n_specs, &rest, e);
    if (rc < 0)
        return rc;
    if (!c->data || !c->data[0])
        return err_set(e, RC_INVALID, ERR_FINAL, "which folder? give --data DIR");
    if (rest.n == 0 || (rest.n == 1 && !c->all))
        return err_set(e, RC_INVALID, ERR_FINAL, "which object? give SYNCHRONIZATION KIND/NAME%s",
                       may_all ? ", or SYNCHRONIZATION --all" : "");
    if (rest.n == 2 && c->all)
        return err_set(e, RC_INVALID, ERR_FINAL, "KIND/NAME and --all exclude each other");
    return RC_OK;
}

/* ---- What is meant ---- */

static enum rc find_key(struct change *c, struct ckpt *ckpt, struct err *e)
{
    AUTO(rlog_closep) struct rlog *log = NULL;
    AUTO(buf_done) struct buf key = BUF_INIT(KEY_MAX);
    struct slice sync = slice_str(c->order.sync);
    struct hold ignored;
    enum rc rc = data_log_of_sync(c->data, ckpt, sync, &c->env, &log, e);
    const struct hold_query query = {ckpt, sync, log, c->words[1], c->ns};
    if (rc == RC_OK)
        rc = hold_find(&query, &key, &ignored, e);
    if (rc == RC_OK)
        snprintf(c->order.key, sizeof c->order.key, "%.*s", SLICE_ARG(buf_slice(&key)));
    return rc;
}

static enum rc find_order(struct change *c, struct err *e)
{
    AUTO(ckpt_closep) struct ckpt *ckpt = NULL;
    AUTO(buf_done) struct buf sync = BUF_INIT(CKPT_NAME_MAX);
    enum rc rc = data_open_ckpt(c->data, &c->env, &ckpt, e);
    if (rc == RC_OK)
        rc = names_one(ckpt, c->words[0], &sync, e);
    if (rc != RC_OK)
        return rc;
    snprintf(c->order.sync, sizeof c->order.sync, "%.*s", SLICE_ARG(buf_slice(&sync)));
    return c->all ? RC_OK : find_key(c, ckpt, e);
}

/* ---- Giving it ---- */

/* NOTFOUND: nobody takes orders. */
static enum rc ask(const struct change *c, struct order_answer *ret, struct err *e)
{
    AUTO(buf_done) struct buf line = BUF_INIT(LINE_BYTES_MAX);
    AUTO(buf_done) struct buf answer = BUF_INIT(LINE_BYTES_MAX);
    order_print(&c->order, &line);
    enum rc rc = buf_check(&line, "an order", e);
    if (rc == RC_OK)
        rc = line_ask(c->data, CONTROL_SOCKET, buf_slice(&line), CONTROL_ASK_NS, &c->env, &answer,
                      e);
    return rc == RC_OK ? order_answer_parse(buf_slice(&answer), ret, e) : rc;
}

static enum rc do_here(const struct change *c, size_t *ret_n, struct err *e)
{
    struct data_lock *lock = NULL;
    AUTO(ckpt_closep) struct ckpt *ckpt = NULL;
    const struct hold_order what = {c->order.act, slice_str(c->order.key)};
    enum rc rc = data_open(c->data, &lock, e);
    if (rc == RC_CONFLICT)
        return err_wrap(e, "nobody takes orders at %s/" CONTROL_SOCKET, c->data);
    if (rc == RC_OK)
        rc = data_change_ckpt(c->data, &c->env, &ckpt, e);
    if (rc == RC_OK)
        rc = hold_order_at_rest(ckpt, slice_str(c->order.sync), &what, ret_n, e);
    ckpt_close(steal(&ckpt));
    data_close(lock);
    return rc;
}

static enum rc give(struct change *c, size_t *ret_n, struct err *e)
{
    struct order_answer answer = {0};
    struct err why = ERR_INIT;
    enum rc rc = ask(c, &answer, &why);
    if (rc == RC_NOTFOUND) {
        c->at_rest = true;
        return do_here(c, ret_n, e);
    }
    *ret_n = answer.n;
    if (rc < 0 || answer.e.rc < 0)
        *e = rc < 0 ? why : answer.e;
    return e->rc;
}

static void tell(const struct change *c, size_t n)
{
    const char *when = c->at_rest ? "when 'run' starts" : "now";
    if (c->order.act == HOLD_SKIP)
        printf("%s: given up until a newer event of it\n", c->order.key);
    else if (c->all)
        printf("%zu object%s: tried %s\n", n, cli_plural(n), when);
    else
        printf("%s: tried %s\n", c->order.key, when);
}

static int change(int argc, char **argv, const char *command, enum hold_act act)
{
    struct change c = {.env = {clock_sys(), rng_sys(), NULL, NULL}, .order = {.act = act}};
    struct err e = ERR_INIT;
    size_t n = 0;
    if (parse_args(argc, argv, &c, &e) < 0)
        return cli_usage(command, &e);
    if (find_order(&c, &e) < 0 || give(&c, &n, &e) < 0)
        return cli_fail(&e);
    tell(&c, n);
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
