/* One question to each AdminServer. What it says and is not allowed is a missing prerequisite; that it says nothing is a
 * failure. */
#include "cli/live_admin.h"

#include "cli/cli.h"
#include "controller/resource.h"
#include "controller/zk_health.h"
#include "core/buf.h"
#include "core/env.h"
#include "io/clock_sys.h"
#include "io/http.h"
#include "io/rng_sys.h"
#include "io/zk_admin.h"

#include <stdio.h>

#define WHY_MAX 4096

static enum rc ask(const struct admin_server *server, struct zk_admin_facts *ret, struct buf *why,
                   struct err *e)
{
    const struct env env = {clock_sys(), rng_sys(), NULL, NULL};
    AUTO(http_closep) struct http *http = NULL;
    enum rc rc = zk_admin_open(&server->target, &env, &http, e);
    if (rc == RC_OK)
        rc = zk_health_ask(http, ret, e);
    if (rc != RC_OK)
        return rc;
    zk_health_judge(ret, why);
    return buf_check(why, "what is wrong", e);
}

int live_check_admin(const struct admin_server *server)
{
    struct zk_admin_facts facts;
    struct err e = ERR_INIT;
    AUTO(buf_done) struct buf why = BUF_INIT(WHY_MAX);
    if (ask(server, &facts, &why, &e) < 0) {
        err_wrap(&e, "Database %s, spec.zookeeper.admin", server->full_name);
        return cli_fail(&e);
    }
    if (why.n > 0) {
        fprintf(stderr, "Database %s, spec.zookeeper.admin: %s: %.*s\n", server->full_name,
                server->target.url, SLICE_ARG(buf_slice(&why)));
        return EXIT_INVALID;
    }
    fprintf(stderr, "Database %s: ZooKeeper %s, %s, answers\n", server->full_name, facts.version,
            facts.state);
    return EXIT_DONE;
}
