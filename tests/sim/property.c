/* The destination as its users see it: every change since the last look was ours, and had to be allowed.
 *
 * Keeps one entry for each key that ever was there. I4: the number of the source's write never falls, and what was
 * deleted comes back only with a higher one. I6: what changes or goes bore our mark for that very object, and goes
 * only because the log says that its source went, or left the selection where that is asked for. */
#include "tests/sim/property_priv.h"

#include "core/event_iter.h"
#include "core/key.h"
#include "tests/sim/workload.h"

#include <stdio.h>
#include <stdlib.h>

struct property *property_new(void)
{
    struct property *p = calloc(1, sizeof *p);
    if (!p)
        abort();
    p->scopes = map_new(free);
    p->keys = map_new(free);
    p->copies = map_new(free);
    p->acknowledged = p->seen = p->committed = 1;
    if (!p->scopes || !p->keys || !p->copies)
        abort();
    return p;
}

void property_free(struct property *p)
{
    map_free(p->scopes);
    map_free(p->keys);
    map_free(p->copies);
    free(p->batches);
    free(p);
}

void *property_entry(struct map *m, struct slice key, size_t size)
{
    void *found = map_get(m, key);
    if (found)
        return found;
    found = calloc(1, size);
    if (!found || map_put(m, key, found, NULL) != RC_OK)
        abort();
    return found;
}

int64_t property_number(struct slice text)
{
    int64_t n = 0;
    for (size_t i = 0; i < text.n; i++) {
        if (text.p[i] < '0' || text.p[i] > '9')
            return 0;
        n = n * 10 + (text.p[i] - '0');
    }
    return n;
}

/* ---- One object ---- */

static void keep(char out[PROPERTY_TEXT], struct slice text)
{
    snprintf(out, PROPERTY_TEXT, "%.*s", SLICE_ARG(text));
}

static void read_copy(struct world *w, const struct fake_kube_item *item, struct copy *ret)
{
    AUTO(json_freep) struct json_doc *d = NULL;
    struct kube_marks marks;
    if (json_parse_view(item->object, &d, NULL) != RC_OK)
        abort();
    struct json *metadata = json_get(json_root(d), "metadata");
    struct json *annotations = json_get(metadata, "annotations");
    kube_marks_read(d, json_root(d), &w->property->me, item->key, &marks);
    *ret = (struct copy){
        .live = true,
        .marked = marks.claim == KUBE_OURS,
        .adopted = marks.adopted,
        .deleting = json_get(metadata, "deletionTimestamp") != NULL,
        .seq = (uint64_t)property_number(json_get_text(d, annotations, SEQ_ANNOTATION)),
        .version = item->version,
    };
    keep(ret->uid, json_get_text(d, metadata, "uid"));
    keep(ret->other, json_get_text(d, annotations, OTHER_ANNOTATION));
    keep(ret->origin, marks.origin_uid);
}

bool property_end_is_logged(struct world *w, struct slice key, struct slice uid)
{
    AUTO(event_iter_freep) struct event_iter *it = NULL;
    const struct event *ev;
    bool ended = false;
    if (rlog_history(w->us.reader, key, 0, 0, &it, NULL) != RC_OK)
        return false;
    while (!ended && event_iter_next(it, &ev, NULL) == RC_OK)
        ended = slice_eq(ev->uid, uid) ? ev->op == EVENT_DELETE : uid.n > 0;
    return ended;
}

/* True if the log tells that the source's object with that uid was, or may have been, not selected. */
static bool leaving_is_logged(struct world *w, struct slice key, struct slice uid)
{
    AUTO(event_iter_freep) struct event_iter *it = NULL;
    const struct event *ev;
    bool left = false;
    if (rlog_history(w->us.reader, key, 0, 0, &it, NULL) != RC_OK)
        return false;
    while (!left && event_iter_next(it, &ev, NULL) == RC_OK)
        left =
            ev->op == EVENT_PUT && slice_eq(ev->uid, uid) && property_may_leave(w, key, ev->body);
    return left;
}

static void check_may_go(struct world *w, struct slice key, struct copy *was)
{
    if (was->deleting)
        return;
    if (!was->marked) {
        board_fail(w->board, "I6", "%.*s was deleted without our mark on it", SLICE_ARG(key));
        return;
    }
    bool ended = property_end_is_logged(w, key, slice_str(was->origin));
    was->left = w->plan.prune_deselected && !was->adopted &&
                leaving_is_logged(w, key, slice_str(was->origin));
    if (was->left && !ended)
        world_saw(w, SIGHT_REMOVED);
    if (!was->left && !ended)
        board_fail(w->board, "I6", "%.*s was deleted, but the log has no end of its source %s",
                   SLICE_ARG(key), was->origin);
}

static void check_created(struct world *w, struct slice key, const struct copy *was,
                          const struct copy *now)
{
    world_saw(w, was->seq ? SIGHT_REPLACED : SIGHT_CREATED);
    if (!now->marked)
        board_fail(w->board, "I6", "%.*s was created without our mark", SLICE_ARG(key));
    bool restored = (was->taken || was->left) && now->seq == was->seq;
    if (restored)
        world_saw(w, SIGHT_RESTORED);
    if (now->seq && now->seq <= was->seq && !restored)
        board_fail(w->board, "I4", "%.*s was deleted and is back with write %llu, after %llu",
                   SLICE_ARG(key), (unsigned long long)now->seq, (unsigned long long)was->seq);
}

static void check_updated(struct world *w, struct slice key, struct copy *was, struct copy *now)
{
    if (now->deleting && !was->deleting) {
        world_saw(w, SIGHT_DELETED);
        check_may_go(w, key, was);
        now->left = was->left;
        return;
    }
    world_saw(w, SIGHT_UPDATED);
    if (now->seq < was->seq)
        board_fail(w->board, "I4", "%.*s went back from write %llu to %llu", SLICE_ARG(key),
                   (unsigned long long)was->seq, (unsigned long long)now->seq);
    if (strcmp(now->other, was->other) != 0)
        board_fail(w->board, "I7", "%.*s: another writer's annotation \"%s\" became \"%s\"",
                   SLICE_ARG(key), was->other, now->other);
    if (!was->marked && now->adopted)
        world_saw(w, SIGHT_ADOPTED);
    if (!was->marked && strcmp(was->other, "own") == 0)
        board_fail(w->board, "I6", "%.*s is not ours and was written", SLICE_ARG(key));
}

static void check_change(struct world *w, struct slice key, struct copy *was, struct copy *now)
{
    struct key parts;
    if (key_parse(key, &parts, NULL) == RC_OK && slice_eq(parts.resource, SLICE("namespaces")) &&
        parts.group.n == 0)
        return; /* made by force, and watched by their own controller */
    if (!was->live) {
        check_created(w, key, was, now);
    } else if (strcmp(was->uid, now->uid) != 0) {
        check_may_go(w, key, was);
        check_created(w, key, was, now);
    } else {
        check_updated(w, key, was, now);
    }
}

/* ---- All objects ---- */

static void note_copy(struct world *w, const struct fake_kube_item *item, bool ours)
{
    struct property *p = w->property;
    struct copy now, *was = property_entry(p->copies, item->key, sizeof *was);
    if (was->live && was->version == item->version) {
        was->look = p->look;
        return;
    }
    read_copy(w, item, &now);
    world_say(w, "copy %.*s version %lld write %llu%s%s", SLICE_ARG(item->key),
              (long long)item->version, (unsigned long long)now.seq, now.marked ? "" : " not ours",
              now.deleting ? " terminating" : "");
    /* Its controller establishes the CRD. */
    bool crd = slice_starts(item->key, SLICE("apiextensions.k8s.io/"));
    if (ours && !crd)
        check_change(w, item->key, was, &now);
    now.seq = now.seq > was->seq ? now.seq : was->seq;
    now.look = p->look;
    *was = now;
}

static void note_gone(struct world *w, bool ours)
{
    struct property *p = w->property;
    struct map_entry entry = {SLICE_NULL, NULL};
    while (map_seek(p->copies, entry.key, entry.key.n > 0, &entry)) {
        struct copy *c = entry.value;
        if (!c->live || c->look == p->look)
            continue;
        world_say(w, "copy %.*s is gone", SLICE_ARG(entry.key));
        if (ours) {
            world_saw(w, SIGHT_DELETED);
            check_may_go(w, entry.key, c);
        }
        c->live = false;
        c->taken = !ours;
    }
}

static void walk_destination(struct world *w, bool ours)
{
    struct property *p = w->property;
    AUTO(buf_done) struct buf after = BUF_INIT(KEY_MAX);
    struct fake_kube_item item;
    if (fake_kube_version(w->destination) == p->destination_version)
        return;
    p->destination_version = fake_kube_version(w->destination);
    p->look++;
    while (fake_kube_next(w->destination, buf_slice(&after), &item)) {
        buf_reset(&after);
        buf_add_slice(&after, item.key);
        note_copy(w, &item, ours);
    }
    note_gone(w, ours);
}

void property_destination_touched(struct world *w)
{
    if (!w->property->me.destination.n) {
        w->property->me.destination = slice_str(w->destination_uid);
        if (kube_sync_id(slice_str(w->us.identity), slice_str(US_SYNC), w->property->me.sync_id,
                         NULL) != RC_OK)
            abort();
    }
    walk_destination(w, false);
}

void property_look(struct world *w)
{
    property_look_log(w);
    property_look_commit(w);
    walk_destination(w, true);
}
