/* One connection to one server: a name resolved, a socket, TLS where there is an authority to check it by. Nothing
 * blocks but zk_conn_wait. */
#ifndef RESILOG_IO_ZK_CONN_H
#define RESILOG_IO_ZK_CONN_H

#include "core/scope.h"
#include "core/slice.h"
#include "io/zk_peer.h"

#include <stdbool.h>
#include <stdint.h>

struct zk_conn;

#define ZK_CONNECT_WITHIN_S 5 /* TLS included, by the system's clock */

/* Begins to connect to that server of the peer, which is borrowed for its life. Errors: NOMEM, UNSUPPORTED (libcurl
 * lacks an option). */
MUST_CHECK enum rc zk_conn_open(const struct zk_peer *peer, const char *server,
                                struct zk_conn **ret, struct err *e);
void zk_conn_close(struct zk_conn *c);
DEFINE_FREEP(struct zk_conn, zk_conn_close)

/* Goes on connecting: RC_OK (connected), RC_AGAIN. Errors: UNAVAILABLE, DENIED (the server's certificate is not
 * trusted, our own is not usable), NOMEM. */
MUST_CHECK enum rc zk_conn_step(struct zk_conn *c, struct err *e);
/* Both want it connected, move *ret_n > 0 bytes of n at most, and give RC_AGAIN where none can be moved now. Errors:
 * UNAVAILABLE (the connection is lost, or the server ended it). */
MUST_CHECK enum rc zk_conn_send(struct zk_conn *c, struct slice bytes, size_t *ret_n,
                                struct err *e);
MUST_CHECK enum rc zk_conn_receive(struct zk_conn *c, char *p, size_t n, size_t *ret_n,
                                   struct err *e);
/* Until there may be something to do: while it connects, or bytes came, or (out) can be sent; or wake_fd (-1: none) is
 * readable, or the time is over. c may be NULL. Errors: IO. */
MUST_CHECK enum rc zk_conn_wait(struct zk_conn *c, bool out, int wake_fd, int64_t timeout_ns,
                                struct err *e);

#endif
