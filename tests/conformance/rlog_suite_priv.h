/* What the files of the suite share: a log under test beside a naive model of it. */
#ifndef RESILOG_TESTS_RLOG_SUITE_PRIV_H
#define RESILOG_TESTS_RLOG_SUITE_PRIV_H

/* cmocka.h needs these four before it. */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>

#include "core/digest.h"
#include "core/env.h"
#include "core/event_iter.h"
#include "core/rng.h"
#include "tests/conformance/rlog_suite.h"
#include "tests/fakes/fake_clock.h"

#define T0 (1700000000 * NS_PER_S)

struct world {
    const struct rlog_backend *backend;
    void *place;
    struct fake_clock clock;
    struct rng_seeded rng;
    struct env env;
    struct rlog *log; /* the writer */

    struct event **model; /* the event of offset i + 1 at i: all that were ever appended */
    size_t n, cap;
    uint64_t epoch;
    int64_t last_time_ns;
    uint8_t chain[SHA256_SIZE];
};

struct rlog_case {
    const char *name;
    CMUnitTestFunction run; /* gets a struct world with an empty log */
};
#define RLOG_CASE(function)                                                                        \
    {                                                                                              \
#function, function                                                                        \
    }

extern const struct rlog_case rlog_append_cases[];
extern const size_t rlog_append_cases_n;
extern const struct rlog_case rlog_read_cases[];
extern const size_t rlog_read_cases_n;
extern const struct rlog_case rlog_whole_cases[];
extern const size_t rlog_whole_cases_n;
extern const struct rlog_case rlog_clock_cases[];
extern const size_t rlog_clock_cases_n;
extern const struct rlog_case rlog_thread_cases[];
extern const size_t rlog_thread_cases_n;

/* A put of key with a small body; its slices are those given or static. */
struct event put_of(const char *key);
struct event delete_of(const char *key);

#define RANDOM_KEYS 14
/* The keys of random events; some begin with '@', some share a long prefix. */
struct slice random_key(unsigned i);

/* Opens the writer and asserts that its epoch is above all before. */
void world_open(struct world *w);
void world_reopen(struct world *w);
struct rlog *world_open_reader(struct world *w);
/* Appends to the log and to the model, while the clock does not jump. */
void world_append(struct world *w, const struct event *batch, size_t n);
/* The same with the time that the log must give; with a clock event of this body before the batch, NULL: without. */
void world_append_at(struct world *w, const struct event *batch, size_t n, int64_t time_ns,
                     const char *clock_body);
#define CLOCK_BODY_MAX 192
/* The body of a clock event in `out` of CLOCK_BODY_MAX bytes. Returns out. */
const char *clock_body(const char *reason, int64_t old_ns, int64_t new_ns, char *out);
/* `count` events in batches of 1 to 5, puts and deletes of the random keys, while the clock goes
 * on. */
void world_append_random(struct world *w, size_t count);
/* Upkeep until there is nothing to do. */
void world_maintain(struct world *w);
struct rlog_bounds bounds_of(struct rlog *l);
static inline rlog_off world_next(const struct world *w)
{
    return w->n + 1;
}

/* Asserts that every member is the same. */
void assert_same_event(const struct event *found, const struct event *expected);
/* Asserts that a call failed with rc and retry and filled e. */
void assert_failed(enum rc found, enum rc rc, enum err_retry retry, const struct err *e);
/* Asserts that the log's bounds are the model's; `first` apart. */
void assert_bounds(const struct world *w, struct rlog *l);
struct event_iter *open_cursor(struct rlog *l, const struct rlog_range *range);
/* Asserts that the iterator gives exactly the model's events for the range and then `end`. */
void assert_range(const struct world *w, struct event_iter *it, const struct rlog_range *range,
                  enum rc end);
/* Asserts bounds and every event from bounds.first on. */
void assert_whole(const struct world *w, struct rlog *l);

#endif
