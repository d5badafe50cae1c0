/* The decisions of the ZooKeeper sink, case by case. */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>

#include "io/zk.h"
#include "sinks/zk_decide.h"

#define PUT       ZK_FACT_PUT
#define OBSERVED  ZK_FACT_OBSERVED
#define EXISTS    ZK_FACT_EXISTS
#define OURS      ZK_FACT_OURS
#define ADOPTED   ZK_FACT_ADOPTED
#define SAME      ZK_FACT_SAME
#define SOURCE    ZK_FACT_SOURCE
#define NEVER     ZK_FACT_NEVER
#define ALWAYS    ZK_FACT_ALWAYS
#define PRESERVED ZK_FACT_PRESERVED
#define UNSURE    ZK_FACT_UNSURE

static void claims_are_as_the_table_of_the_contract(void **state)
{
    (void)state;
    static const struct {
        unsigned facts;
        enum zk_claim_what what;
        const char *cls;
    } cases[] = {
        {PUT, ZK_CLAIM_WRITE, ""},
        {PUT | NEVER, ZK_CLAIM_WRITE, ""},
        {PUT | EXISTS | OURS, ZK_CLAIM_WRITE, ""},
        {PUT | EXISTS | OURS | NEVER, ZK_CLAIM_WRITE, ""},
        {PUT | EXISTS | OURS | SAME, ZK_CLAIM_WRITE, ""},
        {PUT | EXISTS, ZK_CLAIM_END, "not-ours"},
        {PUT | EXISTS | SAME, ZK_CLAIM_ADOPT, ""},
        {PUT | EXISTS | NEVER, ZK_CLAIM_END, "not-ours"},
        {PUT | EXISTS | NEVER | SAME, ZK_CLAIM_END, "not-ours"},
        {PUT | EXISTS | NEVER | SAME | UNSURE, ZK_CLAIM_ADOPT, ""},
        {PUT | EXISTS | NEVER | UNSURE, ZK_CLAIM_END, "not-ours"},
        {PUT | EXISTS | ALWAYS, ZK_CLAIM_PRESERVE, "pre-image"},
        {PUT | EXISTS | ALWAYS | SAME, ZK_CLAIM_ADOPT, ""},
        {PUT | EXISTS | ALWAYS | PRESERVED, ZK_CLAIM_ADOPT, ""},
        {PUT | EXISTS | SOURCE | OURS | SAME, ZK_CLAIM_STOP, "same-ensemble"},
        {0, ZK_CLAIM_FORGET, ""},
        {OBSERVED, ZK_CLAIM_FORGET, ""},
        {EXISTS | OBSERVED, ZK_CLAIM_FORGET, "not-ours"},
        {EXISTS | OURS, ZK_CLAIM_DELETE, ""},
        {EXISTS | OURS | OBSERVED, ZK_CLAIM_DELETE, ""},
        {EXISTS | OURS | ADOPTED, ZK_CLAIM_END, "adopted"},
        {EXISTS | OURS | ADOPTED | OBSERVED, ZK_CLAIM_DELETE, ""},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        const struct zk_claim *c = zk_decide_claim(cases[i].facts);
        if (c->what != cases[i].what)
            fail_msg("facts %x: %d, not %d", cases[i].facts, (int)c->what, (int)cases[i].what);
        assert_string_equal(c->cls, cases[i].cls);
    }
}

static void what_is_held_or_stops_says_why(void **state)
{
    (void)state;
    for (unsigned facts = 0; facts < 2 * ZK_FACT_UNSURE; facts++) {
        const struct zk_claim *c = zk_decide_claim(facts);
        if (c->what == ZK_CLAIM_END || c->what == ZK_CLAIM_STOP || c->what == ZK_CLAIM_PRESERVE)
            assert_true(c->cls[0] && c->reason[0] && c->outcome != SINK_DONE);
        if (c->what == ZK_CLAIM_DELETE)
            assert_true((facts & (PUT | EXISTS | OURS)) == (EXISTS | OURS));
    }
}

/* A node that exists, is as wanted, and whose children are all there. */
static const struct zk_compared whole = {.exists = true,
                                         .same_data = true,
                                         .same_acl = true,
                                         .can_write = true,
                                         .can_set = true,
                                         .can_go_on = true,
                                         .has_id = true};

static void what_is_as_wanted_needs_nothing(void **state)
{
    (void)state;
    assert_int_equal(zk_decide_next(&whole), ZK_NEXT_NOTHING);
    struct zk_compared c = whole;
    c.gap = -3;
    assert_int_equal(zk_decide_next(&c), ZK_NEXT_NOTHING);
}

static void data_come_before_the_acl_unless_that_forbids_it(void **state)
{
    (void)state;
    struct zk_compared c = whole;
    c.exists = false;
    assert_int_equal(zk_decide_next(&c), ZK_NEXT_CREATE);
    c = whole;
    c.same_data = c.same_acl = false;
    assert_int_equal(zk_decide_next(&c), ZK_NEXT_SET_DATA);
    c.can_write = false;
    assert_int_equal(zk_decide_next(&c), ZK_NEXT_SET_ACL);
    c.same_acl = true;
    assert_int_equal(zk_decide_next(&c), ZK_NEXT_SET_DATA);
}

static void an_acl_that_shuts_us_out_waits_for_the_children(void **state)
{
    (void)state;
    struct zk_compared c = whole;
    c.same_acl = false;
    assert_int_equal(zk_decide_next(&c), ZK_NEXT_SET_ACL);
    c.missing = 2;
    assert_int_equal(zk_decide_next(&c), ZK_NEXT_SET_ACL);
    c.can_go_on = false;
    assert_int_equal(zk_decide_next(&c), ZK_NEXT_WAIT_ACL);
    c.gap = 5;
    c.to_come = 2;
    assert_int_equal(zk_decide_next(&c), ZK_NEXT_ALIGN);
    assert_int_equal(zk_decide_align(&c), 3);
    c.gap = 2;
    assert_int_equal(zk_decide_next(&c), ZK_NEXT_WAIT_ACL);
    c.settled = true;
    assert_int_equal(zk_decide_next(&c), ZK_NEXT_ALIGN);
    c.gap = 0;
    assert_int_equal(zk_decide_next(&c), ZK_NEXT_SET_ACL);
}

static void new_data_are_not_shown_to_whom_an_acl_shuts_out_with_us(void **state)
{
    (void)state;
    struct zk_compared c = whole;
    c.same_data = c.same_acl = c.can_set = c.can_go_on = false;
    c.missing = 2;
    assert_int_equal(zk_decide_next(&c), ZK_NEXT_SET_DATA); /* the new ACL lets others in */
    c.within = true;
    assert_int_equal(zk_decide_next(&c), ZK_NEXT_SET_PROVISIONAL);
    c.provisional = true;
    assert_int_equal(zk_decide_next(&c), ZK_NEXT_SET_DATA);
    c.same_data = true;
    assert_int_equal(zk_decide_next(&c), ZK_NEXT_WAIT_ACL);
    c.missing = 0;
    assert_int_equal(zk_decide_next(&c), ZK_NEXT_SET_ACL);
    c.same_data = c.provisional = false; /* a leaf */
    assert_int_equal(zk_decide_next(&c), ZK_NEXT_SET_PROVISIONAL);
    c.has_id = false; /* then it cannot be helped */
    assert_int_equal(zk_decide_next(&c), ZK_NEXT_SET_DATA);
    c.can_set = true;
    assert_int_equal(zk_decide_next(&c), ZK_NEXT_SET_ACL);
}

static void a_sequence_is_raised_by_what_no_child_will_raise(void **state)
{
    (void)state;
    struct zk_compared c = whole;
    c.gap = 10;
    assert_int_equal(zk_decide_next(&c), ZK_NEXT_ALIGN);
    assert_int_equal(zk_decide_align(&c), 10);
    c.to_come = 3;
    assert_int_equal(zk_decide_align(&c), 7);
    c.gap = 3;
    assert_int_equal(zk_decide_next(&c), ZK_NEXT_WAIT_SEQUENCE);
    c.gap = 2;
    assert_int_equal(zk_decide_align(&c), 0);
    c.settled = true;
    assert_int_equal(zk_decide_next(&c), ZK_NEXT_ALIGN);
    assert_int_equal(zk_decide_align(&c), 2);
}

static void an_error_tells_what_to_do(void **state)
{
    (void)state;
    static const struct {
        int error;
        bool making;
        enum zk_remedy remedy;
        const char *cls;
    } cases[] = {
        {ZK_BAD_VERSION, false, ZK_REMEDY_LOOK, "conflict"},
        {ZK_NODE_EXISTS, true, ZK_REMEDY_LOOK, "conflict"},
        {ZK_NO_NODE, false, ZK_REMEDY_LOOK, "conflict"},
        {ZK_NO_NODE, true, ZK_REMEDY_PARENT, "parent-missing"},
        {ZK_NOT_EMPTY, false, ZK_REMEDY_CHILDREN, "not-empty"},
        {ZK_NO_AUTH, true, ZK_REMEDY_REFUSED, "no-auth"},
        {ZK_NO_CHILDREN_FOR_EPHEMERALS, true, ZK_REMEDY_REFUSED, "ephemeral-parent"},
        {ZK_INVALID_ACL, false, ZK_REMEDY_REFUSED, "invalid-acl"},
        {ZK_QUOTA_EXCEEDED, true, ZK_REMEDY_REFUSED, "quota"},
        {-127, true, ZK_REMEDY_LATER, "unserved"},
        {-1, false, ZK_REMEDY_LATER, "unserved"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        const struct zk_refusal *r = zk_decide_refusal(cases[i].error, cases[i].making);
        assert_int_equal(r->remedy, cases[i].remedy);
        assert_string_equal(r->cls, cases[i].cls);
        assert_true(r->reason[0]);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(claims_are_as_the_table_of_the_contract),
        cmocka_unit_test(what_is_held_or_stops_says_why),
        cmocka_unit_test(what_is_as_wanted_needs_nothing),
        cmocka_unit_test(data_come_before_the_acl_unless_that_forbids_it),
        cmocka_unit_test(an_acl_that_shuts_us_out_waits_for_the_children),
        cmocka_unit_test(new_data_are_not_shown_to_whom_an_acl_shuts_out_with_us),
        cmocka_unit_test(a_sequence_is_raised_by_what_no_child_will_raise),
        cmocka_unit_test(an_error_tells_what_to_do),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
