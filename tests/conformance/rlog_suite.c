/* The world of the suite: one log beside a model that is an array. What the log adds to an event
 * (offset, epoch, time) and the chain are computed here once more, from the contract. */
#include "tests/conformance/rlog_suite_priv.h"

#include "core/buf.h"
#include "core/event_codec.h"

#include <stdio.h>

#define CASES_MAX 64

/* ---- Events ---- */

struct event put_of(const char *key)
{
    return (struct event){.incarnation = 1,
                          .wall_ns = -17,
                          .op = EVENT_PUT,
                          .cause = CAUSE_WATCH,
                          .source_kind = SOURCE_KUBERNETES,
                          .source = SLICE("source-1"),
                          .key = slice_str(key),
                          .version = SLICE("4711"),
                          .body = SLICE("{\"kind\":\"ConfigMap\"}")};
}

struct event delete_of(const char *key)
{
    struct event ev = put_of(key);
    ev.op = EVENT_DELETE;
    return ev;
}

#define X100                                                                                       \
    "xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx" \
    "xxxxxxxx"
#define X600 X100 X100 X100 X100 X100 X100

struct slice random_key(unsigned i)
{
    static const struct slice keys[RANDOM_KEYS] = {
        {"/configmaps/ns/a", 16},
        {"/configmaps/ns/ab", 17},
        {"/configmaps/ns/b", 16},
        {"/configmaps/ns2/a", 17},
        {"/namespaces//ns", 15},
        {"apps/deployments/ns/a", 21},
        {"apps/deployments/ns/\xff\x01", 22},
        {"@position//configmaps/", 22},
        {"@kind/apps/deployments", 22},
        {"@", 1},
        {"long/" X600 "/1", 607},
        {"long/" X600 "/2", 607},
        {"long/" X600, 605},
        {"a\0b", 3},
    };
    return keys[i];
}

void assert_same_event(const struct event *found, const struct event *expected)
{
    AUTO(buf_done) struct buf a = BUF_INIT(EVENT_BATCH_BYTES_MAX);
    AUTO(buf_done) struct buf b = BUF_INIT(EVENT_BATCH_BYTES_MAX);
    struct err e = ERR_INIT;
    assert_int_equal(found->offset, expected->offset);
    assert_int_equal(event_encode(found, &a, &e), RC_OK);
    assert_int_equal(event_encode(expected, &b, &e), RC_OK);
    assert_true(slice_eq(buf_slice(&a), buf_slice(&b)));
}

void assert_failed(enum rc found, enum rc rc, enum err_retry retry, const struct err *e)
{
    if (found != rc)
        print_error("%s: %s\n", rc_name(found), e->msg);
    assert_int_equal(found, rc);
    assert_int_equal(e->rc, rc);
    assert_int_equal(e->retry, retry);
    assert_true(e->msg[0] != '\0');
}

/* ---- The log and its model ---- */

struct rlog_bounds bounds_of(struct rlog *l)
{
    struct rlog_bounds b = {0};
    struct err e = ERR_INIT;
    assert_int_equal(rlog_bounds(l, &b, &e), RC_OK);
    return b;
}

void world_open(struct world *w)
{
    struct err e = ERR_INIT;
    enum rc rc = w->backend->open(w->place, RLOG_WRITE, &w->log, &e);
    if (rc != RC_OK)
        print_error("%s\n", e.msg);
    assert_int_equal(rc, RC_OK);
    uint64_t epoch = bounds_of(w->log).epoch;
    assert_true(epoch > w->epoch);
    w->epoch = epoch;
}

void world_reopen(struct world *w)
{
    rlog_close(w->log);
    w->log = NULL;
    world_open(w);
}

struct rlog *world_open_reader(struct world *w)
{
    struct rlog *reader = NULL;
    struct err e = ERR_INIT;
    assert_int_equal(w->backend->open(w->place, RLOG_READ, &reader, &e), RC_OK);
    return reader;
}

static void model_add(struct world *w, struct event ev, int64_t time_ns)
{
    ev.offset = world_next(w);
    ev.epoch = w->epoch;
    ev.time_ns = time_ns;
    AUTO(buf_done) struct buf bytes = BUF_INIT(EVENT_BATCH_BYTES_MAX);
    struct err e = ERR_INIT;
    assert_int_equal(event_encode(&ev, &bytes, &e), RC_OK);
    uint8_t head[SHA256_SIZE];
    memcpy(head, w->chain, sizeof(head));
    sha256(slice_of(head, sizeof(head)), buf_slice(&bytes), w->chain);

    if (w->n == w->cap) {
        w->cap = w->cap ? 2 * w->cap : 256;
        w->model = realloc(w->model, w->cap * sizeof(struct event *));
        assert_non_null(w->model);
    }
    w->model[w->n] = event_copy(&ev);
    assert_non_null(w->model[w->n]);
    w->n++;
    w->last_time_ns = time_ns;
}

void world_append_at(struct world *w, const struct event *batch, size_t n, int64_t time_ns,
                     const char *clock_body)
{
    struct err e = ERR_INIT;
    rlog_off first = 0;
    enum rc rc = rlog_append(w->log, batch, n, world_next(w), &first, &e);
    if (rc != RC_OK)
        print_error("%s\n", e.msg);
    assert_int_equal(rc, RC_OK);
    if (clock_body)
        model_add(w,
                  (struct event){.incarnation = batch[0].incarnation,
                                 .wall_ns = w->clock.wall_ns,
                                 .op = EVENT_CLOCK,
                                 .cause = CAUSE_SELF,
                                 .source_kind = batch[0].source_kind,
                                 .source = batch[0].source,
                                 .key = SLICE("@clock/log"),
                                 .body = slice_str(clock_body)},
                  time_ns);
    assert_int_equal(first, world_next(w));
    for (size_t i = 0; i < n; i++)
        model_add(w, batch[i], time_ns);
}

void world_append(struct world *w, const struct event *batch, size_t n)
{
    int64_t now = w->clock.wall_ns;
    world_append_at(w, batch, n, now > w->last_time_ns ? now : w->last_time_ns, NULL);
}

const char *clock_body(const char *reason, int64_t old_ns, int64_t new_ns, char *out)
{
    char before[TIME_TEXT_MAX], after[TIME_TEXT_MAX];
    snprintf(out, CLOCK_BODY_MAX, "{\"reason\":\"%s\",\"old\":\"%s\",\"new\":\"%s\"}", reason,
             time_text(old_ns, before), time_text(new_ns, after));
    return out;
}

static struct event random_event(struct world *w)
{
    struct event ev = put_of("");
    ev.key = random_key((unsigned)rng_below(&w->rng.rng, RANDOM_KEYS));
    ev.wall_ns = (int64_t)rng_u64(&w->rng.rng);
    if (ev.key.p[0] == '@')
        ev.op = EVENT_POSITION;
    else if (rng_below(&w->rng.rng, 3) == 0)
        ev.op = EVENT_DELETE;
    ev.body.n = (size_t)rng_below(&w->rng.rng, ev.body.n + 1);
    return ev;
}

void world_append_random(struct world *w, size_t count)
{
    while (count > 0) {
        struct event batch[5];
        size_t n = 1 + (size_t)rng_below(&w->rng.rng, 5);
        n = n < count ? n : count;
        for (size_t i = 0; i < n; i++)
            batch[i] = random_event(w);
        world_append(w, batch, n);
        fake_clock_advance(&w->clock, (int64_t)rng_below(&w->rng.rng, 3) * NS_PER_MS);
        count -= n;
    }
}

void world_maintain(struct world *w)
{
    struct err e = ERR_INIT;
    enum rc rc = RC_OK;
    for (int i = 0; rc == RC_OK && i < 100000; i++)
        rc = rlog_maintain(w->log, &e);
    assert_int_equal(rc, RC_AGAIN);
}

/* ---- Comparing ---- */

void assert_bounds(const struct world *w, struct rlog *l)
{
    struct rlog_bounds b = bounds_of(l);
    assert_int_equal(b.next, world_next(w));
    assert_int_equal(b.epoch, w->epoch);
    assert_true(b.last_time_ns == w->last_time_ns);
    assert_memory_equal(b.chain, w->chain, SHA256_SIZE);
    assert_true(b.first >= 1 && b.first <= b.next);
}

struct event_iter *open_cursor(struct rlog *l, const struct rlog_range *range)
{
    struct event_iter *it = NULL;
    struct err e = ERR_INIT;
    enum rc rc = rlog_cursor(l, range, &it, &e);
    if (rc != RC_OK)
        print_error("%s\n", e.msg);
    assert_int_equal(rc, RC_OK);
    return it;
}

static bool key_passes(const struct rlog_range *r, struct slice key)
{
    if (!slice_starts(key, r->prefix))
        return false;
    bool asked = r->all_keys || (r->prefix.n > 0 && r->prefix.p[0] == '@');
    if (key.p[0] == '@' && !asked)
        return false;
    return r->shards == 0 || crc32c(0, key.p, key.n) % r->shards == r->shard;
}

static bool is_wanted(const struct world *w, const struct rlog_range *r, size_t i, size_t end)
{
    const struct event *ev = w->model[i];
    if (!key_passes(r, ev->key))
        return false;
    if (r->mode == RLOG_EVERY)
        return true;
    for (size_t later = i + 1; later < end; later++) {
        if (slice_eq(w->model[later]->key, ev->key))
            return false;
    }
    return r->mode == RLOG_LAST_PER_KEY || ev->op != EVENT_DELETE;
}

void assert_range(const struct world *w, struct event_iter *it, const struct rlog_range *range,
                  enum rc end)
{
    struct err e = ERR_INIT;
    const struct event *found = NULL;
    size_t until = range->until && range->until < world_next(w) ? range->until - 1 : w->n;
    for (size_t i = range->from ? range->from - 1 : 0; i < until; i++) {
        if (!is_wanted(w, range, i, until))
            continue;
        assert_int_equal(event_iter_next(it, &found, &e), RC_OK);
        assert_same_event(found, w->model[i]);
    }
    assert_int_equal(event_iter_next(it, &found, &e), end);
    assert_int_equal(event_iter_next(it, &found, &e), end);
}

void assert_whole(const struct world *w, struct rlog *l)
{
    assert_bounds(w, l);
    const struct rlog_range all = {.from = bounds_of(l).first, .all_keys = true};
    AUTO(event_iter_freep) struct event_iter *it = open_cursor(l, &all);
    assert_range(w, it, &all, RC_AGAIN);
}

/* ---- Running ---- */

static int world_setup(void **state)
{
    const struct rlog_backend *backend = *state;
    struct world *w = calloc(1, sizeof(*w));
    assert_non_null(w);
    w->backend = backend;
    fake_clock_init(&w->clock, T0);
    rng_seeded_init(&w->rng, 42);
    w->env = (struct env){.clock = &w->clock.clock, .rng = &w->rng.rng};
    w->place = backend->make(&w->env);
    world_open(w);
    *state = w;
    return 0;
}

static int world_teardown(void **state)
{
    struct world *w = *state;
    rlog_close(w->log);
    w->backend->destroy(w->place);
    for (size_t i = 0; i < w->n; i++)
        free(w->model[i]);
    free(w->model);
    free(w);
    return 0;
}

static size_t add_cases(struct CMUnitTest *tests, size_t n, const struct rlog_case *cases,
                        size_t n_cases, const struct rlog_backend *backend)
{
    if (n + n_cases > CASES_MAX)
        abort(); /* CASES_MAX is too small; a case left out would pass */
    for (size_t i = 0; i < n_cases; i++)
        tests[n++] = (struct CMUnitTest){.name = cases[i].name,
                                         .test_func = cases[i].run,
                                         .setup_func = world_setup,
                                         .teardown_func = world_teardown,
                                         .initial_state = (void *)(uintptr_t)backend};
    return n;
}

int rlog_suite_run(const struct rlog_backend *backend)
{
    struct CMUnitTest tests[CASES_MAX];
    memset(tests, 0, sizeof(tests));
    size_t n = add_cases(tests, 0, rlog_append_cases, rlog_append_cases_n, backend);
    n = add_cases(tests, n, rlog_read_cases, rlog_read_cases_n, backend);
    n = add_cases(tests, n, rlog_whole_cases, rlog_whole_cases_n, backend);
    n = add_cases(tests, n, rlog_clock_cases, rlog_clock_cases_n, backend);
    n = add_cases(tests, n, rlog_thread_cases, rlog_thread_cases_n, backend);
    return _cmocka_run_group_tests(backend->name, tests, n, NULL, NULL);
}
