/* What one synchronization copies and how: the part of a LiveSynchronization that the live path
 * needs, as plain data. Built and owned by controller/resource.c; the flow only reads it. */
#ifndef RESILOG_FLOW_REPLICATION_H
#define RESILOG_FLOW_REPLICATION_H

#include "core/json_patch.h"
#include "sinks/sink.h"

struct regex;
struct selector;

/* One entry of spec.config.replication.resources; of a synchronization of znodes the only one, its tree. */
struct replication_entry {
    struct slice group, version, resource;
    struct slice
        root; /* a tree of znodes: this node and what is below it; all of the above is empty then */
    struct regex *
        exclude_path; /* of a tree: not the nodes whose path it matches, nor what is below these; NULL: none */
    bool ephemeral;                 /* of a tree: ephemeral nodes, too, as persistent ones */
    const struct slice *namespaces; /* only objects in these, and only these are read; none: all */
    size_t n_namespaces;
    struct selector *selector;    /* labels of the object; NULL: all */
    struct selector *ns_selector; /* labels of its namespace; NULL: all */
    struct regex **names;         /* any of them must match; none: all */
    size_t n_names;
    struct regex **not_names; /* none of them may match */
    size_t n_not_names;
    const struct json_patch_op *patch;
    size_t n_patch;
    bool patch_skip_missing;
    struct sink_policy policy;
    bool by_star; /* made of an entry with `*`: one of the kinds that the source has */
    bool
        any_version; /* made of an entry without a version: this one is what the source prefers now */
};

#define REPLICATION_DIGEST 32

struct replication {
    struct slice sync; /* "namespace/name" */
    uint8_t digest
        [REPLICATION_DIGEST]; /* of all that decides what is copied and how; equal: nothing changed */
    const struct replication_entry *entries;
    size_t n_entries; /* these are copied */
    size_t
        n_recorded; /* and these recorded: the entries behind n_entries name a kind for the log alone */
    const struct replication_entry *
        excluded; /* by kind and filters: entries with by_star do not select what one of them does */
    size_t n_excluded;
    bool prune_deselected; /* copies of what left the selection are removed, not frozen */
    int64_t resync_ns; /* how often the destination is compared with what was applied; 0: never */
};

#endif
