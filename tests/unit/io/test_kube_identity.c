/* Which cluster answers: the two kinds of identity, and which of them is asked when. */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>

#include "core/clock.h"
#include "core/rng.h"
#include "io/kube_error.h"
#include "io/kube_identity.h"
#include "tests/fakes/fake_clock.h"
#include "tests/fakes/fake_kube.h"

#include <stdio.h>
#include <stdlib.h>

/* "hello" and "world" as certificates. */
#define BEGIN "-----BEGIN CERTIFICATE-----\n"
#define END   "-----END CERTIFICATE-----\n"
#define CA    "# a comment\n" BEGIN "aGVs\nbG8=\n" END BEGIN "d29ybGQ=\n" END
#define HELLO "2cf24dba5fb0a30e26e83b2ac5b9e29e1b161e5c1fa7425e73043362938b9824"

struct test {
    struct fake_clock clock;
    struct rng_seeded rng;
    struct fake_kube *kube;
    struct http *http;
    struct kube_identity id;
    struct kube_verdict verdict;
};

static int setup(void **state)
{
    struct test *t = calloc(1, sizeof *t);
    assert_non_null(t);
    fake_clock_init(&t->clock, 0);
    rng_seeded_init(&t->rng, 5);
    t->kube = fake_kube_new(&t->clock.clock, &t->rng.rng);
    fake_kube_connect(t->kube, &t->http);
    fake_kube_set_cluster_uid(t->kube, "uid-1");
    assert_int_equal(
        fake_kube_put(
            t->kube,
            "{\"apiVersion\":\"v1\",\"kind\":\"Namespace\",\"metadata\":{\"name\":\"team\"}}"),
        201);
    struct err e = ERR_INIT;
    assert_int_equal(kube_identity_init(&t->id, CA, "team", &e), RC_OK);
    *state = t;
    return 0;
}

static int teardown(void **state)
{
    struct test *t = *state;
    kube_identity_done(&t->id);
    http_close(t->http);
    fake_kube_free(t->kube);
    free(t);
    return 0;
}

static void again_with(struct test *t, const char *ca, const char *ns)
{
    struct err e = ERR_INIT;
    kube_identity_done(&t->id);
    assert_int_equal(kube_identity_init(&t->id, ca, ns, &e), RC_OK);
}

static struct http_event next_done(struct test *t)
{
    struct http_event ev;
    struct err e = ERR_INIT;
    while (http_take(t->http, &ev, &e) != RC_OK || ev.kind != HTTP_DONE)
        fake_clock_advance(&t->clock, NS_PER_MS);
    assert_true(ev.id == t->id.asking);
    return ev;
}

static enum kube_class ask(struct test *t)
{
    struct err e = ERR_INIT;
    assert_int_equal(kube_identity_ask(&t->id, t->http, &e), RC_OK);
    for (;;) {
        struct http_event ev = next_done(t);
        enum rc rc = kube_identity_answer(&t->id, t->http, &ev, &t->verdict, &e);
        if (rc == RC_OK)
            return t->verdict.cls;
        assert_int_equal(rc, RC_AGAIN);
    }
}

static void expect(struct test *t, const char *identity)
{
    struct err e = ERR_INIT;
    assert_int_equal(kube_identity_expect(&t->id, slice_str(identity), &e), RC_OK);
}

static void deny(struct test *t, const char *ns)
{
    fake_kube_deny(t->kube, "", "namespaces", ns, "get");
}

/* "ca-sha256:<fingerprint>/<ns>/<uid of ns>"; lives until the next call. */
static const char *by_ca(struct test *t, const char *ns, char out[KUBE_IDENTITY_MAX])
{
    char key[80];
    snprintf(key, sizeof key, "/namespaces//%s", ns);
    struct slice object = fake_kube_get(t->kube, key);
    const char *uid = memmem(object.p, object.n, "\"uid\":\"", 7);
    assert_non_null(uid);
    snprintf(out, KUBE_IDENTITY_MAX, "ca-sha256:" HELLO "/%s/%.*s", ns, (int)strcspn(uid + 7, "\""),
             uid + 7);
    return out;
}

static void assert_found(struct test *t, const char *want)
{
    assert_int_equal(ask(t), KUBE_OK);
    assert_int_equal(t->id.asking, 0);
    assert_string_equal(t->id.found.p, want);
}

static void it_is_the_uid_of_kube_system(void **state)
{
    struct test *t = *state;
    assert_found(t, "uid-1");
    assert_int_equal(fake_kube_counts(t->kube).gets, 1);
    assert_false(kube_identity_is_by_ca(buf_slice(&t->id.found)));
}

static void where_that_is_refused_the_ca_and_another_namespace_stand_in(void **state)
{
    struct test *t = *state;
    char want[KUBE_IDENTITY_MAX];
    deny(t, "kube-system");
    assert_found(t, by_ca(t, "default", want));
    assert_true(kube_identity_is_by_ca(buf_slice(&t->id.found)));
    deny(t, "default");
    assert_found(t, by_ca(t, "team", want));
}

/* The model cannot be without kube-system. */
static const struct http_event MISSING = {
    .kind = HTTP_DONE,
    .status = 404,
    .content_type = SLICE("application/json"),
    .retry_after_ns = -1,
    .data = SLICE("{\"kind\":\"Status\",\"reason\":\"NotFound\",\"code\":404,\"message\":"
                  "\"namespaces \\\"kube-system\\\" not found\"}")};

static void a_cluster_without_kube_system_has_an_identity_too(void **state)
{
    struct test *t = *state;
    struct err e = ERR_INIT;
    char want[KUBE_IDENTITY_MAX];
    assert_int_equal(kube_identity_ask(&t->id, t->http, &e), RC_OK);
    (void)next_done(t);
    assert_int_equal(kube_identity_answer(&t->id, t->http, &MISSING, &t->verdict, &e), RC_AGAIN);
    struct http_event ev = next_done(t); /* of default */
    assert_int_equal(kube_identity_answer(&t->id, t->http, &ev, &t->verdict, &e), RC_AGAIN);
    (void)next_done(t);
    assert_int_equal(kube_identity_answer(&t->id, t->http, &MISSING, &t->verdict, &e), RC_OK);
    assert_int_equal(t->verdict.cls, KUBE_OK);
    assert_string_equal(t->id.found.p, by_ca(t, "default", want));
}

static void a_refusal_that_was_only_for_a_moment_changes_nothing(void **state)
{
    struct test *t = *state;
    struct err e = ERR_INIT;
    deny(t, "kube-system");
    assert_int_equal(kube_identity_ask(&t->id, t->http, &e), RC_OK);
    struct http_event ev = next_done(t);
    assert_int_equal(kube_identity_answer(&t->id, t->http, &ev, &t->verdict, &e), RC_AGAIN);
    fake_kube_allow(t->kube);
    ev = next_done(t); /* default can be read, too */
    assert_int_equal(kube_identity_answer(&t->id, t->http, &ev, &t->verdict, &e), RC_AGAIN);
    ev = next_done(t);
    assert_int_equal(kube_identity_answer(&t->id, t->http, &ev, &t->verdict, &e), RC_OK);
    assert_int_equal(t->verdict.cls, KUBE_OK);
    assert_string_equal(t->id.found.p, "uid-1");
}

static void without_any_readable_namespace_it_says_what_to_allow(void **state)
{
    struct test *t = *state;
    deny(t, NULL);
    assert_int_equal(ask(t), KUBE_FORBIDDEN);
    assert_non_null(strstr(t->verdict.message, "allow 'get' on kube-system"));
    assert_int_equal(fake_kube_counts(t->kube).gets, 3);
}

static void without_a_ca_nothing_stands_in_for_kube_system(void **state)
{
    static const char *const none[] = {NULL, "", "nonsense", BEGIN "!!!!" END, BEGIN "aGVsbG8="};
    struct test *t = *state;
    deny(t, "kube-system");
    for (size_t i = 0; i < sizeof none / sizeof *none; i++) {
        again_with(t, none[i], NULL);
        assert_int_equal(ask(t), KUBE_FORBIDDEN);
        assert_non_null(strstr(t->verdict.message, "without a CA certificate"));
    }
    assert_int_equal(fake_kube_counts(t->kube).gets, sizeof none / sizeof *none);
}

static void the_same_namespace_is_not_asked_twice(void **state)
{
    struct test *t = *state;
    again_with(t, CA, "default");
    deny(t, NULL);
    assert_int_equal(ask(t), KUBE_FORBIDDEN);
    assert_int_equal(fake_kube_counts(t->kube).gets, 2);
}

static void what_is_no_refusal_leads_to_no_other_namespace(void **state)
{
    struct test *t = *state;
    fake_kube_set_unauthorized(t->kube, true);
    assert_int_equal(ask(t), KUBE_UNAUTHORIZED);
    fake_kube_set_unauthorized(t->kube, false);
    fake_kube_set_down(t->kube, true);
    assert_int_equal(ask(t), KUBE_UNAVAILABLE);
    fake_kube_set_down(t->kube, false);
    fake_kube_plan(t->kube, &(struct fake_kube_rule){.fault = FAKE_KUBE_NONSENSE,
                                                     .method = HTTP_GET,
                                                     .path = "/api/v1/namespaces"});
    assert_int_equal(ask(t), KUBE_NONSENSE);
    assert_found(t, "uid-1");
}

static void a_known_uid_is_asked_for_in_no_other_way(void **state)
{
    struct test *t = *state;
    expect(t, "uid-1");
    deny(t, "kube-system");
    assert_int_equal(ask(t), KUBE_FORBIDDEN);
    assert_non_null(strstr(t->verdict.message, "known by this namespace"));
    fake_kube_allow(t->kube);
    assert_found(t, "uid-1");
}

static void a_known_stand_in_stays_when_kube_system_can_be_read(void **state)
{
    struct test *t = *state;
    char want[KUBE_IDENTITY_MAX];
    expect(t, by_ca(t, "team", want));
    assert_found(t, want);
    assert_int_equal(fake_kube_counts(t->kube).gets, 1);
    deny(t, "team");
    assert_int_equal(ask(t), KUBE_FORBIDDEN);
    assert_non_null(strstr(t->verdict.message, "known by this namespace"));
}

static void another_ca_is_another_identity(void **state)
{
    struct test *t = *state;
    char known[KUBE_IDENTITY_MAX];
    again_with(t, BEGIN "d29ybGQ=" END, NULL);
    expect(t, by_ca(t, "default", known));
    assert_int_equal(ask(t), KUBE_OK);
    assert_string_not_equal(t->id.found.p, known);
    again_with(t, NULL, NULL);
    expect(t, known);
    assert_int_equal(ask(t), KUBE_NONSENSE);
    assert_non_null(strstr(t->verdict.message, "CA certificate"));
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(it_is_the_uid_of_kube_system),
        TEST(where_that_is_refused_the_ca_and_another_namespace_stand_in),
        TEST(a_cluster_without_kube_system_has_an_identity_too),
        TEST(a_refusal_that_was_only_for_a_moment_changes_nothing),
        TEST(without_any_readable_namespace_it_says_what_to_allow),
        TEST(without_a_ca_nothing_stands_in_for_kube_system),
        TEST(the_same_namespace_is_not_asked_twice),
        TEST(what_is_no_refusal_leads_to_no_other_namespace),
        TEST(a_known_uid_is_asked_for_in_no_other_way),
        TEST(a_known_stand_in_stays_when_kube_system_can_be_read),
        TEST(another_ca_is_another_identity),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
