/* io/http_auth: files that change are used a second later, at once after a 401, and never half. */
#include "io/http_auth.h"

#include "core/env.h"
#include "tests/fakes/fake_clock.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>

#define PEM(x) "-----BEGIN " x
static const char *const NAMES[] = {"token", "ca", "cert", "key"};

struct rig {
    struct fake_clock clock;
    struct env env;
    char folder[64], path[HTTP_LOGIN_PARTS][96];
    struct http_auth *auth;
};

static void put(const struct rig *r, enum http_login_part which, const char *text)
{
    char fresh[128];
    snprintf(fresh, sizeof fresh, "%s.new", r->path[which]);
    FILE *f = fopen(fresh, "w");
    assert_non_null(f);
    assert_true(fputs(text, f) >= 0);
    assert_int_equal(fclose(f), 0);
    assert_int_equal(rename(fresh, r->path[which]), 0); /* another inode: never the same state */
}

static void open_auth(struct rig *r, const struct http_target *t)
{
    struct err e = ERR_INIT;
    if (http_auth_open(t, &r->env, &r->auth, &e) != RC_OK)
        fail_msg("%s", e.msg);
}

static void open_files(struct rig *r)
{
    struct http_target t = {.token = "old",
                            .token_file = r->path[HTTP_LOGIN_TOKEN],
                            .ca_file = r->path[HTTP_LOGIN_CA],
                            .cert_pem = PEM("old"),
                            .cert_file = r->path[HTTP_LOGIN_CERT],
                            .key_pem = PEM("old"),
                            .key_file = r->path[HTTP_LOGIN_KEY]};
    open_auth(r, &t);
}

static int set_up(void **state)
{
    struct rig *r = calloc(1, sizeof *r);
    *state = r;
    fake_clock_init(&r->clock, 0);
    r->env.clock = &r->clock.clock;
    snprintf(r->folder, sizeof r->folder, "/tmp/resilog-test-XXXXXX");
    if (!mkdtemp(r->folder))
        return -1;
    for (int i = 0; i < HTTP_LOGIN_PARTS; i++)
        snprintf(r->path[i], sizeof r->path[i], "%s/%s", r->folder, NAMES[i]);
    put(r, HTTP_LOGIN_TOKEN, "t1\n");
    put(r, HTTP_LOGIN_CA, PEM("a1"));
    put(r, HTTP_LOGIN_CERT, PEM("c1"));
    put(r, HTTP_LOGIN_KEY, PEM("k1"));
    return 0;
}

static int tear_down(void **state)
{
    struct rig *r = *state;
    http_auth_close(r->auth);
    for (int i = 0; i < HTTP_LOGIN_PARTS; i++)
        unlink(r->path[i]);
    rmdir(r->folder);
    free(r);
    return 0;
}

static void later(struct rig *r)
{
    fake_clock_advance(&r->clock, NS_PER_S);
}

/* What a request that is made now carries. */
static struct http_login *login(struct rig *r)
{
    struct http_login *l = NULL;
    struct err e = ERR_INIT;
    assert_int_equal(http_auth_login(r->auth, &l, &e), RC_OK);
    return l;
}

static void expect(struct rig *r, enum http_login_part which, const char *text)
{
    struct http_login *l = login(r);
    assert_string_equal(l->part[which], text);
    http_login_unref(l);
}

static void what_has_no_file_stays(void **state)
{
    struct rig *r = *state;
    struct http_target t = {.token = "fixed"};
    open_auth(r, &t);
    for (int i = 0; i < 3; i++, later(r))
        expect(r, HTTP_LOGIN_TOKEN, "fixed");
}

static void files_are_read_anew_when_a_client_is_opened(void **state)
{
    struct rig *r = *state;
    open_files(r);
    expect(r, HTTP_LOGIN_TOKEN, "t1");
    expect(r, HTTP_LOGIN_CA, PEM("a1"));
    expect(r, HTTP_LOGIN_CERT, PEM("c1"));
    expect(r, HTTP_LOGIN_KEY, PEM("k1"));
}

static void a_changed_file_is_used_once_it_has_settled(void **state)
{
    struct rig *r = *state;
    open_files(r);
    struct http_login *before = login(r);
    put(r, HTTP_LOGIN_TOKEN, "t2");
    expect(r, HTTP_LOGIN_TOKEN, "t1"); /* the next look is a second away */
    later(r);
    expect(r, HTTP_LOGIN_TOKEN, "t1"); /* seen once */
    later(r);
    expect(r, HTTP_LOGIN_TOKEN, "t2");
    assert_string_equal(before->authorization, "Authorization: Bearer t1");
    http_login_unref(before);
}

static void a_file_that_goes_on_changing_is_not_used_yet(void **state)
{
    struct rig *r = *state;
    open_files(r);
    put(r, HTTP_LOGIN_CERT, PEM("c2"));
    later(r);
    expect(r, HTTP_LOGIN_CERT, PEM("c1"));
    put(r, HTTP_LOGIN_KEY, PEM("k2"));
    later(r);
    expect(r, HTTP_LOGIN_CERT, PEM("c1"));
    later(r);
    expect(r, HTTP_LOGIN_CERT, PEM("c2"));
    expect(r, HTTP_LOGIN_KEY, PEM("k2"));
}

static void after_a_401_a_change_is_used_at_the_next_look(void **state)
{
    struct rig *r = *state;
    open_files(r);
    struct http_login *l = login(r);
    put(r, HTTP_LOGIN_TOKEN, "t2");
    http_auth_refused(r->auth, l);
    http_login_unref(l);
    later(r);
    expect(r, HTTP_LOGIN_TOKEN, "t2");
}

static void a_401_to_what_is_used_no_more_hastens_nothing(void **state)
{
    struct rig *r = *state;
    open_files(r);
    struct http_login *old = login(r);
    put(r, HTTP_LOGIN_TOKEN, "t2");
    later(r);
    expect(r, HTTP_LOGIN_TOKEN, "t1");
    later(r);
    expect(r, HTTP_LOGIN_TOKEN, "t2");
    http_auth_refused(r->auth, old);
    http_login_unref(old);
    put(r, HTTP_LOGIN_TOKEN, "t3");
    later(r);
    expect(r, HTTP_LOGIN_TOKEN, "t2");
}

static void a_file_of_no_use_changes_nothing_until_it_is_of_use_again(void **state)
{
    struct rig *r = *state;
    static const char *const rows[] = {"", "no pem", NULL};
    open_files(r);
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        put(r, HTTP_LOGIN_TOKEN, "t2");
        if (rows[i])
            put(r, HTTP_LOGIN_KEY, rows[i]);
        else
            unlink(r->path[HTTP_LOGIN_KEY]);
        for (int k = 0; k < 3; k++, later(r)) {
            expect(r, HTTP_LOGIN_KEY, PEM("k1"));
            expect(r, HTTP_LOGIN_TOKEN, "t1");
        }
    }
    put(r, HTTP_LOGIN_KEY, PEM("k2"));
    later(r);
    expect(r, HTTP_LOGIN_KEY, PEM("k1"));
    later(r);
    expect(r, HTTP_LOGIN_KEY, PEM("k2"));
    expect(r, HTTP_LOGIN_TOKEN, "t2");
}

static void where_no_file_can_be_read_at_the_start_the_loaded_text_counts(void **state)
{
    struct rig *r = *state;
    unlink(r->path[HTTP_LOGIN_TOKEN]);
    open_files(r);
    expect(r, HTTP_LOGIN_TOKEN, "old");
    expect(r, HTTP_LOGIN_CERT, PEM("old"));
    put(r, HTTP_LOGIN_TOKEN, "t2");
    later(r);
    expect(r, HTTP_LOGIN_TOKEN, "old");
    later(r);
    expect(r, HTTP_LOGIN_TOKEN, "t2");
}

#define RIG_TEST(f) cmocka_unit_test_setup_teardown(f, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        RIG_TEST(what_has_no_file_stays),
        RIG_TEST(files_are_read_anew_when_a_client_is_opened),
        RIG_TEST(a_changed_file_is_used_once_it_has_settled),
        RIG_TEST(a_file_that_goes_on_changing_is_not_used_yet),
        RIG_TEST(after_a_401_a_change_is_used_at_the_next_look),
        RIG_TEST(a_401_to_what_is_used_no_more_hastens_nothing),
        RIG_TEST(a_file_of_no_use_changes_nothing_until_it_is_of_use_again),
        RIG_TEST(where_no_file_can_be_read_at_the_start_the_loaded_text_counts),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
