/* The composition root: the only place that picks concrete logs, checkpoints, producers and sinks. And where
 * things live in the data folder. */
#ifndef RESILOG_CLI_WIRE_H
#define RESILOG_CLI_WIRE_H

#include "controller/wiring.h"
#include "core/env.h"
#include "core/scope.h"
#include "core/slice.h"

#include <stdbool.h>

struct buf;
struct ckpt;
struct data_lock;
struct rlog;
struct sync;
struct tree_compare;

struct wire {
    struct wiring wiring; /* its arg is this */
    const char *data;     /* the data folder */
    char *program;        /* path of this program, for its hidden command */
    struct env env;
    struct env log_env; /* its diag is owned, and speaks for the logs */
};

/* Borrows data. Errors: NOMEM. */
MUST_CHECK enum rc wire_init(struct wire *w, const char *data, const struct env *env,
                             struct err *e);
void wire_done(struct wire *w);

/* Opens a comparison of the two ensembles of a synchronization of znodes; it connects while it is asked. Errors: those of
 * zk_wire_open, NOMEM. */
MUST_CHECK enum rc wire_compare(const struct sync *sync, const struct env *env,
                                struct tree_compare **ret, struct err *e);

/* Makes the data folder and its parts (0700) and locks it for this process. Errors: CONFLICT (another
 * instance runs), DENIED, IO, INVALID. */
MUST_CHECK enum rc data_open(const char *data, struct data_lock **ret, struct err *e);
void data_close(struct data_lock *l);
/* True while an instance runs on the folder. */
bool data_is_locked(const char *data);

#define DATA_PATH_MAX 4096
/* Finds the log of a source: appends its folder and its full name. name is "name" or "namespace/name", or
 * NULL where there is only one. Errors: NOTFOUND (no such folder or log; lists what there is), INVALID
 * (several logs and no name), those of reading a segment. */
MUST_CHECK enum rc data_find_log(const char *data, const char *name, struct buf *ret_dir,
                                 struct buf *ret_name, struct err *e);
/* Opens that log for reading, and appends its full name. Errors: as data_find_log and rlog_lmdb_open. */
MUST_CHECK enum rc data_open_log(const char *data, const char *name, const struct env *env,
                                 struct buf *ret_name, struct rlog **ret, struct err *e);
/* Opens the checkpoints for reading. Errors: NOTFOUND, those of ckpt_lmdb_open. */
MUST_CHECK enum rc data_open_ckpt(const char *data, const struct env *env, struct ckpt **ret,
                                  struct err *e);

/* The same for changing them: the caller has the lock of the data folder. */
MUST_CHECK enum rc data_change_ckpt(const char *data, const struct env *env, struct ckpt **ret,
                                    struct err *e);
/* Opens the log of the source that the status of a synchronization (its full name) names, for reading; gives NULL where
 * none is named or it is gone. Errors: those of the checkpoint and of rlog_lmdb_open. */
MUST_CHECK enum rc data_log_of_sync(const char *data, struct ckpt *ckpt, struct slice consumer,
                                    const struct env *env, struct rlog **ret, struct err *e);

#endif
