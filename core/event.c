/* The event's names, and the check that stands before every append and behind every decode. Pure
 * functions. Messages name the key, never the body. */
#include "core/event.h"

#define SHOWN_MAX 200 /* bytes of a key that a message repeats */

static const char *const op_names[] = {
    [EVENT_PUT] = "put",           [EVENT_DELETE] = "delete",
    [EVENT_GAP] = "gap",           [EVENT_SYNC_BEGIN] = "sync-begin",
    [EVENT_SYNC_END] = "sync-end", [EVENT_POSITION] = "position",
    [EVENT_KIND] = "kind",         [EVENT_LABEL] = "label",
    [EVENT_EPOCH] = "epoch",       [EVENT_FENCE] = "fence",
    [EVENT_CLOCK] = "clock",       [EVENT_BASE] = "base",
    [EVENT_TRIM] = "trim",
};
static const char *const cause_names[] = {
    [CAUSE_WATCH] = "watch",     [CAUSE_LIST] = "list", [CAUSE_RESYNC] = "resync",
    [CAUSE_RESTORE] = "restore", [CAUSE_SELF] = "self",
};
#define COUNT(a) (sizeof(a) / sizeof *(a))

const char *event_op_name(enum event_op op)
{
    return (size_t)op < COUNT(op_names) ? op_names[op] : NULL;
}

bool event_op_parse(struct slice name, enum event_op *ret)
{
    for (size_t i = EVENT_PUT; i < COUNT(op_names); i++) {
        if (!slice_eq(name, slice_str(op_names[i])))
            continue;
        *ret = (enum event_op)i;
        return true;
    }
    return false;
}

const char *event_cause_name(enum event_cause cause)
{
    return (size_t)cause < COUNT(cause_names) ? cause_names[cause] : NULL;
}

static enum rc check_numbers(const struct event *ev, struct slice key, struct err *e)
{
    if (!event_op_name(ev->op))
        return err_set(e, RC_INVALID, ERR_FINAL,
                       "event \"%.*s\": operation %d is unknown; 1 to 13 are allowed",
                       SLICE_ARG(key), (int)ev->op);
    if (!event_cause_name(ev->cause))
        return err_set(e, RC_INVALID, ERR_FINAL,
                       "event \"%.*s\": cause %d is unknown; 1 to 5 are allowed", SLICE_ARG(key),
                       (int)ev->cause);
    if (ev->source_kind != SOURCE_KUBERNETES && ev->source_kind != SOURCE_ZOOKEEPER)
        return err_set(e, RC_INVALID, ERR_FINAL,
                       "event \"%.*s\": kind of source %d is unknown; 1 and 2 are allowed",
                       SLICE_ARG(key), (int)ev->source_kind);
    return RC_OK;
}

enum rc event_check(const struct event *ev, struct err *e)
{
    if (ev->key.n == 0)
        return err_set(e, RC_INVALID, ERR_FINAL, "an event without a key");
    struct slice key = slice_of(ev->key.p, ev->key.n < SHOWN_MAX ? ev->key.n : SHOWN_MAX);
    enum rc rc = check_numbers(ev, key, e);
    if (rc)
        return rc;
    const struct {
        const char *name;
        size_t n, max;
    } texts[] = {
        {"source", ev->source.n, EVENT_TEXT_MAX},
        {"key", ev->key.n, EVENT_TEXT_MAX},
        {"version", ev->version.n, EVENT_TEXT_MAX},
        {"uid", ev->uid.n, EVENT_TEXT_MAX},
        {"api version", ev->api_version.n, EVENT_TEXT_MAX},
        {"kind", ev->kind.n, EVENT_TEXT_MAX},
        {"manager", ev->manager.n, EVENT_TEXT_MAX},
        {"user", ev->user.n, EVENT_TEXT_MAX},
        {"body", ev->body.n, EVENT_BODY_MAX},
    };
    for (size_t i = 0; i < COUNT(texts); i++) {
        if (texts[i].n > texts[i].max)
            return err_set(e, RC_LIMIT, ERR_FINAL,
                           "event \"%.*s\": its %s is %zu bytes long; at most %zu are allowed",
                           SLICE_ARG(key), texts[i].name, texts[i].n, texts[i].max);
    }
    return RC_OK;
}
