/* Segment files: any bytes are walked, searched and checked without harm and without end. */
#include "core/buf.h"
#include "log/pages.h"
#include "log/segment_check.h"

#include <stdio.h>
#include <sys/mman.h>
#include <unistd.h>

#define CHECK(what)                                                                                \
    do {                                                                                           \
        if (!(what))                                                                               \
            __builtin_trap();                                                                      \
    } while (0)

#define STEPS_MAX 10000

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);

/* From row to row; keys rise or the walk ends. */
static void search(const struct pages *f)
{
    AUTO(pages_row_done) struct pages_row row = {0};
    AUTO(buf_done) struct buf value = BUF_INIT(1u << 20);
    char key[512];
    size_t key_n = 0;
    enum rc rc = pages_find(f, PAGES_AT_LEAST, SLICE_NULL, &row, &value, NULL);
    for (int i = 0; rc == RC_OK && i < STEPS_MAX; i++) {
        CHECK(row.key.n <= sizeof(key));
        key_n = row.key.n;
        memcpy(key, row.key.p, key_n);
        buf_reset(&value);
        rc = pages_find(f, PAGES_ABOVE, slice_of(key, key_n), &row, &value, NULL);
    }
    (void)!pages_find(f, PAGES_AT_MOST, SLICE("\xff\xff\xff\xff\xff\xff\xff\xff"), &row, NULL,
                      NULL);
}

static void read_segment(const char *path, unsigned flags)
{
    AUTO(pages_closep) struct pages *f = NULL;
    struct segment_report report;
    struct segment_header header;
    struct segment_tail tail;
    struct err e = ERR_INIT;
    if (pages_open(path, flags, &f, &e) != RC_OK)
        return;
    search(f);
    if (segment_read_header(f, &header, &e) == RC_OK)
        (void)!segment_read_tail(f, &header, &tail, &e);
    if (segment_check_read(f, 1, NULL, NULL, &report, &e) == RC_OK)
        CHECK(report.tail.next == 1 + report.events);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
    char path[64];
    int fd = memfd_create("segment", MFD_CLOEXEC);
    CHECK(fd >= 0 && write(fd, data, n) == (ssize_t)n);
    snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
    read_segment(path, PAGES_FROZEN);
    read_segment(path, PAGES_FROZEN | PAGES_ROW_A_TXN);
    close(fd);
    return 0;
}
