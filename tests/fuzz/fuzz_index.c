/* Index files of sealed segments: any bytes are opened, searched and walked without harm and without end, and no
 * offset is given that was not asked for. With right checksums in all rows the bytes behind them are reached too. */
#include "core/buf.h"
#include "core/digest.h"
#include "core/le.h"
#include "log/pages.h"
#include "log/rlog.h"
#include "log/segment_index.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

#define CHECK(what)                                                                                \
    do {                                                                                           \
        if (!(what))                                                                               \
            __builtin_trap();                                                                      \
    } while (0)

#define ROWS_MAX 64
#define FRONT    16 /* of a row, before the next key */

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);

static enum rc check_last(void *arg, const uint8_t id[SEGMENT_INDEX_ID], rlog_off last,
                          enum event_op op, struct err *e)
{
    const struct rlog_range *range = arg;
    (void)id;
    (void)op;
    (void)e;
    CHECK(last >= range->from && last < range->until);
    return RC_OK;
}

static void walk(const struct segment_index *x, struct slice prefix, rlog_off from, rlog_off until)
{
    struct rlog_range range = {.from = from, .until = until, .prefix = prefix, .all_keys = true};
    struct err e = ERR_INIT;
    enum rc rc = segment_index_each(x, &range, check_last, &range, &e);
    CHECK(rc == RC_OK || e.msg[0]);
}

static void find(const struct segment_index *x, struct slice key, rlog_off from, rlog_off until)
{
    AUTO(offset_list_done) struct offset_list list = {0};
    struct err e = ERR_INIT;
    enum rc rc = segment_index_find(x, key, from, until, &list, &e);
    CHECK(rc == RC_OK || e.msg[0]);
    for (size_t i = 0; i < list.n; i++)
        CHECK(list.p[i] >= from && list.p[i] < until);
}

/* A segment's end such as the head row speaks of: it is not the index that is in question here. */
static bool guess_end(struct slice file, struct segment_tail *ret)
{
    const char *p = memmem(file.p, file.n, "RSLX", 4);
    if (!p || (size_t)(file.p + file.n - p) < 56)
        return false;
    *ret = (struct segment_tail){.next = le_get_u64(p + 16), .sealed = true};
    memcpy(ret->after.frame, p + 24, SHA256_SIZE);
    return true;
}

/* An index has a name in a folder, where there is one in memory: a search opens thousands a second. It goes away as
 * soon as the file is open. */
static struct segment_index *open_index(struct slice file, const struct segment_tail *tail)
{
    char dir[64], path[128], name[SEGMENT_FILE_MAX];
    struct segment_index *x = NULL;
    struct err e = ERR_INIT;
    snprintf(dir, sizeof(dir), "%s/resilog-fuzz-XXXXXX",
             access("/dev/shm", W_OK) == 0 ? "/dev/shm" : "/tmp");
    CHECK(mkdtemp(dir));
    snprintf(path, sizeof(path), "%s/%s", dir, segment_file_name('x', 1, name));
    int fd = open(path, O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
    CHECK(fd >= 0 && write(fd, file.p, file.n) == (ssize_t)file.n);
    close(fd);
    enum rc rc = segment_index_open(dir, 1, tail, &x, &e);
    CHECK(rc == RC_OK ? x != NULL : !x && e.rc == rc && e.msg[0]);
    CHECK(unlink(path) == 0 && rmdir(dir) == 0);
    return x;
}

static void read_index(struct slice file, const struct segment_tail *tail)
{
    AUTO(segment_index_freep) struct segment_index *x = open_index(file, tail);
    if (!x)
        return;
    rlog_off next = segment_index_next(x);
    find(x, SLICE("/configmaps/ns/1"), 1, next);
    find(x, SLICE("/configmaps/ns/2"), 2, 3);
    find(x, SLICE_NULL, 1, next);
    walk(x, SLICE_NULL, 1, next);
    walk(x, SLICE("/configmaps/ns/"), 2, next);
}

/* Puts right checksums into one row, wherever its bytes stand in the file. */
static void mend_row(const struct pages_row *row, struct slice value, char *file, size_t n)
{
    size_t front = value.n < FRONT
                       ? value.n + 1
                       : FRONT + (size_t)le_get_u16(value.p + 8) + (size_t)le_get_u16(value.p + 10);
    char *at = front <= value.n ? memmem(file, n, value.p, value.n) : NULL;
    if (!at)
        return;
    le_put_u32(at + 4, crc32c(0, at + front, value.n - front));
    le_put_u32(at, crc32c(crc32c(0, row->key.p, row->key.n), at + 4, front - 4));
}

static void mend_rows(struct slice file, char *out)
{
    AUTO(pages_closep) struct pages *f = NULL;
    AUTO(pages_row_done) struct pages_row row = {0};
    AUTO(buf_done) struct buf value = BUF_INIT(1u << 20);
    char path[64];
    int fd = memfd_create("index", MFD_CLOEXEC);
    CHECK(fd >= 0 && write(fd, file.p, file.n) == (ssize_t)file.n);
    snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
    enum rc rc = pages_open(path, PAGES_FROZEN, &f, NULL);
    if (rc == RC_OK)
        rc = pages_find(f, PAGES_AT_LEAST, SLICE_NULL, &row, &value, NULL);
    for (int i = 0; rc == RC_OK && i < ROWS_MAX; i++) {
        mend_row(&row, buf_slice(&value), out, file.n);
        buf_reset(&value);
        rc = pages_next(f, &row, &value, NULL);
    }
    close(fd);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
    struct slice file = slice_of((const char *)data, n);
    struct segment_tail tail;
    if (!guess_end(file, &tail))
        return 0;
    read_index(file, &tail);
    char *mended = malloc(n);
    CHECK(mended);
    memcpy(mended, data, n);
    mend_rows(file, mended);
    read_index(slice_of(mended, n), &tail);
    free(mended);
    return 0;
}
