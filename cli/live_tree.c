/* One session for a Database, and a question for each synchronization that uses it. */
#include "cli/live_tree.h"

#include "cli/cli.h"
#include "controller/resource.h"
#include "controller/zk_rights.h"
#include "core/buf.h"
#include "core/clock.h"
#include "core/env.h"
#include "io/clock_sys.h"
#include "io/rng_sys.h"
#include "io/zk.h"

#include <stdio.h>

#define WITHIN_NS   (10 * NS_PER_S)
#define MISSING_MAX (64u << 10)
#define ID_MAX      4096u

struct check {
    const struct cluster *cluster;
    struct zk_asker asker;
    size_t asked, lacking; /* synchronizations: uses of it, and those that lack something */
};

static void say_missing(struct check *c, const struct sync *sync, const char *as,
                        const struct buf *missing)
{
    struct slice rest = buf_slice(missing);
    c->lacking += rest.n > 0;
    while (rest.n > 0) {
        struct slice line = slice_cut(rest, '\n', &rest);
        fprintf(stderr, "Database %s, as %s of %s: %.*s\n", c->cluster->full_name, as,
                sync->full_name, SLICE_ARG(line));
    }
}

static enum rc ask_one(struct check *c, const struct sync *sync, bool write, struct err *e)
{
    AUTO(buf_done) struct buf missing = BUF_INIT(MISSING_MAX);
    const struct zk_need need = {.root = sync->replication.entries[0].root,
                                 .write = write,
                                 .create_root = sync->tree.create_root,
                                 .acl = sync->tree.acl};
    enum rc rc = zk_rights_ask(&c->asker, &need, &missing, e);
    if (rc == RC_OK)
        rc = buf_check(&missing, "what is missing", e);
    if (rc != RC_OK)
        return rc;
    c->asked++;
    say_missing(c, sync, write ? "destination" : "source", &missing);
    return RC_OK;
}

static enum rc ask_sync(struct check *c, const struct sync *sync, struct err *e)
{
    enum rc rc = RC_OK;
    if (sync->source == c->cluster)
        rc = ask_one(c, sync, /* write= */ false, e);
    if (rc == RC_OK && sync->destination == c->cluster)
        rc = ask_one(c, sync, /* write= */ true, e);
    return rc;
}

static enum rc ask_all(struct check *c, const struct resources *resources, struct err *e)
{
    const struct sync *sync;
    const struct plan *plan;
    enum rc rc = zk_rights_who(&c->asker, e);
    for (size_t i = 0; rc == RC_OK && (sync = resources_sync(resources, i)); i++)
        rc = ask_sync(c, sync, e);
    for (size_t i = 0; rc == RC_OK && (sync = resources_once(resources, i)); i++)
        rc = ask_sync(c, sync, e);
    for (size_t i = 0; rc == RC_OK && (plan = resources_plan(resources, i)); i++)
        rc = ask_sync(c, &plan->sync, e);
    return rc;
}

static bool uses(const struct sync *sync, const struct cluster *cluster)
{
    return sync->source == cluster || sync->destination == cluster;
}

static bool is_used(const struct resources *resources, const struct cluster *cluster)
{
    const struct sync *sync;
    const struct plan *plan;
    for (size_t i = 0; (sync = resources_sync(resources, i)); i++)
        if (uses(sync, cluster))
            return true;
    for (size_t i = 0; (sync = resources_once(resources, i)); i++)
        if (uses(sync, cluster))
            return true;
    for (size_t i = 0; (plan = resources_plan(resources, i)); i++)
        if (uses(&plan->sync, cluster))
            return true;
    return false;
}

static enum rc open_and_ask(struct check *c, const struct resources *resources, struct err *e)
{
    const struct env env = {clock_sys(), rng_sys(), NULL, NULL};
    const struct zk_target *target = c->cluster->zookeeper;
    AUTO(buf_done) struct buf id = BUF_INIT(ID_MAX);
    AUTO(zk_closep) struct zk *zk = NULL;
    if (target->user)
        zk_acl_digest_id(target->user, target->password, &id);
    enum rc rc = buf_check(&id, "the user's id", e);
    if (rc == RC_OK)
        rc = zk_wire_open(target, &env, &zk, e);
    if (rc != RC_OK)
        return rc;
    c->asker = (struct zk_asker){.zk = zk,
                                 .clock = env.clock,
                                 .until_ns = clock_boot_ns(env.clock) + WITHIN_NS,
                                 .me = {.digest = buf_slice(&id)}};
    return ask_all(c, resources, e);
}

int live_check_tree(const struct resources *resources, const struct cluster *cluster)
{
    struct check c = {.cluster = cluster};
    struct err e = ERR_INIT;
    if (!is_used(resources, cluster))
        return EXIT_DONE;
    if (open_and_ask(&c, resources, &e) < 0) {
        err_wrap(&e, "Database %s", cluster->full_name);
        return cli_fail(&e);
    }
    if (c.lacking > 0)
        return EXIT_INVALID;
    fprintf(
        stderr,
        "Database %s: what %zu use%s of it need%s is there and granted, as far as the roots show\n",
        cluster->full_name, c.asked, cli_plural(c.asked), c.asked == 1 ? "s" : "");
    return EXIT_DONE;
}
