/* Where the events of a key are in one segment: in memory for the segment that grows, in a file x-*.mdb for a sealed
 * one (docs/FORMAT.md section 4). The file is derived from the segment: damage to it is noticed by the lookup that
 * meets it, and the caller builds the index again. */
#ifndef RESILOG_LOG_SEGMENT_INDEX_H
#define RESILOG_LOG_SEGMENT_INDEX_H

#include "log/offset_list.h"
#include "log/segment.h"

struct rlog_range;
struct segment_index;

#define SEGMENT_INDEX_ID 16 /* first bytes of SHA-256 of a key: stands for the key */

/* A set of keys by their ids. */
struct key_set;
struct key_set *key_set_new(void); /* NULL when out of memory */
void key_set_free(struct key_set *s);
DEFINE_FREEP(struct key_set, key_set_free)
/* Adds an id; *ret_new tells if it was not there. Errors: NOMEM. */
MUST_CHECK enum rc key_set_add(struct key_set *s, const uint8_t id[SEGMENT_INDEX_ID], bool *ret_new,
                               struct err *e);
void key_set_id(struct slice key, uint8_t out[SEGMENT_INDEX_ID]);

/* An empty index in memory, of a segment that begins at first. NULL when out of memory. */
struct segment_index *segment_index_new(rlog_off first);
void segment_index_free(struct segment_index *x);
DEFINE_FREEP(struct segment_index, segment_index_free)
/* Adds the next event. Only for an index in memory. Errors: NOMEM. */
MUST_CHECK enum rc segment_index_add(struct segment_index *x, struct slice key, enum event_op op,
                                     struct err *e);
/* The offset behind the last event that it knows. */
rlog_off segment_index_next(const struct segment_index *x);

/* Writes the index file of a sealed segment, checking the whole segment on the way; it is there wholly or not at all.
 * Errors: CORRUPT (the segment), LIMIT (RETRY), IO. */
MUST_CHECK enum rc segment_index_write(const char *dir, rlog_off first, struct err *e);
/* Opens the file. Errors: NOTFOUND, CORRUPT (also: of another segment than the one that ends with tail), UNSUPPORTED,
 * IO, NOMEM. */
MUST_CHECK enum rc segment_index_open(const char *dir, rlog_off first,
                                      const struct segment_tail *tail, struct segment_index **ret,
                                      struct err *e);

/* True of one that segment_index_open gave. */
bool segment_index_in_file(const struct segment_index *x);

/* Adds the offsets of a key's events in [from, until), in order. Errors: CORRUPT (of the file), IO, NOMEM. */
MUST_CHECK enum rc segment_index_find(const struct segment_index *x, struct slice key,
                                      rlog_off from, rlog_off until, struct offset_list *out,
                                      struct err *e);
/* Called once for each key of the range that has an event in [from, until), with its last one; in no certain order.
 * An index in memory keeps the beginning of a long key alone, so it may also give one that the range does not have.
 * Errors: as above, fn's. */
typedef enum rc segment_index_fn(void *arg, const uint8_t id[SEGMENT_INDEX_ID], rlog_off last,
                                 enum event_op op, struct err *e);
MUST_CHECK enum rc segment_index_each(const struct segment_index *x, const struct rlog_range *range,
                                      segment_index_fn *fn, void *arg, struct err *e);

#endif
