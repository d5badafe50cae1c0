/* What the unit tests of flow/ share: a world of a clock, chance, a log in memory, and events to put into it.
 * JSON is written with single quotes. */
#ifndef RESILOG_TESTS_FLOW_TEST_H
#define RESILOG_TESTS_FLOW_TEST_H

#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/buf.h"
#include "core/env.h"
#include "core/event.h"
#include "core/event_iter.h"
#include "core/json.h"
#include "core/key.h"
#include "core/regex.h"
#include "core/rng.h"
#include "core/scope.h"
#include "flow/replication.h"
#include "flow/selector.h"
#include "log/rlog.h"
#include "tests/fakes/fake_clock.h"

#define FT_WALL_NS (1767225600LL * NS_PER_S) /* 2026-01-01 */

#define assert_ok(call)                                                                            \
    do {                                                                                           \
        enum rc rc_ = (call);                                                                      \
        if (rc_ != RC_OK)                                                                          \
            fail_msg("%s: rc %d", #call, (int)rc_);                                                \
    } while (0)

static inline char *ft_quotes(const char *text)
{
    char *s = strdup(text);
    assert_non_null(s);
    for (char *p = s; *p; p++)
        if (*p == '\'')
            *p = '"';
    return s;
}

static inline struct json_doc *ft_parse(const char *text)
{
    AUTO(freep) char *json = ft_quotes(text);
    struct json_doc *d = NULL;
    struct err e = ERR_INIT;
    if (json_parse(slice_str(json), &d, &e) != RC_OK)
        fail_msg("%s: %s", text, e.msg);
    return d;
}

static inline struct selector *ft_selector(const char *text)
{
    AUTO(json_freep) struct json_doc *d = ft_parse(text);
    struct selector *s = NULL;
    struct err e = ERR_INIT;
    if (selector_new(d, json_root(d), &s, &e) != RC_OK)
        fail_msg("%s: %s", text, e.msg);
    return s;
}

static inline struct regex *ft_regex(const char *pattern)
{
    struct regex *r = NULL;
    struct err e = ERR_INIT;
    if (regex_new(slice_str(pattern), &r, &e) != RC_OK)
        fail_msg("%s: %s", pattern, e.msg);
    return r;
}

static inline bool ft_has(const char *text, const char *part)
{
    return strstr(text, part) != NULL;
}

/* ---- A log ---- */

struct ft_log {
    struct fake_clock clock;
    struct rng_seeded rng;
    struct env env;
    struct rlog_mem_store *store;
    struct rlog *log;
};

static inline void ft_log_init(struct ft_log *w)
{
    struct err e = ERR_INIT;
    *w = (struct ft_log){.log = NULL};
    fake_clock_init(&w->clock, FT_WALL_NS);
    rng_seeded_init(&w->rng, 7);
    w->env = (struct env){.clock = &w->clock.clock, .rng = &w->rng.rng};
    w->store = rlog_mem_store_new();
    assert_non_null(w->store);
    assert_ok(rlog_mem_open(w->store, RLOG_WRITE, &w->env, &w->log, &e));
}

static inline void ft_log_done(struct ft_log *w)
{
    rlog_close(w->log);
    rlog_mem_store_free(w->store);
}

/* Appends one event; returns its offset. */
static inline rlog_off ft_append(struct ft_log *w, const struct event *ev)
{
    struct event full = *ev;
    struct err e = ERR_INIT;
    rlog_off at = 0;
    full.source_kind = full.source_kind ? full.source_kind : SOURCE_KUBERNETES;
    full.incarnation = full.incarnation ? full.incarnation : 1;
    full.wall_ns = clock_wall_ns(&w->clock.clock);
    if (rlog_append(w->log, &full, 1, RLOG_ANY, &at, &e) != RC_OK)
        fail_msg("append: %s", e.msg);
    return at;
}

/* An object's put as it was watched. json has single quotes. */
static inline rlog_off ft_put(struct ft_log *w, const char *key, const char *json)
{
    AUTO(freep) char *body = ft_quotes(json);
    return ft_append(w, &(struct event){.op = EVENT_PUT,
                                        .cause = CAUSE_WATCH,
                                        .key = slice_str(key),
                                        .api_version = SLICE("v1"),
                                        .body = slice_str(body)});
}

static inline rlog_off ft_delete(struct ft_log *w, const char *key, enum event_cause cause)
{
    return ft_append(w, &(struct event){.op = EVENT_DELETE,
                                        .cause = cause,
                                        .key = slice_str(key),
                                        .api_version = SLICE("v1")});
}

static inline rlog_off ft_own(struct ft_log *w, enum event_op op, const char *key)
{
    return ft_append(w, &(struct event){.op = op, .cause = CAUSE_SELF, .key = slice_str(key)});
}

#endif
