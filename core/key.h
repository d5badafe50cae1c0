/* The identity of an object as one string: `group/resource/namespace/name`, with empty segments for the core
 * group and for cluster-scoped objects ("/configmaps/ns/a", "apps/deployments/ns/a", "/namespaces//ns"). A
 * znode's key is its path. The log's own events use the key space "@...". */
#ifndef RESILOG_CORE_KEY_H
#define RESILOG_CORE_KEY_H

#include "core/err.h"
#include "core/slice.h"

#define KEY_MAX 4096

struct buf;

struct key {
    struct slice group;
    struct slice resource;
    struct slice ns; /* empty: cluster-scoped */
    struct slice name;
};

/* Splits a Kubernetes key; the parts borrow text. Errors: INVALID (not four segments, empty resource or name,
 * a '/' in the name, longer than KEY_MAX, a key of the log's own). A name may hold any byte except '/' and
 * NUL. */
MUST_CHECK enum rc key_parse(struct slice text, struct key *ret, struct err *e);
/* Appends the key's text. */
void key_print(const struct key *k, struct buf *out);
/* Appends the scope "group/resource/ns/" or, with an empty ns, "group/resource/": a prefix of all its keys. */
void key_print_prefix(struct slice group, struct slice resource, struct slice ns, struct buf *out);
/* True for the log's own keys ("@..."). */
static inline bool key_is_internal(struct slice text)
{
    return text.n > 0 && text.p[0] == '@';
}

#endif
