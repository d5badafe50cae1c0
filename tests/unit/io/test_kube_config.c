/* io/kube_config: what a kubeconfig and a service account give, and what is refused with its place. */
#include "core/buf.h"
#include "io/kube_config.h"

#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>

/* "-----BEGIN X-----\n" in base64 */
#define PEM      "LS0tLS1CRUdJTiBYLS0tLS0K"
#define PEM_TEXT "-----BEGIN X-----\n"

/* A kubeconfig with these members of cluster, user and context in flow style. */
static enum rc parse(const char *cluster, const char *user, const char *context, bool insecure,
                     struct kube_config *ret, struct err *e)
{
    AUTO(buf_done) struct buf b = BUF_INIT(1 << 20);
    buf_addf(&b,
             "apiVersion: v1\nkind: Config\ncurrent-context: c\n"
             "clusters:\n- name: k\n  cluster: {%s}\n"
             "users:\n- name: u\n  user: {%s}\n"
             "contexts:\n- name: other\n  context: {cluster: gone}\n- name: c\n  context: {%s}\n",
             cluster, user, context);
    return kube_config_parse(buf_slice(&b), "kc.yaml", insecure, ret, e);
}
#define CONTEXT "cluster: k, user: u"
#define SERVER  "server: 'https://h:6443'"

static void a_full_kubeconfig_gives_its_target(void **state)
{
    (void)state;
    AUTO(kube_config_done) struct kube_config c = {0};
    struct err e;
    assert_int_equal(parse(SERVER ", certificate-authority-data: " PEM
                                  ", tls-server-name: kube.local, "
                                  "disable-compression: true, extensions: [{name: a}]",
                           "token: t0ken, client-certificate-data: " PEM ", client-key-data: " PEM,
                           CONTEXT ", namespace: ns", false, &c, &e),
                     RC_OK);
    assert_string_equal(c.target.url, "https://h:6443");
    assert_string_equal(c.target.ca_pem, PEM_TEXT);
    assert_string_equal(c.target.cert_pem, PEM_TEXT);
    assert_string_equal(c.target.key_pem, PEM_TEXT);
    assert_string_equal(c.target.token, "t0ken");
    assert_string_equal(c.target.server_name, "kube.local");
    assert_false(c.target.insecure);
    assert_true(c.target.no_compression);
    assert_string_equal(c.ns, "ns");
    kube_config_done(NULL);
}

static void empty_values_are_as_good_as_absent_ones(void **state)
{
    (void)state;
    AUTO(kube_config_done) struct kube_config c = {0};
    struct err e;
    assert_int_equal(parse(SERVER ", certificate-authority: \"\", insecure-skip-tls-verify: false",
                           "username: \"\", exec: null, as-groups: [], token: \"\"", CONTEXT, false,
                           &c, &e),
                     RC_OK);
    assert_null(c.target.token);
    assert_null(c.target.ca_pem);
    assert_false(c.target.no_compression);
    assert_null(c.ns);
}

static void a_context_without_user_has_no_credentials(void **state)
{
    (void)state;
    AUTO(kube_config_done) struct kube_config c = {0};
    struct err e;
    assert_int_equal(parse(SERVER, "token: x", "cluster: k", false, &c, &e), RC_OK);
    assert_null(c.target.token);
}

static void skipping_the_check_is_only_for_those_who_allow_it(void **state)
{
    (void)state;
    AUTO(kube_config_done) struct kube_config c = {0};
    struct err e;
    assert_int_equal(parse(SERVER ", insecure-skip-tls-verify: true", "", CONTEXT, true, &c, &e),
                     RC_OK);
    assert_true(c.target.insecure);
}

static void talking_in_clear_is_for_this_machine_or_for_those_who_allow_it(void **state)
{
    (void)state;
    AUTO(kube_config_done) struct kube_config local = {0}, allowed = {0};
    struct err e;
    assert_int_equal(parse("server: 'http://[::1]:8001'", "token: x", CONTEXT, false, &local, &e),
                     RC_OK);
    assert_string_equal(local.target.url, "http://[::1]:8001");
    assert_int_equal(parse("server: 'http://h'", "token: x", CONTEXT, true, &allowed, &e), RC_OK);
    assert_string_equal(allowed.target.url, "http://h");
}

/* What is refused, and the words that say where and what to do. */
static const struct refusal {
    const char *cluster, *user, *context, *says;
} REFUSALS[] = {
    {SERVER ", certificate-authority: /ca.crt", "", CONTEXT,
     "cluster.certificate-authority is not supported; use certificate-authority-data"},
    {SERVER ", proxy-url: 'http://p'", "", CONTEXT, "cluster.proxy-url is not supported"},
    {SERVER ", insecure-skip-tls-verify: true", "", CONTEXT, "insecure-skip-tls-verify is refused"},
    {SERVER ", insecure-skip-tls-verify: maybe", "", CONTEXT, "neither true nor false"},
    {SERVER ", disable-compression: 'yes'", "", CONTEXT,
     "disable-compression is neither true nor false"},
    {"server: 'http://h:6443'", "token: secret", CONTEXT,
     "cluster.server is http:// and not of this machine"},
    {SERVER ", certificate-authority-dat: x", "", CONTEXT,
     "unknown field \"certificate-authority-dat\"; allowed: server, certificate-authority-data"},
    {SERVER ", certificate-authority-data: '@@@'", "", CONTEXT,
     "certificate-authority-data is not base64"},
    {SERVER ", certificate-authority-data: aGVsbG8=", "", CONTEXT,
     "certificate-authority-data is not PEM text"},
    {"server: 'h:6443'", "", CONTEXT, "cluster.server: the server's URL"},
    {"server: 'https://u:secret@h'", "", CONTEXT, "cluster.server: the server's URL"},
    {"tls-server-name: x", "", CONTEXT, "cluster.server"},
    {"server: [1]", "", CONTEXT, "server is no text"},
    {SERVER, "client-certificate: /secret", CONTEXT,
     "user.client-certificate is not supported; use"},
    {SERVER, "client-key: /secret", CONTEXT,
     "user.client-key is not supported; use client-key-data"},
    {SERVER, "tokenFile: /secret", CONTEXT, "user.tokenFile is not supported; use token"},
    {SERVER, "exec: {command: secret}", CONTEXT, "user.exec is not supported; use token"},
    {SERVER, "auth-provider: {name: secret}", CONTEXT, "user.auth-provider is not supported"},
    {SERVER, "username: secret", CONTEXT, "user.username is not supported"},
    {SERVER, "password: secret", CONTEXT, "user.password is not supported"},
    {SERVER, "as: secret", CONTEXT,
     "user.as is not supported; use the credentials of that very user"},
    {SERVER, "as-uid: secret", CONTEXT, "user.as-uid is not supported"},
    {SERVER, "as-groups: [secret]", CONTEXT, "user.as-groups is not supported"},
    {SERVER, "as-user-extra: {secret: [a]}", CONTEXT, "user.as-user-extra is not supported"},
    {SERVER, "token: \"secret\\r\\nX: y\"", CONTEXT, "token holds a control character"},
    {SERVER, "client-certificate-data: " PEM, CONTEXT,
     "client-certificate-data without client-key-data"},
    {SERVER, "client-key-data: " PEM, CONTEXT, "client-key-data without client-certificate-data"},
    {SERVER, "client-key-data: 'secret'", CONTEXT, "client-key-data is not"},
    {SERVER, "tokn: secret", CONTEXT, "user has the unknown field \"tokn\"; allowed: token"},
    {SERVER, "", "cluster: nope, user: u", "clusters has no entry named \"nope\""},
    {SERVER, "", "cluster: k, user: nope", "users has no entry named \"nope\""},
    {SERVER, "", "cluster: k, usr: u", "context has the unknown field \"usr\""},
};

static void what_is_refused_is_named_with_its_place_and_without_its_value(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof REFUSALS / sizeof *REFUSALS; i++) {
        const struct refusal *r = &REFUSALS[i];
        struct kube_config c = {0};
        struct err e = ERR_INIT;
        assert_int_equal(parse(r->cluster, r->user, r->context, false, &c, &e), RC_INVALID);
        if (!strstr(e.msg, r->says))
            print_error("%s\n", e.msg);
        assert_non_null(strstr(e.msg, r->says));
        assert_true(slice_starts(slice_str(e.msg), SLICE("kc.yaml:")));
        assert_null(strstr(e.msg, "secret"));
        assert_null(c.target.url);
    }
}

static void the_place_is_that_of_the_field(void **state)
{
    (void)state;
    struct kube_config c = {0};
    struct err e = ERR_INIT;
    const char *text =
        "current-context: c\ncontexts:\n- name: c\n  context:\n    cluster: k\n    user: u\n"
        "clusters:\n- name: k\n  cluster:\n    server: https://h\n"
        "users:\n- name: u\n  user:\n    token: t\n    exec:\n      command: x\n";
    assert_int_equal(kube_config_parse(slice_str(text), "f", false, &c, &e), RC_INVALID);
    int line = 0;
    assert_int_equal(sscanf(e.msg, "f:%d:", &line), 1);
    assert_in_range(line, 15, 16);
}

#define LONG                                                                                       \
    "a-context-whose-name-is-so-long-that-a-list-of-names-ends-before-the-second-one-of-them-"     \
    "and-that-one-alone-still-fits-into-it"

static void what_is_no_kubeconfig_is_refused(void **state)
{
    (void)state;
    const struct {
        const char *text, *says;
    } rows[] = {
        {"", "one YAML document"},
        {"a: 1\n---\nb: 2\n", "one YAML document"},
        {"[1]", "no mapping"},
        {"kind: Pod\n", "kind is not Config"},
        {"kind: Config\n", "set it to the name of one of the contexts"},
        {"contexts: [{name: c, context: {}}, {x: 1}, {name: d}]\n",
         "set it to the name of one of the contexts; there are: c, d"},
        {"current-context: x\ncontexts: [{name: c}, {name: d}]\n",
         "contexts has no entry named \"x\"; there are: c, d"},
        {"current-context: x\ncontexts: [{name: " LONG "}, {name: " LONG "}]\n",
         "contexts has no entry named \"x\"; there are: " LONG ", ..."},
        {"kind: Config\ncurrent-context: c\n", "contexts has no entry named \"c\""},
        {"current-context: c\ncontexts: [{name: c}]\n", "the entry has no context"},
        {"current-context: c\ncontexts: [{name: c, context: {}}, {name: c, context: {}}]\n",
         "two entries"},
        {"current-context: c\ncontexts: [{name: c, context: 7}]\n", "context is no mapping"},
        {"curent-context: c\n", "unknown field \"curent-context\""},
        {"a: [", "f:"},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct kube_config c = {0};
        struct err e = ERR_INIT;
        assert_int_equal(kube_config_parse(slice_str(rows[i].text), "f", false, &c, &e),
                         RC_INVALID);
        if (!strstr(e.msg, rows[i].says))
            print_error("%s\n", e.msg);
        assert_non_null(strstr(e.msg, rows[i].says));
    }
}

static void a_file_that_is_too_large_is_refused(void **state)
{
    (void)state;
    static char text[(1 << 20) + 1];
    struct kube_config c = {0};
    struct err e = ERR_INIT;
    memset(text, '\n', sizeof text);
    assert_int_equal(kube_config_parse(slice_of(text, sizeof text), "f", false, &c, &e), RC_LIMIT);
}

/* ---- in the cluster ---- */

struct folder {
    char path[64];
};

static void put_file(const struct folder *f, const char *name, const char *text)
{
    char path[128];
    snprintf(path, sizeof path, "%s/%s", f->path, name);
    FILE *out = fopen(path, "w");
    assert_non_null(out);
    assert_true(fputs(text, out) >= 0);
    assert_int_equal(fclose(out), 0);
}

static int make_folder(void **state)
{
    struct folder *f = calloc(1, sizeof *f);
    snprintf(f->path, sizeof f->path, "/tmp/resilog-test-XXXXXX");
    *state = f;
    return mkdtemp(f->path) ? 0 : -1;
}

static int remove_folder(void **state)
{
    struct folder *f = *state;
    const char *const names[] = {"token", "ca.crt", "namespace"};
    for (size_t i = 0; i < 3; i++) {
        char path[128];
        snprintf(path, sizeof path, "%s/%s", f->path, names[i]);
        unlink(path);
    }
    rmdir(f->path);
    free(f);
    return 0;
}

static void the_service_account_gives_a_target(void **state)
{
    struct folder *f = *state;
    AUTO(kube_config_done) struct kube_config c = {0}, six = {0};
    struct err e;
    put_file(f, "token", "abc\n");
    put_file(f, "ca.crt", PEM_TEXT);
    assert_int_equal(kube_config_in_cluster("10.0.0.1", "443", f->path, &six, &e), RC_OK);
    assert_null(six.ns);
    kube_config_done(&six);
    put_file(f, "namespace", "ns");
    assert_int_equal(kube_config_in_cluster("10.0.0.1", "443", f->path, &c, &e), RC_OK);
    assert_string_equal(c.target.url, "https://10.0.0.1:443");
    assert_string_equal(c.target.token, "abc");
    assert_string_equal(c.target.ca_pem, "-----BEGIN X-----");
    assert_string_equal(c.ns, "ns");
    assert_int_equal(kube_config_in_cluster("fd00::1", "443", f->path, &six, &e), RC_OK);
    assert_string_equal(six.target.url, "https://[fd00::1]:443");
}

static void without_a_service_account_the_missing_part_is_named(void **state)
{
    struct folder *f = *state;
    struct kube_config c = {0};
    struct err e = ERR_INIT;
    assert_int_equal(kube_config_in_cluster(NULL, "443", f->path, &c, &e), RC_NOTFOUND);
    assert_non_null(strstr(e.msg, "KUBERNETES_SERVICE_HOST"));
    assert_int_equal(kube_config_in_cluster("h", "", f->path, &c, &e), RC_NOTFOUND);
    assert_int_equal(kube_config_in_cluster("h", "1", f->path, &c, &e), RC_NOTFOUND);
    assert_non_null(strstr(e.msg, "/token"));
    put_file(f, "token", " \n");
    assert_int_equal(kube_config_in_cluster("h", "1", f->path, &c, &e), RC_INVALID);
    put_file(f, "token", "abc");
    assert_int_equal(kube_config_in_cluster("h", "1", f->path, &c, &e), RC_NOTFOUND);
    assert_non_null(strstr(e.msg, "/ca.crt"));
    assert_null(c.target.url);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_full_kubeconfig_gives_its_target),
        cmocka_unit_test(empty_values_are_as_good_as_absent_ones),
        cmocka_unit_test(a_context_without_user_has_no_credentials),
        cmocka_unit_test(skipping_the_check_is_only_for_those_who_allow_it),
        cmocka_unit_test(talking_in_clear_is_for_this_machine_or_for_those_who_allow_it),
        cmocka_unit_test(what_is_refused_is_named_with_its_place_and_without_its_value),
        cmocka_unit_test(the_place_is_that_of_the_field),
        cmocka_unit_test(what_is_no_kubeconfig_is_refused),
        cmocka_unit_test(a_file_that_is_too_large_is_refused),
        cmocka_unit_test_setup_teardown(the_service_account_gives_a_target, make_folder,
                                        remove_folder),
        cmocka_unit_test_setup_teardown(without_a_service_account_the_missing_part_is_named,
                                        make_folder, remove_folder),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
