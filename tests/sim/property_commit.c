/* The checkpoint as any reader sees it. I3: below the committed offset, the last event of each key is applied, held, or
 * not to be copied; and what is said to be applied was written. */
#include "tests/sim/property_priv.h"

#include "core/event_iter.h"
#include "core/key.h"
#include "flow/pump_rows.h"
#include "flow/transform.h"
#include "log/ckpt.h"
#include "sinks/kube_project.h"
#include "sinks/kube_record.h"
#include "sinks/kube_rules.h"
#include "tests/sim/workload.h"

#include <stdlib.h>

#define TEXT_MAX (4u << 20)

/* ---- What is to be copied ---- */

static bool has_label(struct slice object, const char *label, const char *value)
{
    AUTO(json_freep) struct json_doc *d = NULL;
    if (json_parse_view(object, &d, NULL) != RC_OK)
        return false;
    struct json *labels = json_dig(json_root(d), "metadata", "labels", NULL);
    return slice_eq(json_get_text(d, labels, label), slice_str(value));
}

static bool is_deleting(struct slice object)
{
    AUTO(json_freep) struct json_doc *d = NULL;
    return json_parse_view(object, &d, NULL) == RC_OK &&
           json_dig(json_root(d), "metadata", "deletionTimestamp", NULL);
}

/* The namespace as the log has it below `at`, selected as secrets want it. */
static bool namespace_selected(struct world *w, struct slice ns, rlog_off at)
{
    AUTO(rlog_found_done) struct rlog_found found = {0};
    AUTO(buf_done) struct buf key = BUF_INIT(KEY_MAX);
    buf_addf(&key, "/namespaces//%.*s", SLICE_ARG(ns));
    return rlog_last(w->us.reader, buf_slice(&key), at, &found, NULL) == RC_OK &&
           found.event.op == EVENT_PUT && has_label(found.event.body, "tier", "prod");
}

/* Written anew here, without flow/filter: the two must agree. */
bool property_selected(struct world *w, struct slice key, struct slice object, rlog_off at)
{
    struct key parts;
    if (!us_entry(w, key) || key_parse(key, &parts, NULL) != RC_OK || is_deleting(object))
        return false;
    if (slice_eq(parts.resource, SLICE("configmaps")))
        return has_label(object, "copy", "yes");
    if (slice_eq(parts.resource, SLICE("secrets")))
        return namespace_selected(w, parts.ns, at);
    return true;
}

/* True if the namespace was ever gone or not selected. */
static bool namespace_may_leave(struct world *w, struct slice ns)
{
    AUTO(event_iter_freep) struct event_iter *it = NULL;
    AUTO(buf_done) struct buf key = BUF_INIT(KEY_MAX);
    const struct event *ev;
    bool left = false;
    buf_addf(&key, "/namespaces//%.*s", SLICE_ARG(ns));
    if (rlog_history(w->us.reader, buf_slice(&key), 0, 0, &it, NULL) != RC_OK)
        abort();
    while (!left && event_iter_next(it, &ev, NULL) == RC_OK)
        left = ev->op != EVENT_PUT || !has_label(ev->body, "tier", "prod");
    return left;
}

bool property_may_leave(struct world *w, struct slice key, struct slice object)
{
    struct key parts;
    if (key_parse(key, &parts, NULL) == RC_OK && slice_eq(parts.resource, SLICE("secrets")))
        return namespace_may_leave(w, parts.ns);
    return !property_selected(w, key, object, 0);
}

/* Cuts what another writer of the destination added. */
static void cut_other(struct json_doc *d)
{
    json_cut(json_dig(json_root(d), "metadata", "annotations", NULL), OTHER_ANNOTATION);
}

bool property_project(struct world *w, struct slice key, struct slice object, bool as_source,
                      struct buf *out)
{
    const struct replication_entry *entry = us_entry(w, key);
    AUTO(buf_done) struct buf patched = BUF_INIT(TEXT_MAX);
    AUTO(buf_done) struct buf projected = BUF_INIT(TEXT_MAX);
    AUTO(json_freep) struct json_doc *d = NULL;
    AUTO(json_freep) struct json_doc *c = NULL;
    struct err e = ERR_INIT;
    if (as_source && transform_apply(entry, object, &patched, &e) != RC_OK)
        return false;
    if (json_parse_view(as_source ? buf_slice(&patched) : object, &d, &e) != RC_OK)
        return false;
    if (!as_source)
        cut_other(d);
    const struct kube_project_opts opts = {.rule = kube_rule_find(entry->group, entry->resource)};
    if (kube_project(d, &opts, &projected, &e) != RC_OK ||
        json_parse_view(buf_slice(&projected), &c, &e) != RC_OK)
        return false;
    json_print_canonical(c, json_root(c), out);
    return out->bad == RC_OK;
}

/* ---- Rows ---- */

static bool get_row(struct world *w, enum ckpt_table table, struct slice key, struct buf *out)
{
    return ckpt_get(w->us.ckpt_reader, slice_str(US_SYNC), table, key, out, NULL) == RC_OK;
}

/* The namespace may have been relabelled since the event: then what was right at the time is not known here. */
static bool was_selected_for_sure(struct world *w, const struct event *ev, rlog_off at)
{
    AUTO(rlog_found_done) struct rlog_found ns = {0};
    AUTO(buf_done) struct buf key = BUF_INIT(KEY_MAX);
    struct key parts;
    if (key_parse(ev->key, &parts, NULL) != RC_OK)
        return false;
    buf_addf(&key, "/namespaces//%.*s", SLICE_ARG(parts.ns));
    bool by_namespace = slice_eq(parts.resource, SLICE("secrets"));
    if (by_namespace && (rlog_last(w->us.reader, buf_slice(&key), 0, &ns, NULL) != RC_OK ||
                         ns.event.offset > ev->offset))
        return false;
    return property_selected(w, ev->key, ev->body, at);
}

/* What the row says was written must be there, unless somebody wrote after us. */
static void check_written(struct world *w, const struct event *ev, const struct applied *a)
{
    const struct copy *c = map_get(w->property->copies, ev->key);
    struct kube_record r;
    if (a->state != APPLIED_SYNCED || a->record.n == 0 ||
        kube_record_decode(a->record, &r, NULL) != RC_OK)
        return;
    if (!c ||
        (c->live && slice_eq(slice_str(c->uid), r.uid) && c->version < property_number(r.version)))
        board_fail(w->board, "I3",
                   "%.*s is committed as applied, but the destination never had that version",
                   SLICE_ARG(ev->key));
}

/* A newer event of the key stands at or behind the offset: it is read again after a crash, and this one never again. */
static bool is_replaced(struct world *w, const struct event *ev)
{
    AUTO(rlog_found_done) struct rlog_found last = {0};
    return rlog_last(w->us.reader, ev->key, 0, &last, NULL) == RC_OK &&
           last.event.offset > ev->offset;
}

static void check_event(struct world *w, const struct event *ev, rlog_off committed)
{
    AUTO(buf_done) struct buf hold = BUF_INIT(CKPT_VALUE_MAX);
    AUTO(buf_done) struct buf row = BUF_INIT(CKPT_VALUE_MAX);
    struct applied a = {0};
    if (get_row(w, CKPT_HOLDS, ev->key, &hold) || is_replaced(w, ev))
        return;
    bool known = get_row(w, CKPT_APPLIED, ev->key, &row);
    if (known && applied_decode(buf_slice(&row), &a, NULL) != RC_OK)
        abort();
    if (known && a.offset >= ev->offset) {
        check_written(w, ev, &a);
        return;
    }
    bool lost = ev->op == EVENT_PUT ? was_selected_for_sure(w, ev, committed)
                                    : known && a.state == APPLIED_SYNCED;
    if (lost)
        board_fail(w->board, "I3",
                   "offset %llu is committed, but %s %.*s at offset %llu is neither applied "
                   "(last: %llu) nor held",
                   (unsigned long long)committed, event_op_name(ev->op), SLICE_ARG(ev->key),
                   (unsigned long long)ev->offset, (unsigned long long)a.offset);
}

void property_look_commit(struct world *w)
{
    struct property *p = w->property;
    AUTO(event_iter_freep) struct event_iter *it = NULL;
    struct ckpt_head head;
    const struct event *ev;
    if (ckpt_load(w->us.ckpt_reader, slice_str(US_SYNC), &head, NULL, NULL, NULL) != RC_OK ||
        head.offset == p->committed)
        return;
    if (head.offset < p->committed || head.offset > p->seen) {
        board_fail(w->board, "I3", "offset %llu was committed after %llu; the log ends at %llu",
                   (unsigned long long)head.offset, (unsigned long long)p->committed,
                   (unsigned long long)p->seen);
        return;
    }
    struct rlog_range range = {
        .from = p->committed, .until = head.offset, .mode = RLOG_LAST_PER_KEY};
    if (rlog_cursor(w->us.reader, &range, &it, NULL) != RC_OK)
        abort();
    while (event_iter_next(it, &ev, NULL) == RC_OK)
        if (us_entry(w, ev->key))
            check_event(w, ev, head.offset);
    p->committed = head.offset;
}
