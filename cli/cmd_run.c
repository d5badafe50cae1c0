/* resilog run: reads the resources, locks the data folder, runs until it is asked to end. */
#include "cli/cli.h"
#include "cli/problems.h"
#include "cli/wire.h"
#include "controller/resource.h"
#include "controller/runtime.h"
#include "core/diag.h"
#include "core/meter.h"
#include "io/clock_sys.h"
#include "io/rng_sys.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

struct run_args {
    struct option_values files, kubeconfigs, allow_prune;
    const char *data, *format, *level;
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
        {0, "log-format", NULL, &a->format, NULL},
        {0, "log-level", NULL, &a->level, NULL},
    };
    struct option_rest none = {NULL, 0, 0};
    enum rc rc = options_parse(argc, argv, specs, sizeof specs / sizeof *specs, &none, e);
    if (rc < 0)
        return rc;
    if (a->files.n == 0)
        return err_set(e, RC_INVALID, ERR_FINAL, "which resources? give -f FILE, DIR or -");
    if (!a->data || !a->data[0])
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
    static const char *const levels[] = {"debug", "info", "warn", "error"};
    int format = isatty(STDERR_FILENO) ? DIAG_TEXT : DIAG_JSON, level = DIAG_INFO;
    if (a->format && !find_word(a->format, formats, 2, &format))
        return err_set(e, RC_INVALID, ERR_FINAL, "--log-format %s: text or json", a->format);
    if (a->level && !find_word(a->level, levels, 4, &level))
        return err_set(e, RC_INVALID, ERR_FINAL, "--log-level %s: debug, info, warn or error",
                       a->level);
    *ret =
        diag_new(clock_sys(), (enum diag_format)format, (enum diag_level)level, write_line, NULL);
    return *ret ? RC_OK : err_nomem(e);
}

/* Blocks the signals in this thread and all that it starts. */
static void block_signals(sigset_t *set)
{
    sigemptyset(set);
    sigaddset(set, SIGTERM);
    sigaddset(set, SIGINT);
    pthread_sigmask(SIG_BLOCK, set, NULL);
}

static void wait_for_end(const sigset_t *set, struct diag *diag)
{
    int got = 0;
    while (sigwait(set, &got) != 0)
        ;
    DIAG(diag, DIAG_INFO, "ending: finishing and committing what is in flight",
         DIAG_S("signal", slice_str(strsignal(got))));
    /* A second one ends the process at once, as the default action does. */
    pthread_sigmask(SIG_UNBLOCK, set, NULL);
}

static int run(const struct run_args *a, const struct resources *resources, const struct env *env)
{
    struct err e = ERR_INIT;
    struct wire wire;
    struct data_lock *lock = NULL;
    struct runtime *runtime = NULL;
    sigset_t set;
    block_signals(&set);
    enum rc rc = wire_init(&wire, a->data, env, &e);
    if (rc == RC_OK)
        rc = data_open(a->data, &lock, &e);
    struct runtime_opts opts = {.resources = resources,
                                .wiring = &wire.wiring,
                                .allow_prune = a->allow_prune.list,
                                .n_allow_prune = a->allow_prune.n};
    if (rc == RC_OK)
        rc = runtime_start(&opts, env, &runtime, &e);
    if (rc == RC_OK)
        wait_for_end(&set, env->diag);
    runtime_stop(runtime);
    data_close(lock);
    wire_done(&wire);
    return rc < 0 ? cli_fail(&e) : EXIT_DONE;
}

static int load_and_run(const struct run_args *a, const struct env *env)
{
    struct err e = ERR_INIT;
    AUTO(resources_freep) struct resources *resources = NULL;
    struct resources_opts opts = {.files = a->files.list,
                                  .n_files = a->files.n,
                                  .kubeconfigs = a->kubeconfigs.list,
                                  .n_kubeconfigs = a->kubeconfigs.n};
    if (resources_load(&opts, &resources, &e) < 0)
        return cli_fail(&e);
    problems_print(resources);
    if (resources_errors(resources) > 0) {
        fprintf(stderr, "resilog: %zu errors in the resources, nothing was started\n",
                resources_errors(resources));
        return EXIT_INVALID;
    }
    if (!resources_sync(resources, 0)) {
        fprintf(stderr, "resilog: no LiveSynchronization in the files, nothing to run\n");
        return EXIT_INVALID;
    }
    return run(a, resources, env);
}

int cmd_run(int argc, char **argv)
{
    struct run_args a = {.data = NULL};
    struct err e = ERR_INIT;
    struct diag *diag = NULL;
    if (parse_args(argc, argv, &a, &e) < 0 || open_diag(&a, &diag, &e) < 0)
        return cli_usage("run", &e);
    struct env env = {clock_sys(), rng_sys(), diag, meter_new()};
    int code = load_and_run(&a, &env);
    meter_free(env.meter);
    diag_free(diag);
    return code;
}
