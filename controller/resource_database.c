/* Databases: where an ensemble of ZooKeeper is, where an AdminServer of it, and as whom one goes there. A Database
 * without `client` is no cluster, but its AdminServer can be asked all the same. One thread. */
#include "controller/resource_fields.h"
#include "controller/resource_login.h"
#include "controller/resource_priv.h"
#include "controller/resource_secret.h"
#include "core/buf.h"
#include "core/json.h"
#include "io/http_url.h"

#include <stdio.h>

struct database {
    struct zk_target target; /* first: what is handed out */
    const char *servers[ZK_SERVERS_MAX];
    struct login login;
};

void database_free(const struct zk_target *target)
{
    struct database *d = (struct database *)(uintptr_t)target;
    if (d)
        login_done(&d->login);
    free(d);
}

static void free_database(struct database **d)
{
    database_free(*d ? &(*d)->target : NULL);
}

/* ---- Servers ---- */

static bool is_host_char(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
           strchr("-._:", c);
}

/* "host", "host:port" or "[address]:port", and nothing else. */
static bool is_server(struct slice text)
{
    struct http_url u;
    struct err ignored = ERR_INIT;
    char url[HTTP_AUTHORITY_SIZE + sizeof "https://"];
    int n = snprintf(url, sizeof url, "https://%.*s", SLICE_ARG(text));
    if (n < 0 || (size_t)n >= sizeof url || memchr(text.p, '/', text.n) ||
        memchr(text.p, '\0', text.n) || http_url_parse(url, &u, &ignored) != RC_OK)
        return false;
    for (const char *c = u.host; *c; c++)
        if (!is_host_char(*c))
            return false;
    return true;
}

static void check_server(const struct item *item, const struct json *n, struct slice text)
{
    if (memchr(text.p, ',', text.n))
        problem_error(&item->origin, n, "\"%.*s\": write each server as an item of its own",
                      SHOWN(text));
    else if (memchr(text.p, '/', text.n))
        problem_error(&item->origin, n,
                      "\"%.*s\": no path belongs here, the rootPath of a synchronization says it; "
                      "allowed are HOST:PORT and [ADDRESS]:PORT",
                      SHOWN(text));
    else if (!is_server(text))
        problem_error(
            &item->origin, n,
            "\"%.*s\" is no server: allowed are HOST:PORT and [ADDRESS]:PORT, with a port "
            "of 1 to 65535; without a port it is 2181",
            SHOWN(text));
}

static void read_servers(struct text_pool *texts, const struct item *item, const struct json *list,
                         struct database *d)
{
    if (list && list->count > ZK_SERVERS_MAX) {
        problem_error(&item->origin, list, "%zu servers, the most allowed is %d", list->count,
                      ZK_SERVERS_MAX);
        return;
    }
    for (const struct json *n = list ? list->first : NULL; n; n = n->next) {
        struct slice text = json_is(n, JSON_STRING) ? json_text(item->origin.doc, n) : SLICE_NULL;
        if (text.n > 0) /* else told by the field table */
            check_server(item, n, text);
        d->servers[d->target.n_servers++] = text_pool_add(texts, text);
    }
    d->target.servers = d->servers;
}

/* ---- Clients ---- */

/* Of where the sessions go, and of the credentials. */
static enum rc digest(const struct item *item, const struct json *client, const struct database *d,
                      uint8_t ret[RESOURCE_DIGEST], struct err *e)
{
    AUTO(input_wipe) struct buf all = BUF_INIT((LOGIN_KEYS + 1) * YAML_TEXT_MAX);
    login_print(&d->login, &all);
    enum rc rc = buf_check(&all, "a Secret", e);
    return rc == RC_OK ? item_digest(item, client, buf_slice(&all), ret, e) : rc;
}

static enum rc read_client(struct loader *l, const struct item *item, const struct json *client,
                           struct cluster *c, struct err *e)
{
    AUTO(free_database) struct database *d = calloc(1, sizeof *d);
    if (!d)
        return err_nomem(e);
    read_servers(&l->out->texts, item, fields_list(client, "servers"), d);
    c->secret_name =
        text_pool_add(&l->out->texts, json_get_text(item->origin.doc, client, "secretName"));
    enum rc rc = login_read(l, item, client, c->secret_name, &d->login, e);
    d->target.user = d->login.texts[LOGIN_USERNAME];
    d->target.password = d->login.texts[LOGIN_PASSWORD];
    d->target.ca_pem = d->login.texts[LOGIN_CA];
    d->target.cert_pem = d->login.texts[LOGIN_CERT];
    d->target.key_pem = d->login.texts[LOGIN_CERT_KEY];
    if (rc == RC_OK)
        rc = digest(item, client, d, c->digest, e);
    if (rc == RC_OK)
        c->zookeeper = &steal(&d)->target;
    return rc;
}

/* ---- AdminServers ---- */

void admin_record_free(struct admin_record *a)
{
    if (a)
        login_done(&a->login);
    free(a);
}

static enum rc read_url(struct loader *l, const struct item *item, const struct json *admin,
                        struct zk_admin_target *t, struct err *e)
{
    struct json_doc *doc = item->origin.doc;
    struct slice host = json_get_text(doc, admin, "host"), port = json_get_text(doc, admin, "port");
    AUTO(buf_done) struct buf server = BUF_INIT(YAML_TEXT_MAX);
    AUTO(buf_done) struct buf url = BUF_INIT(YAML_TEXT_MAX);
    bool v6 = host.n > 0 && memchr(host.p, ':', host.n) && host.p[0] != '[';
    if (host.n == 0 || port.n == 0)
        return RC_OK; /* told by the field table */
    buf_addf(&server, v6 ? "[%.*s]:%.*s" : "%.*s:%.*s", SLICE_ARG(host), SLICE_ARG(port));
    if (!is_server(buf_slice(&server)))
        problem_error(&item->origin, json_get(admin, "host"),
                      "\"%.*s\" with port \"%.*s\" is no server: the name or address of a host is "
                      "expected, and a port of 1 to 65535",
                      SHOWN(host), SHOWN(port));
    buf_addf(&url, "%.*s://%.*s", SLICE_ARG(json_get_text(doc, admin, "protocol")),
             SLICE_ARG(buf_slice(&server)));
    t->url = text_pool_add(&l->out->texts, buf_slice(&url));
    return buf_check(&url, "the URL of an AdminServer", e);
}

/* With http no Secret is looked at: its password would go where everybody on the way can read it, for a question that
 * needs none. */
static enum rc read_login(struct loader *l, const struct item *item, const struct json *admin,
                          struct admin_record *a, struct err *e)
{
    struct zk_admin_target *t = &a->server.target;
    struct json_doc *doc = item->origin.doc;
    const struct json *at = json_get(admin, "secretName");
    struct slice name = json_get_text(doc, admin, "secretName");
    if (slice_eq(json_get_text(doc, admin, "protocol"), SLICE("http"))) {
        if (name.n > 0 && secret_check_name(item, at))
            problem_warn(&item->origin, at,
                         "not used: with protocol http no credentials are sent, and no certificate "
                         "is checked; https does both");
        return RC_OK;
    }
    enum rc rc = login_read(l, item, admin, text_pool_add(&l->out->texts, name), &a->login, e);
    t->user = a->login.texts[LOGIN_USERNAME];
    t->password = a->login.texts[LOGIN_PASSWORD];
    t->ca_pem = a->login.texts[LOGIN_CA];
    t->cert_pem = a->login.texts[LOGIN_CERT];
    t->key_pem = a->login.texts[LOGIN_CERT_KEY];
    return rc;
}

static enum rc read_admin(struct loader *l, const struct item *item, const struct json *admin,
                          struct admin_record **ret, struct err *e)
{
    AUTO(admin_record_freep) struct admin_record *a = calloc(1, sizeof *a);
    if (!a)
        return err_nomem(e);
    a->server.full_name = item->full_name;
    enum rc rc = read_url(l, item, admin, &a->server.target, e);
    if (rc == RC_OK)
        rc = read_login(l, item, admin, a, e);
    if (rc == RC_OK)
        *ret = steal(&a);
    return rc;
}

/* ---- The whole ---- */

enum rc database_read(struct loader *l, struct item *item, struct err *e)
{
    const struct json *zookeeper = json_dig(item->node, "spec", "zookeeper", NULL);
    const struct json *client = fields_object(zookeeper, "client");
    const struct json *admin = fields_object(zookeeper, "admin");
    size_t errors = problem_list_errors(l->out->problems);
    AUTO(admin_record_freep) struct admin_record *a = NULL;
    AUTO(cluster_freep) struct cluster *c = cluster_new(item);
    if (!c)
        return err_nomem(e);
    enum rc rc = client ? read_client(l, item, client, c, e) : RC_OK;
    item->broken = item->broken || problem_list_errors(l->out->problems) > errors;
    /* Nothing is copied by way of it: what is wrong with it holds up no synchronization. */
    errors = problem_list_errors(l->out->problems);
    if (rc == RC_OK && admin)
        rc = read_admin(l, item, admin, &a, e);
    if (rc != RC_OK || item->broken)
        return rc;
    if (a && problem_list_errors(l->out->problems) == errors)
        l->out->admins[l->out->n_admins++] = steal(&a);
    if (!client)
        return RC_OK;
    item->cluster = c;
    l->out->clusters[l->out->n_clusters++] = steal(&c);
    return RC_OK;
}
