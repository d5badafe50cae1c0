/* One question, and the table of states that are well. Keeps nothing. */
#include "controller/zk_health.h"

#include "core/buf.h"
#include "core/clock.h"
#include "io/zk_admin.h"

#define LEAST_MAJOR 3
#define LEAST_MINOR                                                                                \
    6 /* its multi reads and persistent watches are what following a tree is made of */
#define STATES "standalone, leader, follower and observer"

enum rc zk_health_ask(struct http *http, struct zk_admin_facts *ret, struct err *e)
{
    http_id id;
    struct http_event ev = {.kind = HTTP_HEADERS};
    enum rc rc = zk_admin_start(http, &id, e);
    while (rc >= 0 && ev.kind != HTTP_DONE) {
        rc = http_take(http, &ev, e);
        if (rc == RC_AGAIN)
            rc = http_wait(http, -1, ZK_ADMIN_WITHIN_S * NS_PER_S, e);
    }
    return rc < 0 ? rc : zk_admin_read(&ev, ret, e);
}

static bool is_well(const char *state)
{
    static const char *const states[] = {"standalone", "leader", "follower", "observer"};
    for (size_t i = 0; i < sizeof states / sizeof *states; i++)
        if (strcmp(state, states[i]) == 0)
            return true;
    return false;
}

static bool is_too_old(const struct zk_admin_facts *f)
{
    return f->major < LEAST_MAJOR || (f->major == LEAST_MAJOR && f->minor < LEAST_MINOR);
}

void zk_health_judge(const struct zk_admin_facts *f, struct buf *why)
{
    if (f->error[0])
        buf_addf(why,
                 "the server says \"%s\"; one that serves requests is needed: see that a majority "
                 "of its ensemble runs",
                 f->error);
    else if (is_too_old(f))
        buf_addf(why, "ZooKeeper %s is too old; allowed are %d.%d and later: upgrade it",
                 f->version, LEAST_MAJOR, LEAST_MINOR);
    else if (f->read_only)
        buf_addf(why,
                 "ZooKeeper %s is read-only; allowed are " STATES ": see that a majority of its "
                 "ensemble runs, and that it reaches them",
                 f->version);
    else if (!is_well(f->state))
        buf_addf(why,
                 "ZooKeeper %s says that it is \"%s\"; allowed are " STATES
                 ": try again when it is one of these",
                 f->version, f->state);
}
