/* A list of owned copies. Before `wants` nobody wants an ACL, before `asked` nobody waits for one: both only move on,
 * for answers come in the order of the questions. One thread. */
#include "producers/zk_pending.h"

#include "io/zk.h"

struct entry {
    struct entry *next;
    struct zk_node n;
    struct znode_acl *acl; /* owned, with its texts in one block */
    char bytes[];          /* path and data */
};

struct zk_pending {
    struct entry *first, *last;
    struct entry *wants; /* the first that wants its ACL */
    struct entry *asked; /* the first that was asked for it and has no answer */
    size_t count, bytes;
};

struct zk_pending *zk_pending_new(void)
{
    return calloc(1, sizeof(struct zk_pending));
}

static size_t size_of(const struct entry *t)
{
    return sizeof *t + t->n.path.n + t->n.node.data.n;
}

void zk_pending_clear(struct zk_pending *p)
{
    while (p->first)
        zk_pending_drop_first(p);
}

void zk_pending_free(struct zk_pending *p)
{
    if (!p)
        return;
    zk_pending_clear(p);
    free(p);
}

static size_t acl_text(const struct znode_acl *acl, size_t n)
{
    size_t bytes = 0;
    for (size_t i = 0; i < n; i++)
        bytes += acl[i].scheme.n + acl[i].id.n;
    return bytes;
}

static struct slice copy_text(char **to, struct slice s)
{
    struct slice copy = slice_of(*to, s.n);
    if (s.n)
        memcpy(*to, s.p, s.n);
    *to += s.n;
    return copy;
}

static enum rc set_acl(struct entry *t, const struct znode_acl *acl, size_t n, struct err *e)
{
    t->acl = malloc((n + 1) * sizeof *acl + acl_text(acl, n));
    if (!t->acl)
        return err_nomem(e);
    char *text = (char *)(t->acl + n + 1);
    for (size_t i = 0; i < n; i++) {
        t->acl[i].perms = acl[i].perms;
        t->acl[i].scheme = copy_text(&text, acl[i].scheme);
        t->acl[i].id = copy_text(&text, acl[i].id);
    }
    t->n.node.acl = t->acl;
    t->n.node.n_acl = n;
    t->n.node.has_acl = true;
    return RC_OK;
}

static void link_last(struct zk_pending *p, struct entry *t)
{
    if (p->last)
        p->last->next = t;
    else
        p->first = t;
    p->last = t;
    p->count++;
    p->bytes += size_of(t);
    if (t->n.acl == ZK_ACL_WANTED && !p->wants)
        p->wants = t;
}

enum rc zk_pending_add(struct zk_pending *p, const struct zk_node *n, struct err *e)
{
    struct entry *t = calloc(1, sizeof *t + n->path.n + n->node.data.n);
    if (!t)
        return err_nomem(e);
    char *to = t->bytes;
    t->n = *n;
    t->n.path = copy_text(&to, n->path);
    t->n.node.data = copy_text(&to, n->node.data);
    enum rc rc = n->node.has_acl ? set_acl(t, n->node.acl, n->node.n_acl, e) : RC_OK;
    if (rc == RC_OK)
        link_last(p, t);
    else
        free(t);
    return rc;
}

static struct entry *seek(struct entry *t, enum zk_acl_state state)
{
    while (t && t->n.acl != state)
        t = t->next;
    return t;
}

const struct zk_node *zk_pending_wants(const struct zk_pending *p)
{
    return p->wants ? &p->wants->n : NULL;
}

void zk_pending_asked(struct zk_pending *p)
{
    p->wants->n.acl = ZK_ACL_ASKED;
    if (!p->asked)
        p->asked = p->wants;
    p->wants = seek(p->wants, ZK_ACL_WANTED);
}

/* Data and ACL were read one after the other; unless both were changed in between, one of the two stats describes
 * both. False: none does. */
static bool agree(struct znode_stat *data, const struct znode_stat *acl)
{
    if (data->czxid != acl->czxid)
        return false;
    if (data->aversion == acl->aversion)
        return true;
    if (data->mzxid != acl->mzxid)
        return false;
    *data = *acl;
    return true;
}

enum rc zk_pending_answer(struct zk_pending *p, const struct zk_result *acl, struct err *e)
{
    struct entry *t = p->asked;
    p->asked = seek(t->next, ZK_ACL_ASKED);
    t->n.error = acl->error;
    if (!t->n.error && !agree(&t->n.node.stat, &acl->stat))
        t->n.error = ZK_BAD_VERSION;
    t->n.acl = ZK_ACL_FAILED;
    if (t->n.error)
        return RC_OK;
    enum rc rc = set_acl(t, acl->acl, acl->n_acl, e);
    if (rc == RC_OK)
        t->n.acl = ZK_ACL_THERE;
    return rc;
}

const struct zk_node *zk_pending_first(const struct zk_pending *p)
{
    bool waits = !p->first || p->first->n.acl == ZK_ACL_WANTED || p->first->n.acl == ZK_ACL_ASKED;
    return waits ? NULL : &p->first->n;
}

void zk_pending_drop_first(struct zk_pending *p)
{
    struct entry *t = p->first;
    p->first = t->next;
    if (!p->first)
        p->last = NULL;
    if (p->wants == t)
        p->wants = NULL;
    if (p->asked == t)
        p->asked = NULL;
    p->count--;
    p->bytes -= size_of(t);
    free(t->acl);
    free(t);
}

bool zk_pending_is_empty(const struct zk_pending *p)
{
    return !p->first;
}

bool zk_pending_full(const struct zk_pending *p)
{
    return p->count >= ZK_PENDING_NODES || p->bytes >= ZK_PENDING_BYTES;
}
