/* A seed's schedule of changes, losses, faults, restarts and restored backups in a modelled ensemble, while a producer
 * follows two roots of it; in the end the log must have exactly what the ensemble has. Once with the log of zk_world,
 * which checks on the way, and once through ingest into a real one. SEED=n replays one. */
#include "tests/unit/producers/zk_test.h"

#include "core/event_codec.h"
#include "core/event_iter.h"
#include "core/key.h"
#include "flow/ingest.h"
#include "log/rlog.h"

#include <stdlib.h>

#define SEEDS  400
#define ROUNDS 120

static const struct ingest_scope ROOTS[] = {{.scope = SLICE("/a"), .tree = true},
                                            {.scope = SLICE("/b"), .tree = true}};

struct schedule {
    struct zk_world w;
    bool through; /* ingest */
    struct rlog_mem_store *store;
    struct rlog *log;
    struct ingest *ingest;
    struct rng_seeded chance;
    char path[64];
    size_t saved; /* 0: none */
    int64_t saved_zxid;
};

static unsigned below(struct schedule *s, unsigned n)
{
    return (unsigned)rng_below(&s->chance.rng, n);
}

/* Few names, so that the same paths come and go again. */
static const char *any_path(struct schedule *s)
{
    int n = snprintf(s->path, sizeof s->path, "/%c", 'a' + (int)below(s, 2));
    for (unsigned depth = below(s, 4); depth > 0; depth--)
        n += snprintf(s->path + n, sizeof s->path - (size_t)n, "/%c", 'a' + (int)below(s, 5));
    return s->path;
}

static const char *any_acl(struct schedule *s)
{
    static const char *const ACLS[] = {"world:anyone:cdrwa", "world:anyone:r", "world:anyone:ra",
                                       "digest:alice:hash:cdrwa"};
    return ACLS[below(s, sizeof ACLS / sizeof *ACLS)];
}

static void change(struct schedule *s)
{
    char data[16];
    snprintf(data, sizeof data, "%u", below(s, 1000));
    switch (below(s, 12)) {
    case 0:
        fake_zk_delete_tree(s->w.zk, any_path(s));
        return;
    case 1:
    case 2:
    case 3:
        fake_zk_delete(s->w.zk, any_path(s));
        return;
    case 4:
        fake_zk_create_ephemeral(s->w.zk, any_path(s), data);
        return;
    case 5:
        fake_zk_create_sequential(s->w.zk, any_path(s), data, NULL);
        return;
    case 6:
        fake_zk_set_acl(s->w.zk, any_path(s), any_acl(s));
        return;
    case 7:
    case 8:
        fake_zk_set(s->w.zk, any_path(s), data);
        return;
    default:
        fake_zk_put(s->w.zk, any_path(s), data);
    }
}

/* ---- Lives ---- */

static void must(enum rc rc, const struct err *e)
{
    if (rc < 0)
        fail_msg("%s: %s", rc_name(rc), e->msg);
}

static void live(struct schedule *s, bool resume)
{
    struct err e = ERR_INIT;
    zw_start(&s->w);
    if (s->through) {
        must(ingest_open(s->w.producer, s->log, &s->w.env, &s->ingest, &e), &e);
        must(ingest_want(s->ingest, ROOTS, 2, &e), &e);
    } else {
        zw_add(&s->w, "/a", resume);
        zw_add(&s->w, "/b", resume);
    }
}

static void stop(struct schedule *s)
{
    ingest_close(s->ingest);
    s->ingest = NULL;
    zw_stop(&s->w);
}

static bool step(struct schedule *s, size_t most)
{
    struct err e = ERR_INIT;
    int64_t wake;
    if (!s->through)
        return zw_step(&s->w, most);
    enum rc rc = ingest_step(s->ingest, &wake, &e);
    must(rc, &e);
    return rc == RC_OK;
}

static void pass(struct schedule *s, int64_t ns)
{
    fake_clock_advance(&s->w.clock, ns);
    for (int i = 0; step(s, SIZE_MAX); i++)
        assert_true(i < 100000);
}

static void save(struct schedule *s)
{
    s->saved = fake_zk_save(s->w.zk);
    s->saved_zxid = fake_zk_zxid(s->w.zk);
}

/* As a backup that is set up again. The log learns of it before the new history has zxids as high as the old one had:
 * behind that nobody can tell a node from one that was changed as often in the other history. */
static void restore(struct schedule *s)
{
    if (!s->saved || fake_zk_zxid(s->w.zk) < s->saved_zxid + 10)
        return;
    fake_zk_faults(s->w.zk, 0, NULL);
    fake_zk_set_down(s->w.zk, false);
    pass(s, WALK_NS);
    fake_zk_restore(s->w.zk, s->saved);
    pass(s, WALK_NS);
}

static void disturb(struct schedule *s)
{
    switch (below(s, 40)) {
    case 0:
        stop(s);
        live(s, true);
        return;
    case 1:
        fake_zk_lose(s->w.zk);
        return;
    case 2:
        fake_zk_set_down(s->w.zk, true);
        return;
    case 3:
    case 4:
        fake_zk_set_down(s->w.zk, false);
        return;
    case 5:
        save(s);
        return;
    case 6:
        restore(s);
        return;
    case 7:
    case 8:
    case 9:
        pass(s, (int64_t)below(s, 90) * NS_PER_S);
        return;
    default:
        return;
    }
}

/* Whoever may read is asked in the end. */
static void open_all(struct zk_world *w)
{
    struct slice path = SLICE_NULL;
    struct znode node;
    char text[64];
    while (fake_zk_next(w->zk, path, &path, &node)) {
        snprintf(text, sizeof text, "%.*s", SLICE_ARG(path));
        if (strncmp(text, "/zookeeper", 10) != 0)
            fake_zk_set_acl(w->zk, text, "world:anyone:r");
    }
}

/* What is in the real log, for zw_assert_same. */
static void read_log(struct schedule *s)
{
    AUTO(event_iter_freep) struct event_iter *it = NULL;
    const struct rlog_range range = {.mode = RLOG_LIVE};
    const struct event *ev;
    struct err e = ERR_INIT;
    must(rlog_cursor(s->log, &range, &it, &e), &e);
    while (event_iter_next(it, &ev, &e) == RC_OK)
        if (!key_is_internal(ev->key))
            must(map_put(s->w.nodes, ev->key, event_copy(ev), &e), &e);
}

static void settle(struct schedule *s)
{
    fake_zk_faults(s->w.zk, 0, NULL);
    fake_zk_set_down(s->w.zk, false);
    fake_zk_put(s->w.zk, "/a", "end");
    fake_zk_put(s->w.zk, "/b", "end");
    open_all(&s->w);
    for (int i = 0; i < 4; i++)
        pass(s, WALK_NS);
    assert_int_equal(zw_status(&s->w, 0).phase, PRODUCER_FOLLOWING);
    assert_int_equal(zw_status(&s->w, 1).phase, PRODUCER_FOLLOWING);
    read_log(s);
    zw_assert_same(&s->w, "/a");
    zw_assert_same(&s->w, "/b");
}

static void open_log(struct schedule *s)
{
    struct err e = ERR_INIT;
    s->store = rlog_mem_store_new();
    must(rlog_mem_open(s->store, RLOG_WRITE, &s->w.env, &s->log, &e), &e);
}

static void close_log(struct schedule *s)
{
    rlog_close(s->log);
    rlog_mem_store_free(s->store);
}

static void run_seed(uint64_t seed, bool through)
{
    struct schedule s = {.through = through};
    const struct fake_zk_rates rates = {.per_mille = {[FAKE_ZK_REQUEST_LOST] = 5,
                                                      [FAKE_ZK_ANSWER_LOST] = 5,
                                                      [FAKE_ZK_EVENT_LOST] = 5,
                                                      [FAKE_ZK_GARBAGE] = 2}};
    print_message("seed %llu\n", (unsigned long long)seed);
    zw_init(&s.w);
    rng_seeded_init(&s.chance, seed);
    open_log(&s);
    live(&s, false);
    for (int i = 0; i < ROUNDS; i++) {
        if (i % 40 == 0)
            fake_zk_faults(s.w.zk, seed + (uint64_t)i, below(&s, 2) ? &rates : NULL);
        for (unsigned n = below(&s, 4); n > 0; n--)
            change(&s);
        for (unsigned n = below(&s, 5); n > 0; n--)
            (void)step(&s, below(&s, 10));
        disturb(&s);
    }
    settle(&s);
    stop(&s);
    zw_done(&s.w);
    close_log(&s);
}

static void run_seeds(bool through)
{
    const char *one = getenv("SEED");
    uint64_t first = one ? strtoull(one, NULL, 10) : 1;
    for (uint64_t seed = first; seed <= (one ? first : SEEDS); seed++)
        run_seed(seed, through);
}

static void every_schedule_ends_with_the_ensembles_tree_in_the_log(void **state)
{
    (void)state;
    run_seeds(/* through= */ false);
}

static void so_it_does_through_ingest(void **state)
{
    (void)state;
    run_seeds(/* through= */ true);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_schedule_ends_with_the_ensembles_tree_in_the_log),
        cmocka_unit_test(so_it_does_through_ingest),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
