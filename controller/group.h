/* One source and its synchronizations: a thread that ingests, and members that pump. The log is
 * opened once for all of them; when it fails, all of them are stopped, the log is closed, and after
 * a while everything is opened again. What `*` takes joins and leaves as the source's kinds come and go: the member
 * starts again with it. */
#ifndef RESILOG_CONTROLLER_GROUP_H
#define RESILOG_CONTROLLER_GROUP_H

#include "core/env.h"
#include "core/err.h"
#include "core/scope.h"

#include <stdbool.h>
#include <stddef.h>

struct cluster;
struct group;
struct once_board;
struct order_board;
struct plan;
struct sync;
struct wiring;

struct group_member {
    const struct sync *sync;
    int64_t prune_until_ns; /* as in pump_opts */
    struct order_board *orders;
    const struct plan *plan; /* the rest as in member_opts */
    struct once_board *ended;
    int64_t not_before_ns;
};

struct group_opts {
    const struct cluster *source;
    const struct group_member *members;
    size_t n_members;
    int64_t accept_until_ns; /* as in ingest_accept_source */
    const struct wiring *wiring;
    const struct env *env;
};

/* Starts the source's thread. Copies opts and members; borrows the rest. Errors: NOMEM, UNAVAILABLE (no thread to be
 * had), LIMIT, IO. */
MUST_CHECK enum rc group_start(const struct group_opts *opts, struct group **ret, struct err *e);
/* Asks it to end; returns at once. */
void group_ask_stop(struct group *g);
/* True once it ended after that: to free it takes no time. */
bool group_ended(const struct group *g);
/* Waits for its threads and frees it. NULL is allowed. */
void group_free(struct group *g);
DEFINE_FREEP(struct group, group_free)

#endif
