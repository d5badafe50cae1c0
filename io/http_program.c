/* Between a child process and who needs its answer. Keeps no credential: what was given is the caller's. */
#include "io/http_program.h"

#include "core/backoff.h"
#include "core/clock.h"
#include "core/env.h"

#include <stdlib.h>
#include <string.h>

#define AGAIN_FIRST_NS NS_PER_S
#define AGAIN_MAX_NS   (60 * NS_PER_S)

struct http_program {
    const struct http_exec *exec;
    const struct env *env;
    char *info;              /* what it is told, the first of given */
    const char **given;      /* its environment beside ours, up to a NULL */
    struct child *child;     /* NULL: it does not run */
    bool for_refusal;        /* why it runs */
    bool has_given;          /* credentials, at least once */
    int64_t expires_wall_ns; /* of these */
    struct err why;          /* it failed last time; RC_OK: it did not */
    struct backoff backoff;
    int64_t next_ns; /* it is not run before */
};

enum rc http_program_open(const struct http_exec *exec, const struct env *env,
                          struct http_program **ret, struct err *e)
{
    size_t n = 0;
    AUTO(http_program_closep) struct http_program *p = calloc(1, sizeof *p);
    if (!p)
        return err_nomem(e);
    p->exec = exec;
    p->env = env;
    p->backoff = (struct backoff){AGAIN_FIRST_NS, AGAIN_MAX_NS, 0};
    while (exec->env && exec->env[n])
        n++;
    p->info = exec_credential_info(exec->api_version);
    p->given = calloc(n + 2, sizeof *p->given);
    if (!p->info || !p->given)
        return err_nomem(e);
    p->given[0] = p->info;
    for (size_t i = 0; i < n; i++)
        p->given[i + 1] = exec->env[i];
    *ret = steal(&p);
    return RC_OK;
}

void http_program_close(struct http_program *p)
{
    if (!p)
        return;
    child_close(p->child);
    free(p->given);
    free(p->info);
    free(p);
}

/* Ends a run, well or not; how it failed is kept, to be told until the next one. */
static enum rc finish(struct http_program *p, enum rc rc, const struct err *why, struct err *e)
{
    const char *slash = strrchr(p->exec->argv[0], '/');
    int64_t now = clock_boot_ns(p->env->clock);
    child_close(steal(&p->child));
    if (rc == RC_OK && !p->for_refusal)
        backoff_reset(&p->backoff);
    p->next_ns = now + backoff_next_ns(&p->backoff, p->env->rng);
    p->why.rc = RC_OK;
    if (rc == RC_NOMEM)
        return err_nomem(e);
    if (rc == RC_OK)
        return RC_OK;
    err_set(
        &p->why, RC_UNAVAILABLE, ERR_RETRY,
        "no credentials: the exec plugin \"%.64s\" %s; its output is not repeated, it may hold a "
        "credential: run it by hand",
        slash ? slash + 1 : p->exec->argv[0], why->msg);
    *e = p->why;
    return e->rc;
}

static enum rc start(struct http_program *p, bool refused, struct err *e)
{
    const struct child_opts opts = {.argv = p->exec->argv,
                                    .env = p->given,
                                    .output_max = HTTP_PROGRAM_OUTPUT,
                                    .within_ns = HTTP_PROGRAM_WITHIN_NS};
    struct err why = ERR_INIT;
    p->for_refusal = refused;
    enum rc rc = child_start(&opts, clock_boot_ns(p->env->clock), &p->child, &why);
    return rc == RC_OK ? RC_OK : finish(p, rc, &why, e);
}

static enum rc go_on(struct http_program *p, struct exec_credential *ret, struct err *e)
{
    struct err why = ERR_INIT;
    enum rc rc = child_step(p->child, clock_boot_ns(p->env->clock), &why);
    if (rc == RC_AGAIN)
        return RC_AGAIN;
    if (rc == RC_OK)
        rc = exec_credential_parse(child_output(p->child), p->exec->api_version, ret, &why);
    if (rc == RC_OK) {
        p->has_given = true;
        p->expires_wall_ns = ret->expires_wall_ns;
    }
    return finish(p, rc, &why, e);
}

enum rc http_program_step(struct http_program *p, bool refused, struct exec_credential *ret,
                          struct err *e)
{
    if (!p->child) {
        bool good = p->has_given && clock_wall_ns(p->env->clock) < p->expires_wall_ns && !refused;
        if (good)
            return RC_OK;
        if (clock_boot_ns(p->env->clock) < p->next_ns) {
            if (p->why.rc == RC_OK)
                return RC_OK; /* it was asked just now: the server's word counts */
            *e = p->why;
            return e->rc;
        }
        enum rc rc = start(p, refused, e);
        if (rc != RC_OK)
            return rc;
    }
    return go_on(p, ret, e);
}

size_t http_program_poll(const struct http_program *p, struct pollfd out[CHILD_FDS])
{
    return p->child ? child_poll(p->child, out) : 0;
}

int64_t http_program_due(const struct http_program *p)
{
    return p->child ? child_due(p->child) : INT64_MAX;
}
