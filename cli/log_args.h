/* The arguments of `log show`: points in the log, sets of operations, KIND/NAME, paths. */
#ifndef RESILOG_CLI_LOG_ARGS_H
#define RESILOG_CLI_LOG_ARGS_H

#include "core/event.h"

struct buf;
struct rlog;
struct rlog_range;

/* Resolves "offset:N", RFC 3339 or "<duration>" ago to an offset of the log (the first at or after it).
 * now_ns is the wall clock. Errors: INVALID, those of rlog_seek. */
MUST_CHECK enum rc log_point(struct rlog *log, const char *text, int64_t now_ns, rlog_off *ret,
                             struct err *e);
/* Checks a range that the user gave by two points, each NULL where it was not: it must end behind its beginning, and
 * begin within the log, whose next event gets that offset. Errors: INVALID. */
MUST_CHECK enum rc log_check_range(const char *since, const char *until,
                                   const struct rlog_range *range, rlog_off next, struct err *e);
/* "put,delete" as a bit for each op. Errors: INVALID with the list of what there is. */
MUST_CHECK enum rc log_ops(const char *text, uint32_t *ret, struct err *e);
/* What KIND/NAME selects: "group/resource" by the log's own record of kinds, and the name. KIND is the
 * plural, kind, singular or a short name in any case, with ".group" where needed. Appends the scope to
 * ret_scope. Errors: INVALID (not KIND/NAME, ambiguous), NOTFOUND with the kinds that there are; those of
 * reading. */
MUST_CHECK enum rc log_object(struct rlog *log, const char *text, struct buf *ret_scope,
                              struct slice *ret_name, struct err *e);

/* What PATH or PATH/ selects: the one key, or with the '/' at its end that and all below it. */
struct log_path {
    struct slice root; /* without that '/'; lives as long as the text */
    bool below;
};
/* True if an argument is meant as a path: it begins with '/'. */
static inline bool log_is_path(const char *text)
{
    return text[0] == '/';
}
/* Reads the path of a znode; the key of an object that begins with '/' is taken, too. Errors: INVALID with the reason. */
MUST_CHECK enum rc log_path(const char *text, struct log_path *ret, struct err *e);
bool log_path_has(const struct log_path *p, struct slice key);

#endif
