/* controller/zk_health: the question to a scripted server, and which answers are well. */
#include "controller/zk_health.h"

#include "core/buf.h"
#include "io/zk_admin.h"

#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <setjmp.h>
#include <cmocka.h>

/* Answers once it was waited for: first the headers, then the end. */
struct server {
    struct http http; /* first */
    const char *body;
    size_t asked, waited, told;
    enum rc wait_fails;
};

static enum rc server_start(struct http *h, const struct http_request *r, http_id *ret_id,
                            struct err *e)
{
    struct server *s = (struct server *)h;
    (void)e;
    assert_int_equal(r->method, HTTP_GET);
    assert_true(slice_eq(r->path, SLICE("/commands/srvr")));
    assert_int_equal(r->body_max, ZK_ADMIN_BODY_MAX);
    *ret_id = ++s->asked;
    return RC_OK;
}

static enum rc server_take(struct http *h, struct http_event *ret, struct err *e)
{
    struct server *s = (struct server *)h;
    (void)e;
    if (s->told == s->waited)
        return RC_AGAIN;
    *ret = (struct http_event){.id = 1,
                               .kind = s->told++ ? HTTP_DONE : HTTP_HEADERS,
                               .status = 200,
                               .retry_after_ns = -1,
                               .data = slice_str(s->body)};
    return RC_OK;
}

static enum rc server_wait(struct http *h, int wake_fd, int64_t timeout_ns, struct err *e)
{
    struct server *s = (struct server *)h;
    (void)wake_fd;
    assert_true(timeout_ns > 0);
    if (s->wait_fails != RC_OK)
        return err_set(e, s->wait_fails, ERR_FATAL, "cannot wait");
    s->waited++;
    return RC_OK;
}

static const struct http_ops SERVER = {
    .start = server_start, .take = server_take, .wait = server_wait};

static void an_answer_is_waited_for_and_read(void **state)
{
    (void)state;
    struct server s = {.http.ops = &SERVER,
                       .body = "{\"version\":\"3.9.5-x\",\"read_only\":false,"
                               "\"server_stats\":{\"server_state\":\"follower\"}}"};
    struct zk_admin_facts f;
    struct err e = ERR_INIT;
    assert_int_equal(zk_health_ask(&s.http, &f, &e), RC_OK);
    assert_string_equal(f.version, "3.9.5");
    assert_string_equal(f.state, "follower");
    assert_int_equal(s.asked, 1);
    assert_int_equal(s.waited, 2);
}

static void what_is_no_answer_is_an_error(void **state)
{
    (void)state;
    struct server s = {.http.ops = &SERVER, .body = "imok"};
    struct zk_admin_facts f;
    struct err e = ERR_INIT;
    assert_int_equal(zk_health_ask(&s.http, &f, &e), RC_INVALID);
    assert_non_null(strstr(e.msg, "no JSON object"));
    s = (struct server){.http.ops = &SERVER, .wait_fails = RC_IO};
    assert_int_equal(zk_health_ask(&s.http, &f, &e), RC_IO);
    assert_string_equal(e.msg, "cannot wait");
}

static void each_answer_is_well_or_told_with_what_to_do(void **state)
{
    (void)state;
    static const struct {
        struct zk_admin_facts facts;
        const char *why;
    } rows[] = {
        {{.version = "3.8.0", .major = 3, .minor = 8, .state = "standalone"}, ""},
        {{.version = "3.6.0", .major = 3, .minor = 6, .state = "leader"}, ""},
        {{.version = "3.10.1", .major = 3, .minor = 10, .state = "follower"}, ""},
        {{.version = "4.0.0", .major = 4, .minor = 0, .state = "observer"}, ""},
        {{.version = "3.5.9", .major = 3, .minor = 5, .state = "leader"},
         "ZooKeeper 3.5.9 is too old; allowed are 3.6 and later: upgrade it"},
        {{.version = "2.9.0", .major = 2, .minor = 9, .state = "leader"},
         "ZooKeeper 2.9.0 is too old; allowed are 3.6 and later: upgrade it"},
        {{.version = "3.8.0", .major = 3, .minor = 8, .state = "read-only", .read_only = true},
         "ZooKeeper 3.8.0 is read-only; allowed are standalone, leader, follower and observer: see "
         "that a majority of its ensemble runs, and that it reaches them"},
        {{.version = "3.8.0", .major = 3, .minor = 8, .state = "looking"},
         "ZooKeeper 3.8.0 says that it is \"looking\"; allowed are standalone, leader, follower "
         "and observer: try again when it is one of these"},
        {{.error = "This ZooKeeper instance is not currently serving requests"},
         "the server says \"This ZooKeeper instance is not currently serving requests\"; one that "
         "serves requests is needed: see that a majority of its ensemble runs"},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        AUTO(buf_done) struct buf why = BUF_INIT(1024);
        zk_health_judge(&rows[i].facts, &why);
        assert_int_equal(why.bad, RC_OK);
        assert_string_equal(why.p ? why.p : "", rows[i].why);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_answer_is_waited_for_and_read),
        cmocka_unit_test(what_is_no_answer_is_an_error),
        cmocka_unit_test(each_answer_is_well_or_told_with_what_to_do),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
