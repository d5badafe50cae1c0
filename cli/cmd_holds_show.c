/* resilog holds show: everything that is known of one object that is held or waits. */
#include "cli/cli.h"
#include "cli/hold_find.h"
#include "cli/names.h"
#include "cli/print_hold.h"
#include "cli/wire.h"
#include "core/buf.h"
#include "core/clock.h"
#include "core/json.h"
#include "core/key.h"
#include "flow/pump_rows.h"
#include "io/clock_sys.h"
#include "io/rng_sys.h"
#include "log/ckpt.h"
#include "log/rlog.h"

#include <stdio.h>
#include <string.h>

#define PRINT_MAX (256u << 10)

struct show {
    const char *data, *output, *ns;
    const char *words[2]; /* the synchronization and the object */
    bool json;
    struct env env;
    struct ckpt *ckpt;
    struct rlog *log;
    struct buf consumer, key;
    struct hold hold;
};

static enum rc parse_args(int argc, char **argv, struct show *s, struct err *e)
{
    const struct option_spec specs[] = {
        {0, "data", NULL, &s->data, NULL},
        {'n', "namespace", NULL, &s->ns, NULL},
        {'o', "output", NULL, &s->output, NULL},
    };
    struct option_rest rest = {s->words, 2, 0};
    enum rc rc = options_parse(argc, argv, specs, sizeof specs / sizeof *specs, &rest, e);
    if (rc < 0)
        return rc;
    s->json = s->output && strcmp(s->output, "json") == 0;
    if (!s->data || !s->data[0])
        return err_set(e, RC_INVALID, ERR_FINAL, "which folder? give --data DIR");
    if (s->output && !s->json && strcmp(s->output, "text") != 0)
        return err_set(e, RC_INVALID, ERR_FINAL, "-o %s: text or json", s->output);
    if (rest.n < 2)
        return err_set(e, RC_INVALID, ERR_FINAL, "which object? give SYNCHRONIZATION KIND/NAME");
    return RC_OK;
}

/* The event, if the log still has it; of what the prune guard holds, where the hold has the offset of a sync-end, the
 * delete before it. */
static const struct event *find_event(struct show *s, struct rlog_found *found)
{
    struct err ignored = ERR_INIT;
    if (!s->log || s->hold.offset == 0 ||
        rlog_last(s->log, buf_slice(&s->key), s->hold.offset + 1, found, &ignored) != RC_OK)
        return NULL;
    return &found->event;
}

static enum rc print(struct show *s, struct err *e)
{
    AUTO(rlog_found_done) struct rlog_found found = {0};
    AUTO(buf_done) struct buf out = BUF_INIT(PRINT_MAX);
    const struct held held = {buf_slice(&s->consumer), buf_slice(&s->key), &s->hold,
                              find_event(s, &found)};
    if (s->json)
        print_hold_event_json(&held, &out);
    else
        print_hold_text(&held, clock_wall_ns(s->env.clock), &out);
    enum rc rc = buf_check(&out, "hold", e);
    if (rc == RC_OK)
        printf("%s%s", out.p, s->json ? "\n" : "");
    return rc;
}

/* Of a key all but its event is known without the log. */
static enum rc open_log(struct show *s, struct err *e)
{
    struct err why = ERR_INIT;
    enum rc rc =
        data_log_of_sync(s->data, s->ckpt, buf_slice(&s->consumer), &s->env, &s->log, &why);
    if (rc >= 0)
        return rc;
    if (hold_find_is_key(s->words[1])) {
        fprintf(stderr, "resilog: the event is not shown: %s\n", why.msg);
        return RC_OK;
    }
    *e = why;
    return rc;
}

static enum rc show(struct show *s, struct err *e)
{
    enum rc rc = data_open_ckpt(s->data, &s->env, &s->ckpt, e);
    if (rc == RC_OK)
        rc = names_one(s->ckpt, s->words[0], &s->consumer, e);
    if (rc == RC_OK)
        rc = open_log(s, e);
    const struct hold_query query = {s->ckpt, buf_slice(&s->consumer), s->log, s->words[1], s->ns};
    if (rc == RC_OK)
        rc = hold_find(&query, &s->key, &s->hold, e);
    return rc == RC_OK ? print(s, e) : rc;
}

static void show_done(struct show *s)
{
    rlog_close(s->log);
    ckpt_close(s->ckpt);
    buf_done(&s->consumer);
    buf_done(&s->key);
}

int cmd_holds_show(int argc, char **argv)
{
    AUTO(show_done) struct show s = {.consumer = BUF_INIT(CKPT_NAME_MAX), .key = BUF_INIT(KEY_MAX)};
    struct err e = ERR_INIT;
    s.env = (struct env){clock_sys(), rng_sys(), NULL, NULL};
    if (parse_args(argc, argv, &s, &e) < 0)
        return cli_usage("holds show", &e);
    return show(&s, &e) < 0 ? cli_fail(&e) : cli_finish_output(EXIT_DONE);
}
