/* What the destination's object, just read, decides: whose it is, what to change, whether it may go.
 *
 * Keeps nothing of its own. Invariants: nothing is written over an object that is neither ours, nor the origin,
 * nor adopted by policy, and nothing over an adopted one before its state is durable elsewhere; nothing is deleted
 * without our valid mark on that very object (I6), but for an origin whose deletion was seen. */
#include "sinks/kube_write_priv.h"

#include "core/event.h"
#include "core/json.h"
#include "core/json_patch.h"
#include "core/key.h"
#include "sinks/kube_differ.h"
#include "sinks/kube_merge.h"
#include "sinks/kube_owned.h"
#include "sinks/kube_rules.h"
#include "sinks/kube_service.h"

#define NAMES_MAX   (16u << 10)
#define NAMES_SHOWN 200 /* bytes */

/* The live object as it was read. */
struct seen {
    struct json_doc *doc;
    struct kube_object object;
    struct kube_marks marks;
    struct slice text;

    /* Of a put, once doc is merged. */
    bool changed; /* it has another canonical form */
    bool
        other_mode; /* members of it were written by plain writes, where applies are asked for, or the reverse */
};

static enum rc end(struct kube_write *w, enum sink_outcome outcome, const char *cls,
                   const char *text)
{
    kube_write_end(w, outcome, cls, "%s", text);
    return RC_OK;
}

/* ---- Whose it is ---- */

/* The record was made of this very object, not of one that had its name. */
static bool is_recorded(const struct kube_write *w, const struct seen *s)
{
    return w->has_old && w->old.uid.n > 0 && slice_eq(w->old.uid, s->object.uid);
}

/* Of a put: the live object is the one that the source's object was once copied from. */
static bool is_origin(const struct kube_write *w, const struct seen *s)
{
    return w->origin_here && slice_eq(buf_slice(&w->origin_uid), s->object.uid);
}

/* The source's object is another one than the live copy was made from, although its name is the same. */
static bool is_replaced(const struct kube_write *w, const struct seen *s)
{
    if (w->has_old && w->old.source_uid.n > 0)
        return !slice_eq(w->old.source_uid, w->item.event->uid);
    return s->marks.origin_uid.n > 0 && !slice_eq(s->marks.origin_uid, buf_slice(&w->origin_uid));
}

/* ---- Put ---- */

/* The base of the merge: the desired object of the last write, where it went to this very object. */
static enum rc parse_base(const struct kube_write *w, const struct seen *s, struct json_doc **ret,
                          struct err *e)
{
    AUTO(buf_done) struct buf text = BUF_INIT(KUBE_RECORD_BODY_MAX);
    struct err why = ERR_INIT;
    if (!is_recorded(w, s) || w->old.raw_size == 0)
        return RC_OK;
    enum rc rc = kube_record_desired(&w->old, w->dest->compressor, &text, &why);
    if (rc == RC_OK)
        rc = json_parse(buf_slice(&text), ret, &why);
    /* A damaged base is an unknown one. */
    return rc == RC_NOMEM ? err_nomem(e) : RC_OK;
}

/* What is only about to be adopted loses nothing. */
static bool is_kept_by_us(const struct kube_write *w, const struct seen *s)
{
    return s->marks.claim == KUBE_OURS || is_recorded(w, s) || is_origin(w, s);
}

static bool by_apply(const struct kube_write *w)
{
    return w->item.policy->apply;
}

/* Both bases, because a write of ours may have been done without a record: by a life that died before its commit, or
 * into a data folder that was lost. What the server says that we wrote covers these; the record covers what others
 * changed since (docs/adr/0004). An apply removes by the server's word alone. What the other mode wrote before goes
 * over to this one. */
static enum rc merge(struct kube_write *w, struct seen *s, struct json_doc *desired, struct err *e)
{
    AUTO(json_freep) struct json_doc *sent = NULL;
    AUTO(json_freep) struct json_doc *owned = NULL;
    bool kept = is_kept_by_us(w, s);
    enum rc rc = by_apply(w) ? RC_OK : parse_base(w, s, &sent, e);
    if (rc == RC_OK && kept)
        rc = kube_owned_unite(s->doc, by_apply(w) ? KUBE_BY_APPLY : KUBE_BY_UPDATE, &s->other_mode,
                              e);
    if (rc == RC_OK && kept)
        rc = kube_owned(s->doc, &owned, e);
    const struct kube_base base = {sent, owned};
    return rc == RC_OK ? kube_merge(s->doc, desired, &base, w->rule, &s->changed, e) : rc;
}

static enum rc set_marks(struct kube_write *w, struct json_doc *d, bool *ret_changed, struct err *e)
{
    const struct kube_marks marks = {
        .adopted = w->adopted,
        .origin_cluster = buf_slice(&w->origin_cluster),
        .origin_uid = buf_slice(&w->origin_uid),
    };
    if (!w->owned)
        return RC_OK;
    return kube_marks_set(d, &w->dest->me, w->item.event->key, &marks, ret_changed, e);
}

static enum rc send(struct kube_write *w, enum kube_next next, const struct json_doc *d,
                    struct err *e)
{
    buf_reset(&w->body);
    json_print(json_root(d), &w->body);
    w->next = next;
    return buf_check(&w->body, "the merged object", e);
}

/* Before the first apply: nothing but whose the members are changes. */
static enum rc take_over(struct kube_write *w, const struct seen *s, struct err *e)
{
    AUTO(json_freep) struct json_doc *d = NULL;
    bool changed = false;
    enum rc rc = json_parse_view(s->text, &d, e);
    if (rc == RC_OK)
        rc = kube_owned_unite(d, KUBE_BY_APPLY, &changed, e);
    return rc == RC_OK ? send(w, KUBE_DO_TAKE_OVER, d, e) : rc;
}

static enum rc set_text(struct json_doc *d, const char *name, struct slice text, struct err *e)
{
    struct json *value;
    enum rc rc = json_value_text(d, text, &value, e);
    return rc == RC_OK ? json_set(d, json_get(json_root(d), "metadata"), slice_str(name), value, e)
                       : rc;
}

/* The whole desired object, for the very state that was seen. */
static enum rc apply(struct kube_write *w, const struct seen *s, struct json_doc *desired,
                     struct err *e)
{
    bool changed = false;
    if (s->other_mode && !w->taken_over)
        return take_over(w, s, e);
    enum rc rc = set_marks(w, desired, &changed, e);
    if (rc == RC_OK)
        rc = set_text(desired, "uid", s->object.uid, e);
    if (rc == RC_OK)
        rc = set_text(desired, "resourceVersion", s->object.resource_version, e);
    return rc == RC_OK ? send(w, KUBE_DO_APPLY, desired, e) : rc;
}

/* What the live object has called already is no news to the server. */
static enum rc skip_services(struct kube_write *w, const struct seen *s, struct err *e)
{
    AUTO(buf_done) struct buf there = BUF_INIT(KUBE_BODY_MAX);
    enum rc rc = kube_services_named(s->doc, w->rule, &there, e);
    bool same = slice_eq(buf_slice(&there), buf_slice(&w->services));
    w->services_ready = same ? w->services.n : 0;
    return rc;
}

/* ---- What is overwritten ---- */

/* What is durable is this very state: the write names its version, so no other one is written over. */
static bool is_preserved(const struct kube_write *w, const struct seen *s)
{
    struct kube_record r;
    struct err ignored = ERR_INIT;
    return w->item.preimage.n > 0 && kube_record_decode(w->item.preimage, &r, &ignored) == RC_OK &&
           slice_eq(r.uid, s->object.uid) && slice_eq(r.version, s->object.resource_version);
}

static enum rc preserve(struct kube_write *w, const struct seen *s, struct err *e)
{
    const struct kube_record r = {.flags = KUBE_RECORD_PREIMAGE,
                                  .uid = s->object.uid,
                                  .version = s->object.resource_version,
                                  .source_uid = w->item.event->uid};
    buf_reset(&w->preimage);
    enum rc rc = kube_record_encode(&r, s->text, w->dest->compressor, &w->preimage, e);
    if (rc != RC_OK)
        return rc;
    w->result.preimage = buf_slice(&w->preimage);
    return end(w, SINK_WAITING, "pre-image",
               "what the destination has is kept before it is overwritten");
}

/* Over what is written. */
enum over { OVER_OURS, OVER_EQUAL, OVER_ANY };

/* The merged object tells what an adoption would change. Of a Secret nothing is named. */
static enum rc hold_not_ours(struct kube_write *w, const struct seen *s, struct err *e)
{
    AUTO(buf_done) struct buf names = BUF_INIT(NAMES_MAX);
    AUTO(json_freep) struct json_doc *live = NULL;
    enum rc rc = kube_write_secret(w) ? RC_OK : json_parse_view(s->text, &live, e);
    if (rc < 0)
        return rc;
    if (live)
        kube_differ(live, s->doc, &names);
    int shown = (int)(names.n < NAMES_SHOWN ? names.n : NAMES_SHOWN);
    kube_write_end(
        w, SINK_HELD, "not-ours",
        "the destination has an object of this name that is not ours and differs%s%.*s; "
        "'resilog adopt' or adopt: always overwrites it, deleting it there has it copied",
        shown ? " in " : "", shown, shown ? names.p : "");
    return RC_OK;
}

/* Sends what is needed, if the object differs from the merged one at all. */
static enum rc update(struct kube_write *w, struct seen *s, enum over over, struct err *e)
{
    AUTO(json_freep) struct json_doc *desired = NULL;
    bool marked = false;
    w->replaced = is_replaced(w, s);
    enum rc rc = json_parse_view(buf_slice(&w->desired), &desired, e);
    if (rc == RC_OK)
        rc = skip_services(w, s, e);
    if (rc == RC_OK)
        rc = merge(w, s, desired, e);
    if (rc != RC_OK)
        return rc;
    if (s->changed && over == OVER_EQUAL)
        return hold_not_ours(w, s, e);
    if (s->changed && over == OVER_ANY && !is_preserved(w, s))
        return preserve(w, s, e);
    rc = set_marks(w, s->doc, &marked, e);
    if (rc != RC_OK)
        return rc;
    if (!s->changed && !marked)
        return kube_write_applied(w, s->text,
                                  is_recorded(w, s) ? w->old.flags & KUBE_RECORD_CREATED : 0, e);
    return by_apply(w) ? apply(w, s, desired, e) : send(w, KUBE_DO_PUT, s->doc, e);
}

static enum rc adopt(struct kube_write *w, struct seen *s, struct err *e)
{
    /* Identities of two kinds (io/kube_identity.h) do not tell this; the object itself does. */
    if (slice_eq(s->object.uid, w->item.event->uid))
        return end(w, SINK_HELD, "same-cluster",
                   "the object is the source's own: source and destination are the same cluster");
    if (w->item.policy->adopt == ADOPT_NEVER)
        return end(w, SINK_HELD, "not-ours",
                   "the destination has an object of this name that is not ours (adopt: never)");
    w->adopted = true;
    return update(w, s, w->item.policy->adopt == ADOPT_EQUAL ? OVER_EQUAL : OVER_ANY, e);
}

static enum rc foreign(struct kube_write *w, const struct seen *s)
{
    kube_write_end(w, SINK_HELD, "conflict",
                   "another synchronization (%.*s) keeps this object; let only one of them copy it",
                   SLICE_ARG(s->marks.sync_id));
    return RC_OK;
}

static enum rc put_seen(struct kube_write *w, struct seen *s, struct err *e)
{
    bool recorded = is_recorded(w, s);
    if (s->object.deleting)
        return end(w, SINK_WAITING, "terminating",
                   "the destination's object of this name is being deleted");
    w->owned = true;
    w->marked = s->marks.claim == KUBE_OURS;
    w->adopted = recorded && (w->old.flags & KUBE_RECORD_ADOPTED);
    switch (s->marks.claim) {
    case KUBE_FOREIGN:
        return foreign(w, s);
    case KUBE_OURS:
        w->adopted = w->adopted || s->marks.adopted;
        return update(w, s, OVER_OURS, e);
    case KUBE_UNMARKED:
        break;
    }
    if (is_origin(w, s)) {
        w->owned = false;
        w->adopted = false;
        return update(w, s, OVER_OURS, e);
    }
    if (recorded && !(w->old.flags & KUBE_RECORD_ORIGIN))
        return update(w, s, OVER_OURS, e); /* somebody took our mark off; the uid says it is ours */
    return adopt(w, s, e);
}

/* ---- Delete ---- */

static enum rc forget(struct kube_write *w, const char *cls, const char *text)
{
    kube_write_forget(w);
    return end(w, SINK_DONE, cls, text);
}

/* The deleted source object was a copy of the live one. */
static bool was_copy_of(const struct kube_write *w, const struct seen *s)
{
    AUTO(json_freep) struct json_doc *d = NULL;
    struct err why = ERR_INIT;
    struct kube_marks marks;
    if (is_recorded(w, s))
        return w->old.flags & KUBE_RECORD_ORIGIN;
    if (json_parse_view(w->item.body, &d, &why) != RC_OK)
        return false;
    kube_marks_read(d, json_root(d), &w->dest->me, w->item.event->key, &marks);
    return slice_eq(marks.origin_cluster, w->dest->me.destination) &&
           slice_eq(marks.origin_uid, s->object.uid);
}

static enum rc start_delete(struct kube_write *w)
{
    if (w->rule->undeletable)
        return end(w, SINK_HELD, "never-deleted",
                   "deleting it would take other objects or data along; delete it in the "
                   "destination by hand");
    w->next = KUBE_DO_DELETE;
    return RC_OK;
}

static enum rc delete_seen(struct kube_write *w, struct seen *s)
{
    bool adopted = s->marks.adopted || (is_recorded(w, s) && (w->old.flags & KUBE_RECORD_ADOPTED));
    if (s->object.deleting)
        return forget(w, "", "");
    if (s->marks.claim == KUBE_FOREIGN)
        return forget(w, "not-ours", "another synchronization keeps the object; it stays");
    if (s->marks.claim == KUBE_OURS && adopted && !w->item.observed)
        return end(w, SINK_HELD, "adopted",
                   "the object was there before us and its deletion in the source was not seen; "
                   "delete it in the destination by hand");
    if (s->marks.claim == KUBE_OURS)
        return start_delete(w);
    if (was_copy_of(w, s) && w->item.observed)
        return start_delete(w);
    return forget(w, "not-ours", "the object does not carry our mark; it stays");
}

/* ---- Entry points ---- */

static enum rc keep_facts(struct kube_write *w, const struct seen *s, struct err *e)
{
    buf_reset(&w->live_uid);
    buf_reset(&w->live_version);
    buf_add_slice(&w->live_uid, s->object.uid);
    buf_add_slice(&w->live_version, s->object.resource_version);
    enum rc rc = buf_check(&w->live_uid, "a uid", e);
    return rc == RC_OK ? buf_check(&w->live_version, "a resourceVersion", e) : rc;
}

enum rc kube_write_seen(struct kube_write *w, struct slice answer, struct err *e)
{
    AUTO(json_freep) struct json_doc *d = NULL;
    struct seen s = {.text = answer};
    enum rc rc = json_parse_view(answer, &d, e);
    if (rc == RC_OK)
        rc = kube_object_read(d, &s.object, e);
    if (rc == RC_OK)
        rc = keep_facts(w, &s, e);
    if (rc != RC_OK)
        return rc;
    s.doc = d;
    kube_marks_read(d, json_root(d), &w->dest->me, w->item.event->key, &s.marks);
    return w->item.op == SINK_DELETE ? delete_seen(w, &s) : put_seen(w, &s, e);
}

enum rc kube_write_missing(struct kube_write *w)
{
    if (w->item.op == SINK_DELETE)
        return forget(w, "", "");
    if (w->origin_here) {
        kube_write_forget(w);
        return end(w, SINK_SKIPPED, "origin-gone",
                   "it was first made in the destination and is no longer there");
    }
    w->services_ready = 0;
    w->next = KUBE_DO_POST;
    return RC_OK;
}

/* The entry decides before the kind, but for kinds whose deletion takes more along than the copy. */
static enum kube_recreate recreate_of(const struct kube_write *w)
{
    switch (w->item.policy->recreate) {
    case RECREATE_ALWAYS:
        return w->rule->undeletable ? KUBE_RECREATE_NEVER : KUBE_RECREATE_YES;
    case RECREATE_ASK:
        return w->rule->undeletable ? KUBE_RECREATE_NEVER : KUBE_RECREATE_ASK;
    case RECREATE_NEVER:
        return KUBE_RECREATE_NEVER;
    case RECREATE_BY_KIND:
        break;
    }
    return w->rule->recreate;
}

static bool is_none_at(struct json_doc *d, const char *path)
{
    return slice_eq(json_text(d, json_pointer_get(d, slice_str(path))), SLICE("None"));
}

enum rc kube_write_kept(const struct kube_write *w, struct slice answer, bool *ret, struct err *e)
{
    AUTO(json_freep) struct json_doc *desired = NULL;
    AUTO(json_freep) struct json_doc *live = NULL;
    *ret = false;
    if (!w->rule->sticky || !w->replaced) /* of one and the same object it cannot have changed */
        return RC_OK;
    enum rc rc = json_parse_view(buf_slice(&w->desired), &desired, e);
    if (rc == RC_OK)
        rc = json_parse_view(answer, &live, e);
    if (rc == RC_OK)
        *ret = is_none_at(live, w->rule->sticky) && !is_none_at(desired, w->rule->sticky);
    return rc;
}

enum rc kube_write_immutable(struct kube_write *w, const struct kube_answer *a)
{
    bool may = w->replaced && w->marked && !w->adopted;
    enum kube_recreate how = recreate_of(w);
    if (may && how == KUBE_RECREATE_YES) {
        w->recreate = true;
        w->next = KUBE_DO_DELETE;
        return RC_OK;
    }
    if (w->replaced && how != KUBE_RECREATE_NEVER)
        return end(w, SINK_HELD, "recreate",
                   "the source's object was replaced by another one, and the destination refuses "
                   "to change the copy; delete it in the destination to have it made anew");
    if (a->verdict.cls == KUBE_OK)
        return end(w, SINK_HELD, "immutable",
                   "the destination keeps an address of \"None\" without refusing the change; "
                   "delete the copy there to have it made anew");
    return kube_write_refused(w, a, "error updating object in cluster");
}
