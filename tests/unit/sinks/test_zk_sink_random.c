/* Random changes of the source, random faults of the destination, random crashes: at the end both trees are equal. */
#include "tests/unit/sinks/zk_test_world.h"

#define SEEDS  25
#define ROUNDS 60
#define LATEST 32 /* of the last rounds no item is in flight at the end */

struct chaos {
    struct zt_world *w;
    struct rng_seeded rng;
    struct map *dirty; /* paths that the log has news of */
};

static uint64_t below(struct chaos *c, uint64_t n)
{
    return rng_below(&c->rng.rng, n);
}

static void mark(struct chaos *c, struct slice path)
{
    struct err e = ERR_INIT;
    assert_int_equal(map_put(c->dirty, path, c, &e), RC_OK);
}

/* A node of a small tree, deep enough that parents matter. */
static void choose(struct chaos *c, char *out, size_t max)
{
    static const char *const names[] = {"b", "c", "d", "zookeeper"};
    size_t n = (size_t)snprintf(out, max, "/a");
    uint64_t depth = 1 + below(c, 3);
    for (uint64_t i = 0; i < depth; i++)
        n += (size_t)snprintf(out + n, max - n, "/%s", names[below(c, 4)]);
}

static void change(struct chaos *c)
{
    static const char *const acls[] = {"world:anyone:cdrwa", "world:anyone:r,digest:bob:h:cdrwa",
                                       "world:anyone:cdrwa,digest:bob:h:r", "digest:carol:h:cdrwa"};
    char path[128], prefix[140], data[32];
    struct fake_zk *src = c->w->src;
    choose(c, path, sizeof path);
    snprintf(data, sizeof data, "%d", (int)below(c, 5));
    switch (below(c, 6)) {
    case 0:
    case 1:
        fake_zk_create(src, path, data);
        break;
    case 2:
        fake_zk_set(src, path, data);
        break;
    case 3:
        fake_zk_delete(src, path);
        break;
    case 4:
        fake_zk_set_acl(src, path, acls[below(c, 4)]);
        break;
    default:
        snprintf(prefix, sizeof prefix, "%s/s-", path);
        fake_zk_create_sequential(src, prefix, data, NULL);
        break;
    }
    struct slice at = slice_str(path), next;
    for (; at.n > 1; at = znode_parent(at))
        mark(c, at);
    struct znode n;
    for (at = SLICE("/a"); fake_zk_next(src, at, &next, &n); at = next)
        mark(c, next);
}

/* Sends what has news, in one of the orders of a log: parents first, or deletes of children first. */
static void send_dirty(struct chaos *c)
{
    struct map_entry at;
    struct znode n;
    char path[256];
    struct slice from = SLICE_NULL;
    while (map_seek(c->dirty, from, from.n > 0, &at)) {
        snprintf(path, sizeof path, "%.*s", SLICE_ARG(at.key));
        bool there = fake_zk_get(c->w->src, at.key, &n);
        if (there || map_get(c->w->records, at.key))
            zt_send(c->w, path);
        from = at.key;
    }
    map_clear(c->dirty);
}

/* What did not end well has news yet. */
static void settle(struct chaos *c)
{
    struct zt_world *w = c->w;
    zt_run(w);
    for (size_t i = 0; i < w->n_jobs; i++)
        if (w->jobs[i].result.outcome != SINK_DONE)
            mark(c, slice_str(w->jobs[i].path));
    zt_forget_jobs(w);
}

/* Nothing of what was in flight is remembered, and perhaps nothing of the results either; the log is read from there
 * again. */
static void crash(struct chaos *c)
{
    struct zt_world *w = c->w;
    struct zt_job *before = w->jobs;
    size_t n = w->n_jobs;
    bool committed = below(c, 2);
    for (size_t i = n; i-- > 0 && !committed;) {
        map_delete(w->records, slice_str(before[i].path));
        if (before[i].record.n)
            zt_keep(w->records, slice_str(before[i].path), buf_slice(&before[i].record));
    }
    w->jobs = calloc(ZT_JOBS, sizeof *w->jobs);
    w->n_jobs = 0;
    zt_close(w);
    zt_open(w);
    w->unsure = true;
    for (size_t i = 0; i < n; i++) {
        struct zt_job *j = zt_job(w, before[i].item.op, before[i].path);
        buf_add_slice(&j->body, buf_slice(&before[i].body));
        zt_submit(w, j);
    }
    settle(c);
    free(w->jobs);
    w->jobs = before;
    w->n_jobs = n;
    zt_forget_jobs(w);
}

static void round_of(struct chaos *c)
{
    for (uint64_t i = below(c, 6) + 1; i > 0; i--)
        change(c);
    send_dirty(c);
    if (below(c, 4) == 0) {
        zt_steps(c->w, (unsigned)below(c, 12));
        crash(c);
    } else {
        settle(c);
        c->w->unsure = false;
    }
}

/* The destination's next number may be higher: what was made by a life that crashed is counted, too. */
static void assert_converged(struct chaos *c, uint64_t seed)
{
    struct slice path = SLICE("/"), at;
    struct znode a, b;
    size_t n[2] = {0, 0};
    struct fake_zk *of[2] = {c->w->src, c->w->dst};
    for (int i = 0; i < 2; i++)
        for (path = SLICE("/"); fake_zk_next(of[i], path, &at, &a); path = at)
            n[i] += znode_is_within(at, SLICE("/a"));
    for (path = SLICE("/"); fake_zk_next(c->w->src, path, &at, &a); path = at) {
        if (!znode_is_within(at, SLICE("/a")))
            continue;
        if (!fake_zk_get(c->w->dst, at, &b))
            fail_msg("seed %d: %.*s is missing", (int)seed, SLICE_ARG(at));
        if (!znode_same_data(&a, &b) || !znode_same_acl(&a, &b) ||
            znode_sequence(&b.stat) < znode_sequence(&a.stat))
            fail_msg("seed %d: %.*s differs: sequence %d of %d", (int)seed, SLICE_ARG(at),
                     (int)znode_sequence(&b.stat), (int)znode_sequence(&a.stat));
    }
    if (n[0] != n[1])
        fail_msg("seed %d: %zu nodes became %zu", (int)seed, n[0], n[1]);
}

static void all_ends_equal(void **state)
{
    (void)state;
    static const struct fake_zk_rates rates = {
        .per_mille = {
            [FAKE_ZK_REQUEST_LOST] = 20, [FAKE_ZK_ANSWER_LOST] = 20, [FAKE_ZK_GARBAGE] = 5}};
    for (uint64_t seed = 1; seed <= SEEDS; seed++) {
        struct chaos c = {.w = zt_new("/a"), .dirty = map_new(NULL)};
        struct zt_world *w = c.w;
        w->settled =
            SETTLED_ALL; /* so that nothing waits for a listing, which there is none here */
        rng_seeded_init(&c.rng, seed);
        w->who = "super";
        fake_zk_create(w->src, "/a", "root");
        fake_zk_create(w->dst, "/a", "root");
        zt_open(w);
        fake_zk_faults(w->dst, seed, &rates);
        for (int i = 0; i < ROUNDS; i++)
            round_of(&c);
        fake_zk_faults(w->dst, seed, NULL);
        for (int i = 0; i < LATEST && (i == 0 || map_count(c.dirty) > 0); i++) {
            send_dirty(&c);
            settle(&c);
        }
        assert_converged(&c, seed);
        map_free(c.dirty);
        zt_free(w);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(all_ends_equal),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
