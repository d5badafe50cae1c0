/* One hold, for a person and for a program. */
#ifndef RESILOG_CLI_PRINT_HOLD_H
#define RESILOG_CLI_PRINT_HOLD_H

#include "core/slice.h"

#include <stdint.h>

struct buf;
struct event;
struct hold;

/* A hold and whose it is. */
struct held {
    struct slice consumer, key; /* the synchronization's full name; the object */
    const struct hold *hold;
    const struct event *event; /* that could not be applied; NULL: not known */
};

/* "held", "waiting", "skipped". */
const char *print_hold_state(const struct hold *h);
/* Appends as kubectl shows ages: the largest unit that fits, and the next one ("4d2h", "0s" for what lies ahead). */
void print_age(int64_t ns, struct buf *out);
/* Appends {"synchronization", "key", "waiting", "skipped", "class", "reason", "dependency", "offset", "attempts", "since",
 * "nextTry"}: times are RFC 3339, nextTry is null where it is not known or no time is set. */
void print_hold_json(const struct held *h, struct buf *out);
/* The same with "event" behind it: {"offset", "op", "cause", "time", "apiVersion", "kind", "resourceVersion", "uid",
 * "manager", "user"}, null where it is not known. */
void print_hold_event_json(const struct held *h, struct buf *out);
/* Appends all of it as lines for a person; now_ns is the wall clock. */
void print_hold_text(const struct held *h, int64_t now_ns, struct buf *out);

#endif
