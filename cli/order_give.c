/* Names are looked up here, so that the one who carries it out needs keys alone; the socket first, the lock second. */
#include "cli/order_give.h"

#include "cli/hold_find.h"
#include "cli/names.h"
#include "cli/wire.h"
#include "controller/control.h"
#include "controller/order_line.h"
#include "core/buf.h"
#include "flow/pump_rows.h"
#include "io/line.h"
#include "io/line_ask.h"
#include "log/rlog.h"

#include <stdio.h>

/* ---- What is meant ---- */

enum rc order_wish_check(const struct order_wish *wish, struct err *e)
{
    if (wish->ns && !wish->object)
        return err_set(e, RC_INVALID, ERR_FINAL,
                       "-n %s: says where KIND/NAME is, and there is none; without it the order is "
                       "about all namespaces",
                       wish->ns);
    return RC_OK;
}

static enum rc find_key(const struct order_wish *wish, const struct env *env, struct ckpt *ckpt,
                        struct order *o, struct err *e)
{
    AUTO(rlog_closep) struct rlog *log = NULL;
    AUTO(buf_done) struct buf key = BUF_INIT(KEY_MAX);
    struct slice sync = slice_str(o->sync);
    struct hold ignored;
    enum rc rc = hold_find_is_key(wish->object)
                     ? RC_OK
                     : data_log_of_sync(wish->data, ckpt, sync, env, &log, e);
    const struct hold_query query = {ckpt, sync, log, wish->object, wish->ns};
    if (rc == RC_OK)
        rc = hold_find(&query, &key, &ignored, e);
    if (rc == RC_OK)
        snprintf(o->key, sizeof o->key, "%.*s", SLICE_ARG(buf_slice(&key)));
    return rc;
}

enum rc order_find(const struct order_wish *wish, const struct env *env, struct order *ret,
                   struct err *e)
{
    AUTO(ckpt_closep) struct ckpt *ckpt = NULL;
    AUTO(buf_done) struct buf sync = BUF_INIT(CKPT_NAME_MAX);
    enum rc rc = data_open_ckpt(wish->data, env, &ckpt, e);
    if (rc == RC_OK)
        rc = names_one(ckpt, wish->sync, &sync, e);
    if (rc != RC_OK)
        return rc;
    *ret = (struct order){.act = wish->act};
    snprintf(ret->sync, sizeof ret->sync, "%.*s", SLICE_ARG(buf_slice(&sync)));
    return wish->object ? find_key(wish, env, ckpt, ret, e) : RC_OK;
}

/* ---- Giving it ---- */

/* NOTFOUND: nobody takes orders. */
static enum rc ask(const char *data, const struct env *env, const struct order *o,
                   struct order_answer *ret, struct err *e)
{
    AUTO(buf_done) struct buf line = BUF_INIT(LINE_BYTES_MAX);
    AUTO(buf_done) struct buf answer = BUF_INIT(LINE_BYTES_MAX);
    order_print(o, &line);
    enum rc rc = buf_check(&line, "an order", e);
    if (rc == RC_OK)
        rc = line_ask(data, CONTROL_SOCKET, buf_slice(&line), CONTROL_ASK_NS, env, &answer, e);
    return rc == RC_OK ? order_answer_parse(buf_slice(&answer), ret, e) : rc;
}

static enum rc do_here(const char *data, const struct env *env, const struct order *o,
                       size_t *ret_n, struct err *e)
{
    struct data_lock *lock = NULL;
    struct ckpt *ckpt = NULL;
    const struct hold_order what = {o->act, slice_str(o->key)};
    enum rc rc = data_open(data, &lock, e);
    if (rc == RC_CONFLICT)
        return err_wrap(e, "nobody takes orders at %s/" CONTROL_SOCKET, data);
    if (rc == RC_OK)
        rc = data_change_ckpt(data, env, &ckpt, e);
    if (rc == RC_OK)
        rc = hold_order_at_rest(ckpt, slice_str(o->sync), &what, ret_n, e);
    ckpt_close(ckpt);
    data_close(lock);
    return rc;
}

enum rc order_give(const char *data, const struct env *env, const struct order *o, size_t *ret_n,
                   bool *ret_at_rest, struct err *e)
{
    struct order_answer answer = {0};
    struct err why = ERR_INIT;
    enum rc rc = ask(data, env, o, &answer, &why);
    *ret_at_rest = rc == RC_NOTFOUND || answer.at_rest;
    if (rc == RC_NOTFOUND)
        return do_here(data, env, o, ret_n, e);
    if (rc == RC_OK && answer.e.rc == RC_OK)
        *ret_n = answer.n;
    else
        *e = rc < 0 ? why : answer.e;
    return rc < 0 ? rc : answer.e.rc;
}
