/* A session with a modelled ensemble, for the tests of the model. */
#ifndef RESILOG_TESTS_TEST_FAKE_ZK_CLIENT_H
#define RESILOG_TESTS_TEST_FAKE_ZK_CLIENT_H

#include "tests/fakes/fake_clock.h"
#include "tests/fakes/fake_zk.h"

struct zk_test {
    struct fake_clock clock;
    struct fake_zk *w;
    struct zk *z;
    uint64_t tag; /* of the last call */
};

/* An ensemble and a session of nobody that is connected; the wall clock stands at 1,760,000,000,000 ms. */
int zk_test_setup(void **state);
int zk_test_teardown(void **state);
/* The session ends, and another one of that user begins. */
void zk_test_become(struct zk_test *t, const char *who);

/* With the data "new", any version and an open ACL. */
struct zk_call zk_test_call(enum zk_op op, const char *path);
void zk_test_send(struct zk_test *t, const struct zk_call *c);
/* The answer to one call; its slices live until the next call. */
struct zk_result zk_test_ask_call(struct zk_test *t, const struct zk_call *c);
struct zk_result zk_test_ask(struct zk_test *t, enum zk_op op, const char *path);
/* Of a node that is there. */
struct znode_stat zk_test_stat(struct zk_test *t, const char *path);

/* The next event, of which there is one; there is none; what it is. */
struct zk_event zk_test_take(struct zk *z);
void zk_test_nothing(struct zk *z);
void zk_test_changed(struct zk *z, const char *path);
void zk_test_lost_answer(struct zk *z, uint64_t tag);
void zk_test_lost(struct zk *z);

#endif
