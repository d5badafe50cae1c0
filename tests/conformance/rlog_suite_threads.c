/* Threads that read while one appends, keeps up or trims: with handles of their own, and sharing one. */
#include "tests/conformance/rlog_suite_priv.h"

#include <pthread.h>
#include <sched.h>
#include <stdatomic.h>

#define THREAD_EVENTS 210

/* What one reading thread does, and what it found; cmocka's assertions belong to the main thread.
 */
struct follower {
    struct rlog *log;
    atomic_bool *stop; /* the appending thread failed */
    const char *wrong;
    rlog_off seen;
};

static const char *check_bounds(struct rlog *l, rlog_off seen)
{
    struct rlog_bounds b;
    struct rlog_found found = {0};
    struct err e = ERR_INIT;
    if (rlog_bounds(l, &b, &e) != RC_OK || b.first != 1 || b.next <= seen)
        return "bounds went backwards";
    enum rc rc = rlog_last(l, random_key(0), 0, &found, &e);
    if (rc != RC_OK && rc != RC_NOTFOUND)
        return "last failed";
    rlog_found_done(&found);
    rlog_off at = 0;
    if (rlog_seek(l, INT64_MAX, &at, &e) != RC_OK || at < b.next)
        return "seek went backwards";
    return NULL;
}

static void *follow(void *arg)
{
    struct follower *f = arg;
    const struct rlog_range all = {.all_keys = true};
    struct event_iter *it = NULL;
    struct err e = ERR_INIT;
    if (rlog_cursor(f->log, &all, &it, &e) != RC_OK)
        f->wrong = "cursor failed";
    while (!f->wrong && f->seen < THREAD_EVENTS && !atomic_load(f->stop)) {
        const struct event *ev = NULL;
        enum rc rc = event_iter_next(it, &ev, &e);
        if (rc == RC_AGAIN)
            sched_yield();
        else if (rc != RC_OK || ev->offset != f->seen + 1)
            f->wrong = "next gave no dense offsets";
        else if (++f->seen % 16 == 0)
            f->wrong = check_bounds(f->log, f->seen);
    }
    event_iter_free(it);
    return NULL;
}

/* The events are "a", "b", "c", "a", ...: which key an offset has is known. */
static enum rc append_abc(struct world *w, struct err *e)
{
    struct event batch[3] = {put_of("a"), put_of("b"), put_of("c")};
    return rlog_append(w->log, batch, 3, RLOG_ANY, NULL, e);
}

/* Appends and keeps up; trims so that about `keep` events stay, unless it is 0. */
static enum rc write_all(struct world *w, rlog_off keep, struct err *e)
{
    enum rc rc = RC_OK;
    for (rlog_off next = 4; rc >= 0 && next <= THREAD_EVENTS + 1; next += 3) {
        rc = append_abc(w, e);
        if (rc == RC_OK && next % 5 == 0)
            rc = rlog_maintain(w->log, e);
        if (rc >= 0 && keep && next > keep)
            rc = rlog_trim(w->log, next - keep, e);
    }
    return rc < 0 ? rc : RC_OK;
}

static void threads_read_while_one_appends(void **state)
{
    struct world *w = *state;
    AUTO(rlog_closep) struct rlog *reader = world_open_reader(w);
    atomic_bool stop = false;
    struct follower followers[] = {{.log = w->log, .stop = &stop}, {.log = reader, .stop = &stop}};
    pthread_t threads[2];
    for (int i = 0; i < 2; i++)
        assert_int_equal(pthread_create(&threads[i], NULL, follow, &followers[i]), 0);
    struct err e = ERR_INIT;
    enum rc rc = write_all(w, 0, &e);
    if (rc != RC_OK)
        atomic_store(&stop, true);
    for (int i = 0; i < 2; i++)
        pthread_join(threads[i], NULL);
    assert_int_equal(rc, RC_OK);
    for (int i = 0; i < 2; i++) {
        assert_null(followers[i].wrong);
        assert_int_equal(followers[i].seen, THREAD_EVENTS);
    }
}

/* ---- Asking ---- */

/* Asks for one key again and again. */
struct asker {
    struct rlog *log;
    atomic_bool *stop;
    unsigned key;    /* 0 "a", 1 "b", 2 "c" */
    bool may_expire; /* somebody trims */
    const char *wrong;
    unsigned answers;
};

static struct slice asked_key(const struct asker *a)
{
    return slice_of(&"abc"[a->key], 1);
}

/* The offsets of the key that an iterator gives must be all there are from `from` to at least `until`. */
static const char *check_offsets(const struct asker *a, struct event_iter *it, rlog_off from,
                                 rlog_off until)
{
    rlog_off expected = from + (a->key + 3 - (from - 1) % 3) % 3;
    const struct event *ev = NULL;
    struct err e = ERR_INIT;
    enum rc rc = RC_OK;
    while ((rc = event_iter_next(it, &ev, &e)) == RC_OK) {
        if (ev->offset != expected || !slice_eq(ev->key, asked_key(a)))
            return "an event is missing or of another key";
        expected += 3;
    }
    if (rc == RC_EXPIRED && a->may_expire)
        return NULL;
    return rc == RC_END && expected >= until ? NULL : "the walk ended too early";
}

static const char *ask_history(const struct asker *a, const struct rlog_bounds *b)
{
    AUTO(event_iter_freep) struct event_iter *it = NULL;
    struct err e = ERR_INIT;
    enum rc rc = rlog_history(a->log, asked_key(a), b->first, 0, &it, &e);
    if (rc == RC_EXPIRED && a->may_expire)
        return NULL;
    return rc == RC_OK ? check_offsets(a, it, b->first, b->next) : "history failed";
}

/* The state of a prefix: one key, whose last event is not before that at the bounds. */
static const char *ask_state(const struct asker *a, const struct rlog_bounds *b)
{
    const struct rlog_range range = {.from = b->first, .prefix = asked_key(a), .mode = RLOG_LIVE};
    AUTO(event_iter_freep) struct event_iter *it = NULL;
    const struct event *ev = NULL;
    struct err e = ERR_INIT;
    enum rc rc = rlog_cursor(a->log, &range, &it, &e);
    if (rc == RC_OK)
        rc = event_iter_next(it, &ev, &e);
    if (rc == RC_EXPIRED && a->may_expire)
        return NULL;
    return rc == RC_OK && ev->offset + 3 >= b->next && (ev->offset - 1) % 3 == a->key
               ? NULL
               : "the state is wrong";
}

static const char *ask_last(const struct asker *a, const struct rlog_bounds *b)
{
    AUTO(rlog_found_done) struct rlog_found found = {0};
    struct err e = ERR_INIT;
    rlog_off at = 0;
    if (rlog_last(a->log, asked_key(a), 0, &found, &e) != RC_OK || found.event.offset + 3 < b->next)
        return "last is wrong";
    return rlog_seek(a->log, INT64_MIN, &at, &e) == RC_OK && at >= b->first ? NULL
                                                                            : "seek is wrong";
}

static void *keep_asking(void *arg)
{
    struct asker *a = arg;
    const char *(*const questions[])(const struct asker *, const struct rlog_bounds *) = {
        ask_history, ask_state, ask_last};
    struct err e = ERR_INIT;
    while (!a->wrong && !atomic_load(a->stop)) {
        struct rlog_bounds b;
        if (rlog_bounds(a->log, &b, &e) != RC_OK)
            a->wrong = "bounds failed";
        else
            a->wrong = questions[a->answers % 3](a, &b);
        a->answers++;
    }
    return NULL;
}

/* Runs askers of the logs beside the writer. */
static void ask_while_writing(struct world *w, struct rlog *const logs[3], rlog_off keep)
{
    atomic_bool stop = false;
    struct asker askers[3];
    pthread_t threads[3];
    struct err e = ERR_INIT;
    assert_int_equal(append_abc(w, &e), RC_OK);
    for (unsigned i = 0; i < 3; i++) {
        askers[i] = (struct asker){.log = logs[i], .stop = &stop, .key = i, .may_expire = keep > 0};
        assert_int_equal(pthread_create(&threads[i], NULL, keep_asking, &askers[i]), 0);
    }
    enum rc rc = write_all(w, keep, &e);
    atomic_store(&stop, true);
    for (int i = 0; i < 3; i++)
        pthread_join(threads[i], NULL);
    if (rc != RC_OK)
        print_error("%s\n", e.msg);
    assert_int_equal(rc, RC_OK);
    for (int i = 0; i < 3; i++) {
        if (askers[i].wrong)
            print_error("%s\n", askers[i].wrong);
        assert_null(askers[i].wrong);
    }
}

static void threads_share_a_reader_while_one_appends(void **state)
{
    struct world *w = *state;
    AUTO(rlog_closep) struct rlog *reader = world_open_reader(w);
    struct rlog *const logs[3] = {reader, reader, reader};
    ask_while_writing(w, logs, 0);
}

static void threads_read_while_one_trims(void **state)
{
    struct world *w = *state;
    if (w->backend->trim_events == 0)
        skip();
    AUTO(rlog_closep) struct rlog *reader = world_open_reader(w);
    struct rlog *const logs[3] = {w->log, reader, reader};
    ask_while_writing(w, logs, 40);
    assert_true(bounds_of(w->log).first > 1);
}

const struct rlog_case rlog_thread_cases[] = {
    RLOG_CASE(threads_read_while_one_appends),
    RLOG_CASE(threads_share_a_reader_while_one_appends),
    RLOG_CASE(threads_read_while_one_trims),
};
const size_t rlog_thread_cases_n = sizeof(rlog_thread_cases) / sizeof(rlog_thread_cases[0]);
