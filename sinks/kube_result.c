/* The ends of an item's way: results, records, and the table of what a refusal means.
 *
 * Keeps nothing of its own. No reason holds a value of an object (I8): texts come from kube_refusal.c. */
#include "sinks/kube_write_priv.h"

#include "core/event.h"
#include "core/json.h"
#include "sinks/kube_project.h"
#include "sinks/kube_refusal.h"
#include "sinks/kube_rules.h"
#include "sinks/kube_say.h"

#include <stdarg.h>
#include <stdio.h>

/* The destination may have more than the record says, so its hash must not be trusted by the next item of the
 * key; its base still holds for the merge. Without memory for that the record is forgotten, which is as safe. */
static void distrust_record(struct kube_write *w)
{
    if (!w->doubt || !w->has_old)
        return;
    buf_reset(&w->record);
    kube_record_distrust(w->item.record, &w->record);
    w->result.record = w->record.bad == RC_OK ? buf_slice(&w->record) : SLICE_NULL;
    w->result.record_changed = true;
}

void kube_write_end(struct kube_write *w, enum sink_outcome outcome, const char *cls,
                    const char *fmt, ...)
{
    va_list args;
    w->done = true;
    w->next = KUBE_DO_NOTHING;
    if (outcome == SINK_HELD || outcome == SINK_WAITING)
        distrust_record(w);
    w->result.outcome = outcome;
    w->result.cls = cls;
    va_start(args, fmt);
    vsnprintf(w->result.reason, sizeof w->result.reason, fmt, args);
    va_end(args);
}

bool kube_write_secret(const struct kube_write *w)
{
    return w->key.group.n == 0 && slice_eq(w->key.resource, SLICE("secrets"));
}

/* ---- Refusals ---- */

#define APPLY_IS_STRICT " by server-side apply (writeMode: merge takes more)"

enum depends_on { ON_NOTHING, ON_NAMESPACE, ON_KIND };

static const struct refusal {
    enum kube_class cls;
    enum sink_outcome outcome;
    const char *word;
    enum depends_on on;
} refusals[] = {
    {KUBE_NAMESPACE_MISSING, SINK_WAITING, "namespace-missing", ON_NAMESPACE},
    {KUBE_KIND_MISSING, SINK_WAITING, "kind-missing", ON_KIND},
    {KUBE_OBJECT_MISSING, SINK_WAITING, "object-missing", ON_NOTHING},
    {KUBE_TERMINATING, SINK_WAITING, "terminating", ON_NOTHING},
    {KUBE_EXISTS, SINK_HELD, "conflict", ON_NOTHING},
    {KUBE_CONFLICT, SINK_HELD, "conflict", ON_NOTHING},
    {KUBE_FORBIDDEN, SINK_HELD, "forbidden", ON_NOTHING},
    {KUBE_QUOTA, SINK_HELD, "quota", ON_NOTHING},
    {KUBE_INVALID, SINK_HELD, "invalid", ON_NOTHING},
    {KUBE_IMMUTABLE, SINK_HELD, "immutable", ON_NOTHING},
    {KUBE_TOO_LARGE, SINK_HELD, "too-large", ON_NOTHING},
    {KUBE_WEBHOOK, SINK_HELD, "webhook", ON_NOTHING},
    {KUBE_UNACCEPTABLE, SINK_HELD, "unacceptable", ON_NOTHING},
};

static const struct refusal *refusal_of(enum kube_class cls)
{
    for (size_t i = 0; i < sizeof refusals / sizeof *refusals; i++)
        if (refusals[i].cls == cls)
            return &refusals[i];
    return NULL;
}

static void set_dependency(struct kube_write *w, enum depends_on on)
{
    if (on == ON_NAMESPACE)
        key_print(&(struct key){.resource = SLICE("namespaces"), .name = w->key.ns},
                  &w->dependency);
    if (on == ON_KIND &&
        w->key.group.n) /* what serves a kind is its definition, "<plural>.<group>" */
        buf_addf(&w->dependency, "apiextensions.k8s.io/customresourcedefinitions//%.*s.%.*s",
                 SLICE_ARG(w->key.resource), SLICE_ARG(w->key.group));
    if (w->dependency.bad == RC_OK) /* without it, time alone brings the item back */
        w->result.dependency = buf_slice(&w->dependency);
}

enum rc kube_write_refused(struct kube_write *w, const struct kube_answer *a, const char *doing)
{
    const struct refusal *r = refusal_of(a->verdict.cls);
    enum kube_next asked = w->next;
    char text[320];
    if (!r)
        return RC_AGAIN;
    kube_refusal_text(&a->verdict, a->body, kube_write_secret(w), text, sizeof text);
    bool strict = asked == KUBE_DO_APPLY && r->cls == KUBE_INVALID;
    kube_write_end(w, r->outcome, r->word, "%s%s: %s", doing, strict ? APPLY_IS_STRICT : "", text);
    /* A namespace that goes away answers 403; 409 is about the object itself. */
    w->refused = r->cls;
    bool namespace_ends = r->cls == KUBE_TERMINATING && a->status == 403;
    set_dependency(w, namespace_ends ? ON_NAMESPACE : r->on);
    w->result.retry_after_ns = a->verdict.retry_after_ns;
    kube_say(w, r->outcome == SINK_HELD ? DIAG_WARN : DIAG_DEBUG, doing, asked, text);
    return RC_OK;
}

void kube_write_unserved(struct kube_write *w, const struct kube_answer *a, const char *doing)
{
    enum kube_next asked = w->next;
    char text[320];
    /* What is said of a silence are our own words: which time limit it was, of a Secret too. */
    bool quiet = kube_write_secret(w) && a->status != 0;
    kube_refusal_text(&a->verdict, a->body, quiet, text, sizeof text);
    kube_write_end(w, SINK_HELD, "unserved", "%s: the destination answers, but not this: %s", doing,
                   text);
    w->result.retry_after_ns = a->verdict.retry_after_ns;
    kube_say(w, DIAG_WARN, doing, asked, text);
}

/* ---- Records ---- */

void kube_write_forget(struct kube_write *w)
{
    w->result.record_changed = w->item.record.n > 0;
    w->result.record = SLICE_NULL;
}

static enum rc store(struct kube_write *w, const struct kube_record *r, struct err *e)
{
    buf_reset(&w->record);
    enum rc rc = kube_record_encode(r, buf_slice(&w->desired), w->dest->compressor, &w->record, e);
    if (rc != RC_OK)
        return rc;
    w->result.record = buf_slice(&w->record);
    w->result.record_changed = !slice_eq(w->result.record, w->item.record);
    return RC_OK;
}

/* Hash of what the object would be if it were copied back: so that an echo of our own write is known as one. */
static enum rc hash_answer(const struct kube_write *w, struct json_doc *d, uint8_t *ret,
                           struct err *e)
{
    const struct kube_project_opts opts = {
        .rule = w->rule,
        .api_version = w->item.event->api_version,
        .kind = w->item.event->kind,
        .effects_allow = true,
    };
    enum rc rc = kube_project(d, &opts, /* out= */ NULL, e);
    return rc == RC_OK ? kube_project_hash(d, &opts, ret, e) : rc;
}

static uint32_t flags_of(const struct kube_write *w, uint32_t created)
{
    uint32_t flags = created ? KUBE_RECORD_CREATED : 0;
    if (w->adopted)
        flags |= KUBE_RECORD_ADOPTED;
    if (!w->owned)
        flags |= KUBE_RECORD_ORIGIN;
    return flags;
}

enum rc kube_write_applied(struct kube_write *w, struct slice answer, uint32_t created,
                           struct err *e)
{
    AUTO(json_freep) struct json_doc *d = NULL;
    struct kube_object object;
    struct kube_record r = {.flags = flags_of(w, created), .source_uid = w->item.event->uid};
    int64_t generation = 0;
    enum rc rc = json_parse_view(answer, &d, e);
    if (rc == RC_OK)
        rc = kube_object_read(d, &object, e);
    if (rc != RC_OK)
        return rc;
    if (json_int(json_get(object.metadata, "generation"), &generation) && generation > 0)
        r.generation = (uint64_t)generation;
    bool idle = w->next == KUBE_DO_APPLY && !w->doubt && !w->taken_over &&
                slice_eq(buf_slice(&w->live_version), object.resource_version);
    w->result.wrote = w->result.wrote && !idle;
    buf_reset(&w->live_uid);
    buf_reset(&w->live_version);
    buf_add_slice(&w->live_uid, object.uid);
    buf_add_slice(&w->live_version, object.resource_version);
    r.uid = buf_slice(&w->live_uid);
    r.version = buf_slice(&w->live_version);
    memcpy(r.desired_hash, w->desired_hash, sizeof r.desired_hash);
    rc = buf_check(&w->live_uid, "a uid", e);
    if (rc == RC_OK)
        rc = buf_check(&w->live_version, "a resourceVersion", e);
    if (rc == RC_OK)
        rc = hash_answer(w, d, r.answer_hash, e);
    if (rc == RC_OK)
        rc = store(w, &r, e);
    if (rc == RC_OK)
        kube_write_end(w, SINK_DONE, "", "%s", "");
    return rc;
}

enum rc kube_write_remember(struct kube_write *w, struct err *e)
{
    struct kube_record r = {
        .flags = w->origin_here ? KUBE_RECORD_ORIGIN : w->old.flags,
        .uid = w->origin_here ? buf_slice(&w->origin_uid) : w->old.uid,
        .source_uid = w->item.event->uid,
    };
    memcpy(r.desired_hash, w->desired_hash, sizeof r.desired_hash);
    memcpy(r.answer_hash, w->desired_hash, sizeof r.answer_hash);
    return store(w, &r, e);
}
