/* Finds what a path of the rule table names (kube_rules.h says how it is written). */
#ifndef RESILOG_SINKS_KUBE_WALK_H
#define RESILOG_SINKS_KUBE_WALK_H

#include "core/slice.h"

struct json;
struct json_doc;

#define KUBE_SEGMENT_MAX 128 /* bytes of one segment of a path */

typedef void kube_walk_fn(void *arg, struct json *node);

/* Calls fn for every node that path names in root, in document order; of a repeated member for each. fn may remove
 * the node, and containers above it that are empty then. */
void kube_walk(struct json_doc *d, struct json *root, const char *path, kube_walk_fn *fn,
               void *arg);
/* The first segment of path, unescaped, in out; *rest is what follows. path begins with '/'. */
struct slice kube_walk_segment(const char *path, char out[KUBE_SEGMENT_MAX], const char **rest);

#endif
