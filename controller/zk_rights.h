/* Whether a ZooKeeper ensemble lets a synchronization do what it needs, asked over a session; nothing is written. */
#ifndef RESILOG_CONTROLLER_ZK_RIGHTS_H
#define RESILOG_CONTROLLER_ZK_RIGHTS_H

#include "core/err.h"
#include "core/slice.h"
#include "sinks/zk_acl.h"

#include <stdbool.h>
#include <stdint.h>

struct buf;
struct clock;
struct zk;

/* Who asks; filled by the caller, all borrowed. */
struct zk_asker {
    struct zk *zk;
    struct clock *clock;
    int64_t until_ns;  /* boot time: after it nothing is waited for */
    struct zk_self me; /* is_super is learned by zk_rights_who */
};

/* What one synchronization does with one ensemble. */
struct zk_need {
    struct slice root;
    bool write;       /* it is the destination, else the source */
    bool create_root; /* of a destination: the root is made where it is missing */
    bool acl;         /* ACLs are copied, too */
};

/* Learns whether we are a super user. A server of 3.6 ends the session that asks: then we are taken for none. Blocks.
 * Errors: UNAVAILABLE (no session in time; the text says why), NOMEM, IO. */
MUST_CHECK enum rc zk_rights_who(struct zk_asker *a, struct err *e);
/* Appends a line to missing for each thing that certainly is: what an ACL grants to ids of other schemes than world and
 * digest, or to one whose hash is hidden from us, may be ours. Only the root is looked at (of a destination without it:
 * its nearest parent). Blocks. Errors: as zk_rights_who (a server older than 3.6 is one that ends the session, and is
 * told so); UNSUPPORTED (a server that answers another error). */
MUST_CHECK enum rc zk_rights_ask(struct zk_asker *a, const struct zk_need *need,
                                 struct buf *missing, struct err *e);

#endif
