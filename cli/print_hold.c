/* A hold as text. Pure; a full buffer is the caller's to tell (buf_check). */
#include "cli/print_hold.h"

#include "core/buf.h"
#include "core/clock.h"
#include "core/event.h"
#include "core/json.h"
#include "flow/pump_rows.h"

#include <string.h>

const char *print_hold_state(const struct hold *h)
{
    return h->skipped ? "skipped" : h->waiting ? "waiting" : "held";
}

void print_age(int64_t ns, struct buf *out)
{
    static const struct {
        int64_t seconds;
        char name;
    } units[] = {{86400, 'd'}, {3600, 'h'}, {60, 'm'}, {1, 's'}};
    int64_t left = ns > 0 ? ns / NS_PER_S : 0;
    size_t i = 0;
    while (i < 3 && left < units[i].seconds)
        i++;
    buf_addf(out, "%lld%c", (long long)(left / units[i].seconds), units[i].name);
    left %= units[i].seconds;
    if (i < 3 && left >= units[i + 1].seconds)
        buf_addf(out, "%lld%c", (long long)(left / units[i + 1].seconds), units[i + 1].name);
}

/* True if a time is set for the next try. */
static bool has_next(const struct hold *h)
{
    return h->next_ns != 0 && h->next_ns != INT64_MAX;
}

/* ---- JSON ---- */

static void add_text(struct buf *out, const char *name, struct slice text)
{
    buf_addf(out, ",\"%s\":", name);
    json_print_text(text, out);
}

static void add_time(struct buf *out, const char *name, int64_t ns)
{
    char text[TIME_TEXT_MAX];
    add_text(out, name, slice_str(time_text(ns, text)));
}

static void add_members(const struct held *held, struct buf *out)
{
    const struct hold *h = held->hold;
    buf_add_str(out, "{\"synchronization\":");
    json_print_text(held->consumer, out);
    add_text(out, "key", held->key);
    buf_addf(out, ",\"waiting\":%s,\"skipped\":%s", h->waiting ? "true" : "false",
             h->skipped ? "true" : "false");
    add_text(out, "class", slice_str(h->cls));
    add_text(out, "reason", slice_str(h->reason));
    add_text(out, "dependency", slice_str(h->dependency));
    buf_addf(out, ",\"offset\":%llu,\"attempts\":%u", (unsigned long long)h->offset, h->attempts);
    add_time(out, "since", h->since_ns);
    if (has_next(h))
        add_time(out, "nextTry", h->next_ns);
    else
        buf_add_str(out, ",\"nextTry\":null");
}

void print_hold_json(const struct held *h, struct buf *out)
{
    add_members(h, out);
    buf_add_char(out, '}');
}

void print_hold_event_json(const struct held *h, struct buf *out)
{
    const struct event *ev = h->event;
    add_members(h, out);
    if (!ev) {
        buf_add_str(out, ",\"event\":null}");
        return;
    }
    buf_addf(out, ",\"event\":{\"offset\":%llu", (unsigned long long)ev->offset);
    add_text(out, "op", slice_str(event_op_name(ev->op)));
    add_text(out, "cause", slice_str(event_cause_name(ev->cause)));
    add_time(out, "time", ev->time_ns);
    add_text(out, "apiVersion", ev->api_version);
    add_text(out, "kind", ev->kind);
    add_text(out, "resourceVersion", ev->version);
    add_text(out, "uid", ev->uid);
    add_text(out, "manager", ev->manager);
    add_text(out, "user", ev->user);
    buf_add_str(out, "}}");
}

/* ---- Lines ---- */

/* Servers and users wrote it: control characters are shown as diagnostics show them, not obeyed by the terminal. */
static void add_visible(struct buf *out, struct slice text)
{
    for (size_t i = 0; i < text.n; i++) {
        unsigned char c = (unsigned char)text.p[i];
        if (c == 0xc2 && i + 1 < text.n && (unsigned char)text.p[i + 1] < 0xa0)
            c = (unsigned char)text.p[++i]; /* U+0080 to U+009F */
        else if (c >= 0x20 && c != 0x7f) {
            buf_add_char(out, text.p[i]);
            continue;
        }
        buf_addf(out, "\\u%04x", c);
    }
}

static void add_line(struct buf *out, const char *name, struct slice text)
{
    if (text.n == 0)
        return;
    buf_addf(out, "%-17s", name);
    add_visible(out, text);
    buf_add_char(out, '\n');
}

static void add_since(const struct hold *h, int64_t now_ns, struct buf *out)
{
    char text[TIME_TEXT_MAX];
    buf_addf(out, "%-17s%s (", "since:", time_text(h->since_ns, text));
    print_age(now_ns - h->since_ns, out);
    buf_add_str(out, " ago)\n");
}

static void add_next(const struct hold *h, int64_t now_ns, struct buf *out)
{
    char text[TIME_TEXT_MAX];
    buf_addf(out, "%-17s", "next try:");
    if (h->skipped) {
        buf_add_str(out, "none: given up until a newer event of the object, or 'resilog holds "
                         "retry'\n");
        return;
    }
    if (hold_is_prune(h)) {
        buf_add_str(out, "when the deletions are approved: 'resilog run --allow-prune'\n");
        return;
    }
    if (has_next(h)) {
        buf_addf(out, "%s (", time_text(h->next_ns, text));
        buf_add_str(out, h->next_ns > now_ns ? "in " : "due");
        if (h->next_ns > now_ns)
            print_age(h->next_ns - now_ns, out);
        buf_add_str(out, "), ");
    }
    buf_add_str(out, "at once with a newer event of the object and when 'run' starts\n");
}

static void add_event(const struct event *ev, struct buf *out)
{
    char text[TIME_TEXT_MAX];
    buf_addf(out, "%-17s%s of %s, offset %llu", "event:", event_op_name(ev->op),
             time_text(ev->time_ns, text), (unsigned long long)ev->offset);
    if (ev->version.n)
        buf_addf(out, ", resourceVersion %.*s", SLICE_ARG(ev->version));
    buf_add_char(out, '\n');
    add_line(out, "manager:", ev->manager);
    add_line(out, "user:", ev->user);
}

void print_hold_text(const struct held *held, int64_t now_ns, struct buf *out)
{
    const struct hold *h = held->hold;
    add_line(out, "synchronization:", held->consumer);
    add_line(out, "object:", held->key);
    add_line(out, "state:", slice_str(print_hold_state(h)));
    add_line(out, "class:", slice_str(h->cls));
    add_line(out, "reason:", slice_str(h->reason));
    add_line(out, "waits for:", slice_str(h->dependency));
    add_since(h, now_ns, out);
    buf_addf(out, "%-17s%u\n", "tries:", h->attempts);
    add_next(h, now_ns, out);
    if (held->event)
        add_event(held->event, out);
    else if (h->offset)
        buf_addf(out, "%-17soffset %llu, not in the log any more\n",
                 "event:", (unsigned long long)h->offset);
}
