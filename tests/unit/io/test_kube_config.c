/* io/kube_config: what a kubeconfig gives, and what is refused with its place. */
#include "core/buf.h"
#include "io/kube_config.h"

#include <stdio.h>
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
static enum rc parse_as(const struct kube_config_opts *opts, const char *cluster, const char *user,
                        const char *context, struct kube_config *ret, struct err *e)
{
    AUTO(buf_done) struct buf b = BUF_INIT(1 << 20);
    buf_addf(&b,
             "apiVersion: v1\nkind: Config\ncurrent-context: c\n"
             "clusters:\n- name: k\n  cluster: {%s}\n"
             "users:\n- name: u\n  user: {%s}\n"
             "contexts:\n- name: other\n  context: {cluster: gone}\n- name: c\n  context: {%s}\n",
             cluster, user, context);
    return kube_config_parse(buf_slice(&b), opts, ret, e);
}
static enum rc parse(const char *cluster, const char *user, const char *context, bool insecure,
                     struct kube_config *ret, struct err *e)
{
    const struct kube_config_opts opts = {.file = "kc.yaml", .allow_insecure = insecure};
    return parse_as(&opts, cluster, user, context, ret, e);
}
static const struct kube_config_opts PLAIN = {.file = "f"};
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
    {SERVER ", proxy-url: 'ftp://secret'", "", CONTEXT, "cluster.proxy-url is no URL of a proxy"},
    {SERVER ", insecure-skip-tls-verify: true", "", CONTEXT,
     "insecure-skip-tls-verify is refused; use certificate-authority-data, or allow it by "
     "--allow-insecure"},
    {"server: 'http://127.0.0.1', proxy-url: 'http://p'", "", CONTEXT, "cluster.server is http://"},
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
    {SERVER, "exec: {command: secret}", CONTEXT, "user.exec runs a program"},
    {SERVER, "auth-provider: {name: secret}", CONTEXT, "user.auth-provider is not supported"},
    {SERVER, "username: secret", CONTEXT, "user.username is not supported"},
    {SERVER, "password: secret", CONTEXT, "user.password is not supported"},
    {SERVER, "token: \"secret\\r\\nX: y\"", CONTEXT, "token holds a control character"},
    {SERVER, "client-certificate-data: " PEM, CONTEXT,
     "user has a client certificate without client-key-data or client-key"},
    {SERVER, "client-key-data: " PEM, CONTEXT,
     "user has a client key without client-certificate-data or client-certificate"},
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

/* What only a file may ask for: {cluster, user, field, what to use instead}. */
static const struct refusal OF_SECRETS[] = {
    {SERVER ", certificate-authority: /secret", "", "cluster.certificate-authority",
     "certificate-authority-data"},
    {SERVER ", proxy-url: 'http://secret'", "", "cluster.proxy-url", "a server that is reached"},
    {SERVER, "client-certificate: /secret", "user.client-certificate", "client-certificate-data"},
    {SERVER, "client-key: /secret", "user.client-key", "client-key-data"},
    {SERVER, "tokenFile: /secret", "user.tokenFile", "token with the file's content"},
    {SERVER, "exec: {command: secret}", "user.exec", "token of a service account"},
    {SERVER, "as: secret", "user.as", "the credentials of that very user"},
    {SERVER, "as-uid: secret", "user.as-uid", "the credentials of that very user"},
    {SERVER, "as-groups: [secret]", "user.as-groups", "the credentials of that very user"},
    {SERVER, "as-user-extra: {secret: [a]}", "user.as-user-extra", "the credentials of that"},
};

static void a_secret_holds_inline_data_only(void **state)
{
    (void)state;
    const struct kube_config_opts opts = {
        .file = "kc.yaml", .from_secret = true, .allow_insecure = true, .allow_exec = true};
    for (size_t i = 0; i < sizeof OF_SECRETS / sizeof *OF_SECRETS; i++) {
        const struct refusal *r = &OF_SECRETS[i];
        struct kube_config c = {0};
        struct err e = ERR_INIT;
        char says[256];
        assert_int_equal(parse_as(&opts, r->cluster, r->user, CONTEXT, &c, &e), RC_INVALID);
        snprintf(says, sizeof says, ": %s is not taken from a Secret; use %s", r->context, r->says);
        assert_non_null(strstr(e.msg, says));
        assert_non_null(strstr(e.msg, "by --kubeconfig NAME=FILE"));
        assert_null(strstr(e.msg, "secret"));
    }
}

static void a_proxy_is_taken_from_a_file(void **state)
{
    (void)state;
    AUTO(kube_config_done) struct kube_config c = {0};
    struct err e;
    assert_int_equal(parse(SERVER ", proxy-url: 'socks5://u:p@h:1'", "", CONTEXT, false, &c, &e),
                     RC_OK);
    assert_string_equal(c.target.proxy, "socks5://u:p@h:1");
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
    assert_int_equal(kube_config_parse(slice_str(text), &PLAIN, &c, &e), RC_INVALID);
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
        assert_int_equal(kube_config_parse(slice_str(rows[i].text), &PLAIN, &c, &e), RC_INVALID);
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
    assert_int_equal(kube_config_parse(slice_of(text, sizeof text), &PLAIN, &c, &e), RC_LIMIT);
}

/* ---- files beside the kubeconfig ---- */

struct folder {
    char path[64], kubeconfig[96];
};
static const char *const NAMES[] = {"token", "ca.crt", "tls.crt", "tls.key"};

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
    if (!mkdtemp(f->path))
        return -1;
    snprintf(f->kubeconfig, sizeof f->kubeconfig, "%s/kc.yaml", f->path);
    return 0;
}

static int remove_folder(void **state)
{
    struct folder *f = *state;
    for (size_t i = 0; i < sizeof NAMES / sizeof *NAMES; i++) {
        char path[128];
        snprintf(path, sizeof path, "%s/%s", f->path, NAMES[i]);
        unlink(path);
    }
    rmdir(f->path);
    free(f);
    return 0;
}

static enum rc parse_in(const struct folder *f, const char *cluster, const char *user,
                        struct kube_config *ret, struct err *e)
{
    const struct kube_config_opts opts = {.file = f->kubeconfig};
    return parse_as(&opts, cluster, user, CONTEXT, ret, e);
}
#define IN_FOLDER(f) cmocka_unit_test_setup_teardown(f, make_folder, remove_folder)
#define CA_FILE      ", certificate-authority: ca.crt"
#define CERT_FILES   "client-certificate: tls.crt, client-key: ./tls.key"

static void files_are_read_from_where_the_kubeconfig_lies(void **state)
{
    struct folder *f = *state;
    AUTO(kube_config_done) struct kube_config c = {0};
    struct err e = ERR_INIT;
    put_file(f, "token", "abc\r\n");
    for (size_t i = 1; i < 4; i++)
        put_file(f, NAMES[i], PEM_TEXT);
    assert_int_equal(
        parse_in(f, SERVER CA_FILE, "token: old, tokenFile: token, " CERT_FILES, &c, &e), RC_OK);
    assert_string_equal(c.target.token, "abc");
    assert_string_equal(c.target.ca_pem, "-----BEGIN X-----");
    assert_string_equal(c.target.cert_pem, "-----BEGIN X-----");
    assert_string_equal(c.target.key_pem, "-----BEGIN X-----");
}

static void inline_data_is_taken_before_a_file(void **state)
{
    struct folder *f = *state;
    AUTO(kube_config_done) struct kube_config c = {0};
    struct err e = ERR_INIT;
    assert_int_equal(
        parse_in(f, SERVER CA_FILE ", certificate-authority-data: " PEM, "token: x", &c, &e),
        RC_OK);
    assert_string_equal(c.target.ca_pem, PEM_TEXT);
}

static void a_file_that_cannot_be_used_is_named_with_its_field(void **state)
{
    struct folder *f = *state;
    static const struct {
        const char *cluster, *user, *says;
    } rows[] = {
        {SERVER ", certificate-authority: none", "", "certificate-authority: /tmp/resilog-test-"},
        {SERVER ", certificate-authority: none", "", "/none: No such file or directory"},
        {SERVER, "tokenFile: /", "tokenFile: /: Is a directory"},
        {SERVER, "tokenFile: tls.crt", "tls.crt is empty or no text"},
        {SERVER CA_FILE, "", "the file of certificate-authority is not PEM text"},
        {SERVER, "client-key: tls.key", "user has a client key without client-certificate-data"},
    };
    put_file(f, "ca.crt", "hunter2");
    put_file(f, "tls.crt", " \n");
    put_file(f, "tls.key", PEM_TEXT);
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct kube_config c = {0};
        struct err e = ERR_INIT;
        assert_int_equal(parse_in(f, rows[i].cluster, rows[i].user, &c, &e), RC_INVALID);
        if (!strstr(e.msg, rows[i].says))
            print_error("%s\n", e.msg);
        assert_non_null(strstr(e.msg, rows[i].says));
        assert_null(strstr(e.msg, "hunter2"));
        assert_null(c.target.url);
    }
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
        cmocka_unit_test(a_secret_holds_inline_data_only),
        cmocka_unit_test(a_proxy_is_taken_from_a_file),
        IN_FOLDER(files_are_read_from_where_the_kubeconfig_lies),
        IN_FOLDER(inline_data_is_taken_before_a_file),
        IN_FOLDER(a_file_that_cannot_be_used_is_named_with_its_field),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
