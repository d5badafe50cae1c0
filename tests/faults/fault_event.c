/* The events of the scenario: key and body follow from the offset. */
#include "tests/faults/fault_place.h"

#include "core/event_iter.h"
#include "log/rlog.h"

#include <inttypes.h>
#include <stdio.h>

const char *const fault_calls[] = {
    "pwrite", "writev",   "fdatasync", "fsync",   "ftruncate", "open",  "rename", "fallocate",
    "unlink", "unlinkat", "write",     "pwritev", "mkdir",     "pread", "fstat",  NULL};

struct event fault_event(rlog_off at, char *text)
{
    int n = snprintf(text, 64, "/configmaps/ns/%u", (unsigned)(at % 5));
    int m = snprintf(text + 32, 32, "{\"number\":%" PRIu64 "}", at);
    return (struct event){.incarnation = 1,
                          .op = EVENT_PUT,
                          .cause = CAUSE_WATCH,
                          .source_kind = SOURCE_KUBERNETES,
                          .key = slice_of(text, (size_t)n),
                          .body = slice_of(text + 32, (size_t)m)};
}

struct slice fault_commit_key(rlog_off at, char *text)
{
    int n = snprintf(text, 32, "commit/%" PRIu64, at);
    return slice_of(text, (size_t)n);
}

const char *fault_read(struct rlog *l, rlog_off from, rlog_off until, struct err *e)
{
    const struct rlog_range range = {.from = from, .until = until, .all_keys = true};
    AUTO(event_iter_freep) struct event_iter *it = NULL;
    if (rlog_cursor(l, &range, &it, e) != RC_OK)
        return "cursor failed";
    const struct event *ev = NULL;
    enum rc rc = RC_OK;
    rlog_off at = from;
    for (; (rc = event_iter_next(it, &ev, e)) == RC_OK; at++) {
        char text[64];
        struct event expected = fault_event(at, text);
        if (ev->offset != at || !slice_eq(ev->key, expected.key) ||
            !slice_eq(ev->body, expected.body))
            return "an event is another one";
    }
    return rc == RC_END && at == until ? NULL : "reading stopped";
}
