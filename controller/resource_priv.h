/* What the files of controller/resource*.c share while resources are being read. Private to
 * controller/. */
#ifndef RESILOG_CONTROLLER_RESOURCE_PRIV_H
#define RESILOG_CONTROLLER_RESOURCE_PRIV_H

#include "controller/problem_list.h"
#include "controller/resource.h"
#include "controller/resource_kinds.h"
#include "controller/resource_login.h"
#include "controller/text_pool.h"
#include "core/yaml.h"

struct map;

/* ---- Files (resource_read.c) ---- */

struct input {
    char *file; /* as messages name it */
    bool asked; /* named itself, not found in a folder */
    struct yaml_file yaml;
};

struct inputs {
    struct input *list;
    size_t n, cap;
};

/* Finds the files, reads and parses them all. What is wrong with them becomes problems. Errors:
 * NOMEM. */
MUST_CHECK enum rc inputs_read(const struct resources_opts *opts, struct problem_list *problems,
                               struct inputs *ret, struct err *e);
void inputs_done(struct inputs *in);
/* Appends a file's text, of "-" that of standard input, at most YAML_TEXT_MAX bytes. Errors:
 * NOTFOUND, DENIED, IO, LIMIT, NOMEM; the message begins with path. */
MUST_CHECK enum rc input_text(const char *path, struct buf *out, struct err *e);
/* Overwrites, then frees: the text may hold credentials. */
void input_wipe(struct buf *b);

/* ---- Resources as they were read ---- */

/* One resource of a kind that is acted on. Its texts live as long as the resources. */
struct item {
    const struct kind *kind;
    struct origin origin;
    const struct json *node;
    const char *ns, *name, *full_name;
    bool broken; /* an error about it was told */
    struct cluster
        *cluster; /* of a KubernetesCluster or Database that is not broken and says where it is */
};

struct sync_record {
    struct sync sync;
    struct replication_entry *entries; /* sync.replication's own */
    size_t n_entries;
    struct kind_pattern *excluded;              /* sync's own */
    struct replication_entry *excluded_filters; /* as many, their filters */
};

struct plan_record {
    struct plan plan;
    struct sync_record *sync; /* plan.sync is this one's */
};

struct admin_record {
    struct admin_server server;
    struct login login; /* the server's target borrows of it */
};

struct resources {
    struct text_pool texts;
    struct problem_list *problems;
    struct cluster **clusters;
    size_t n_clusters;
    struct admin_record **admins;
    size_t n_admins;
    struct sync_record **syncs, **onces;
    size_t n_syncs, n_onces;
    struct plan_record **plans;
    size_t n_plans;
    struct resources *older;
};

/* While reading. */
struct loader {
    const struct resources_opts *opts;
    struct resources *out;
    struct inputs inputs;
    struct item **items;
    size_t n_items, cap_items;
    struct map *by_name; /* "<kind, or what it keeps> <namespace>/<name>": struct item, borrowed */
};

/* The item of that kind; NULL if there is none. */
struct item *loader_find(const struct loader *l, const struct kind *kind, const char *full_name);
/* The end of a message that there is no item of that kind with the name text, written in namespace
 * ns: the one that was perhaps meant, else those that there are. */
#define HINT_BYTES 256
void loader_hint(const struct loader *l, const struct kind *kind, const char *ns, struct slice text,
                 char out[HINT_BYTES]);
/* The table's row for a use. */
const struct kind *loader_kind(enum kind_use use);

/* Makes the documents of all files into items (resource_item.c). Errors: NOMEM. */
MUST_CHECK enum rc items_read(struct loader *l, struct err *e);
/* Makes clusters with their credentials of all items (resource_cluster.c). Errors: NOMEM. */
MUST_CHECK enum rc clusters_read(struct loader *l, struct err *e);
/* With the item's names and nothing else; NULL when out of memory. */
struct cluster *cluster_new(const struct item *item);
void cluster_free(struct cluster *c);
DEFINE_FREEP(struct cluster, cluster_free)
/* Makes a cluster of a Database's item, and an AdminServer (resource_database.c). Errors: NOMEM. */
MUST_CHECK enum rc database_read(struct loader *l, struct item *item, struct err *e);
void database_free(const struct zk_target *target);
void admin_record_free(struct admin_record *a);
DEFINE_FREEP(struct admin_record, admin_record_free)
/* Makes a LiveSynchronization or Synchronization of an item (resource_sync.c). Errors: NOMEM. */
MUST_CHECK enum rc sync_read(struct loader *l, const struct item *item, struct err *e);
/* Makes a synchronization of the item's names and spec, which is the item's own or that of its template. *ret stays
 * NULL where an error was told. Errors: NOMEM. */
MUST_CHECK enum rc sync_make(struct loader *l, const struct item *item, const struct json *spec,
                             struct sync_record **ret, struct err *e);
void sync_record_free(struct sync_record *s);
DEFINE_FREEP(struct sync_record, sync_record_free)
/* The config of the plugin KIND_PLUGIN_TREE (resource_tree.c). Errors: NOMEM. */
MUST_CHECK enum rc tree_read(struct loader *l, const struct item *item, const struct json *config,
                             struct sync_record *s, struct err *e);
/* Makes a plan of an item (resource_plan.c). Errors: NOMEM. */
MUST_CHECK enum rc plan_read(struct loader *l, const struct item *item, struct err *e);
void plan_record_free(struct plan_record *p);
DEFINE_FREEP(struct plan_record, plan_record_free)

/* How often the destination is compared: resyncPeriod of config, or of the replication in it (NULL: none). */
int64_t period_read(const struct item *item, const struct json *config,
                    const struct json *replication);
/* Of a part of the resource in its canonical form, so that only a change of meaning is one; and of salt. Errors: LIMIT,
 * NOMEM. */
MUST_CHECK enum rc item_digest(const struct item *item, const struct json *part, struct slice salt,
                               uint8_t ret[RESOURCE_DIGEST], struct err *e);

/* A list of patch operations, checked (resource_patch.c); ret is NULL where there is none. Errors:
 * NOMEM. */
MUST_CHECK enum rc patch_read(struct text_pool *texts, const struct origin *o,
                              const struct json *list, struct json_patch_op **ret, size_t *ret_n,
                              struct err *e);

#endif
