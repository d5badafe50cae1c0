/* resilog verify: says what differs between source and destination of a synchronization of znodes. */
#include "cli/cli.h"
#include "cli/names.h"
#include "cli/problems.h"
#include "cli/tree_compare.h"
#include "cli/wire.h"
#include "controller/resource.h"
#include "core/buf.h"
#include "core/json.h"
#include "flow/scope.h"
#include "io/clock_sys.h"
#include "io/rng_sys.h"
#include "io/zk_walk.h"

#include <stdio.h>
#include <string.h>

/* As diff(1). */
enum { VERIFY_EQUAL = 0, VERIFY_DIFFERS = 1, VERIFY_TROUBLE = 2 };

#define SHOWN_MAX 2048

struct verify {
    struct option_values files, kubeconfigs;
    const char *output, *name;
    bool json, extra, allow_insecure, allow_exec;
};

static enum rc parse_args(int argc, char **argv, struct verify *v, struct err *e)
{
    const struct option_spec specs[] = {
        {'f', "filename", NULL, NULL, &v->files},
        {0, "kubeconfig", NULL, NULL, &v->kubeconfigs},
        {'o', "output", NULL, &v->output, NULL},
        {0, "extra", &v->extra, NULL, NULL},
        {0, "allow-insecure", &v->allow_insecure, NULL, NULL},
        {0, "allow-exec", &v->allow_exec, NULL, NULL},
    };
    struct option_rest rest = {&v->name, 1, 0};
    enum rc rc = options_parse(argc, argv, specs, sizeof specs / sizeof *specs, &rest, e);
    if (rc < 0)
        return rc;
    v->json = v->output && strcmp(v->output, "json") == 0;
    if (v->files.n == 0)
        return err_set(e, RC_INVALID, ERR_FINAL, "which resources? give -f FILE, DIR or -");
    if (v->output && !v->json && strcmp(v->output, "text") != 0)
        return err_set(e, RC_INVALID, ERR_FINAL, "-o %s: text or json", v->output);
    return RC_OK;
}

/* ---- Which synchronization ---- */

struct search {
    const char *wanted; /* NULL: the only one of znodes */
    const struct sync *found;
    size_t hits, others; /* others: of Kubernetes */
    struct buf meant;
};

static void look_at(struct search *s, const struct sync *sync)
{
    bool tree = scope_is_tree(&sync->replication);
    if (s->wanted ? !name_is(slice_str(sync->full_name), s->wanted) : !tree) {
        s->others += !tree;
        return;
    }
    if (s->hits++ == 0)
        s->found = sync;
    if (s->meant.n < SHOWN_MAX / 2)
        buf_addf(&s->meant, "%s%s", s->meant.n ? ", " : "", sync->full_name);
}

static void look_at_all(struct search *s, const struct resources *r)
{
    const struct sync *sync;
    const struct plan *plan;
    for (size_t i = 0; (sync = resources_sync(r, i)); i++)
        look_at(s, sync);
    for (size_t i = 0; (sync = resources_once(r, i)); i++)
        look_at(s, sync);
    for (size_t i = 0; (plan = resources_plan(r, i)); i++)
        look_at(s, &plan->sync);
}

#define KUBERNETES_TEXT                                                                            \
    "verify compares znodes; of Kubernetes objects the comparison is resyncPeriod of the "         \
    "LiveSynchronization, which also repairs (docs/reference/selection.md)"

static enum rc choose(const struct resources *r, const char *wanted, const struct sync **ret,
                      struct err *e)
{
    struct search s = {.wanted = wanted, .meant = BUF_INIT(SHOWN_MAX)};
    look_at_all(&s, r);
    *ret = s.found;
    enum rc rc = RC_OK;
    if (s.hits > 1)
        rc = err_set(e, RC_INVALID, ERR_FINAL, "which synchronization? give its NAME: %.*s",
                     SLICE_ARG(buf_slice(&s.meant)));
    else if (s.hits == 0 && wanted)
        rc = err_set(e, RC_NOTFOUND, ERR_FINAL, "no synchronization \"%s\" in the files", wanted);
    else if (s.hits == 0)
        rc = err_set(e, s.others ? RC_UNSUPPORTED : RC_NOTFOUND, ERR_FINAL, "%s",
                     s.others ? KUBERNETES_TEXT : "no synchronization of znodes in the files");
    else if (s.found->plugin && !scope_is_tree(&s.found->replication))
        rc = err_set(e, RC_UNSUPPORTED, ERR_FINAL, "%s: " KUBERNETES_TEXT, s.found->full_name);
    else if (!scope_is_tree(&s.found->replication))
        rc = err_set(e, RC_INVALID, ERR_FINAL,
                     "%s: there is no template.spec, so nothing to compare", s.found->full_name);
    buf_done(&s.meant);
    return rc;
}

/* ---- Printing ---- */

struct report {
    const struct verify *args;
    size_t printed;
    uint64_t differences, nodes, extra, unreadable, hidden;
};

static void print_text(const char *word, const struct zk_difference *d, unsigned what,
                       struct buf *out)
{
    const char *side, *why;
    buf_addf(out, "%s %.*s", word, SLICE_ARG(d->path));
    if (what == ZK_COMPARE_SEQUENCE)
        buf_addf(out, ": source %lld, destination %lld",
                 (long long)znode_sequence(&d->source->node.stat),
                 (long long)znode_sequence(&d->destination->node.stat));
    if (what == ZK_COMPARE_UNREADABLE) {
        tree_why_unreadable(d, &side, &why);
        buf_addf(out, ": %s: %s", side, why);
    }
    buf_add_char(out, '\n');
}

static void print_json(const char *word, const struct zk_difference *d, unsigned what,
                       struct buf *out)
{
    const char *side, *why;
    buf_addf(out, "{\"difference\":\"%s\",\"path\":", word);
    json_print_text(d->path, out);
    if (what == ZK_COMPARE_SEQUENCE)
        buf_addf(out, ",\"source\":%lld,\"destination\":%lld",
                 (long long)znode_sequence(&d->source->node.stat),
                 (long long)znode_sequence(&d->destination->node.stat));
    if (what == ZK_COMPARE_UNREADABLE) {
        tree_why_unreadable(d, &side, &why);
        buf_addf(out, ",\"side\":\"%s\",\"reason\":\"%s\"", side, why);
    }
    buf_add_char(out, '}');
}

static enum rc print(struct report *r, const struct tree_word *word, const struct zk_difference *d,
                     struct err *e)
{
    AUTO(buf_done) struct buf out = BUF_INIT(TREE_TEXT_MAX);
    if (r->args->json) {
        buf_add_str(&out, r->printed ? ",\n " : "[");
        print_json(word->difference, d, word->what, &out);
    } else {
        print_text(word->difference, d, word->what, &out);
    }
    r->printed++;
    enum rc rc = buf_check(&out, "difference", e);
    if (rc == RC_OK)
        (void)fwrite(out.p, 1, out.n, stdout);
    return rc;
}

static enum rc tell(struct report *r, const struct zk_difference *d, struct err *e)
{
    bool extra = d->what & ZK_COMPARE_EXTRA, unreadable = d->what & ZK_COMPARE_UNREADABLE;
    enum rc rc = RC_OK;
    r->extra += extra;
    r->unreadable += unreadable;
    r->nodes += !extra && !unreadable;
    if (extra && !r->args->extra)
        return RC_OK;
    for (size_t i = 0; rc == RC_OK && i < TREE_WORDS; i++) {
        if (!(d->what & tree_words[i].what))
            continue;
        r->differences += !extra && !unreadable;
        rc = print(r, &tree_words[i], d, e);
    }
    return rc;
}

static void print_summary(const struct report *r, const struct sync *sync, uint64_t equal)
{
    fprintf(stderr,
            "%s: %llu difference%s in %llu node%s, %llu alike, %llu in the destination alone",
            sync->full_name, (unsigned long long)r->differences, cli_plural(r->differences),
            (unsigned long long)r->nodes, cli_plural(r->nodes), (unsigned long long)equal,
            (unsigned long long)r->extra);
    if (r->unreadable)
        fprintf(stderr, ", %llu cannot be read", (unsigned long long)r->unreadable);
    fputc('\n', stderr);
    if (r->hidden)
        fprintf(
            stderr,
            "%s: %llu ACL%s not compared, their hashes are hidden: give the Databases a user who "
            "may administer the nodes\n",
            sync->full_name, (unsigned long long)r->hidden, cli_plural(r->hidden));
}

/* ---- The command ---- */

static enum rc compare(struct report *r, struct tree_compare *t, struct err *e)
{
    struct zk_difference d;
    enum rc rc;
    while ((rc = tree_compare_next(t, &d, e)) == RC_OK || rc == RC_AGAIN) {
        rc = rc == RC_OK ? tell(r, &d, e) : tree_compare_wait(t, e);
        if (rc < 0)
            return rc;
        if (ferror(stdout))
            return RC_END; /* nobody reads; cli_finish_output says what is to be said */
    }
    return rc;
}

static enum rc load(const struct verify *v, struct resources **ret, struct err *e)
{
    const struct problem *p;
    struct resources_opts opts = {.files = v->files.list,
                                  .n_files = v->files.n,
                                  .kubeconfigs = v->kubeconfigs.list,
                                  .n_kubeconfigs = v->kubeconfigs.n,
                                  .allow_insecure = v->allow_insecure,
                                  .allow_exec = v->allow_exec};
    enum rc rc = resources_load(&opts, ret, e);
    if (rc < 0 || resources_errors(*ret) == 0)
        return rc;
    for (size_t i = 0; (p = resources_problem(*ret, i)); i++)
        problem_print(p);
    return err_set(e, RC_INVALID, ERR_FINAL, "%zu error%s in the resources", resources_errors(*ret),
                   cli_plural(resources_errors(*ret)));
}

static int verify_sync(const struct verify *v, const struct sync *sync, struct err *e)
{
    const struct env env = {clock_sys(), rng_sys(), NULL, NULL};
    AUTO(tree_compare_closep) struct tree_compare *t = NULL;
    struct report report = {.args = v};
    if (wire_compare(sync, &env, &t, e) < 0)
        return VERIFY_TROUBLE;
    enum rc rc = compare(&report, t, e);
    if (v->json)
        puts(report.printed ? "]" : "[]");
    if (rc < 0)
        return VERIFY_TROUBLE;
    report.hidden = tree_compare_hidden(t);
    if (!ferror(stdout)) /* else not all was compared */
        print_summary(&report, sync, tree_compare_equal(t));
    if (report.unreadable || report.hidden)
        return VERIFY_TROUBLE;
    return report.differences ? VERIFY_DIFFERS : VERIFY_EQUAL;
}

static int verify(const struct verify *v, struct err *e)
{
    AUTO(resources_freep) struct resources *resources = NULL;
    const struct sync *sync;
    if (load(v, &resources, e) < 0 || choose(resources, v->name, &sync, e) < 0)
        return VERIFY_TROUBLE;
    return verify_sync(v, sync, e);
}

int cmd_verify(int argc, char **argv)
{
    struct verify v = {.output = NULL};
    struct err e = ERR_INIT;
    if (parse_args(argc, argv, &v, &e) < 0)
        return cli_usage("verify", &e);
    int code = verify(&v, &e);
    if (e.rc < 0)
        (void)cli_fail(&e);
    return cli_finish_output(EXIT_DONE) == EXIT_DONE ? code : VERIFY_TROUBLE;
}
