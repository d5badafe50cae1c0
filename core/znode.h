/* A znode as plain data, and its form in the log.
 *
 * The body of a znode's event is one JSON object, so that history, diff and search work on znodes as on objects:
 *   {"text": "...", "acl": [{"perms": "cdrwa", "scheme": "world", "id": "anyone"}], "stat": {"czxid": 4, ...}}
 * The data stands in "text" where it is UTF-8 that a person can read (no control characters but tab, newline and
 * carriage return), else in "base64"; a node whose data is null has neither. "acl" is missing where it was not read.
 * Equal nodes give equal bytes (I12). */
#ifndef RESILOG_CORE_ZNODE_H
#define RESILOG_CORE_ZNODE_H

#include "core/err.h"
#include "core/scope.h"
#include "core/slice.h"

#include <stdbool.h>
#include <stdint.h>

struct buf;
struct znode_doc;

#define ZNODE_PATH_MAX 4096       /* bytes; servers allow more, keys of the log do not (KEY_MAX) */
#define ZNODE_DATA_MAX (1u << 20) /* bytes; what servers take with their default limit */

enum znode_perm {
    ZNODE_READ = 1,
    ZNODE_WRITE = 2,
    ZNODE_CREATE = 4,
    ZNODE_DELETE = 8,
    ZNODE_ADMIN = 16,
    ZNODE_ALL = 31
};

struct znode_acl {
    uint32_t perms;
    struct slice scheme, id;
};

/* As a server tells it (its Stat record); times in milliseconds since 1970. */
struct znode_stat {
    int64_t czxid, mzxid, pzxid, ctime, mtime;
    int32_t version, cversion, aversion;
    int64_t
        ephemeral_owner; /* 0: persistent, or a container or TTL node, which servers do not tell apart */
    int32_t data_length, num_children;
};

struct znode {
    struct slice data;
    bool null_data; /* no data at all, which is something else than data of no bytes */
    bool has_acl;   /* acl was read */
    const struct znode_acl *acl;
    size_t n_acl;
    struct znode_stat stat;
};

/* The cheap question before znode_parse: true where the body says so beyond doubt. False: it is to be parsed. */
bool znode_is_surely_persistent(struct slice body);
/* The number that the next sequential child gets: so often was a child created ((cversion + num_children) / 2). */
int64_t znode_sequence(const struct znode_stat *stat);

/* True for a path that a server takes and the log can keep: absolute, no empty segment, no "." or "..", no trailing
 * '/', UTF-8 without control characters, without what needs surrogates or is of private use (U+D800 to U+F8FF) and
 * without U+FFF0 to U+FFFF, at most ZNODE_PATH_MAX bytes. *ret_why (NULL allowed) says what is wrong with another ("has
 * an empty segment"). Source: ZooKeeper's PathUtils.validatePath. */
bool znode_is_path(struct slice path, const char **ret_why);
/* "/a" of "/a/b", "/" of "/a", empty of "/". */
struct slice znode_parent(struct slice path);
/* True for root itself and what is below it. */
bool znode_is_within(struct slice path, struct slice root);

/* Appends what the event's version is: "<mzxid>-<aversion>-<sequence>" in hex, aversion "x" where the ACL was not
 * read. It differs where data, ACL or sequence differ; a data version alone would begin anew with each creation. */
void znode_print_version(const struct znode *n, struct buf *out);
/* The mzxid in such a text, which is a lower bound of the zxid that the source had then; -1 for another text. */
int64_t znode_version_zxid(struct slice version);
/* Appends what the event's uid is: the czxid in hex. */
void znode_print_uid(const struct znode *n, struct buf *out);

/* Appends the event's body. */
void znode_print(const struct znode *n, struct buf *out);
/* Reads a body; the node lives as long as the document. Errors: INVALID (not such a body), LIMIT, NOMEM. */
MUST_CHECK enum rc znode_parse(struct slice body, struct znode_doc **ret, struct err *e);
const struct znode *znode_of(const struct znode_doc *doc);
void znode_doc_free(struct znode_doc *doc);
DEFINE_FREEP(struct znode_doc, znode_doc_free)

/* True if data are the same, bytes and null. */
bool znode_same_data(const struct znode *a, const struct znode *b);
/* True if both have the same entries, in whatever order; servers keep the order, but it means nothing. */
bool znode_same_acl(const struct znode *a, const struct znode *b);
/* True if the ACL names a user of the scheme digest as "name:x": so a server shows it to who may read the node, but not
 * administer it. To write such an ACL would lock that user out. */
bool znode_acl_is_masked(const struct znode_acl *acl, size_t n);

#endif
