/* What ACLs of znodes mean for us: as whom we write, what they let us do, which one a new node gets. Pure. */
#ifndef RESILOG_SINKS_ZK_ACL_H
#define RESILOG_SINKS_ZK_ACL_H

#include "core/err.h"
#include "core/slice.h"
#include "core/znode.h"

#include <stddef.h>
#include <stdint.h>

struct buf;
struct sha256;

/* Who we are in the destination. */
struct zk_self {
    struct slice digest; /* our id of the scheme digest, as it stands in ACLs; empty: none */
    bool is_super;       /* the server asks nothing of us */
};

/* Appends the id "user:base64(SHA-1(user:password))". Failures show in out. */
void zk_acl_digest_id(const char *user, const char *password, struct buf *out);
/* What an ACL lets us do: perms of enum znode_perm. Other schemes than world and digest count for nothing. */
uint32_t zk_acl_granted(const struct znode_acl *acl, size_t n, const struct zk_self *me);
/* True if a grants nothing to anybody that b does not. */
bool zk_acl_is_within(const struct znode *a, const struct znode *b);
/* True if a is b and, beside it, our own entry (zk_acl_own): what a node has that is not finished. */
bool zk_acl_is_provisional(const struct znode *a, const struct znode *b, const struct zk_self *me);
/* The entry that lets us do everything. me->digest is not empty. */
struct znode_acl zk_acl_own(const struct zk_self *me);
/* SHA-256 over the entries in their order (docs/FORMAT.md). */
void zk_acl_hash(const struct znode_acl *acl, size_t n, struct sha256 *with, uint8_t *ret);

#endif
