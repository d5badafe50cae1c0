/* validate --live for the AdminServer of a Database. */
#ifndef RESILOG_CLI_LIVE_ADMIN_H
#define RESILOG_CLI_LIVE_ADMIN_H

struct admin_server;

/* Asks it what it is, and says on standard error that it is well, or why not. Waits at most 10 s. Gives an exit code. */
int live_check_admin(const struct admin_server *server);

#endif
