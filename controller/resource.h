/* The custom resources as plain records, read from YAML files as kubectl would read them, checked
 * altogether before anything starts. */
#ifndef RESILOG_CONTROLLER_RESOURCE_H
#define RESILOG_CONTROLLER_RESOURCE_H

#include "controller/schedule.h"
#include "controller/speaker.h"
#include "core/err.h"
#include "core/scope.h"
#include "core/slice.h"
#include "flow/replication.h"
#include "io/kube_config.h"
#include "io/zk_target.h"

struct buf;
struct clock;
struct json_doc;
struct resources;

#define RESOURCE_DIGEST 32 /* bytes; equal digests: nothing changed */

/* The AdminServer that a Database names. */
struct admin_server {
    const char *full_name; /* of the Database */
    struct zk_admin_target target;
};

/* A KubernetesCluster or a Database, with its credentials. */
struct cluster {
    const char *ns, *name; /* "default" where the file names no namespace */
    const char *full_name; /* "namespace/name" */
    const char *secret_name;
    struct kube_config config;
    const struct zk_target *zookeeper; /* of a Database; NULL: Kubernetes */
    bool acl; /* of a Database: a synchronization that reads from it wants the nodes' ACLs */
    uint8_t digest[RESOURCE_DIGEST]; /* of where it is and of its credentials */
};

/* Kinds that are named in general: "*" stands for any group or resource, an empty version for any. */
struct kind_pattern {
    struct slice group, version, resource;
    const struct replication_entry *filters; /* of their objects those; NULL: all */
};

/* What a synchronization of znodes has beside its only entry. */
struct sync_tree {
    bool create_root; /* make the root in the destination where it is missing */
    bool acl;         /* copy the ACLs, too */
};

/* Whether a run that has ended is begun again. */
enum sync_restart { RESTART_NEVER, RESTART_ON_FAILURE, RESTART_ALWAYS };

/* A LiveSynchronization; or a Synchronization, which ends when all is copied. */
struct sync {
    const char *ns, *name, *full_name;
    const char *plugin; /* one of the choices in controller/resource_kinds.c */
    bool suspend, once;
    enum sync_restart restart;                  /* of one that ends */
    const struct cluster *source, *destination; /* both Databases, or none of them */
    struct sync_tree tree;                      /* of Databases */
    struct replication
        replication; /* as it stands in the file: controller/resolve.h makes kinds of it */
    const struct kind_pattern *excluded; /* of what entries with `*` take */
    size_t n_excluded;
    struct speaker_levels levels;    /* of those of its components that there are */
    uint8_t digest[RESOURCE_DIGEST]; /* of its spec */
};

/* A SynchronizationPlan. */
struct plan {
    const char *ns, *name, *full_name;
    struct schedule schedule;
    int64_t keep_succeeded, keep_failed; /* so many finished runs are told */
    struct sync sync;                    /* what each run does, under the plan's names */
    uint8_t digest[RESOURCE_DIGEST];     /* of its spec */
};

enum problem_level { PROBLEM_ERROR, PROBLEM_WARNING };

/* One remark about the input: where ("file:line:column" and the member's path), what was found,
 * what is allowed, the nearest match. */
struct problem {
    enum problem_level level;
    const char *where; /* "livesync.yaml:14:7", or the file, or "-" for standard input */
    const char *path;  /* "spec.config.replication.resources[0].op"; "" for a whole file */
    const char *text;
};

struct resources_opts {
    const char *const
        *files; /* files, folders (every *.yaml, *.yml, *.json in it, by name, not below), or "-" */
    size_t n_files;
    const char *const *kubeconfigs; /* "NAME=FILE" or "NAMESPACE/NAME=FILE": supplies a
                                       KubernetesCluster's Secret from a file */
    size_t n_kubeconfigs;
    bool allow_insecure, allow_exec; /* as in struct kube_config_opts */
    bool offline;                    /* only validate: credentials that are missing are warnings */
    struct clock *
        clock; /* a client certificate that has expired is a warning; NULL: nothing is told of that */
};

/* Reads and checks everything; lists all problems, not only the first. RC_OK even with problems of
 * level PROBLEM_ERROR: see resources_errors. Errors: NOMEM; IO and NOTFOUND are problems, too. */
MUST_CHECK enum rc resources_load(const struct resources_opts *opts, struct resources **ret,
                                  struct err *e);
void resources_free(struct resources *r);
DEFINE_FREEP(struct resources, resources_free)

/* Tells, without reading them, whether files were changed: equal as long as the same files are there in the same state,
 * those of opts->kubeconfigs included; "-" never changes. Errors: NOMEM. */
MUST_CHECK enum rc resources_signature(const struct resources_opts *opts,
                                       uint8_t ret[RESOURCE_DIGEST], struct err *e);

/* Whether all of these files can be read again: standard input and pipes cannot. What is not there can, it may come.
 * Errors: NOMEM. */
MUST_CHECK enum rc resources_rereadable(const struct resources_opts *opts, bool *ret,
                                        struct err *e);

/* A link for who keeps several of them; NULL at first. */
struct resources **resources_older(struct resources *r);

size_t resources_errors(const struct resources *r); /* how many problems are errors */
/* The remark with that index, in the order of files and lines; NULL behind the last. */
const struct problem *resources_problem(const struct resources *r, size_t index);
/* Records; NULL behind the last: those without an error of their own. They live as long as the
 * resources. */
const struct sync *resources_sync(const struct resources *r,
                                  size_t index); /* LiveSynchronizations */
const struct sync *resources_once(const struct resources *r, size_t index); /* Synchronizations */
const struct plan *resources_plan(const struct resources *r, size_t index);
const struct cluster *resources_cluster(const struct resources *r, size_t index);
const struct admin_server *resources_admin(const struct resources *r, size_t index);

#endif
