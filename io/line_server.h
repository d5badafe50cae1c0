/* Answers questions of one line over a socket in a folder; the permissions of the socket (0600) say who may ask.
 *
 * Nothing blocks. At most LINE_CLIENTS ask at the same time, the others wait in the kernel's queue; who does not send
 * its question or take its answer within LINE_PATIENCE_NS is given up. One thread. */
#ifndef RESILOG_IO_LINE_SERVER_H
#define RESILOG_IO_LINE_SERVER_H

#include "core/err.h"
#include "core/scope.h"
#include "core/slice.h"
#include "io/line.h"

#define LINE_CLIENTS     8
#define LINE_FDS         (1 + LINE_CLIENTS)
#define LINE_PATIENCE_NS (5 * 1000000000LL)

struct env;
struct line_server;
struct pollfd;

/* Listens on dir/name, in place of whatever has that name: the caller has seen to it that nobody else serves it.
 * Borrows name and env. Errors: NOMEM, DENIED, LIMIT, IO. */
MUST_CHECK enum rc line_server_open(const char *dir, const char *name, const struct env *env,
                                    struct line_server **ret, struct err *e);
/* Takes the socket away, too. */
void line_server_close(struct line_server *s);
DEFINE_FREEP(struct line_server, line_server_close)

/* What to wait for before the next step: fds has room for LINE_FDS; gives how many. */
size_t line_server_fds(const struct line_server *s, struct pollfd *fds);
/* Accepts, reads and writes what there is. */
void line_server_step(struct line_server *s);

/* The next question: RC_OK, good until it is answered, which comes before the next take; RC_AGAIN: none. That of a client
 * that went away while it waited is not asked any more. */
MUST_CHECK enum rc line_server_take(struct line_server *s, struct slice *ret);
/* Answers the question that was taken. Who went away meanwhile misses it. Errors: LIMIT, NOMEM (nobody is told). */
MUST_CHECK enum rc line_server_answer(struct line_server *s, struct slice line, struct err *e);

#endif
