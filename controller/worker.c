/* A worker's thread. That it shall end is a flag, not the wake-up alone: the job may have taken that. */
#include "controller/worker.h"

#include "core/clock.h"
#include "core/env.h"

#include <errno.h>
#include <poll.h>
#include <sys/eventfd.h>
#include <unistd.h>

#define AGAIN_FIRST_NS (NS_PER_S)
#define AGAIN_MAX_NS   (30 * NS_PER_S)
#define SOUND_RUN_NS   (60 * NS_PER_S) /* what ran so long did not fail to start */

void worker_init(struct worker *w, const struct worker_job *job, void *arg, const struct env *env)
{
    *w = (struct worker){.job = job,
                         .arg = arg,
                         .env = env,
                         .backoff = {AGAIN_FIRST_NS, AGAIN_MAX_NS, 0},
                         .wake_fd = -1};
}

/* ---- Waking and resting ---- */

void worker_wake(struct worker *w)
{
    uint64_t one = 1;
    /* EAGAIN means that a wake-up is waiting already. */
    while (write(w->wake_fd, &one, sizeof one) < 0 && errno == EINTR)
        ;
}

void worker_ask_stop(struct worker *w)
{
    atomic_store(&w->stop, true);
    worker_wake(w);
}

bool worker_stopping(const struct worker *w)
{
    return atomic_load(&w->stop);
}

bool worker_ended(const struct worker *w)
{
    return atomic_load(&w->ended);
}

void worker_clear(struct worker *w)
{
    uint64_t count;
    while (read(w->wake_fd, &count, sizeof count) < 0 && errno == EINTR)
        ;
}

void worker_rest(struct worker *w, int64_t for_ns)
{
    struct pollfd fd = {.fd = w->wake_fd, .events = POLLIN};
    (void)poll(&fd, 1, (int)((for_ns + NS_PER_MS - 1) / NS_PER_MS));
    worker_clear(w);
}

/* Sleeps all that time, but for a stop. */
static void pause_for(struct worker *w, int64_t for_ns)
{
    int64_t now = clock_boot_ns(w->env->clock), until = now + for_ns;
    for (; now < until && !worker_stopping(w); now = clock_boot_ns(w->env->clock))
        worker_rest(w, until - now);
}

/* ---- Life ---- */

static void *worker_main(void *arg)
{
    struct worker *w = arg;
    while (!worker_stopping(w)) {
        struct err e = ERR_INIT;
        int64_t began = clock_boot_ns(w->env->clock);
        enum rc rc = w->job->run(w->arg, &e);
        if (clock_boot_ns(w->env->clock) - began >= SOUND_RUN_NS)
            backoff_reset(&w->backoff);
        if (rc >= 0)
            continue;
        w->job->failed(w->arg, &e);
        pause_for(w, backoff_next_ns(&w->backoff, w->env->rng));
    }
    atomic_store(&w->ended, true);
    return NULL;
}

enum rc worker_start(struct worker *w, struct err *e)
{
    w->wake_fd = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
    if (w->wake_fd < 0)
        return err_sys(e, errno, "eventfd");
    int failed = pthread_create(&w->thread, NULL, worker_main, w);
    w->has_thread = failed == 0;
    return failed ? err_sys(e, failed, "thread") : RC_OK;
}

void worker_done(struct worker *w)
{
    if (w->has_thread) {
        worker_ask_stop(w);
        pthread_join(w->thread, NULL);
    }
    if (w->wake_fd >= 0)
        close(w->wake_fd);
    w->has_thread = false;
    w->wake_fd = -1;
}
