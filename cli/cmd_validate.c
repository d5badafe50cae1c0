/* resilog validate: checks resources, offline unless it is told otherwise, and lists all problems. */
#include "cli/cli.h"
#include "cli/live.h"
#include "cli/problems.h"
#include "controller/effects.h"
#include "controller/resource.h"
#include "core/buf.h"

#include <stdio.h>

static enum rc parse_args(int argc, char **argv, struct option_values *files,
                          struct option_values *kubeconfigs, bool *live, struct err *e)
{
    const struct option_spec specs[] = {
        {'f', "filename", NULL, NULL, files},
        {0, "kubeconfig", NULL, NULL, kubeconfigs},
        {0, "live", live, NULL, NULL},
    };
    struct option_rest none = {NULL, 0, 0};
    enum rc rc = options_parse(argc, argv, specs, sizeof specs / sizeof *specs, &none, e);
    if (rc == RC_OK && files->n == 0)
        return err_set(e, RC_INVALID, ERR_FINAL, "which resources? give -f FILE, DIR or -");
    return rc;
}

#define EFFECTS_MAX (64u << 10)

/* Says what the synchronization's copies do in the destination; true if there is anything to say. */
static bool print_effects(const struct sync *sync)
{
    AUTO(buf_done) struct buf kinds = BUF_INIT(EFFECTS_MAX);
    effects_print(sync, &kinds);
    if (kinds.n == 0)
        return false;
    fprintf(stderr,
            "warning: LiveSynchronization %s: its copies take effect in the destination: %.*s; "
            "\"effects: allow\" says that it is wanted\n",
            sync->full_name, SLICE_ARG(buf_slice(&kinds)));
    return true;
}

int cmd_validate(int argc, char **argv)
{
    struct option_values files = {.n = 0}, kubeconfigs = {.n = 0};
    struct err e = ERR_INIT;
    bool live = false;
    if (parse_args(argc, argv, &files, &kubeconfigs, &live, &e) < 0)
        return cli_usage("validate", &e);
    AUTO(resources_freep) struct resources *resources = NULL;
    struct resources_opts opts = {.files = files.list,
                                  .n_files = files.n,
                                  .kubeconfigs = kubeconfigs.list,
                                  .n_kubeconfigs = kubeconfigs.n,
                                  .offline = !live};
    if (resources_load(&opts, &resources, &e) < 0)
        return cli_fail(&e);
    problems_print(resources);
    size_t errors = resources_errors(resources), all = 0;
    while (resources_problem(resources, all))
        all++;
    size_t syncs = 0, warnings = all - errors;
    for (const struct sync *sync; (sync = resources_sync(resources, syncs)); syncs++)
        warnings += print_effects(sync);
    if (syncs == 0 && errors == 0) {
        fprintf(stderr, "warning: no LiveSynchronization in the files: 'run' has nothing to do\n");
        warnings++;
    }
    /* With --live standard output is for the roles alone. */
    fprintf(live ? stderr : stdout, "%zu synchronization%s, %zu error%s, %zu warning%s\n", syncs,
            cli_plural(syncs), errors, cli_plural(errors), warnings, cli_plural(warnings));
    if (errors)
        return cli_finish_output(EXIT_INVALID);
    return cli_finish_output(live ? live_check(resources) : EXIT_DONE);
}
