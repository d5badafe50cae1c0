/* The client's side of one ZooKeeper session at a time, pure: bytes and time in, bytes and events out. No socket.
 *
 * A session begins with the connect request, logs in, and asks for the server's zxid by a ping; then it is ready. It
 * pings when it was silent for a third of the session's timeout, and gives up when the server was for two thirds. After
 * any failure it is over: zk_session_drop gives the calls that were open, then another may begin. */
#ifndef RESILOG_IO_ZK_SESSION_H
#define RESILOG_IO_ZK_SESSION_H

#include "core/scope.h"
#include "io/zk.h"

struct zk_session;

#define ZK_TIMEOUT_MS 15000 /* what is asked for; the server's answer counts */
#define ZK_UNSENT_MAX                                                                              \
    (8u << 20) /* bytes that wait for the socket; a call beyond them waits itself */

/* user and password (NULL: none) are borrowed for its life. Errors: NOMEM. */
MUST_CHECK enum rc zk_session_new(const char *user, const char *password, struct zk_session **ret,
                                  struct err *e);
void zk_session_free(struct zk_session *s);
DEFINE_FREEP(struct zk_session, zk_session_free)

/* On a fresh connection. Errors: NOMEM. */
MUST_CHECK enum rc zk_session_begin(struct zk_session *s, int64_t now_ns, struct err *e);
/* As zk_call. */
MUST_CHECK enum rc zk_session_call(struct zk_session *s, const struct zk_call *c, uint64_t tag,
                                   int64_t now_ns, struct err *e);

/* What is to be sent, until the next call; what of it was. */
struct slice zk_session_unsent(const struct zk_session *s);
void zk_session_sent(struct zk_session *s, size_t n);
/* Where received bytes go, *ret_n of them at most, until the next call; how many came. Errors: NOMEM. */
MUST_CHECK enum rc zk_session_space(struct zk_session *s, char **ret, size_t *ret_n, struct err *e);
void zk_session_received(struct zk_session *s, size_t n, int64_t now_ns);

/* The next event out of what was received: RC_OK (CONNECTED, ANSWER, CHANGED; its slices live until the next call but
 * zk_session_call), RC_AGAIN. Errors: NOMEM (ask again); all else ends the session: CORRUPT (not the protocol, or a
 * frame longer than ZK_ANSWER_MAX, which is told to the oldest call first), DENIED (login refused), UNSUPPORTED (a
 * server older than 3.6), UNAVAILABLE. */
MUST_CHECK enum rc zk_session_next(struct zk_session *s, struct zk_event *ret, struct err *e);
/* Adds a ping where one is due. Ask it only when all that had arrived was received. Errors: UNAVAILABLE (the server is
 * silent), NOMEM. */
MUST_CHECK enum rc zk_session_tick(struct zk_session *s, int64_t now_ns, struct err *e);
/* When to tick next; INT64_MAX: there is no session. */
int64_t zk_session_due(const struct zk_session *s);

/* True from CONNECTED until the end. */
bool zk_session_is_ready(const struct zk_session *s);
/* Adds the request that ends a session, where there is one. */
void zk_session_leave(struct zk_session *s);
/* Ends it on this side. Gives the oldest call that was open as answered with why; false when there is none any more. */
bool zk_session_drop(struct zk_session *s, const struct err *why, struct zk_event *ret);

#endif
