/* What the fake_zk_*.c files share. */
#ifndef RESILOG_TESTS_FAKE_ZK_PRIV_H
#define RESILOG_TESTS_FAKE_ZK_PRIV_H

#include "core/clock.h"
#include "core/map.h"
#include "core/rng.h"
#include "tests/fakes/fake_zk.h"

#define FZ_BAD_ARGUMENTS (-8)
#define FZ_FIRST_ZXID    ((int64_t)1 << 32)
#define FZ_OPS           128 /* above every enum zk_op */

/* ---- memory that goes all at once (fake_zk_mem.c) ---- */
struct fz_block;
struct fz_mem {
    struct fz_block *blocks;
};
void *fz_alloc(struct fz_mem *m, size_t n); /* zeroed; aborts where there is none */
struct slice fz_copy(struct fz_mem *m, struct slice s);
const struct znode_acl *fz_copy_acl(struct fz_mem *m, const struct znode_acl *acl, size_t n);
const struct zk_call *fz_copy_call(struct fz_mem *m, const struct zk_call *c);
void fz_mem_done(struct fz_mem *m);
void *fz_grow(void *p, size_t n, size_t *cap, size_t size); /* room for one more element behind n */
void fz_must(enum rc rc); /* aborts: the fake has no way to go on */

/* ---- the tree (fake_zk_tree.c) ---- */
/* What a node is between two changes of it; never changes, shared with what is saved. */
struct fz_state {
    size_t refs;
    struct fz_mem mem;
    struct znode node; /* with its ACL; cversion and num_children are of no use here */
    int32_t created;   /* children ever */
};
struct fz_node {
    struct slice path;
    struct fz_node *parent;
    struct map *children; /* by name, borrowed */
    struct fz_state *state;
    char text[];
};
struct fz_tree {
    struct map *nodes; /* by path, borrowed */
    int64_t zxid;
};
/* A change that can be taken back, and told. */
enum fz_change_kind { FZ_ADDED, FZ_REMOVED, FZ_STATE };
struct fz_change {
    enum fz_change_kind kind;
    struct fz_node *node;
    struct fz_state *old; /* of FZ_STATE */
    bool data;            /* of FZ_STATE: the data were set, which is told */
};
struct fz_journal {
    struct fz_change *changes;
    size_t n, cap;
};

void fz_tree_init(struct fz_tree *t); /* "/", and /zookeeper with config and quota */
void fz_tree_done(struct fz_tree *t);
void fz_tree_copy(const struct fz_tree *from, struct fz_tree *to); /* to is not yet made */
struct fz_node *fz_find(const struct fz_tree *t, struct slice path);
struct znode_stat fz_stat(const struct fz_node *n); /* as it is told */
/* The state to be changed, put down in the journal. */
struct fz_state *fz_change(struct fz_journal *j, struct fz_node *n);
struct fz_node *fz_add(struct fz_tree *t, struct fz_journal *j, struct fz_node *parent,
                       struct slice path);
void fz_remove(struct fz_tree *t, struct fz_journal *j, struct fz_node *n);
void fz_roll_back(struct fz_tree *t, struct fz_journal *j);
void fz_commit(struct fz_journal *j); /* what it says can no longer be taken back */

/* ---- requests (fake_zk_serve.c) ---- */
struct fz_who {
    bool super;
    struct slice digest; /* empty: nobody */
};
/* True if who may do one of perms on what has that state. */
bool fz_may(const struct fz_who *who, const struct fz_state *state, uint32_t perms);
/* Executes a request; ret is in mem. What it changed is told to the sessions. */
void fz_serve(struct fake_zk *w, const struct fz_who *who, const struct zk_call *c,
              struct fz_mem *mem, struct zk_result *ret);
bool fz_is_write(enum zk_op op); /* one that changes the tree by itself: no MULTI, no CHECK */

/* ---- sessions and the world (fake_zk.c) ---- */
struct fz_request {
    struct fz_request *next;
    struct fz_mem mem;
    uint64_t tag;
    const struct zk_call *call;
};
struct fz_told {
    struct fz_told *next;
    struct fz_mem mem;
    int64_t due_ns;
    struct zk_event event;
    struct zk_result result;
};
struct fz_session {
    struct zk zk; /* first */
    struct fake_zk *w;
    struct fz_session *next;
    struct fz_who who;
    struct fz_mem mem; /* of who */
    bool connected;
    const char *lost; /* why, as LOST told it last; NULL: not since it was connected */
    bool breaks;      /* lost as soon as the request under way is executed */
    struct fz_request *open, **open_end;
    struct fz_told *out, **out_end; /* to be taken */
    struct fz_told *taken;          /* until the next call */
    size_t n_open;                  /* not yet answered */
    struct slice *watches;
    size_t n_watches, watches_cap;
    struct fz_mem watch_mem;
};
struct fz_rule {
    struct fz_rule *next;
    struct fake_zk_rule rule;
    struct slice path; /* its own copy */
    struct fz_mem mem;
};
struct fake_zk {
    struct clock *clock;
    struct fz_tree tree;
    struct fz_tree *saved;
    size_t n_saved, saved_cap;
    struct fz_session *sessions, *serving;
    bool down;
    int64_t refuse_until_ns, delay_ns;
    size_t request_max;
    unsigned minor; /* of the server's version 3.x */
    struct fz_rule *rules;
    struct fake_zk_rates rates;
    struct rng_seeded fault_rng;
    size_t struck[FAKE_ZK_FAULTS], asked[FZ_OPS];
    struct fake_zk_write *writes;
    size_t n_writes, writes_cap;
    struct fz_mem write_mem; /* of the writes' paths */
    struct fz_mem done_mem;  /* of fake_zk_do */
};
/* Tells a change of the node that has (or had) that state to all who watch and may see it. */
void fz_tell(struct fake_zk *w, struct slice path, const struct fz_state *state);

/* ---- faults (fake_zk_fault.c) ---- */
/* The rule's, else chance's fault for a request; *ret_error is that of FAKE_ZK_ERROR. */
enum fake_zk_fault fz_fault_of(struct fake_zk *w, const struct zk_call *c, int *ret_error);
bool fz_fault_of_event(struct fake_zk *w, struct slice path);
void fz_faults_done(struct fake_zk *w);

#endif
