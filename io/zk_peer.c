/* Checks what a person wrote about an ensemble. No secret and no PEM is repeated in a message. */
#include "io/zk_peer.h"

#include "core/rng.h"
#include "io/http_url.h"
#include "io/secret_file.h"

#include <stdio.h>
#include <stdlib.h>

/* The server as "host:port". Errors: INVALID, NOMEM. */
static enum rc set_server(char **ret, const char *text, struct err *e)
{
    char url[HTTP_HOST_MAX + 32], authority[HTTP_AUTHORITY_SIZE];
    struct http_url u;
    struct err why;
    const char *bracket = strrchr(text, ']');
    bool port = strchr(bracket ? bracket : text, ':');
    int n = snprintf(url, sizeof url, "http://%s%s", text, port ? "" : ":" ZK_PORT);
    if (n < 0 || (size_t)n >= sizeof url || http_url_parse(url, &u, &why) != RC_OK || u.prefix[0])
        return err_set(
            e, RC_INVALID, ERR_FINAL,
            "zookeeper: \"%.300s\" is no server; allowed is HOST[:PORT] or [IPV6][:PORT], "
            "one server each, without a path",
            text);
    *ret = strdup(http_authority(u.host, u.port, authority));
    return *ret ? RC_OK : err_nomem(e);
}

static void shuffle(char **all, size_t n, struct rng *rng)
{
    for (size_t i = n; i > 1; i--) {
        size_t k = (size_t)rng_below(rng, i);
        char *other = all[k];
        all[k] = all[i - 1];
        all[i - 1] = other;
    }
}

static enum rc set_servers(struct zk_peer *p, const struct zk_target *t, struct rng *rng,
                           struct err *e)
{
    enum rc rc = RC_OK;
    if (t->n_servers == 0)
        return err_set(e, RC_INVALID, ERR_FINAL,
                       "zookeeper: no server is given; name at least one");
    if (t->n_servers > ZK_SERVERS_MAX)
        return err_set(e, RC_LIMIT, ERR_FINAL, "zookeeper: %zu servers are given; allowed are %d",
                       t->n_servers, ZK_SERVERS_MAX);
    for (; p->n_servers < t->n_servers && rc == RC_OK; p->n_servers++)
        rc = set_server(&p->servers[p->n_servers], t->servers[p->n_servers], e);
    if (rc == RC_OK)
        shuffle(p->servers, p->n_servers, rng);
    return rc;
}

static enum rc check_login(const struct zk_target *t, struct err *e)
{
    if (!t->user != !t->password)
        return err_set(e, RC_INVALID, ERR_FINAL,
                       "zookeeper: a user needs a password, and a password a user");
    if (t->user && (!t->user[0] || strchr(t->user, ':')))
        return err_set(e, RC_INVALID, ERR_FINAL,
                       "zookeeper: the user's name is empty or holds a ':'");
    return RC_OK;
}

static enum rc check_pem(const char *text, const char *what, struct err *e)
{
    if (!text || secret_is_pem(slice_str(text)))
        return RC_OK;
    return err_set(e, RC_INVALID, ERR_FINAL, "zookeeper: %s is no PEM text (-----BEGIN ...)", what);
}

static enum rc check_tls(const struct zk_target *t, struct err *e)
{
    enum rc rc = check_pem(t->ca_pem, "the certificate authority", e);
    if (rc == RC_OK)
        rc = check_pem(t->cert_pem, "the client certificate", e);
    if (rc == RC_OK)
        rc = check_pem(t->key_pem, "the client certificate's key", e);
    if (rc == RC_OK && !t->cert_pem != !t->key_pem)
        rc = err_set(e, RC_INVALID, ERR_FINAL,
                     "zookeeper: a client certificate needs its key, and a key its certificate");
    if (rc == RC_OK && t->cert_pem && !t->ca_pem)
        rc = err_set(e, RC_INVALID, ERR_FINAL,
                     "zookeeper: a client certificate is of use only with TLS; give the authority "
                     "that signed the servers' certificates, too");
    return rc;
}

/* NULL stays NULL; false when out of memory. */
static bool copy(char **ret, const char *text)
{
    return !text || (*ret = strdup(text));
}

enum rc zk_peer_init(struct zk_peer *p, const struct zk_target *t, struct rng *rng, struct err *e)
{
    enum rc rc = check_login(t, e);
    if (rc == RC_OK)
        rc = check_tls(t, e);
    if (rc == RC_OK)
        rc = set_servers(p, t, rng, e);
    if (rc != RC_OK)
        return rc;
    bool all = copy(&p->user, t->user) && copy(&p->password, t->password) &&
               copy(&p->ca_pem, t->ca_pem) && copy(&p->cert_pem, t->cert_pem) &&
               copy(&p->key_pem, t->key_pem);
    return all ? RC_OK : err_nomem(e);
}

void zk_peer_done(struct zk_peer *p)
{
    if (!p)
        return;
    char *all[] = {p->user, p->password, p->ca_pem, p->cert_pem, p->key_pem};
    for (size_t i = 0; i < sizeof all / sizeof *all; i++)
        secret_free(all[i]);
    for (size_t i = 0; i < p->n_servers; i++)
        free(p->servers[i]);
    *p = (struct zk_peer){0};
}
