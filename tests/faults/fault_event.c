/* The events of the scenario: key and body follow from the offset. */
#include "tests/faults/fault_place.h"

#include <inttypes.h>
#include <stdio.h>

const char *const fault_calls[] = {"pwrite", "writev",  "fdatasync", "fsync",  "ftruncate",
                                   "open",   "rename",  "fallocate", "unlink", "unlinkat",
                                   "write",  "pwritev", NULL};

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
