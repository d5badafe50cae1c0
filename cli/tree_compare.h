/* The two trees of a synchronization of znodes, compared as they are now: a session with each ensemble, a walk of each,
 * the filter of the synchronization applied. It writes nothing. Bounded memory, as io/zk_walk.h says. */
#ifndef RESILOG_CLI_TREE_COMPARE_H
#define RESILOG_CLI_TREE_COMPARE_H

#include "core/err.h"
#include "core/scope.h"
#include "core/znode.h"
#include "io/zk.h"
#include "io/zk_compare.h"

#include <stdint.h>

struct clock;
struct sync;
struct tree_compare;
struct zk;

/* Bytes of what is printed about a difference: a name is as long as an answer may be, though no log keeps such a path, and
 * JSON has up to six bytes for one. */
#define TREE_TEXT_MAX (6 * ((size_t)ZK_ANSWER_MAX + ZNODE_PATH_MAX) + 1024)
#define TREE_SILENCE_S                                                                             \
    10 /* seconds without an answer that is due: then an ensemble counts as gone */

struct tree_compare_opts {
    const struct sync *sync;         /* of znodes; borrowed */
    struct zk *source, *destination; /* taken, even on failure */
    struct clock *clock;             /* borrowed */
};

/* Errors: NOMEM. */
MUST_CHECK enum rc tree_compare_open(const struct tree_compare_opts *opts,
                                     struct tree_compare **ret, struct err *e);
void tree_compare_close(struct tree_compare *t);
DEFINE_FREEP(struct tree_compare, tree_compare_close)

/* The next difference, as zk_compare_next: RC_OK (a view until the next call), RC_AGAIN (call tree_compare_wait), RC_END.
 * An ephemeral node of the source that is not to be copied makes what the destination has in its place EXTRA, with both
 * nodes given. Errors name the side: UNAVAILABLE (no session or no answer for TREE_SILENCE_S, or the session was lost
 * amid the walk), LIMIT (excludePathRegexp cannot decide about some paths; given at the end), those of zk_walk_next. */
MUST_CHECK enum rc tree_compare_next(struct tree_compare *t, struct zk_difference *ret,
                                     struct err *e);
/* Blocks for some milliseconds at most. Errors: IO. */
MUST_CHECK enum rc tree_compare_wait(struct tree_compare *t, struct err *e);
/* How many nodes of both sides were alike so far. */
uint64_t tree_compare_equal(const struct tree_compare *t);

/* How many ACLs of either side had hashes that are hidden from us so far: those are not compared. */
uint64_t tree_compare_hidden(const struct tree_compare *t);

/* What each bit of zk_difference.what is called, and what a run does about it. */
struct tree_word {
    unsigned what; /* one enum zk_compare_what */
    const char *difference, *action;
};
enum { TREE_MISSING, TREE_DATA, TREE_ACL, TREE_SEQUENCE, TREE_EXTRA, TREE_UNREADABLE, TREE_WORDS };
extern const struct tree_word tree_words[TREE_WORDS];
/* Of an UNREADABLE one: "source" or "destination", and the server's word for why. */
void tree_why_unreadable(const struct zk_difference *d, const char **ret_side,
                         const char **ret_why);

#endif
