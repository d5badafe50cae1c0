/* io/zk_admin: the question, and what is read of any answer. */
#include "io/zk_admin.h"

#include "core/buf.h"
#include "tests/unit/io/http_world.h"

#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <unistd.h>
#include <setjmp.h>
#include <cmocka.h>

#define CERTIFICATE "-----BEGIN CERTIFICATE-----\nhunter2\n-----END CERTIFICATE-----\n"

/* As 3.8.0 of Debian and 3.9.5 say it, with fewer figures. */
#define ANSWER(version, read_only, state)                                                          \
    "{\n  \"version\" : " version ",\n  \"read_only\" : " read_only ",\n"                          \
    "  \"server_stats\" : {\n    \"packets_sent\" : 0,\n    \"server_state\" : " state             \
    ",\n    \"avg_latency\" : 0.0\n  },\n  \"node_count\" : 5,\n"                                  \
    "  \"command\" : \"server_stats\",\n  \"error\" : null\n}"
#define HEALTHY ANSWER("\"3.8.0-${mvngit.commit.id}, built on 2024\"", "false", "\"standalone\"")
#define NOT_SERVING                                                                                \
    "{\n  \"command\" : \"srvr\",\n"                                                               \
    "  \"error\" : \"This ZooKeeper instance is not currently serving requests\"\n}"

static struct http_event answer(int status, const char *body)
{
    return (struct http_event){.id = 1,
                               .kind = HTTP_DONE,
                               .status = status,
                               .content_type = SLICE("application/json"),
                               .retry_after_ns = -1,
                               .data = slice_str(body)};
}

static void what_a_server_says_is_read(void **state)
{
    (void)state;
    static const struct {
        const char *body, *version, *state;
        unsigned major, minor;
        bool read_only;
    } rows[] = {
        {HEALTHY, "3.8.0", "standalone", 3, 8, false},
        {ANSWER("\"3.9.5-293c895a8d966a3e, built on 2026-02-11 20:18 UTC\"", "false", "\"leader\""),
         "3.9.5", "leader", 3, 9, false},
        {ANSWER("\"3.10.0-alpha-1-x\"", "true", "\"read-only\""), "3.10.0", "read-only", 3, 10,
         true},
        {ANSWER("\"4\"", "false", "\"foll\\nower\""), "4", "foll ower", 4, 0, false},
        {"{\"version\":\"3.5.9\",\"read_only\":false,\"server_stats\":{\"server_state\":\"x\"}}",
         "3.5.9", "x", 3, 5, false},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        const struct http_event ev = answer(200, rows[i].body);
        struct zk_admin_facts f;
        struct err e = ERR_INIT;
        assert_int_equal(zk_admin_read(&ev, &f, &e), RC_OK);
        assert_string_equal(f.version, rows[i].version);
        assert_string_equal(f.state, rows[i].state);
        assert_int_equal(f.major, rows[i].major);
        assert_int_equal(f.minor, rows[i].minor);
        assert_int_equal(f.read_only, rows[i].read_only);
        assert_string_equal(f.error, "");
    }
}

static void why_a_server_says_nothing_is_read_whatever_its_status(void **state)
{
    (void)state;
    static const struct {
        int status;
        const char *body, *error;
    } rows[] = {
        {200, NOT_SERVING, "This ZooKeeper instance is not currently serving requests"},
        {503, NOT_SERVING, "This ZooKeeper instance is not currently serving requests"},
        {200, "{\"error\":\"\"}", "an error without a text"},
        {200, "{\"error\":\"a\\u001b[1m\\nb\"}", "a [1m b"},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        const struct http_event ev = answer(rows[i].status, rows[i].body);
        struct zk_admin_facts f;
        struct err e = ERR_INIT;
        assert_int_equal(zk_admin_read(&ev, &f, &e), RC_OK);
        assert_string_equal(f.error, rows[i].error);
        assert_string_equal(f.version, "");
    }
}

#define CHECK         "; check host and port: is it admin.serverPort of a ZooKeeper server?"
#define STRANGE(what) "the answer (HTTP 200, application/json) is no AdminServer's: " what CHECK
#define MEMBER(name)  STRANGE("its member " name " is not there or of another type")

static void assert_refused(const struct http_event *ev, enum rc want, const char *msg)
{
    struct zk_admin_facts f = {.major = 77};
    struct err e = ERR_INIT;
    assert_int_equal(zk_admin_read(ev, &f, &e), want);
    assert_int_equal(e.rc, want);
    assert_string_equal(e.msg, msg);
    assert_int_equal(f.major, 77);
}

static void an_answer_that_is_no_admin_servers_is_told(void **state)
{
    (void)state;
    static const struct {
        const char *body, *msg;
    } rows[] = {
        {"", STRANGE("it is no JSON object")},
        {"imok", STRANGE("it is no JSON object")},
        {"[1]", STRANGE("it is no JSON object")},
        {"{\"version\" : \"3.8.0", STRANGE("it is no JSON object")},
        {"{}", MEMBER("version")},
        {"{\"error\":{}}", MEMBER("error")},
        {"{\"error\":5}", MEMBER("error")},
        {ANSWER("38", "false", "\"leader\""), MEMBER("version")},
        {ANSWER("\"\"", "false", "\"leader\""), MEMBER("version")},
        {ANSWER("\".8\"", "false", "\"leader\""), MEMBER("version")},
        {ANSWER("\"x3.8\"", "false", "\"leader\""), MEMBER("version")},
        {ANSWER("\"65536.0\"", "false", "\"leader\""), MEMBER("version")},
        {ANSWER("\"99999999999999999999999999999999999.1\"", "false", "\"leader\""),
         MEMBER("version")},
        {ANSWER("\"3.8.0\"", "\"false\"", "\"leader\""), MEMBER("read_only")},
        {ANSWER("\"3.8.0\"", "null", "\"leader\""), MEMBER("read_only")},
        {ANSWER("\"3.8.0\"", "false", "7"), MEMBER("server_stats.server_state")},
        {ANSWER("\"3.8.0\"", "false", "\"\""), MEMBER("server_stats.server_state")},
        {"{\"version\":\"3.8.0\",\"read_only\":false,\"server_stats\":[]}",
         MEMBER("server_stats.server_state")},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        const struct http_event ev = answer(200, rows[i].body);
        assert_refused(&ev, RC_INVALID, rows[i].msg);
    }
}

static void a_page_of_another_server_is_told_with_its_type(void **state)
{
    (void)state;
    struct http_event ev = answer(200, "<html><body>hello</body></html>");
    ev.content_type = SLICE("text/html;\x1b[1m charset=iso-8859-1");
    assert_refused(&ev, RC_INVALID,
                   "the answer (HTTP 200, text/html; [1m charset=iso-8859-1) is no AdminServer's: "
                   "it is no JSON object" CHECK);
    ev = answer(204, "");
    ev.content_type = SLICE_NULL;
    assert_refused(&ev, RC_INVALID,
                   "the answer (HTTP 204, of no type) is no AdminServer's: that answers 200" CHECK);
}

static void each_refusal_says_what_to_do(void **state)
{
    (void)state;
    static const struct {
        int status;
        const char *body;
        enum rc rc;
        const char *msg;
    } rows[] = {
        {401, "{\"error\":\"hunter2\"}", RC_DENIED,
         "HTTP 401: it refuses us; give username and password, or a client certificate, in a "
         "Secret that secretName names (they are sent over https alone)"},
        {403, "", RC_DENIED,
         "HTTP 403: it forbids the command srvr to us; allow it there, or let secretName name a "
         "Secret of somebody who may"},
        {404, "<html>", RC_NOTFOUND,
         "HTTP 404: there is no /commands/srvr; check host and port, and that admin.commandURL of "
         "the server is /commands"},
        {429, "", RC_UNAVAILABLE, "HTTP 429: it is asked too often; try again later"},
        {302, "", RC_INVALID,
         "HTTP 302: it sends us elsewhere, which is not followed; name the server itself, and "
         "protocol https where it wants that"},
        {500, "<html>", RC_UNAVAILABLE, "HTTP 500: it failed; its log says why"},
        {503, HEALTHY, RC_UNAVAILABLE, "HTTP 503: it failed; its log says why"},
        {400, "", RC_INVALID,
         "the answer (HTTP 400, application/json) is no AdminServer's: that answers 200" CHECK},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        const struct http_event ev = answer(rows[i].status, rows[i].body);
        assert_refused(&ev, rows[i].rc, rows[i].msg);
    }
}

static struct http_event failed(enum rc rc, const char *msg)
{
    struct http_event ev = {.id = 1, .kind = HTTP_DONE};
    err_set(&ev.err, rc, ERR_RETRY, "%s", msg);
    return ev;
}

static void a_server_that_does_not_answer_is_told_with_what_to_look_at(void **state)
{
    (void)state;
    struct http_event ev = failed(RC_UNAVAILABLE, "GET http://h:1/commands/srvr: cannot connect");
    assert_refused(&ev, RC_UNAVAILABLE,
                   "GET http://h:1/commands/srvr: cannot connect; check protocol, host and port, "
                   "and that the server runs with admin.enableServer=true");
    ev = failed(RC_LIMIT, "GET http://h:1/commands/srvr: too large");
    assert_refused(&ev, RC_LIMIT,
                   "GET http://h:1/commands/srvr: too large, which no AdminServer's is; check host "
                   "and port");
    ev = failed(RC_DENIED, "GET https://h:1/commands/srvr: not trusted; do it");
    assert_refused(&ev, RC_DENIED, "GET https://h:1/commands/srvr: not trusted; do it");
}

/* ---- Over a socket ---- */

static struct http *open_to(struct world *w, const struct zk_admin_target *t)
{
    struct http *h = NULL;
    struct err e = ERR_INIT;
    if (zk_admin_open(t, &w->env, &h, &e) != RC_OK)
        fail_msg("%s", e.msg);
    return h;
}

static struct http_event ask(struct http *h)
{
    http_id id;
    struct err e = ERR_INIT;
    assert_int_equal(zk_admin_start(h, &id, &e), RC_OK);
    struct http_event ev = done(h);
    assert_int_equal(ev.id, id);
    return ev;
}

static void the_question_is_one_get_of_srvr(void **state)
{
    struct world *w = *state;
    const struct zk_admin_target t = {.url = w->url};
    AUTO(http_closep) struct http *h = open_to(w, &t);
    struct http_event ev = ask(h); /* the world's server knows no such path */
    assert_int_equal(ev.status, 404);
    assert_int_equal(w->server.requests, 1);
}

static void a_port_where_nobody_listens_is_told_with_the_url(void **state)
{
    struct world *w = *state;
    char url[64], msg[300];
    int port, fd = world_bind(&port);
    snprintf(url, sizeof url, "http://127.0.0.1:%d", port);
    const struct zk_admin_target t = {.url = url};
    AUTO(http_closep) struct http *h = open_to(w, &t);
    struct http_event ev = ask(h);
    snprintf(msg, sizeof msg,
             "GET %s/commands/srvr: cannot connect: Connection refused; check protocol, host and "
             "port, and that the server runs with admin.enableServer=true",
             url);
    assert_refused(&ev, RC_UNAVAILABLE, msg);
    close(fd);
}

/* To a path of the world's server that answers in its own manner. */
static struct http *open_below(struct world *w, const char *prefix)
{
    char url[sizeof w->url + 16];
    snprintf(url, sizeof url, "%s%s", w->url, prefix);
    const struct zk_admin_target t = {.url = url};
    return open_to(w, &t);
}

static void an_answer_without_end_is_cut_off(void **state)
{
    struct world *w = *state;
    char msg[400];
    AUTO(http_closep) struct http *h = open_below(w, "/flood");
    struct http_event ev = ask(h);
    snprintf(msg, sizeof msg,
             "GET %s/commands/srvr: the answer is larger than 65536 bytes, which no AdminServer's "
             "is; check host and port",
             w->url);
    assert_refused(&ev, RC_LIMIT, msg);
}

static void half_an_answer_is_none(void **state)
{
    AUTO(http_closep) struct http *h = open_below(*state, "/cut");
    struct zk_admin_facts f;
    struct err e = ERR_INIT;
    struct http_event ev = ask(h);
    assert_int_equal(zk_admin_read(&ev, &f, &e), RC_UNAVAILABLE);
    assert_non_null(strstr(e.msg, "connection lost"));
}

static void a_server_that_is_silent_is_waited_for_10_s(void **state)
{
    struct world *w = *state;
    http_id id;
    struct http_event ev;
    struct err e = ERR_INIT;
    struct zk_admin_facts f;
    AUTO(http_closep) struct http *h = open_below(w, "/never");
    assert_int_equal(zk_admin_start(h, &id, &e), RC_OK);
    while (atomic_load(&w->server.requests) == 0) {
        assert_int_equal(http_take(h, &ev, &e), RC_AGAIN);
        assert_int_equal(http_wait(h, -1, NS_PER_MS, &e), RC_OK);
    }
    fake_clock_advance(&w->clock, ZK_ADMIN_WITHIN_S * NS_PER_S - 1);
    assert_int_equal(http_take(h, &ev, &e), RC_AGAIN);
    fake_clock_advance(&w->clock, 1);
    ev = done(h);
    assert_int_equal(zk_admin_read(&ev, &f, &e), RC_UNAVAILABLE);
    assert_non_null(strstr(e.msg, "time limit"));
}

/* The certificate is looked at when a request is made. */
static void credentials_are_taken_with_https_alone(void **state)
{
    struct world *w = *state;
    struct http *h = NULL;
    struct err e = ERR_INIT;
    struct zk_admin_target t = {.url = w->url, .user = "app", .password = "hunter2"};
    assert_int_equal(zk_admin_open(&t, &w->env, &h, &e), RC_INVALID);
    assert_non_null(strstr(e.msg, "https alone"));
    assert_null(strstr(e.msg, "hunter2"));
    t.url = "https://127.0.0.1:1";
    t.ca_pem = CERTIFICATE;
    h = open_to(w, &t);
    http_close(h);
    h = NULL;
    t.password = "hunter2\r\nHost: x";
    assert_int_equal(zk_admin_open(&t, &w->env, &h, &e), RC_INVALID);
    assert_null(strstr(e.msg, "hunter2"));
    t.url = "nonsense";
    assert_int_equal(zk_admin_open(&t, &w->env, &h, &e), RC_INVALID);
    assert_null(h);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_a_server_says_is_read),
        cmocka_unit_test(why_a_server_says_nothing_is_read_whatever_its_status),
        cmocka_unit_test(an_answer_that_is_no_admin_servers_is_told),
        cmocka_unit_test(a_page_of_another_server_is_told_with_its_type),
        cmocka_unit_test(each_refusal_says_what_to_do),
        cmocka_unit_test(a_server_that_does_not_answer_is_told_with_what_to_look_at),
        WORLD_TEST(the_question_is_one_get_of_srvr),
        WORLD_TEST(a_port_where_nobody_listens_is_told_with_the_url),
        WORLD_TEST(an_answer_without_end_is_cut_off),
        WORLD_TEST(half_an_answer_is_none),
        WORLD_TEST(a_server_that_is_silent_is_waited_for_10_s),
        WORLD_TEST(credentials_are_taken_with_https_alone),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
