/* resilog holds ls: which objects are held or wait, and why, as the consumers' files say. */
#include "cli/cli.h"
#include "cli/names.h"
#include "cli/pager.h"
#include "cli/print_hold.h"
#include "cli/table.h"
#include "cli/wire.h"
#include "core/buf.h"
#include "core/clock.h"
#include "flow/pump_rows.h"
#include "io/clock_sys.h"
#include "io/rng_sys.h"
#include "log/ckpt.h"

#include <stdio.h>
#include <string.h>

#define ROW_MAX (64u << 10)

static const struct table_column COLUMNS[] = {
    {"SYNCHRONIZATION", false}, {"KEY", false},  {"STATE", false},
    {"CLASS", false},           {"TRIES", true}, {"AGE", true},
    {"REASON", false}};

struct holds {
    const char *data, *output, *name;
    bool json;
    struct ckpt *ckpt;
    struct table *table;
    struct slice consumer; /* whose rows are read now */
    int64_t now_ns;
    size_t printed;
};

/* ---- One hold ---- */

static enum rc print_json(const struct holds *s, struct slice key, const struct hold *h,
                          struct err *e)
{
    AUTO(buf_done) struct buf out = BUF_INIT(ROW_MAX);
    buf_add_str(&out, s->printed ? ",\n " : "[");
    print_hold_json(&(struct held){s->consumer, key, h, NULL}, &out);
    enum rc rc = buf_check(&out, "hold", e);
    if (rc == RC_OK)
        (void)fwrite(out.p, 1, out.n, stdout);
    return rc;
}

static void add_cell(struct buf *row, struct slice text)
{
    buf_add_slice(row, text);
    buf_add_char(row, '\0');
}

static enum rc print_row(struct holds *s, struct slice key, const struct hold *h, struct err *e)
{
    AUTO(buf_done) struct buf row = BUF_INIT(ROW_MAX);
    add_cell(&row, s->consumer);
    add_cell(&row, key);
    add_cell(&row, slice_str(print_hold_state(h)));
    add_cell(&row, slice_str(h->cls));
    buf_addf(&row, "%u%c", h->attempts, '\0');
    print_age(s->now_ns - h->since_ns, &row);
    buf_add_char(&row, '\0');
    add_cell(&row, slice_str(h->reason));
    enum rc rc = buf_check(&row, "row", e);
    return rc < 0 ? rc
                  : table_add(s->table, row.p, h->waiting || h->skipped ? NULL : TABLE_YELLOW, e);
}

static enum rc print_hold(void *arg, struct slice key, struct slice value, struct err *e)
{
    struct holds *s = arg;
    struct hold h;
    enum rc rc = hold_decode(value, &h, e);
    if (rc == RC_OK)
        rc = s->json ? print_json(s, key, &h, e) : print_row(s, key, &h, e);
    s->printed += rc == RC_OK;
    return rc;
}

/* ---- The command ---- */

static enum rc print_holds(void *arg, struct slice consumer, struct err *e)
{
    struct holds *s = arg;
    s->consumer = consumer;
    return ckpt_scan(s->ckpt, consumer, CKPT_HOLDS, SLICE_NULL, print_hold, s, e);
}

static enum rc parse_args(int argc, char **argv, struct holds *s, struct err *e)
{
    const struct option_spec specs[] = {
        {0, "data", NULL, &s->data, NULL},
        {'o', "output", NULL, &s->output, NULL},
    };
    struct option_rest rest = {&s->name, 1, 0};
    enum rc rc = options_parse(argc, argv, specs, sizeof specs / sizeof *specs, &rest, e);
    if (rc < 0)
        return rc;
    s->json = s->output && strcmp(s->output, "json") == 0;
    if (!s->data || !s->data[0])
        return err_set(e, RC_INVALID, ERR_FINAL, "which folder? give --data DIR");
    if (s->output && !s->json && strcmp(s->output, "table") != 0)
        return err_set(e, RC_INVALID, ERR_FINAL, "-o %s: table or json", s->output);
    return RC_OK;
}

static void holds_done(struct holds *s)
{
    table_free(s->table);
    ckpt_close(s->ckpt);
}

int cmd_holds_ls(int argc, char **argv)
{
    AUTO(holds_done) struct holds s = {.now_ns = clock_wall_ns(clock_sys())};
    struct err e = ERR_INIT;
    size_t meant;
    if (parse_args(argc, argv, &s, &e) < 0)
        return cli_usage("holds ls", &e);
    struct env env = {clock_sys(), rng_sys(), NULL, NULL};
    enum rc rc = data_open_ckpt(s.data, &env, &s.ckpt, &e);
    if (rc == RC_OK)
        rc = table_new(COLUMNS, sizeof COLUMNS / sizeof *COLUMNS, pager_may_colour(), &s.table, &e);
    if (rc < 0)
        return cli_fail(&e);
    int code = names_each(s.ckpt, s.name, print_holds, &s, &meant);
    if (code == EXIT_DONE && s.name && meant == 0) {
        err_set(&e, RC_NOTFOUND, ERR_FINAL, "no synchronization \"%s\" in %s", s.name, s.data);
        return cli_fail(&e);
    }
    if (s.json) /* what was read is valid JSON, also after a failure */
        puts(s.printed ? "]" : "[]");
    else if (s.printed)
        table_print(s.table);
    else if (code == EXIT_DONE)
        fprintf(stderr, "resilog: nothing is held\n");
    return cli_finish_output(code);
}
