/* One segment file: rows, ends, reading single events. */
#include "tests/unit/log/log_world.h"

#include "log/offset_list.h"
#include "log/pages.h"
#include "log/segment.h"
#include "tests/unit/format/golden.h"

static struct segment_header header_of(rlog_off first)
{
    return (struct segment_header){.first = first,
                                   .epoch = 3,
                                   .incarnation = 4,
                                   .time_ns = 50,
                                   .created_ns = 60,
                                   .before = {.frame = {7}, .events = {8}},
                                   .log_id = "0123456789abcde",
                                   .name_n = 13,
                                   .name = "default/asset"};
}

static struct segment_tail tail_of(rlog_off next)
{
    return (struct segment_tail){.next = next,
                                 .epoch = 9,
                                 .incarnation = 10,
                                 .time_ns = 11,
                                 .after = {.frame = {12}, .events = {13}},
                                 .sealed = true};
}

static void names_are_of_fixed_width_and_read_back(void **state)
{
    (void)state;
    char name[SEGMENT_FILE_MAX];
    rlog_off first = 0;
    assert_string_equal(segment_file_name('s', 17, name), "s-00000000000000000017.mdb");
    assert_true(segment_file_parse(name, 's', &first));
    assert_int_equal(first, 17);
    assert_true(segment_file_parse(segment_file_name('x', UINT64_MAX, name), 'x', &first));
    assert_true(first == UINT64_MAX);
    const char *wrong[] = {"",
                           "s",
                           "s-17.mdb",
                           "x-00000000000000000017.mdb",
                           "s-00000000000000000000.mdb",
                           "s-00000000000000000017.mdb.tmp",
                           "s-00000000000000000017",
                           "s-99999999999999999999.mdb",
                           "s-0000000000000000001x.mdb"};
    for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++)
        assert_false(segment_file_parse(wrong[i], 's', &first));
}

static void the_header_row_reads_back_and_no_bit_of_it_is_lost(void **state)
{
    (void)state;
    AUTO(buf_done) struct buf row = BUF_INIT(4096);
    const struct segment_header h = header_of(77);
    struct segment_header read;
    struct err e = ERR_INIT;
    assert_int_equal(segment_header_encode(&h, &row, &e), RC_OK);
    assert_int_equal(segment_header_decode(buf_slice(&row), &read, &e), RC_OK);
    assert_memory_equal(&read, &h, sizeof(h));
    for (size_t bit = 0; bit < row.n * 8; bit++) {
        row.p[bit / 8] = (char)(row.p[bit / 8] ^ (1 << bit % 8));
        assert_int_equal(segment_header_decode(buf_slice(&row), &read, &e), RC_CORRUPT);
        row.p[bit / 8] = (char)(row.p[bit / 8] ^ (1 << bit % 8));
    }
    for (size_t n = 0; n < row.n; n++)
        assert_int_equal(segment_header_decode(slice_of(row.p, n), &read, &e), RC_CORRUPT);
}

static void the_seal_row_reads_back_and_no_bit_of_it_is_lost(void **state)
{
    (void)state;
    AUTO(buf_done) struct buf row = BUF_INIT(4096);
    const struct segment_tail t = tail_of(80);
    struct segment_tail read;
    rlog_off first = 0;
    struct err e = ERR_INIT;
    assert_int_equal(segment_seal_encode(77, &t, &row, &e), RC_OK);
    assert_int_equal(segment_seal_decode(buf_slice(&row), &first, &read, &e), RC_OK);
    assert_int_equal(first, 77);
    assert_memory_equal(&read.after, &t.after, sizeof(t.after));
    assert_true(read.next == 80 && read.epoch == 9 && read.incarnation == 10 && read.sealed);
    for (size_t bit = 0; bit < row.n * 8; bit++) {
        row.p[bit / 8] = (char)(row.p[bit / 8] ^ (1 << bit % 8));
        assert_int_equal(segment_seal_decode(buf_slice(&row), &first, &read, &e), RC_CORRUPT);
        row.p[bit / 8] = (char)(row.p[bit / 8] ^ (1 << bit % 8));
    }
}

/* Writes frames of the given counts from offset 1 on; returns the tail. */
static struct segment_tail write_frames(const struct segment_opts *opts, const size_t *counts,
                                        size_t n)
{
    AUTO(frame_writer_freep) struct frame_writer *frames = frame_writer_new();
    AUTO(segment_writer_closep) struct segment_writer *w = NULL;
    struct segment_tail tail = {.next = 1};
    struct err e = ERR_INIT;
    static char texts[EVENT_BATCH_MAX][64];
    static struct event batch[EVENT_BATCH_MAX];
    assert_int_equal(segment_writer_open(opts, 1, &w, &e), RC_OK);
    for (size_t i = 0; i < n; i++) {
        AUTO(buf_done) struct buf out = BUF_INIT(2 * (size_t)FRAME_MAX);
        struct frame_head head;
        const struct frame_start start = {
            .first = tail.next, .epoch = 1, .time_ns = (int64_t)i, .before = tail.after};
        for (size_t k = 0; k < counts[i]; k++)
            batch[k] = log_event((unsigned)(tail.next + k), texts[k]);
        assert_int_equal(frame_write(frames, &start, batch, counts[i], &out, &head, &e), RC_OK);
        assert_int_equal(segment_writer_append(w, head.first, buf_slice(&out), &e), RC_OK);
        tail = (struct segment_tail){.next = head.first + head.count,
                                     .epoch = 1,
                                     .incarnation = 1,
                                     .time_ns = (int64_t)i,
                                     .after = head.after};
    }
    return tail;
}

static struct segment_opts opts_of(struct log_world *w)
{
    assert_int_equal(mkdir(w->dir, 0700), 0);
    return (struct segment_opts){.dir = w->dir, .bytes = 1u << 20};
}

static const char GOLDEN_HEADER[] =
    "'RSLS' 0100 0000 ad000000 00*4 "         /* magic, version, flags, length, dictionary */
    "4d00000000000000 0300000000000000 "      /* first offset, epoch */
    "0400000000000000 3200000000000000 "      /* incarnation, time */
    "07 00*31 08 00*31 "                      /* chains */
    "3c00000000000000 00*8 00*4 "             /* created, base, key id */
    "'0123456789abcde' 00 "                   /* log id */
    "0d000000 00*4 'default/asset' ae235078"; /* lengths, name, checksum */
static const char GOLDEN_SEAL[] =
    "'RSLE' 0100 0000 c0000000 00*4 4d00000000000000 "    /* as above */
    "0900000000000000 0a00000000000000 0b00000000000000 " /* epoch, incarnation, time */
    "0c 00*31 0d 00*31 5000000000000000 "                 /* chains, next offset */
    "00*4 00*64 a4a1a780";                                /* signing key, signature, checksum */

static void the_bytes_are_those_of_the_format_document(void **state)
{
    (void)state;
    AUTO(buf_done) struct buf row = BUF_INIT(4096), golden = BUF_INIT(4096);
    const struct segment_header h = header_of(77);
    const struct segment_tail t = tail_of(80);
    struct segment_header header;
    struct segment_tail tail;
    rlog_off first = 0;
    struct err e = ERR_INIT;
    assert_int_equal(segment_header_encode(&h, &row, &e), RC_OK);
    assert_golden(buf_slice(&row), GOLDEN_HEADER);
    golden_read(GOLDEN_HEADER, &golden);
    assert_int_equal(segment_header_decode(buf_slice(&golden), &header, &e), RC_OK);
    assert_memory_equal(&header, &h, sizeof(h));
    buf_reset(&row);
    buf_reset(&golden);
    assert_int_equal(segment_seal_encode(77, &t, &row, &e), RC_OK);
    assert_golden(buf_slice(&row), GOLDEN_SEAL);
    golden_read(GOLDEN_SEAL, &golden);
    assert_int_equal(segment_seal_decode(buf_slice(&golden), &first, &tail, &e), RC_OK);
    assert_int_equal(first, 77);
    assert_memory_equal(&tail, &t, sizeof(t));
}

static void a_newer_version_is_named_with_what_can_be_read(void **state)
{
    (void)state;
    AUTO(buf_done) struct buf golden = BUF_INIT(4096);
    struct segment_header header;
    struct segment_tail tail;
    rlog_off first = 0;
    struct err e = ERR_INIT;
    golden_read(GOLDEN_HEADER, &golden);
    golden.p[4] = SEGMENT_VERSION + 1;
    golden_reseal(&golden);
    assert_newer(segment_header_decode(buf_slice(&golden), &header, &e), &e,
                 "header row has version 2", "reads version 1");
    buf_reset(&golden);
    golden_read(GOLDEN_SEAL, &golden);
    golden.p[4] = SEGMENT_VERSION + 1;
    golden_reseal(&golden);
    assert_newer(segment_seal_decode(buf_slice(&golden), &first, &tail, &e), &e,
                 "seal row has version 2", "reads version 1");
}

static void every_event_is_read_in_any_order(void **state)
{
    struct log_world *w = *state;
    const struct segment_opts opts = opts_of(w);
    const size_t counts[] = {1, 3, 4096, 1, 1, 200, 5};
    struct segment_header h = header_of(1);
    struct err e = ERR_INIT;
    assert_int_equal(segment_create(&opts, &h, &e), RC_OK);
    struct segment_tail tail = write_frames(&opts, counts, 7);
    AUTO(pages_closep) struct pages *f = NULL;
    AUTO(segment_reader_freep) struct segment_reader *r = segment_reader_new();
    assert_int_equal(segment_open_file(w->dir, 1, false, &f, &e), RC_OK);
    const struct event *ev = NULL;
    for (rlog_off at = 1; at < tail.next; at++) {
        assert_int_equal(segment_reader_event(r, f, at, &ev, &e), RC_OK);
        assert_true(log_event_is(ev, at));
    }
    for (int i = 0; i < 500; i++) {
        rlog_off at = 1 + rng_below(&w->rng.rng, tail.next - 1);
        bool had = segment_reader_has(r, at);
        assert_int_equal(segment_reader_event(r, had ? NULL : f, at, &ev, &e), RC_OK);
        assert_true(log_event_is(ev, at));
        assert_true(segment_reader_has(r, at));
        assert_int_equal(segment_reader_event(r, NULL, at, &ev, &e), RC_OK); /* once more */
        assert_true(log_event_is(ev, at));
    }
    assert_int_equal(segment_reader_event(r, f, tail.next, &ev, &e), RC_CORRUPT);
    const struct frame_head *head = NULL;
    assert_int_equal(segment_reader_frame(r, f, 3, &head, &e), RC_OK);
    assert_int_equal(head->first, 2);
    assert_int_equal(head->count, 3);
}

static void the_ends_tell_header_frame_and_seal(void **state)
{
    struct log_world *w = *state;
    const struct segment_opts opts = opts_of(w);
    struct segment_header h = header_of(1), read;
    struct segment_tail tail, found;
    struct err e = ERR_INIT;
    assert_int_equal(segment_create(&opts, &h, &e), RC_OK);
    AUTO(pages_closep) struct pages *f = NULL;
    assert_int_equal(segment_open_file(w->dir, 1, false, &f, &e), RC_OK);
    assert_int_equal(segment_read_header(f, &read, &e), RC_OK);
    assert_memory_equal(&read, &h, sizeof(h));
    assert_int_equal(segment_read_tail(f, &h, &found, &e), RC_OK);
    assert_true(found.next == 1 && found.epoch == 3 && !found.sealed);
    const size_t counts[] = {4, 2};
    tail = write_frames(&opts, counts, 2);
    assert_int_equal(segment_read_tail(f, &h, &found, &e), RC_OK);
    assert_true(found.next == 7 && found.epoch == 1 && !found.sealed);
    assert_memory_equal(&found.after, &tail.after, sizeof(tail.after));
    AUTO(segment_writer_closep) struct segment_writer *writer = NULL;
    assert_int_equal(segment_writer_open(&opts, 1, &writer, &e), RC_OK);
    assert_int_equal(segment_writer_seal(writer, 1, &tail, &e), RC_OK);
    assert_int_equal(segment_read_tail(f, &h, &found, &e), RC_OK);
    assert_true(found.next == 7 && found.sealed);
    assert_memory_equal(&found.after, &tail.after, sizeof(tail.after));
}

static void space_is_reserved_until_the_segment_is_sealed(void **state)
{
    struct log_world *w = *state;
    const struct segment_opts opts = opts_of(w);
    struct segment_header h = header_of(1);
    char path[512], name[SEGMENT_FILE_MAX];
    struct stat st;
    struct err e = ERR_INIT;
    snprintf(path, sizeof(path), "%s/%s", w->dir, segment_file_name('s', 1, name));
    assert_int_equal(segment_create(&opts, &h, &e), RC_OK);
    assert_int_equal(stat(path, &st), 0);
    assert_true(st.st_size < (off_t)opts.bytes);
    assert_true((uint64_t)st.st_blocks * 512 >= opts.bytes);
    assert_int_equal(st.st_mode & 0777, 0600);
    assert_int_equal(segment_retire(w->dir, 1, &e), RC_OK);
    assert_int_equal(stat(path, &st), 0);
    assert_true((uint64_t)st.st_blocks * 512 < opts.bytes);
    assert_int_equal(st.st_mode & 0777, 0400);
    assert_int_equal(segment_retire(w->dir, 1, &e), RC_OK);
    assert_int_equal(segment_retire(w->dir, 2, &e), RC_NOTFOUND);
}

/* As after a call whose last step, the sync of the folder, failed: a reader may have the file open. */
static void a_segment_that_is_there_is_made_no_second_time(void **state)
{
    struct log_world *w = *state;
    const struct segment_opts opts = {.dir = w->root, .bytes = 1u << 20};
    struct segment_header h = header_of(1);
    struct stat first, second;
    struct err e = ERR_INIT;
    char path[512];
    snprintf(path, sizeof(path), "%s/s-00000000000000000001.mdb", w->root);
    assert_int_equal(segment_create(&opts, &h, &e), RC_OK);
    assert_int_equal(stat(path, &first), 0);
    assert_int_equal(segment_create(&opts, &h, &e), RC_OK);
    assert_int_equal(stat(path, &second), 0);
    assert_true(first.st_ino == second.st_ino);
}

static void only_files_of_a_kind_are_listed_and_in_order(void **state)
{
    struct log_world *w = *state;
    opts_of(w);
    const char *names[] = {"s-00000000000000000300.mdb", "s-00000000000000000001.mdb",
                           "x-00000000000000000001.mdb", "s-00000000000000000009.mdb.tmp", "LOCK"};
    for (size_t i = 0; i < 5; i++) {
        char path[512];
        snprintf(path, sizeof(path), "%s/%s", w->dir, names[i]);
        close(open(path, O_CREAT | O_WRONLY, 0600));
    }
    AUTO(offset_list_done) struct offset_list list = {0};
    struct err e = ERR_INIT;
    assert_int_equal(segment_list(w->dir, 's', &list, &e), RC_OK);
    assert_int_equal(list.n, 2);
    assert_int_equal(list.p[0], 1);
    assert_int_equal(list.p[1], 300);
    assert_int_equal(segment_list("/nonexistent", 's', &list, &e), RC_NOTFOUND);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        LOG_CASE(names_are_of_fixed_width_and_read_back),
        LOG_CASE(the_header_row_reads_back_and_no_bit_of_it_is_lost),
        LOG_CASE(the_seal_row_reads_back_and_no_bit_of_it_is_lost),
        LOG_CASE(the_bytes_are_those_of_the_format_document),
        LOG_CASE(a_newer_version_is_named_with_what_can_be_read),
        LOG_CASE(every_event_is_read_in_any_order),
        LOG_CASE(the_ends_tell_header_frame_and_seal),
        LOG_CASE(space_is_reserved_until_the_segment_is_sealed),
        LOG_CASE(a_segment_that_is_there_is_made_no_second_time),
        LOG_CASE(only_files_of_a_kind_are_listed_and_in_order),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
