/* A short list that forgets its oldest. */
#include "controller/run_log.h"

#include "core/buf.h"
#include "core/clock.h"
#include "core/json.h"

#include <stdio.h>
#include <string.h>

static const char *const names[] = {
    [RUN_SUCCEEDED] = "Succeeded",
    [RUN_FAILED] = "Failed",
    [RUN_MISSED] = "Missed",
    [RUN_REPLACED] = "Replaced",
};

const char *run_result_name(enum run_result r)
{
    return names[r];
}

static bool parse_result(struct slice text, enum run_result *ret)
{
    for (size_t i = 0; i < sizeof names / sizeof *names; i++)
        if (slice_eq(text, slice_str(names[i]))) {
            *ret = (enum run_result)i;
            return true;
        }
    return false;
}

static void forget(struct run_log *log, size_t i)
{
    memmove(&log->runs[i], &log->runs[i + 1], (log->n - i - 1) * sizeof *log->runs);
    log->n--;
}

/* Leaves the latest `keep` of one sort. */
static void shorten(struct run_log *log, bool succeeded, size_t keep)
{
    size_t seen = 0;
    for (size_t i = log->n; i-- > 0;)
        if ((log->runs[i].result == RUN_SUCCEEDED) == succeeded && ++seen > keep)
            forget(log, i);
}

static size_t at_most(size_t keep)
{
    return keep < RUN_LOG_MAX ? keep : RUN_LOG_MAX;
}

/* It was told while another run went on, and a crash made that time be decided about anew. */
static bool is_told(const struct run_log *log, const struct run *run)
{
    for (size_t i = 0; i < log->n && run->result == RUN_MISSED; i++)
        if (log->runs[i].result == RUN_MISSED && log->runs[i].due_s == run->due_s)
            return true;
    return false;
}

void run_log_add(struct run_log *log, const struct run *run, size_t keep_succeeded,
                 size_t keep_others)
{
    bool succeeded = run->result == RUN_SUCCEEDED;
    size_t keep = at_most(succeeded ? keep_succeeded : keep_others);
    if (is_told(log, run))
        return;
    shorten(log, succeeded, keep ? keep - 1 : 0);
    if (keep > 0)
        log->runs[log->n++] = *run;
    shorten(log, !succeeded, at_most(succeeded ? keep_others : keep_succeeded));
}

static int64_t get_time(struct json_doc *doc, const struct json *node, const char *name)
{
    int64_t ns;
    struct err ignored = ERR_INIT;
    return time_parse(json_get_text(doc, node, name), &ns, &ignored) == RC_OK ? ns : 0;
}

static void read_list(struct run_log *log, struct json_doc *doc, const struct json *list)
{
    for (const struct json *node = list ? list->first : NULL; node; node = node->next) {
        struct run run = {.due_s = get_time(doc, node, "scheduled") / NS_PER_S,
                          .started_ns = get_time(doc, node, "started"),
                          .ended_ns = get_time(doc, node, "ended")};
        snprintf(run.message, sizeof run.message, "%.*s",
                 SLICE_ARG(json_get_text(doc, node, "message")));
        if (parse_result(json_get_text(doc, node, "result"), &run.result))
            run_log_add(log, &run, RUN_LOG_MAX, RUN_LOG_MAX);
    }
}

void sync_runs_read(struct sync_runs *runs, struct json_doc *doc, const struct json *status)
{
    read_list(&runs->log, doc, json_get(status, "runs"));
    runs->decided_s = get_time(doc, status, "scheduleDecidedTo") / NS_PER_S;
    snprintf(runs->spec, sizeof runs->spec, "%.*s", SLICE_ARG(json_get_text(doc, status, "spec")));
}

static void print_time(const char *name, int64_t ns, struct buf *out)
{
    char text[TIME_TEXT_MAX];
    if (ns)
        buf_addf(out, ",\"%s\":\"%s\"", name, time_text(ns, text));
    else
        buf_addf(out, ",\"%s\":null", name);
}

static void print_list(const struct run_log *log, struct buf *out)
{
    buf_add_str(out, "\"runs\":[");
    for (size_t i = 0; i < log->n; i++) {
        const struct run *run = &log->runs[i];
        buf_addf(out, "%s{\"result\":\"%s\"", i ? "," : "", names[run->result]);
        print_time("scheduled", run->due_s * NS_PER_S, out);
        print_time("started", run->started_ns, out);
        print_time("ended", run->ended_ns, out);
        buf_add_str(out, ",\"message\":");
        json_print_text(slice_str(run->message), out);
        buf_add_char(out, '}');
    }
    buf_add_char(out, ']');
}

void sync_runs_print(const struct sync_runs *runs, struct buf *out)
{
    print_list(&runs->log, out);
    print_time("scheduleDecidedTo", runs->decided_s * NS_PER_S, out);
    print_time("nextScheduleTime", runs->next_s * NS_PER_S, out);
    buf_addf(out, ",\"spec\":\"%s\"", runs->spec);
}
