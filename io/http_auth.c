/* Credentials that change while they are used: of files, and of a program. The files are small and of this machine:
 * reading them does not count as waiting. All of them are read when one was changed, since a certificate and its key
 * belong together. */
#include "io/http_auth.h"

#include "core/clock.h"
#include "core/diag.h"
#include "core/env.h"
#include "io/http_program.h"
#include "io/secret_file.h"

#include <stdlib.h>
#include <string.h>

_Static_assert(HTTP_AUTH_FDS == CHILD_FDS, "the program's are all there are");

#define LOOK_EVERY_NS NS_PER_S

struct file {
    char *path; /* NULL: that part does not change */
    struct secret_file_state taken, seen;
};

struct http_auth {
    struct clock *clock;
    struct diag *diag;
    struct file files[HTTP_LOGIN_PARTS];
    struct http_program *program; /* NULL: none */
    struct http_login *login;
    int64_t look_ns; /* the next look at the files; INT64_MAX: there are none */
    bool refused;    /* the login, by the server */
};

static void free_texts(char *(*texts)[HTTP_LOGIN_PARTS])
{
    for (int i = 0; i < HTTP_LOGIN_PARTS; i++)
        secret_free((*texts)[i]);
}

/* A login of what the files hold now; parts without file are those of the last one. */
static enum rc read_files(const struct http_auth *a, struct http_login **ret, struct err *e)
{
    AUTO(free_texts) char *texts[HTTP_LOGIN_PARTS] = {NULL};
    const char *part[HTTP_LOGIN_PARTS];
    for (int i = 0; i < HTTP_LOGIN_PARTS; i++) {
        const char *path = a->files[i].path;
        enum rc rc = path ? secret_file_read(path, &texts[i], e) : RC_OK;
        if (rc != RC_OK)
            return rc;
        if (path && i != HTTP_LOGIN_TOKEN && !secret_is_pem(slice_str(texts[i])))
            return err_set(e, RC_INVALID, ERR_RETRY, "%.256s is not PEM text", path);
        part[i] = path ? texts[i] : a->login->part[i];
    }
    return http_login_new(part, ret, e);
}

static void use(struct http_auth *a, struct http_login *fresh)
{
    http_login_unref(a->login);
    a->login = fresh;
    a->refused = false;
}

static enum rc take_files(struct http_auth *a, struct err *e)
{
    struct http_login *fresh = NULL;
    struct err why = ERR_INIT;
    for (int i = 0; i < HTTP_LOGIN_PARTS; i++)
        a->files[i].taken = a->files[i].seen;
    enum rc rc = read_files(a, &fresh, &why);
    if (rc == RC_NOMEM)
        return err_nomem(e);
    if (rc != RC_OK) {
        diag_error(a->diag, DIAG_WARN,
                   "a file of the credentials cannot be used; what it held before is used on",
                   &why);
        return RC_OK;
    }
    use(a, fresh);
    return RC_OK;
}

/* True once a file differs from what was taken and stayed so since the last look, or was refused. */
static bool look(struct http_auth *a)
{
    bool differs = false, settled = true;
    for (int i = 0; i < HTTP_LOGIN_PARTS; i++) {
        struct file *f = &a->files[i];
        struct secret_file_state now = {{0}};
        if (f->path)
            secret_file_look(f->path, &now);
        differs = differs || !secret_file_same(&now, &f->taken);
        settled = settled && secret_file_same(&now, &f->seen);
        f->seen = now;
    }
    return differs && (settled || a->refused);
}

static enum rc look_again(struct http_auth *a, struct err *e)
{
    int64_t now = a->look_ns == INT64_MAX ? 0 : clock_boot_ns(a->clock);
    if (now < a->look_ns)
        return RC_OK;
    a->look_ns = now + LOOK_EVERY_NS;
    return look(a) ? take_files(a, e) : RC_OK;
}

static enum rc ask_program(struct http_auth *a, struct err *e)
{
    AUTO(exec_credential_done) struct exec_credential c = {0};
    struct http_login *fresh = NULL;
    enum rc rc = http_program_step(a->program, a->refused, &c, e);
    if (rc != RC_OK || (!c.token && !c.cert))
        return rc;
    const char *const part[HTTP_LOGIN_PARTS] = {c.token, a->login->part[HTTP_LOGIN_CA], c.cert,
                                                c.key};
    rc = http_login_new(part, &fresh, e);
    if (rc == RC_INVALID)
        return err_set(e, RC_UNAVAILABLE, ERR_RETRY,
                       "no credentials: the exec plugin gave a token that fits no header line");
    if (rc != RC_OK)
        return rc;
    use(a, fresh);
    return RC_OK;
}

enum rc http_auth_login(struct http_auth *a, struct http_login **ret, struct err *e)
{
    enum rc rc = look_again(a, e);
    if (rc == RC_OK && a->program)
        rc = ask_program(a, e);
    if (rc == RC_OK)
        *ret = http_login_ref(a->login);
    return rc;
}

void http_auth_refused(struct http_auth *a, const struct http_login *l)
{
    a->refused = a->refused || l == a->login;
}

enum rc http_auth_open(const struct http_target *t, const struct env *env, struct http_auth **ret,
                       struct err *e)
{
    const char *const part[HTTP_LOGIN_PARTS] = {t->token, t->ca_pem, t->cert_pem, t->key_pem};
    const char *const path[] = {t->token_file, t->ca_file, t->cert_file, t->key_file};
    AUTO(http_auth_closep) struct http_auth *a = calloc(1, sizeof *a);
    if (!a)
        return err_nomem(e);
    a->clock = env->clock;
    a->diag = env->diag;
    a->look_ns = INT64_MAX;
    for (int i = 0; i < HTTP_LOGIN_PARTS; i++) {
        if (!path[i])
            continue;
        a->look_ns = clock_boot_ns(env->clock) + LOOK_EVERY_NS;
        a->files[i].path = strdup(path[i]);
        if (!a->files[i].path)
            return err_nomem(e);
    }
    enum rc rc = http_login_new(part, &a->login, e);
    if (rc == RC_OK && a->look_ns != INT64_MAX) {
        (void)look(a);
        rc = take_files(a, e);
    }
    if (rc == RC_OK && t->exec)
        rc = http_program_open(t->exec, env, &a->program, e);
    if (rc == RC_OK)
        *ret = steal(&a);
    return rc;
}

size_t http_auth_poll(const struct http_auth *a, struct pollfd out[HTTP_AUTH_FDS])
{
    return a->program ? http_program_poll(a->program, out) : 0;
}

int64_t http_auth_due(const struct http_auth *a)
{
    return a->program ? http_program_due(a->program) : INT64_MAX;
}

void http_auth_close(struct http_auth *a)
{
    if (!a)
        return;
    for (int i = 0; i < HTTP_LOGIN_PARTS; i++)
        free(a->files[i].path);
    http_program_close(a->program);
    http_login_unref(a->login);
    free(a);
}
