/* The LMDB checkpoints beyond the conformance suite: processes, damage, size. */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>

#include "core/buf.h"
#include "core/env.h"
#include "log/ckpt_lmdb_priv.h"
#include "tests/conformance/temp_dir.h"
#include "tests/unit/format/golden.h"

#include <dirent.h>
#include <fcntl.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#define A SLICE("ns/sync-a")

struct world {
    char *root;
    char dir[256];
    struct env env;
};

static int setup(void **state)
{
    struct world *w = calloc(1, sizeof(*w));
    assert_non_null(w);
    w->root = temp_dir_new();
    snprintf(w->dir, sizeof(w->dir), "%s/consumers", w->root);
    *state = w;
    return 0;
}

static int teardown(void **state)
{
    struct world *w = *state;
    temp_dir_free(w->root);
    free(w);
    return 0;
}

static struct ckpt *open_ckpt(const struct world *w, enum ckpt_access access)
{
    struct ckpt *c = NULL;
    struct err e = ERR_INIT;
    assert_int_equal(ckpt_lmdb_open(w->dir, access, &w->env, &c, &e), RC_OK);
    return c;
}

static enum rc commit_row(struct ckpt *c, rlog_off offset, const char *key, struct slice value,
                          struct err *e)
{
    const struct ckpt_row row = {CKPT_APPLIED, slice_str(key), value};
    const struct ckpt_commit what = {
        .head = {1, offset}, .status = SLICE("{}"), .rows = &row, .n_rows = 1};
    return ckpt_commit(c, A, &what, e);
}

static void must_commit(struct ckpt *c, rlog_off offset, const char *key, struct slice value)
{
    struct err e = ERR_INIT;
    enum rc rc = commit_row(c, offset, key, value, &e);
    if (rc != RC_OK)
        print_error("%s\n", e.msg);
    assert_int_equal(rc, RC_OK);
}

/* The path of the only file that ends in .mdb. */
static void file_of(const struct world *w, char path[512])
{
    DIR *d = opendir(w->dir);
    assert_non_null(d);
    unsigned n = 0;
    for (struct dirent *entry = readdir(d); entry; entry = readdir(d)) {
        if (!strstr(entry->d_name, ".mdb"))
            continue;
        snprintf(path, 512, "%s/%s", w->dir, entry->d_name);
        n++;
    }
    closedir(d);
    assert_int_equal(n, 1);
}

static void a_consumer_is_one_file_for_its_owner_alone(void **state)
{
    struct world *w = *state;
    AUTO(ckpt_closep) struct ckpt *c = open_ckpt(w, CKPT_WRITE);
    char path[512];
    struct stat st;
    must_commit(c, 1, "k", SLICE("v"));
    file_of(w, path);
    assert_int_equal(stat(path, &st), 0);
    assert_int_equal(st.st_mode & 0777, 0600);
    assert_int_equal(stat(w->dir, &st), 0);
    assert_int_equal(st.st_mode & 0777, 0700);
}

static size_t open_files(void)
{
    DIR *d = opendir("/proc/self/fd");
    size_t n = 0;
    assert_non_null(d);
    while (readdir(d))
        n++;
    closedir(d);
    return n;
}

static void of_a_consumer_that_is_let_go_nothing_is_open_and_it_can_be_read_again(void **state)
{
    struct world *w = *state;
    AUTO(ckpt_closep) struct ckpt *owner = open_ckpt(w, CKPT_WRITE);
    AUTO(ckpt_closep) struct ckpt *other = open_ckpt(w, CKPT_WRITE);
    must_commit(owner, 1, "k", SLICE("v"));
    size_t before = open_files();
    for (int i = 0; i < 2; i++) {
        AUTO(buf_done) struct buf row = BUF_INIT(64);
        struct err e = ERR_INIT;
        assert_int_equal(ckpt_get(other, A, CKPT_APPLIED, SLICE("k"), &row, &e), RC_OK);
        assert_true(slice_eq(buf_slice(&row), SLICE("v")));
        assert_true(open_files() > before);
        ckpt_let_go(other, A);
        assert_int_equal(open_files(), before);
    }
    ckpt_let_go(other, SLICE("ns/never"));
    must_commit(owner, 2, "k", SLICE("w"));
}

static void a_folder_that_is_not_there_is_not_found_for_a_reader(void **state)
{
    struct world *w = *state;
    struct ckpt *c = NULL;
    struct err e = ERR_INIT;
    assert_int_equal(ckpt_lmdb_open(w->dir, CKPT_READ, &w->env, &c, &e), RC_NOTFOUND);
    assert_null(c);
}

static void two_writers_in_one_process_fence_each_other_by_generation(void **state)
{
    struct world *w = *state;
    AUTO(ckpt_closep) struct ckpt *old = open_ckpt(w, CKPT_WRITE);
    AUTO(ckpt_closep) struct ckpt *new = open_ckpt(w, CKPT_WRITE);
    struct err e = ERR_INIT;
    must_commit(old, 5, "k", SLICE("old"));
    const struct ckpt_commit taken = {.head = {2, 3}};
    assert_int_equal(ckpt_commit(new, A, &taken, &e), RC_OK);
    assert_int_equal(commit_row(old, 6, "k", SLICE("late"), &e), RC_CONFLICT);
    assert_int_equal(e.retry, ERR_FATAL);
    for (rlog_off offset = 4; offset < 30; offset++) {
        const struct ckpt_commit what = {.head = {2, offset}};
        assert_int_equal(ckpt_commit(offset % 2 ? old : new, A, &what, &e), RC_OK);
    }
    AUTO(buf_done) struct buf out = BUF_INIT(100);
    assert_int_equal(ckpt_get(new, A, CKPT_APPLIED, SLICE("k"), &out, &e), RC_OK);
    assert_true(slice_eq(buf_slice(&out), SLICE("old")));
}

/* The child: commits offset after offset and says each to its parent, until it is killed. */
static void commit_until_killed(const struct world *w, rlog_off acknowledged, int out)
{
    struct ckpt *c = NULL;
    struct err e = ERR_INIT;
    if (ckpt_lmdb_open(w->dir, CKPT_WRITE, &w->env, &c, &e) != RC_OK)
        _exit(1);
    for (rlog_off at = acknowledged + 1;; at++) {
        char text[32];
        snprintf(text, sizeof(text), "%llu", (unsigned long long)at);
        if (commit_row(c, at, text, slice_str(text), &e) == RC_CONFLICT)
            continue; /* the last one was there, though not acknowledged */
        if (write(out, &at, sizeof(at)) != (ssize_t)sizeof(at))
            _exit(2);
    }
}

static void a_writer_killed_at_any_moment_loses_no_acknowledged_commit(void **state)
{
    struct world *w = *state;
    rlog_off acknowledged = 0;
    for (int round = 0; round < 10; round++) {
        int fds[2];
        assert_int_equal(pipe(fds), 0);
        pid_t pid = fork();
        if (pid == 0)
            commit_until_killed(w, acknowledged, fds[1]);
        close(fds[1]);
        rlog_off at = 0;
        for (int want = 1 + round * 3; want > 0; want--) {
            if (read(fds[0], &at, sizeof(at)) == (ssize_t)sizeof(at))
                acknowledged = at;
        }
        assert_int_equal(kill(pid, SIGKILL), 0);
        while (read(fds[0], &at, sizeof(at)) == (ssize_t)sizeof(at))
            acknowledged = at;
        close(fds[0]);
        assert_int_equal(waitpid(pid, NULL, 0), pid);
        AUTO(ckpt_closep) struct ckpt *c = open_ckpt(w, CKPT_WRITE);
        struct ckpt_head head;
        struct err e = ERR_INIT;
        assert_int_equal(ckpt_load(c, A, &head, NULL, NULL, &e), RC_OK);
        assert_true(head.offset == acknowledged || head.offset == acknowledged + 1);
        for (rlog_off k = 1; k <= head.offset; k++) {
            AUTO(buf_done) struct buf out = BUF_INIT(100);
            char text[32];
            snprintf(text, sizeof(text), "%llu", (unsigned long long)k);
            assert_int_equal(ckpt_get(c, A, CKPT_APPLIED, slice_str(text), &out, &e), RC_OK);
            assert_true(slice_eq(buf_slice(&out), slice_str(text)));
        }
        acknowledged = head.offset;
    }
}

static void flip_bit(const char *path, uint64_t bit)
{
    char byte = 0;
    int fd = open(path, O_RDWR);
    assert_int_equal(pread(fd, &byte, 1, (off_t)(bit / 8)), 1);
    byte = (char)(byte ^ (1 << bit % 8));
    assert_int_equal(pwrite(fd, &byte, 1, (off_t)(bit / 8)), 1);
    close(fd);
}

/* A writer checks the whole file before LMDB touches it, so it refuses or what it holds is right. A damaged
 * number of the last commit gives the commit before it: that means repetition, which is always allowed (I3). */
static void damage_is_refused_before_lmdb_touches_the_file(void **state)
{
    struct world *w = *state;
    char path[512], key[16];
    {
        AUTO(ckpt_closep) struct ckpt *c = open_ckpt(w, CKPT_WRITE);
        for (rlog_off at = 1; at <= 40; at++) {
            snprintf(key, sizeof(key), "k%u", (unsigned)at);
            must_commit(c, at, key, slice_str(key));
        }
    }
    file_of(w, path);
    struct stat st;
    assert_int_equal(stat(path, &st), 0);
    unsigned refused = 0, harmless = 0;
    for (uint64_t bit = 0; bit < (uint64_t)st.st_size * 8; bit += 331) {
        AUTO(ckpt_closep) struct ckpt *c = open_ckpt(w, CKPT_WRITE);
        struct err e = ERR_INIT;
        struct ckpt_head head = {0};
        const struct ckpt_commit none = {
            .head = {0, 0}}; /* fenced: changes nothing, but opens the file */
        flip_bit(path, bit);
        enum rc rc = ckpt_commit(c, A, &none, &e);
        flip_bit(path, bit);
        if (rc != RC_CONFLICT) {
            assert_true(rc == RC_CORRUPT || rc == RC_UNSUPPORTED);
            refused++;
            continue;
        }
        harmless++;
        assert_int_equal(ckpt_load(c, A, &head, NULL, NULL, &e), RC_OK);
        assert_true(head.offset == 40 || head.offset == 39);
    }
    assert_true(refused > 20 && harmless > 20);
}

static enum rc add_name(void *arg, struct slice consumer, struct err *e)
{
    (void)e;
    buf_add_slice(arg, consumer);
    buf_add_char(arg, ' ');
    return RC_OK;
}

static void a_damaged_file_does_not_hide_the_names_of_the_others(void **state)
{
    struct world *w = *state;
    static const char *const names[] = {"ns/a", "ns/x", "ns/z"};
    const struct ckpt_commit what = {.head = {1, 1}, .status = SLICE("{}")};
    AUTO(ckpt_closep) struct ckpt *c = open_ckpt(w, CKPT_WRITE);
    AUTO(buf_done) struct buf found = BUF_INIT(100);
    struct err e = ERR_INIT;
    char path[512];
    must_commit(c, 1, "k", SLICE("v"));
    file_of(w, path);
    for (size_t i = 0; i < 3; i++)
        assert_int_equal(ckpt_commit(c, slice_str(names[i]), &what, &e), RC_OK);
    assert_int_equal(truncate(path, 5000), 0);
    assert_int_equal(ckpt_list(c, add_name, &found, &e), RC_CORRUPT);
    assert_string_equal(found.p, "ns/a ns/x ns/z ");
    assert_non_null(strstr(e.msg, path));
}

static enum rc count_row(void *arg, struct slice key, struct slice value, struct err *e)
{
    (void)e;
    size_t *n = arg;
    char expected[16];
    snprintf(expected, sizeof(expected), "k%06zu", (*n)++);
    assert_true(slice_eq(key, slice_str(expected)));
    assert_int_equal(value.n, 1000);
    return RC_OK;
}

static void a_table_larger_than_one_chunk_is_walked_in_order(void **state)
{
    struct world *w = *state;
    AUTO(ckpt_closep) struct ckpt *c = open_ckpt(w, CKPT_WRITE);
    static struct ckpt_row rows[5000];
    static char keys[5000][16], value[1000];
    struct err e = ERR_INIT;
    for (size_t i = 0; i < 5000; i++) {
        snprintf(keys[i], sizeof(keys[i]), "k%06zu", i);
        rows[i] = (struct ckpt_row){CKPT_APPLIED, slice_str(keys[i]), slice_of(value, 1000)};
    }
    const struct ckpt_commit what = {.head = {1, 1}, .rows = rows, .n_rows = 5000};
    assert_int_equal(ckpt_commit(c, A, &what, &e), RC_OK);
    size_t n = 0;
    assert_int_equal(ckpt_scan(c, A, CKPT_APPLIED, SLICE_NULL, count_row, &n, &e), RC_OK);
    assert_int_equal(n, 5000);
}

#define LARGE_BYTES (1u << 20)

/* Leaves room that only a compaction gives back. */
static void leave_free_pages(struct ckpt *c, rlog_off offset)
{
    static const char zeros[LARGE_BYTES];
    must_commit(c, offset, "large", slice_of(zeros, sizeof(zeros)));
    must_commit(c, offset, "large", SLICE_NULL);
}

static void a_file_that_is_mostly_free_is_compacted_at_opening(void **state)
{
    struct world *w = *state;
    char path[512];
    struct stat large, small;
    mode_t mask = umask(022);
    {
        AUTO(ckpt_closep) struct ckpt *c = open_ckpt(w, CKPT_WRITE);
        must_commit(c, 1, "kept", SLICE("v"));
        leave_free_pages(c, 2);
    }
    file_of(w, path);
    assert_int_equal(stat(path, &large), 0);
    AUTO(ckpt_closep) struct ckpt *c = open_ckpt(w, CKPT_WRITE);
    must_commit(c, 3, "more", SLICE("v"));
    umask(mask);
    file_of(w, path);
    assert_int_equal(stat(path, &small), 0);
    assert_true(large.st_size > LARGE_BYTES);
    assert_true(small.st_size < LARGE_BYTES / 8);
    assert_int_equal(small.st_mode & 0777, 0600);
    AUTO(buf_done) struct buf out = BUF_INIT(100);
    struct err e = ERR_INIT;
    assert_int_equal(ckpt_get(c, A, CKPT_APPLIED, SLICE("kept"), &out, &e), RC_OK);
    assert_true(slice_eq(buf_slice(&out), SLICE("v")));
    struct ckpt_head head;
    assert_int_equal(ckpt_load(c, A, &head, NULL, NULL, &e), RC_OK);
    assert_int_equal(head.offset, 3);
}

static void what_a_crash_left_of_a_compaction_is_removed_by_the_next_writer(void **state)
{
    struct world *w = *state;
    char path[512], tmp[600];
    {
        AUTO(ckpt_closep) struct ckpt *c = open_ckpt(w, CKPT_WRITE);
        must_commit(c, 1, "k", SLICE("v"));
    }
    file_of(w, path);
    for (int removes = 0; removes < 2; removes++) {
        AUTO(ckpt_closep) struct ckpt *c = open_ckpt(w, CKPT_WRITE);
        struct err e = ERR_INIT;
        snprintf(tmp, sizeof(tmp), "%s.tmp", path);
        close(open(tmp, O_CREAT | O_WRONLY, 0600));
        if (removes)
            assert_int_equal(ckpt_remove(c, A, &e), RC_OK);
        else
            must_commit(c, 2, "k", SLICE("v"));
        assert_int_equal(access(tmp, F_OK), -1);
    }
    assert_int_equal(access(path, F_OK), -1);
}

/* One thread with a handle of its own: commits one row after the other, at least one, until it is told to stop. */
struct writer {
    struct ckpt *c;
    char name;
    atomic_bool stop;
    unsigned done; /* the rows of so many numbers are acknowledged */
    struct err e;
};

static void *write_rows(void *arg)
{
    struct writer *t = arg;
    do {
        char key[16];
        snprintf(key, sizeof(key), "%c%u", t->name, t->done);
        if (commit_row(t->c, 1, key, SLICE("v"), &t->e) != RC_OK)
            break;
        t->done++;
    } while (!atomic_load(&t->stop));
    return NULL;
}

static void assert_all_there(struct ckpt *c, const struct writer *t)
{
    assert_true(t->done > 0);
    for (unsigned i = 0; i < t->done; i++) {
        AUTO(buf_done) struct buf out = BUF_INIT(100);
        struct err e = ERR_INIT;
        char key[16];
        snprintf(key, sizeof(key), "%c%u", t->name, i);
        assert_int_equal(ckpt_get(c, A, CKPT_APPLIED, slice_str(key), &out, &e), RC_OK);
    }
}

static void a_commit_beside_a_compaction_by_another_handle_is_not_lost(void **state)
{
    struct world *w = *state;
    AUTO(ckpt_closep) struct ckpt *other = open_ckpt(w, CKPT_WRITE);
    struct writer t = {.c = other, .name = 'w'};
    pthread_t thread;
    must_commit(other, 1, "k", SLICE("v"));
    assert_int_equal(pthread_create(&thread, NULL, write_rows, &t), 0);
    enum rc rc = RC_OK;
    struct err e = ERR_INIT;
    for (int i = 0; rc == RC_OK && i < 20; i++) {
        AUTO(ckpt_closep) struct ckpt *c = open_ckpt(w, CKPT_WRITE);
        rc = commit_row(c, 1, "k", SLICE("v"), &e); /* compacts what the round before left */
        leave_free_pages(c, 1);
    }
    atomic_store(&t.stop, true);
    pthread_join(thread, NULL);
    if (rc != RC_OK || t.e.rc != RC_OK)
        print_error("%s %s\n", e.msg, t.e.msg);
    assert_int_equal(rc, RC_OK);
    assert_int_equal(t.e.rc, RC_OK);
    assert_all_there(other, &t);
}

static void two_handles_that_make_the_file_at_once_both_commit(void **state)
{
    struct world *w = *state;
    for (int round = 0; round < 20; round++) {
        struct writer writers[2];
        pthread_t threads[2];
        struct err e = ERR_INIT;
        for (int i = 0; i < 2; i++) {
            writers[i] = (struct writer){
                .c = open_ckpt(w, CKPT_WRITE), .name = (char)('a' + i), .stop = true};
            assert_int_equal(pthread_create(&threads[i], NULL, write_rows, &writers[i]), 0);
        }
        for (int i = 0; i < 2; i++)
            pthread_join(threads[i], NULL);
        for (int i = 0; i < 2; i++)
            assert_all_there(writers[1 - i].c, &writers[i]);
        assert_int_equal(ckpt_remove(writers[0].c, A, &e), RC_OK);
        for (int i = 0; i < 2; i++)
            ckpt_close(writers[i].c);
    }
}

static void a_file_of_another_consumer_is_refused(void **state)
{
    struct world *w = *state;
    char a[512], b[600];
    struct err e = ERR_INIT;
    struct ckpt_head head;
    {
        AUTO(ckpt_closep) struct ckpt *c = open_ckpt(w, CKPT_WRITE);
        must_commit(c, 1, "k", SLICE("v"));
        file_of(w, a);
        snprintf(b, sizeof(b), "%s/away", w->root);
        assert_int_equal(rename(a, b), 0);
        const struct ckpt_commit what = {.head = {1, 1}};
        AUTO(buf_done) struct buf row = BUF_INIT(64);
        assert_int_equal(ckpt_commit(c, SLICE("ns/other"), &what, &e), RC_OK);
        assert_int_equal(ckpt_get(c, SLICE("ns/other"), CKPT_APPLIED, SLICE("k"), &row, &e),
                         RC_NOTFOUND);
        file_of(w, a);
        assert_int_equal(rename(b, a), 0);
        assert_int_equal(ckpt_get(c, SLICE("ns/other"), CKPT_APPLIED, SLICE("k"), &row, &e),
                         RC_CORRUPT);
    }
    AUTO(ckpt_closep) struct ckpt *c = open_ckpt(w, CKPT_WRITE);
    const struct ckpt_commit more = {.head = {1, 2}};
    assert_int_equal(ckpt_load(c, SLICE("ns/other"), &head, NULL, NULL, &e), RC_CORRUPT);
    assert_int_equal(ckpt_commit(c, SLICE("ns/other"), &more, &e), RC_CORRUPT);
}

#define CASE(f) cmocka_unit_test_setup_teardown(f, setup, teardown)

/* ---- The rows' bytes ---- */

static void assert_row(enum ckpt_tag tag, struct slice key, struct slice value, const char *golden)
{
    AUTO(buf_done) struct buf row = BUF_INIT(4096), bytes = BUF_INIT(4096);
    struct ckpt_row_key storage;
    struct slice row_key = ckpt_row_key(tag, key, &storage), full, back;
    struct err e = ERR_INIT;
    assert_int_equal(
        ckpt_row_encode(row_key, ckpt_key_is_cut(key) ? key : SLICE_NULL, value, &row, &e), RC_OK);
    assert_golden(buf_slice(&row), golden);
    golden_read(golden, &bytes);
    assert_int_equal(ckpt_row_decode(row_key, buf_slice(&bytes), &full, &back, &e), RC_OK);
    assert_true(slice_eq(full, key));
    assert_true(slice_eq(back, value));
}

static const char GOLDEN_APPLIED[] = "4bf4b17f 01 00 0000 00000000 'V'";

static void the_rows_are_those_of_the_format_document(void **state)
{
    (void)state;
    char head[CKPT_HEAD_SIZE], text[480];
    const struct ckpt_head h = {.generation = 3, .offset = 0x0102030405060708};
    struct ckpt_row_key storage;
    ckpt_head_encode(&h, head);
    assert_row(TAG_HEAD, SLICE_NULL, slice_of(head, sizeof(head)),
               "5196a5de 01 00 0000 00000000 0300000000000000 0807060504030201");
    assert_row(TAG_APPLIED, SLICE("/configmaps/ns/a"), SLICE("V"), GOLDEN_APPLIED);
    memset(text, 'x', sizeof(text));
    struct slice cut = slice_of(text, sizeof(text));
    assert_row(TAG_HOLD, cut, SLICE("V"), "e14b4af0 01 00 e001 00000000 78*480 'V'");
    assert_golden(ckpt_row_key(TAG_HOLD, cut, &storage),
                  "'h' 78*464 952e789fda4265eeb34d6dd9589c84e1");
}

/* Changes a byte of the applied row and makes its checksum right again. */
static enum rc decode_changed(size_t at, char value, struct err *e)
{
    AUTO(buf_done) struct buf row = BUF_INIT(4096);
    struct ckpt_row_key storage;
    struct slice row_key = ckpt_row_key(TAG_APPLIED, SLICE("/configmaps/ns/a"), &storage);
    struct slice key, back;
    golden_read(GOLDEN_APPLIED, &row);
    row.p[at] = value;
    le_put_u32(row.p, crc32c(crc32c(0, row_key.p, row_key.n), row.p + 4, row.n - 4));
    return ckpt_row_decode(row_key, buf_slice(&row), &key, &back, e);
}

static void a_newer_row_is_named_with_what_can_be_read(void **state)
{
    (void)state;
    struct err e = ERR_INIT;
    assert_newer(decode_changed(4, 2, &e), &e, "version 2", "up to version 1");
    assert_newer(decode_changed(4, (char)200, &e), &e, "version 200", "up to version 1");
    assert_newer(decode_changed(5, 4, &e), &e, "flags 4", "without flags");
    assert_newer(decode_changed(8, 7, &e), &e, "key 7", "without flags and keys");
    assert_int_equal(decode_changed(4, 0, &e), RC_CORRUPT);
    assert_int_equal(decode_changed(6, 2, &e), RC_CORRUPT);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        CASE(a_consumer_is_one_file_for_its_owner_alone),
        CASE(of_a_consumer_that_is_let_go_nothing_is_open_and_it_can_be_read_again),
        CASE(a_folder_that_is_not_there_is_not_found_for_a_reader),
        CASE(two_writers_in_one_process_fence_each_other_by_generation),
        CASE(a_writer_killed_at_any_moment_loses_no_acknowledged_commit),
        CASE(a_damaged_file_does_not_hide_the_names_of_the_others),
        CASE(damage_is_refused_before_lmdb_touches_the_file),
        CASE(a_table_larger_than_one_chunk_is_walked_in_order),
        CASE(a_file_that_is_mostly_free_is_compacted_at_opening),
        CASE(what_a_crash_left_of_a_compaction_is_removed_by_the_next_writer),
        CASE(a_commit_beside_a_compaction_by_another_handle_is_not_lost),
        CASE(two_handles_that_make_the_file_at_once_both_commit),
        CASE(a_file_of_another_consumer_is_refused),
        CASE(the_rows_are_those_of_the_format_document),
        CASE(a_newer_row_is_named_with_what_can_be_read),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
