/* The sockets of one lane behind a single descriptor that can itself be polled: any number, any value;
 * and a timer. */
#ifndef RESILOG_IO_HTTP_SOCKETS_H
#define RESILOG_IO_HTTP_SOCKETS_H

#include "core/err.h"
#include "core/scope.h"

#include <stdbool.h>
#include <stdint.h>

struct http_sockets;

/* What became ready: the timer, or a socket. */
struct http_ready {
    bool timer;
    int fd;
    bool in, out, broken;
};

/* Errors: LIMIT, NOMEM, IO. */
MUST_CHECK enum rc http_sockets_open(struct http_sockets **ret, struct err *e);
void http_sockets_close(struct http_sockets *s); /* closes none of the watched sockets */
DEFINE_FREEP(struct http_sockets, http_sockets_close)

/* Readable as long as http_sockets_next has a socket to give. */
int http_sockets_fd(const struct http_sockets *s);
/* When it has the timer to give; INT64_MAX: it is not armed. */
int64_t http_sockets_due(const struct http_sockets *s);
/* Watches fd, or changes what for. Errors: NOMEM, LIMIT, IO. */
MUST_CHECK enum rc http_sockets_watch(struct http_sockets *s, int fd, bool in, bool out,
                                      int64_t now_ns, struct err *e);
void http_sockets_forget(struct http_sockets *s, int fd);
/* Arms the one timer for one time, INT64_MAX disarms it. It wakes nobody: who waits, waits no longer than that. */
void http_sockets_timer(struct http_sockets *s, int64_t at_ns);
/* The next ready one, each in its turn, the timer in every second one at most: RC_OK, RC_AGAIN. Errors: IO. */
MUST_CHECK enum rc http_sockets_next(struct http_sockets *s, int64_t now_ns, struct http_ready *ret,
                                     struct err *e);
/* Makes every silence younger: for time in which nobody read. */
void http_sockets_excuse(struct http_sockets *s, int64_t ns);
/* Shuts down the internet socket with that local port (0: none) if it brought nothing for so long; its owner
 * sees that as a lost connection. */
void http_sockets_drop_silent(struct http_sockets *s, uint16_t port, int64_t now_ns,
                              int64_t for_ns);

#endif
