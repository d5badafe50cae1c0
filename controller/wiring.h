/* How the runtime gets concrete things: the log, checkpoints, producers and sinks. Filled by
 * cli/wire.c, the only place that picks concrete types, and by tests. The functions may be called
 * from different threads at once. env is borrowed for the life of what is opened, and speaks for it. */
#ifndef RESILOG_CONTROLLER_WIRING_H
#define RESILOG_CONTROLLER_WIRING_H

#include "core/err.h"
#include "core/slice.h"

struct ckpt;
struct cluster;
struct env;
struct producer;
struct rlog;
struct sink;
struct sync;

/* Who source and destination are; destination empty: not known yet. Former: those that were the source before. */
struct identities {
    struct slice source, destination;
    const struct slice *former;
    size_t n_former;
};

struct wiring {
    void *arg;
    enum rc (*open_log)(void *arg, const struct cluster *source, struct rlog **ret, struct err *e);
    enum rc (*open_ckpt)(void *arg, struct ckpt **ret, struct err *e);
    enum rc (*open_producer)(void *arg, const struct cluster *source, const struct env *env,
                             struct producer **ret, struct err *e);
    enum rc (*open_sink)(void *arg, const struct sync *sync, const struct identities *who,
                         const struct env *env, struct sink **ret, struct err *e);
};

#endif
