/* resilog status: what each synchronization's thread wrote beside its checkpoint, as a table or JSON. */
#include "cli/cli.h"
#include "cli/names.h"
#include "cli/table.h"
#include "cli/wire.h"
#include "controller/status.h"
#include "core/buf.h"
#include "core/clock.h"
#include "core/diag.h"
#include "core/json.h"
#include "io/clock_sys.h"
#include "io/rng_sys.h"
#include "log/ckpt.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define STATUS_MAX (64u << 10)

struct collected {
    struct ckpt *ckpt;
    bool running;
    struct json_doc **docs;
    size_t n;
};

/* ---- Collecting ---- */

/* Its run failed, not the attempt to begin one; a plan will run again. */
static bool has_failed_run(struct json_doc *doc)
{
    const struct json *runs = json_get(json_root(doc), "runs"), *last = runs ? runs->first : NULL;
    while (last && last->next)
        last = last->next;
    return last && json_get_text(doc, json_root(doc), "scheduleDecidedTo").n == 0 &&
           !slice_eq(json_get_text(doc, last, "result"), SLICE("Succeeded"));
}

/* A Synchronization whose run is over: that stays true whoever runs. */
static bool is_over(struct json_doc *doc)
{
    struct slice phase = json_get_text(doc, json_root(doc), "phase");
    return slice_eq(phase, slice_str(sync_phase_name(PHASE_SUCCEEDED))) ||
           (slice_eq(phase, slice_str(sync_phase_name(PHASE_FAILED))) && has_failed_run(doc));
}

/* With nobody running, what says "Live" is history; and so it is while others run, if nobody says it again: the
 * synchronization is no longer among the resources. */
static enum rc mark_stopped(struct json_doc *doc, int64_t stale_ns, struct err *e)
{
    int64_t updated;
    struct err ignored = ERR_INIT;
    struct slice text = json_get_text(doc, json_root(doc), "updated");
    if (time_parse(text, &updated, &ignored) == RC_OK &&
        clock_wall_ns(clock_sys()) - updated < stale_ns)
        return RC_OK;
    struct json *stopped, *unknown;
    enum rc rc = json_value_text(doc, slice_str(sync_phase_name(PHASE_STOPPED)), &stopped, e);
    if (rc == RC_OK)
        rc = json_set(doc, json_root(doc), SLICE("phase"), stopped, e);
    if (rc == RC_OK)
        rc = json_value(doc, SLICE("null"), &unknown, e);
    return rc == RC_OK ? json_set(doc, json_root(doc), SLICE("lagSeconds"), unknown, e) : rc;
}

static enum rc collect(void *arg, struct slice consumer, struct err *e)
{
    struct collected *c = arg;
    struct ckpt_head head;
    AUTO(buf_done) struct buf status = BUF_INIT(STATUS_MAX);
    enum rc rc = ckpt_load(c->ckpt, consumer, &head, NULL, &status, e);
    if (rc < 0)
        return rc;
    if (status.n == 0)
        return RC_OK;
    AUTO(json_freep) struct json_doc *doc = NULL;
    rc = json_parse(buf_slice(&status), &doc, e);
    if (rc == RC_OK && !is_over(doc))
        rc = mark_stopped(doc, c->running ? STATUS_GONE_NS : STATUS_STALE_NS, e);
    if (rc == RC_OK)
        c->docs[c->n++] = steal(&doc);
    return rc;
}

static void collected_done(struct collected *c)
{
    for (size_t i = 0; c->docs && i < c->n; i++)
        json_free(c->docs[i]);
    free(c->docs);
    ckpt_close(c->ckpt);
}

/* ---- Printing ---- */

static enum rc print_json(const struct collected *c, struct err *e)
{
    AUTO(buf_done) struct buf out = BUF_INIT((size_t)NAMES_MAX * STATUS_MAX);
    buf_add_char(&out, '[');
    for (size_t i = 0; i < c->n; i++) {
        buf_add_str(&out, i ? ",\n " : "");
        json_print(json_root(c->docs[i]), &out);
    }
    buf_add_str(&out, "]\n");
    enum rc rc = buf_check(&out, "status", e);
    if (rc == RC_OK)
        (void)fwrite(out.p, 1, out.n, stdout);
    return rc;
}

static const struct table_column COLUMNS[] = {
    {"NAMESPACE", false},   {"NAME", false},  {"PHASE", false}, {"SOURCE", false},
    {"DESTINATION", false}, {"LAG", true},    {"AGE", true},    {"HELD", true},
    {"WAITING", true},      {"OFFSET", true},
};

static void add_cell(struct buf *row, const struct json *value, struct json_doc *doc)
{
    if (json_is(value, JSON_STRING))
        buf_add_slice(row, json_text(doc, value));
    else if (json_is(value, JSON_NULL) || !value)
        buf_add_char(row, '-');
    else
        buf_add_slice(row, value->raw);
    buf_add_char(row, '\0');
}

static enum rc add_row(struct table *t, struct json_doc *doc, struct err *e)
{
    static const char *const members[] = {"namespace",   "name",       "phase",      "source",
                                          "destination", "lagRecords", "lagSeconds", "held",
                                          "waiting",     "offset"};
    AUTO(buf_done) struct buf row = BUF_INIT(STATUS_MAX);
    for (size_t i = 0; i < sizeof members / sizeof *members; i++)
        add_cell(&row, json_get(json_root(doc), members[i]), doc);
    enum rc rc = buf_check(&row, "row", e);
    return rc < 0 ? rc : table_add(t, row.p, NULL, e);
}

static enum rc print_table(const struct collected *c, struct err *e)
{
    AUTO(table_freep) struct table *t = NULL;
    enum rc rc = table_new(COLUMNS, sizeof COLUMNS / sizeof *COLUMNS, false, &t, e);
    for (size_t i = 0; rc == RC_OK && i < c->n; i++)
        rc = add_row(t, c->docs[i], e);
    if (rc < 0)
        return rc;
    table_print(t);
    for (size_t i = 0; i < c->n; i++) {
        struct json *root = json_root(c->docs[i]);
        struct slice error = json_get_text(c->docs[i], root, "lastError");
        if (error.n)
            printf("\n%.*s/%.*s: %.*s\n", SLICE_ARG(json_get_text(c->docs[i], root, "namespace")),
                   SLICE_ARG(json_get_text(c->docs[i], root, "name")), SLICE_ARG(error));
    }
    if (!c->running)
        fprintf(stderr, "resilog: no 'resilog run' is running on this folder\n");
    return RC_OK;
}

/* ---- The command ---- */

struct status_args {
    const char *data, *output, *name;
};

static enum rc parse_args(int argc, char **argv, struct status_args *a, struct err *e)
{
    const struct option_spec specs[] = {
        {0, "data", NULL, &a->data, NULL},
        {'o', "output", NULL, &a->output, NULL},
    };
    struct option_rest rest = {&a->name, 1, 0};
    enum rc rc = options_parse(argc, argv, specs, sizeof specs / sizeof *specs, &rest, e);
    if (rc < 0)
        return rc;
    if (!a->data || !a->data[0])
        return err_set(e, RC_INVALID, ERR_FINAL, "which folder? give --data DIR");
    if (a->output && strcmp(a->output, "json") != 0 && strcmp(a->output, "table") != 0)
        return err_set(e, RC_INVALID, ERR_FINAL, "-o %s: table or json", a->output);
    return RC_OK;
}

int cmd_status(int argc, char **argv)
{
    struct status_args a = {.data = NULL};
    struct err e = ERR_INIT;
    if (parse_args(argc, argv, &a, &e) < 0)
        return cli_usage("status", &e);
    struct env env = {clock_sys(), rng_sys(), NULL, NULL};
    AUTO(collected_done) struct collected c = {.running = data_is_locked(a.data)};
    int code = EXIT_DONE;
    size_t meant = 0;
    enum rc rc = data_open_ckpt(a.data, &env, &c.ckpt, &e);
    if (rc == RC_OK && !(c.docs = calloc(NAMES_MAX, sizeof(struct json_doc *))))
        rc = err_nomem(&e);
    if (rc == RC_OK)
        code = names_each(c.ckpt, a.name, collect, &c, &meant);
    if (rc == RC_OK && a.name && meant == 0 && code == EXIT_DONE)
        rc = err_set(&e, RC_NOTFOUND, ERR_FINAL, "no synchronization \"%s\" in %s", a.name, a.data);
    if (rc == RC_OK)
        rc = a.output && strcmp(a.output, "json") == 0 ? print_json(&c, &e) : print_table(&c, &e);
    return rc < 0 ? cli_fail(&e) : cli_finish_output(code);
}
