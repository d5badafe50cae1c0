/* The rules of ACLs: what they let us do, and that a provisional one is the wanted one and us. */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>

#include "core/buf.h"
#include "core/digest.h"
#include "core/scope.h"
#include "sinks/zk_acl.h"

#define ANYONE(perms_)                                                                             \
    {                                                                                              \
        perms_, {"world", 5},                                                                      \
        {                                                                                          \
            "anyone", 6                                                                            \
        }                                                                                          \
    }
#define DIGEST(perms_, id_)                                                                        \
    {                                                                                              \
        perms_, {"digest", 6},                                                                     \
        {                                                                                          \
            id_, sizeof id_ - 1                                                                    \
        }                                                                                          \
    }

static const struct zk_self nobody = {0};
static const struct zk_self alice = {.digest = {"alice:A=", 8}};

static void an_id_is_made_of_user_and_password(void **state)
{
    (void)state;
    AUTO(buf_done) struct buf id = BUF_INIT(1024);
    zk_acl_digest_id("super", "admin", &id);
    assert_string_equal(id.p, "super:xQJmxLMiHGwaqBvst5y6rkB6HQs=");
}

static void world_and_our_own_id_grant_and_nothing_else(void **state)
{
    (void)state;
    const struct znode_acl acl[] = {ANYONE(ZNODE_READ),
                                    DIGEST(ZNODE_CREATE, "alice:A="),
                                    DIGEST(ZNODE_ALL, "alice:B="),
                                    {ZNODE_ALL, {"ip", 2}, {"::1", 3}}};
    const struct zk_self super = {.is_super = true};
    assert_int_equal(zk_acl_granted(acl, 4, &nobody), ZNODE_READ);
    assert_int_equal(zk_acl_granted(acl, 4, &alice), ZNODE_READ | ZNODE_CREATE);
    assert_int_equal(zk_acl_granted(acl, 4, &super), ZNODE_ALL);
}

static void a_provisional_acl_is_the_wanted_one_and_ours(void **state)
{
    (void)state;
    const struct znode_acl final[] = {ANYONE(ZNODE_READ)};
    const struct znode_acl with_us[] = {DIGEST(ZNODE_ALL, "alice:A="), ANYONE(ZNODE_READ)};
    const struct znode_acl wider[] = {DIGEST(ZNODE_ALL, "alice:A="), ANYONE(ZNODE_ALL)};
    const struct znode a = {.has_acl = true, .acl = final, .n_acl = 1};
    const struct znode b = {.has_acl = true, .acl = with_us, .n_acl = 2};
    const struct znode c = {.has_acl = true, .acl = wider, .n_acl = 2};
    assert_true(zk_acl_is_provisional(&b, &a, &alice));
    assert_false(zk_acl_is_provisional(&a, &a, &alice));
    assert_false(zk_acl_is_provisional(&c, &a, &alice));
    assert_false(zk_acl_is_provisional(&b, &a, &nobody));
    const struct znode own = {.has_acl = true, .acl = with_us, .n_acl = 1};
    assert_false(zk_acl_is_provisional(&own, &a, &alice));
}

static void hashes_differ_where_an_entry_does(void **state)
{
    (void)state;
    const struct znode_acl a[] = {ANYONE(ZNODE_READ), DIGEST(ZNODE_ALL, "bob:x")};
    const struct znode_acl b[] = {ANYONE(ZNODE_ALL), DIGEST(ZNODE_ALL, "bob:x")};
    uint8_t of_a[SHA256_SIZE], again[SHA256_SIZE], of_b[SHA256_SIZE], of_one[SHA256_SIZE];
    struct sha256 *with = sha256_new();
    zk_acl_hash(a, 2, with, of_a);
    zk_acl_hash(a, 2, with, again);
    zk_acl_hash(b, 2, with, of_b);
    zk_acl_hash(a, 1, with, of_one);
    sha256_free(with);
    assert_memory_equal(of_a, again, sizeof of_a);
    assert_memory_not_equal(of_a, of_b, sizeof of_a);
    assert_memory_not_equal(of_a, of_one, sizeof of_a);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_id_is_made_of_user_and_password),
        cmocka_unit_test(world_and_our_own_id_grant_and_nothing_else),
        cmocka_unit_test(a_provisional_acl_is_the_wanted_one_and_ours),
        cmocka_unit_test(hashes_differ_where_an_entry_does),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
