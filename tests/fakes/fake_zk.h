/* A modelled ZooKeeper ensemble behind io/zk.h: in memory, one thread, the same on every host, no sockets.
 *
 * A request takes effect when the session's zk_take comes to it (or in fake_zk_run), in the order of the session; so
 * what a test changes between zk_call and zk_take is seen. A change is told to those who watch it at once, before all
 * answers that are given later. A lost connection answers what is open as lost, then tells LOST, and LOST again when
 * it is refused; the next zk_take connects anew, without watches, and what changed meanwhile is told to nobody. Time
 * is the injected clock's and stands still by itself; zk_wait returns at once.
 *
 * As a real server: parts of a failed multi say OK before the part that failed and RUNTIME_INCONSISTENCY behind it;
 * GET_ACL of who may read but not administer a node has "x" in place of a digest's hash; SET_ACL moves nothing but
 * aversion and tells nobody; writes that fail, and sessions that come and go, move the zxid, too; a change of a node
 * that a session may not read is not told to it. "/zookeeper" with its config and quota is there from the beginning.
 *
 * Not modelled: SASL, quotas, containers, TTL and sequential nodes over a session. A fake that runs out of memory
 * aborts. */
#ifndef RESILOG_TESTS_FAKE_ZK_H
#define RESILOG_TESTS_FAKE_ZK_H

#include "core/scope.h"
#include "core/slice.h"
#include "core/znode.h"
#include "io/zk.h"

#include <stdint.h>

struct buf;
struct clock;
struct fake_zk;

/* One ensemble; borrows clock. Its zxids begin at 1 << 32. */
struct fake_zk *fake_zk_new(struct clock *clock);
void fake_zk_free(struct fake_zk *w); /* after its sessions are closed */
DEFINE_FREEP(struct fake_zk, fake_zk_free)
/* Gives one more client; zk_close ends it, and its open requests are not executed then. who: NULL for nobody,
 * "super", or an id of the scheme digest as it stands in ACLs ("alice:hash"). */
void fake_zk_connect(struct fake_zk *w, const char *who, struct zk **ret);
/* Executes what is open in all sessions, without giving events to anybody. */
void fake_zk_run(struct fake_zk *w);
/* The boot time at which a session has something to take: now or earlier if it has; INT64_MAX: nothing by itself. */
int64_t fake_zk_wake(struct fake_zk *w);

/* ---- The tree, changed by somebody else who may do everything, past all faults. They give an enum zk_error; data NULL
 * is null data; new nodes have the ACL world:anyone:cdrwa ---- */
int fake_zk_create(struct fake_zk *w, const char *path, const char *data);
int fake_zk_create_ephemeral(struct fake_zk *w, const char *path, const char *data);
/* Creates <prefix><number of 10 digits>; *ret (NULL allowed) lives as long as the node. NODE_EXISTS where that is
 * there. */
int fake_zk_create_sequential(struct fake_zk *w, const char *prefix, const char *data,
                              struct slice *ret);
int fake_zk_set(struct fake_zk *w, const char *path, const char *data);
int fake_zk_delete(struct fake_zk *w, const char *path);
/* acl as zkCli writes it: "world:anyone:r,digest:alice:hash:cdrwa". */
int fake_zk_set_acl(struct fake_zk *w, const char *path, const char *acl);
/* Creates the node with all parents that are missing, or sets its data. */
int fake_zk_put(struct fake_zk *w, const char *path, const char *data);
int fake_zk_delete_tree(struct fake_zk *w, const char *path);
/* Any request; ret (NULL allowed) lives until the next call on w. */
int fake_zk_do(struct fake_zk *w, const struct zk_call *c, struct zk_result *ret);

/* The node with its ACL; false if absent. Lives until the node changes. */
bool fake_zk_get(struct fake_zk *w, struct slice path, struct znode *ret);
/* Walks in byte order of the paths: the first one behind `after`; false at the end. */
bool fake_zk_next(struct fake_zk *w, struct slice after, struct slice *ret_path, struct znode *ret);
/* What two ensembles can have in common below root (without "/zookeeper" where root is "/"), one line for each node:
 * path, sequence, data and ACL, as JSON. */
void fake_zk_print(struct fake_zk *w, const char *root, struct buf *out);

int64_t fake_zk_zxid(const struct fake_zk *w); /* of the last change */
/* Keeps the present tree; the number is for fake_zk_restore. 0 is kept from the beginning: the tree of a new
 * ensemble. */
size_t fake_zk_save(struct fake_zk *w);
/* As an ensemble that is set up again from a snapshot: tree and zxid go back, all connections are lost. */
void fake_zk_restore(struct fake_zk *w, size_t saved);

/* ---- conditions that last until taken back ---- */
void fake_zk_lose(struct fake_zk *w); /* all connections, now; what was open is not executed */
void fake_zk_set_down(struct fake_zk *w, bool down);    /* lose, and refuse connections */
void fake_zk_refuse(struct fake_zk *w, int64_t for_ns); /* the same until the clock has passed it */
void fake_zk_set_delay(struct fake_zk *w, int64_t ns);  /* answers come so much later */
/* A longer request loses the connection, as with a small jute.maxbuffer; at first ZK_REQUEST_MAX. */
void fake_zk_set_request_max(struct fake_zk *w, size_t bytes);
/* The server's version 3.x: 8 at first; from 9 on a CREATE in a multi answers its stat, and EXISTS needs READ. */
void fake_zk_set_minor(struct fake_zk *w, unsigned minor);

/* ---- faults ---- */
#define FAKE_ZK_ANY (-1)
enum fake_zk_fault {
    FAKE_ZK_NO_FAULT,
    FAKE_ZK_REQUEST_LOST, /* the connection is lost before the request was executed */
    FAKE_ZK_ANSWER_LOST,  /* after it was executed; nothing behind it is executed */
    FAKE_ZK_EVENT_LOST,   /* in place of telling a change (op does not matter) */
    FAKE_ZK_ERROR,        /* answered with the rule's error, not executed */
    FAKE_ZK_GARBAGE,      /* executed; the answer is CORRUPT, and the connection is lost */
    FAKE_ZK_FAULTS
};
/* Plans a fault for requests of an op that name a path, in a part perhaps, which begins so. Of rules the first counts;
 * each is gone when used up. */
struct fake_zk_rule {
    enum fake_zk_fault fault;
    int op;           /* an enum zk_op (of a part, too), or FAKE_ZK_ANY */
    const char *path; /* copied; NULL: all */
    int error;        /* of FAKE_ZK_ERROR */
    unsigned pass;    /* so many that match go through first */
    unsigned times;   /* 0: once */
};
void fake_zk_plan(struct fake_zk *w, const struct fake_zk_rule *rule);
struct fake_zk_rates {
    unsigned per_mille[FAKE_ZK_FAULTS]; /* not of FAKE_ZK_ERROR */
};
/* Faults strike at random from now on. NULL: no more. */
void fake_zk_faults(struct fake_zk *w, uint64_t seed, const struct fake_zk_rates *rates);

/* ---- what the ensemble saw from sessions ---- */
/* How many requests and parts of that op (FAKE_ZK_ANY: of all) were executed, with success or not. */
size_t fake_zk_asked(const struct fake_zk *w, int op);
size_t fake_zk_struck(const struct fake_zk *w, enum fake_zk_fault fault);
/* What sessions changed: CREATE, DELETE, SET_DATA, SET_ACL that took effect, in order. */
struct fake_zk_write {
    enum zk_op op;
    struct slice path; /* lives as long as w */
};
size_t fake_zk_writes(const struct fake_zk *w);
struct fake_zk_write fake_zk_write_at(const struct fake_zk *w, size_t index);
void fake_zk_forget(struct fake_zk *w); /* counts and writes begin anew */

#endif
