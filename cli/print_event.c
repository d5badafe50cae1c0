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

static enum rc mask_members(struct json_doc *d, struct json *map, struct err *e)
{
    for (struct json *m = map ? map->first : NULL, *next; m; m = next) {
        struct json *stars;
        next = m->next;
        enum rc rc = json_value(d, SLICE("\"***\""), &stars, e);
        if (rc < 0)
            return rc;
        json_replace(m, stars);
    }
    return RC_OK;
}

static enum rc mask_secret(struct json_doc *d, struct err *e)
{
    struct json *root = json_root(d);
    enum rc rc = mask_members(d, json_get(root, "data"), e);
    if (rc == RC_OK)
        rc = mask_members(d, json_get(root, "stringData"), e);
    if (rc == RC_OK)
        json_cut(json_dig(root, "metadata", "annotations", NULL), LAST_APPLIED);
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
    buf_add_str(out, ",\"object\":");
    enum rc rc = ev->body.n ? json_parse_view(ev->body, &d, &why) : RC_INVALID;
    if (rc == RC_NOMEM)
        return err_nomem(e);
    if (rc < 0) {
        buf_add_str(out, "null");
        return RC_OK;
    }
    rc = is_secret(ev->key) && !show_secrets ? mask_secret(d, e) : RC_OK;
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
