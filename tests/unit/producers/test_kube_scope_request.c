/* How much a scope asks for at once, how many scopes list at once, and when it asks again: against answers that the
 * test gives itself, since no modelled server is slow or refuses a size. */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>

#include "core/clock.h"
#include "core/env.h"
#include "core/rng.h"
#include "io/kube_discovery.h"
#include "producers/producer_queue.h"
#include "producers/kube_scope.h"
#include "tests/fakes/fake_clock.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

#define PAGE_MOST  500u
#define PAGE_LEAST 10u

/* An HTTP client that keeps the last request's path and answers nothing. */
struct silent {
    struct http http; /* first */
    http_id last;
    char path[200];
};

static enum rc start(struct http *h, const struct http_request *r, http_id *ret_id, struct err *e)
{
    struct silent *s = (struct silent *)h;
    (void)e;
    snprintf(s->path, sizeof s->path, "%.*s", SLICE_ARG(r->path));
    *ret_id = ++s->last;
    return RC_OK;
}

static void cancel(struct http *h, http_id id)
{
    (void)h;
    (void)id;
}

static const struct http_ops silent_ops = {.start = start, .cancel = cancel};

static const struct kube_resource CONFIGMAPS = {.version = SLICE("v1"),
                                                .resource = SLICE("configmaps"),
                                                .kind = SLICE("ConfigMap"),
                                                .can_list = true,
                                                .can_watch = true};

struct test {
    struct silent http;
    struct fake_clock clock;
    struct rng_seeded rng;
    struct env env;
    struct producer_queue *queue;
    struct kube_scope_world world;
    struct kube_scope *scope;
};

static struct kube_scope *add_scope(struct test *t)
{
    struct kube_scope *s = NULL;
    struct err e = ERR_INIT;
    assert_int_equal(
        kube_scope_new(&t->world, SLICE("/configmaps"), SLICE("v1"), SLICE_NULL, &s, &e), RC_OK);
    assert_int_equal(kube_scope_found(s, &CONFIGMAPS, false, &e), RC_OK);
    return s;
}

static int setup(void **state)
{
    struct test *t = calloc(1, sizeof *t);
    assert_non_null(t);
    t->http.http.ops = &silent_ops;
    fake_clock_init(&t->clock, 0);
    rng_seeded_init(&t->rng, 5);
    t->env = (struct env){.clock = &t->clock.clock, .rng = &t->rng.rng};
    t->queue = producer_queue_new();
    t->world = (struct kube_scope_world){.http = &t->http.http, .env = &t->env, .queue = t->queue};
    t->scope = add_scope(t);
    *state = t;
    return 0;
}

static int teardown(void **state)
{
    struct test *t = *state;
    kube_scope_free(t->scope);
    producer_queue_free(t->queue);
    free(t);
    return 0;
}

static enum rc step(struct test *t, struct kube_scope *s, int64_t *ret_wake)
{
    struct err e = ERR_INIT;
    t->world.verified = t->world.lost; /* nobody asks for the identity here */
    enum rc rc = kube_scope_step(s, ret_wake, &e);
    assert_true(rc >= 0);
    return rc;
}

/* The scope's next request, once its back-off is over; how long that lasted. */
static int64_t ask(struct test *t, struct kube_scope *s)
{
    int64_t wake, before = clock_boot_ns(&t->clock.clock);
    if (step(t, s, &wake) == RC_OK)
        return 0;
    fake_clock_advance(&t->clock, wake - before);
    assert_int_equal(step(t, s, &wake), RC_OK);
    return clock_boot_ns(&t->clock.clock) - before;
}

static void offer(struct kube_scope *s, const struct http_event *ev)
{
    struct err e = ERR_INIT;
    bool mine = false;
    assert_int_equal(kube_scope_offer(s, ev, &mine, &e), RC_OK);
}

/* A whole answer to request id; what the scope gave up in the middle ends unheard. */
static void answer(struct kube_scope *s, http_id id, int status, const char *body)
{
    struct http_event ev = {.id = id,
                            .kind = HTTP_HEADERS,
                            .status = status,
                            .content_type = SLICE("application/json"),
                            .retry_after_ns = -1};
    offer(s, &ev);
    ev.kind = HTTP_DATA;
    ev.data = slice_str(body);
    offer(s, &ev);
    ev.kind = HTTP_DONE;
    ev.data = SLICE_NULL;
    offer(s, &ev);
}

static void fail_request(struct test *t, int sys)
{
    struct http_event ev = {.id = t->http.last, .kind = HTTP_DONE, .retry_after_ns = -1};
    err_set(&ev.err, RC_UNAVAILABLE, ERR_RETRY, "no answer within 10 s");
    ev.err.sys = sys;
    offer(t->scope, &ev);
}

#define LIST(cont)                                                                                 \
    "{\"kind\":\"ConfigMapList\",\"apiVersion\":\"v1\",\"metadata\":{\"resourceVersion\":\"7\","   \
    "\"continue\":\"" cont "\"},\"items\":[]}"
#define STATUS(code, reason)                                                                       \
    "{\"kind\":\"Status\",\"reason\":\"" reason "\",\"message\":\"m\",\"code\":" #code "}"
#define NO_KIND                                                                                    \
    "{\"kind\":\"Status\",\"reason\":\"NotFound\",\"message\":\"the server could not find the "    \
    "requested resource\",\"code\":404}"

static void assert_page(struct test *t, unsigned want)
{
    char limit[40];
    snprintf(limit, sizeof limit, "/api/v1/configmaps?limit=%u", want);
    assert_string_equal(t->http.path, limit);
}

/* ---- Pages ---- */

static void
what_is_too_much_for_the_server_is_asked_in_smaller_pages_down_to_the_least(void **state)
{
    static const unsigned pages[] = {500, 250, 125, 62, 31, 15, PAGE_LEAST, PAGE_LEAST};
    struct test *t = *state;
    for (size_t i = 0; i < sizeof pages / sizeof *pages; i++) {
        ask(t, t->scope);
        assert_page(t, pages[i]);
        if (i % 3 == 0)
            answer(t->scope, t->http.last, 413, STATUS(413, "RequestEntityTooLarge"));
        else if (i % 3 == 1)
            answer(t->scope, t->http.last, 504, STATUS(504, "Timeout"));
        else
            fail_request(t, ETIMEDOUT);
    }
}

static void pages_grow_again_with_each_complete_listing(void **state)
{
    static const unsigned pages[] = {10, 20, 40, 80, 160, 320, PAGE_MOST, PAGE_MOST};
    struct test *t = *state;
    for (unsigned page = PAGE_MOST; page > PAGE_LEAST; page /= 2) {
        ask(t, t->scope);
        fail_request(t, ETIMEDOUT);
    }
    for (size_t i = 0; i < sizeof pages / sizeof *pages; i++) {
        ask(t, t->scope);
        assert_page(t, pages[i]);
        answer(t->scope, t->http.last, 200, LIST("next"));
        ask(t, t->scope);
        assert_non_null(strstr(t->http.path, "&continue=next"));
        answer(t->scope, t->http.last, 200, LIST(""));
        while (producer_queue_take(t->queue))
            ;
        kube_scope_restart(t->scope);
    }
}

static void D60_a_listing_whose_token_repeats_itself_begins_anew(void **state)
{
    struct test *t = *state;
    struct producer_status status;
    ask(t, t->scope);
    answer(t->scope, t->http.last, 200, LIST("next"));
    ask(t, t->scope);
    answer(t->scope, t->http.last, 200, LIST("last"));
    ask(t, t->scope);
    assert_non_null(strstr(t->http.path, "&continue=last"));
    answer(t->scope, t->http.last, 200, LIST("last"));
    kube_scope_status(t->scope, &status);
    assert_non_null(strstr(status.error, "token"));
    ask(t, t->scope);
    assert_page(t, PAGE_MOST);
    answer(t->scope, t->http.last, 200, LIST("last"));
    ask(t, t->scope);
    assert_non_null(strstr(t->http.path, "&continue=last"));
}

static void failures_that_are_not_of_size_or_time_leave_the_page_as_it_is(void **state)
{
    struct test *t = *state;
    ask(t, t->scope);
    fail_request(t, ECONNRESET);
    ask(t, t->scope);
    fail_request(t, 0);
    ask(t, t->scope);
    answer(t->scope, t->http.last, 500, STATUS(500, "InternalError"));
    ask(t, t->scope);
    answer(t->scope, t->http.last, 503, STATUS(503, "ServiceUnavailable"));
    ask(t, t->scope);
    answer(t->scope, t->http.last, 429, STATUS(429, "TooManyRequests"));
    ask(t, t->scope);
    answer(t->scope, t->http.last, 200, "<html>");
    ask(t, t->scope);
    assert_page(t, PAGE_MOST);
}

/* ---- Places ---- */

static void a_scope_between_two_pages_keeps_its_place(void **state)
{
    struct test *t = *state;
    struct kube_scope *more[KUBE_LISTINGS_MAX];
    int64_t wake;
    ask(t, t->scope);
    http_id first = t->http.last;
    for (int i = 0; i < KUBE_LISTINGS_MAX; i++) {
        more[i] = add_scope(t);
        assert_int_equal(step(t, more[i], &wake), i < KUBE_LISTINGS_MAX - 1 ? RC_OK : RC_AGAIN);
    }
    struct kube_scope *waiting = more[KUBE_LISTINGS_MAX - 1];
    answer(t->scope, first, 200, LIST("next"));
    assert_int_equal(step(t, waiting, &wake), RC_AGAIN);
    ask(t, t->scope);
    assert_int_equal(t->world.listings, KUBE_LISTINGS_MAX);
    answer(t->scope, t->http.last, 200, LIST(""));
    assert_int_equal(step(t, waiting, &wake), RC_OK);
    for (int i = 0; i < KUBE_LISTINGS_MAX; i++)
        kube_scope_free(more[i]);
    assert_int_equal(t->world.listings, 0);
}

static void a_listing_that_failed_gives_its_place_away(void **state)
{
    struct test *t = *state;
    ask(t, t->scope);
    answer(t->scope, t->http.last, 200, LIST("next"));
    ask(t, t->scope);
    assert_int_equal(t->world.listings, 1);
    fail_request(t, ECONNRESET);
    assert_int_equal(t->world.listings, 0);
    ask(t, t->scope);
    answer(t->scope, t->http.last, 403, STATUS(403, "Forbidden"));
    assert_int_equal(t->world.listings, 0);
    ask(t, t->scope);
    answer(t->scope, t->http.last, 200, LIST("next"));
    kube_scope_restart(t->scope);
    assert_int_equal(t->world.listings, 0);
}

/* ---- Discovery's word and back-off ---- */

static void a_denied_scope_waits_whatever_discovery_says(void **state)
{
    struct test *t = *state;
    struct err e = ERR_INIT;
    int64_t wake;
    ask(t, t->scope);
    answer(t->scope, t->http.last, 403, STATUS(403, "Forbidden"));
    http_id asked = t->http.last;
    for (int i = 0; i < 20; i++) {
        assert_int_equal(kube_scope_found(t->scope, &CONFIGMAPS, false, &e), RC_OK);
        assert_int_equal(step(t, t->scope, &wake), RC_AGAIN);
        fake_clock_advance(&t->clock, NS_PER_S / 2);
    }
    assert_int_equal(t->http.last, asked);
    struct producer_status status;
    kube_scope_status(t->scope, &status);
    assert_int_equal(status.phase, PRODUCER_DENIED);
}

static void
a_kind_that_discovery_names_and_lists_do_not_find_is_asked_more_and_more_rarely(void **state)
{
    struct test *t = *state;
    struct err e = ERR_INIT;
    int64_t waited = 0, last = 0;
    for (int i = 0; i < 10; i++) {
        last = ask(t, t->scope);
        waited += last;
        answer(t->scope, t->http.last, 404, NO_KIND);
        assert_true(t->world.kinds_changed); /* discovery is asked, and says: */
        assert_int_equal(kube_scope_found(t->scope, &CONFIGMAPS, false, &e), RC_OK);
    }
    assert_true(waited > 30 * NS_PER_S && last > 10 * NS_PER_S);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(what_is_too_much_for_the_server_is_asked_in_smaller_pages_down_to_the_least),
        TEST(pages_grow_again_with_each_complete_listing),
        TEST(D60_a_listing_whose_token_repeats_itself_begins_anew),
        TEST(failures_that_are_not_of_size_or_time_leave_the_page_as_it_is),
        TEST(a_scope_between_two_pages_keeps_its_place),
        TEST(a_listing_that_failed_gives_its_place_away),
        TEST(a_denied_scope_waits_whatever_discovery_says),
        TEST(a_kind_that_discovery_names_and_lists_do_not_find_is_asked_more_and_more_rarely),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
