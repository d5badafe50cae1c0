/* Decides whether a synchronization copies an object or a znode. Pure. */
#ifndef RESILOG_FLOW_FILTER_H
#define RESILOG_FLOW_FILTER_H

#include "core/err.h"
#include "core/key.h"

struct json_doc;
struct replication;
struct replication_entry;

enum filter_verdict {
    FILTER_SELECTED,
    FILTER_REJECTED,  /* an entry names the resource, but its filters say no */
    FILTER_UNRELATED, /* no entry names the resource, or has the path */
    FILTER_UNDECIDED /* the namespace's labels are needed and not known, or a regex hit its limit */
};

struct filter_input {
    struct key key;
    struct json_doc *object; /* the source's object */
    bool ns_known;
    struct json_doc *ns_labels; /* JSON object of the namespace's labels; NULL: none */
};

/* Entries are a union; the first that selects decides and is given. A Namespace matches a
 * namespaceSelector by its own labels; other cluster-scoped kinds always match it (as in admission
 * webhooks), but a namespaceSelector of an exclusion says nothing of them. Where an entry before the first that selects
 * is undecided, so is the verdict. */
enum filter_verdict filter_decide(const struct replication *r, const struct filter_input *in,
                                  const struct replication_entry **ret_entry);
/* Of a tree: whether it copies the node with this path, ephemeral or not. A path is undecided where an exclude_path hit
 * its limit on it or on a node above it. */
enum filter_verdict filter_path(const struct replication *r, struct slice path,
                                const struct replication_entry **ret_entry);
/* True if some entry names the key's resource, or is the root of the key's tree. */
bool filter_names(const struct replication *r, struct slice key);

#endif
