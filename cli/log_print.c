/* The formats of `log show`. A table is printed in pieces, so that a long log needs no memory and a follower sees each
 * event at once. */
#include "cli/log_print.h"

#include "cli/print_changes.h"
#include "cli/print_event.h"
#include "cli/print_yaml.h"
#include "cli/secret_mask.h"
#include "cli/table.h"
#include "core/buf.h"
#include "core/event.h"
#include "core/json.h"
#include "log/rlog.h"

#include <stdio.h>
#include <stdlib.h>

#define TABLE_LINES 200 /* aligned together */
#define PRINT_MAX   (64u << 20)

struct log_print {
    struct log_print_opts opts;
    struct table *table;
    size_t printed, lines;
};

static const struct table_column COLUMNS[] = {
    {"TIME", false}, {"OFFSET", true}, {"OP", false}, {"KEY", false}, {"MANAGER", false}};

enum rc log_print_new(const struct log_print_opts *opts, struct log_print **ret, struct err *e)
{
    AUTO(log_print_freep) struct log_print *p = calloc(1, sizeof *p);
    if (!p)
        return err_nomem(e);
    p->opts = *opts;
    enum rc rc = table_new(COLUMNS, sizeof COLUMNS / sizeof *COLUMNS, opts->colours, &p->table, e);
    if (rc == RC_OK)
        *ret = steal(&p);
    return rc;
}

void log_print_free(struct log_print *p)
{
    if (!p)
        return;
    table_free(p->table);
    free(p);
}

/* ---- What changed ---- */

/* The bodies of an object's event and of the one before it; *ret_before stays NULL where there was no object or it
 * is no longer in the log, *ret_after where there is none now. */
static enum rc parse_states(struct log_print *p, const struct event *ev,
                            struct json_doc **ret_before, struct json_doc **ret_after,
                            struct err *e)
{
    AUTO(rlog_found_done) struct rlog_found found = {0};
    struct err why = ERR_INIT;
    enum rc rc = rlog_last(p->opts.log, ev->key, ev->offset, &found, &why);
    if (rc < 0 && rc != RC_NOTFOUND && rc != RC_EXPIRED) {
        *e = why;
        return rc;
    }
    if (rc == RC_OK && found.event.op == EVENT_PUT)
        rc = json_parse(found.event.body, ret_before, &why);
    if (rc != RC_NOMEM && ev->op == EVENT_PUT)
        rc = json_parse_view(ev->body, ret_after, &why);
    return rc == RC_NOMEM ? err_nomem(e) : RC_OK; /* what is no JSON has no changes */
}

/* Appends the changes of a put; of anything else there are none to show. */
static enum rc add_changes(struct log_print *p, const struct event *ev, struct buf *out,
                           struct err *e)
{
    AUTO(json_freep) struct json_doc *before = NULL;
    AUTO(json_freep) struct json_doc *after = NULL;
    bool text = p->opts.format == LOG_TABLE;
    bool mask = secret_is(ev->source_kind, ev->key) && !p->opts.show_secrets;
    enum rc rc = parse_states(p, ev, &before, &after, e);
    if (rc != RC_OK)
        return rc;
    if (text && before && after)
        return print_changes_text(before, after, mask, out, e);
    if (text)
        return RC_OK;
    buf_add_str(out, ",\"patch\":");
    if (before && after)
        return print_changes_patch(before, after, mask, out, e);
    buf_add_str(out, "null");
    return buf_check(out, "changes", e);
}

static bool has_changes(const struct log_print *p, const struct event *ev)
{
    return p->opts.patch && (ev->op == EVENT_PUT || ev->op == EVENT_DELETE);
}

/* ---- One event ---- */

static enum rc print_yaml_text(struct slice json, struct err *e)
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

static enum rc print_body(struct log_print *p, const struct event *ev, struct err *e)
{
    AUTO(buf_done) struct buf json = BUF_INIT(PRINT_MAX);
    AUTO(buf_done) struct buf more = BUF_INIT(PRINT_MAX);
    enum rc rc = has_changes(p, ev) ? add_changes(p, ev, &more, e) : RC_OK;
    if (rc == RC_OK)
        rc = print_event_json(ev, buf_slice(&more), p->opts.show_secrets, &json, e);
    if (rc < 0)
        return rc;
    if (p->opts.format == LOG_YAML)
        return print_yaml_text(buf_slice(&json), e);
    if (p->opts.format == LOG_JSON)
        fputs(p->printed ? ",\n" : "[", stdout);
    (void)fwrite(json.p, 1, json.n, stdout);
    if (p->opts.format == LOG_JSONL)
        putchar('\n');
    return RC_OK;
}

static const char *colour_of(const struct event *ev)
{
    return ev->op == EVENT_DELETE ? TABLE_RED : ev->op == EVENT_GAP ? TABLE_YELLOW : NULL;
}

static enum rc print_row(struct log_print *p, const struct event *ev, struct err *e)
{
    AUTO(buf_done) struct buf cells = BUF_INIT(PRINT_MAX);
    AUTO(buf_done) struct buf changes = BUF_INIT(PRINT_MAX);
    print_event_cells(ev, &cells);
    enum rc rc = buf_check(&cells, "row", e);
    if (rc == RC_OK)
        rc = table_add(p->table, cells.p, colour_of(ev), e);
    p->lines += rc == RC_OK;
    if (rc == RC_OK && has_changes(p, ev))
        rc = add_changes(p, ev, &changes, e);
    if (p->lines >= TABLE_LINES || changes.n > 0)
        log_print_flush(p);
    if (changes.n > 0)
        (void)fwrite(changes.p, 1, changes.n, stdout);
    return rc;
}

enum rc log_print_event(struct log_print *p, const struct event *ev, struct err *e)
{
    enum rc rc = p->opts.format == LOG_TABLE ? print_row(p, ev, e) : print_body(p, ev, e);
    p->printed++;
    return rc;
}

void log_print_flush(struct log_print *p)
{
    if (p->lines) {
        table_print(p->table);
        p->lines = 0;
    }
    (void)fflush(stdout);
}

void log_print_end(struct log_print *p, bool sound)
{
    log_print_flush(p);
    if (p->opts.format == LOG_JSON && (sound || p->printed))
        puts(p->printed ? "]" : "[]");
}
