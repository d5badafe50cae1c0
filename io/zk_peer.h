/* A struct zk_target checked and copied, its servers in an order of chance. */
#ifndef RESILOG_IO_ZK_PEER_H
#define RESILOG_IO_ZK_PEER_H

#include "core/err.h"
#include "io/zk_target.h"

struct rng;

#define ZK_PORT "2181" /* where a server names none */

/* All text owned; NULL where there is none. */
struct zk_peer {
    char *servers[ZK_SERVERS_MAX]; /* "host:port", "[v6]:port" */
    size_t n_servers;
    char *user, *password;
    char *ca_pem, *cert_pem, *key_pem;
};

/* Fills a zero peer, which is to be done also after a failure. Errors: INVALID (a server, PEM, half of a pair), LIMIT
 * (more than ZK_SERVERS_MAX servers), NOMEM. */
MUST_CHECK enum rc zk_peer_init(struct zk_peer *p, const struct zk_target *t, struct rng *rng,
                                struct err *e);
void zk_peer_done(struct zk_peer *p); /* secrets are overwritten first */

#endif
