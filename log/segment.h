/* One segment: an LMDB file of consecutive frames (docs/FORMAT.md section 3). The header row comes first, a row for
 * each frame under its first offset, and the seal row once nothing will follow. Each commit adds one row. LMDB only
 * writes; all reading goes through log/pages.h. */
#ifndef RESILOG_LOG_SEGMENT_H
#define RESILOG_LOG_SEGMENT_H

#include "log/frame.h"
#include "log/rlog.h"

struct pages;
struct offset_list;
struct segment_reader;
struct segment_writer;

#define SEGMENT_VERSION  1
#define SEGMENT_ID_SIZE  RLOG_ID_SIZE
#define SEGMENT_NAME_MAX 512 /* full name of the source asset */
#define SEGMENT_FILE_MAX 40  /* name of a file in the folder */
#define SEGMENT_KEY_SIZE 8
#define SEGMENT_ROW_MAX  (FRAME_MAX + 4096u)

struct segment_header {
    rlog_off first;
    uint64_t epoch;       /* of the writer that made it */
    uint64_t incarnation; /* and the others: as they were before `first` */
    int64_t time_ns;
    int64_t created_ns;
    struct frame_chain before;
    uint8_t log_id[SEGMENT_ID_SIZE]; /* the same in all segments of a log */
    size_t name_n;
    char name[SEGMENT_NAME_MAX];
};

/* What is known at the end of a segment; the seal row holds it, or the last frame. */
struct segment_tail {
    rlog_off next;
    uint64_t epoch, incarnation;
    int64_t time_ns;
    struct frame_chain after;
    bool sealed;
};

/* "s-<20 digits>.mdb" ('s') or an index's name ('x'); out has SEGMENT_FILE_MAX bytes. Returns out. */
const char *segment_file_name(char kind, rlog_off first, char *out);
/* Back from a name. False if it is none of that kind. */
bool segment_file_parse(const char *name, char kind, rlog_off *ret);

/* Adds what files of a kind there are in a folder, in order of their first offsets. Errors: NOTFOUND, DENIED, IO,
 * NOMEM. */
MUST_CHECK enum rc segment_list(const char *dir, char kind, struct offset_list *out, struct err *e);

/* ---- Write ---- */
struct segment_opts {
    const char *dir;
    uint64_t bytes; /* planned size: reserved on disk, and the map is a little larger */
};

/* Makes an empty segment under its final name, durably. Where only the last step of a call before failed, the file is
 * there already and is the segment. Errors: LIMIT (RETRY: no room), IO (FATAL), DENIED, NOMEM. */
MUST_CHECK enum rc segment_create(const struct segment_opts *opts, const struct segment_header *h,
                                  struct err *e);
/* Opens a checked segment for appending. One writer a file. Errors: IO, NOMEM, CORRUPT, LIMIT. */
MUST_CHECK enum rc segment_writer_open(const struct segment_opts *opts, rlog_off first,
                                       struct segment_writer **ret, struct err *e);
void segment_writer_close(struct segment_writer *w);
DEFINE_FREEP(struct segment_writer, segment_writer_close)
/* Adds one frame in one durable commit. After any failure the writer must be closed, and the file looked at before it
 * is opened again. Errors: LIMIT (RETRY: no room on disk), IO (FATAL), NOMEM. */
MUST_CHECK enum rc segment_writer_append(struct segment_writer *w, rlog_off first,
                                         struct slice frame, struct err *e);
/* Adds the seal row; the writer may only be closed then. Errors: as append. */
MUST_CHECK enum rc segment_writer_seal(struct segment_writer *w, rlog_off first,
                                       const struct segment_tail *tail, struct err *e);
/* Gives reserved space back and makes a sealed file read-only; nothing if that was done. Errors: NOTFOUND, IO. */
MUST_CHECK enum rc segment_retire(const char *dir, rlog_off first, struct err *e);
/* Bytes of the file in use. */
uint64_t segment_writer_used(const struct segment_writer *w);

/* ---- Read ---- */
/* Errors of all: CORRUPT, UNSUPPORTED (newer version), IO, NOMEM. */
MUST_CHECK enum rc segment_open_file(const char *dir, rlog_off first, bool sealed,
                                     struct pages **ret, struct err *e);
MUST_CHECK enum rc segment_read_header(const struct pages *f, struct segment_header *ret,
                                       struct err *e);
/* The newest frame or the seal; the header's values if there is no frame. */
MUST_CHECK enum rc segment_read_tail(const struct pages *f, const struct segment_header *h,
                                     struct segment_tail *ret, struct err *e);

/* Reads events one by one and keeps the last block decoded, so that the next event of it costs nothing. For one log,
 * one thread. */
struct segment_reader *segment_reader_new(void); /* NULL when out of memory */
void segment_reader_free(struct segment_reader *r);
DEFINE_FREEP(struct segment_reader, segment_reader_free)
/* The event at `at`, which must be in this segment; a view that lives until the next call. Errors: CORRUPT names the
 * offset; IO, NOMEM. */
MUST_CHECK enum rc segment_reader_event(struct segment_reader *r, const struct pages *f,
                                        rlog_off at, const struct event **ret, struct err *e);
/* True if it has the event at hand: then f may be NULL in segment_reader_event. */
bool segment_reader_has(const struct segment_reader *r, rlog_off at);
/* The header of the frame that holds `at`, or of the last one below it; lives until the next call. NOTFOUND when
 * there is none. */
MUST_CHECK enum rc segment_reader_frame(struct segment_reader *r, const struct pages *f,
                                        rlog_off at, const struct frame_head **ret, struct err *e);

/* ---- Rows, as bytes (for segment_check and tests) ---- */
enum segment_row { SEGMENT_ROW_HEADER, SEGMENT_ROW_FRAME, SEGMENT_ROW_SEAL };
/* What a row's key says; false for a key that is none. */
bool segment_row_kind(struct slice key, enum segment_row *ret, rlog_off *ret_first);
MUST_CHECK enum rc segment_header_encode(const struct segment_header *h, struct buf *out,
                                         struct err *e);
MUST_CHECK enum rc segment_header_decode(struct slice bytes, struct segment_header *ret,
                                         struct err *e);
MUST_CHECK enum rc segment_seal_encode(rlog_off first, const struct segment_tail *tail,
                                       struct buf *out, struct err *e);
MUST_CHECK enum rc segment_seal_decode(struct slice bytes, rlog_off *ret_first,
                                       struct segment_tail *ret, struct err *e);

#endif
