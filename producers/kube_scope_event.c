/* What a scope says: its events, built and queued. Each carries the clock as read now. One thread. */
#include "producers/kube_scope_priv.h"

#include "core/clock.h"
#include "core/env.h"
#include "core/json.h"
#include "io/kube_discovery.h"
#include "producers/producer_queue.h"

enum rc kube_scope_queue_own(struct kube_scope *s, enum event_op op, const char *prefix,
                             struct slice version, struct slice body, struct err *e)
{
    AUTO(buf_done) struct buf key = BUF_INIT(SCOPE_TEXT_MAX);
    buf_add_str(&key, prefix);
    buf_add_str(&key, s->text);
    enum rc rc = buf_check(&key, "scope", e);
    if (rc < 0)
        return rc;
    struct event ev = {.op = op,
                       .cause = CAUSE_SELF,
                       .source_kind = SOURCE_KUBERNETES,
                       .wall_ns = clock_wall_ns(s->world->env->clock),
                       .key = buf_slice(&key),
                       .version = version,
                       .body = body};
    return producer_queue_add(s->world->queue, s, &ev, e);
}

enum rc kube_scope_queue_gap(struct kube_scope *s, const char *reason, struct err *e)
{
    AUTO(buf_done) struct buf body = BUF_INIT(EVENT_TEXT_MAX);
    buf_add_str(&body, "{\"severity\":\"possible\",\"reason\":");
    json_print_text(slice_str(reason), &body);
    buf_add_str(&body, ",\"after\":");
    json_print_text(buf_slice(&s->version), &body);
    buf_add_char(&body, '}');
    enum rc rc = buf_check(&body, "gap", e);
    return rc < 0 ? rc
                  : kube_scope_queue_own(s, EVENT_GAP, "@gap/", buf_slice(&s->version),
                                         buf_slice(&body), e);
}

enum rc kube_scope_queue_object(struct kube_scope *s, struct slice bytes, enum event_op op,
                                enum event_cause cause, struct err *e)
{
    AUTO(json_freep) struct json_doc *doc = NULL;
    struct kube_object o;
    enum rc rc = json_parse_view(bytes, &doc, e);
    if (rc == RC_OK)
        rc = kube_object_read(doc, &o, e);
    if (rc != RC_OK)
        return rc;
    AUTO(buf_done) struct buf key = BUF_INIT(KEY_MAX);
    key_print(&(struct key){s->gvr.group, s->gvr.resource, o.ns, o.name}, &key);
    rc = buf_check(&key, "key", e);
    if (rc < 0)
        return rc;
    struct event ev = {.op = op,
                       .cause = cause,
                       .source_kind = SOURCE_KUBERNETES,
                       .wall_ns = clock_wall_ns(s->world->env->clock),
                       .key = buf_slice(&key),
                       .version = o.resource_version,
                       .uid = o.uid,
                       .api_version = slice_str(s->api_version),
                       .kind = slice_str(s->kind),
                       .manager = o.manager,
                       .body = bytes};
    rc = event_check(&ev,
                     e); /* what the log would refuse is this scope's trouble, not everybody's */
    if (rc == RC_OK)
        rc = producer_queue_add(s->world->queue, s, &ev, e);
    if (rc == RC_OK && cause == CAUSE_WATCH) {
        buf_reset(&s->version);
        buf_add_slice(&s->version, o.resource_version);
        rc = buf_check(&s->version, "resourceVersion", e);
    }
    return rc;
}

enum rc kube_scope_queue_kind(struct kube_scope *s, const struct kube_resource *r, struct err *e)
{
    AUTO(buf_done) struct buf key = BUF_INIT(SCOPE_TEXT_MAX);
    AUTO(buf_done) struct buf body = BUF_INIT(SCOPE_TEXT_MAX);
    buf_addf(&key, "@kind/%.*s/%.*s", SLICE_ARG(r->group), SLICE_ARG(r->resource));
    buf_add_str(&body, "{\"version\":");
    json_print_text(r->version, &body);
    buf_add_str(&body, ",\"kind\":");
    json_print_text(r->kind, &body);
    buf_add_str(&body, ",\"singular\":");
    json_print_text(r->singular, &body);
    buf_add_str(&body, ",\"shortNames\":");
    json_print_text(r->short_names, &body);
    buf_addf(&body, ",\"namespaced\":%s}", r->namespaced ? "true" : "false");
    enum rc rc = buf_check(&key, "kind", e);
    if (rc == RC_OK)
        rc = buf_check(&body, "kind", e);
    if (rc < 0 || slice_eq(buf_slice(&body), buf_slice(&s->said_kind)))
        return rc;
    struct event ev = {.op = EVENT_KIND,
                       .cause = CAUSE_SELF,
                       .source_kind = SOURCE_KUBERNETES,
                       .wall_ns = clock_wall_ns(s->world->env->clock),
                       .key = buf_slice(&key),
                       .api_version = slice_str(s->api_version),
                       .kind = r->kind,
                       .body = buf_slice(&body)};
    rc = producer_queue_add(s->world->queue, s, &ev, e);
    if (rc < 0)
        return rc;
    buf_reset(&s->said_kind);
    buf_add_slice(&s->said_kind, buf_slice(&body));
    return buf_check(&s->said_kind, "kind", e);
}
