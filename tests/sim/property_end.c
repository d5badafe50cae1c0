/* When all is quiet. I1: the log's state is the source's, and each key of the destination is what the log's
 * state projects to, or held. I5: nothing that happened at the source is missing in the log. I11: whatever is
 * held is held for a reason that is true now, and nothing else waits with it. */
#include "tests/sim/property_priv.h"

#include "core/event_iter.h"
#include "core/key.h"
#include "core/le.h"
#include "flow/pump_rows.h"
#include "log/ckpt.h"
#include "tests/sim/workload.h"

#include <stdio.h>
#include <stdlib.h>

#define TEXT_MAX (4u << 20)

/* The first thing that is not as it must be. */
struct verdict {
    struct world *w;
    uint64_t deselected; /* rows */
    char text[600];
};

static void wrong(struct verdict *v, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
static void wrong(struct verdict *v, const char *fmt, ...)
{
    va_list args;
    if (v->text[0])
        return;
    va_start(args, fmt);
    vsnprintf(v->text, sizeof v->text, fmt, args);
    va_end(args);
}

static struct slice get(struct fake_kube *k, struct slice key)
{
    char text[KEY_MAX];
    snprintf(text, sizeof text, "%.*s", SLICE_ARG(key));
    return fake_kube_get(k, text);
}

/* ---- The log and the source ---- */

static bool is_followed(const struct world *w, struct slice key)
{
    return us_entry(w, key) || slice_starts(key, SLICE("/namespaces//")) ||
           slice_starts(key, SLICE("apiextensions.k8s.io/customresourcedefinitions/"));
}

/* Items of a list lack apiVersion and kind. */
static bool same_object(struct slice a, struct slice b)
{
    struct slice texts[] = {a, b};
    AUTO(json_freep) struct json_doc *x = NULL;
    AUTO(json_freep) struct json_doc *y = NULL;
    struct json_doc **docs[] = {&x, &y};
    for (size_t i = 0; i < 2; i++) {
        if (json_parse_view(texts[i], docs[i], NULL) != RC_OK)
            return false;
        json_cut(json_root(*docs[i]), "apiVersion");
        json_cut(json_root(*docs[i]), "kind");
    }
    return json_equal(json_root(x), json_root(y));
}

static void check_logged(struct verdict *v, const struct fake_kube_item *item)
{
    AUTO(rlog_found_done) struct rlog_found found = {0};
    if (rlog_last(v->w->us.reader, item->key, 0, &found, NULL) != RC_OK ||
        found.event.op != EVENT_PUT) {
        wrong(v, "I1: %.*s is in the source, but not in the log's state", SLICE_ARG(item->key));
        return;
    }
    if (property_number(found.event.version) != item->version ||
        !same_object(found.event.body, item->object))
        wrong(v, "I1: %.*s: the log's state has version %.*s, the source %lld",
              SLICE_ARG(item->key), SLICE_ARG(found.event.version), (long long)item->version);
}

static void check_log(struct verdict *v)
{
    struct world *w = v->w;
    AUTO(buf_done) struct buf after = BUF_INIT(KEY_MAX);
    AUTO(event_iter_freep) struct event_iter *it = NULL;
    struct rlog_range range = {.mode = RLOG_LIVE};
    struct fake_kube_item item;
    const struct event *ev;
    while (fake_kube_next(w->source, buf_slice(&after), &item)) {
        buf_reset(&after);
        buf_add_slice(&after, item.key);
        if (is_followed(w, item.key))
            check_logged(v, &item);
    }
    if (rlog_cursor(w->us.reader, &range, &it, NULL) != RC_OK)
        abort();
    while (event_iter_next(it, &ev, NULL) == RC_OK)
        if (get(w->source, ev->key).n == 0)
            wrong(v, "I5: %.*s is in the log's state, but not in the source", SLICE_ARG(ev->key));
}

/* ---- The destination ---- */

static bool read_hold(struct world *w, struct slice key, struct hold *ret)
{
    AUTO(buf_done) struct buf row = BUF_INIT(CKPT_VALUE_MAX);
    if (ckpt_get(w->us.ckpt_reader, slice_str(US_SYNC), CKPT_HOLDS, key, &row, NULL) != RC_OK)
        return false;
    if (hold_decode(buf_slice(&row), ret, NULL) != RC_OK)
        abort();
    return true;
}

static bool same_selector(struct slice a, struct slice b)
{
    AUTO(json_freep) struct json_doc *x = NULL;
    AUTO(json_freep) struct json_doc *y = NULL;
    return json_parse_view(a, &x, NULL) == RC_OK && json_parse(b, &y, NULL) == RC_OK &&
           json_equal(json_dig(json_root(x), "spec", "selector", NULL),
                      json_dig(json_root(y), "spec", "selector", NULL));
}

static bool is_not_ours(struct world *w, struct slice key)
{
    const struct copy *c = map_get(w->property->copies, key);
    return c && c->live && !c->marked;
}

static bool is_adopted(struct world *w, struct slice key)
{
    const struct copy *c = map_get(w->property->copies, key);
    return c && c->live && c->adopted;
}

static bool is_patch_refused(struct world *w, struct slice key, struct slice object)
{
    AUTO(buf_done) struct buf out = BUF_INIT(TEXT_MAX);
    return object.n > 0 && !property_project(w, key, object, true, &out);
}

/* Why a key may be held, and whether that is so now. `object` is the source's, empty if it is gone. */
static bool hold_is_true(struct world *w, struct slice key, struct slice object,
                         const struct hold *h)
{
    struct slice copy = get(w->destination, key);
    bool unwanted =
        object.n == 0 || (w->plan.prune_deselected && !property_selected(w, key, object, 0));
    if (h->waiting || !h->reason[0])
        return false;                    /* everything that anybody could wait for is there */
    if (strcmp(h->cls, HOLD_PRUNE) == 0) /* whether there is a copy is asked when it is approved */
        return unwanted;
    if (strcmp(h->cls, "adopted") == 0 || strcmp(h->cls, "never-deleted") == 0)
        return unwanted && copy.n > 0;
    if (strcmp(h->cls, "not-ours") == 0)
        return is_not_ours(w, key);
    if (strcmp(h->cls, "patch") == 0)
        return is_patch_refused(w, key, object);
    if (strcmp(h->cls, "forbidden") == 0)
        return w->plan.forbidden && slice_starts(key, SLICE("apps/deployments/n1/"));
    if (strcmp(h->cls, "recreate") == 0) /* what is adopted is never made anew */
        return object.n > 0 && copy.n > 0 && (is_adopted(w, key) || !same_selector(copy, object));
    return false;
}

static void see_hold(struct world *w, const struct hold *h)
{
    static const struct {
        const char *cls;
        enum sight sight;
    } sights[] = {{HOLD_PRUNE, SIGHT_HELD_PRUNE},
                  {"not-ours", SIGHT_HELD_NOT_OURS},
                  {"patch", SIGHT_HELD_PATCH},
                  {"recreate", SIGHT_HELD_RECREATE},
                  {"forbidden", SIGHT_HELD_FORBIDDEN}};
    for (size_t i = 0; i < sizeof sights / sizeof *sights; i++)
        if (strcmp(h->cls, sights[i].cls) == 0)
            world_saw(w, sights[i].sight);
}

static enum rc check_hold(void *arg, struct slice key, struct slice value, struct err *e)
{
    struct verdict *v = arg;
    AUTO(buf_done) struct buf object = BUF_INIT(TEXT_MAX);
    struct hold h;
    (void)e;
    buf_add_slice(&object, get(v->w->source, key));
    if (hold_decode(value, &h, NULL) != RC_OK)
        abort();
    see_hold(v->w, &h);
    if (!hold_is_true(v->w, key, buf_slice(&object), &h))
        wrong(v, "I11: %.*s is held as \"%s\" (%.200s), which is not so", SLICE_ARG(key), h.cls,
              h.reason);
    return RC_OK;
}

static void check_copied(struct verdict *v, struct slice key, struct slice object)
{
    struct world *w = v->w;
    AUTO(buf_done) struct buf want = BUF_INIT(TEXT_MAX);
    AUTO(buf_done) struct buf have = BUF_INIT(TEXT_MAX);
    struct hold h;
    if (read_hold(w, key, &h))
        return;
    struct slice copy = get(w->destination, key);
    if (copy.n == 0) {
        wrong(v, "I1: %.*s is selected, but neither in the destination nor held", SLICE_ARG(key));
        return;
    }
    if (!property_project(w, key, copy, false, &have) ||
        !property_project(w, key, object, true, &want))
        wrong(v, "I1: %.*s has no projection, and is not held", SLICE_ARG(key));
    else if (!slice_eq(buf_slice(&want), buf_slice(&have)))
        wrong(v, "I1: %.*s differs: want %.180s, have %.180s", SLICE_ARG(key), want.p, have.p);
}

static void check_destination(struct verdict *v)
{
    AUTO(buf_done) struct buf after = BUF_INIT(KEY_MAX);
    AUTO(buf_done) struct buf object = BUF_INIT(TEXT_MAX);
    struct fake_kube_item item;
    while (fake_kube_next(v->w->source, buf_slice(&after), &item)) {
        buf_reset(&after);
        buf_add_slice(&after, item.key);
        buf_reset(&object);
        buf_add_slice(&object, item.object);
        if (us_entry(v->w, buf_slice(&after)) &&
            property_selected(v->w, buf_slice(&after), buf_slice(&object), 0))
            check_copied(v, buf_slice(&after), buf_slice(&object));
    }
}

/* ---- The applied table ---- */

static enum rc check_applied(void *arg, struct slice key, struct slice value, struct err *e)
{
    struct verdict *v = arg;
    struct world *w = v->w;
    AUTO(buf_done) struct buf object = BUF_INIT(TEXT_MAX);
    struct applied a;
    struct hold h;
    (void)e;
    if (key_is_internal(key))
        return RC_OK;
    if (applied_decode(value, &a, NULL) != RC_OK)
        abort();
    buf_add_slice(&object, get(w->source, key));
    bool selected = object.n && property_selected(w, key, buf_slice(&object), 0);
    const struct copy *c = map_get(w->property->copies, key);
    v->deselected += a.state == APPLIED_DESELECTED;
    if (a.state == APPLIED_DESELECTED && w->plan.prune_deselected) {
        if (!read_hold(w, key, &h))
            wrong(v, "I1: %.*s left the selection, but is neither removed nor held",
                  SLICE_ARG(key));
        return RC_OK;
    }
    if (a.state == APPLIED_DESELECTED) {
        world_saw(w, SIGHT_FROZEN);
        if (selected)
            wrong(v, "I1: %.*s is selected, but frozen", SLICE_ARG(key));
        /* It may have gone with its source before we died, and what took its name there is not selected. */
        if (!c || (!c->live && !c->taken && !property_end_is_logged(w, key, slice_str(c->origin))))
            wrong(v, "I6: %.*s left the selection; its copy is gone", SLICE_ARG(key));
        return RC_OK;
    }
    if (!selected && !read_hold(w, key, &h))
        wrong(v, "I1: %.*s is no longer selected or there, but synced and not held",
              SLICE_ARG(key));
    return RC_OK;
}

static void check_count(struct verdict *v)
{
    AUTO(buf_done) struct buf row = BUF_INIT(CKPT_VALUE_MAX);
    uint64_t told = 0;
    if (ckpt_get(v->w->us.ckpt_reader, slice_str(US_SYNC), CKPT_APPLIED, SLICE("@deselected"), &row,
                 NULL) == RC_OK &&
        row.n == 9)
        told = le_get_u64(row.p + 1);
    if (told != v->deselected)
        wrong(v, "I3: %llu keys are said to be deselected, %llu are", (unsigned long long)told,
              (unsigned long long)v->deselected);
}

/* The copy was made by a life that died before it could say so, and its object then left the selection: it is frozen,
 * although no row says that. */
static bool may_be_unknown(struct world *w, struct slice key)
{
    AUTO(event_iter_freep) struct event_iter *it = NULL;
    const struct event *ev;
    bool left = false;
    if (rlog_history(w->us.reader, key, 0, 0, &it, NULL) != RC_OK)
        abort();
    while (event_iter_next(it, &ev, NULL) == RC_OK)
        if (ev->op == EVENT_PUT)
            left = property_may_leave(w, key, ev->body);
    return left;
}

/* What bears our mark is known. */
static void check_marked(struct verdict *v)
{
    struct world *w = v->w;
    struct map_entry entry = {SLICE_NULL, NULL};
    while (map_seek(w->property->copies, entry.key, entry.key.n > 0, &entry)) {
        const struct copy *c = entry.value;
        AUTO(buf_done) struct buf row = BUF_INIT(CKPT_VALUE_MAX);
        struct hold h;
        bool ns = slice_starts(entry.key, SLICE("/namespaces//"));
        if (c->live && c->marked && !c->deleting && !ns &&
            ckpt_get(w->us.ckpt_reader, slice_str(US_SYNC), CKPT_APPLIED, entry.key, &row, NULL) !=
                RC_OK &&
            !read_hold(w, entry.key, &h) && !may_be_unknown(w, entry.key))
            wrong(v, "I1: %.*s bears our mark, but we do not know it", SLICE_ARG(entry.key));
    }
}

static void check_offsets(struct verdict *v)
{
    struct world *w = v->w;
    struct ckpt_head head = {0};
    struct rlog_bounds b = {0};
    if (rlog_bounds(w->us.reader, &b, NULL) != RC_OK ||
        ckpt_load(w->us.ckpt_reader, slice_str(US_SYNC), &head, NULL, NULL, NULL) != RC_OK)
        wrong(v, "I1: there is no checkpoint");
    else if (head.offset != b.next)
        wrong(v, "I11: the committed offset stands at %llu, the log ends at %llu",
              (unsigned long long)head.offset, (unsigned long long)b.next);
}

bool property_converged(struct world *w, bool last)
{
    struct verdict v = {.w = w};
    check_log(&v);
    check_offsets(&v);
    if (!v.text[0] && ckpt_scan(w->us.ckpt_reader, slice_str(US_SYNC), CKPT_HOLDS, SLICE_NULL,
                                check_hold, &v, NULL) != RC_OK)
        abort();
    check_destination(&v);
    if (!v.text[0] && ckpt_scan(w->us.ckpt_reader, slice_str(US_SYNC), CKPT_APPLIED, SLICE_NULL,
                                check_applied, &v, NULL) != RC_OK)
        abort();
    check_count(&v);
    check_marked(&v);
    if (v.text[0] && last)
        board_fail(w->board, "not converged", "%s", v.text);
    if (v.text[0])
        world_say(w, "not yet: %s", v.text);
    return !v.text[0];
}
