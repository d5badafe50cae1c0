/* What the tests of ingest share: a log, a producer that says what it is told, and the log's events
 * as a line of text. */
#ifndef RESILOG_TESTS_INGEST_TEST_H
#define RESILOG_TESTS_INGEST_TEST_H

#include "tests/unit/flow/flow_test.h"

#include "flow/ingest.h"
#include "tests/fakes/fake_producer.h"
#include "tests/fakes/rlog_fault.h"

#define CM "/configmaps"
#define A  "/configmaps/n/a"
#define B  "/configmaps/n/b"
#define C  "/configmaps/n/c"

struct world {
    struct ft_log log;
    const struct ingest_scope *wanted; /* by start() */
    size_t n_wanted;
    struct producer *producer;
    struct ingest *ingest;
    rlog_off told; /* what said() has shown */
};

/* A tree, and one beside it whose name begins so. */
static const struct ingest_scope TREES[] = {{.scope = SLICE("/a"), .tree = true},
                                            {.scope = SLICE("/ab"), .tree = true}};
static const struct ingest_scope WANTED[] = {{.scope = SLICE(CM), .api_version = SLICE("v1")}};

static inline void start(struct world *w)
{
    struct err e = ERR_INIT;
    w->producer = fake_producer_new();
    if (w->wanted[0].tree)
        fake_producer_tree(w->producer);
    assert_ok(ingest_open(w->producer, w->log.log, &w->log.env, &w->ingest, &e));
    assert_ok(ingest_want(w->ingest, w->wanted, w->n_wanted, &e));
    fake_producer_identity(w->producer, "cluster-1", "start");
}

static inline void stop(struct world *w)
{
    ingest_close(w->ingest);
    producer_close(w->producer);
    w->ingest = NULL;
    w->producer = NULL;
}

/* The process dies and comes back; what was not appended is lost, and the log's epoch rises. */
static inline void crash(struct world *w)
{
    struct err e = ERR_INIT;
    stop(w);
    rlog_mem_crash(w->log.store);
    rlog_close(w->log.log);
    struct rlog *log = NULL;
    assert_ok(rlog_mem_open(w->log.store, RLOG_WRITE, &w->log.env, &log, &e));
    w->log.log = rlog_fault_new(log);
    start(w);
}

static inline int setup_with(void **state, const struct ingest_scope *wanted, size_t n)
{
    struct world *w = calloc(1, sizeof *w);
    assert_non_null(w);
    w->wanted = wanted;
    w->n_wanted = n;
    ft_log_init(&w->log);
    w->log.log = rlog_fault_new(w->log.log);
    w->told = 1;
    start(w);
    *state = w;
    return 0;
}

static inline int setup(void **state)
{
    return setup_with(state, WANTED, 1);
}

static inline int setup_trees(void **state)
{
    return setup_with(state, TREES, 2);
}

static inline int teardown(void **state)
{
    struct world *w = *state;
    stop(w);
    ft_log_done(&w->log);
    free(w);
    return 0;
}

/* Steps until there is nothing to do now; gives the time of the next work. */
static inline int64_t run(struct world *w)
{
    int64_t wake = 0;
    for (int i = 0; i < 10000; i++) {
        struct err e = ERR_INIT;
        enum rc rc = ingest_step(w->ingest, &wake, &e);
        if (rc == RC_AGAIN)
            return wake;
        if (rc < 0)
            fail_msg("%s", e.msg);
    }
    fail_msg("no end of steps");
    return 0;
}

static inline enum rc run_to_error(struct world *w, struct err *e)
{
    int64_t wake;
    enum rc rc = RC_OK;
    for (int i = 0; i < 100 && rc >= 0; i++)
        rc = ingest_step(w->ingest, &wake, e);
    return rc;
}

static inline void say(struct world *w, enum event_op op, const char *version)
{
    fake_producer_own(w->producer, op, CM, version);
}

static inline void listed(struct world *w, const char *key, const char *version)
{
    fake_producer_object(w->producer, EVENT_PUT, CAUSE_LIST, key, version);
}

static inline void watched(struct world *w, const char *key, const char *version)
{
    fake_producer_object(w->producer, EVENT_PUT, CAUSE_WATCH, key, version);
}

static inline void add_event(struct buf *text, const struct event *ev)
{
    bool object = !key_is_internal(ev->key);
    const char *name = ev->key.p + ev->key.n;
    while (object && name > ev->key.p && name[-1] != '/')
        name--;
    buf_addf(text, "%s%s", text->n ? " " : "", event_op_name(ev->op));
    if (object)
        buf_addf(text, " %.*s", (int)(ev->key.p + ev->key.n - name), name);
    if (ev->version.n)
        buf_addf(text, "@%.*s", SLICE_ARG(ev->version));
}

/* The events that the log got since the last call, as "put a@5 position@5". */
static inline void assert_said(struct world *w, const char *want)
{
    AUTO(buf_done) struct buf text = BUF_INIT(1 << 20);
    struct rlog_range range = {.from = w->told, .all_keys = true};
    AUTO(event_iter_freep) struct event_iter *it = NULL;
    const struct event *ev;
    struct err e = ERR_INIT;
    assert_ok(rlog_cursor(w->log.log, &range, &it, &e));
    while (event_iter_next(it, &ev, &e) == RC_OK) {
        add_event(&text, ev);
        w->told = ev->offset + 1;
    }
    assert_string_equal(text.p ? text.p : "", want);
}

static inline size_t log_length(struct world *w)
{
    struct rlog_bounds bounds;
    struct err e = ERR_INIT;
    assert_ok(rlog_bounds(w->log.log, &bounds, &e));
    return (size_t)(bounds.next - 1);
}

static inline void last_of(struct world *w, const char *key, struct rlog_found *ret)
{
    struct err e = ERR_INIT;
    assert_ok(rlog_last(w->log.log, slice_str(key), 0, ret, &e));
}

/* A first listing of a and b at version 10. */
static inline void list_two(struct world *w)
{
    say(w, EVENT_SYNC_BEGIN, NULL);
    listed(w, A, "5");
    listed(w, B, "6");
    say(w, EVENT_SYNC_END, "10");
    run(w);
    assert_said(w, "epoch sync-begin put a@5 put b@6 sync-end@10 position@10");
}

/* A whole listing of a scope: keys and versions as "/a@1 /a/b@2". */
static inline void list_tree(struct world *w, const char *scope, const char *nodes, const char *end)
{
    char text[200];
    fake_producer_own(w->producer, EVENT_SYNC_BEGIN, scope, NULL);
    snprintf(text, sizeof text, "%s", nodes);
    for (char *save, *node = strtok_r(text, " ", &save); node; node = strtok_r(NULL, " ", &save)) {
        char *version = strchr(node, '@');
        *version++ = '\0';
        fake_producer_object(w->producer, EVENT_PUT, CAUSE_LIST, node, version);
    }
    fake_producer_own(w->producer, EVENT_SYNC_END, scope, end);
    run(w);
}

/* First listings of both trees. */
static inline void list_trees(struct world *w)
{
    list_tree(w, "/a", "/a@1 /a/b@2 /a/b/c@3", "10");
    list_tree(w, "/ab", "/ab@4 /ab/b@5", "10");
    assert_said(w, "epoch sync-begin put a@1 put b@2 put c@3 sync-end@10 position@10 "
                   "sync-begin put ab@4 put b@5 sync-end@10 position@10");
}

#define TREE(name) cmocka_unit_test_setup_teardown(name, setup_trees, teardown)
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

#endif
