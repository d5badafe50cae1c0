/* Where a ZooKeeper session goes, and as whom. */
#ifndef RESILOG_IO_ZK_TARGET_H
#define RESILOG_IO_ZK_TARGET_H

#include <stddef.h>

#define ZK_SERVERS_MAX 32

/* Plain data; all PEM from memory. Copied by who opens a client. */
struct zk_target {
    const char *const *servers; /* "host:port", "[v6]:port"; a missing port is 2181 */
    size_t n_servers;
    const char *user, *password; /* of the scheme digest; NULL: none */
    const char *
        ca_pem; /* NULL: a plain connection; else TLS, and the server's certificate is checked by it */
    const char *cert_pem, *key_pem; /* client certificate; NULL: none */
};

/* Where a server's AdminServer is, and as whom it is asked; of the same manner. */
struct zk_admin_target {
    const char *url;                /* "https://host:port" */
    const char *user, *password;    /* of the scheme digest, with https alone; NULL: none */
    const char *ca_pem;             /* of https; NULL: the system's authorities */
    const char *cert_pem, *key_pem; /* client certificate; NULL: none */
};

#endif
