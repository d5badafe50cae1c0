/* One request after the other, each sent again when its session is lost, until the time is over. Keeps nothing. */
#include "controller/zk_rights.h"

#include "core/buf.h"
#include "core/clock.h"
#include "core/znode.h"
#include "io/zk.h"

#define ONLY_TAG 1

/* ---- Asking ---- */

static enum rc wait(const struct zk_asker *a, const struct err *why, struct err *e)
{
    int64_t left = a->until_ns - clock_boot_ns(a->clock);
    if (left > 0)
        return zk_wait(a->zk, -1, left, e);
    return err_set(e, RC_UNAVAILABLE, ERR_RETRY, "%s",
                   why->rc == RC_OK ? "it did not answer in time" : why->msg);
}

/* The answer; its slices live until the next call on the session. */
static enum rc ask(const struct zk_asker *a, const struct zk_call *c, bool once,
                   const struct zk_result **ret, struct err *e)
{
    struct err why = ERR_INIT;
    bool sent = false;
    for (;;) {
        struct zk_event ev;
        enum rc rc = zk_take(a->zk, &ev, e);
        if (rc == RC_OK && ev.kind == ZK_ANSWER && ev.err.rc == RC_OK) {
            *ret = ev.result;
            return RC_OK;
        }
        if (rc == RC_OK && ev.kind == ZK_ANSWER) {
            sent = false;
            if (once)
                return err_set(e, ev.err.rc, ev.err.retry, "%s", ev.err.msg);
        }
        if (rc == RC_OK && ev.kind == ZK_LOST)
            why = ev.err;
        if (rc == RC_AGAIN && !sent) {
            rc = zk_call(a->zk, c, ONLY_TAG, e);
            sent = rc == RC_OK;
        }
        if (rc == RC_AGAIN)
            rc = wait(a, &why, e);
        if (rc < 0)
            return rc;
    }
}

/* Reads the node's data, as a synchronization does: by what servers before 3.6 do not know. */
static enum rc ask_data(const struct zk_asker *a, struct slice path, int *ret_error, struct err *e)
{
    const struct zk_call part = {.op = ZK_GET_DATA, .path = path};
    const struct zk_call c = {.op = ZK_MULTI_READ, .parts = &part, .n_parts = 1};
    const struct zk_result *r;
    enum rc rc = ask(a, &c, /* once= */ false, &r, e);
    if (rc == RC_OK)
        *ret_error = r->error == ZK_OK && r->n_parts == 1 ? r->parts[0].error : r->error;
    return rc;
}

static enum rc ask_acl(const struct zk_asker *a, struct slice path, const struct zk_result **ret,
                       struct err *e)
{
    const struct zk_call c = {.op = ZK_GET_ACL, .path = path};
    return ask(a, &c, /* once= */ false, ret, e);
}

static enum rc is_unknown(struct slice path, int error, struct err *e)
{
    return err_set(e, RC_UNSUPPORTED, ERR_FATAL, "%.*s: the server says: %s (%d)", SLICE_ARG(path),
                   zk_error_name(error), error);
}

enum rc zk_rights_who(struct zk_asker *a, struct err *e)
{
    const struct zk_call sync = {.op = ZK_SYNC, .path = SLICE("/")}, who = {.op = ZK_WHO_AM_I};
    const struct zk_result *r;
    struct err lost = ERR_INIT;
    a->me.is_super = false;
    enum rc rc = ask(a, &sync, /* once= */ false, &r, e);
    if (rc != RC_OK)
        return rc;
    rc = ask(a, &who, /* once= */ true, &r, &lost);
    for (size_t i = 0; rc == RC_OK && i < r->n_acl; i++)
        if (slice_eq(r->acl[i].scheme, SLICE("super")))
            a->me.is_super = true;
    if (rc == RC_OK || lost.rc == RC_UNAVAILABLE)
        return RC_OK;
    return err_set(e, lost.rc, lost.retry, "%s", lost.msg);
}

/* ---- Judging ---- */

/* What entries grant of which we cannot tell whether they are ours. */
static uint32_t perhaps_granted(const struct zk_result *r)
{
    uint32_t perms = 0;
    for (size_t i = 0; i < r->n_acl; i++) {
        const struct znode_acl *acl = &r->acl[i];
        bool is_digest = slice_eq(acl->scheme, SLICE("digest"));
        if (is_digest ? slice_ends(acl->id, SLICE(":x")) : !slice_eq(acl->scheme, SLICE("world")))
            perms |= acl->perms;
    }
    return perms;
}

static void say_perms(struct slice path, uint32_t perms, struct buf *missing)
{
    static const struct {
        uint32_t perm;
        const char *name;
    } names[] = {{ZNODE_READ, "read"},
                 {ZNODE_WRITE, "write"},
                 {ZNODE_CREATE, "create"},
                 {ZNODE_DELETE, "delete"},
                 {ZNODE_ADMIN, "admin"}};
    const char *before = " ";
    if (perms == 0)
        return;
    buf_addf(missing, "%.*s: its ACL does not grant us", SLICE_ARG(path));
    for (size_t i = 0; i < sizeof names / sizeof *names; i++)
        if (perms & names[i].perm) {
            buf_addf(missing, "%s%s", before, names[i].name);
            before = ", ";
        }
    buf_addf(missing, "; grant it, or give the Database a secretName with a user that may\n");
}

static void check_acl(const struct zk_asker *a, const struct zk_need *need, struct slice path,
                      const struct zk_result *r, struct buf *missing)
{
    uint32_t wanted = ZNODE_CREATE;
    if (path.n == need->root.n)
        wanted |= ZNODE_READ | ZNODE_WRITE | ZNODE_DELETE | (need->acl ? ZNODE_ADMIN : 0);
    uint32_t granted = zk_acl_granted(r->acl, r->n_acl, &a->me) | perhaps_granted(r);
    say_perms(path, wanted & ~granted, missing);
}

static enum rc check_destination(const struct zk_asker *a, const struct zk_need *need,
                                 struct buf *missing, struct err *e)
{
    struct slice path = need->root;
    const struct zk_result *r;
    int unused;
    enum rc rc = ask_data(a, path, &unused, e); /* a server before 3.6 shows itself */
    if (rc == RC_OK)
        rc = ask_acl(a, path, &r, e);
    while (rc == RC_OK && r->error == ZK_NO_NODE && need->create_root && path.n > 1) {
        path = znode_parent(path);
        rc = ask_acl(a, path, &r, e);
    }
    if (rc != RC_OK)
        return rc;
    if (r->error == ZK_OK)
        check_acl(a, need, path, r, missing);
    else if (r->error == ZK_NO_AUTH)
        say_perms(path, ZNODE_READ, missing);
    else if (r->error == ZK_NO_NODE)
        buf_addf(missing, "rootPath %.*s does not exist; createRootPath: true makes it\n",
                 SLICE_ARG(need->root));
    else
        return is_unknown(path, r->error, e);
    return RC_OK;
}

static enum rc check_source(const struct zk_asker *a, const struct zk_need *need,
                            struct buf *missing, struct err *e)
{
    const struct zk_result *r;
    int error;
    enum rc rc = ask_data(a, need->root, &error, e);
    if (rc != RC_OK)
        return rc;
    if (error == ZK_NO_NODE)
        buf_addf(missing, "rootPath %.*s does not exist; create it, or name another one\n",
                 SLICE_ARG(need->root));
    else if (error == ZK_NO_AUTH)
        say_perms(need->root, ZNODE_READ, missing);
    else if (error != ZK_OK)
        return is_unknown(need->root, error, e);
    if (error != ZK_OK || !need->acl)
        return RC_OK;
    rc = ask_acl(a, need->root, &r, e);
    if (rc == RC_OK && r->error == ZK_OK && znode_acl_is_masked(r->acl, r->n_acl))
        buf_addf(missing,
                 "%.*s: its ACL is shown without the hashes of its users; grant us admin, or say "
                 "acl: false\n",
                 SLICE_ARG(need->root));
    return rc;
}

enum rc zk_rights_ask(struct zk_asker *a, const struct zk_need *need, struct buf *missing,
                      struct err *e)
{
    return need->write ? check_destination(a, need, missing, e) : check_source(a, need, missing, e);
}
