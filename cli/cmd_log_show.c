/* resilog log show: reads a range of the log and prints what passes its filters. */
#include "cli/cli.h"
#include "cli/log_args.h"
#include "cli/log_back.h"
#include "cli/log_cursor.h"
#include "cli/log_print.h"
#include "cli/pager.h"
#include "cli/print_event.h"
#include "cli/wire.h"
#include "core/buf.h"
#include "core/clock.h"
#include "core/event_iter.h"
#include "core/key.h"
#include "core/regex.h"
#include "io/clock_sys.h"
#include "io/rng_sys.h"
#include "log/rlog.h"

#include <ctype.h>
#include <errno.h>
#include <stdlib.h>
#include <stdio.h>
#include <string.h>

#define FOLLOW_POLL_MS 100
#define TAIL_MAX       1000000
#define PRINT_MAX      (64u << 20)

struct show {
    const char *data, *source, *since, *until, *tail_text, *ns, *ops_text, *output, *object;
    const char *pattern, *actor, *after_cursor, *cursor_file;
    bool follow, all, show_secrets, reverse, patch, no_pager, show_cursor;

    enum log_format format;
    uint32_t ops; /* 0: all */
    size_t tail;  /* 0: everything */
    struct regex *regex;
    struct rlog *log;
    struct buf name;  /* of the log's source */
    struct buf scope; /* of KIND/NAME: "group/resource"; empty: any */
    struct slice object_name;
    struct log_path path; /* in place of both */
    struct log_print *print;
    struct event **kept; /* of --tail without -r: the last events, newest first */
    size_t n_kept;
    rlog_off next; /* behind the range that is read */
};

/* ---- Arguments ---- */

/* What does not go together, or is not allowed. */
static enum rc check_pairs(const struct show *s, struct err *e)
{
    const struct {
        bool wrong;
        const char *text;
    } rules[] = {
        {!s->data || !s->data[0], "which folder? give --data DIR"},
        {s->follow && s->format == LOG_JSON, "-f goes with -o table, jsonl or yaml"},
        {s->ns && s->object && log_is_path(s->object),
         "-n goes with KIND/NAME; a path says all by itself"},
        {s->follow && s->reverse, "-f and -r exclude each other"},
        {s->follow && (s->cursor_file || s->show_cursor),
         "a followed log has no end: --cursor-file and --show-cursor go without -f"},
        {s->since && s->after_cursor, "--since and --after-cursor exclude each other"},
        {s->cursor_file && (s->since || s->after_cursor),
         "--cursor-file says where to begin: give neither --since nor --after-cursor"},
        {s->show_cursor && s->format != LOG_TABLE,
         "--show-cursor goes with -o table; --cursor-file goes with every format"},
    };
    for (size_t i = 0; i < sizeof rules / sizeof *rules; i++)
        if (rules[i].wrong)
            return err_set(e, RC_INVALID, ERR_FINAL, "%s", rules[i].text);
    return RC_OK;
}

static enum rc check_tail(struct show *s, struct err *e)
{
    char *end;
    errno = 0;
    unsigned long n = strtoul(s->tail_text, &end, 10);
    if (errno || *end || end == s->tail_text || n == 0 || n > TAIL_MAX)
        return err_set(e, RC_INVALID, ERR_FINAL, "--tail %s: a number from 1 to %d", s->tail_text,
                       TAIL_MAX);
    s->tail = n;
    return RC_OK;
}

/* As in journalctl: a pattern without capitals does not tell them apart. */
static enum rc check_pattern(struct show *s, struct err *e)
{
    AUTO(buf_done) struct buf pattern = BUF_INIT(PRINT_MAX);
    bool capitals = false;
    for (const char *p = s->pattern; *p; p++)
        capitals = capitals || isupper((unsigned char)*p);
    buf_addf(&pattern, "%s%s", capitals ? "" : "(?i)", s->pattern);
    enum rc rc = buf_check(&pattern, "pattern", e);
    if (rc == RC_OK)
        rc = regex_new(buf_slice(&pattern), &s->regex, e);
    return rc == RC_OK ? rc : err_wrap(e, "-g %s", s->pattern);
}

static enum rc check_args(struct show *s, struct err *e)
{
    static const char *const formats[] = {"table", "json", "jsonl", "yaml"};
    size_t f = 0;
    while (s->output && f < 4 && strcmp(s->output, formats[f]) != 0)
        f++;
    if (f == 4)
        return err_set(e, RC_INVALID, ERR_FINAL, "-o %s: table, json, jsonl or yaml", s->output);
    s->format = (enum log_format)f;
    enum rc rc = check_pairs(s, e);
    if (rc == RC_OK && s->tail_text)
        rc = check_tail(s, e);
    if (rc == RC_OK && s->pattern)
        rc = check_pattern(s, e);
    if (rc == RC_OK && s->ops_text)
        rc = log_ops(s->ops_text, &s->ops, e);
    return rc;
}

static enum rc parse_args(int argc, char **argv, struct show *s, struct err *e)
{
    const struct option_spec specs[] = {
        {0, "data", NULL, &s->data, NULL},
        {0, "source", NULL, &s->source, NULL},
        {0, "since", NULL, &s->since, NULL},
        {0, "until", NULL, &s->until, NULL},
        {0, "after-cursor", NULL, &s->after_cursor, NULL},
        {0, "cursor-file", NULL, &s->cursor_file, NULL},
        {0, "show-cursor", &s->show_cursor, NULL, NULL},
        {0, "tail", NULL, &s->tail_text, NULL},
        {'r', "reverse", &s->reverse, NULL, NULL},
        {'f', "follow", &s->follow, NULL, NULL},
        {'n', "namespace", NULL, &s->ns, NULL},
        {0, "op", NULL, &s->ops_text, NULL},
        {0, "actor", NULL, &s->actor, NULL},
        {'g', "grep", NULL, &s->pattern, NULL},
        {'a', "all", &s->all, NULL, NULL},
        {'p', "patch", &s->patch, NULL, NULL},
        {'o', "output", NULL, &s->output, NULL},
        {0, "show-secrets", &s->show_secrets, NULL, NULL},
        {0, "no-pager", &s->no_pager, NULL, NULL},
    };
    struct option_rest rest = {&s->object, 1, 0};
    enum rc rc = options_parse(argc, argv, specs, sizeof specs / sizeof *specs, &rest, e);
    return rc < 0 ? rc : check_args(s, e);
}

/* ---- Filter ---- */

static bool has_place(const struct show *s, const struct event *ev)
{
    struct key key;
    struct err ignored = ERR_INIT;
    if (s->path.root.n)
        return log_path_has(&s->path, ev->key);
    if (!s->ns && !s->object)
        return true;
    if (ev->source_kind == SOURCE_ZOOKEEPER || key_parse(ev->key, &key, &ignored) < 0)
        return false;
    if (s->ns && !slice_eq(key.ns, slice_str(s->ns)))
        return false;
    return !s->object ||
           (slice_eq(key.name, s->object_name) &&
            slice_eq(slice_of(ev->key.p, key.group.n + 1 + key.resource.n), buf_slice(&s->scope)));
}

/* Looks at what would be printed, so that nobody finds out a masked value by guessing. Where the pattern takes too long
 * the event is shown. */
static bool has_pattern(const struct show *s, const struct event *ev)
{
    AUTO(buf_done) struct buf json = BUF_INIT(PRINT_MAX);
    struct err ignored = ERR_INIT;
    bool found = true;
    if (print_event_json(ev, SLICE_NULL, s->show_secrets, &json, &ignored) == RC_OK &&
        regex_search(s->regex, buf_slice(&json), &found, &ignored) < 0)
        return true;
    return found;
}

static bool passes(void *arg, const struct event *ev)
{
    const struct show *s = arg;
    if (s->ops && !(s->ops & 1u << ev->op))
        return false;
    if (s->actor && !slice_eq(ev->manager, slice_str(s->actor)) &&
        !slice_eq(ev->user, slice_str(s->actor)))
        return false;
    return has_place(s, ev) && (!s->regex || has_pattern(s, ev));
}

/* ---- Reading ---- */

/* Newest first. */
static enum rc give(void *arg, struct event *ev, struct err *e)
{
    struct show *s = arg;
    AUTO(freep) struct event *owned = ev;
    if (!s->reverse) {
        s->kept[s->n_kept++] = steal(&owned);
        return RC_OK;
    }
    enum rc rc = log_print_event(s->print, owned, e);
    return rc == RC_OK && ferror(stdout) ? RC_END : rc;
}

static enum rc read_back(struct show *s, const struct rlog_range *range, struct err *e)
{
    const struct log_back_opts opts = {passes, give, s, s->tail};
    enum rc rc = log_back(s->log, range, &opts, e);
    while (rc == RC_OK && s->n_kept > 0) {
        AUTO(freep) struct event *ev = s->kept[--s->n_kept];
        rc = log_print_event(s->print, ev, e);
    }
    return rc;
}

/* Everything that is there now; RC_AGAIN at the tail of a followed log, RC_END behind `until`. */
static enum rc read_on(struct show *s, struct event_iter *it, struct err *e)
{
    for (;;) {
        const struct event *ev;
        enum rc rc = event_iter_next(it, &ev, e);
        if (rc == RC_OK && passes(s, ev))
            rc = log_print_event(s->print, ev, e);
        if (rc != RC_OK)
            return rc;
        if (ferror(stdout))
            return RC_END;
    }
}

/* Begins behind the cursor that the user gave, or that the file holds. */
static enum rc apply_cursor(struct show *s, struct rlog_range *range, struct err *e)
{
    AUTO(buf_done) struct buf text = BUF_INIT(LOG_CURSOR_MAX);
    rlog_off last = 0;
    enum rc rc = RC_OK;
    if (s->after_cursor)
        buf_add_str(&text, s->after_cursor);
    else if (s->cursor_file)
        rc = log_cursor_load(s->cursor_file, &text, e);
    if (rc == RC_OK)
        rc = buf_check(&text, "cursor", e);
    if (rc != RC_OK || text.n == 0)
        return rc;
    rc = log_cursor_parse(buf_slice(&text), buf_slice(&s->name), s->next, &last, e);
    if (rc == RC_OK)
        range->from = last + 1 > range->from ? last + 1 : range->from;
    return rc;
}

/* What all keys begin with that are meant. */
static enum rc find_object(struct show *s, struct slice *ret_prefix, struct err *e)
{
    bool path = log_is_path(s->object);
    enum rc rc = path ? log_path(s->object, &s->path, e)
                      : log_object(s->log, s->object, &s->scope, &s->object_name, e);
    *ret_prefix = path ? s->path.root : buf_slice(&s->scope);
    return rc;
}

static enum rc find_range(struct show *s, struct rlog_range *range, struct err *e)
{
    int64_t now = clock_wall_ns(clock_sys());
    struct rlog_bounds bounds;
    enum rc rc = rlog_bounds(s->log, &bounds, e);
    if (rc < 0)
        return rc;
    range->from = bounds.first;
    range->until = bounds.next;
    s->next = bounds.next;
    range->all_keys = s->all || (s->ops & ~(1u << EVENT_PUT | 1u << EVENT_DELETE));
    if (s->since)
        rc = log_point(s->log, s->since, now, &range->from, e);
    if (rc == RC_OK && s->until)
        rc = log_point(s->log, s->until, now, &range->until, e);
    if (rc == RC_OK)
        rc = log_check_range(s->since, s->until, range, bounds.next, e);
    if (range->until < s->next)
        s->next = range->until;
    if (rc == RC_OK)
        rc = apply_cursor(s, range, e);
    if (rc == RC_OK && s->object)
        rc = find_object(s, &range->prefix, e);
    return rc;
}

static enum rc follow(struct show *s, struct event_iter *it, struct err *e)
{
    for (;;) {
        log_print_flush(s->print);
        if (ferror(stdout) || cli_reader_is_gone(FOLLOW_POLL_MS))
            return RC_OK;
        enum rc rc = read_on(s, it, e);
        if (rc != RC_AGAIN)
            return rc < 0 ? rc : RC_OK;
    }
}

/* From range on, up to its end, or to the end of a followed log. */
static enum rc read_forward(struct show *s, const struct rlog_range *range, struct err *e)
{
    AUTO(event_iter_freep) struct event_iter *it = NULL;
    enum rc rc = rlog_cursor(s->log, range, &it, e);
    if (rc != RC_OK)
        return rc;
    rc = read_on(s, it, e);
    if (rc == RC_AGAIN && s->follow)
        return follow(s, it, e);
    return rc < 0 ? rc : RC_OK;
}

/* Whether the log ends where its intact part ends: a damaged tail is an error, even where all before it was shown. */
static enum rc check_end(struct show *s, struct err *e)
{
    const struct rlog_range range = {.from = s->next, .all_keys = true};
    AUTO(event_iter_freep) struct event_iter *it = NULL;
    const struct event *ev;
    enum rc rc = rlog_cursor(s->log, &range, &it, e);
    if (rc == RC_OK)
        rc = event_iter_next(it, &ev, e);
    return rc < 0 ? rc : RC_OK;
}

static enum rc show(struct show *s, struct err *e)
{
    struct rlog_range range = {.mode = RLOG_EVERY};
    enum rc rc = find_range(s, &range, e);
    if (rc != RC_OK)
        return rc;
    bool back = s->reverse || s->tail;
    if (back && range.from < s->next) {
        struct rlog_range now = range;
        now.until = s->next;
        rc = read_back(s, &now, e);
        range.from = s->next;
    }
    if (s->follow && !s->until)
        range.until = 0;
    bool more = range.until == 0 || range.from < range.until;
    if (rc == RC_OK && more && (!back || s->follow))
        rc = read_forward(s, &range, e);
    return rc == RC_OK && !s->until && !ferror(stdout) ? check_end(s, e) : rc;
}

static void show_done(struct show *s)
{
    while (s->n_kept > 0)
        free(s->kept[--s->n_kept]);
    free(s->kept);
    buf_done(&s->scope);
    buf_done(&s->name);
    regex_free(s->regex);
    log_print_free(s->print);
    rlog_close(s->log);
}

static enum rc prepare(struct show *s, const struct env *env, bool colours, struct err *e)
{
    buf_init(&s->scope, 2 * KEY_MAX);
    buf_init(&s->name, DATA_PATH_MAX);
    s->kept = calloc(s->tail + 1, sizeof(struct event *));
    if (!s->kept)
        return err_nomem(e);
    enum rc rc = data_open_log(s->data, s->source, env, &s->name, &s->log, e);
    const struct log_print_opts opts = {s->format, s->show_secrets, s->patch, colours, s->log};
    return rc < 0 ? rc : log_print_new(&opts, &s->print, e);
}

/* Where the next call may go on; empty where nobody asked. */
static enum rc make_cursor(const struct show *s, struct buf *out, struct err *e)
{
    if (!s->show_cursor && !s->cursor_file)
        return RC_OK;
    log_cursor_print(buf_slice(&s->name), s->next - 1, out);
    return buf_check(out, "cursor", e);
}

/* Shows the range and tells where it ended. The file moves on only when all that it skips then was written. */
static enum rc show_all(struct show *s, int *ret_code, struct err *e)
{
    AUTO(buf_done) struct buf cursor = BUF_INIT(LOG_CURSOR_MAX);
    enum rc rc = show(s, e);
    log_print_end(s->print, rc == RC_OK);
    if (rc == RC_OK)
        rc = make_cursor(s, &cursor, e);
    if (rc == RC_OK && s->show_cursor)
        printf("-- cursor: %.*s\n", SLICE_ARG(buf_slice(&cursor)));
    *ret_code = cli_finish_output(EXIT_DONE);
    bool written = *ret_code == EXIT_DONE && !ferror(stdout);
    return rc == RC_OK && written && s->cursor_file
               ? log_cursor_save(s->cursor_file, buf_slice(&cursor), e)
               : rc;
}

int cmd_log_show(int argc, char **argv)
{
    AUTO(show_done) struct show s = {.data = NULL};
    struct err e = ERR_INIT;
    int code;
    if (parse_args(argc, argv, &s, &e) < 0)
        return cli_usage("log show", &e);
    struct env env = {clock_sys(), rng_sys(), NULL, NULL};
    enum rc rc = prepare(&s, &env, pager_may_colour() && s.format == LOG_TABLE, &e);
    if (rc < 0)
        return cli_fail(&e);
    int pager = s.follow || s.no_pager ? 0 : pager_start();
    rc = show_all(&s, &code, &e);
    pager_end(pager);
    return rc < 0 ? cli_fail(&e) : code;
}
