/* Events for people and programs. Secrets are masked, unless that is switched off. */
#include "cli/print_event.h"

#include "cli/secret_mask.h"
#include "core/buf.h"
#include "core/clock.h"
#include "core/event.h"
#include "core/json.h"

static void add_member(struct buf *out, const char *name, struct slice text)
{
    buf_addf(out, ",\"%s\":", name);
    json_print_text(text, out);
}

static enum rc add_object(const struct event *ev, bool show_secrets, struct buf *out, struct err *e)
{
    AUTO(json_freep) struct json_doc *d = NULL;
    struct err why = ERR_INIT;
    bool mask = secret_is(ev->source_kind, ev->key) && !show_secrets;
    buf_add_str(out, ",\"object\":");
    enum rc rc = ev->body.n ? json_parse_view(ev->body, &d, &why) : RC_INVALID;
    if (rc == RC_NOMEM)
        return err_nomem(e);
    if (rc < 0 || (mask && !json_is(json_root(d), JSON_OBJECT))) {
        buf_add_str(out, "null");
        return RC_OK;
    }
    rc = mask ? secret_mask(d, e) : RC_OK;
    if (rc == RC_OK)
        json_print(json_root(d), out);
    return rc;
}

enum rc print_event_json(const struct event *ev, struct slice more, bool show_secrets,
                         struct buf *out, struct err *e)
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
    buf_add_slice(out, more);
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
