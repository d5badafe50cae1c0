/* The AdminServers, then the rights of each cluster that a synchronization uses, one after the other. */
#include "cli/live.h"

#include "cli/cli.h"
#include "cli/live_admin.h"
#include "cli/live_tree.h"
#include "controller/resource.h"
#include "controller/rights.h"
#include "core/buf.h"
#include "core/env.h"
#include "io/http.h"
#include "io/clock_sys.h"
#include "io/rng_sys.h"

#include <stdio.h>

#define ROLE_MAX (4u << 20)

static enum rc ask(const struct cluster *cluster, struct rights *rights, struct err *e)
{
    const struct env env = {clock_sys(), rng_sys(), NULL, NULL};
    AUTO(http_closep) struct http *http = NULL;
    enum rc rc = http_curl_open(&cluster->config.target, &env, &http, e);
    return rc == RC_OK ? rights_ask(rights, http, e) : rc;
}

static int print_missing(const struct cluster *cluster, const struct rights *rights)
{
    AUTO(buf_done) struct buf role = BUF_INIT(ROLE_MAX);
    struct err e = ERR_INIT;
    size_t missing = rights_missing(rights);
    if (missing == 0) {
        fprintf(stderr, "KubernetesCluster %s: all %zu rights are granted\n", cluster->full_name,
                rights_count(rights));
        return EXIT_DONE;
    }
    fprintf(stderr, "KubernetesCluster %s: %zu of %zu rights are missing\n", cluster->full_name,
            missing, rights_count(rights));
    rights_print_role(rights, "resilog", &role);
    if (buf_check(&role, "the role", &e) < 0)
        return cli_fail(&e);
    printf("--- # missing on KubernetesCluster %s\n%.*s", cluster->full_name,
           SLICE_ARG(buf_slice(&role)));
    return EXIT_INVALID;
}

static int check_cluster(const struct resources *resources, const struct cluster *cluster)
{
    AUTO(rights_freep) struct rights *rights = NULL;
    struct err e = ERR_INIT;
    if (cluster->zookeeper)
        return live_check_tree(resources, cluster);
    enum rc rc = rights_needed(resources, cluster, &rights, &e);
    if (rc == RC_OK && rights_count(rights) == 0)
        return EXIT_DONE; /* no synchronization uses it */
    if (rc == RC_OK)
        rc = ask(cluster, rights, &e);
    if (rc == RC_OK)
        return print_missing(cluster, rights);
    err_wrap(&e, "KubernetesCluster %s", cluster->full_name);
    return cli_fail(&e);
}

static int worse(int a, int b)
{
    return a == EXIT_DONE || b == EXIT_FAILED ? b : a;
}

int live_check(const struct resources *resources)
{
    int worst = EXIT_DONE;
    const struct admin_server *admin;
    const struct cluster *cluster;
    for (size_t i = 0; (admin = resources_admin(resources, i)); i++)
        worst = worse(worst, live_check_admin(admin));
    for (size_t i = 0; (cluster = resources_cluster(resources, i)); i++)
        worst = worse(worst, check_cluster(resources, cluster));
    return worst;
}
