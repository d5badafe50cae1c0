/* The program that gives a client's credentials: run when there are none, when they expired, and when the server
 * refused them; with back-off where that does not help. One thread; never waits. */
#ifndef RESILOG_IO_HTTP_PROGRAM_H
#define RESILOG_IO_HTTP_PROGRAM_H

#include "io/child.h"
#include "io/exec_credential.h"
#include "io/http_target.h"

struct env;
struct http_program;

#define HTTP_PROGRAM_WITHIN_NS (30 * 1000000000LL)
#define HTTP_PROGRAM_OUTPUT    (256u << 10)

/* Borrows exec and env. Nothing is run yet. Errors: NOMEM. */
MUST_CHECK enum rc http_program_open(const struct http_exec *exec, const struct env *env,
                                     struct http_program **ret, struct err *e);
void http_program_close(struct http_program *p); /* ends the program */
DEFINE_FREEP(struct http_program, http_program_close)

/* Goes on. RC_OK: what it gave last is to be used; *ret is filled, to be done, where that is new. RC_AGAIN: it runs.
 * refused: the server refused what it gave last. Errors: UNAVAILABLE (it failed; told again until it is run again,
 * without any of its output), NOMEM. */
MUST_CHECK enum rc http_program_step(struct http_program *p, bool refused,
                                     struct exec_credential *ret, struct err *e);
/* What to wait for while it runs, else nothing; returns how many. */
size_t http_program_poll(const struct http_program *p, struct pollfd out[CHILD_FDS]);
int64_t http_program_due(const struct http_program *p); /* INT64_MAX: it does not run */

#endif
