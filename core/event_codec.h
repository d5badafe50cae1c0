/* An event as bytes, explicit little-endian, as docs/FORMAT.md section 1 says. The same bytes on every back
 * end and host: the event chain is computed over them. */
#ifndef RESILOG_CORE_EVENT_CODEC_H
#define RESILOG_CORE_EVENT_CODEC_H

#include "core/event.h"

struct buf;

#define EVENT_CODEC_VERSION 1

/* How many bytes event_encode writes for this event. Batch limits count these. */
size_t event_encoded_size(const struct event *ev);
/* Appends the canonical bytes of one event, CRC32C last. Errors: INVALID, LIMIT (event_check, or out is
 * full), NOMEM; out holds what it held before. */
MUST_CHECK enum rc event_encode(const struct event *ev, struct buf *out, struct err *e);
/* Reads one event from the front of *in and moves *in behind it; the view's slices point into in's bytes.
 * Errors: CORRUPT (short, wrong CRC, unknown number, limit broken), UNSUPPORTED (newer format version). */
MUST_CHECK enum rc event_decode(struct slice *in, struct event *ret, struct err *e);

/* A heap copy of an event with its slices in one block; free() it. NULL when out of memory. */
struct event *event_copy(const struct event *ev);

#endif
