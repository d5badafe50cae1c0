/* Looks at a segment before it is trusted. Everything is proved by reading (log/pages.h), which damage cannot crash:
 * trees and free list, each row, each frame, each event, dense offsets, both chains. Then a child process lets LMDB
 * itself walk the file once, so that whatever was not foreseen kills the child and not us. */
#ifndef RESILOG_LOG_SEGMENT_CHECK_H
#define RESILOG_LOG_SEGMENT_CHECK_H

#include "log/segment.h"

struct segment_report {
    struct segment_header header;
    struct segment_tail
        tail; /* as far as it is sound: tail.next is the first bad offset of a damaged segment */
    uint64_t frames, events;
};

/* Reads a whole segment, which begins at first and which nobody writes meanwhile; fn (may be NULL) gets each event.
 * *ret is also filled where the result is CORRUPT, as far as it got. Errors: CORRUPT names file and first bad offset;
 * UNSUPPORTED, IO, NOMEM, fn's. */
MUST_CHECK enum rc segment_check_read(const struct pages *f, rlog_off first, frame_event_fn *fn,
                                      void *arg, struct segment_report *ret, struct err *e);

/* The writer's check before LMDB opens the segment that begins at first: segment_check_read, an unfinished commit
 * completed, then the child. The child is `checker __check-segment FILE`; with checker NULL a fork of this process,
 * left out where other threads run (they may hold locks that the child would need). A child that cannot be had is
 * left out too; what the reading proved does not depend on it. Errors: as above. */
MUST_CHECK enum rc segment_check_open(const char *dir, rlog_off first, const char *checker,
                                      frame_event_fn *fn, void *arg, struct segment_report *ret,
                                      struct err *e);

/* The exit code of `__check-segment FILE`: 0 sound, 5 damaged, 1 could not look. Says nothing. */
int segment_check_main(const char *path);

/* Walks all segments of a log's folder and how they follow one another, without LMDB, also while a log is written
 * (its newest segment is then read as far as it was when the walk came to it). What `log verify` prints. */
struct segment_summary {
    rlog_off first, next; /* sound offsets: first <= o < next */
    uint64_t segments, frames, events;
    uint8_t chain[SHA256_SIZE]; /* head of the event chain behind the last sound event */
};
/* Errors: CORRUPT names the first bad offset, *ret is filled up to there; NOTFOUND (no folder), UNSUPPORTED, IO,
 * NOMEM. */
MUST_CHECK enum rc segment_check_folder(const char *dir, struct segment_summary *ret,
                                        struct err *e);

#endif
