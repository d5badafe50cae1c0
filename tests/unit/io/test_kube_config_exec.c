/* io/kube_config_exec: the program that a user names, and what is refused. */
#include "core/buf.h"
#include "io/kube_config.h"

#include <stdio.h>
#include <string.h>

#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>

#define V1     "apiVersion: client.authentication.k8s.io/v1"
#define WITH_X "exec: {" V1 ", command: x, "

/* A kubeconfig in /etc/kc with these members of the user. */
static enum rc parse(const char *user, bool allow_exec, struct kube_config *ret, struct err *e)
{
    AUTO(buf_done) struct buf b = BUF_INIT(1 << 20);
    const struct kube_config_opts opts = {.file = "/etc/kc/k.yaml", .allow_exec = allow_exec};
    buf_addf(&b,
             "current-context: c\n"
             "clusters: [{name: k, cluster: {server: 'https://h'}}]\n"
             "contexts: [{name: c, context: {cluster: k, user: u}}]\n"
             "users:\n- name: u\n  user:\n    %s\n",
             user);
    return kube_config_parse(buf_slice(&b), &opts, ret, e);
}

static void the_program_its_arguments_and_environment_are_taken(void **state)
{
    (void)state;
    AUTO(kube_config_done) struct kube_config c = {0};
    struct err e = ERR_INIT;
    const char *user =
        WITH_X "args: [a, 'b c', ''], interactiveMode: IfAvailable, installHint: h, "
               "provideClusterInfo: false, env: [{name: A_B, value: v=w}, {name: C}]}";
    if (parse(user, true, &c, &e) != RC_OK)
        fail_msg("%s", e.msg);
    const struct http_exec *x = c.target.exec;
    assert_string_equal(x->api_version, "client.authentication.k8s.io/v1");
    assert_string_equal(x->argv[0], "x");
    assert_string_equal(x->argv[1], "a");
    assert_string_equal(x->argv[2], "b c");
    assert_string_equal(x->argv[3], "");
    assert_null(x->argv[4]);
    assert_string_equal(x->env[0], "A_B=v=w");
    assert_string_equal(x->env[1], "C=");
    assert_null(x->env[2]);
}

static void a_command_with_a_slash_begins_in_the_kubeconfigs_folder(void **state)
{
    (void)state;
    static const struct {
        const char *command, *is;
    } rows[] = {{"aws", "aws"}, {"./aws", "/etc/kc/./aws"}, {"/bin/aws", "/bin/aws"}};
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        AUTO(kube_config_done) struct kube_config c = {0};
        struct err e = ERR_INIT;
        char user[128];
        snprintf(user, sizeof user, "exec: {" V1 ", command: %s}", rows[i].command);
        assert_int_equal(parse(user, true, &c, &e), RC_OK);
        assert_string_equal(c.target.exec->argv[0], rows[i].is);
        assert_null(c.target.exec->env[0]);
    }
}

static void without_the_flag_no_program_is_taken(void **state)
{
    (void)state;
    struct kube_config c = {0};
    struct err e = ERR_INIT;
    assert_int_equal(parse("exec: {" V1 ", command: secret}", false, &c, &e), RC_INVALID);
    assert_non_null(strstr(e.msg, "/etc/kc/k.yaml:7:"));
    assert_non_null(strstr(e.msg, "user.exec runs a program, which is allowed by --allow-exec"));
    assert_null(strstr(e.msg, "secret"));
}

static void what_cannot_be_done_is_refused_without_its_value(void **state)
{
    (void)state;
    static const struct {
        const char *user, *says;
    } rows[] = {
        {"exec: secret", "user.exec is no mapping"},
        {"exec: {command: secret}", "user.exec.apiVersion: allowed are client.authentication"},
        {"exec: {command: x, apiVersion: client.authentication.k8s.io/v1alpha1}",
         "user.exec.apiVersion: allowed are client.authentication.k8s.io/v1 and"},
        {"exec: {" V1 "}", "user.exec.command: name the program"},
        {"exec: {" V1 ", command: [secret]}", "user.exec.command: name the program"},
        {WITH_X "arg: [secret]}", "user.exec has the unknown field \"arg\"; allowed: apiVersion"},
        {WITH_X "args: secret}", "user.exec.args is no list of texts"},
        {WITH_X "args: [7]}", "user.exec.args is no list of texts"},
        {WITH_X "args: [\"secret\\0\"]}", "user.exec holds a NUL byte"},
        {WITH_X "env: {secret: x}}", "user.exec.env is no list of name and value"},
        {WITH_X "env: [{name: 'secret=', value: x}]}", "user.exec.env is no list of name and"},
        {WITH_X "env: [{name: a, value: 7}]}", "user.exec.env is no list of name and value"},
        {WITH_X "env: [{nam: a}]}", "user.exec.env has the unknown field \"nam\""},
        {WITH_X "interactiveMode: Always}", "interactiveMode: allowed are Never and IfAvailable"},
        {WITH_X "provideClusterInfo: true}", "user.exec.provideClusterInfo is not supported"},
        {WITH_X "}\n    token: secret", "user has both exec and token; use one"},
        {WITH_X "}\n    tokenFile: /dev/null", "/dev/null is empty or no text"},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct kube_config c = {0};
        struct err e = ERR_INIT;
        assert_int_equal(parse(rows[i].user, true, &c, &e), RC_INVALID);
        if (!strstr(e.msg, rows[i].says))
            print_error("%s\n", e.msg);
        assert_non_null(strstr(e.msg, rows[i].says));
        assert_null(strstr(e.msg, "secret"));
        assert_null(c.target.url);
    }
}

static void too_many_words_are_refused(void **state)
{
    (void)state;
    AUTO(buf_done) struct buf b = BUF_INIT(1 << 16);
    struct kube_config c = {0};
    struct err e = ERR_INIT;
    buf_add_str(&b, WITH_X "args: [a");
    for (int i = 0; i < 300; i++)
        buf_add_str(&b, ", a");
    buf_add_str(&b, "]}");
    assert_int_equal(parse(b.p, true, &c, &e), RC_INVALID);
    assert_non_null(strstr(e.msg, "more than 256 words"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_program_its_arguments_and_environment_are_taken),
        cmocka_unit_test(a_command_with_a_slash_begins_in_the_kubeconfigs_folder),
        cmocka_unit_test(without_the_flag_no_program_is_taken),
        cmocka_unit_test(what_cannot_be_done_is_refused_without_its_value),
        cmocka_unit_test(too_many_words_are_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
