/* resilog log show: reads a range of the log and prints what passes its filters. */
#include "cli/cli.h"
#include "cli/log_args.h"
#include "cli/print_event.h"
#include "cli/print_yaml.h"
#include "cli/table.h"
#include "cli/wire.h"
#include "core/buf.h"
#include "core/clock.h"
#include "core/event_codec.h"
#include "core/event_iter.h"
#include "core/json.h"
#include "core/key.h"
#include "io/clock_sys.h"
#include "io/rng_sys.h"
#include "log/rlog.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define FOLLOW_POLL_MS 100
#define TABLE_LINES    200 /* printed together while not following */
#define TAIL_MAX       1000000
#define PRINT_MAX      (64u << 20)

enum format { FORMAT_TABLE, FORMAT_JSON, FORMAT_JSONL, FORMAT_YAML };

struct show {
    const char *data, *source, *since, *until, *tail_text, *ns, *ops_text, *output, *object;
    bool follow, all, show_secrets;

    enum format format;
    uint32_t ops; /* 0: all */
    size_t tail;  /* 0: everything */
    struct rlog *log;
    struct buf scope; /* of KIND/NAME: "group/resource"; empty: any */
    struct slice name;
    struct event **kept; /* ring of the last `tail` events, NULL-terminated */
    size_t n_kept;
    struct table *table;
    size_t printed, lines;
};

static const struct table_column COLUMNS[] = {
    {"TIME", false}, {"OFFSET", true}, {"OP", false}, {"KEY", false}, {"MANAGER", false}};

/* ---- Arguments ---- */

static enum rc check_args(struct show *s, struct err *e)
{
    static const char *const formats[] = {"table", "json", "jsonl", "yaml"};
    if (!s->data)
        return err_set(e, RC_INVALID, ERR_FINAL, "which folder? give --data DIR");
    size_t f = 0;
    while (s->output && f < 4 && strcmp(s->output, formats[f]) != 0)
        f++;
    if (f == 4)
        return err_set(e, RC_INVALID, ERR_FINAL, "-o %s: table, json, jsonl or yaml", s->output);
    s->format = (enum format)f;
    if (s->follow && s->format == FORMAT_JSON)
        return err_set(e, RC_INVALID, ERR_FINAL, "-f goes with -o table, jsonl or yaml");
    if (s->tail_text) {
        char *end;
        errno = 0;
        unsigned long n = strtoul(s->tail_text, &end, 10);
        if (errno || *end || end == s->tail_text || n == 0 || n > TAIL_MAX)
            return err_set(e, RC_INVALID, ERR_FINAL, "--tail %s: a number from 1 to %d",
                           s->tail_text, TAIL_MAX);
        s->tail = n;
    }
    return s->ops_text ? log_ops(s->ops_text, &s->ops, e) : RC_OK;
}

static enum rc parse_args(int argc, char **argv, struct show *s, struct err *e)
{
    const struct option_spec specs[] = {
        {0, "data", NULL, &s->data, NULL},
        {0, "source", NULL, &s->source, NULL},
        {0, "since", NULL, &s->since, NULL},
        {0, "until", NULL, &s->until, NULL},
        {0, "tail", NULL, &s->tail_text, NULL},
        {'f', "follow", &s->follow, NULL, NULL},
        {'n', "namespace", NULL, &s->ns, NULL},
        {0, "op", NULL, &s->ops_text, NULL},
        {'a', "all", &s->all, NULL, NULL},
        {'o', "output", NULL, &s->output, NULL},
        {0, "show-secrets", &s->show_secrets, NULL, NULL},
    };
    struct option_rest rest = {&s->object, 1, 0};
    enum rc rc = options_parse(argc, argv, specs, sizeof specs / sizeof *specs, &rest, e);
    return rc < 0 ? rc : check_args(s, e);
}

/* ---- Filter ---- */

static bool passes(const struct show *s, const struct event *ev)
{
    if (s->ops && !(s->ops & 1u << ev->op))
        return false;
    if (!s->ns && !s->object)
        return true;
    struct key key;
    struct err ignored = ERR_INIT;
    if (key_parse(ev->key, &key, &ignored) < 0)
        return false;
    if (s->ns && !slice_eq(key.ns, slice_str(s->ns)))
        return false;
    return !s->object ||
           (slice_eq(key.name, s->name) &&
            slice_eq(slice_of(ev->key.p, key.group.n + 1 + key.resource.n), buf_slice(&s->scope)));
}

/* ---- Printing ---- */

static enum rc print_yaml_event(struct slice json, struct err *e)
{
    AUTO(json_freep) struct json_doc *d = NULL;
    AUTO(buf_done) struct buf out = BUF_INIT(PRINT_MAX);
    enum rc rc = json_parse_view(json, &d, e);
    if (rc < 0)
        return rc;
    buf_add_str(&out, "---\n");
    print_yaml(d, json_root(d), &out);
    rc = buf_check(&out, "event", e);
    if (rc == RC_OK)
        (void)fwrite(out.p, 1, out.n, stdout);
    return rc;
}

static enum rc print_body(struct show *s, const struct event *ev, struct err *e)
{
    AUTO(buf_done) struct buf json = BUF_INIT(PRINT_MAX);
    enum rc rc = print_event_json(ev, s->show_secrets, &json, e);
    if (rc < 0)
        return rc;
    if (s->format == FORMAT_YAML)
        return print_yaml_event(buf_slice(&json), e);
    if (s->format == FORMAT_JSON)
        fputs(s->printed ? ",\n" : "[", stdout);
    (void)fwrite(json.p, 1, json.n, stdout);
    if (s->format == FORMAT_JSONL)
        putchar('\n');
    return RC_OK;
}

static enum rc print_row(struct show *s, const struct event *ev, struct err *e)
{
    AUTO(buf_done) struct buf cells = BUF_INIT(PRINT_MAX);
    print_event_cells(ev, &cells);
    enum rc rc = buf_check(&cells, "row", e);
    if (rc == RC_OK)
        rc = table_add(s->table, cells.p, e);
    if (rc == RC_OK && ++s->lines >= TABLE_LINES) {
        table_print(s->table);
        s->lines = 0;
    }
    return rc;
}

static enum rc print(struct show *s, const struct event *ev, struct err *e)
{
    enum rc rc = s->format == FORMAT_TABLE ? print_row(s, ev, e) : print_body(s, ev, e);
    s->printed++;
    return rc;
}

static void flush_output(struct show *s)
{
    if (s->format == FORMAT_TABLE && s->lines) {
        table_print(s->table);
        s->lines = 0;
    }
    (void)fflush(stdout);
}

/* ---- Reading ---- */

/* Keeps the last `tail` events; they are printed at the end of what is there now. */
static enum rc keep(struct show *s, const struct event *ev, struct err *e)
{
    struct event *copy = event_copy(ev);
    if (!copy)
        return err_nomem(e);
    size_t at = s->n_kept++ % s->tail;
    free(s->kept[at]);
    s->kept[at] = copy;
    return RC_OK;
}

static enum rc print_kept(struct show *s, struct err *e)
{
    enum rc rc = RC_OK;
    size_t first = s->n_kept > s->tail ? s->n_kept - s->tail : 0;
    for (size_t i = first; rc == RC_OK && i < s->n_kept; i++)
        rc = print(s, s->kept[i % s->tail], e);
    s->tail = 0;
    return rc;
}

/* Everything that is there now; RC_AGAIN at the tail of a followed log, RC_END behind `until`. */
static enum rc read_on(struct show *s, struct event_iter *it, struct err *e)
{
    for (;;) {
        const struct event *ev;
        enum rc rc = event_iter_next(it, &ev, e);
        if (rc == RC_OK && passes(s, ev))
            rc = s->tail ? keep(s, ev, e) : print(s, ev, e);
        if (rc != RC_OK)
            return rc;
        if (ferror(stdout))
            return RC_END;
    }
}

static enum rc find_range(struct show *s, struct rlog_range *range, struct err *e)
{
    int64_t now = clock_wall_ns(clock_sys());
    struct rlog_bounds bounds;
    enum rc rc = rlog_bounds(s->log, &bounds, e);
    if (rc < 0)
        return rc;
    range->from = bounds.first;
    range->until = s->follow ? 0 : bounds.next;
    range->all_keys = s->all || (s->ops & ~(1u << EVENT_PUT | 1u << EVENT_DELETE));
    if (s->since)
        rc = log_point(s->log, s->since, now, &range->from, e);
    if (rc == RC_OK && s->until)
        rc = log_point(s->log, s->until, now, &range->until, e);
    if (rc == RC_OK && s->object)
        rc = log_object(s->log, s->object, &s->scope, &s->name, e);
    if (rc == RC_OK && s->object)
        range->prefix = buf_slice(&s->scope);
    return rc;
}

static enum rc follow(struct show *s, struct event_iter *it, struct err *e)
{
    for (;;) {
        flush_output(s);
        if (ferror(stdout) || cli_reader_is_gone(FOLLOW_POLL_MS))
            return RC_OK;
        enum rc rc = read_on(s, it, e);
        if (rc != RC_AGAIN)
            return rc < 0 ? rc : RC_OK;
    }
}

static enum rc show(struct show *s, struct err *e)
{
    struct rlog_range range = {.mode = RLOG_EVERY};
    AUTO(event_iter_freep) struct event_iter *it = NULL;
    enum rc rc = find_range(s, &range, e);
    if (rc != RC_OK || (range.until && range.from >= range.until))
        return rc;
    rc = rlog_cursor(s->log, &range, &it, e);
    if (rc != RC_OK)
        return rc;
    enum rc at_end = read_on(s, it, e);
    if (at_end < 0)
        return at_end;
    rc = print_kept(s, e);
    return rc == RC_OK && at_end == RC_AGAIN && s->follow ? follow(s, it, e) : rc;
}

static void show_done(struct show *s)
{
    for (struct event **ev = s->kept; ev && *ev; ev++)
        free(*ev);
    free(s->kept);
    buf_done(&s->scope);
    table_free(s->table);
    rlog_close(s->log);
}

static enum rc prepare(struct show *s, const struct env *env, struct err *e)
{
    buf_init(&s->scope, 2 * KEY_MAX);
    s->kept = calloc(s->tail + 1, sizeof(struct event *));
    if (!s->kept)
        return err_nomem(e);
    enum rc rc = table_new(COLUMNS, sizeof COLUMNS / sizeof *COLUMNS, &s->table, e);
    return rc < 0 ? rc : data_open_log(s->data, s->source, env, &s->log, e);
}

int cmd_log_show(int argc, char **argv)
{
    AUTO(show_done) struct show s = {.data = NULL};
    struct err e = ERR_INIT;
    if (parse_args(argc, argv, &s, &e) < 0)
        return cli_usage("log show", &e);
    struct env env = {clock_sys(), rng_sys(), NULL, NULL};
    enum rc rc = prepare(&s, &env, &e);
    if (rc == RC_OK)
        rc = show(&s, &e);
    flush_output(&s);
    if (s.format == FORMAT_JSON &&
        (rc == RC_OK || s.printed)) /* what was read is valid JSON, too */
        puts(s.printed ? "]" : "[]");
    return rc < 0 ? cli_fail(&e) : cli_finish_output(EXIT_DONE);
}
