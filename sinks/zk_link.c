/* The questions of each new connection, one after another.
 *
 * Keeps the ensemble's identity: with a root node other than "/" that node's czxid tells whether it is the same tree as
 * before, for an ensemble has no identity of its own. A question that is refused is asked again with back-off. */
#include "sinks/zk_link.h"

#include "core/clock.h"
#include "core/diag.h"
#include "core/env.h"
#include "io/zk.h"

#include <assert.h>
#include <inttypes.h>
#include <stdio.h>

#define FIRST_NS     (500 * NS_PER_MS)
#define MOST_NS      (30 * NS_PER_S)
#define ACL_TEXT_MAX (1u << 20)
#define WHO_LOST     2u /* from then on nobody is asked: a connection is lost by chance, too */

void zk_link_init(struct zk_link *l, struct zk_dest *dest, const char *name, bool create_root)
{
    *l = (struct zk_link){.dest = dest,
                          .name = name,
                          .create_root = create_root,
                          .acl_texts = BUF_INIT(ACL_TEXT_MAX),
                          .backoff = {.first_ns = FIRST_NS, .max_ns = MOST_NS},
                          .error = "not connected yet"};
}

void zk_link_done(struct zk_link *l)
{
    buf_done(&l->acl_texts);
    if (l->dest)
        free(l->dest->base_acl);
}

void zk_link_stop(struct zk_link *l, const struct env *env, const char *why)
{
    l->fatal = true;
    snprintf(l->error, sizeof l->error, "%s", why);
    DIAG(env->diag, DIAG_ERROR, l->error, DIAG_S("identity", slice_str(l->identity)));
}

/* ---- Asking ---- */

enum rc zk_link_ask(struct zk_link *l, struct zk *z, uint64_t tag, const struct env *env,
                    int64_t *ret_wake_ns, struct err *e)
{
    static const enum zk_op ops[] = {[ZK_LINK_SYNC] = ZK_SYNC,
                                     [ZK_LINK_WHO] = ZK_WHO_AM_I,
                                     [ZK_LINK_ROOT] = ZK_EXISTS,
                                     [ZK_LINK_ACL] = ZK_GET_ACL};
    *ret_wake_ns = INT64_MAX;
    if (l->step == ZK_LINK_DOWN || l->step == ZK_LINK_UP || l->asked || l->fatal)
        return RC_AGAIN;
    if (clock_boot_ns(env->clock) < l->not_before) {
        *ret_wake_ns = l->not_before;
        return RC_AGAIN;
    }
    struct zk_call c = {.op = ops[l->step]};
    if (c.op != ZK_WHO_AM_I)
        c.path = c.op == ZK_SYNC ? l->dest->root : l->dest->base;
    enum rc rc = zk_call(z, &c, tag, e);
    l->asked = rc == RC_OK;
    return rc;
}

/* ---- Learning ---- */

static void begin(struct zk_link *l)
{
    l->step = ZK_LINK_SYNC;
    l->asked = false;
    l->dest->base = l->dest->root;
}

void zk_link_doubt(struct zk_link *l)
{
    if (!zk_link_is_up(l))
        return;
    begin(l);
    snprintf(l->error, sizeof l->error, "the root node is looked for");
}

static void identify(struct zk_link *l)
{
    if (l->dest->root.n == 1)
        snprintf(l->identity, sizeof l->identity, "zookeeper %s", l->name);
    else if (l->root_czxid)
        snprintf(l->identity, sizeof l->identity, "zookeeper %s %" PRIx64, l->name,
                 (uint64_t)l->root_czxid);
    else
        l->identity[0] = '\0';
}

void zk_link_root_made(struct zk_link *l, int64_t czxid)
{
    l->dest->base = l->dest->root;
    l->root_czxid = czxid;
    identify(l);
}

void zk_link_root_gone(struct zk_link *l)
{
    l->dest->base = znode_parent(l->dest->root);
    l->root_czxid = 0;
}

static void learn_who(struct zk_link *l, const struct zk_result *r)
{
    l->who_lost = 0;
    l->dest->me.is_super = false;
    for (size_t i = 0; r->error == ZK_OK && i < r->n_acl; i++)
        if (slice_eq(r->acl[i].scheme, SLICE("super")))
            l->dest->me.is_super = true;
    l->step = ZK_LINK_ROOT;
}

static void root_missing(struct zk_link *l, const struct env *env)
{
    char why[sizeof l->error];
    if (l->create_root && l->dest->base.n > 1) {
        l->dest->base = znode_parent(l->dest->base);
        return;
    }
    snprintf(why, sizeof why,
             "rootPath %.200s does not exist in the destination; createRootPath: true makes it",
             l->dest->root.p);
    zk_link_stop(l, env, why);
}

static void learn_root(struct zk_link *l, const struct zk_result *r, const struct env *env)
{
    bool root = l->dest->base.n == l->dest->root.n;
    if (r->error == ZK_NO_NODE) {
        root_missing(l, env);
        return;
    }
    if (root && l->root_czxid && l->root_czxid != r->stat.czxid) {
        zk_link_stop(l, env,
                     "the destination's root node is another one than before: the ensemble "
                     "was set up anew, or its data replaced");
        return;
    }
    l->root_czxid = root ? r->stat.czxid : 0;
    identify(l);
    l->step = ZK_LINK_ACL;
}

static enum rc copy_acl(struct zk_link *l, const struct zk_result *r, struct err *e)
{
    struct znode_acl *acl = calloc(r->n_acl + 1, sizeof *acl);
    if (!acl)
        return err_nomem(e);
    free(l->dest->base_acl);
    l->dest->base_acl = acl;
    l->dest->n_base_acl = r->n_acl;
    buf_reset(&l->acl_texts);
    for (size_t i = 0; i < r->n_acl; i++) {
        buf_add_slice(&l->acl_texts, r->acl[i].scheme);
        buf_add_slice(&l->acl_texts, r->acl[i].id);
    }
    const char *at = l->acl_texts.p;
    for (size_t i = 0; i < r->n_acl && l->acl_texts.bad == RC_OK; i++) {
        acl[i].perms = r->acl[i].perms;
        acl[i].scheme = slice_of(at, r->acl[i].scheme.n);
        at += acl[i].scheme.n;
        acl[i].id = slice_of(at, r->acl[i].id.n);
        at += acl[i].id.n;
    }
    return buf_check(&l->acl_texts, "an ACL", e);
}

static void put_off(struct zk_link *l, const struct env *env, const char *why)
{
    begin(l);
    l->not_before = clock_boot_ns(env->clock) + backoff_next_ns(&l->backoff, env->rng);
    snprintf(l->error, sizeof l->error, "%s", why);
    DIAG(env->diag, DIAG_WARN, "the destination ensemble cannot be written to",
         DIAG_S("identity", slice_str(l->identity)), DIAG_S("error", slice_str(l->error)));
}

/* Only nodes for which no ACL is wanted need it. */
static enum rc learn_acl(struct zk_link *l, const struct zk_result *r, const struct env *env,
                         struct err *e)
{
    bool readable = r->error == ZK_OK && !znode_acl_is_masked(r->acl, r->n_acl);
    if (!readable && !l->dest->acl) {
        put_off(l, env,
                "the ACL of the root node, which new nodes get, cannot be read: give the "
                "destination's Database a secretName with a user that may administer that node");
        return RC_OK;
    }
    enum rc rc = readable ? copy_acl(l, r, e) : RC_OK;
    if (rc != RC_OK)
        return rc;
    l->step = ZK_LINK_UP;
    l->error[0] = '\0';
    backoff_reset(&l->backoff);
    return RC_OK;
}

static enum rc on_answer(struct zk_link *l, const struct zk_result *r, const struct env *env,
                         struct err *e)
{
    char why[sizeof l->error];
    bool odd = l->step == ZK_LINK_ROOT && r->error != ZK_OK && r->error != ZK_NO_NODE;
    l->asked = false;
    if (odd) {
        snprintf(why, sizeof why, "asking for the root node: %s (%d)", zk_error_name(r->error),
                 r->error);
        put_off(l, env, why);
        return RC_OK;
    }
    switch (l->step) {
    case ZK_LINK_SYNC:
        l->step = l->who_lost >= WHO_LOST ? ZK_LINK_ROOT : ZK_LINK_WHO;
        return RC_OK;
    case ZK_LINK_WHO:
        learn_who(l, r);
        return RC_OK;
    case ZK_LINK_ROOT:
        learn_root(l, r, env);
        return RC_OK;
    case ZK_LINK_ACL:
        return learn_acl(l, r, env, e);
    case ZK_LINK_DOWN:
    case ZK_LINK_UP:
        break;
    }
    return RC_OK;
}

static void on_lost(struct zk_link *l, const struct zk_event *ev, const struct env *env)
{
    l->who_lost += l->step == ZK_LINK_WHO && l->asked;
    l->step = ZK_LINK_DOWN;
    l->asked = false;
    if (l->fatal)
        return;
    snprintf(l->error, sizeof l->error, "%.300s", ev->err.msg);
    DIAG(env->diag, DIAG_WARN, "the connection to the destination ensemble is lost",
         DIAG_S("identity", slice_str(l->identity)), DIAG_S("error", slice_str(l->error)));
}

enum rc zk_link_event(struct zk_link *l, const struct zk_event *ev, const struct env *env,
                      struct err *e)
{
    if (l->fatal && ev->kind != ZK_LOST)
        return RC_OK;
    if (ev->kind == ZK_LOST) {
        on_lost(l, ev, env);
        return RC_OK;
    }
    if (ev->kind == ZK_CONNECTED) {
        begin(l);
        l->not_before = 0;
        return RC_OK;
    }
    if (ev->err.rc != RC_OK) { /* LOST tells it, too */
        l->who_lost += l->step == ZK_LINK_WHO && l->asked;
        l->asked = false;
        return RC_OK;
    }
    return on_answer(l, ev->result, env, e);
}
