/* What a producer looked up in the log a moment ago, so that a listing that says the same need not look again: hashes of
 * some thousand keys, with one of what the log had. What it does not know is looked up. One thread. */
#ifndef RESILOG_FLOW_INGEST_RECENT_H
#define RESILOG_FLOW_INGEST_RECENT_H

#include "core/scope.h"
#include "core/slice.h"

#include <stdint.h>

struct event;
struct recent;

struct recent *recent_new(void); /* NULL when out of memory */
void recent_free(struct recent *r);
DEFINE_FREEP(struct recent, recent_free)

/* The key's last event in the log is this put. */
void recent_note(struct recent *r, const struct event *put);
/* An event of the key is on its way to the log. */
void recent_forget(struct recent *r, struct slice key);
/* True if the key's last event in the log surely is a put of this incarnation, with the version, uid and apiVersion of
 * this one. */
bool recent_is(const struct recent *r, const struct event *put, uint64_t incarnation);

#endif
