/* The control socket's words. Pure. */
#include "controller/order_line.h"

#include "controller/order_board.h"
#include "core/buf.h"
#include "core/json.h"

#include <stdio.h>
#include <string.h>

static const char *const acts[] = {
    [HOLD_RETRY] = "retry", [HOLD_SKIP] = "skip", [HOLD_ADOPT] = "adopt", [HOLD_LOOK] = "look"};
#define N_ACTS (sizeof acts / sizeof *acts)

static void add_text(struct buf *out, const char *name, const char *text)
{
    buf_addf(out, ",\"%s\":", name);
    json_print_text(slice_str(text), out);
}

void order_print(const struct order *o, struct buf *out)
{
    buf_addf(out, "{\"order\":\"%s\"", acts[o->act]);
    add_text(out, "sync", o->sync);
    add_text(out, "key", o->key);
    buf_add_char(out, '}');
}

static bool find_act(struct slice name, enum hold_act *ret)
{
    for (size_t i = 0; i < N_ACTS; i++)
        if (slice_eq(name, slice_str(acts[i]))) {
            *ret = (enum hold_act)i;
            return true;
        }
    return false;
}

static bool copy_text(struct json_doc *d, const char *member, char *out, size_t size)
{
    struct slice text = json_get_text(d, json_root(d), member);
    if (text.n >= size || (text.n && memchr(text.p, '\0', text.n)))
        return false;
    snprintf(out, size, "%.*s", SLICE_ARG(text));
    return true;
}

enum rc order_parse(struct slice line, struct order *ret, struct err *e)
{
    AUTO(json_freep) struct json_doc *d = NULL;
    enum rc rc = json_parse_view(line, &d, e);
    if (rc < 0)
        return rc == RC_NOMEM ? rc : err_set(e, RC_INVALID, ERR_FINAL, "an order that is no JSON");
    struct order o = {.act = HOLD_RETRY};
    if (!find_act(json_get_text(d, json_root(d), "order"), &o.act))
        return err_set(e, RC_INVALID, ERR_FINAL, "no order that this program knows");
    /* What was left out must not make it an order about all. */
    if (!json_is(json_get(json_root(d), "key"), JSON_STRING) ||
        !copy_text(d, "key", o.key, sizeof o.key) || !copy_text(d, "sync", o.sync, sizeof o.sync) ||
        !o.sync[0])
        return err_set(e, RC_INVALID, ERR_FINAL, "an order without a synchronization or key");
    *ret = o;
    return RC_OK;
}

void order_answer_print(const struct order_answer *a, struct buf *out)
{
    buf_addf(out, "{\"result\":\"%s\",\"n\":%zu,\"atRest\":%s", rc_name(a->e.rc), a->n,
             a->at_rest ? "true" : "false");
    if (a->e.rc < 0)
        add_text(out, "message", a->e.msg);
    buf_add_char(out, '}');
}

static bool find_result(struct slice name, enum rc *ret)
{
    for (int rc = RC_OK; rc >= RC_UNSUPPORTED; rc--)
        if (slice_eq(name, slice_str(rc_name((enum rc)rc)))) {
            *ret = (enum rc)rc;
            return true;
        }
    return false;
}

enum rc order_answer_parse(struct slice line, struct order_answer *ret, struct err *e)
{
    AUTO(json_freep) struct json_doc *d = NULL;
    enum rc rc = json_parse_view(line, &d, e);
    struct order_answer a = {0};
    int64_t n;
    if (rc == RC_NOMEM)
        return rc;
    if (rc < 0 || !find_result(json_get_text(d, json_root(d), "result"), &a.e.rc) ||
        !json_int(json_get(json_root(d), "n"), &n) || n < 0)
        return err_set(e, RC_INVALID, ERR_FINAL, "an answer that this program does not know");
    a.n = (size_t)n;
    a.at_rest = json_is(json_get(json_root(d), "atRest"), JSON_TRUE);
    a.e.retry = ERR_FINAL;
    if (a.e.rc < 0 && !copy_text(d, "message", a.e.msg, sizeof a.e.msg))
        return err_set(e, RC_INVALID, ERR_FINAL, "an answer whose message is too long");
    *ret = a;
    return RC_OK;
}
