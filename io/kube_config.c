/* Credentials.
 *
 * A kubeconfig is read through core/yaml.h; each message names file, line and column, never a
 * value. What kubectl would silently pass over (an unknown field) is refused: here it is a spelling
 * mistake. The copies of secrets made here are overwritten when freed; the parsed document, and what a
 * buffer leaves behind when it grows, are not. */
#include "io/kube_config.h"

#include "core/buf.h"
#include "core/digest.h"
#include "core/json.h"
#include "core/yaml.h"
#include "io/http_url.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <unistd.h>

enum { CONFIG_MAX = 1 << 20, SECRET_MAX = 1 << 20, NAMES_SIZE = 200 };

/* A field and, where it is refused, what to use in its place. */
struct field {
    const char *name;
    const char *instead;
};

static const struct field TOP_FIELDS[] = {
    {"apiVersion", NULL},  {"kind", NULL},       {"clusters", NULL},
    {"users", NULL},       {"contexts", NULL},   {"current-context", NULL},
    {"preferences", NULL}, {"extensions", NULL}, {NULL, NULL},
};
static const struct field CONTEXT_FIELDS[] = {
    {"cluster", NULL}, {"user", NULL}, {"namespace", NULL}, {"extensions", NULL}, {NULL, NULL},
};
static const struct field CLUSTER_FIELDS[] = {
    {"server", NULL},
    {"certificate-authority-data", NULL},
    {"insecure-skip-tls-verify", NULL},
    {"tls-server-name", NULL},
    {"disable-compression", NULL},
    {"extensions", NULL},
    {"certificate-authority", "certificate-authority-data with the file's content in base64"},
    {"proxy-url", "a server that is reached without a proxy"},
    {NULL, NULL},
};
static const struct field USER_FIELDS[] = {
    {"token", NULL},
    {"client-certificate-data", NULL},
    {"client-key-data", NULL},
    {"extensions", NULL},
    {"client-certificate", "client-certificate-data with the file's content in base64"},
    {"client-key", "client-key-data with the file's content in base64"},
    {"tokenFile", "token with the file's content"},
    {"exec", "token of a service account, or a client certificate"},
    {"auth-provider", "token of a service account, or a client certificate"},
    {"username", "token of a service account, or a client certificate"},
    {"password", "token of a service account, or a client certificate"},
    {"as", "the credentials of that very user"},
    {"as-uid", "the credentials of that very user"},
    {"as-groups", "the credentials of that very user"},
    {"as-user-extra", "the credentials of that very user"},
    {NULL, NULL},
};

/* The file being read. */
struct source {
    const char *file;
    struct json_doc *doc;
};

static enum rc refuse(const struct source *s, const struct json *at, struct err *e, const char *fmt,
                      ...) __attribute__((format(printf, 4, 5)));

static enum rc refuse(const struct source *s, const struct json *at, struct err *e, const char *fmt,
                      ...)
{
    char text[400];
    va_list args;
    va_start(args, fmt);
    vsnprintf(text, sizeof text, fmt, args);
    va_end(args);
    return err_set(e, RC_INVALID, ERR_FINAL, "%s:%u:%u: %s", s->file, at ? at->line : 1,
                   at ? at->col : 1, text);
}

/* ---- values ---- */

static bool is_blank(const struct json *n)
{
    return !n || json_is(n, JSON_NULL) ||
           (json_is(n, JSON_STRING) && slice_eq(n->raw, SLICE("\"\""))) ||
           ((json_is(n, JSON_ARRAY) || json_is(n, JSON_OBJECT)) && !n->first);
}

static void list_allowed(const struct field *fields, char *out, size_t size)
{
    size_t n = 0;
    for (out[0] = 0; fields->name; fields++)
        if (!fields->instead && n < size)
            n += (size_t)snprintf(out + n, size - n, "%s%s", n ? ", " : "", fields->name);
}

static const struct field *field_find(const struct field *fields, struct slice name)
{
    while (fields->name && !slice_eq(slice_str(fields->name), name))
        fields++;
    return fields->name ? fields : NULL;
}

/* Refuses members that fields does not allow; empty ones are as good as absent. */
static enum rc check_fields(const struct source *s, const struct json *obj, const char *where,
                            const struct field *fields, struct err *e)
{
    char allowed[256];
    if (!json_is(obj, JSON_OBJECT))
        return refuse(s, obj, e, "%s is no mapping", where);
    for (struct json *n = obj->first; n; n = n->next) {
        struct slice name = json_name(s->doc, n);
        const struct field *f = field_find(fields, name);
        if (f && (!f->instead || is_blank(n)))
            continue;
        if (f)
            return refuse(s, n, e, "%s.%s is not supported; use %s", where, f->name, f->instead);
        list_allowed(fields, allowed, sizeof allowed);
        return refuse(s, n, e, "%s has the unknown field \"%.*s\"; allowed: %s", where,
                      name.n < 64 ? (int)name.n : 64, name.p, allowed);
    }
    return RC_OK;
}

static char *copy_text(struct slice text)
{
    char *p = malloc(text.n + 1);
    if (!p)
        return NULL;
    if (text.n)
        memcpy(p, text.p, text.n);
    p[text.n] = 0;
    return p;
}

/* A text member, NULL where it is absent. */
static enum rc read_text(const struct source *s, const struct json *obj, const char *name,
                         const char **ret, struct err *e)
{
    struct json *n = json_get(obj, name);
    if (is_blank(n))
        return RC_OK;
    if (!json_is(n, JSON_STRING))
        return refuse(s, n, e, "%s is no text", name);
    struct slice text = json_text(s->doc, n);
    for (size_t i = 0; i < text.n; i++)
        if ((unsigned char)text.p[i] < ' ' || text.p[i] == 0x7f)
            return refuse(s, n, e, "%s holds a control character", name);
    *ret = copy_text(text);
    return *ret ? RC_OK : err_nomem(e);
}

static void wipe(struct buf *b)
{
    if (b->p)
        explicit_bzero(b->p, b->n);
    buf_done(b);
}

/* A member of PEM text in base64, NULL where it is absent. */
static enum rc read_pem(const struct source *s, const struct json *obj, const char *name,
                        const char **ret, struct err *e)
{
    AUTO(wipe) struct buf pem = BUF_INIT(SECRET_MAX);
    struct json *n = json_get(obj, name);
    struct err why;
    if (is_blank(n))
        return RC_OK;
    enum rc rc =
        json_is(n, JSON_STRING) ? base64_decode(json_text(s->doc, n), &pem, &why) : RC_INVALID;
    if (rc == RC_NOMEM)
        return err_nomem(e);
    if (rc != RC_OK)
        return refuse(s, n, e, "%s is not base64", name);
    if (!memmem(pem.p, pem.n, "-----BEGIN ", 11) || memchr(pem.p, 0, pem.n))
        return refuse(s, n, e, "%s is not PEM text (-----BEGIN ...) in base64", name);
    *ret = copy_text(buf_slice(&pem));
    return *ret ? RC_OK : err_nomem(e);
}

/* obj[name]; false where it is absent. */
static enum rc read_flag(const struct source *s, const struct json *obj, const char *name,
                         bool *ret, struct err *e)
{
    const struct json *n = json_get(obj, name);
    if (n && !json_is(n, JSON_TRUE) && !json_is(n, JSON_FALSE) && !json_is(n, JSON_NULL))
        return refuse(s, n, e, "%s is neither true nor false", name);
    *ret = json_is(n, JSON_TRUE);
    return RC_OK;
}

/* ---- the parts of a kubeconfig ---- */

/* "; there are: a, b", of the entries of list; empty where it has none. */
static const char *list_names(const struct source *s, const struct json *list, char out[NAMES_SIZE])
{
    size_t n = 0;
    out[0] = 0;
    for (const struct json *at = json_is(list, JSON_ARRAY) ? list->first : NULL; at;
         at = at->next) {
        struct slice name = json_get_text(s->doc, at, "name");
        if (name.n == 0)
            continue;
        bool fits = n + name.n + sizeof "; there are: , ..." < NAMES_SIZE;
        n += (size_t)snprintf(out + n, NAMES_SIZE - n, "%s%.*s",
                              n ? ", " : "; there are: ", fits ? (int)name.n : 3,
                              fits ? name.p : "...");
        if (!fits)
            break;
    }
    return out;
}

/* In list (clusters, users, contexts) the entry of that name, its member `part`. */
static enum rc find_entry(const struct source *s, const char *list, const char *part,
                          struct slice name, const struct json **ret, struct err *e)
{
    struct json *all = json_get(json_root(s->doc), list), *found = NULL;
    char names[NAMES_SIZE];
    for (struct json *n = json_is(all, JSON_ARRAY) ? all->first : NULL; n; n = n->next) {
        if (!slice_eq(json_get_text(s->doc, n, "name"), name))
            continue;
        if (found)
            return refuse(s, n, e, "%s has two entries of the same name", list);
        found = n;
    }
    if (!found)
        return refuse(s, all, e, "%s has no entry named \"%.*s\"%s", list,
                      name.n < 128 ? (int)name.n : 128, name.n ? name.p : "",
                      list_names(s, all, names));
    *ret = json_get(found, part);
    return *ret ? RC_OK : refuse(s, found, e, "%s: the entry has no %s", list, part);
}

/* Whom to talk to and how it proves that it is the one. */
static enum rc check_cluster(const struct source *s, const struct json *n, bool allow_insecure,
                             const struct http_target *t, struct err *e)
{
    const struct json *skip = json_get(n, "insecure-skip-tls-verify");
    const struct json *server = json_get(n, "server") ? json_get(n, "server") : n;
    struct http_url url;
    struct err why;
    if (http_url_parse(t->url, &url, &why) != RC_OK)
        return refuse(s, server, e, "cluster.server: %s", why.msg);
    if (!url.tls && !http_url_is_local(&url) && !allow_insecure)
        return refuse(s, server, e,
                      "cluster.server is http:// and not of this machine: credentials and Secrets "
                      "would travel in clear; use https:// (with certificate-authority-data)");
    if (t->insecure && !allow_insecure)
        return refuse(
            s, skip, e,
            "cluster.insecure-skip-tls-verify is refused; use certificate-authority-data");
    if (t->insecure && t->ca_pem)
        return refuse(
            s, skip, e,
            "cluster has both insecure-skip-tls-verify and certificate-authority-data; use one");
    return RC_OK;
}

static enum rc read_cluster(const struct source *s, const struct json *n, bool allow_insecure,
                            struct http_target *t, struct err *e)
{
    enum rc rc = check_fields(s, n, "cluster", CLUSTER_FIELDS, e);
    if (rc == RC_OK)
        rc = read_text(s, n, "server", &t->url, e);
    if (rc == RC_OK)
        rc = read_pem(s, n, "certificate-authority-data", &t->ca_pem, e);
    if (rc == RC_OK)
        rc = read_text(s, n, "tls-server-name", &t->server_name, e);
    if (rc == RC_OK)
        rc = read_flag(s, n, "insecure-skip-tls-verify", &t->insecure, e);
    if (rc == RC_OK)
        rc = read_flag(s, n, "disable-compression", &t->no_compression, e);
    return rc == RC_OK ? check_cluster(s, n, allow_insecure, t, e) : rc;
}

static enum rc read_user(const struct source *s, const struct json *n, struct http_target *t,
                         struct err *e)
{
    if (json_is(n, JSON_NULL))
        return RC_OK; /* as kubectl writes a user without credentials */
    enum rc rc = check_fields(s, n, "user", USER_FIELDS, e);
    if (rc == RC_OK)
        rc = read_text(s, n, "token", &t->token, e);
    if (rc == RC_OK)
        rc = read_pem(s, n, "client-certificate-data", &t->cert_pem, e);
    if (rc == RC_OK)
        rc = read_pem(s, n, "client-key-data", &t->key_pem, e);
    if (rc == RC_OK && !t->cert_pem != !t->key_pem)
        return refuse(s, n, e, "user has %s without %s",
                      t->cert_pem ? "client-certificate-data" : "client-key-data",
                      t->cert_pem ? "client-key-data" : "client-certificate-data");
    return rc;
}

static enum rc read_doc(const struct source *s, bool allow_insecure, struct kube_config *c,
                        struct err *e)
{
    const struct json *root = json_root(s->doc), *context = NULL, *cluster = NULL, *user = NULL;
    char names[NAMES_SIZE];
    enum rc rc = check_fields(s, root, "the kubeconfig", TOP_FIELDS, e);
    if (rc != RC_OK)
        return rc;
    struct slice kind = json_get_text(s->doc, root, "kind"), name;
    if (kind.n && !slice_eq(kind, SLICE("Config")))
        return refuse(s, json_get(root, "kind"), e, "kind is not Config: this is no kubeconfig");
    name = json_get_text(s->doc, root, "current-context");
    if (!name.n)
        return refuse(s, root, e, "no current-context; set it to the name of one of the contexts%s",
                      list_names(s, json_get(root, "contexts"), names));
    rc = find_entry(s, "contexts", "context", name, &context, e);
    if (rc == RC_OK)
        rc = check_fields(s, context, "context", CONTEXT_FIELDS, e);
    if (rc == RC_OK)
        rc = find_entry(s, "clusters", "cluster", json_get_text(s->doc, context, "cluster"),
                        &cluster, e);
    if (rc == RC_OK)
        rc = read_cluster(s, cluster, allow_insecure, &c->target, e);
    if (rc == RC_OK && !is_blank(json_get(context, "user"))) {
        rc = find_entry(s, "users", "user", json_get_text(s->doc, context, "user"), &user, e);
        if (rc == RC_OK)
            rc = read_user(s, user, &c->target, e);
    }
    return rc == RC_OK ? read_text(s, context, "namespace", (const char **)&c->ns, e) : rc;
}

enum rc kube_config_parse(struct slice text, const char *file, bool allow_insecure,
                          struct kube_config *ret, struct err *e)
{
    AUTO(yaml_file_done) struct yaml_file y = {0};
    AUTO(kube_config_done) struct kube_config c = {0};
    struct kube_config none = {0};
    if (text.n > CONFIG_MAX)
        return err_set(e, RC_LIMIT, ERR_FINAL, "%s: a kubeconfig is at most %d bytes", file,
                       CONFIG_MAX);
    enum rc rc = yaml_parse(text, file, &y, e);
    if (rc != RC_OK)
        return rc;
    if (y.n != 1)
        return err_set(e, RC_INVALID, ERR_FINAL,
                       "%s: a kubeconfig is one YAML document, here are %zu", file, y.n);
    struct source s = {file, y.docs[0]};
    rc = read_doc(&s, allow_insecure, &c, e);
    if (rc != RC_OK)
        return rc;
    *ret = c;
    c = none;
    return RC_OK;
}

/* ---- in the cluster ---- */

/* The file's text without white space at its end. */
static enum rc read_file(const char *dir, const char *name, const char **ret, struct err *e)
{
    AUTO(wipe) struct buf b = BUF_INIT(SECRET_MAX);
    char path[1024], piece[4096];
    snprintf(path, sizeof path, "%s/%s", dir, name);
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0)
        return err_sys(e, errno, "%s", path);
    ssize_t n;
    while ((n = read(fd, piece, sizeof piece)) > 0)
        buf_add(&b, piece, (size_t)n);
    int sys = errno;
    explicit_bzero(piece, sizeof piece);
    close(fd);
    if (n < 0)
        return err_sys(e, sys, "%s", path);
    enum rc rc = buf_check(&b, path, e);
    if (rc != RC_OK)
        return rc;
    while (b.n && strchr(" \t\r\n", b.p[b.n - 1]))
        b.n--;
    if (!b.n || memchr(b.p, 0, b.n))
        return err_set(e, RC_INVALID, ERR_RETRY, "%s is empty or no text", path);
    *ret = copy_text(buf_slice(&b));
    return *ret ? RC_OK : err_nomem(e);
}

enum rc kube_config_in_cluster(const char *host, const char *port, const char *dir,
                               struct kube_config *ret, struct err *e)
{
    AUTO(kube_config_done) struct kube_config c = {0};
    struct kube_config none = {0};
    struct err missing;
    char *url = NULL;
    if (!host || !*host || !port || !*port)
        return err_set(
            e, RC_NOTFOUND, ERR_FINAL,
            "not in a cluster: KUBERNETES_SERVICE_HOST or KUBERNETES_SERVICE_PORT is not set");
    bool six = strchr(host, ':');
    if (asprintf(&url, "https://%s%s%s:%s", six ? "[" : "", host, six ? "]" : "", port) < 0)
        return err_nomem(e);
    c.target.url = url;
    enum rc rc = read_file(dir, "token", &c.target.token, e);
    if (rc == RC_OK)
        rc = read_file(dir, "ca.crt", &c.target.ca_pem, e);
    if (rc != RC_OK)
        return rc;
    rc = read_file(dir, "namespace", (const char **)&c.ns, &missing);
    if (rc == RC_NOMEM)
        return err_nomem(e);
    *ret = c;
    c = none;
    return RC_OK;
}

static void free_text(const char *text)
{
    char *p = (char *)(uintptr_t)text;
    if (p)
        explicit_bzero(p, strlen(p));
    free(p);
}

void kube_config_done(struct kube_config *c)
{
    if (!c)
        return;
    const struct http_target *t = &c->target;
    const char *all[] = {t->url,   t->ca_pem,      t->cert_pem, t->key_pem,
                         t->token, t->server_name, c->ns};
    for (size_t i = 0; i < sizeof all / sizeof *all; i++)
        free_text(all[i]);
    *c = (struct kube_config){0};
}
