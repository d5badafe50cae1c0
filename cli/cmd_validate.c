/* resilog validate: checks resources, offline unless it is told otherwise, and lists all problems. */
#include "cli/cli.h"
#include "cli/live.h"
#include "cli/problems.h"
#include "controller/effects.h"
#include "controller/resource.h"
#include "core/buf.h"
#include "io/clock_sys.h"

#include <stdio.h>

struct validate {
    struct option_values files, kubeconfigs;
    const char *output;
    bool live, json, allow_insecure, allow_exec;
};

static enum rc parse_args(int argc, char **argv, struct validate *v, struct err *e)
{
    const struct option_spec specs[] = {
        {'f', "filename", NULL, NULL, &v->files},
        {0, "kubeconfig", NULL, NULL, &v->kubeconfigs},
        {'o', "output", NULL, &v->output, NULL},
        {0, "live", &v->live, NULL, NULL},
        {0, "allow-insecure", &v->allow_insecure, NULL, NULL},
        {0, "allow-exec", &v->allow_exec, NULL, NULL},
    };
    struct option_rest none = {NULL, 0, 0};
    enum rc rc = options_parse(argc, argv, specs, sizeof specs / sizeof *specs, &none, e);
    if (rc < 0)
        return rc;
    v->json = v->output && strcmp(v->output, "json") == 0;
    if (v->files.n == 0)
        return err_set(e, RC_INVALID, ERR_FINAL, "which resources? give -f FILE, DIR or -");
    if (v->output && !v->json && strcmp(v->output, "text") != 0)
        return err_set(e, RC_INVALID, ERR_FINAL, "-o %s: text or json", v->output);
    if (v->json && v->live)
        return err_set(e, RC_INVALID, ERR_FINAL, "-o json: not with --live, which prints roles");
    return RC_OK;
}

#define EFFECTS_MAX (64u << 10)
#define ARRAY_MAX   (256u << 20)

/* What was told so far. */
struct report {
    bool json;
    size_t errors, warnings;
    struct buf array; /* of JSON: printed whole at the end, or not at all */
};

static void report_done(struct report *r)
{
    buf_done(&r->array);
}

static enum rc tell(struct report *r, const struct problem *p, struct err *e)
{
    bool first = r->errors + r->warnings == 0;
    *(p->level == PROBLEM_ERROR ? &r->errors : &r->warnings) += 1;
    if (!r->json) {
        problem_print(p);
        return RC_OK;
    }
    buf_add_str(&r->array, first ? "" : ",\n ");
    problem_json(p, &r->array);
    return buf_check(&r->array, "the list of problems", e);
}

/* A warning that belongs to no place in the files. */
static enum rc warn(struct report *r, const char *text, struct err *e)
{
    return tell(r, &(struct problem){PROBLEM_WARNING, .where = "", .path = "", .text = text}, e);
}

/* What the synchronization's copies do in the destination, if there is anything to say. */
static enum rc tell_effects(struct report *r, const struct sync *sync, struct err *e)
{
    AUTO(buf_done) struct buf kinds = BUF_INIT(EFFECTS_MAX), text = BUF_INIT(2 * EFFECTS_MAX);
    effects_print(sync, &kinds);
    if (kinds.n == 0)
        return RC_OK;
    buf_addf(&text,
             "LiveSynchronization %s: its copies take effect in the destination: %.*s; "
             "\"effects: allow\" says that it is wanted",
             sync->full_name, SLICE_ARG(buf_slice(&kinds)));
    enum rc rc = buf_check(&text, "effects", e);
    return rc == RC_OK ? warn(r, text.p, e) : rc;
}

/* Tells everything; gives how many synchronizations there are. */
static enum rc tell_all(struct report *r, const struct resources *resources, size_t *ret_syncs,
                        struct err *e)
{
    const struct problem *p;
    const struct sync *sync;
    size_t live = 0, once = 0, plans = 0;
    enum rc rc = RC_OK;
    for (size_t i = 0; rc == RC_OK && (p = resources_problem(resources, i)); i++)
        rc = tell(r, p, e);
    for (; rc == RC_OK && (sync = resources_sync(resources, live)); live++)
        rc = tell_effects(r, sync, e);
    while (resources_once(resources, once))
        once++;
    while (resources_plan(resources, plans))
        plans++;
    *ret_syncs = live + once + plans;
    if (rc == RC_OK && *ret_syncs == 0 && r->errors == 0)
        rc = warn(r,
                  "no LiveSynchronization, Synchronization or SynchronizationPlan in the files: "
                  "'run' has nothing to do",
                  e);
    return rc;
}

/* The array, or the last line with the counts. With --live standard output is for the roles alone. */
static void print_end(const struct report *r, size_t syncs, bool live)
{
    if (r->json)
        printf("[%.*s]\n", SLICE_ARG(buf_slice(&r->array)));
    else
        fprintf(live ? stderr : stdout, "%zu synchronization%s, %zu error%s, %zu warning%s\n",
                syncs, cli_plural(syncs), r->errors, cli_plural(r->errors), r->warnings,
                cli_plural(r->warnings));
}

int cmd_validate(int argc, char **argv)
{
    struct validate v = {.output = NULL};
    struct err e = ERR_INIT;
    if (parse_args(argc, argv, &v, &e) < 0)
        return cli_usage("validate", &e);
    AUTO(resources_freep) struct resources *resources = NULL;
    struct resources_opts opts = {.files = v.files.list,
                                  .n_files = v.files.n,
                                  .kubeconfigs = v.kubeconfigs.list,
                                  .n_kubeconfigs = v.kubeconfigs.n,
                                  .allow_insecure = v.allow_insecure,
                                  .allow_exec = v.allow_exec,
                                  .offline = !v.live,
                                  .clock = clock_sys()};
    AUTO(report_done) struct report report = {.json = v.json, .array = BUF_INIT(ARRAY_MAX)};
    size_t syncs;
    if (resources_load(&opts, &resources, &e) < 0 || tell_all(&report, resources, &syncs, &e) < 0)
        return cli_fail(&e);
    print_end(&report, syncs, v.live);
    if (report.errors)
        return cli_finish_output(EXIT_INVALID);
    return cli_finish_output(v.live ? live_check(resources) : EXIT_DONE);
}
