/* Credentials.
 *
 * A kubeconfig is read through core/yaml.h; each message names file, line and column, never a
 * value. What kubectl would silently pass over (an unknown field) is refused: here it is a spelling
 * mistake. */
#include "io/kube_config_priv.h"

#include "core/buf.h"
#include "core/yaml.h"
#include "io/http_url.h"

#include <stdio.h>

enum { NAMES_SIZE = 200 };

static const struct kube_field TOP_FIELDS[] = {
    {"apiVersion", FIELD_ANY, NULL},  {"kind", FIELD_ANY, NULL},
    {"clusters", FIELD_ANY, NULL},    {"users", FIELD_ANY, NULL},
    {"contexts", FIELD_ANY, NULL},    {"current-context", FIELD_ANY, NULL},
    {"preferences", FIELD_ANY, NULL}, {"extensions", FIELD_ANY, NULL},
    {NULL, FIELD_ANY, NULL},
};
static const struct kube_field CONTEXT_FIELDS[] = {
    {"cluster", FIELD_ANY, NULL},    {"user", FIELD_ANY, NULL}, {"namespace", FIELD_ANY, NULL},
    {"extensions", FIELD_ANY, NULL}, {NULL, FIELD_ANY, NULL},
};
static const struct kube_field CLUSTER_FIELDS[] = {
    {"server", FIELD_ANY, NULL},
    {"certificate-authority-data", FIELD_ANY, NULL},
    {"insecure-skip-tls-verify", FIELD_ANY, NULL},
    {"tls-server-name", FIELD_ANY, NULL},
    {"disable-compression", FIELD_ANY, NULL},
    {"extensions", FIELD_ANY, NULL},
    {"certificate-authority", FIELD_FILE,
     "certificate-authority-data with the file's content in base64"},
    {"proxy-url", FIELD_FILE, "a server that is reached without a proxy"},
    {NULL, FIELD_ANY, NULL},
};
#define OTHER_USER "token of a service account, or a client certificate"
#define THAT_USER  "the credentials of that very user"
static const struct kube_field USER_FIELDS[] = {
    {"token", FIELD_ANY, NULL},
    {"client-certificate-data", FIELD_ANY, NULL},
    {"client-key-data", FIELD_ANY, NULL},
    {"extensions", FIELD_ANY, NULL},
    {"client-certificate", FIELD_FILE, "client-certificate-data with the file's content in base64"},
    {"client-key", FIELD_FILE, "client-key-data with the file's content in base64"},
    {"tokenFile", FIELD_FILE, "token with the file's content"},
    {"as", FIELD_FILE, THAT_USER},
    {"as-uid", FIELD_FILE, THAT_USER},
    {"as-groups", FIELD_FILE, THAT_USER},
    {"as-user-extra", FIELD_FILE, THAT_USER},
    {"exec", FIELD_FILE, OTHER_USER},
    {"auth-provider", FIELD_NEVER, OTHER_USER},
    {"username", FIELD_NEVER, OTHER_USER},
    {"password", FIELD_NEVER, OTHER_USER},
    {NULL, FIELD_ANY, NULL},
};

/* ---- the parts of a kubeconfig ---- */

/* "; there are: a, b", of the entries of list; empty where it has none. */
static const char *list_names(const struct kube_config_source *s, const struct json *list,
                              char out[NAMES_SIZE])
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
static enum rc find_entry(const struct kube_config_source *s, const char *list, const char *part,
                          struct slice name, const struct json **ret, struct err *e)
{
    struct json *all = json_get(json_root(s->doc), list), *found = NULL;
    char names[NAMES_SIZE];
    for (struct json *n = json_is(all, JSON_ARRAY) ? all->first : NULL; n; n = n->next) {
        if (!slice_eq(json_get_text(s->doc, n, "name"), name))
            continue;
        if (found)
            return kube_config_refuse(s, n, e, "%s has two entries of the same name", list);
        found = n;
    }
    if (!found)
        return kube_config_refuse(s, all, e, "%s has no entry named \"%.*s\"%s", list,
                                  name.n < 128 ? (int)name.n : 128, name.n ? name.p : "",
                                  list_names(s, all, names));
    *ret = json_get(found, part);
    return *ret ? RC_OK : kube_config_refuse(s, found, e, "%s: the entry has no %s", list, part);
}

/* Whom to talk to and how it proves that it is the one. */
static enum rc check_cluster(const struct kube_config_source *s, const struct json *n,
                             const struct http_target *t, struct err *e)
{
    const struct json *skip = json_get(n, "insecure-skip-tls-verify");
    const struct json *server = json_get(n, "server") ? json_get(n, "server") : n;
    struct http_url url;
    struct err why;
    if (http_url_parse(t->url, &url, &why) != RC_OK)
        return kube_config_refuse(s, server, e, "cluster.server: %s", why.msg);
    if (!url.tls && (!http_url_is_local(&url) || t->proxy) && !s->opts->allow_insecure)
        return kube_config_refuse(
            s, server, e,
            "cluster.server is http:// and not of this machine: credentials and Secrets would "
            "travel in clear; use "
            "https:// (with certificate-authority-data), or allow it by --allow-insecure");
    if (t->insecure && !s->opts->allow_insecure)
        return kube_config_refuse(s, skip, e,
                                  "cluster.insecure-skip-tls-verify is refused; use "
                                  "certificate-authority-data, or allow it by --allow-insecure");
    if (t->insecure && t->ca_pem)
        return kube_config_refuse(
            s, skip, e,
            "cluster has both insecure-skip-tls-verify and a certificate authority; use one");
    return RC_OK;
}

static enum rc read_proxy(const struct kube_config_source *s, const struct json *n,
                          struct http_target *t, struct err *e)
{
    AUTO(buf_done) struct buf ignored = BUF_INIT(KUBE_CONFIG_MAX);
    struct err why = ERR_INIT;
    enum rc rc = kube_config_text(s, n, "proxy-url", &t->proxy, e);
    if (rc != RC_OK || !t->proxy || (rc = http_proxy_url(t->proxy, &ignored, &why)) == RC_OK)
        return rc;
    return kube_config_refuse(s, json_get(n, "proxy-url"), e, "cluster.proxy-url %s", why.msg);
}

static enum rc read_cluster(const struct kube_config_source *s, const struct json *n,
                            struct http_target *t, struct err *e)
{
    enum rc rc = kube_config_fields(s, n, "cluster", CLUSTER_FIELDS, e);
    if (rc == RC_OK)
        rc = kube_config_text(s, n, "server", &t->url, e);
    if (rc == RC_OK)
        rc = kube_config_pem(s, n, "certificate-authority", &t->ca_pem, &t->ca_file, e);
    if (rc == RC_OK)
        rc = kube_config_text(s, n, "tls-server-name", &t->server_name, e);
    if (rc == RC_OK)
        rc = kube_config_flag(s, n, "insecure-skip-tls-verify", &t->insecure, e);
    if (rc == RC_OK)
        rc = kube_config_flag(s, n, "disable-compression", &t->no_compression, e);
    if (rc == RC_OK)
        rc = read_proxy(s, n, t, e);
    return rc == RC_OK ? check_cluster(s, n, t, e) : rc;
}

static enum rc read_user(const struct kube_config_source *s, const struct json *n,
                         struct http_target *t, struct err *e)
{
    if (json_is(n, JSON_NULL))
        return RC_OK; /* as kubectl writes a user without credentials */
    enum rc rc = kube_config_fields(s, n, "user", USER_FIELDS, e);
    if (rc == RC_OK)
        rc = kube_config_text(s, n, "token", &t->token, e);
    if (rc == RC_OK)
        rc = kube_config_file(s, n, "tokenFile", &t->token, &t->token_file,
                              e); /* before token, as in kubectl */
    if (rc == RC_OK)
        rc = kube_config_pem(s, n, "client-certificate", &t->cert_pem, &t->cert_file, e);
    if (rc == RC_OK)
        rc = kube_config_pem(s, n, "client-key", &t->key_pem, &t->key_file, e);
    if (rc == RC_OK)
        rc = kube_config_exec(s, n, &t->exec, e);
    if (rc == RC_OK && !t->cert_pem != !t->key_pem)
        return kube_config_refuse(s, n, e, "user has %s without %s",
                                  t->cert_pem ? "a client certificate" : "a client key",
                                  t->cert_pem ? "client-key-data or client-key"
                                              : "client-certificate-data or client-certificate");
    return rc == RC_OK ? kube_config_impersonate(s, n, t, e) : rc;
}

static enum rc read_doc(const struct kube_config_source *s, struct kube_config *c, struct err *e)
{
    const struct json *root = json_root(s->doc), *context = NULL, *cluster = NULL, *user = NULL;
    char names[NAMES_SIZE];
    enum rc rc = kube_config_fields(s, root, "the kubeconfig", TOP_FIELDS, e);
    if (rc != RC_OK)
        return rc;
    struct slice kind = json_get_text(s->doc, root, "kind"), name;
    if (kind.n && !slice_eq(kind, SLICE("Config")))
        return kube_config_refuse(s, json_get(root, "kind"), e,
                                  "kind is not Config: this is no kubeconfig");
    name = json_get_text(s->doc, root, "current-context");
    if (!name.n)
        return kube_config_refuse(s, root, e,
                                  "no current-context; set it to the name of one of the contexts%s",
                                  list_names(s, json_get(root, "contexts"), names));
    rc = find_entry(s, "contexts", "context", name, &context, e);
    if (rc == RC_OK)
        rc = kube_config_fields(s, context, "context", CONTEXT_FIELDS, e);
    if (rc == RC_OK)
        rc = find_entry(s, "clusters", "cluster", json_get_text(s->doc, context, "cluster"),
                        &cluster, e);
    if (rc == RC_OK)
        rc = read_cluster(s, cluster, &c->target, e);
    if (rc == RC_OK && !kube_config_blank(json_get(context, "user"))) {
        rc = find_entry(s, "users", "user", json_get_text(s->doc, context, "user"), &user, e);
        if (rc == RC_OK)
            rc = read_user(s, user, &c->target, e);
    }
    return rc == RC_OK ? kube_config_text(s, context, "namespace", (const char **)&c->ns, e) : rc;
}

enum rc kube_config_parse(struct slice text, const struct kube_config_opts *opts,
                          struct kube_config *ret, struct err *e)
{
    AUTO(yaml_file_done) struct yaml_file y = {0};
    AUTO(kube_config_done) struct kube_config c = {0};
    struct kube_config none = {0};
    if (text.n > KUBE_CONFIG_MAX)
        return err_set(e, RC_LIMIT, ERR_FINAL, "%s: a kubeconfig is at most %d bytes", opts->file,
                       KUBE_CONFIG_MAX);
    enum rc rc = yaml_parse(text, opts->file, &y, e);
    if (rc != RC_OK)
        return rc;
    if (y.n != 1)
        return err_set(e, RC_INVALID, ERR_FINAL,
                       "%s: a kubeconfig is one YAML document, here are %zu", opts->file, y.n);
    struct kube_config_source s = {opts, y.docs[0]};
    rc = read_doc(&s, &c, e);
    if (rc != RC_OK)
        return rc;
    *ret = c;
    c = none;
    return RC_OK;
}

void kube_config_done(struct kube_config *c)
{
    if (!c)
        return;
    const struct http_target *t = &c->target;
    const char *all[] = {t->url,       t->proxy,    t->ca_pem,      t->cert_pem,
                         t->key_pem,   t->token,    t->token_file,  t->ca_file,
                         t->cert_file, t->key_file, t->server_name, c->ns};
    for (size_t i = 0; i < sizeof all / sizeof *all; i++)
        kube_config_free(all[i]);
    for (size_t i = 0; t->headers && t->headers[i]; i++)
        kube_config_free(t->headers[i]);
    free((void *)(uintptr_t)t->headers);
    kube_config_exec_free(t->exec);
    *c = (struct kube_config){0};
}
