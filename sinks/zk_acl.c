/* The rules of ACLs. Keeps nothing. An ACL is never widened but by our own id, and that only until a node is finished. */
#include "sinks/zk_acl.h"

#include "core/buf.h"
#include "core/digest.h"
#include "core/le.h"

#define USER_MAX 1024

void zk_acl_digest_id(const char *user, const char *password, struct buf *out)
{
    struct buf both = BUF_INIT(2 * USER_MAX);
    uint8_t hash[SHA1_SIZE];
    buf_addf(&both, "%s:%s", user, password);
    if (both.bad != RC_OK) {
        out->bad = both.bad;
        buf_done(&both);
        return;
    }
    sha1(buf_slice(&both), hash);
    buf_done(&both);
    buf_addf(out, "%s:", user);
    base64_encode(slice_of(hash, sizeof hash), out);
}

static bool is_us(const struct znode_acl *a, const struct zk_self *me)
{
    if (slice_eq(a->scheme, SLICE("world")))
        return slice_eq(a->id, SLICE("anyone"));
    return me->digest.n > 0 && slice_eq(a->scheme, SLICE("digest")) && slice_eq(a->id, me->digest);
}

uint32_t zk_acl_granted(const struct znode_acl *acl, size_t n, const struct zk_self *me)
{
    uint32_t perms = me->is_super ? ZNODE_ALL : 0;
    for (size_t i = 0; i < n; i++)
        if (is_us(&acl[i], me))
            perms |= acl[i].perms;
    return perms;
}

struct znode_acl zk_acl_own(const struct zk_self *me)
{
    return (struct znode_acl){.perms = ZNODE_ALL, .scheme = SLICE("digest"), .id = me->digest};
}

/* An entry of the same identity has them, or one for everybody. */
static bool is_granted(const struct znode_acl *one, const struct znode *by)
{
    uint32_t perms = 0;
    for (size_t i = 0; i < by->n_acl; i++) {
        const struct znode_acl *b = &by->acl[i];
        bool same = slice_eq(b->scheme, one->scheme) && slice_eq(b->id, one->id);
        if (same || slice_eq(b->scheme, SLICE("world")))
            perms |= b->perms;
    }
    return (one->perms & ~perms) == 0;
}

bool zk_acl_is_within(const struct znode *a, const struct znode *b)
{
    for (size_t i = 0; i < a->n_acl; i++)
        if (!is_granted(&a->acl[i], b))
            return false;
    return true;
}

static bool is_same(const struct znode_acl *a, const struct znode_acl *b)
{
    return a->perms == b->perms && slice_eq(a->scheme, b->scheme) && slice_eq(a->id, b->id);
}

static bool has(const struct znode *n, const struct znode_acl *entry)
{
    for (size_t i = 0; i < n->n_acl; i++)
        if (is_same(&n->acl[i], entry))
            return true;
    return false;
}

bool zk_acl_is_provisional(const struct znode *a, const struct znode *b, const struct zk_self *me)
{
    const struct znode_acl own = zk_acl_own(me);
    if (!me->digest.n || !a->has_acl || !b->has_acl || !has(a, &own))
        return false;
    for (size_t i = 0; i < a->n_acl; i++)
        if (!is_same(&a->acl[i], &own) && !has(b, &a->acl[i]))
            return false;
    for (size_t i = 0; i < b->n_acl; i++)
        if (!has(a, &b->acl[i]))
            return false;
    return true;
}

static void add_text(struct sha256 *with, struct slice text)
{
    uint8_t n[4];
    le_put_u32(n, (uint32_t)text.n);
    sha256_add(with, slice_of(n, sizeof n));
    sha256_add(with, text);
}

void zk_acl_hash(const struct znode_acl *acl, size_t n, struct sha256 *with, uint8_t *ret)
{
    sha256_start(with);
    for (size_t i = 0; i < n; i++) {
        uint8_t perms[4];
        le_put_u32(perms, acl[i].perms);
        sha256_add(with, slice_of(perms, sizeof perms));
        add_text(with, acl[i].scheme);
        add_text(with, acl[i].id);
    }
    sha256_finish(with, ret);
}
