/* The kinds of resources that resilog understands, and what their fields are: data. Private to
 * controller/. */
#ifndef RESILOG_CONTROLLER_RESOURCE_KINDS_H
#define RESILOG_CONTROLLER_RESOURCE_KINDS_H

#include "core/slice.h"

struct field;
struct json;
struct origin;

enum kind_use {
    KIND_CLUSTER,
    KIND_DATABASE,
    KIND_SECRET,
    KIND_SYNC,
    KIND_ONCE,
    KIND_PLAN,
    KIND_LATER
};

struct kind {
    const char *name; /* NULL ends the table */
    const char *api_version;
    enum kind_use use;
    const struct field *fields; /* of the whole resource */
    /* What is kept under the name: kinds that say the same here keep theirs in one place, so that no two of their
     * resources may have one name. NULL: nothing. */
    const char *keeps;
};

extern const struct kind kinds[];
extern const struct field *const kind_selector_fields; /* of a LabelSelector */

/* The kind of a document, a mapping. NULL if it is none of ours; then that was told, as an error
 * where it looks like one of ours, else as a warning. */
const struct kind *kind_of(const struct origin *o, const struct json *node);
/* "a", "a.b-c": what Kubernetes takes as the name of most resources, and of a namespace. */
bool kind_is_name(struct slice text);
bool kind_is_namespace(struct slice text);
#define KIND_NAME_RULE                                                                             \
    "lower-case letters, digits, '-' and '.', beginning and ending with a letter or digit, at "    \
    "most 253 characters"
#define KIND_NAMESPACE_RULE                                                                        \
    "lower-case letters, digits and '-', beginning and ending with a letter or digit, at most 63 " \
    "characters"

#define KIND_PLUGIN      "kubernetes-objects-to-kubernetes"
#define KIND_PLUGIN_TREE "zookeeper-to-zookeeper-nodes"

#endif
