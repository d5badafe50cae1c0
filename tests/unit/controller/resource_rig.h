/* Loads resources from files of a folder of its own, and says what was found as text. For the tests
 * of controller/resource*.c. */
#ifndef RESILOG_TESTS_UNIT_CONTROLLER_RESOURCE_RIG_H
#define RESILOG_TESTS_UNIT_CONTROLLER_RESOURCE_RIG_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "controller/resource.h"
#include "core/buf.h"

#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#define SECRET_MARK "hunter2" /* must never be in a problem */

/* Two clusters, a and b, with their credentials. */
#define KUBECONFIG(server)                                                                         \
    "current-context: c\n"                                                                         \
    "contexts: [{name: c, context: {cluster: k, user: u}}]\n"                                      \
    "clusters: [{name: k, cluster: {server: \"" server "\"}}]\n"                                   \
    "users: [{name: u, user: {token: " SECRET_MARK "}}]\n"
#define CLUSTER(name, secret)                                                                      \
    "apiVersion: assets.astronetes.io/v1alpha1\nkind: KubernetesCluster\nmetadata: {name: " name   \
    "}\nspec: {secretName: " secret "}\n---\n"
#define SECRET(name)                                                                               \
    "apiVersion: v1\nkind: Secret\nmetadata: {name: " name                                         \
    "}\nstringData:\n  kubeconfig.yaml: |\n"                                                       \
    "    current-context: c\n"                                                                     \
    "    contexts: [{name: c, context: {cluster: k, user: u}}]\n"                                  \
    "    clusters: [{name: k, cluster: {server: \"https://" name ".example:6443\"}}]\n"            \
    "    users: [{name: u, user: {token: " SECRET_MARK "}}]\n---\n"
#define CLUSTERS CLUSTER("a", "sa") CLUSTER("b", "sb") SECRET("sa") SECRET("sb")
/* Two ensembles, za and zb, without credentials. */
#define DATABASE(name)                                                                             \
    "apiVersion: assets.astronetes.io/v1alpha1\nkind: Database\nmetadata: {name: " name            \
    "}\nspec: {zookeeper: {client: {servers: [\"" name ".example\"]}}}\n---\n"
#define DATABASES DATABASE("za") DATABASE("zb")
/* What is in clusters.yaml: defined before by who needs something else there. */
#ifndef RIG_ASSETS
#define RIG_ASSETS CLUSTERS
#endif

/* Four lines, then spec. */
#define SYNC                                                                                       \
    "apiVersion: automation.astronetes.io/v1alpha1\nkind: LiveSynchronization\n"                   \
    "metadata: {name: s}\nspec:\n"
/* Up to line 10; entries follow, from column 9. */
#define RESOURCES                                                                                  \
    SYNC "  plugin: kubernetes-objects-to-kubernetes\n  config:\n    sourceName: a\n"              \
         "    destinationName: b\n    replication:\n      resources:\n"

/* The test works in a new folder of its own. */
static inline int rig_setup(void **state)
{
    static char dir[] = "/tmp/resilog-resource-XXXXXX";
    snprintf(dir, sizeof dir, "%s", "/tmp/resilog-resource-XXXXXX");
    *state = mkdtemp(dir);
    return *state ? chdir(dir) : -1;
}

/* Removes the folder with the files in it. */
static inline int rig_teardown(void **state)
{
    char path[512];
    DIR *d = opendir(".");
    for (struct dirent *f; d && (f = readdir(d)) != NULL;)
        if (f->d_name[0] != '.') {
            snprintf(path, sizeof path, "%s", f->d_name);
            if (unlink(path) != 0)
                rmdir(path);
        }
    closedir(d);
    return chdir("/") == 0 ? rmdir(*state) : -1;
}

/* Writes a file of the folder. */
static inline void rig_file(const char *name, struct slice text)
{
    FILE *f = fopen(name, "wb");
    assert_non_null(f);
    assert_int_equal(fwrite(text.p ? text.p : "", 1, text.n, f), text.n);
    assert_int_equal(fclose(f), 0);
}

/* Loads, whatever the problems are. */
static inline struct resources *rig_load(const struct resources_opts *opts)
{
    struct resources *r = NULL;
    struct err e = ERR_INIT;
    if (resources_load(opts, &r, &e) != RC_OK)
        fail_msg("%s", e.msg);
    return r;
}

/* One line a problem: "error f.yaml:1:2 path: text". */
static inline void rig_print(const struct resources *r, struct buf *out)
{
    const struct problem *p;
    size_t errors = 0;
    for (size_t i = 0; (p = resources_problem(r, i)) != NULL; i++) {
        errors += p->level == PROBLEM_ERROR;
        buf_addf(out, "%s %s %s%s%s\n", p->level == PROBLEM_ERROR ? "error" : "warning", p->where,
                 p->path, p->path[0] ? ": " : "", p->text);
    }
    assert_int_equal(errors, resources_errors(r));
    assert_int_equal(out->bad, RC_OK);
    assert_null(out->p ? strstr(out->p, SECRET_MARK) : NULL);
}

/* Loads, and compares the problems with those expected. */
static inline void rig_expect_opts(const struct resources_opts *opts, const char *expected)
{
    AUTO(resources_freep) struct resources *r = rig_load(opts);
    AUTO(buf_done) struct buf out = BUF_INIT(1 << 20);
    rig_print(r, &out);
    assert_string_equal(out.p ? out.p : "", expected);
}

/* The problems of f.yaml, where clusters.yaml is there, too. */
static inline void rig_expect(const char *yaml, const char *expected)
{
    static const char *const files[] = {"clusters.yaml", "f.yaml"};
    struct resources_opts opts = {.files = files, .n_files = 2};
    rig_file("clusters.yaml", slice_str(RIG_ASSETS));
    rig_file("f.yaml", slice_str(yaml));
    rig_expect_opts(&opts, expected);
}

/* What f.yaml holds, and its problems. */
struct rig_case {
    const char *yaml, *problems;
};

/* Each case by itself. */
static inline void rig_expect_all(const struct rig_case *cases, size_t n)
{
    for (size_t i = 0; i < n; i++)
        rig_expect(cases[i].yaml, cases[i].problems);
}

/* The resources of f.yaml and clusters.yaml, which must be without an error. */
static inline struct resources *rig_read(const char *yaml)
{
    static const char *const files[] = {"clusters.yaml", "f.yaml"};
    struct resources_opts opts = {.files = files, .n_files = 2};
    rig_file("clusters.yaml", slice_str(RIG_ASSETS));
    rig_file("f.yaml", slice_str(yaml));
    struct resources *r = rig_load(&opts);
    assert_int_equal(resources_errors(r), 0);
    return r;
}

#endif
