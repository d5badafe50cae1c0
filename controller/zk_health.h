/* Whether a server of ZooKeeper is one that can be worked with, by what its AdminServer says. */
#ifndef RESILOG_CONTROLLER_ZK_HEALTH_H
#define RESILOG_CONTROLLER_ZK_HEALTH_H

#include "core/err.h"

struct buf;
struct http;
struct zk_admin_facts;

/* Asks, over a client of zk_admin_open that does nothing else, and waits for ZK_ADMIN_WITHIN_S at most. Errors: those of
 * zk_admin_read, http_start, http_take and http_wait. */
MUST_CHECK enum rc zk_health_ask(struct http *http, struct zk_admin_facts *ret, struct err *e);
/* Appends why it cannot be worked with, the first reason that there is: what was found, what is allowed, what to do. */
void zk_health_judge(const struct zk_admin_facts *f, struct buf *why);

#endif
