/* Databases: where an ensemble of ZooKeeper is, and as whom one goes there, by a Secret of the same namespace. Its
 * values are checked here and never told; the copies that are kept are overwritten when freed. One thread. */
#include "controller/resource_fields.h"
#include "controller/resource_priv.h"
#include "controller/resource_secret.h"
#include "core/buf.h"
#include "core/digest.h"
#include "core/json.h"
#include "io/http_url.h"
#include "io/secret_file.h"

#include <stdio.h>

/* ---- Keys of the Secret ---- */

enum { USERNAME, PASSWORD, CA, CERT, KEY, N_KEYS };
static const struct {
    const char *name;
    bool pem;
    int needs[2]; /* what it is useless without; N_KEYS: nothing */
} keys[N_KEYS] = {
    [USERNAME] = {"username", false, {PASSWORD, N_KEYS}},
    [PASSWORD] = {"password", false, {USERNAME, N_KEYS}},
    [CA] = {"ca.crt", true, {N_KEYS, N_KEYS}},
    [CERT] = {"tls.crt", true, {KEY, CA}},
    [KEY] = {"tls.key", true, {CERT, N_KEYS}},
};
#define KEY_NAMES "username, password, ca.crt, tls.crt, tls.key"

struct database {
    struct zk_target target; /* first: what is handed out */
    const char *servers[ZK_SERVERS_MAX];
    char *texts[N_KEYS]; /* of the Secret; NULL: it does not have that key */
};

void database_free(const struct zk_target *target)
{
    struct database *d = (struct database *)(uintptr_t)target;
    for (size_t i = 0; d && i < N_KEYS; i++)
        secret_free(d->texts[i]);
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

/* ---- The Secret ---- */

/* Why a value cannot be what its key says; NULL if it may be. */
static const char *why_not(size_t key, struct slice text)
{
    if (text.n == 0)
        return "is empty";
    if (memchr(text.p, '\0', text.n))
        return "has a byte of value zero in it";
    if (keys[key].pem && !secret_is_pem(text))
        return "is not PEM text (-----BEGIN ...)";
    if (key == USERNAME && memchr(text.p, ':', text.n))
        return "has a ':' in it, which ends the name for a server";
    return NULL;
}

static enum rc read_key(const struct item *secret, size_t key, struct database *d, struct err *e)
{
    AUTO(input_wipe) struct buf text = BUF_INIT(SECRET_FILE_MAX);
    const struct json *n = secret_member(secret, keys[key].name);
    if (!n || !secret_text(secret, n, &text))
        return RC_OK;
    const char *why = why_not(key, buf_slice(&text));
    if (why) {
        problem_error(&secret->origin, n, "%s", why);
        return RC_OK;
    }
    d->texts[key] = strndup(text.p, text.n);
    return d->texts[key] ? RC_OK : err_nomem(e);
}

static void check_counterparts(const struct item *item, const struct json *at,
                               const struct item *secret)
{
    char lacks[128];
    size_t n = 0;
    for (size_t i = 0; i < N_KEYS; i++) {
        bool there = secret_member(secret, keys[i].name);
        n += there;
        for (size_t j = 0; there && j < 2 && keys[i].needs[j] != N_KEYS; j++) {
            const char *other = keys[keys[i].needs[j]].name;
            snprintf(lacks, sizeof lacks, "\"%s\" without \"%s\"", keys[i].name, other);
            if (!secret_member(secret, other))
                secret_tell_keys(item, at, secret, lacks);
        }
    }
    if (n == 0)
        secret_tell_keys(item, at, secret, "none of the keys " KEY_NAMES);
}

static enum rc read_secret(struct loader *l, const struct item *item, const struct json *client,
                           struct cluster *c, struct database *d, struct err *e)
{
    const struct json *at = json_get(client, "secretName");
    struct slice name = json_get_text(item->origin.doc, client, "secretName");
    enum rc rc = RC_OK;
    c->secret_name = text_pool_add(&l->out->texts, name);
    if (name.n == 0 || !secret_check_name(item, at))
        return RC_OK;
    const struct item *secret = secret_find(l, item, c->secret_name);
    if (!secret)
        (void)secret_is_elsewhere(l, item, at, c->secret_name, "");
    if (!secret || secret->broken)
        return RC_OK;
    check_counterparts(item, at, secret);
    for (size_t i = 0; i < N_KEYS && rc == RC_OK; i++)
        rc = read_key(secret, i, d, e);
    d->target.user = d->texts[USERNAME];
    d->target.password = d->texts[PASSWORD];
    d->target.ca_pem = d->texts[CA];
    d->target.cert_pem = d->texts[CERT];
    d->target.key_pem = d->texts[KEY];
    return rc;
}

/* ---- The whole ---- */

static void read_admin(struct loader *l, const struct item *item, const struct json *admin,
                       struct zk_admin *ret)
{
    struct text_pool *texts = &l->out->texts;
    struct json_doc *doc = item->origin.doc;
    struct slice host = json_get_text(doc, admin, "host"), port = json_get_text(doc, admin, "port");
    AUTO(buf_done) struct buf server = BUF_INIT(YAML_TEXT_MAX);
    bool v6 = host.n > 0 && memchr(host.p, ':', host.n) && host.p[0] != '[';
    *ret = (struct zk_admin){text_pool_add(texts, json_get_text(doc, admin, "protocol")),
                             text_pool_add(texts, host), text_pool_add(texts, port),
                             text_pool_add(texts, json_get_text(doc, admin, "secretName"))};
    (void)secret_check_name(item, json_get(admin, "secretName"));
    if (host.n == 0 || port.n == 0)
        return; /* told by the field table */
    buf_addf(&server, v6 ? "[%.*s]:%.*s" : "%.*s:%.*s", SLICE_ARG(host), SLICE_ARG(port));
    if (!is_server(buf_slice(&server)))
        problem_error(&item->origin, json_get(admin, "host"),
                      "\"%.*s\" with port \"%.*s\" is no server: the name or address of a host is "
                      "expected, and a port of 1 to 65535",
                      SHOWN(host), SHOWN(port));
}

/* Of where the sessions go, and of the credentials. */
static enum rc digest(const struct item *item, const struct json *client, const struct database *d,
                      uint8_t ret[RESOURCE_DIGEST], struct err *e)
{
    AUTO(input_wipe) struct buf all = BUF_INIT((N_KEYS + 1) * YAML_TEXT_MAX);
    for (size_t i = 0; i < N_KEYS; i++)
        buf_addf(&all, "%s=%s%c", keys[i].name, d->texts[i] ? d->texts[i] : "", 0);
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
    enum rc rc = read_secret(l, item, client, c, d, e);
    if (rc == RC_OK)
        rc = digest(item, client, d, c->digest, e);
    if (rc == RC_OK)
        c->zookeeper = &steal(&d)->target;
    return rc;
}

enum rc database_read(struct loader *l, struct item *item, struct err *e)
{
    const struct json *zookeeper = json_dig(item->node, "spec", "zookeeper", NULL);
    const struct json *client = fields_object(zookeeper, "client");
    const struct json *admin = fields_object(zookeeper, "admin");
    size_t errors = problem_list_errors(l->out->problems);
    enum rc rc = RC_OK;
    AUTO(cluster_freep) struct cluster *c = cluster_new(item);
    if (!c)
        return err_nomem(e);
    if (admin)
        read_admin(l, item, admin, &c->admin);
    if (client)
        rc = read_client(l, item, client, c, e);
    item->broken = item->broken || problem_list_errors(l->out->problems) > errors;
    if (rc != RC_OK || item->broken || !client)
        return rc;
    item->cluster = c;
    l->out->clusters[l->out->n_clusters++] = steal(&c);
    return RC_OK;
}
