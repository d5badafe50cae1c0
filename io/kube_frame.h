/* Pure framing of the API's streams: bytes in, objects out, nothing kept whole but one object.
 *
 * A watch is a run of JSON values {"type":..., "object":{...}}; a list is one JSON object whose
 * "items" are given one by one while it is still arriving. Bounded by KUBE_FRAME_MAX an object. */
#ifndef RESILOG_IO_KUBE_FRAME_H
#define RESILOG_IO_KUBE_FRAME_H

#include "core/err.h"
#include "core/scope.h"
#include "core/slice.h"

#define KUBE_FRAME_MAX (8u << 20)

enum kube_watch_type { KUBE_ADDED, KUBE_MODIFIED, KUBE_DELETED, KUBE_BOOKMARK, KUBE_ERROR };

struct kube_watch_frames;
struct kube_watch_frames *kube_watch_frames_new(void); /* NULL when out of memory */
void kube_watch_frames_free(struct kube_watch_frames *f);
DEFINE_FREEP(struct kube_watch_frames, kube_watch_frames_free)
/* Adds bytes as they arrive; call kube_watch_next until RC_AGAIN before adding more. Errors: LIMIT,
 * NOMEM. */
MUST_CHECK enum rc kube_watch_feed(struct kube_watch_frames *f, struct slice bytes, struct err *e);
/* The next whole frame: RC_OK (object's exact bytes, alive until the next call on f), RC_AGAIN.
 * Errors, which stay: CORRUPT (RESYNC: not JSON, no type or object, unknown type), LIMIT (RESYNC:
 * an object above KUBE_FRAME_MAX). */
MUST_CHECK enum rc kube_watch_next(struct kube_watch_frames *f, enum kube_watch_type *ret_type,
                                   struct slice *ret_object, struct err *e);

struct kube_list_frames;
struct kube_list_frames *kube_list_frames_new(void); /* NULL when out of memory */
void kube_list_frames_free(struct kube_list_frames *f);
DEFINE_FREEP(struct kube_list_frames, kube_list_frames_free)
/* As kube_watch_feed. */
MUST_CHECK enum rc kube_list_feed(struct kube_list_frames *f, struct slice bytes, struct err *e);
/* The next item: RC_OK, RC_AGAIN, RC_END after the list's closing brace. Errors, which stay:
 * CORRUPT (RESYNC; an object without items is not an empty list), LIMIT. */
MUST_CHECK enum rc kube_list_next(struct kube_list_frames *f, struct slice *ret_item,
                                  struct err *e);
/* After RC_END: metadata.resourceVersion, and metadata.continue (empty: last page). */
struct slice kube_list_version(const struct kube_list_frames *f);
struct slice kube_list_continue(const struct kube_list_frames *f);

#endif
