/* io/kube_config_as: impersonation as header lines. */
#include "core/buf.h"
#include "io/kube_config.h"

#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>

/* The header lines of a user with these members, joined by "|". */
static enum rc lines_of(const char *user, struct buf *out, struct err *e)
{
    AUTO(buf_done) struct buf b = BUF_INIT(1 << 20);
    AUTO(kube_config_done) struct kube_config c = {0};
    const struct kube_config_opts opts = {.file = "kc.yaml"};
    buf_addf(&b,
             "current-context: c\n"
             "clusters: [{name: k, cluster: {server: 'https://h'}}]\n"
             "users: [{name: u, user: {token: t, %s}}]\n"
             "contexts: [{name: c, context: {cluster: k, user: u}}]\n",
             user);
    enum rc rc = kube_config_parse(buf_slice(&b), &opts, &c, e);
    for (size_t i = 0; c.target.headers && c.target.headers[i]; i++)
        buf_addf(out, "%s%s", i ? "|" : "", c.target.headers[i]);
    return rc;
}

static void who_the_requests_count_for_is_in_header_lines(void **state)
{
    (void)state;
    static const struct {
        const char *user, *lines;
    } rows[] = {
        {"", ""},
        {"as: '', as-groups: []", ""},
        {"as: jane", "Impersonate-User: jane"},
        {"as: 'system:serviceaccount:a:b', as-uid: '7', as-groups: [x, 'y z']",
         "Impersonate-User: system:serviceaccount:a:b|Impersonate-Uid: 7|Impersonate-Group: x|"
         "Impersonate-Group: y z"},
        {"as: j, as-user-extra: {scopes: [view, edit], 'example.com/a%b': [c]}",
         "Impersonate-User: j|Impersonate-Extra-scopes: view|Impersonate-Extra-scopes: edit|"
         "Impersonate-Extra-example.com%2Fa%25b: c"},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        AUTO(buf_done) struct buf lines = BUF_INIT(4096);
        struct err e = ERR_INIT;
        assert_int_equal(lines_of(rows[i].user, &lines, &e), RC_OK);
        assert_string_equal(lines.n ? lines.p : "", rows[i].lines);
    }
}

static void what_is_no_such_line_is_refused_without_its_value(void **state)
{
    (void)state;
    static const struct {
        const char *user, *says;
    } rows[] = {
        {"as-groups: [secret]", "without as: name the user to be"},
        {"as-uid: secret", "without as: name the user to be"},
        {"as-user-extra: {secret: [a]}", "without as: name the user to be"},
        {"as: 7", "user.as: each value must be a text"},
        {"as: [secret]", "user.as: each value must be a text"},
        {"as: \"secret\\r\\nX: y\"", "user.as holds a control character"},
        {"as: j, as-groups: secret", "user.as-groups is no list of texts"},
        {"as: j, as-groups: [\"secret\\n\"]", "user.as-groups holds a control character"},
        {"as: j, as-groups: ['']", "user.as-groups: each value must be a text"},
        {"as: j, as-user-extra: [secret]", "user.as-user-extra is no mapping"},
        {"as: j, as-user-extra: {secret: a}", "user.as-user-extra is no list of texts"},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        AUTO(buf_done) struct buf lines = BUF_INIT(4096);
        struct err e = ERR_INIT;
        assert_int_equal(lines_of(rows[i].user, &lines, &e), RC_INVALID);
        if (!strstr(e.msg, rows[i].says))
            print_error("%s\n", e.msg);
        assert_non_null(strstr(e.msg, rows[i].says));
        assert_null(strstr(e.msg, "secret"));
    }
}

static void too_many_or_too_long_values_are_refused(void **state)
{
    (void)state;
    AUTO(buf_done) struct buf many = BUF_INIT(1 << 16), lines = BUF_INIT(4096);
    AUTO(buf_done) struct buf wide = BUF_INIT(1 << 16);
    struct err e = ERR_INIT;
    buf_add_str(&many, "as: j, as-groups: [a");
    for (int i = 0; i < 300; i++)
        buf_add_str(&many, ", a");
    buf_add_str(&many, "]");
    assert_int_equal(lines_of(many.p, &lines, &e), RC_INVALID);
    assert_non_null(strstr(e.msg, "more than 256 values"));
    buf_addf(&wide, "as: %05000d", 0);
    buf_add_str(&wide, "x");
    assert_int_equal(lines_of(wide.p, &lines, &e), RC_INVALID);
    assert_non_null(strstr(e.msg, "longer than 4096 bytes"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(who_the_requests_count_for_is_in_header_lines),
        cmocka_unit_test(what_is_no_such_line_is_refused_without_its_value),
        cmocka_unit_test(too_many_or_too_long_values_are_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
