/* resilog run: reads the resources, locks the data folder, runs until it is asked to end. */
#include "cli/cli.h"
#include "cli/dry_run.h"
#include "cli/log_levels.h"
#include "cli/problems.h"
#include "cli/wire.h"
#include "controller/control.h"
#include "controller/resource.h"
#include "controller/runtime.h"
#include "controller/speaker.h"
#include "core/backoff.h"
#include "core/clock.h"
#include "core/diag.h"
#include "core/meter.h"
#include "io/clock_sys.h"
#include "io/rng_sys.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/signalfd.h>
#include <unistd.h>

struct run_args {
    struct option_values files, kubeconfigs, allow_prune, accept_source, levels;
    const char *data, *format;
    bool allow_insecure, allow_exec, once, dry_run;
};

static void write_line(void *arg, const char *line, size_t n)
{
    (void)arg;
    (void)fwrite(line, 1, n, stderr);
}

static enum rc parse_args(int argc, char **argv, struct run_args *a, struct err *e)
{
    const struct option_spec specs[] = {
        {'f', "filename", NULL, NULL, &a->files},
        {0, "data", NULL, &a->data, NULL},
        {0, "kubeconfig", NULL, NULL, &a->kubeconfigs},
        {0, "allow-prune", NULL, NULL, &a->allow_prune},
        {0, "accept-source", NULL, NULL, &a->accept_source},
        {0, "allow-insecure", &a->allow_insecure, NULL, NULL},
        {0, "allow-exec", &a->allow_exec, NULL, NULL},
        {0, "once", &a->once, NULL, NULL},
        {0, "dry-run", &a->dry_run, NULL, NULL},
        {0, "log-format", NULL, &a->format, NULL},
        {0, "log-level", NULL, NULL, &a->levels},
    };
    struct option_rest none = {NULL, 0, 0};
    enum rc rc = options_parse(argc, argv, specs, sizeof specs / sizeof *specs, &none, e);
    if (rc < 0)
        return rc;
    if (a->files.n == 0)
        return err_set(e, RC_INVALID, ERR_FINAL, "which resources? give -f FILE, DIR or -");
    if (a->dry_run && !a->once)
        return err_set(e, RC_INVALID, ERR_FINAL, "--dry-run: only with --once");
    if (!a->dry_run && (!a->data || !a->data[0]))
        return err_set(e, RC_INVALID, ERR_FINAL, "where to keep the log? give --data DIR");
    return RC_OK;
}

static bool find_word(const char *text, const char *const *words, size_t n, int *ret)
{
    for (size_t i = 0; i < n; i++)
        if (strcmp(text, words[i]) == 0) {
            *ret = (int)i;
            return true;
        }
    return false;
}

static enum rc open_diag(const struct run_args *a, struct diag **ret, struct err *e)
{
    static const char *const formats[] = {"text", "json"};
    int format = isatty(STDERR_FILENO) ? DIAG_TEXT : DIAG_JSON;
    struct log_levels levels;
    if (a->format && !find_word(a->format, formats, 2, &format))
        return err_set(e, RC_INVALID, ERR_FINAL, "--log-format %s: text or json", a->format);
    enum rc rc = log_levels_parse(&a->levels, &levels, e);
    if (rc != RC_OK)
        return rc;
    *ret = diag_new(clock_sys(), (enum diag_format)format, levels.least, write_line, NULL);
    if (!*ret)
        return err_nomem(e);
    log_levels_apply(&levels, *ret);
    return RC_OK;
}

/* ---- Signals, blocked in this thread and all that it starts ---- */

/* From the first moment to the last: to ask for a reload never ends the process. */
static void block_reload(void)
{
    sigset_t set;
    sigemptyset(&set);
    sigaddset(&set, SIGHUP);
    pthread_sigmask(SIG_BLOCK, &set, NULL);
}

/* While something runs: reading the resources may wait for a person's input, and must end at once. */
static void block_ends(sigset_t *set)
{
    sigemptyset(set);
    sigaddset(set, SIGTERM);
    sigaddset(set, SIGINT);
    pthread_sigmask(SIG_BLOCK, set, NULL);
}

/* ---- Resources ---- */

/* Told as everything else that `run` says; returns the exit code. */
static int fail(const struct env *env, const char *msg, const struct err *e)
{
    diag_error(env->diag, DIAG_ERROR, msg, e);
    return cli_code(e);
}

/* The files, and whether somebody changed them. */
struct watch {
    struct resources_opts opts;
    bool rereadable, once;
    uint8_t applied[RESOURCE_DIGEST], seen[RESOURCE_DIGEST];
};

static bool is_anything_to_run(const struct resources *r, bool once)
{
    return resources_once(r, 0) || (!once && (resources_sync(r, 0) || resources_plan(r, 0)));
}

/* Reads and checks the files; NULL with the exit code where they cannot be run: `refused` says so, with the reason. */
static struct resources *load(const struct watch *w, const char *refused, const struct env *env,
                              int *ret_code)
{
    struct err e = ERR_INIT;
    AUTO(resources_freep) struct resources *resources = NULL;
    *ret_code = EXIT_DONE;
    if (resources_load(&w->opts, &resources, &e) < 0) {
        *ret_code = fail(env, refused, &e);
        return NULL;
    }
    problems_say(resources, env->diag);
    size_t errors = resources_errors(resources);
    if (errors > 0)
        err_set(&e, RC_INVALID, ERR_FINAL, "%zu error%s in the resources", errors,
                cli_plural(errors));
    else if (!is_anything_to_run(resources, w->once))
        err_set(
            &e, RC_INVALID, ERR_FINAL, "%s",
            w->once
                ? "no Synchronization in the files; --once runs these alone"
                : "no LiveSynchronization, Synchronization or SynchronizationPlan in the files");
    if (e.rc != RC_OK) {
        *ret_code = fail(env, refused, &e);
        return NULL;
    }
    return steal(&resources);
}

static enum rc watch_begin(struct watch *w, const struct run_args *a, struct err *e)
{
    *w = (struct watch){.once = a->once,
                        .opts = {.files = a->files.list,
                                 .n_files = a->files.n,
                                 .kubeconfigs = a->kubeconfigs.list,
                                 .n_kubeconfigs = a->kubeconfigs.n,
                                 .allow_insecure = a->allow_insecure,
                                 .allow_exec = a->allow_exec,
                                 .clock = clock_sys()}};
    enum rc rc = resources_rereadable(&w->opts, &w->rereadable, e);
    if (rc == RC_OK)
        rc = resources_signature(&w->opts, w->applied, e);
    memcpy(w->seen, w->applied, sizeof w->seen);
    return rc;
}

/* True once the files differ from those that run and stayed as they are since the last look, so that nobody is still
 * writing. What was looked at once is not looked at again. */
static bool watch_changed(struct watch *w)
{
    uint8_t now[RESOURCE_DIGEST];
    struct err ignored = ERR_INIT;
    if (!w->rereadable || resources_signature(&w->opts, now, &ignored) < 0)
        return false;
    bool settled = memcmp(now, w->seen, sizeof now) == 0;
    memcpy(w->seen, now, sizeof now);
    if (!settled || memcmp(now, w->applied, sizeof now) == 0)
        return false;
    memcpy(w->applied, now, sizeof now);
    return true;
}

/* What could not be started, or has to wait for the end of what ran, to be tried again. */
struct again {
    struct backoff backoff;
    int64_t due_ns; /* boot clock; 0: everything was started */
};
#define AGAIN_FIRST_NS NS_PER_S
#define AGAIN_MAX_NS   (30 * NS_PER_S)
#define ENDING_LOOK_NS (50 * NS_PER_MS) /* whether what makes room has ended */

/* Says how it went to apply, and remembers when to do it again. */
static void settle(struct again *again, enum rc rc, const struct err *e, const struct env *env)
{
    if (rc == RC_AGAIN) {
        again->due_ns = clock_boot_ns(env->clock) + ENDING_LOOK_NS;
        return;
    }
    if (rc < 0) {
        diag_error(env->diag, DIAG_ERROR, "the changed resources cannot be run, it is tried again",
                   e);
        again->due_ns = clock_boot_ns(env->clock) + backoff_next_ns(&again->backoff, env->rng);
        return;
    }
    DIAG(env->diag, DIAG_INFO, "the changed resources are in effect");
    backoff_reset(&again->backoff);
    again->due_ns = 0;
}

static void try_again(struct runtime *runtime, struct again *again, const struct env *env)
{
    struct err e = ERR_INIT;
    if (again->due_ns && clock_boot_ns(env->clock) >= again->due_ns)
        settle(again, runtime_again(runtime, &e), &e, env);
}

/* What cannot be used changes nothing. */
static void reload(struct runtime *runtime, const struct watch *w, struct again *again,
                   const struct env *env)
{
    struct err e = ERR_INIT;
    int code;
    DIAG(env->diag, DIAG_INFO, "the resources were changed, reading them");
    struct resources *resources = load(
        w, "the changed resources cannot be used; what was running goes on as before", env, &code);
    if (!resources)
        return;
    settle(again, runtime_apply(runtime, resources, &e), &e, env);
}

/* ---- Running ---- */

#define LOOK_EVERY_NS NS_PER_S /* at the files, and at what is to be tried again */

/* The controller's one place to wait in: signals, orders, time. What ends does so meanwhile. */
struct duty {
    int signals;             /* a signalfd */
    struct control *control; /* NULL: no orders are taken */
    int64_t look_due_ns;     /* boot clock */
    struct again again;
};

static enum rc duty_begin(struct duty *d, const sigset_t *ends, struct err *e)
{
    sigset_t set = *ends;
    sigaddset(&set, SIGHUP);
    d->signals = signalfd(-1, &set, SFD_NONBLOCK | SFD_CLOEXEC);
    return d->signals < 0 ? err_sys(e, errno, "signals") : RC_OK;
}

/* Without the socket everything but orders works. */
static void take_orders(struct duty *d, const char *data, struct runtime *runtime,
                        const struct env *env)
{
    struct err e = ERR_INIT;
    if (control_open(data, runtime, env, &d->control, &e) < 0)
        diag_error(env->diag, DIAG_WARN, "no orders are taken from other processes", &e);
}

static void duty_end(struct duty *d)
{
    control_close(d->control);
    if (d->signals >= 0)
        close(d->signals);
}

/* Waits, carries out orders, and gives the signal that came; 0: none. */
static int duty_step(struct duty *d, const struct runtime *runtime, const struct env *env)
{
    enum { OWN_FDS = 2 };
    struct pollfd fds[OWN_FDS + CONTROL_FDS] = {
        {.fd = d->signals, .events = POLLIN}, {.fd = runtime_ended_fd(runtime), .events = POLLIN}};
    struct signalfd_siginfo info;
    uint64_t ended;
    int64_t due =
        d->again.due_ns && d->again.due_ns < d->look_due_ns ? d->again.due_ns : d->look_due_ns;
    int64_t left = due - clock_boot_ns(env->clock), wait = INT64_MAX;
    size_t n = OWN_FDS + (d->control ? control_fds(d->control, fds + OWN_FDS, &wait) : 0);
    wait = wait < left ? wait : left;
    (void)poll(fds, n, wait > 0 ? (int)((wait + NS_PER_MS - 1) / NS_PER_MS) : 0);
    (void)!read(fds[1].fd, &ended, sizeof ended); /* wait_for_end looks in any case */
    if (d->control)
        control_step(d->control);
    return read(d->signals, &info, sizeof info) == sizeof info ? (int)info.ssi_signo : 0;
}

static bool is_time_to_look(struct duty *d, const struct env *env)
{
    int64_t now = clock_boot_ns(env->clock);
    if (now < d->look_due_ns)
        return false;
    d->look_due_ns = now + LOOK_EVERY_NS;
    return true;
}

/* Until a signal, or until all has ended by itself: the exit code. */
static int wait_for_end(const sigset_t *ends, struct duty *d, struct runtime *runtime,
                        struct watch *w, const struct env *env)
{
    bool succeeded;
    int got;
    d->look_due_ns = clock_boot_ns(env->clock) + LOOK_EVERY_NS;
    while ((got = duty_step(d, runtime, env)) != SIGTERM && got != SIGINT) {
        bool look = is_time_to_look(d, env);
        if (got == SIGHUP && !w->rereadable)
            DIAG(env->diag, DIAG_WARN,
                 "resources from standard input or a pipe cannot be read again: start anew");
        else if (got == SIGHUP || (look && watch_changed(w)))
            reload(runtime, w, &d->again, env);
        else
            try_again(runtime, &d->again, env);
        if (runtime_ended(runtime, &succeeded) == RC_OK)
            return succeeded ? EXIT_DONE : EXIT_FAILED;
    }
    DIAG(env->diag, DIAG_INFO, "ending: finishing and committing what is in flight",
         DIAG_S("signal", slice_str(strsignal(got))));
    /* A second one ends the process at once, as the default action does. */
    pthread_sigmask(SIG_UNBLOCK, ends, NULL);
    /* A run that was cut off has not succeeded; what would never have ended by itself has done all that it could. */
    bool good = runtime_ended(runtime, &succeeded) == RC_OK ? succeeded : !runtime_ends(runtime);
    return good ? EXIT_DONE : EXIT_FAILED;
}

static int run(const struct run_args *a, struct watch *w, struct resources *resources,
               const struct env *env)
{
    struct err e = ERR_INIT;
    struct wire wire;
    struct data_lock *lock = NULL;
    struct runtime *runtime = NULL;
    struct duty duty = {.signals = -1, .again = {.backoff = {AGAIN_FIRST_NS, AGAIN_MAX_NS, 0}}};
    sigset_t ends;
    int code = EXIT_DONE;
    block_ends(&ends);
    enum rc rc = wire_init(&wire, a->data, env, &e);
    if (rc == RC_OK)
        rc = data_open(a->data, &lock, &e);
    if (rc == RC_OK)
        rc = duty_begin(&duty, &ends, &e);
    struct runtime_opts opts = {.resources = resources,
                                .wiring = &wire.wiring,
                                .allow_prune = a->allow_prune.list,
                                .n_allow_prune = a->allow_prune.n,
                                .accept_source = a->accept_source.list,
                                .n_accept_source = a->accept_source.n,
                                .only_once = a->once};
    if (rc == RC_OK)
        rc = runtime_start(&opts, env, &runtime, &e);
    else
        resources_free(resources);
    if (rc == RC_OK) {
        take_orders(&duty, a->data, runtime, env);
        code = wait_for_end(&ends, &duty, runtime, w, env);
    }
    duty_end(&duty);
    runtime_stop(runtime);
    data_close(lock);
    wire_done(&wire);
    return rc < 0 ? fail(env, "nothing was started", &e) : code;
}

static int load_and_run(const struct run_args *a, const struct env *env)
{
    struct err e = ERR_INIT;
    struct watch w;
    int code;
    /* Before reading: what is changed meanwhile is seen afterwards. */
    if (watch_begin(&w, a, &e) < 0)
        return fail(env, "nothing was started", &e);
    struct resources *resources = load(&w, "nothing was started", env, &code);
    if (!resources || !a->dry_run)
        return resources ? run(a, &w, resources, env) : code;
    code = dry_run(resources, a->data, a->allow_prune.list, a->allow_prune.n, env);
    resources_free(resources);
    return code;
}

int cmd_run(int argc, char **argv)
{
    struct run_args a = {.data = NULL};
    struct err e = ERR_INIT;
    AUTO(diag_freep) struct diag *diag = NULL;
    AUTO(diag_freep) struct diag *controller = NULL;
    block_reload();
    if (parse_args(argc, argv, &a, &e) < 0 || open_diag(&a, &diag, &e) < 0)
        return cli_usage("run", &e);
    if (speaker_bind(diag, SPEAKER_CONTROLLER, /* source= */ NULL, /* sync= */ NULL, &controller,
                     &e) < 0)
        return cli_fail(&e);
    struct env env = {clock_sys(), rng_sys(), controller, meter_new()};
    int code = load_and_run(&a, &env);
    meter_free(env.meter);
    return code;
}
