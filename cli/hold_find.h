/* Which hold a user means by KIND/NAME. */
#ifndef RESILOG_CLI_HOLD_FIND_H
#define RESILOG_CLI_HOLD_FIND_H

#include "core/err.h"
#include "core/slice.h"

#include <stdbool.h>

struct buf;
struct ckpt;
struct hold;
struct rlog;

struct hold_query {
    struct ckpt *ckpt;
    struct slice consumer; /* the synchronization's full name */
    struct rlog *log;      /* says what kinds there are; NULL: only a key is understood */
    const char *text; /* KIND/NAME as in `log show`, or a key (a path) as `holds ls` prints it */
    const char *ns;   /* only in this namespace; NULL: in any */
};

/* Whether text is a key: that is found without a log. */
bool hold_find_is_key(const char *text);
/* Appends the key of the one object that is held and meant. Errors: INVALID (not KIND/NAME, several are meant), NOTFOUND
 * (no such kind, not held), those of reading. */
MUST_CHECK enum rc hold_find(const struct hold_query *q, struct buf *ret_key, struct hold *ret,
                             struct err *e);

#endif
