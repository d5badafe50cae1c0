/* The log here is a map of the last puts, and for each listing under way the keys that it has not met yet. What a
 * producer must not do fails the test where the event is taken. */
#include "tests/fakes/zk_world.h"

#include "core/event_codec.h"
#include "core/json.h"
#include "core/key.h"
#include "core/znode.h"

#include <stdarg.h>
#include <setjmp.h>
#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>

#define STEPS_MAX 100000 /* more without time going by: it spins */

struct listing {
    struct map *missing; /* live before it began, and not met yet; values mean nothing */
};

static void must(enum rc rc, const struct err *e)
{
    if (rc < 0)
        fail_msg("%s: %s", rc_name(rc), e->msg);
}

static void listing_free(void *value)
{
    struct listing *l = value;
    map_free(l->missing);
    free(l);
}

/* ---- The log ---- */

static enum rc last(void *arg, struct slice key, const struct event **ret, struct err *e)
{
    const struct zk_world *w = arg;
    const struct event *ev = map_get(w->nodes, key);
    if (!ev || ev->incarnation != w->incarnation)
        return err_set(e, RC_NOTFOUND, ERR_FINAL, "not in the log");
    *ret = ev;
    return RC_OK;
}

static void say(struct zk_world *w, const char *what, struct slice key)
{
    buf_addf(&w->said, "%s%s", w->said.n ? " " : "", what);
    if (key.n)
        buf_addf(&w->said, ":%.*s", SLICE_ARG(key));
}

static void say_data(struct zk_world *w, struct slice body)
{
    struct znode_doc *doc = NULL;
    struct err e = ERR_INIT;
    must(znode_parse(body, &doc, &e), &e);
    if (!znode_of(doc)->null_data && znode_of(doc)->data.n < 100)
        buf_addf(&w->said, "=%.*s", SLICE_ARG(znode_of(doc)->data));
    znode_doc_free(doc);
}

static void keep(struct zk_world *w, const struct event *ev)
{
    struct err e = ERR_INIT;
    struct event full = *ev;
    full.incarnation = w->incarnation;
    must(map_put(w->nodes, ev->key, event_copy(&full), &e), &e);
}

static struct listing *listing_of(struct zk_world *w, struct slice key)
{
    struct map_entry at = {SLICE_NULL, NULL};
    while (map_seek(w->listings, at.key, at.key.n > 0, &at))
        if (znode_is_within(key, at.key))
            return at.value;
    return NULL;
}

static void put(struct zk_world *w, const struct event *ev)
{
    const struct event *old = map_get(w->nodes, ev->key);
    bool here = old && old->incarnation == w->incarnation;
    bool same = here && slice_eq(old->version, ev->version) && slice_eq(old->uid, ev->uid);
    if (ev->cause == CAUSE_WATCH) {
        assert_false(same);
    } else {
        struct listing *l = listing_of(w, ev->key);
        assert_non_null(l);
        map_delete(l->missing, ev->key);
    }
    if (here && znode_version_zxid(ev->version) < znode_version_zxid(old->version))
        fail_msg("%.*s went back", SLICE_ARG(ev->key));
    say(w, ev->body.n ? "put" : "same", ev->key);
    w->bodies += ev->body.n > 0;
    if (ev->body.n)
        say_data(w, ev->body);
    else
        assert_true(same);
    if (!same)
        keep(w, ev);
}

static void gone(struct zk_world *w, const struct event *ev)
{
    const struct event *old = map_get(w->nodes, ev->key);
    assert_non_null(old);
    assert_true(slice_eq(old->uid, ev->uid));
    w->last_words = ev->body.n;
    say(w, "delete", ev->key);
    map_delete(w->nodes, ev->key);
}

static void begin(struct zk_world *w, struct slice scope)
{
    struct err e = ERR_INIT;
    struct listing *l = calloc(1, sizeof *l);
    l->missing = map_new(NULL);
    struct map_entry at = {SLICE_NULL, NULL};
    while (map_seek(w->nodes, at.key, at.key.n > 0, &at))
        if (znode_is_within(at.key, scope))
            must(map_put(l->missing, at.key, w, &e), &e);
    must(map_put(w->listings, scope, l, &e), &e);
    say(w, "sync-begin", SLICE_NULL);
}

static bool is_unread(struct json_doc *doc, struct slice key)
{
    const struct json *list = json_get(json_root(doc), "unread");
    for (const struct json *at = list ? list->first : NULL; at; at = at->next) {
        struct slice path = json_text(doc, at);
        if (slice_ends(path, SLICE("/")) ? slice_starts(key, path) : slice_eq(key, path))
            return true;
    }
    return false;
}

static void end(struct zk_world *w, struct slice scope, struct slice body)
{
    struct err e = ERR_INIT;
    struct json_doc *doc = NULL;
    struct listing *l = map_get(w->listings, scope);
    assert_non_null(l);
    must(json_parse(body.n ? body : SLICE("{}"), &doc, &e), &e);
    say(w, "sync-end", SLICE_NULL);
    struct map_entry at = {SLICE_NULL, NULL};
    while (map_seek(l->missing, at.key, at.key.n > 0, &at)) {
        if (is_unread(doc, at.key))
            continue;
        say(w, "missing", at.key);
        map_delete(w->nodes, at.key);
    }
    json_free(doc);
    map_delete(w->listings, scope);
}

static struct slice behind(struct slice key, const char *prefix)
{
    struct slice p = slice_str(prefix);
    assert_true(slice_starts(key, p));
    return slice_of(key.p + p.n, key.n - p.n);
}

static void note_position(struct zk_world *w, struct slice version)
{
    buf_reset(&w->position);
    buf_add_slice(&w->position, version);
}

static void epoch(struct zk_world *w, const struct event *ev)
{
    const struct slice mark = SLICE("\"reason\":\"regression\"");
    bool regression = memmem(ev->body.p, ev->body.n, mark.p, mark.n) != NULL;
    w->incarnation += regression;
    say(w, regression ? "epoch:regression" : "epoch:start", SLICE_NULL);
}

static void append(struct zk_world *w, const struct event *ev)
{
    struct err e = ERR_INIT;
    must(event_check(ev, &e), &e);
    assert_int_equal(ev->source_kind, SOURCE_ZOOKEEPER);
    w->events++;
    switch (ev->op) {
    case EVENT_EPOCH:
        epoch(w, ev);
        return;
    case EVENT_PUT:
        put(w, ev);
        return;
    case EVENT_DELETE:
        gone(w, ev);
        return;
    case EVENT_SYNC_BEGIN:
        begin(w, behind(ev->key, "@sync/"));
        return;
    case EVENT_SYNC_END:
        end(w, behind(ev->key, "@sync/"), ev->body);
        note_position(w, ev->version);
        return;
    case EVENT_POSITION:
        note_position(w, ev->version);
        return;
    case EVENT_GAP:
        say(w, "gap", SLICE_NULL);
        return;
    default:
        fail_msg("an event %s", event_op_name(ev->op));
    }
}

/* ---- Life ---- */

void zw_init(struct zk_world *w)
{
    *w = (struct zk_world){.opts = {.name = "default/source", .acl = true}};
    fake_clock_init(&w->clock, 1767225600LL * NS_PER_S);
    rng_seeded_init(&w->rng, 5);
    w->env = (struct env){.clock = &w->clock.clock, .rng = &w->rng.rng};
    w->zk = fake_zk_new(&w->clock.clock);
    w->memory = (struct producer_memory){w, last};
    w->nodes = map_new(free);
    w->listings = map_new(listing_free);
    buf_init(&w->said, 64u << 20);
    buf_init(&w->position, EVENT_TEXT_MAX);
}

void zw_start(struct zk_world *w)
{
    struct err e = ERR_INIT;
    fake_zk_connect(w->zk, w->who, &w->opts.zk);
    must(zk_producer_open(&w->opts, &w->env, &w->producer, &e), &e);
    producer_recall(w->producer, &w->memory);
}

void zw_stop(struct zk_world *w)
{
    producer_close(w->producer);
    w->producer = NULL;
    map_clear(w->listings);
}

void zw_done(struct zk_world *w)
{
    zw_stop(w);
    fake_zk_free(w->zk);
    map_free(w->nodes);
    map_free(w->listings);
    buf_done(&w->said);
    buf_done(&w->position);
}

void zw_add(struct zk_world *w, const char *root, bool resume)
{
    struct err e = ERR_INIT;
    struct slice from = resume ? buf_slice(&w->position) : SLICE_NULL;
    must(producer_add(w->producer, slice_str(root), SLICE_NULL, from, &e), &e);
}

bool zw_step(struct zk_world *w, size_t most)
{
    struct err e = ERR_INIT;
    int64_t wake;
    const struct event *ev;
    enum rc rc = producer_step(w->producer, &wake, &e);
    must(rc, &e);
    bool any = rc == RC_OK;
    for (; most > 0; most--) {
        rc = producer_take(w->producer, &ev, &e);
        must(rc, &e);
        if (rc != RC_OK)
            break;
        append(w, ev);
        any = true;
    }
    return any;
}

void zw_run(struct zk_world *w)
{
    size_t steps = 0;
    while (zw_step(w, SIZE_MAX))
        if (++steps > STEPS_MAX)
            fail_msg("the producer spins");
}

void zw_pass(struct zk_world *w, int64_t ns)
{
    fake_clock_advance(&w->clock, ns);
    zw_run(w);
}

/* ---- Looking ---- */

void zw_assert_said(struct zk_world *w, const char *want)
{
    assert_string_equal(w->said.p ? w->said.p : "", want);
    buf_reset(&w->said);
    if (w->said.p)
        w->said.p[0] = '\0';
}

static void assert_node(const struct event *ev, struct slice path, const struct znode *node)
{
    struct err e = ERR_INIT;
    struct znode_doc *doc = NULL;
    if (!ev)
        fail_msg("the log lacks %.*s", SLICE_ARG(path));
    must(znode_parse(ev->body, &doc, &e), &e);
    const struct znode *have = znode_of(doc);
    if (!znode_same_data(have, node) || !znode_same_acl(have, node) ||
        have->stat.czxid != node->stat.czxid || have->stat.mzxid != node->stat.mzxid ||
        znode_sequence(&have->stat) != znode_sequence(&node->stat))
        fail_msg("the log has another %.*s", SLICE_ARG(path));
    znode_doc_free(doc);
}

void zw_assert_same(struct zk_world *w, const char *root)
{
    struct slice path = SLICE_NULL;
    struct znode node;
    size_t n = 0, logged = 0;
    while (fake_zk_next(w->zk, path, &path, &node)) {
        bool system = !strcmp(root, "/") && znode_is_within(path, SLICE("/zookeeper"));
        if (system || !znode_is_within(path, slice_str(root)))
            continue;
        assert_node(map_get(w->nodes, path), path, &node);
        n++;
    }
    struct map_entry at = {SLICE_NULL, NULL};
    while (map_seek(w->nodes, at.key, at.key.n > 0, &at)) {
        logged += znode_is_within(at.key, slice_str(root));
        if (znode_is_within(at.key, slice_str(root)) && !fake_zk_get(w->zk, at.key, &node))
            fail_msg("the log still has %.*s", SLICE_ARG(at.key));
    }
    assert_int_equal(n, logged);
}

const struct event *zw_node(const struct zk_world *w, const char *path)
{
    return map_get(w->nodes, slice_str(path));
}

struct producer_status zw_status(struct zk_world *w, size_t index)
{
    struct producer_status s = {.phase = PRODUCER_CONNECTING};
    assert_int_equal(producer_status(w->producer, index, &s), RC_OK);
    return s;
}
