/* A listing is compared with the log object by object; only the keys are remembered, and only until
 * it ends. One thread. */
#include "flow/ingest_listing.h"

#include "core/buf.h"
#include "core/dict.h"
#include "core/event.h"
#include "core/event_iter.h"
#include "core/json.h"
#include "core/key.h"
#include "core/map.h"
#include "flow/scope.h"
#include "log/rlog.h"

#include <stdlib.h>

#define KEYS_PER_STEP 1024

struct listing {
    struct rlog *log;
    struct scope scope; /* its text stands in `prefix` */
    struct buf prefix;
    struct dict *seen; /* keys of the listing; their values mean nothing */
    struct map *
        unread; /* keys of which the source did not tell, and what such keys begin with, up to a '/' */
    rlog_off begin; /* the log's end at the first object; 0: none was noted yet */
    struct event_iter *live;
    struct listing_counts counts;
};

struct listing *listing_new(const struct scope *scope, struct rlog *log)
{
    AUTO(listing_freep) struct listing *l = calloc(1, sizeof *l);
    if (!l)
        return NULL;
    l->log = log;
    buf_init(&l->prefix, 2 * KEY_MAX);
    l->seen = dict_new(NULL);
    l->unread = map_new(NULL);
    if (!l->seen || !l->unread || scope_print_prefix(scope, &l->prefix, NULL) != RC_OK)
        return NULL;
    l->scope = (struct scope){slice_of(l->prefix.p, scope->text.n), scope->tree};
    return steal(&l);
}

void listing_free(struct listing *l)
{
    if (!l)
        return;
    event_iter_free(l->live);
    dict_free(l->seen);
    map_free(l->unread);
    buf_done(&l->prefix);
    free(l);
}

struct slice listing_scope(const struct listing *l)
{
    return l->scope.text;
}

static enum rc note_begin(struct listing *l, struct err *e)
{
    struct rlog_bounds bounds;
    if (l->begin)
        return RC_OK;
    enum rc rc = rlog_bounds(l->log, &bounds, e);
    if (rc == RC_OK)
        l->begin = bounds.next;
    return rc;
}

static enum rc note_key(struct listing *l, struct slice key, struct err *e)
{
    enum rc rc = note_begin(l, e);
    if (rc == RC_OK)
        rc = dict_put(l->seen, key, l, e);
    l->counts.listed += rc == RC_OK;
    return rc;
}

enum rc listing_note_known(struct listing *l, struct slice key, struct err *e)
{
    return note_key(l, key, e);
}

enum rc listing_note_unknown(struct listing *l, struct slice key, struct err *e)
{
    enum rc rc = note_key(l, key, e);
    l->counts.changed += rc == RC_OK;
    return rc;
}

enum rc listing_note(struct listing *l, const struct event *put, uint64_t incarnation,
                     bool *ret_new, struct err *e)
{
    enum rc rc = note_key(l, put->key, e);
    if (rc < 0)
        return rc;
    AUTO(rlog_found_done) struct rlog_found last = {0};
    rc = rlog_last(l->log, put->key, 0, &last, e);
    if (rc < 0 && rc != RC_NOTFOUND)
        return rc;
    bool same = rc == RC_OK && last.event.op == EVENT_PUT &&
                last.event.incarnation == incarnation &&
                slice_eq(last.event.version, put->version) && slice_eq(last.event.uid, put->uid) &&
                slice_eq(last.event.api_version, put->api_version);
    l->counts.changed += !same;
    *ret_new = !same;
    return RC_OK;
}

enum rc listing_end(struct listing *l, struct slice body, struct err *e)
{
    AUTO(json_freep) struct json_doc *doc = NULL;
    if (body.n == 0)
        return RC_OK;
    enum rc rc = json_parse_view(body, &doc, e);
    if (rc < 0)
        return err_wrap(e, "end of the listing of %.*s", SLICE_ARG(listing_scope(l)));
    const struct json *list = json_get(json_root(doc), "unread");
    for (const struct json *key = list ? list->first : NULL; key && rc == RC_OK; key = key->next)
        rc = map_put(l->unread, json_text(doc, key), l, e);
    return rc;
}

static bool is_unread(const struct listing *l, struct slice key)
{
    if (map_count(l->unread) == 0)
        return false;
    for (size_t n = 1; n < key.n; n++)
        if (key.p[n - 1] == '/' && map_get(l->unread, slice_of(key.p, n)))
            return true;
    return map_get(l->unread, key) != NULL;
}

static bool is_missing(const struct listing *l, struct slice key)
{
    return scope_has(&l->scope, key) && !dict_get(l->seen, key) && !is_unread(l, key);
}

enum rc listing_next_missing(struct listing *l, const struct event **ret, struct err *e)
{
    enum rc rc = note_begin(l, e);
    if (rc == RC_OK && !l->live) {
        /* Not further: what came since is of the listing, and of a first one that is all there is. */
        struct rlog_range range = {
            .until = l->begin, .prefix = buf_slice(&l->prefix), .mode = RLOG_LIVE};
        rc = rlog_cursor(l->log, &range, &l->live, e);
    }
    for (int i = 0; rc == RC_OK && i < KEYS_PER_STEP; i++) {
        const struct event *ev;
        rc = event_iter_next(l->live, &ev, e);
        if (rc == RC_OK && is_missing(l, ev->key)) {
            l->counts.missing++;
            *ret = ev;
            return RC_OK;
        }
    }
    return rc == RC_OK ? RC_AGAIN : rc == RC_AGAIN ? RC_END : rc;
}

struct listing_counts listing_count(const struct listing *l)
{
    return l->counts;
}
