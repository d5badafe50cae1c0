/* Names against the rows of a checkpoint: an object is found as long as it is held, whatever the source says now. */
#include "cli/hold_find.h"

#include "cli/log_args.h"
#include "core/buf.h"
#include "core/key.h"
#include "core/scope.h"
#include "flow/pump_rows.h"
#include "log/ckpt.h"

#define SHOWN_MAX 2048

struct search {
    struct slice name; /* empty: the scan's prefix is the key */
    const char *ns;
    struct buf *key;
    struct hold *hold;
    struct buf spaces; /* where the name is held */
    size_t hits;
};

static bool is_meant(const struct search *s, struct slice text, struct key *ret)
{
    struct err ignored = ERR_INIT;
    *ret = (struct key){.name = SLICE_NULL};
    bool object = key_parse(text, ret, &ignored) == RC_OK; /* else a path */
    return (s->name.n == 0 || (object && slice_eq(ret->name, s->name))) &&
           (!s->ns || (object && slice_eq(ret->ns, slice_str(s->ns))));
}

static enum rc look(void *arg, struct slice text, struct slice value, struct err *e)
{
    struct search *s = arg;
    struct key key;
    if (!is_meant(s, text, &key))
        return RC_OK;
    if (s->spaces.n < SHOWN_MAX / 2)
        buf_addf(&s->spaces, "%s%.*s", s->hits ? ", " : "", SLICE_ARG(key.ns));
    if (s->hits++ > 0)
        return RC_OK;
    buf_add_slice(s->key, text);
    return hold_decode(value, s->hold, e);
}

/* A key as it stands, of which others may be longer; or all of a kind. */
static enum rc scan(const struct hold_query *q, struct slice prefix, bool whole, struct search *s,
                    struct err *e)
{
    AUTO(buf_done) struct buf row = BUF_INIT(CKPT_VALUE_MAX);
    if (!whole)
        return ckpt_scan(q->ckpt, q->consumer, CKPT_HOLDS, prefix, look, s, e);
    struct err why = ERR_INIT;
    enum rc rc = ckpt_get(q->ckpt, q->consumer, CKPT_HOLDS, prefix, &row, &why);
    if (rc == RC_NOTFOUND)
        return RC_OK;
    if (rc == RC_OK)
        return look(s, prefix, buf_slice(&row), e);
    *e = why;
    return rc;
}

/* "group/resource/" of KIND, and the name. */
static enum rc find_prefix(struct rlog *log, const char *text, struct buf *ret_prefix,
                           struct slice *ret_name, struct err *e)
{
    if (!log)
        return err_set(e, RC_INVALID, ERR_FINAL,
                       "\"%s\": without the log no kind is known; give the key as 'resilog holds "
                       "ls' prints it",
                       text);
    enum rc rc = log_object(log, text, ret_prefix, ret_name, e);
    buf_add_char(ret_prefix, '/');
    return rc;
}

static enum rc check_hits(const struct hold_query *q, const struct search *s, struct err *e)
{
    if (s->hits == 0)
        return err_set(e, RC_NOTFOUND, ERR_FINAL, "%s%s%s is not held by %.*s", q->text,
                       q->ns ? " of namespace " : "", q->ns ? q->ns : "", SLICE_ARG(q->consumer));
    if (s->hits > 1)
        return err_set(e, RC_INVALID, ERR_FINAL,
                       "%s is held in %zu namespaces (%.*s): give -n NAMESPACE", q->text, s->hits,
                       SLICE_ARG(buf_slice(&s->spaces)));
    return buf_check(s->key, "key", e);
}

bool hold_find_is_key(const char *text)
{
    struct err ignored = ERR_INIT;
    struct key key;
    return log_is_path(text) || key_parse(slice_str(text), &key, &ignored) == RC_OK;
}

enum rc hold_find(const struct hold_query *q, struct buf *ret_key, struct hold *ret, struct err *e)
{
    AUTO(buf_done) struct buf prefix = BUF_INIT(2 * KEY_MAX);
    struct search s = {.ns = q->ns, .key = ret_key, .hold = ret, .spaces = BUF_INIT(SHOWN_MAX)};
    bool whole = hold_find_is_key(q->text);
    enum rc rc = RC_OK;
    if (whole)
        buf_add_str(&prefix, q->text);
    else
        rc = find_prefix(q->log, q->text, &prefix, &s.name, e);
    if (rc == RC_OK)
        rc = buf_check(&prefix, "key", e);
    if (rc == RC_OK)
        rc = scan(q, buf_slice(&prefix), whole, &s, e);
    if (rc == RC_OK)
        rc = check_hits(q, &s, e);
    buf_done(&s.spaces);
    return rc;
}
