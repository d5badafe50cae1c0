/* Namespace labels by name. One thread. */
#include "flow/pump_ns.h"

#include "core/buf.h"
#include "core/event.h"
#include "core/event_iter.h"
#include "core/json.h"
#include "core/map.h"
#include "log/rlog.h"

#include <stdlib.h>

struct namespaces {
    struct map *labels; /* name -> struct json_doc */
};

static void doc_free(void *value)
{
    json_free(value);
}

struct namespaces *namespaces_new(void)
{
    struct namespaces *n = calloc(1, sizeof *n);
    if (!n)
        return NULL;
    n->labels = map_new(doc_free);
    if (!n->labels) {
        free(n);
        return NULL;
    }
    return n;
}

void namespaces_free(struct namespaces *n)
{
    if (!n)
        return;
    map_free(n->labels);
    free(n);
}

struct json_doc *namespaces_labels(const struct namespaces *n, struct slice name)
{
    return map_get(n->labels, name);
}

/* A document of its own with the object's labels; {} where it has none. */
static enum rc read_labels(struct slice body, struct json_doc **ret, struct err *e)
{
    AUTO(json_freep) struct json_doc *object = NULL;
    enum rc rc = json_parse_view(body, &object, e);
    if (rc < 0)
        return rc;
    const struct json *labels = json_dig(json_root(object), "metadata", "labels", NULL);
    if (!json_is(labels, JSON_OBJECT))
        return json_parse(SLICE("{}"), ret, e);
    AUTO(buf_done) struct buf text = BUF_INIT(EVENT_BODY_MAX);
    json_print(labels, &text);
    rc = buf_check(&text, "labels", e);
    return rc < 0 ? rc : json_parse(buf_slice(&text), ret, e);
}

enum rc namespaces_apply(struct namespaces *n, const struct event *ev, enum ns_change *ret,
                         struct err *e)
{
    size_t prefix = sizeof NS_KEY_PREFIX - 1;
    struct slice name = slice_of(ev->key.p + prefix, ev->key.n - prefix);
    if (ev->op == EVENT_DELETE) {
        *ret = map_delete(n->labels, name) ? NS_GONE : NS_UNCHANGED;
        return RC_OK;
    }
    AUTO(json_freep) struct json_doc *now = NULL;
    enum rc rc = read_labels(ev->body, &now, e);
    if (rc < 0)
        return err_wrap(e, "namespace %.*s at offset %llu", SLICE_ARG(name),
                        (unsigned long long)ev->offset);
    struct json_doc *before = map_get(n->labels, name);
    enum ns_change change = !before                                         ? NS_NEW
                            : json_equal(json_root(before), json_root(now)) ? NS_UNCHANGED
                                                                            : NS_RELABELLED;
    if (change != NS_UNCHANGED) {
        rc = map_put(n->labels, name, steal(&now), e);
        if (rc < 0)
            return rc;
    }
    *ret = change;
    return RC_OK;
}

enum rc namespaces_load(struct namespaces *n, struct rlog *log, rlog_off until, struct err *e)
{
    struct rlog_range range = {.until = until, .prefix = SLICE(NS_KEY_PREFIX), .mode = RLOG_LIVE};
    AUTO(event_iter_freep) struct event_iter *it = NULL;
    enum rc rc = rlog_cursor(log, &range, &it, e);
    while (rc == RC_OK) {
        const struct event *ev;
        enum ns_change change;
        rc = event_iter_next(it, &ev, e);
        if (rc == RC_OK)
            rc = namespaces_apply(n, ev, &change, e);
    }
    return rc < 0 ? rc : RC_OK;
}
