/* Questions of the socket, one after the other, as orders of the runtime. */
#include "controller/control.h"

#include "controller/order_board.h"
#include "controller/order_line.h"
#include "controller/runtime.h"
#include "core/buf.h"
#include "core/clock.h"
#include "core/diag.h"
#include "core/env.h"
#include "io/line_server.h"

#include <stdlib.h>

#define LOOK_NS (50 * NS_PER_MS) /* for the answer of a thread */

_Static_assert(CONTROL_FDS == LINE_FDS, "all of the socket's");

struct control {
    struct line_server *server;
    struct runtime *runtime;
    const struct env *env;
    bool waiting;     /* for the answer to an order */
    int64_t until_ns; /* boot clock */
};

enum rc control_open(const char *data, struct runtime *runtime, const struct env *env,
                     struct control **ret, struct err *e)
{
    AUTO(control_closep) struct control *c = calloc(1, sizeof *c);
    if (!c)
        return err_nomem(e);
    c->runtime = runtime;
    c->env = env;
    enum rc rc = line_server_open(data, CONTROL_SOCKET, env, &c->server, e);
    if (rc == RC_OK)
        *ret = steal(&c);
    return rc;
}

void control_close(struct control *c)
{
    if (!c)
        return;
    line_server_close(c->server);
    free(c);
}

size_t control_fds(const struct control *c, struct pollfd *fds, int64_t *ret_wait_ns)
{
    *ret_wait_ns = c->waiting ? LOOK_NS : INT64_MAX;
    return line_server_fds(c->server, fds);
}

static void answer(struct control *c, const struct order_answer *a)
{
    AUTO(buf_done) struct buf line = BUF_INIT(LINE_BYTES_MAX);
    struct err e = ERR_INIT;
    c->waiting = false;
    order_answer_print(a, &line);
    enum rc rc = buf_check(&line, "an answer", &e);
    if (line_server_answer(c->server, buf_slice(&line), &e) < 0 || rc < 0)
        diag_error(c->env->diag, DIAG_WARN, "an answer cannot be given", &e);
}

static void hand_over(struct control *c, struct slice line)
{
    struct order order;
    struct order_answer refused = {0};
    enum rc rc = order_parse(line, &order, &refused.e);
    if (rc == RC_OK)
        rc = runtime_order(c->runtime, &order, &refused.e);
    if (rc < 0) {
        answer(c, &refused);
        return;
    }
    c->waiting = true;
    c->until_ns = clock_boot_ns(c->env->clock) + CONTROL_WAIT_NS;
}

static void await(struct control *c)
{
    struct order_answer a = {0};
    if (runtime_ordered(c->runtime, &a)) {
        answer(c, &a);
        return;
    }
    if (clock_boot_ns(c->env->clock) < c->until_ns || !runtime_withdraw(c->runtime))
        return;
    (void)err_set(&a.e, RC_CONFLICT, ERR_RETRY,
                  "the synchronization is not at work now, nothing was changed: see 'resilog "
                  "status', and try again");
    answer(c, &a);
}

void control_step(struct control *c)
{
    struct slice line;
    line_server_step(c->server);
    if (c->waiting)
        await(c);
    while (!c->waiting && line_server_take(c->server, &line) == RC_OK)
        hand_over(c, line);
}
