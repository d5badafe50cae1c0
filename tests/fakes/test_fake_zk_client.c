/* A session with a modelled ensemble, for the tests of the model. */
#include "tests/fakes/test_fake_zk_client.h"

#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>

#define WALL_NS (INT64_C(1760000000000) * NS_PER_MS)

static const struct znode_acl OPEN_ACL[] = {{ZNODE_ALL, SLICE("world"), SLICE("anyone")}};

struct zk_event zk_test_take(struct zk *z)
{
    struct zk_event ev;
    assert_int_equal(zk_take(z, &ev, NULL), RC_OK);
    return ev;
}

void zk_test_nothing(struct zk *z)
{
    struct zk_event ev;
    assert_int_equal(zk_take(z, &ev, NULL), RC_AGAIN);
}

int zk_test_setup(void **state)
{
    struct zk_test *t = calloc(1, sizeof(*t));
    assert_non_null(t);
    fake_clock_init(&t->clock, WALL_NS);
    t->w = fake_zk_new(&t->clock.clock);
    fake_zk_connect(t->w, NULL, &t->z);
    assert_int_equal(zk_test_take(t->z).kind, ZK_CONNECTED);
    *state = t;
    return 0;
}

int zk_test_teardown(void **state)
{
    struct zk_test *t = *state;
    zk_close(t->z);
    fake_zk_free(t->w);
    free(t);
    return 0;
}

struct zk_call zk_test_call(enum zk_op op, const char *path)
{
    return (struct zk_call){.op = op,
                            .path = slice_str(path),
                            .data = SLICE("new"),
                            .version = -1,
                            .acl = OPEN_ACL,
                            .n_acl = 1};
}

void zk_test_send(struct zk_test *t, const struct zk_call *c)
{
    assert_int_equal(zk_call(t->z, c, ++t->tag, NULL), RC_OK);
}

/* The answer to one call; its slices live until the next call. */
struct zk_result zk_test_ask_call(struct zk_test *t, const struct zk_call *c)
{
    zk_test_send(t, c);
    struct zk_event ev = zk_test_take(t->z);
    assert_int_equal(ev.kind, ZK_ANSWER);
    assert_int_equal(ev.tag, t->tag);
    assert_int_equal(ev.err.rc, RC_OK);
    assert_int_equal(ev.zxid, fake_zk_zxid(t->w));
    return *ev.result;
}

struct zk_result zk_test_ask(struct zk_test *t, enum zk_op op, const char *path)
{
    struct zk_call c = zk_test_call(op, path);
    return zk_test_ask_call(t, &c);
}

struct znode_stat zk_test_stat(struct zk_test *t, const char *path)
{
    struct znode n;
    assert_true(fake_zk_get(t->w, slice_str(path), &n));
    return n.stat;
}

void zk_test_become(struct zk_test *t, const char *who)
{
    zk_close(t->z);
    fake_zk_connect(t->w, who, &t->z);
    assert_int_equal(zk_test_take(t->z).kind, ZK_CONNECTED);
}

void zk_test_changed(struct zk *z, const char *path)
{
    struct zk_event ev = zk_test_take(z);
    assert_int_equal(ev.kind, ZK_CHANGED);
    assert_true(slice_eq(ev.path, slice_str(path)));
}

void zk_test_lost_answer(struct zk *z, uint64_t tag)
{
    struct zk_event ev = zk_test_take(z);
    assert_int_equal(ev.kind, ZK_ANSWER);
    assert_int_equal(ev.tag, tag);
    assert_int_equal(ev.err.rc, RC_UNAVAILABLE);
    assert_null(ev.result);
}

void zk_test_lost(struct zk *z)
{
    struct zk_event ev = zk_test_take(z);
    assert_int_equal(ev.kind, ZK_LOST);
    assert_int_equal(ev.err.rc, RC_UNAVAILABLE);
    assert_true(ev.err.msg[0]);
}
