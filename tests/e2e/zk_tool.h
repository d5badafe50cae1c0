/* What the files of zk_tool share: one session, and calls that end the program where they fail. */
#ifndef RESILOG_TESTS_E2E_ZK_TOOL_H
#define RESILOG_TESTS_E2E_ZK_TOOL_H

#include "io/zk.h"

struct zk_tool {
    struct zk *zk;
    int64_t deadline_ns;
    bool fast;       /* the first loss is the end */
    struct err lost; /* why there was no session last */
    int argc;        /* what stands behind the command */
    char **argv;
};

/* Says why on stderr and ends the program. */
_Noreturn void zk_tool_fail(int status, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
/* The next event; ends the program where none comes in time. */
struct zk_event zk_tool_next(struct zk_tool *t);
/* The next event of that kind. A loss ends the program, but one before the first session for which trying helps. */
struct zk_event zk_tool_await(struct zk_tool *t, enum zk_event_kind kind);
/* False: too many are open. */
bool zk_tool_send(struct zk_tool *t, const struct zk_call *c, uint64_t tag);
/* The next answer, and to which call. */
const struct zk_result *zk_tool_answer(struct zk_tool *t, uint64_t *ret_tag);

#define ZK_TOOL_PERMS 8
/* The letters of permissions; out holds ZK_TOOL_PERMS bytes. Returns out. */
const char *zk_tool_perms(uint32_t perms, char *out);

/* The i-th argument: a number above 0; a path, "" for the root. */
long zk_tool_count(const struct zk_tool *t, int i);
const char *zk_tool_path(const struct zk_tool *t, int i);

/* The commands for many nodes. */
void zk_tool_multi(struct zk_tool *t);
void zk_tool_bulk(struct zk_tool *t);
void zk_tool_raise(struct zk_tool *t);
void zk_tool_dump(struct zk_tool *t);
void zk_tool_churn(struct zk_tool *t);

#endif
