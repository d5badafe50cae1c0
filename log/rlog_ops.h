/* What a back end of the log implements. The contracts are those of log/rlog.h; the dispatchers in log/rlog.c
 * have checked arguments (event_check, batch limits, access) and call the listeners. All methods are
 * required. */
#ifndef RESILOG_LOG_RLOG_OPS_H
#define RESILOG_LOG_RLOG_OPS_H

#include "log/rlog.h"

struct rlog_ops {
    const char *name;
    void (*close)(struct rlog *l);
    enum rc (*append)(struct rlog *l, const struct event *batch, size_t n, rlog_off expect_next,
                      rlog_off *ret_first, struct err *e);
    enum rc (*bounds)(struct rlog *l, struct rlog_bounds *ret, struct err *e);
    enum rc (*cursor)(struct rlog *l, const struct rlog_range *range, struct event_iter **ret,
                      struct err *e);
    enum rc (*last)(struct rlog *l, struct slice key, rlog_off at, struct rlog_found *ret,
                    struct err *e);
    enum rc (*history)(struct rlog *l, struct slice key, rlog_off from, rlog_off until,
                       struct event_iter **ret, struct err *e);
    enum rc (*seek)(struct rlog *l, int64_t time_ns, rlog_off *ret, struct err *e);
    enum rc (*trim)(struct rlog *l, rlog_off below, struct err *e);
    enum rc (*maintain)(struct rlog *l, struct err *e);
};

struct rlog_listener;

/* Back ends embed this first and call rlog_init. */
struct rlog {
    const struct rlog_ops *ops;
    enum rlog_access access;
    struct rlog_listener *listeners;
};

/* What every back end's open does first. */
void rlog_init(struct rlog *l, const struct rlog_ops *ops, enum rlog_access access);
/* What a new log is called by rlog_bounds.id. */
void rlog_new_id(const struct env *env, uint8_t ret[RLOG_ID_SIZE]);
/* What range.shards divides: CRC32C of the key, the same on every back end. */
uint32_t rlog_key_hash(struct slice key);
/* True if an event with this key passes the range's prefix, all_keys and shard. For back ends. */
bool rlog_range_has(const struct rlog_range *range, struct slice key);
/* Fills *ret with a copy of an event. Errors: NOMEM. */
MUST_CHECK enum rc rlog_found_set(struct rlog_found *ret, const struct event *ev, struct err *e);
/* Checks the start of a range against the bounds, for cursor and history. Errors: EXPIRED (RESYNC), INVALID (FATAL). */
MUST_CHECK enum rc rlog_check_from(rlog_off from, const struct rlog_bounds *bounds, struct err *e);

#endif
