/* Arguments of `log show`. KIND is resolved from the @kind events, so it works when the source is gone. */
#include "cli/log_args.h"

#include "core/buf.h"
#include "core/clock.h"
#include "core/event_iter.h"
#include "core/json.h"
#include "core/key.h"
#include "core/znode.h"
#include "log/rlog.h"

#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <strings.h>

#define KIND_PREFIX "@kind/"

enum rc log_point(struct rlog *log, const char *text, int64_t now_ns, rlog_off *ret, struct err *e)
{
    if (strncmp(text, "offset:", 7) == 0) {
        char *end;
        errno = 0;
        unsigned long long n = strtoull(text + 7, &end, 10);
        if (errno || *end || text[7] < '0' || text[7] > '9' || n == 0)
            return err_set(e, RC_INVALID, ERR_FINAL, "\"%s\": an offset is a number from 1", text);
        *ret = n;
        return RC_OK;
    }
    int64_t at, ago;
    struct err ignored = ERR_INIT;
    if (duration_parse(slice_str(text[0] == '-' ? text + 1 : text), &ago, &ignored) == RC_OK)
        at = now_ns - ago;
    else if (time_parse(slice_str(text), &at, &ignored) != RC_OK)
        return err_set(e, RC_INVALID, ERR_FINAL,
                       "\"%s\" is no point in the log; give RFC 3339 (2026-01-31T14:05:00Z), a "
                       "duration ago (10m, 1h30m) or offset:N",
                       text);
    return rlog_seek(log, at, ret, e);
}

enum rc log_check_range(const char *since, const char *until, const struct rlog_range *range,
                        rlog_off next, struct err *e)
{
    if (since && range->from > next)
        return err_set(e, RC_INVALID, ERR_FINAL,
                       "--since %s is behind the log's end: the next event gets offset %" PRIu64,
                       since, next);
    if (since && until && range->from > range->until)
        return err_set(e, RC_INVALID, ERR_FINAL,
                       "--since %s is behind --until %s: nothing can lie between", since, until);
    return RC_OK;
}

enum rc log_ops(const char *text, uint32_t *ret, struct err *e)
{
    uint32_t set = 0;
    struct slice rest = slice_str(text);
    do {
        struct slice word = slice_cut(rest, ',', &rest);
        enum event_op op;
        if (!event_op_parse(word, &op))
            return err_set(e, RC_INVALID, ERR_FINAL,
                           "\"%.*s\" is no operation; there are put, delete, gap, sync-begin, "
                           "sync-end, position, kind, epoch, clock",
                           SLICE_ARG(word));
        set |= 1u << op;
    } while (rest.n);
    *ret = set;
    return RC_OK;
}

static bool same_word(struct slice a, struct slice b)
{
    return a.n == b.n && a.n > 0 && strncasecmp(a.p, b.p, a.n) == 0;
}

static bool has_short_name(struct slice list, struct slice word)
{
    while (list.n)
        if (same_word(slice_cut(list, ',', &list), word))
            return true;
    return false;
}

/* True if one @kind event ("@kind/<group>/<resource>") is meant by the word and the optional group. */
static enum rc kind_matches(const struct event *ev, struct slice word, struct slice group,
                            bool *ret, struct err *e)
{
    struct slice resource;
    struct slice scope =
        slice_of(ev->key.p + sizeof KIND_PREFIX - 1, ev->key.n - (sizeof KIND_PREFIX - 1));
    struct slice its_group = slice_cut(scope, '/', &resource);
    *ret = false;
    if (group.n && !slice_starts(its_group, group))
        return RC_OK;
    AUTO(json_freep) struct json_doc *d = NULL;
    enum rc rc = json_parse_view(ev->body, &d, e);
    if (rc < 0)
        return rc;
    const struct json *root = json_root(d);
    *ret = same_word(resource, word) || same_word(json_get_text(d, root, "kind"), word) ||
           same_word(json_get_text(d, root, "singular"), word) ||
           has_short_name(json_get_text(d, root, "shortNames"), word);
    return RC_OK;
}

static enum rc find_kind(struct rlog *log, struct slice word, struct slice group, struct buf *ret,
                         struct err *e)
{
    struct rlog_range range = {.prefix = SLICE(KIND_PREFIX), .mode = RLOG_LIVE};
    AUTO(event_iter_freep) struct event_iter *it = NULL;
    AUTO(buf_done) struct buf known = BUF_INIT(KEY_MAX);
    enum rc rc = rlog_cursor(log, &range, &it, e);
    size_t hits = 0;
    const struct event *ev;
    while (rc == RC_OK && (rc = event_iter_next(it, &ev, e)) == RC_OK) {
        bool match;
        rc = kind_matches(ev, word, group, &match, e);
        struct slice scope =
            slice_of(ev->key.p + sizeof KIND_PREFIX - 1, ev->key.n - (sizeof KIND_PREFIX - 1));
        buf_addf(&known, "%s%.*s", known.n ? ", " : "", SLICE_ARG(scope));
        if (rc == RC_OK && match && hits++ == 0)
            buf_add_slice(ret, scope);
    }
    if (rc < 0)
        return rc;
    if (hits > 1)
        return err_set(e, RC_INVALID, ERR_FINAL,
                       "\"%.*s\" is served by several groups; write KIND.GROUP/NAME",
                       SLICE_ARG(word));
    if (hits == 0)
        return err_set(e, RC_NOTFOUND, ERR_FINAL, "the log has no kind \"%.*s\"; it has %s",
                       SLICE_ARG(word),
                       known.n ? known.p : "none yet; a znode is given by its path: /a/b");
    return buf_check(ret, "kind", e);
}

enum rc log_object(struct rlog *log, const char *text, struct buf *ret_scope,
                   struct slice *ret_name, struct err *e)
{
    struct slice name, group;
    struct slice kind = slice_cut(slice_str(text), '/', &name);
    if (name.n == 0 || kind.n == 0)
        return err_set(e, RC_INVALID, ERR_FINAL, "\"%s\" is not KIND/NAME, as in deployment/web",
                       text);
    struct slice word = slice_cut(kind, '.', &group);
    *ret_name = name;
    return find_kind(log, word, group, ret_scope, e);
}

/* ---- Paths ---- */

enum rc log_path(const char *text, struct log_path *ret, struct err *e)
{
    struct log_path p = {.root = slice_str(text)};
    const char *why = "";
    struct key object;
    p.below = p.root.n > 0 && p.root.p[p.root.n - 1] == '/';
    if (p.below && p.root.n > 1)
        p.root.n--;
    if (!znode_is_path(p.root, &why) && key_parse(p.root, &object, NULL) != RC_OK)
        return err_set(
            e, RC_INVALID, ERR_FINAL,
            "\"%s\" is no path, it %s; give /a/b for a node, /a/b/ for all below it, too", text,
            why);
    *ret = p;
    return RC_OK;
}

bool log_path_has(const struct log_path *p, struct slice key)
{
    return p->below ? znode_is_within(key, p->root) : slice_eq(key, p->root);
}
