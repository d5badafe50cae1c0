/* Events for people and programs. Secrets are masked here, the one place that prints bodies. */
#include "cli/print_event.h"

#include "core/buf.h"
#include "core/clock.h"
#include "core/event.h"
#include "core/json.h"
#include "core/key.h"

#define LAST_APPLIED "kubectl.kubernetes.io/last-applied-configuration"

static void add_member(struct buf *out, const char *name, struct slice text)
{
    buf_addf(out, ",\"%s\":", name);
    json_print_text(text, out);
}

static enum rc mask_value(struct json_doc *d, struct json *v, struct err *e)
{
    struct json *stars;
    enum rc rc = json_value_text(d, SLICE("***"), &stars, e);
    if (rc == RC_OK)
        json_replace(v, stars);
    return rc;
}

/* The names in a map are shown; of anything else nothing is. */
static enum rc mask_map(struct json_doc *d, struct json *map, struct err *e)
{
    if (!json_is(map, JSON_OBJECT))
        return mask_value(d, map, e);
    enum rc rc = RC_OK;
    for (struct json *m = map->first, *next; m && rc == RC_OK; m = next) {
        next = m->next;
        rc = mask_value(d, m, e);
    }
    return rc;
}

static void cut_last_applied(struct json_doc *d, struct json *metadata)
{
    for (struct json *m = metadata->first; m; m = m->next)
        if (slice_eq(json_name(d, m), SLICE("annotations")))
            json_cut(m, LAST_APPLIED);
}

/* Looks at each member, for a name may be repeated. */
static enum rc mask_secret(struct json_doc *d, struct err *e)
{
    enum rc rc = RC_OK;
    for (struct json *m = json_root(d)->first, *next; m && rc == RC_OK; m = next) {
        struct slice name = json_name(d, m);
        next = m->next;
        if (slice_eq(name, SLICE("data")) || slice_eq(name, SLICE("stringData")))
            rc = mask_map(d, m, e);
        else if (slice_eq(name, SLICE("metadata")))
            cut_last_applied(d, m);
    }
    return rc;
}

static bool is_secret(struct slice key)
{
    struct key parts;
    struct err ignored = ERR_INIT;
    return key_parse(key, &parts, &ignored) == RC_OK && parts.group.n == 0 &&
           slice_eq(parts.resource, SLICE("secrets"));
}

static enum rc add_object(const struct event *ev, bool show_secrets, struct buf *out, struct err *e)
{
    AUTO(json_freep) struct json_doc *d = NULL;
    struct err why = ERR_INIT;
    bool mask = is_secret(ev->key) && !show_secrets;
    buf_add_str(out, ",\"object\":");
    enum rc rc = ev->body.n ? json_parse_view(ev->body, &d, &why) : RC_INVALID;
    if (rc == RC_NOMEM)
        return err_nomem(e);
    if (rc < 0 || (mask && !json_is(json_root(d), JSON_OBJECT))) {
        buf_add_str(out, "null");
        return RC_OK;
    }
    rc = mask ? mask_secret(d, e) : RC_OK;
    if (rc == RC_OK)
        json_print(json_root(d), out);
    return rc;
}

enum rc print_event_json(const struct event *ev, bool show_secrets, struct buf *out, struct err *e)
{
    char time[TIME_TEXT_MAX];
    buf_addf(out, "{\"offset\":%llu", (unsigned long long)ev->offset);
    add_member(out, "time", slice_str(time_text(ev->time_ns, time)));
    add_member(out, "op", slice_str(event_op_name(ev->op)));
    add_member(out, "cause", slice_str(event_cause_name(ev->cause)));
    add_member(out, "key", ev->key);
    add_member(out, "apiVersion", ev->api_version);
    add_member(out, "kind", ev->kind);
    add_member(out, "resourceVersion", ev->version);
    add_member(out, "uid", ev->uid);
    add_member(out, "manager", ev->manager);
    add_member(out, "source", ev->source);
    buf_addf(out, ",\"epoch\":%llu,\"incarnation\":%llu", (unsigned long long)ev->epoch,
             (unsigned long long)ev->incarnation);
    enum rc rc = add_object(ev, show_secrets, out, e);
    if (rc < 0)
        return rc;
    buf_add_char(out, '}');
    return buf_check(out, "event", e);
}

void print_event_cells(const struct event *ev, struct buf *out)
{
    char time[TIME_TEXT_MAX];
    buf_add_str(out, time_text(ev->time_ns, time));
    buf_add_char(out, '\0');
    buf_addf(out, "%llu", (unsigned long long)ev->offset);
    buf_add_char(out, '\0');
    buf_add_str(out, event_op_name(ev->op));
    buf_add_char(out, '\0');
    buf_add_slice(out, ev->key);
    buf_add_char(out, '\0');
    buf_add_slice(out, ev->manager);
    buf_add_char(out, '\0');
}
