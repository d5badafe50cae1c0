/* A thread that does one job until it is asked to end. A job that fails is done again after a while, with back-off. The
 * thread has a descriptor to be woken by, for waiting wherever the job waits. Private to controller/. */
#ifndef RESILOG_CONTROLLER_WORKER_H
#define RESILOG_CONTROLLER_WORKER_H

#include "core/backoff.h"
#include "core/err.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>

struct env;

struct worker_job {
    /* Returns once worker_stopping, or after a failure. */
    enum rc (*run)(void *arg, struct err *e);
    /* Says the failure; the pause comes after it. */
    void (*failed)(void *arg, const struct err *why);
};

struct worker {
    const struct worker_job *job;
    void *arg;
    const struct env *env;
    struct backoff backoff; /* may be changed before the start */
    int wake_fd;            /* to be waited on, beside what else the job waits for */
    atomic_bool stop;
    atomic_bool ended; /* its thread does nothing any more */
    bool has_thread;
    pthread_t thread;
};

/* Without a thread yet. Borrows all until worker_done. */
void worker_init(struct worker *w, const struct worker_job *job, void *arg, const struct env *env);
/* Errors: UNAVAILABLE (no thread to be had), LIMIT, NOMEM. */
MUST_CHECK enum rc worker_start(struct worker *w, struct err *e);
/* Asks it to end and waits for that. */
void worker_done(struct worker *w);

/* From any thread, once it is started. */
void worker_wake(struct worker *w);
void worker_ask_stop(struct worker *w); /* wakes it, too; returns at once */
/* True once it ended after that: worker_done does not have to wait. */
bool worker_ended(const struct worker *w);

/* From the job. */
bool worker_stopping(const struct worker *w);
/* Takes the wake-ups that there were: they are no reason any more to return from a wait. */
void worker_clear(struct worker *w);
/* Sleeps until woken or the time is over. */
void worker_rest(struct worker *w, int64_t for_ns);

#endif
