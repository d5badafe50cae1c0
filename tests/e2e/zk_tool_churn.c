/* The command churn of zk_tool: random changes below a node, for as long as it takes; each is one request or one
 * transaction, and what a server refuses is as good as what it does. */
#include "core/env.h"
#include "core/rng.h"
#include "tests/e2e/zk_tool.h"

#include <inttypes.h>
#include <stdio.h>
#include <time.h>

enum {
    NAMES = 12,   /* of the children of a node */
    DEPTH = 3,    /* below the root of all */
    WINDOW = 100, /* requests on their way */
    PATH_SIZE = 512,
    DATA_SIZE = 2000
};

struct churn {
    struct zk_tool *t;
    struct rng_seeded rng;
    const char *root;
    uint64_t open, done, refused, lost;
};

static const struct znode_acl ACLS[][2] = {
    {{.perms = ZNODE_ALL, .scheme = SLICE("world"), .id = SLICE("anyone")}},
    {{.perms = ZNODE_ALL, .scheme = SLICE("world"), .id = SLICE("anyone")},
     {.perms = ZNODE_READ, .scheme = SLICE("ip"), .id = SLICE("10.0.0.1")}},
};

static uint64_t below(struct churn *c, uint64_t n)
{
    return rng_below(&c->rng.rng, n);
}

static void choose_path(struct churn *c, uint64_t least, char *out)
{
    size_t n = (size_t)snprintf(out, PATH_SIZE, "%s", c->root);
    for (uint64_t depth = least + below(c, DEPTH + 1 - least); depth > 0; depth--)
        n += (size_t)snprintf(out + n, PATH_SIZE - n, "/c%" PRIu64, below(c, NAMES));
}

/* A number of the parent's sequence is used up, as a lock that was taken and given back does. */
static bool use_number(struct churn *c, const char *path, uint64_t tag)
{
    char child[PATH_SIZE + 8];
    snprintf(child, sizeof child, "%s/lock", path);
    const struct zk_call pair[] = {
        {.op = ZK_CREATE, .path = slice_str(child), .null_data = true, .acl = ACLS[0], .n_acl = 1},
        {.op = ZK_DELETE, .path = slice_str(child), .version = -1}};
    return zk_tool_send(c->t, &(struct zk_call){.op = ZK_MULTI, .parts = pair, .n_parts = 2}, tag);
}

static bool send_change(struct churn *c, uint64_t tag)
{
    static const enum zk_op ops[] = {ZK_CREATE, ZK_CREATE, ZK_CREATE,  ZK_SET_DATA, ZK_SET_DATA,
                                     ZK_DELETE, ZK_DELETE, ZK_SET_ACL, ZK_MULTI};
    char path[PATH_SIZE], data[DATA_SIZE];
    enum zk_op op = ops[below(c, sizeof ops / sizeof *ops)];
    size_t n_acl = 1 + below(c, 2), n = below(c, DATA_SIZE);
    choose_path(c, op == ZK_DELETE ? 2 : 1, path); /* those at the top are never made anew */
    memset(data, (int)below(c, 256), n);
    if (op == ZK_MULTI)
        return use_number(c, path, tag);
    return zk_tool_send(c->t,
                        &(struct zk_call){.op = op,
                                          .path = slice_str(path),
                                          .data = slice_of(data, n),
                                          .null_data = below(c, 10) == 0,
                                          .version = -1,
                                          .acl = ACLS[n_acl - 1],
                                          .n_acl = n_acl},
                        tag);
}

/* One event; what was on its way when a session ended may have been done or not. */
static void take(struct churn *c)
{
    struct zk_event ev = zk_tool_next(c->t);
    if (ev.kind == ZK_LOST && ev.err.rc != RC_UNAVAILABLE)
        zk_tool_fail(3, "%s", ev.err.msg);
    if (ev.kind != ZK_ANSWER)
        return;
    c->open--;
    c->done++;
    c->lost += ev.err.rc != RC_OK;
    c->refused += ev.err.rc == RC_OK && ev.result->error != ZK_OK;
}

static void pause_ms(long ms)
{
    const struct timespec t = {ms / 1000, ms % 1000 * 1000000};
    nanosleep(&t, NULL);
}

void zk_tool_churn(struct zk_tool *t)
{
    struct churn c = {.t = t, .root = zk_tool_path(t, 1)};
    uint64_t n = (uint64_t)zk_tool_count(t, 0), sent = 0;
    long rate =
        t->argc > 3 ? zk_tool_count(t, 3) : 0; /* in batches of WINDOW; 0: as fast as it goes */
    rng_seeded_init(&c.rng, (uint64_t)zk_tool_count(t, 2));
    while (c.done < n) {
        bool over = rate && c.open > 0 && sent % WINDOW == 0; /* this batch */
        if (!over && sent < n && c.open < WINDOW && send_change(&c, sent)) {
            sent++;
            c.open++;
            continue;
        }
        take(&c);
        if (rate && c.open == 0)
            pause_ms(1000 * WINDOW / rate);
    }
    printf("%" PRIu64 " changes: %" PRIu64 " refused, %" PRIu64 " without an answer\n", c.done,
           c.refused, c.lost);
}
