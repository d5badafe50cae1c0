/* The program that a user's exec names. Only what needs no terminal and no more than we tell it. */
#include "io/kube_config_priv.h"

#include "core/buf.h"
#include "io/exec_credential.h"

#include <limits.h>
#include <stdlib.h>

enum { WORDS_MAX = 256, WORD_MAX_BYTES = 32 << 10 };

static const struct kube_field FIELDS[] = {
    {"apiVersion", FIELD_ANY, NULL},
    {"command", FIELD_ANY, NULL},
    {"args", FIELD_ANY, NULL},
    {"env", FIELD_ANY, NULL},
    {"installHint", FIELD_ANY, NULL},
    {"interactiveMode", FIELD_ANY, NULL},
    {"provideClusterInfo", FIELD_ANY, NULL},
    {NULL, FIELD_ANY, NULL},
};
static const struct kube_field ENV_FIELDS[] = {
    {"name", FIELD_ANY, NULL}, {"value", FIELD_ANY, NULL}, {NULL, FIELD_ANY, NULL}};

/* Texts up to a NULL. */
struct words {
    const char **list;
    size_t n;
};

static void words_free(const char *const *list)
{
    for (size_t i = 0; list && list[i]; i++)
        kube_config_free(list[i]);
    free((void *)(uintptr_t)list);
}

void kube_config_exec_free(const struct http_exec *x)
{
    if (!x)
        return;
    words_free(x->argv);
    words_free(x->env);
    kube_config_free(x->api_version);
    free((void *)(uintptr_t)x);
}

static void exec_freep(struct http_exec **x)
{
    kube_config_exec_free(*x);
}

/* One more word, which is the text of b. */
static enum rc add_word(const struct kube_config_source *s, const struct json *at, struct words *w,
                        struct buf *b, struct err *e)
{
    if (b->bad == RC_LIMIT || w->n == WORDS_MAX || memchr(b->p ? b->p : "", 0, b->n))
        return kube_config_refuse(s, at, e,
                                  "user.exec holds a NUL byte, more than %d words or one of more "
                                  "than %d bytes",
                                  WORDS_MAX, WORD_MAX_BYTES);
    if (!buf_extend(b, 1))
        return err_nomem(e);
    buf_truncate(b, b->n - 1);
    w->list[w->n] = buf_steal(b, NULL);
    return w->list[w->n++] ? RC_OK : err_nomem(e);
}

static enum rc new_words(struct words *w, struct err *e)
{
    w->list = calloc(WORDS_MAX + 1, sizeof *w->list);
    return w->list ? RC_OK : err_nomem(e);
}

/* A command with a '/' that is relative begins in the kubeconfig's folder, one without is looked for in PATH. */
static enum rc read_command(const struct kube_config_source *s, const struct json *exec,
                            struct words *w, struct err *e)
{
    AUTO(buf_done) struct buf b = BUF_INIT(WORD_MAX_BYTES);
    const struct json *n = json_get(exec, "command");
    struct slice text = json_text(s->doc, n);
    char path[PATH_MAX];
    if (!json_is(n, JSON_STRING) || !text.n)
        return kube_config_refuse(s, n ? n : exec, e, "user.exec.command: name the program");
    if (memchr(text.p, '/', text.n) && !kube_config_path(s, text, path))
        return kube_config_refuse(s, n, e, "user.exec.command is no name of a file");
    if (memchr(text.p, '/', text.n))
        text = slice_str(path);
    buf_add_slice(&b, text);
    return add_word(s, n, w, &b, e);
}

static enum rc read_args(const struct kube_config_source *s, const struct json *exec,
                         struct words *w, struct err *e)
{
    const struct json *list = json_get(exec, "args");
    enum rc rc = RC_OK;
    if (!kube_config_blank(list) && !json_is(list, JSON_ARRAY))
        return kube_config_refuse(s, list, e, "user.exec.args is no list of texts");
    for (const struct json *n = list ? list->first : NULL; n && rc == RC_OK; n = n->next) {
        AUTO(buf_done) struct buf b = BUF_INIT(WORD_MAX_BYTES);
        if (!json_is(n, JSON_STRING))
            return kube_config_refuse(s, n, e, "user.exec.args is no list of texts");
        buf_add_slice(&b, json_text(s->doc, n));
        rc = add_word(s, n, w, &b, e);
    }
    return rc;
}

static enum rc read_env(const struct kube_config_source *s, const struct json *exec,
                        struct words *w, struct err *e)
{
    const struct json *list = json_get(exec, "env");
    enum rc rc = RC_OK;
    if (!kube_config_blank(list) && !json_is(list, JSON_ARRAY))
        return kube_config_refuse(s, list, e, "user.exec.env is no list of name and value");
    for (const struct json *n = list ? list->first : NULL; n && rc == RC_OK; n = n->next) {
        AUTO(buf_done) struct buf b = BUF_INIT(WORD_MAX_BYTES);
        rc = kube_config_fields(s, n, "user.exec.env", ENV_FIELDS, e);
        if (rc != RC_OK)
            return rc;
        const struct json *value = json_get(n, "value");
        struct slice name = json_get_text(s->doc, n, "name");
        if (!name.n || memchr(name.p, '=', name.n) || (value && !json_is(value, JSON_STRING)))
            return kube_config_refuse(s, n, e, "user.exec.env is no list of name and value");
        buf_addf(&b, "%.*s=", SLICE_ARG(name));
        buf_add_slice(&b, json_text(s->doc, value));
        rc = add_word(s, n, w, &b, e);
    }
    return rc;
}

/* What its other members ask for that is not done here. */
static enum rc check_mode(const struct kube_config_source *s, const struct json *exec,
                          struct http_exec *x, struct err *e)
{
    bool cluster_info = false;
    const struct json *mode = json_get(exec, "interactiveMode");
    struct slice word = json_text(s->doc, mode);
    enum rc rc = kube_config_text(s, exec, "apiVersion", &x->api_version, e);
    if (rc == RC_OK)
        rc = kube_config_flag(s, exec, "provideClusterInfo", &cluster_info, e);
    if (rc != RC_OK)
        return rc;
    if (!x->api_version || !exec_credential_version_ok(slice_str(x->api_version)))
        return kube_config_refuse(s, x->api_version ? json_get(exec, "apiVersion") : exec, e,
                                  "user.exec.apiVersion: allowed are " EXEC_CREDENTIAL_VERSIONS);
    if (cluster_info)
        return kube_config_refuse(s, json_get(exec, "provideClusterInfo"), e,
                                  "user.exec.provideClusterInfo is not supported; give the program "
                                  "what it needs by args or env");
    if (kube_config_blank(mode) || slice_eq(word, SLICE("Never")) ||
        slice_eq(word, SLICE("IfAvailable")))
        return RC_OK;
    return kube_config_refuse(s, mode, e,
                              "user.exec.interactiveMode: allowed are Never and IfAvailable, there "
                              "is no terminal");
}

/* Beside exec no other credential. */
static enum rc check_alone(const struct kube_config_source *s, const struct json *user,
                           const struct json *exec, struct err *e)
{
    static const char *const others[] = {
        "token",      "tokenFile",      "client-certificate", "client-certificate-data",
        "client-key", "client-key-data"};
    if (!s->opts->allow_exec)
        return kube_config_refuse(s, exec, e,
                                  "user.exec runs a program, which is allowed by --allow-exec "
                                  "alone; or use token of a service account, or a client "
                                  "certificate");
    for (size_t i = 0; i < sizeof others / sizeof *others; i++)
        if (!kube_config_blank(json_get(user, others[i])))
            return kube_config_refuse(s, exec, e, "user has both exec and %s; use one", others[i]);
    return RC_OK;
}

static enum rc read_exec(const struct kube_config_source *s, const struct json *exec,
                         struct http_exec *x, struct err *e)
{
    struct words argv = {0}, env = {0};
    enum rc rc = new_words(&argv, e);
    x->argv = argv.list;
    if (rc == RC_OK)
        rc = new_words(&env, e);
    x->env = env.list;
    if (rc == RC_OK)
        rc = check_mode(s, exec, x, e);
    if (rc == RC_OK)
        rc = read_command(s, exec, &argv, e);
    if (rc == RC_OK)
        rc = read_args(s, exec, &argv, e);
    return rc == RC_OK ? read_env(s, exec, &env, e) : rc;
}

enum rc kube_config_exec(const struct kube_config_source *s, const struct json *user,
                         const struct http_exec **ret, struct err *e)
{
    const struct json *exec = json_get(user, "exec");
    if (kube_config_blank(exec))
        return RC_OK;
    AUTO(exec_freep) struct http_exec *x = calloc(1, sizeof *x);
    if (!x)
        return err_nomem(e);
    enum rc rc = check_alone(s, user, exec, e);
    if (rc == RC_OK)
        rc = kube_config_fields(s, exec, "user.exec", FIELDS, e);
    if (rc == RC_OK)
        rc = read_exec(s, exec, x, e);
    if (rc == RC_OK)
        *ret = steal(&x);
    return rc;
}
