/* The pump's decisions about single keys: evaluate an event, take a result, try again. Every path ends in
 * exactly one of: finished, in flight, held, or waiting behind what is in flight; so an event is never lost
 * between them. One thread. */
#include "flow/pump_prune.h"

#include "core/clock.h"
#include "core/diag.h"
#include "core/event.h"
#include "core/json.h"
#include "core/key.h"
#include "flow/pump_preimage.h"
#include "flow/pump_tree.h"
#include "flow/replication.h"
#include "flow/transform.h"
#include "log/rlog.h"

#include <stdio.h>
#include <stdlib.h>

void pump_say(struct pump *p, struct slice key, rlog_off offset, const struct flow_line *line)
{
    const struct event bare = {.source_kind = p->tree ? SOURCE_ZOOKEEPER : SOURCE_KUBERNETES,
                               .key = key,
                               .offset = offset};
    flow_say(p->env.diag, p->opts.log, &bare, line);
}

void pump_say_left(struct pump *p, struct slice key, rlog_off offset)
{
    const char *msg = p->opts.replication->prune_deselected
                          ? "object left the selection, its copy is to be removed"
                          : "object left the selection, its copy is frozen";
    pump_say(p, key, offset, &(struct flow_line){DIAG_INFO, msg, NULL, 0});
}

/* ---- Evaluate ---- */

static enum rc undecided(struct pump *p, const struct event *ev, const struct key *key,
                         bool ns_known, struct err *e)
{
    char dependency[HOLD_TEXT_MAX];
    int n = snprintf(dependency, sizeof dependency, NS_KEY_PREFIX "%.*s", SLICE_ARG(key->ns));
    struct hold_reason why = {
        .cls = ns_known ? "regex-limit" : "namespace-unknown",
        .reason = ns_known ? "a regular expression of the filter took too many steps on this name"
                           : "the labels of the object's namespace are not known yet",
        .dependency = ns_known || n >= HOLD_TEXT_MAX ? SLICE_NULL : slice_str(dependency),
        .waiting = !ns_known,
        .retry_after_ns = -1};
    return pump_hold(p, ev->key, ev->offset, &why, e);
}

static enum rc copy_record(struct pump *p, struct flight *f, struct err *e)
{
    struct applied a;
    enum rc rc = rows_applied(p->rows, f->event->key, &a, e);
    if (rc == RC_NOTFOUND)
        return RC_OK;
    if (rc < 0)
        return rc;
    /* Nobody looked after a frozen copy; or its removal was decided, and done by a life that could not say so. */
    f->left = a.state == APPLIED_DESELECTED;
    f->item.unsure = f->item.unsure || f->left;
    buf_add_slice(&f->record, a.record);
    f->item.record = buf_slice(&f->record);
    return buf_check(&f->record, "sink record", e);
}

/* Only what is held may have been kept for: it waits for that, or was refused afterwards. */
static enum rc copy_preimage(struct pump *p, struct flight *f, struct err *e)
{
    struct err why = ERR_INIT;
    if (!rows_hold(p->rows, f->event->key))
        return RC_OK;
    enum rc rc =
        preimage_load(p->opts.ckpt, p->opts.replication->sync, f->event->key, &f->preimage, &why);
    f->item.preimage = buf_slice(&f->preimage);
    if (rc == RC_OK || rc == RC_NOTFOUND)
        return RC_OK;
    *e = why;
    return rc;
}

enum rc pump_unstick(struct pump *p, struct err *e)
{
    if (!p->stuck)
        return RC_OK;
    enum rc rc = sink_submit(p->opts.sink, &p->stuck->item, e);
    if (rc == RC_OK)
        p->stuck = NULL;
    return rc;
}

static enum rc submit(struct pump *p, struct flight *f, struct err *e)
{
    p->stuck = f;
    enum rc rc = pump_unstick(p, e);
    return rc == RC_AGAIN ? RC_OK : rc;
}

static struct event *before(void *arg, const struct event *ev)
{
    const struct pump *p = arg;
    return flow_before(p->opts.log, ev);
}

/* The event without its body: the sink gets the transformed one. */
static enum rc begin(struct pump *p, const struct event *ev, const struct again *how,
                     enum sink_op op, struct flight **ret, struct err *e)
{
    struct event bare = *ev;
    bare.body = SLICE_NULL;
    struct flight *f;
    enum rc rc = work_begin(p->work, &bare, how->anchor, &f, e);
    if (rc < 0)
        return rc;
    f->item.op = op;
    f->item.before = before;
    f->item.before_arg = p;
    /* Read again: an earlier life may have written an event of this key that no record tells of. */
    const struct hold *h = rows_hold(p->rows, ev->key);
    f->item.unsure = how->unsure || (h && h->earlier) ||
                     (ev->offset >= p->head.offset && ev->offset < p->first_head);
    f->item.settled = pump_settled(p, ev);
    f->drifted = how->unsure;
    f->item.decided_anew = p->review && how->anchor == p->review_anchor;
    f->item.tries = h && h->offset == ev->offset ? h->awaited : 0;
    rc = copy_record(p, f, e);
    if (rc == RC_OK && op == SINK_PUT)
        rc = pump_load_opposite(p, f, e);
    if (rc == RC_OK && op == SINK_PUT)
        rc = copy_preimage(p, f, e);
    if (rc < 0) {
        work_end(p->work, f);
        return rc;
    }
    *ret = f;
    return RC_OK;
}

static enum rc copy_ns_labels(struct pump *p, struct flight *f, struct err *e)
{
    struct key key;
    struct json_doc *labels = NULL;
    if (!p->tree && key_parse(f->event->key, &key, NULL) == RC_OK)
        labels = namespaces_labels(p->ns, key.ns);
    if (!labels)
        return RC_OK;
    buf_add_slice(&f->ns_labels, json_root(labels)->raw);
    f->item.ns_labels = buf_slice(&f->ns_labels);
    return buf_check(&f->ns_labels, "namespace labels", e);
}

/* A person gave this event up, which a hold of the prune guard has as a later one, its sync-end; only a changed
 * synchronization decides about it anew. */
static bool is_given_up(struct pump *p, const struct event *ev, const struct again *how)
{
    const struct hold *h = rows_hold(p->rows, ev->key);
    bool anew = p->review && how->anchor == p->review_anchor;
    return h && h->skipped && ev->offset <= h->offset && !anew;
}

/* A person gave up the removal of a copy: not by a changed synchronization either (the next version of this program is
 * one), but the object may be selected again. */
static bool is_kept(struct pump *p, const struct event *ev)
{
    const struct hold *h = rows_hold(p->rows, ev->key);
    return h && h->skipped && hold_is_prune(h) && ev->offset <= h->offset;
}

static enum rc send(struct pump *p, const struct event *ev, const struct replication_entry *entry,
                    const struct again *how, struct err *e)
{
    struct flight *f;
    bool kept = is_kept(p, ev);
    if (!kept && is_given_up(p, ev, how))
        return RC_OK;
    enum rc rc = kept ? rows_drop_hold(p->rows, ev->key, e) : RC_OK;
    if (rc == RC_OK)
        rc = begin(p, ev, how, SINK_PUT, &f, e);
    if (rc != RC_OK)
        return rc;
    struct err why = ERR_INIT;
    rc = transform_apply(entry, ev->body, &f->body, &why);
    if (rc < 0) {
        work_end(p->work, f);
        struct hold_reason reason = {.cls = "patch", .reason = why.msg, .retry_after_ns = -1};
        if (rc == RC_NOMEM)
            return err_nomem(e);
        return pump_hold(p, ev->key, ev->offset, &reason, e);
    }
    rc = copy_ns_labels(p, f, e);
    if (rc < 0) {
        work_end(p->work, f);
        return rc;
    }
    f->item.body = buf_slice(&f->body);
    const struct hold *h = rows_hold(p->rows, ev->key);
    f->policy = entry->policy;
    if (h && h->adopt)
        f->policy.adopt = ADOPT_ALWAYS;
    f->item.policy = &f->policy;
    return submit(p, f, e);
}

static enum rc send_delete(struct pump *p, const struct event *ev, const struct again *how,
                           bool observed, struct err *e)
{
    struct flight *f;
    enum rc rc = begin(p, ev, how, SINK_DELETE, &f, e);
    if (rc < 0)
        return rc;
    f->item.observed = observed;
    buf_add_slice(&f->body, ev->body);
    f->item.body = buf_slice(&f->body);
    rc = buf_check(&f->body, "the last state of a deleted object", e);
    if (rc == RC_OK)
        return submit(p, f, e);
    work_end(p->work, f);
    return rc;
}

/* The copy of a key that is not selected, and is noted so: it stays, or goes once the guard let it pass. A hold stays
 * until then, for it may be all that remembers the key; and so does the copy whose removal a person gave up. */
static enum rc leave(struct pump *p, const struct event *ev, const struct again *how, struct err *e)
{
    if (!p->opts.replication->prune_deselected)
        return rows_drop_hold(p->rows, ev->key, e);
    if (is_kept(p, ev))
        return RC_OK;
    return how->leaving ? send_delete(p, ev, how, /* observed= */ false, e)
                        : pump_leave(p, ev->key, ev->offset, how->anchor, e);
}

static enum rc deselect(struct pump *p, const struct event *ev, const struct again *how,
                        struct err *e)
{
    struct applied a;
    struct err why = ERR_INIT;
    enum rc rc = rows_applied(p->rows, ev->key, &a, &why);
    if (rc == RC_NOTFOUND)
        return rows_drop_hold(p->rows, ev->key, e);
    if (rc < 0) {
        *e = why;
        return rc;
    }
    if (a.state == APPLIED_SYNCED) {
        pump_say_left(p, ev->key, ev->offset);
        rc = rows_deselect(p->rows, ev->key, &a, e);
    }
    return rc == RC_OK ? leave(p, ev, how, e) : rc;
}

static enum rc hold_unreadable(struct pump *p, const struct event *ev, const struct err *why,
                               struct err *e)
{
    const struct hold_reason reason = {
        .cls = "unreadable", .reason = why->msg, .retry_after_ns = -1};
    return why->rc == RC_NOMEM ? err_nomem(e) : pump_hold(p, ev->key, ev->offset, &reason, e);
}

/* Of a resource or a tree that no entry names. */
static enum rc pass_unrelated(struct pump *p, const struct event *ev, const struct again *how,
                              struct err *e)
{
    return p->opts.replication->prune_deselected ? deselect(p, ev, how, e)
                                                 : rows_drop_hold(p->rows, ev->key, e);
}

static enum rc evaluate_object(struct pump *p, const struct event *ev, const struct again *how,
                               struct err *e)
{
    struct filter_input in = {0};
    AUTO(json_freep) struct json_doc *object = NULL;
    struct err why = ERR_INIT;
    enum rc rc = key_parse(ev->key, &in.key, &why);
    if (rc == RC_OK && !filter_names(p->opts.replication, ev->key))
        return pass_unrelated(p, ev, how, e);
    if (rc == RC_OK)
        rc = json_parse_view(ev->body, &object, &why);
    if (rc < 0)
        return hold_unreadable(p, ev, &why, e);
    in.object = object;
    in.ns_labels = namespaces_labels(p->ns, in.key.ns);
    in.ns_known = in.key.ns.n == 0 || in.ns_labels;
    const struct replication_entry *entry = NULL;
    switch (filter_decide(p->opts.replication, &in, &entry)) {
    case FILTER_SELECTED:
        /* A namespace that is made on demand gets the labels of the source's, where these can be known. */
        if (entry->policy.force_namespace && !in.ns_known && !entry->n_namespaces)
            return undecided(p, ev, &in.key, in.ns_known, e);
        return send(p, ev, entry, how, e);
    case FILTER_UNDECIDED:
        return undecided(p, ev, &in.key, in.ns_known, e);
    case FILTER_REJECTED:
    case FILTER_UNRELATED:
        break;
    }
    return deselect(p, ev, how, e);
}

static enum rc evaluate_node(struct pump *p, const struct event *ev, const struct again *how,
                             struct err *e)
{
    const struct replication_entry *entry = NULL;
    enum filter_verdict verdict;
    bool stuck;
    struct err why = ERR_INIT;
    enum rc rc = pump_judge_node(p, ev, &verdict, &entry, &why);
    if (rc < 0)
        return hold_unreadable(p, ev, &why, e);
    switch (verdict) {
    case FILTER_SELECTED:
        rc = pump_parents_first(p, ev->key, &stuck, e);
        if (rc != RC_OK)
            return rc;
        return stuck ? work_again(p->work, ev->key, *how, e) : send(p, ev, entry, how, e);
    case FILTER_UNDECIDED:
        return undecided(p, ev, &(struct key){0}, /* ns_known= */ true, e);
    case FILTER_UNRELATED:
        return pass_unrelated(p, ev, how, e);
    case FILTER_REJECTED:
        break;
    }
    return deselect(p, ev, how, e);
}

static enum rc evaluate_put(struct pump *p, const struct event *ev, const struct again *how,
                            struct err *e)
{
    return p->tree ? evaluate_node(p, ev, how, e) : evaluate_object(p, ev, how, e);
}

/* Without a row there may yet be a copy: made by an earlier life that died before its commit, and
 * perhaps held in this one. Its mark tells; so the sink is asked. */
static bool may_be_unrecorded(struct pump *p, const struct event *ev)
{
    return ((ev->offset < p->first_head && !p->scanned) || rows_hold(p->rows, ev->key)) &&
           filter_names(p->opts.replication, ev->key);
}

static enum rc evaluate_delete(struct pump *p, const struct event *ev, const struct again *how,
                               struct err *e)
{
    bool approved = how->approved;
    struct applied a = {.state = APPLIED_SYNCED};
    enum rc rc = rows_applied(p->rows, ev->key, &a, e);
    if (rc < 0 && rc != RC_NOTFOUND)
        return rc;
    if (rc == RC_NOTFOUND && !may_be_unrecorded(p, ev))
        return rows_drop_hold(p->rows, ev->key, e);
    if (a.state == APPLIED_DESELECTED) {
        if (!p->opts.replication->prune_deselected)
            pump_say(p, ev->key, ev->offset,
                     &(struct flow_line){DIAG_INFO, "deleted at the source, its frozen copy stays",
                                         NULL, 0});
        return leave(p, ev, how, e);
    }
    if (is_given_up(p, ev, how))
        return RC_OK;
    struct hold *h = rows_hold(p->rows, ev->key);
    if (ev->cause != CAUSE_WATCH && !approved && h && hold_is_prune(h)) {
        h->flying = false; /* the approval ended meanwhile: the next one finds it */
        return RC_OK; /* decided: a second collection would wait for a sync-end that was read already */
    }
    if (ev->cause != CAUSE_WATCH && !approved)
        return pump_collect_prune(p, ev->key, how->anchor, e);
    return send_delete(p, ev, how, ev->cause == CAUSE_WATCH, e);
}

enum rc pump_evaluate(struct pump *p, const struct event *ev, const struct again *how,
                      struct err *e)
{
    bool inferred = ev->op == EVENT_DELETE && ev->cause != CAUSE_WATCH && !how->approved;
    if (!inferred)
        pump_forget_prune(p, ev->key);
    pump_stay(p, ev->key);
    if (work_by_key(p->work, ev->key))
        return inferred ? pump_collect_prune(p, ev->key, how->anchor, e)
                        : work_again(p->work, ev->key, *how, e);
    return ev->op == EVENT_DELETE ? evaluate_delete(p, ev, how, e) : evaluate_put(p, ev, how, e);
}

/* A marked object of the destination that the log has never seen: its delete is made up. */
static void made_up_delete(const struct pump *p, struct slice key, struct event *ret,
                           char *api_version, size_t max)
{
    *ret = (struct event){
        .op = EVENT_DELETE, .cause = CAUSE_RESYNC, .source_kind = SOURCE_KUBERNETES, .key = key};
    struct key parts;
    if (p->tree)
        ret->source_kind = SOURCE_ZOOKEEPER;
    if (p->tree || key_parse(key, &parts, NULL) != RC_OK)
        return;
    for (size_t i = 0; i < p->opts.replication->n_entries; i++) {
        const struct replication_entry *entry = &p->opts.replication->entries[i];
        if (!slice_eq(entry->group, parts.group) || !slice_eq(entry->resource, parts.resource))
            continue;
        int n = snprintf(api_version, max, "%.*s%s%.*s", SLICE_ARG(entry->group),
                         entry->group.n ? "/" : "", SLICE_ARG(entry->version));
        ret->api_version = slice_of(api_version, (size_t)n);
        return;
    }
}

/* What was approved is the delete up to the anchor, not a later one; one that the destination refused
 * had passed the prune guard before. */
static bool is_approved(const struct pump *p, const struct again *what, const struct event *ev)
{
    if (what->approved && (ev->offset <= what->anchor || pump_may_prune(p)))
        return true;
    const struct hold *h = rows_hold(p->rows, ev->key);
    return h && h->offset == ev->offset && !hold_is_prune(h);
}

enum rc pump_do_again(struct pump *p, struct err *e)
{
    AUTO(freep) char *text = NULL;
    struct again what;
    if (!work_next_again(p->work, &text, &what))
        return RC_AGAIN;
    struct slice key = slice_str(text);
    AUTO(rlog_found_done) struct rlog_found found = {0};
    char api_version[512];
    enum rc rc = rlog_last(p->opts.log, key, pump_horizon(p), &found, e);
    if (rc == RC_NOTFOUND && what.leaving && !what.approved) {
        /* Of a log that was lost: that the source has no such object only a complete listing can say (I6). */
        work_release(p->work, what.anchor);
        return RC_OK;
    }
    if (rc == RC_NOTFOUND) {
        made_up_delete(p, key, &found.event, api_version, sizeof api_version);
        rc = RC_OK;
    }
    if (rc == RC_OK) {
        what.approved = is_approved(p, &what, &found.event);
        rc = pump_evaluate(p, &found.event, &what, e);
    }
    work_release(p->work, what.anchor);
    return rc;
}

/* ---- Results ---- */

/* A delete that is refused changes nothing of whether the object is selected. */
static enum rc note_record(struct pump *p, const struct flight *f, const struct sink_result *r,
                           struct err *e)
{
    bool gone = f->item.op == SINK_DELETE && r->outcome == SINK_DONE;
    if (gone || (r->record_changed && r->record.n == 0))
        return rows_drop_applied(p->rows, f->event->key, e);
    struct applied a = {.state = APPLIED_SYNCED, .offset = f->event->offset, .record = r->record};
    if (!r->record_changed) {
        if (r->outcome != SINK_DONE)
            return RC_OK;
        a.record = buf_slice(&f->record);
    }
    if (!f->left || f->item.op != SINK_DELETE)
        return rows_set_applied(p->rows, f->event->key, &a, e);
    enum rc rc = rows_drop_applied(p->rows, f->event->key, e);
    return rc == RC_OK ? rows_deselect(p->rows, f->event->key, &a, e) : rc;
}

/* What the destination decided about a put shows that what it waited for is there: all that waits for the same may
 * go. */
static void release_peers(struct pump *p, const struct flight *f, const struct hold *held,
                          const struct sink_result *r)
{
    struct slice dependency = held ? slice_str(held->dependency) : SLICE_NULL;
    bool decided =
        r->outcome == SINK_DONE ||
        (r->outcome == SINK_HELD && r->cls && strcmp(r->cls, "unserved") != 0) ||
        (r->outcome == SINK_WAITING && r->dependency.n > 0 && !slice_eq(r->dependency, dependency));
    if (dependency.n > 0 && f->item.op == SINK_PUT && decided)
        pump_release(p, dependency);
}

static void say_restored(struct pump *p, const struct flight *f)
{
    const struct flow_line line = {
        DIAG_INFO, "object was changed in the destination, it is restored", NULL, 0};
    flow_say(pump_reconciler(p), p->opts.log, f->event, &line);
}

static void say_skipped(struct pump *p, const struct flight *f, const struct sink_result *r)
{
    const struct diag_field why = DIAG_S("reason", slice_str(r->reason));
    pump_say(p, f->event->key, f->event->offset,
             &(struct flow_line){DIAG_DEBUG, "object is never copied", &why, 1});
}

/* The item comes again after the next commit. */
static enum rc keep_preimage(struct pump *p, const struct flight *f, const struct sink_result *r,
                             struct err *e)
{
    const struct event *ev = f->event;
    const struct preimage what = {
        .offset = ev->offset, .kept_ns = clock_wall_ns(p->env.clock), .sink = r->preimage};
    struct err why = ERR_INIT;
    enum rc rc = preimage_set(p->rows, ev->key, &what, &why);
    if (rc == RC_NOMEM)
        return err_nomem(e);
    bool kept = rc == RC_OK;
    const struct hold_reason hold = {.cls = kept ? r->cls : "too-large",
                                     .reason = kept ? r->reason : why.msg,
                                     .dependency = kept ? SLICE(PREIMAGE_DEPENDENCY) : SLICE_NULL,
                                     .waiting = kept,
                                     .retry_after_ns = -1};
    if (kept)
        pump_say(p, ev->key, ev->offset,
                 &(struct flow_line){DIAG_INFO,
                                     "object of the destination is kept before it is overwritten",
                                     NULL, 0});
    return pump_hold(p, ev->key, ev->offset, &hold, e);
}

static enum rc finish(struct pump *p, struct flight *f, const struct sink_result *r, struct err *e)
{
    enum rc rc = note_record(p, f, r, e);
    if (rc < 0)
        return rc;
    const struct hold *held = rows_hold(p->rows, f->event->key);
    bool made_up = f->event->offset == 0;
    if (held && !made_up && held->offset > f->event->offset)
        return RC_OK; /* of a newer event: its pruning was held while this one was in flight */
    if (r->preimage.n > 0)
        return keep_preimage(p, f, r, e);
    release_peers(p, f, held, r);
    if (r->outcome == SINK_HELD || r->outcome == SINK_WAITING) {
        struct hold_reason why = {.cls = r->cls ? r->cls : "refused",
                                  .reason = r->reason,
                                  .dependency = r->dependency,
                                  .waiting = r->outcome == SINK_WAITING,
                                  .retry_after_ns = r->retry_after_ns};
        return pump_hold(p, f->event->key, f->event->offset, &why, e);
    }
    if (f->drifted && r->wrote && r->outcome == SINK_DONE) {
        p->drift.repaired++;
        say_restored(p, f);
    }
    if (r->outcome == SINK_SKIPPED)
        say_skipped(p, f, r);
    else
        pump_release(p, f->event->key);
    return rows_drop_hold(p->rows, f->event->key, e);
}

enum rc pump_take_result(struct pump *p, struct err *e)
{
    struct sink_result r;
    enum rc rc = sink_take(p->opts.sink, &r, e);
    if (rc != RC_OK)
        return rc;
    struct flight *f = work_by_ticket(p->work, r.ticket);
    if (!f)
        return err_set(e, RC_INVALID, ERR_FATAL,
                       "sink %s gave a result for ticket %llu, which is not in flight",
                       p->opts.sink->ops->name, (unsigned long long)r.ticket);
    rc = finish(p, f, &r, e);
    work_end(p->work, f);
    return rc;
}
