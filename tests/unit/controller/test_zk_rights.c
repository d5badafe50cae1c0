/* controller/zk_rights: what is said of a modelled ensemble that grants less than is needed. */
#include "controller/zk_rights.h"

#include "core/buf.h"
#include "core/clock.h"
#include "io/zk.h"
#include "tests/fakes/fake_clock.h"
#include "tests/fakes/fake_zk.h"

#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <cmocka.h>

#define ADVICE "; grant it, or give the Database a secretName with a user that may\n"

struct rig {
    struct fake_clock clock;
    struct fake_zk *zk;
    struct zk *session;
    struct buf missing;
};

static int setup(void **state)
{
    static struct rig r;
    r = (struct rig){.missing = BUF_INIT(4096)};
    fake_clock_init(&r.clock, NS_PER_S);
    r.zk = fake_zk_new(&r.clock.clock);
    assert_int_equal(fake_zk_put(r.zk, "/a", "data"), ZK_OK);
    *state = &r;
    return 0;
}

static int teardown(void **state)
{
    struct rig *r = *state;
    zk_close(r->session);
    fake_zk_free(r->zk);
    buf_done(&r->missing);
    return 0;
}

static enum rc ask(struct rig *r, const char *who, const struct zk_need *need, struct err *e)
{
    zk_close(r->session);
    fake_zk_connect(r->zk, who, &r->session);
    struct zk_asker a = {
        .zk = r->session, .clock = &r->clock.clock, .until_ns = clock_boot_ns(&r->clock.clock)};
    if (who && who[0] != 's')
        a.me.digest = slice_str(who);
    buf_reset(&r->missing);
    enum rc rc = zk_rights_who(&a, e);
    return rc == RC_OK ? zk_rights_ask(&a, need, &r->missing, e) : rc;
}

static void expect(struct rig *r, const char *who, const struct zk_need *need, const char *want)
{
    struct err e = ERR_INIT;
    assert_int_equal(ask(r, who, need, &e), RC_OK);
    buf_add_char(&r->missing, 0);
    assert_int_equal(r->missing.bad, RC_OK);
    assert_string_equal(buf_slice(&r->missing).p, want);
}

static const struct zk_need source = {.root = SLICE("/a"), .acl = true},
                            destination = {.root = SLICE("/a"), .write = true, .acl = true};

static void what_is_granted_is_not_missing(void **state)
{
    expect(*state, NULL, &source, "");
    expect(*state, NULL, &destination, "");
}

static void a_root_that_is_not_there_is_missing(void **state)
{
    struct zk_need need = source;
    need.root = SLICE("/b/c");
    expect(*state, NULL, &need, "rootPath /b/c does not exist; create it, or name another one\n");
    need.write = true;
    expect(*state, NULL, &need, "rootPath /b/c does not exist; createRootPath: true makes it\n");
}

static void a_root_that_is_made_needs_a_parent_that_lets_us_create(void **state)
{
    struct rig *r = *state;
    struct zk_need need = {
        .root = SLICE("/a/b/c"), .write = true, .create_root = true, .acl = true};
    expect(r, NULL, &need, "");
    fake_zk_set_acl(r->zk, "/a", "world:anyone:rwda");
    expect(r, NULL, &need, "/a: its ACL does not grant us create" ADVICE);
}

static void a_source_that_may_not_be_read_is_told(void **state)
{
    struct rig *r = *state;
    fake_zk_set_acl(r->zk, "/a", "world:anyone:cwd,digest:bob:hash:r");
    expect(r, NULL, &source, "/a: its ACL does not grant us read" ADVICE);
    expect(r, "super", &source, "");
}

static void a_source_that_hides_its_users_is_told_only_where_acls_are_copied(void **state)
{
    struct rig *r = *state;
    struct zk_need need = source;
    fake_zk_set_acl(r->zk, "/a", "world:anyone:r,digest:bob:hash:cdrwa");
    expect(r, NULL, &need,
           "/a: its ACL is shown without the hashes of its users; grant us admin, or say acl: "
           "false\n");
    expect(r, "bob:hash", &need, "");
    need.acl = false;
    expect(r, NULL, &need, "");
}

static void a_destination_tells_each_permission_that_lacks(void **state)
{
    struct rig *r = *state;
    struct zk_need need = destination;
    fake_zk_set_acl(r->zk, "/a", "world:anyone:rw");
    expect(r, NULL, &need, "/a: its ACL does not grant us create, delete, admin" ADVICE);
    need.acl = false;
    expect(r, NULL, &need, "/a: its ACL does not grant us create, delete" ADVICE);
    expect(r, "super", &need, "");
}

static void what_another_scheme_grants_is_not_certainly_missing(void **state)
{
    struct rig *r = *state;
    fake_zk_set_acl(r->zk, "/a", "world:anyone:r,ip:127.0.0.1:cdwa");
    expect(r, NULL, &destination, "");
}

static void a_server_that_ends_the_session_which_asks_who_it_is_is_asked_on(void **state)
{
    struct rig *r = *state;
    const struct fake_zk_rule rule = {.fault = FAKE_ZK_REQUEST_LOST, .op = ZK_WHO_AM_I};
    fake_zk_plan(r->zk, &rule);
    expect(r, NULL, &destination, "");
    assert_int_equal(fake_zk_struck(r->zk, FAKE_ZK_REQUEST_LOST), 1);
}

static void an_ensemble_that_does_not_answer_is_a_failure(void **state)
{
    struct rig *r = *state;
    struct err e = ERR_INIT;
    fake_zk_set_down(r->zk, true);
    assert_int_equal(ask(r, NULL, &source, &e), RC_UNAVAILABLE);
    assert_true(e.msg[0] != '\0');
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(what_is_granted_is_not_missing, setup, teardown),
        cmocka_unit_test_setup_teardown(a_root_that_is_not_there_is_missing, setup, teardown),
        cmocka_unit_test_setup_teardown(a_root_that_is_made_needs_a_parent_that_lets_us_create,
                                        setup, teardown),
        cmocka_unit_test_setup_teardown(a_source_that_may_not_be_read_is_told, setup, teardown),
        cmocka_unit_test_setup_teardown(
            a_source_that_hides_its_users_is_told_only_where_acls_are_copied, setup, teardown),
        cmocka_unit_test_setup_teardown(a_destination_tells_each_permission_that_lacks, setup,
                                        teardown),
        cmocka_unit_test_setup_teardown(what_another_scheme_grants_is_not_certainly_missing, setup,
                                        teardown),
        cmocka_unit_test_setup_teardown(
            a_server_that_ends_the_session_which_asks_who_it_is_is_asked_on, setup, teardown),
        cmocka_unit_test_setup_teardown(an_ensemble_that_does_not_answer_is_a_failure, setup,
                                        teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
