/* What resilog needs to be allowed on a cluster, whether it is (asked by SelfSubjectAccessReview), and what is
 * missing as a ClusterRole that a person can apply. */
#ifndef RESILOG_CONTROLLER_RIGHTS_H
#define RESILOG_CONTROLLER_RIGHTS_H

#include "core/err.h"
#include "core/scope.h"
#include "core/slice.h"

#include <stddef.h>

struct buf;
struct cluster;
struct http;
struct resources;
struct rights;

/* One verb on one resource. */
struct right {
    const char *group, *resource;
    const char *ns;   /* only in this namespace; NULL: everywhere */
    const char *name; /* only the object of this name; NULL: all */
    const char *verb;
    enum { RIGHT_UNKNOWN, RIGHT_GRANTED, RIGHT_MISSING } state;
};

/* What the synchronizations of resources need on that cluster: each right once, in order of their use. Borrows
 * nothing. Suspended ones count. Errors: NOMEM, LIMIT. */
MUST_CHECK enum rc rights_needed(const struct resources *resources, const struct cluster *cluster,
                                 struct rights **ret, struct err *e);
void rights_free(struct rights *r);
DEFINE_FREEP(struct rights, rights_free)

size_t rights_count(const struct rights *r);
/* NULL behind the last. */
const struct right *rights_at(const struct rights *r, size_t index);
/* How many are known to be missing. */
size_t rights_missing(const struct rights *r);

/* Asks the cluster's API server about each; blocks until all is told. Errors: what the server, or the way to it,
 * refuses (then nothing is known); NOMEM. */
MUST_CHECK enum rc rights_ask(struct rights *r, struct http *http, struct err *e);
/* Appends what is missing as a ClusterRole of that name, and a Role for each namespace in which alone something is
 * missing, one rule for each resource. Nothing if nothing is. */
void rights_print_role(const struct rights *r, const char *name, struct buf *out);

#endif
