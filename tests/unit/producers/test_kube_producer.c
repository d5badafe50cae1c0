#include "tests/unit/producers/producer_test.h"

#include "core/diag.h"
#include "io/http.h"
#include "producers/producer_queue.h"
#include "producers/producer.h"

#define CA      "-----BEGIN CERTIFICATE-----\naGVsbG8=\n-----END CERTIFICATE-----\n"
#define CM      "/configmaps"
#define WIDGETS "example.com/widgets"
#define CRD                                                                                        \
    "{\"apiVersion\":\"apiextensions.k8s.io/v1\",\"kind\":\"CustomResourceDefinition\","           \
    "\"metadata\":{\"name\":\"widgets.example.com\"},\"spec\":{\"group\":\"example.com\","         \
    "\"scope\":\"Namespaced\",\"names\":{\"plural\":\"widgets\",\"kind\":\"Widget\"},\"versions\"" \
    ":[{\"name\":\"v1\",\"served\":true,\"storage\":true}]}}"

struct test {
    struct cluster_world w;
    struct producer *producer;
    bool deaf; /* takes no events */
};

static int setup(void **state)
{
    struct test *t = calloc(1, sizeof *t);
    struct http *http = NULL;
    struct err e = ERR_INIT;
    assert_non_null(t);
    cw_init(&t->w);
    fake_kube_connect(t->w.kube, &http);
    assert_ok(
        kube_producer_open(http, /* ca_pem= */ NULL, /* ns= */ NULL, &t->w.env, &t->producer, &e));
    *state = t;
    return 0;
}

/* Another process, whose kubeconfig names a CA, and whose log knows that identity. */
static void start_again(struct test *t, const char *known)
{
    struct http *http = NULL;
    struct err e = ERR_INIT;
    producer_close(t->producer);
    fake_kube_connect(t->w.kube, &http);
    assert_ok(kube_producer_open(http, CA, /* ns= */ NULL, &t->w.env, &t->producer, &e));
    if (known[0])
        assert_ok(producer_expect(t->producer, slice_str(known), &e));
}

static int teardown(void **state)
{
    struct test *t = *state;
    producer_close(t->producer);
    cw_done(&t->w);
    free(t);
    return 0;
}

static void add(struct test *t, const char *scope)
{
    struct err e = ERR_INIT;
    assert_ok(producer_add(t->producer, slice_str(scope), SLICE_NULL, SLICE_NULL, &e));
}

static void take_all(struct test *t)
{
    const struct event *ev;
    struct err e = ERR_INIT;
    while (!t->deaf && producer_take(t->producer, &ev, &e) == RC_OK) {
        cw_say(&t->w, ev);
        if (ev->op == EVENT_EPOCH)
            buf_addf(&t->w.said, " %.*s", SLICE_ARG(ev->body));
    }
}

static void run_for(struct test *t, int64_t ns)
{
    int64_t end = cw_now(&t->w) + ns;
    for (int i = 0; i < 200000; i++) {
        int64_t wake;
        struct err e = ERR_INIT;
        enum rc rc = producer_step(t->producer, &wake, &e);
        if (rc < 0)
            fail_msg("%s", e.msg);
        take_all(t);
        if (rc == RC_OK)
            continue;
        int64_t kube = t->deaf ? INT64_MAX : fake_kube_wake(t->w.kube);
        int64_t next = wake < kube ? wake : kube;
        next = next < end ? next : end;
        if (next > cw_now(&t->w))
            fake_clock_advance(&t->w.clock, next - cw_now(&t->w));
        if (cw_now(&t->w) >= end)
            return;
    }
    fail_msg("no end of steps");
}

static bool said(struct test *t, const char *part)
{
    return t->w.said.n > 0 && strstr(t->w.said.p, part);
}

static void forget_said(struct test *t)
{
    buf_reset(&t->w.said);
}

static struct producer_status status_of(struct test *t, const char *scope)
{
    struct producer_status s;
    for (size_t i = 0; producer_status(t->producer, i, &s) == RC_OK; i++)
        if (slice_eq(s.scope, slice_str(scope)))
            return s;
    fail_msg("no scope %s", scope);
    return s;
}

static void follow(struct test *t)
{
    add(t, CM);
    cw_put(&t->w, "a", 1);
    run_for(t, 10 * NS_PER_S);
    assert_int_equal(status_of(t, CM).phase, PRODUCER_FOLLOWING);
}

static void following(struct test *t)
{
    follow(t);
    forget_said(t);
}

static void the_identity_comes_before_everything_else(void **state)
{
    struct test *t = *state;
    fake_kube_set_cluster_uid(t->w.kube, "uid-1");
    add(t, CM);
    cw_put(&t->w, "a", 1);
    run_for(t, 10 * NS_PER_S);
    cw_assert_said(
        &t->w,
        "epoch {\"identity\":\"uid-1\",\"reason\":\"start\"} kind sync-begin put a sync-end");
}

static void without_an_identity_nothing_is_asked_and_the_reason_is_told(void **state)
{
    struct test *t = *state;
    fake_kube_deny(t->w.kube, "", "namespaces", NULL, "get");
    add(t, CM);
    run_for(t, 60 * NS_PER_S);
    cw_assert_said(&t->w, "");
    assert_int_equal(fake_kube_counts(t->w.kube).lists, 0);
    assert_non_null(strstr(status_of(t, CM).error, "identity of the source"));
    assert_true(fake_kube_counts(t->w.kube).gets < 30);
    fake_kube_allow(t->w.kube);
    run_for(t, 60 * NS_PER_S);
    assert_int_equal(status_of(t, CM).phase, PRODUCER_FOLLOWING);
    assert_string_equal(status_of(t, CM).error, "");
}

/* The identity in what was said. */
static void said_identity(struct test *t, char *ret, size_t size)
{
    const char *at = strstr(t->w.said.p, "{\"identity\":\"");
    assert_non_null(at);
    at += strlen("{\"identity\":\"");
    snprintf(ret, size, "%.*s", (int)strcspn(at, "\""), at);
}

static void
a_source_whose_kube_system_is_closed_is_known_by_its_ca_and_another_namespace(void **state)
{
    struct test *t = *state;
    char first[300], again[300];
    fake_kube_deny(t->w.kube, "", "namespaces", "kube-system", "get");
    start_again(t, "");
    follow(t);
    said_identity(t, first, sizeof first);
    assert_true(strncmp(first, "ca-sha256:2cf24dba", 18) == 0);
    fake_kube_allow(t->w.kube);
    start_again(t, first); /* it stays so when kube-system can be read */
    forget_said(t);
    follow(t);
    said_identity(t, again, sizeof again);
    assert_string_equal(again, first);
}

static void a_source_that_was_known_by_kube_system_waits_for_the_permission(void **state)
{
    struct test *t = *state;
    fake_kube_set_cluster_uid(t->w.kube, "uid-1");
    start_again(t, "uid-1");
    fake_kube_deny(t->w.kube, "", "namespaces", "kube-system", "get");
    add(t, CM);
    run_for(t, 60 * NS_PER_S);
    cw_assert_said(&t->w, "");
    assert_non_null(strstr(status_of(t, CM).error, "known by this namespace"));
    fake_kube_allow(t->w.kube);
    run_for(t, 60 * NS_PER_S);
    assert_int_equal(status_of(t, CM).phase, PRODUCER_FOLLOWING);
    assert_true(said(t, "\"uid-1\""));
}

static void a_server_that_comes_up_late_is_waited_for(void **state)
{
    struct test *t = *state;
    fake_kube_set_down(t->w.kube, true);
    add(t, CM);
    run_for(t, 300 * NS_PER_S);
    cw_assert_said(&t->w, "");
    fake_kube_set_down(t->w.kube, false);
    run_for(t, 60 * NS_PER_S);
    assert_int_equal(status_of(t, CM).phase, PRODUCER_FOLLOWING);
}

static void C52_another_cluster_at_the_same_address_is_told_and_nothing_of_it_read(void **state)
{
    struct test *t = *state;
    following(t);
    uint64_t lists = fake_kube_counts(t->w.kube).lists;
    uint64_t watches = fake_kube_counts(t->w.kube).watches;
    fake_kube_set_cluster_uid(t->w.kube, "another");
    cw_delete(&t->w, "a");
    take_all(t);
    forget_said(t);
    fake_kube_set_down(t->w.kube, true);
    run_for(t, NS_PER_S);
    fake_kube_set_down(t->w.kube, false);
    forget_said(t);
    cw_put(&t->w, "strange", 1);
    run_for(t, 600 * NS_PER_S);
    cw_assert_said(&t->w, "epoch {\"identity\":\"another\",\"reason\":\"start\"}");
    assert_int_equal(fake_kube_counts(t->w.kube).lists, lists);
    assert_int_equal(fake_kube_counts(t->w.kube).watches, watches);
}

static void the_same_cluster_after_a_break_is_not_told_again(void **state)
{
    struct test *t = *state;
    following(t);
    fake_kube_set_down(t->w.kube, true);
    run_for(t, 60 * NS_PER_S);
    assert_int_equal(status_of(t, CM).phase, PRODUCER_CONNECTING);
    assert_true(status_of(t, CM).error[0] != '\0');
    fake_kube_set_down(t->w.kube, false);
    cw_put(&t->w, "b", 1);
    run_for(t, 60 * NS_PER_S);
    cw_assert_said(&t->w, "put b");
    assert_string_equal(status_of(t, CM).error, "");
}

static void a_restored_backup_is_a_regression_and_all_scopes_are_listed_anew(void **state)
{
    struct test *t = *state;
    fake_kube_set_cluster_uid(t->w.kube, "uid-1");
    add(t, "/namespaces");
    run_for(t, 10 * NS_PER_S);
    int64_t backup = fake_kube_version(t->w.kube);
    following(t);
    for (int i = 0; i < 20; i++)
        cw_put(&t->w, "a", i);
    run_for(t, 10 * NS_PER_S);
    forget_said(t);
    fake_kube_rewind(t->w.kube, backup);
    run_for(t, 120 * NS_PER_S);
    const char *epoch = strstr(t->w.said.p, "\"reason\":\"regression\"");
    assert_non_null(epoch);
    const char *first = strstr(epoch, "sync-end");
    assert_non_null(first);
    assert_non_null(strstr(first + 1, "sync-end"));
    assert_null(strstr(first, "regression"));
    assert_int_equal(status_of(t, CM).phase, PRODUCER_FOLLOWING);
    assert_int_equal(status_of(t, "/namespaces").phase, PRODUCER_FOLLOWING);
}

static void a_kind_that_appears_later_is_found_and_listed(void **state)
{
    struct test *t = *state;
    add(t, "apiextensions.k8s.io/customresourcedefinitions");
    add(t, WIDGETS);
    run_for(t, 10 * NS_PER_S);
    assert_int_equal(status_of(t, WIDGETS).phase, PRODUCER_MISSING);
    assert_int_equal(fake_kube_put(t->w.kube, CRD), 201);
    run_for(t, 40 * NS_PER_S);
    assert_int_equal(status_of(t, WIDGETS).phase, PRODUCER_FOLLOWING);
}

/* The definition of widgets with more versions before v1: the modelled server prefers the first. */
static int put_widgets(struct test *t, const char *before)
{
    AUTO(buf_done) struct buf crd = BUF_INIT(4096);
    static const char crd_text[] = CRD;
    const char *versions = strstr(crd_text, ":[") + 2;
    buf_addf(&crd, "%.*s%s%s", (int)(versions - crd_text), crd_text, before, versions);
    return fake_kube_put(t->w.kube, crd.p);
}

static void another_preferred_version_of_a_running_scope_is_listed_anew(void **state)
{
    struct test *t = *state;
    struct err e = ERR_INIT;
    add(t, "apiextensions.k8s.io/customresourcedefinitions");
    assert_int_equal(put_widgets(t, ""), 201);
    run_for(t, 10 * NS_PER_S);
    forget_said(t);
    add(t, WIDGETS);
    run_for(t, 10 * NS_PER_S);
    cw_assert_said(&t->w, "kind sync-begin sync-end");
    assert_int_equal(put_widgets(t, "{\"name\":\"v2\",\"served\":true,\"storage\":false},"), 200);
    run_for(t, 40 * NS_PER_S);
    assert_true(said(t, "kind sync-begin sync-end"));
    assert_false(said(t, "gap"));
    assert_int_equal(status_of(t, WIDGETS).phase, PRODUCER_FOLLOWING);
    producer_drop(t->producer, SLICE(WIDGETS)); /* in a version of its own it stays there */
    assert_ok(producer_add(t->producer, SLICE(WIDGETS), SLICE("example.com/v1"), SLICE_NULL, &e));
    run_for(t, 10 * NS_PER_S);
    forget_said(t);
    assert_int_equal(put_widgets(t, ""), 200);
    run_for(t, 40 * NS_PER_S);
    assert_false(said(t, "sync-begin"));
}

/* The row of a kind in a version; NULL: not served. */
static const struct producer_kind *served(struct test *t, const char *version, const char *resource,
                                          struct producer_kind *kind)
{
    for (size_t i = 0; producer_kind(t->producer, i, kind) == RC_OK; i++)
        if (slice_eq(kind->version, slice_str(version)) &&
            slice_eq(kind->resource, slice_str(resource)))
            return kind;
    return NULL;
}

static void what_the_source_serves_is_said_and_asked_again_now_and_then(void **state)
{
    struct test *t = *state;
    struct producer_kind kind;
    assert_int_equal(producer_kind(t->producer, 0, &kind), RC_AGAIN);
    following(t);
    assert_non_null(served(t, "v1", "configmaps", &kind));
    assert_true(kind.group.n == 0 && kind.followable && kind.preferred);
    uint64_t round = kind.round;
    assert_null(served(t, "v1", "widgets", &kind));
    assert_int_equal(put_widgets(t, "{\"name\":\"v2\",\"served\":true,\"storage\":false},"), 201);
    run_for(t, 700 * NS_PER_S); /* nobody watches the CRDs here */
    assert_non_null(served(t, "v1", "widgets", &kind));
    assert_true(slice_eq(kind.group, SLICE("example.com")) && !kind.preferred);
    assert_true(kind.round != round);
    assert_non_null(served(t, "v2", "widgets", &kind));
    assert_true(kind.preferred);
}

static void what_a_silent_group_serves_is_said_soon_after_it_answers(void **state)
{
    struct test *t = *state;
    struct producer_kind kind;
    fake_kube_set_group_stale(t->w.kube, "apps", true);
    following(t);
    assert_null(served(t, "v1", "deployments", &kind));
    fake_kube_set_group_stale(t->w.kube, "apps", false);
    run_for(t, 60 * NS_PER_S);
    assert_non_null(served(t, "v1", "deployments", &kind));
}

static void a_version_that_does_not_answer_makes_what_its_group_says_partial(void **state)
{
    struct test *t = *state;
    struct producer_kind kind;
    add(t, "apiextensions.k8s.io/customresourcedefinitions");
    add(t, WIDGETS);
    assert_int_equal(put_widgets(t, "{\"name\":\"v2\",\"served\":true,\"storage\":false},"), 201);
    run_for(t, 40 * NS_PER_S);
    assert_true(served(t, "v2", "widgets", &kind) && kind.preferred && !kind.partial);
    forget_said(t);
    fake_kube_set_group_stale(t->w.kube, "example.com/v2", true);
    run_for(t, 700 * NS_PER_S);
    assert_null(served(t, "v2", "widgets", &kind));
    assert_true(served(t, "v1", "widgets", &kind) && kind.partial);
    assert_true(served(t, "v1", "configmaps", &kind) && !kind.partial);
    assert_false(said(t, "kind") || said(t, "sync-begin")); /* it waits in its version */
    fake_kube_set_group_stale(t->w.kube, "example.com/v2", false);
    run_for(t, 60 * NS_PER_S);
    assert_true(served(t, "v2", "widgets", &kind) && kind.preferred && !kind.partial);
}

static void a_scope_added_while_discovery_is_stale_makes_it_be_asked_again(void **state)
{
    struct test *t = *state;
    following(t);
    assert_int_equal(fake_kube_put(t->w.kube, CRD), 201);
    run_for(t, 40 * NS_PER_S); /* nobody watches the CRDs here */
    add(t, WIDGETS);
    run_for(t, 10 * NS_PER_S);
    assert_int_equal(status_of(t, WIDGETS).phase, PRODUCER_FOLLOWING);
}

static void a_group_that_cannot_be_reached_is_not_missing(void **state)
{
    struct test *t = *state;
    assert_int_equal(fake_kube_put(t->w.kube, CRD), 201);
    run_for(t, 10 * NS_PER_S);
    fake_kube_set_group_stale(t->w.kube, "example.com", true);
    add(t, WIDGETS);
    run_for(t, 40 * NS_PER_S);
    assert_int_not_equal(status_of(t, WIDGETS).phase, PRODUCER_MISSING);
    assert_false(said(t, "sync-end"));
    fake_kube_set_group_stale(t->w.kube, "example.com", false);
    run_for(t, 120 * NS_PER_S);
    assert_int_equal(status_of(t, WIDGETS).phase, PRODUCER_FOLLOWING);
}

static void adding_a_scope_twice_changes_nothing(void **state)
{
    struct test *t = *state;
    following(t);
    add(t, CM);
    run_for(t, 10 * NS_PER_S);
    cw_assert_said(&t->w, "");
    struct producer_status s;
    assert_ok(producer_status(t->producer, 0, &s));
    assert_int_equal(producer_status(t->producer, 1, &s), RC_END);
}

static void a_dropped_scope_says_nothing_more_not_even_what_waited(void **state)
{
    struct test *t = *state;
    following(t);
    t->deaf = true;
    cw_put(&t->w, "b", 1);
    for (int i = 0; i < 50; i++) {
        int64_t wake;
        struct err e = ERR_INIT;
        assert_true(producer_step(t->producer, &wake, &e) >= 0);
    }
    producer_drop(t->producer, SLICE(CM));
    producer_drop(t->producer, SLICE("/never"));
    t->deaf = false;
    cw_put(&t->w, "c", 1);
    run_for(t, 30 * NS_PER_S);
    cw_assert_said(&t->w, "");
    assert_int_equal(fake_kube_open_watches(t->w.kube), 0);
    add(t, CM);
    run_for(t, 30 * NS_PER_S);
    cw_assert_said(&t->w, "kind sync-begin put a put b put c sync-end");
}

static void events_that_are_not_taken_stop_the_reading_and_none_is_lost(void **state)
{
    struct test *t = *state;
    following(t);
    t->deaf = true;
    char name[20];
    for (int i = 0; i < PRODUCER_QUEUE_EVENTS + 3000; i++) {
        snprintf(name, sizeof name, "k%d", i);
        cw_put(&t->w, name, 1);
    }
    run_for(t, 10 * NS_PER_S);
    int64_t wake;
    struct err e = ERR_INIT;
    assert_int_equal(producer_step(t->producer, &wake, &e), RC_AGAIN);
    t->deaf = false;
    take_all(t);
    size_t puts = 0;
    for (const char *p = t->w.said.p; (p = strstr(p, "put ")); p++)
        puts++;
    assert_true(puts >= PRODUCER_QUEUE_EVENTS && puts < PRODUCER_QUEUE_EVENTS + 1000);
    run_for(t, 100 * NS_PER_S);
    puts = 0;
    for (const char *p = t->w.said.p; (p = strstr(p, "put ")); p++)
        puts++;
    assert_int_equal(puts, PRODUCER_QUEUE_EVENTS + 3000);
    assert_false(said(t, "sync-begin"));
}

static void an_empty_scope_is_refused(void **state)
{
    struct test *t = *state;
    struct err e = ERR_INIT;
    assert_int_equal(producer_add(t->producer, SLICE_NULL, SLICE("v1"), SLICE_NULL, &e),
                     RC_INVALID);
}

/* Everything the model can do wrong at once: in the end the events add up to what the cluster holds. */
static void D58_under_all_faults_the_events_add_up_to_the_cluster(void **state)
{
    struct test *t = *state;
    struct fake_kube_rates rates = {.per_mille = {0}};
    for (int f = FAKE_KUBE_NO_FAULT + 1; f < FAKE_KUBE_FAULTS; f++)
        rates.per_mille[f] = 40;
    fake_kube_faults(t->w.kube, 3, &rates);
    add(t, CM);
    char name[20];
    for (int i = 0; i < 200; i++) {
        snprintf(name, sizeof name, "k%d", i % 17);
        cw_put(&t->w, name, i);
        run_for(t, NS_PER_S);
    }
    fake_kube_faults(t->w.kube, 0, NULL);
    run_for(t, 600 * NS_PER_S);
    assert_int_equal(status_of(t, CM).phase, PRODUCER_FOLLOWING);
    forget_said(t);
    cw_put(&t->w, "last", 1);
    run_for(t, 30 * NS_PER_S);
    cw_assert_said(&t->w, "put last");
}

/* Keeps level and message of each line. */
static void hear(void *arg, const char *line, size_t n)
{
    const char *from = line + sizeof "2026-01-01T00:00:00Z " - 1, *to = memchr(line, '=', n);
    to = to ? to : line + n - 1;
    while (to > from && *to != ' ' && *to != '\n')
        to--;
    buf_addf(arg, "%.*s\n", (int)(to - from), from);
}

static void open_again(struct test *t, struct diag *d)
{
    struct http *http = NULL;
    struct err e = ERR_INIT;
    producer_close(t->producer);
    t->w.env.diag = d;
    fake_kube_connect(t->w.kube, &http);
    assert_ok(kube_producer_open(http, NULL, NULL, &t->w.env, &t->producer, &e));
}

static void each_step_has_the_message_of_the_documentation(void **state)
{
    struct test *t = *state;
    AUTO(buf_done) struct buf out = BUF_INIT(1 << 16);
    AUTO(diag_freep)
    struct diag *d = diag_new(&t->w.clock.clock, DIAG_TEXT, DIAG_DEBUG, hear, &out);
    open_again(t, d);
    add(t, CM);
    add(t, WIDGETS);
    run_for(t, 20 * NS_PER_S);
    assert_string_equal(out.p, "DEBUG reading namespace from cluster\n"
                               "DEBUG namespace read from cluster\n"
                               "DEBUG reading server groups and resources\n"
                               "DEBUG server group and resources read from cluster\n"
                               "DEBUG group resource version found\n"
                               "INFO  resource group version not found\n"
                               "DEBUG listing objects in cluster\n"
                               "DEBUG listed objects in cluster\n");
    open_again(t, NULL);
}

static void each_failure_has_the_message_of_the_documentation(void **state)
{
    struct test *t = *state;
    AUTO(buf_done) struct buf out = BUF_INIT(1 << 16);
    AUTO(diag_freep) struct diag *d = diag_new(&t->w.clock.clock, DIAG_TEXT, DIAG_INFO, hear, &out);
    open_again(t, d);
    assert_int_equal(fake_kube_put(t->w.kube, CRD), 201);
    fake_kube_deny(t->w.kube, "", "namespaces", NULL, "get");
    run_for(t, NS_PER_S / 2);
    fake_kube_allow(t->w.kube);
    fake_kube_set_group_stale(t->w.kube, "example.com", true);
    fake_kube_deny(t->w.kube, "", "configmaps", NULL, "list");
    add(t, CM);
    add(t, WIDGETS);
    run_for(t, 20 * NS_PER_S);
    assert_non_null(strstr(out.p, "WARN  error getting namespace from cluster\n"));
    assert_non_null(strstr(out.p, "WARN  error reading resources for group version\n"));
    assert_non_null(strstr(out.p, "WARN  error listing objects in cluster\n"));
    open_again(t, NULL);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(the_identity_comes_before_everything_else),
        TEST(without_an_identity_nothing_is_asked_and_the_reason_is_told),
        TEST(a_source_whose_kube_system_is_closed_is_known_by_its_ca_and_another_namespace),
        TEST(a_source_that_was_known_by_kube_system_waits_for_the_permission),
        TEST(a_server_that_comes_up_late_is_waited_for),
        TEST(C52_another_cluster_at_the_same_address_is_told_and_nothing_of_it_read),
        TEST(the_same_cluster_after_a_break_is_not_told_again),
        TEST(a_restored_backup_is_a_regression_and_all_scopes_are_listed_anew),
        TEST(a_kind_that_appears_later_is_found_and_listed),
        TEST(what_the_source_serves_is_said_and_asked_again_now_and_then),
        TEST(what_a_silent_group_serves_is_said_soon_after_it_answers),
        TEST(another_preferred_version_of_a_running_scope_is_listed_anew),
        TEST(a_version_that_does_not_answer_makes_what_its_group_says_partial),
        TEST(a_scope_added_while_discovery_is_stale_makes_it_be_asked_again),
        TEST(a_group_that_cannot_be_reached_is_not_missing),
        TEST(adding_a_scope_twice_changes_nothing),
        TEST(a_dropped_scope_says_nothing_more_not_even_what_waited),
        TEST(events_that_are_not_taken_stop_the_reading_and_none_is_lost),
        TEST(an_empty_scope_is_refused),
        TEST(each_step_has_the_message_of_the_documentation),
        TEST(each_failure_has_the_message_of_the_documentation),
        TEST(D58_under_all_faults_the_events_add_up_to_the_cluster),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
