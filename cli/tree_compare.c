/* Two sessions, stepped in turn. Each ensemble is synchronized before its walk, so that no follower that is behind makes
 * differences. */
#include "cli/tree_compare.h"

#include "controller/resource.h"
#include "core/clock.h"
#include "flow/filter.h"
#include "io/zk.h"
#include "io/zk_walk.h"

#include <stdlib.h>

#define SYNC_TAG 1u
#define WALK_TAG ((uint64_t)1 << 32)
#define WAIT_NS  (5 * NS_PER_MS)

enum { SOURCE, DESTINATION, SIDES };

const struct tree_word tree_words[TREE_WORDS] = {
    [TREE_MISSING] = {ZK_COMPARE_MISSING, "missing", "create"},
    [TREE_DATA] = {ZK_COMPARE_DATA, "data", "set"},
    [TREE_ACL] = {ZK_COMPARE_ACL, "acl", "acl"},
    [TREE_SEQUENCE] = {ZK_COMPARE_SEQUENCE, "sequence", "raise the sequence of"},
    [TREE_EXTRA] = {ZK_COMPARE_EXTRA, "extra", "delete"},
    [TREE_UNREADABLE] = {ZK_COMPARE_UNREADABLE, "unreadable", "leave"},
};

struct side {
    const char *name, *cluster;
    struct zk *zk;
    struct zk_walk *walk; /* NULL: no session yet, or it is being synchronized */
    struct err lost;      /* why there is no session */
    int64_t heard_ns;     /* boot clock: when it answered last, or owed no answer */
};

struct tree_compare {
    struct side sides[SIDES];
    const struct sync *sync;
    const struct replication_entry *entry;
    struct clock *clock;
    struct zk_compare *compare; /* NULL: not both walks have begun */
    uint64_t undecided, hidden;
    int turn; /* the side that is waited for */
};

enum rc tree_compare_open(const struct tree_compare_opts *opts, struct tree_compare **ret,
                          struct err *e)
{
    struct tree_compare *t = calloc(1, sizeof *t);
    if (!t) {
        zk_close(opts->source);
        zk_close(opts->destination);
        return err_nomem(e);
    }
    int64_t now = clock_boot_ns(opts->clock);
    *t = (struct tree_compare){
        .sides = {{"source", opts->sync->source->full_name, opts->source, .heard_ns = now},
                  {"destination", opts->sync->destination->full_name, opts->destination,
                   .heard_ns = now}},
        .sync = opts->sync,
        .entry = &opts->sync->replication.entries[0],
        .clock = opts->clock};
    *ret = t;
    return RC_OK;
}

void tree_compare_close(struct tree_compare *t)
{
    if (!t)
        return;
    zk_compare_free(t->compare);
    for (int i = 0; i < SIDES; i++) {
        zk_walk_close(t->sides[i].walk);
        zk_close(t->sides[i].zk);
    }
    free(t);
}

uint64_t tree_compare_equal(const struct tree_compare *t)
{
    return t->compare ? zk_compare_equal(t->compare) : 0;
}

uint64_t tree_compare_hidden(const struct tree_compare *t)
{
    return t->hidden;
}

/* ---- The filter ---- */

static bool selects(void *arg, const struct zk_walk_node *node)
{
    struct tree_compare *t = arg;
    const struct replication_entry *entry;
    enum filter_verdict verdict = filter_path(&t->sync->replication, node->path, &entry);
    t->undecided += verdict == FILTER_UNDECIDED;
    t->hidden += verdict == FILTER_SELECTED && !node->error && node->node.has_acl &&
                 znode_acl_is_masked(node->node.acl, node->node.n_acl);
    return verdict == FILTER_SELECTED;
}

/* False: the difference is only that an ephemeral node is not copied. */
static bool counts(const struct tree_compare *t, struct zk_difference *d)
{
    const struct zk_walk_node *s = d->source;
    if (t->entry->ephemeral || !s || s->error || s->node.stat.ephemeral_owner == 0)
        return true;
    d->what = ZK_COMPARE_EXTRA;
    return d->destination && !d->destination->error;
}

/* ---- One side ---- */

static bool wants_acl(void *arg, struct slice path, const struct znode_stat *stat)
{
    const struct tree_compare *t = arg;
    (void)path, (void)stat;
    return t->sync->tree.acl;
}

static enum rc begin_walk(struct tree_compare *t, struct side *s, struct err *e)
{
    const struct zk_walk_opts opts = {.zk = s->zk,
                                      .root = t->entry->root,
                                      .first_tag = WALK_TAG,
                                      .want_acl = wants_acl,
                                      .arg = t};
    return zk_walk_open(&opts, &s->walk, e);
}

static enum rc hear(struct tree_compare *t, struct side *s, const struct zk_event *ev,
                    struct err *e)
{
    const struct zk_call sync = {.op = ZK_SYNC, .path = t->entry->root};
    if (ev->kind == ZK_ANSWER)
        s->heard_ns = clock_boot_ns(t->clock);
    if (s->walk) {
        (void)zk_walk_offer(s->walk, ev);
        return RC_OK;
    }
    if (ev->kind == ZK_LOST) {
        s->lost = ev->err;
        if (ev->err.retry != ERR_RETRY)
            *e = ev->err;
        return ev->err.retry != ERR_RETRY ? ev->err.rc : RC_OK;
    }
    if (ev->kind == ZK_CONNECTED)
        return zk_call(s->zk, &sync, SYNC_TAG, e);
    if (ev->kind != ZK_ANSWER || ev->err.rc != RC_OK)
        return RC_OK;
    if (ev->result->error != ZK_OK)
        return err_set(e, RC_UNAVAILABLE, ERR_RETRY, "sync: %s", zk_error_name(ev->result->error));
    return begin_walk(t, s, e);
}

/* An ensemble that owes nothing may be silent. */
static enum rc check_silence(struct tree_compare *t, struct side *s, struct err *e)
{
    int64_t now = clock_boot_ns(t->clock);
    if (s->walk && !zk_walk_asks(s->walk))
        s->heard_ns = now;
    if (now - s->heard_ns < TREE_SILENCE_S * NS_PER_S)
        return RC_OK;
    bool lost = !s->walk && s->lost.rc != RC_OK;
    return err_set(e, RC_UNAVAILABLE, ERR_RETRY, "no answer within %d s%s%s", TREE_SILENCE_S,
                   lost ? ": " : "", lost ? s->lost.msg : "");
}

/* At most one event, so that what it gives is taken before the next one comes. */
static enum rc step(struct tree_compare *t, struct side *s, bool *did, struct err *e)
{
    struct zk_event ev;
    struct err why = ERR_INIT;
    while (s->walk && zk_walk_step(s->walk) == RC_OK)
        *did = true;
    enum rc rc = zk_take(s->zk, &ev, &why);
    if (rc == RC_OK) {
        *did = true;
        rc = hear(t, s, &ev, &why);
    }
    if (rc >= 0)
        rc = check_silence(t, s, &why);
    return rc < 0 ? err_set(e, rc, why.retry, "%s %s: %s", s->name, s->cluster, why.msg) : RC_OK;
}

/* ---- Both ---- */

static enum rc begin_compare(struct tree_compare *t, struct err *e)
{
    const struct zk_compare_opts opts = {.source = t->sides[SOURCE].walk,
                                         .destination = t->sides[DESTINATION].walk,
                                         .selects = selects,
                                         .arg = t};
    if (t->compare || !opts.source || !opts.destination)
        return RC_OK;
    t->compare = zk_compare_new(&opts);
    return t->compare ? RC_OK : err_nomem(e);
}

static enum rc next(struct tree_compare *t, struct zk_difference *ret, struct err *e)
{
    enum rc rc = begin_compare(t, e);
    if (rc < 0 || !t->compare)
        return rc < 0 ? rc : RC_AGAIN;
    do
        rc = zk_compare_next(t->compare, ret, e);
    while (rc == RC_OK && !counts(t, ret));
    if (rc == RC_END && t->undecided)
        return err_set(e, RC_LIMIT, ERR_FINAL,
                       "excludePathRegexp reached its limit on %llu paths: write a simpler one",
                       (unsigned long long)t->undecided);
    return rc;
}

enum rc tree_compare_next(struct tree_compare *t, struct zk_difference *ret, struct err *e)
{
    for (;;) {
        bool did = false;
        enum rc rc = next(t, ret, e);
        if (rc != RC_AGAIN)
            return rc;
        for (int i = 0; i < SIDES; i++) {
            rc = step(t, &t->sides[i], &did, e);
            if (rc < 0)
                return rc;
        }
        if (!did)
            return RC_AGAIN;
    }
}

/* A session waits for its own socket alone, so each has its turn. */
enum rc tree_compare_wait(struct tree_compare *t, struct err *e)
{
    t->turn = !t->turn;
    return zk_wait(t->sides[t->turn].zk, /* wake_fd= */ -1, WAIT_NS, e);
}

void tree_why_unreadable(const struct zk_difference *d, const char **ret_side, const char **ret_why)
{
    bool source = d->source && d->source->error;
    const struct zk_walk_node *n = source ? d->source : d->destination;
    /* The node is there and can be read, but what is above it on the other side cannot. */
    bool above = !n || !n->error;
    *ret_side = above ? (d->source ? "destination" : "source") : source ? "source" : "destination";
    *ret_why = above                          ? "what is above it cannot be read"
               : n->error == ZK_WALK_BAD_PATH ? "the path is none that can be copied"
                                              : zk_error_name(n->error);
}
