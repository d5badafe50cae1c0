/* Status as JSON. Pure. */
#include "controller/status.h"

#include "controller/resource.h"
#include "controller/run_log.h"
#include "core/buf.h"
#include "core/clock.h"
#include "core/json.h"

#define ERROR_TEXT_MAX 2048 /* an error and the name of a cluster */

const char *sync_phase_name(enum sync_phase phase)
{
    static const char *const names[] = {
        [PHASE_PENDING] = "Pending",     [PHASE_SYNCING] = "Syncing",
        [PHASE_LIVE] = "Live",           [PHASE_WAITING] = "Waiting",
        [PHASE_SUSPENDED] = "Suspended", [PHASE_FAILED] = "Failed",
        [PHASE_STOPPED] = "Stopped",     [PHASE_SCHEDULED] = "Scheduled",
        [PHASE_SUCCEEDED] = "Succeeded",
    };
    return names[phase];
}

enum sync_phase sync_phase_of(const struct source_report *source, const struct pump_status *pump,
                              bool sink_connected)
{
    if (!source->connected || !sink_connected)
        return PHASE_WAITING;
    return pump->catching_up || pump->unlisted ? PHASE_SYNCING : PHASE_LIVE;
}

static void add_text(struct buf *out, const char *name, const char *text)
{
    buf_addf(out, ",\"%s\":", name);
    json_print_text(slice_str(text), out);
}

/* How old the oldest unapplied event is; null where that cannot be known. */
static void add_lag_seconds(const struct sync_status *s, struct buf *out)
{
    bool unread = s->pump.head == 0 || (s->pump.lag_records && !s->pump.oldest_ns);
    if (!s->source.connected || s->phase == PHASE_STOPPED || unread) {
        buf_add_str(out, ",\"lagSeconds\":null");
        return;
    }
    int64_t age = s->pump.oldest_ns ? s->now_ns - s->pump.oldest_ns : 0;
    buf_addf(out, ",\"lagSeconds\":%.3f", age > 0 ? (double)age / (double)NS_PER_S : 0.0);
}

static void add_offsets(const struct pump_status *p, struct buf *out)
{
    buf_addf(out, ",\"offset\":%llu", (unsigned long long)p->offset);
    if (p->head)
        buf_addf(out, ",\"head\":%llu,\"lagRecords\":%llu", (unsigned long long)p->head,
                 (unsigned long long)p->lag_records);
    else
        buf_add_str(out, ",\"head\":null,\"lagRecords\":null");
}

static void add_error_of(const char *end, const struct cluster *cluster, const char *error,
                         struct buf *out)
{
    if (error[0])
        buf_addf(out, "%s %s: %s", end, cluster->full_name, error);
}

/* What explains the phase before what concerns single objects. */
static void worst_error(const struct sync *sync, const struct sync_status *s, struct buf *out)
{
    bool source_away = !s->source.connected && s->source.error[0];
    if (s->error[0])
        buf_add_str(out, s->error);
    else if (source_away || !s->pump.error[0])
        add_error_of("source", sync->source, s->source.error, out);
    else if (s->sink.error[0])
        add_error_of("destination", sync->destination, s->sink.error, out);
    else
        buf_add_str(out, s->pump.error);
}

static void add_worst_error(const struct sync *sync, const struct sync_status *s, struct buf *out)
{
    AUTO(buf_done) struct buf text = BUF_INIT(ERROR_TEXT_MAX);
    worst_error(sync, s, &text);
    buf_add_str(out, ",\"lastError\":");
    json_print_text(buf_slice(&text), out);
}

void sync_status_print(const struct sync *sync, const struct sync_status *s, struct buf *out)
{
    char now[TIME_TEXT_MAX], compared[TIME_TEXT_MAX];
    buf_add_str(out, "{\"name\":");
    json_print_text(slice_str(sync->name), out);
    add_text(out, "namespace", sync->ns);
    add_text(out, "phase", sync_phase_name(s->phase));
    add_text(out, "source", sync->source->full_name);
    add_text(out, "destination", sync->destination->full_name);
    add_offsets(&s->pump, out);
    add_lag_seconds(s, out);
    buf_addf(out, ",\"held\":%zu,\"waiting\":%zu,\"pruneHeld\":%zu,\"skipped\":%zu", s->pump.held,
             s->pump.waiting, s->pump.prune_held, s->pump.skipped);
    buf_addf(out, ",\"deselected\":%llu", (unsigned long long)s->pump.deselected);
    if (s->pump.compared_ns)
        add_text(out, "lastResync", time_text(s->pump.compared_ns, compared));
    else
        buf_add_str(out, ",\"lastResync\":null");
    buf_addf(out, ",\"repaired\":%llu", (unsigned long long)s->pump.repaired);
    add_worst_error(sync, s, out);
    add_text(out, "updated", time_text(s->now_ns, now));
    if (s->runs) {
        buf_add_char(out, ',');
        sync_runs_print(s->runs, out);
    }
    buf_add_char(out, '}');
}
