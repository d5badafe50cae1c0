/* The control socket of a running instance, DATA/ctl.sock: other processes of the same user order something about
 * holds, and are answered. A step in the controller's thread; the work is done by the synchronization's. */
#ifndef RESILOG_CONTROLLER_CONTROL_H
#define RESILOG_CONTROLLER_CONTROL_H

#include "core/err.h"
#include "core/scope.h"

struct control;
struct env;
struct pollfd;
struct runtime;

#define CONTROL_SOCKET "ctl.sock"
#define CONTROL_FDS    9 /* most descriptors of control_fds */
/* An order that no thread took so long is withdrawn: its synchronization is being tried again after a failure. */
#define CONTROL_WAIT_NS (15 * 1000000000LL)
/* Who asks waits so long for an answer: the commit of an order may take its time. */
#define CONTROL_ASK_NS (60 * 1000000000LL)

/* Listens in the data folder, whose lock the caller has. Borrows runtime and env. Errors: as line_server_open. */
MUST_CHECK enum rc control_open(const char *data, struct runtime *runtime, const struct env *env,
                                struct control **ret, struct err *e);
void control_close(struct control *c);
DEFINE_FREEP(struct control, control_close)

/* What to wait for before the next step: fds has room for CONTROL_FDS. Gives how many, and how long at most. */
size_t control_fds(const struct control *c, struct pollfd *fds, int64_t *ret_wait_ns);
/* Reads, hands over, answers; never blocks. */
void control_step(struct control *c);

#endif
