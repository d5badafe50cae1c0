/* What the tests of the ZooKeeper producer share. */
#ifndef RESILOG_TESTS_ZK_TEST_H
#define RESILOG_TESTS_ZK_TEST_H

#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>

#include <stdio.h>
#include <string.h>

#include "core/clock.h"
#include "tests/fakes/zk_world.h"

#define WALK_NS (60 * NS_PER_S) /* the default */

/* /a=1 with children b=2 and c=3; the world follows /a from a listing, and has said so. */
static inline void zt_follow(struct zk_world *w)
{
    zw_init(w);
    fake_zk_put(w->zk, "/a", "1");
    fake_zk_put(w->zk, "/a/b", "2");
    fake_zk_put(w->zk, "/a/c", "3");
    zw_start(w);
    zw_add(w, "/a", false);
    zw_run(w);
    zw_assert_said(w, "epoch:start sync-begin put:/a=1 put:/a/b=2 put:/a/c=3 sync-end");
    fake_zk_forget(w->zk);
}

#endif
