/* Reading LMDB files without LMDB, compared with LMDB itself. */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>

#include "core/buf.h"
#include "core/le.h"
#include "core/rng.h"
#include "log/pages.h"
#include "tests/conformance/temp_dir.h"
#include "tests/unit/format/golden.h"

#include <fcntl.h>
#include <lmdb.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <unistd.h>

#define PAGE 4096

struct world {
    char *dir;
    char path[256];
    MDB_env *env;
    struct rng_seeded rng;
};

static int world_setup(void **state)
{
    struct world *w = calloc(1, sizeof(*w));
    assert_non_null(w);
    w->dir = temp_dir_new();
    snprintf(w->path, sizeof(w->path), "%s/file.mdb", w->dir);
    rng_seeded_init(&w->rng, 11);
    assert_int_equal(mdb_env_create(&w->env), 0);
    assert_int_equal(mdb_env_set_mapsize(w->env, 64u << 20), 0);
    assert_int_equal(mdb_env_open(w->env, w->path, MDB_NOSUBDIR | MDB_NOLOCK | MDB_NOSYNC, 0600),
                     0);
    *state = w;
    return 0;
}

static int world_teardown(void **state)
{
    struct world *w = *state;
    mdb_env_close(w->env);
    temp_dir_free(w->dir);
    free(w);
    return 0;
}

static void put_in(MDB_txn *txn, struct slice key, struct slice value)
{
    MDB_dbi dbi;
    assert_int_equal(mdb_dbi_open(txn, NULL, 0, &dbi), 0);
    MDB_val k = {key.n, (void *)(uintptr_t)key.p}, v = {value.n, (void *)(uintptr_t)value.p};
    if (value.p)
        assert_int_equal(mdb_put(txn, dbi, &k, &v, 0), 0);
    else
        mdb_del(txn, dbi, &k, NULL);
}

/* `n` rows of random keys and sizes, some of them deleted again, in several commits. */
static void fill(struct world *w, unsigned n)
{
    static char bytes[20000];
    MDB_txn *txn = NULL;
    for (unsigned i = 0; i < n; i++) {
        if (i % 37 == 0) {
            if (txn)
                assert_int_equal(mdb_txn_commit(txn), 0);
            assert_int_equal(mdb_txn_begin(w->env, NULL, 0, &txn), 0);
        }
        char key[600];
        size_t key_n = 1 + (size_t)rng_below(&w->rng.rng, i % 10 ? 20 : 511);
        for (size_t k = 0; k < key_n; k++)
            key[k] = (char)('a' + rng_below(&w->rng.rng, 3));
        size_t value_n = (size_t)rng_below(&w->rng.rng, i % 5 ? 200 : sizeof(bytes));
        bool gone = rng_below(&w->rng.rng, 4) == 0;
        put_in(txn, slice_of(key, key_n), gone ? SLICE_NULL : slice_of(bytes, value_n));
    }
    assert_int_equal(mdb_txn_commit(txn), 0);
}

static struct pages *open_pages(const struct world *w, unsigned flags)
{
    struct pages *f = NULL;
    struct err e = ERR_INIT;
    enum rc rc = pages_open(w->path, flags, &f, &e);
    if (rc != RC_OK)
        print_error("%s\n", e.msg);
    assert_int_equal(rc, RC_OK);
    return f;
}

static void assert_row(const struct pages_row *row, const struct buf *value, const MDB_val *k,
                       const MDB_val *v)
{
    assert_true(slice_eq(row->key, slice_of(k->mv_data, k->mv_size)));
    assert_true(slice_eq(buf_slice(value), slice_of(v->mv_data, v->mv_size)));
}

/* Each row is found by its key, as the next one, and from between its neighbours. */
static void a_walk_gives_what_lmdb_gives(void **state)
{
    struct world *w = *state;
    fill(w, 3000);
    for (int frozen = 0; frozen < 2; frozen++) {
        AUTO(pages_closep) struct pages *f = open_pages(w, frozen ? PAGES_FROZEN : 0);
        AUTO(pages_row_done) struct pages_row row = {0}, walk = {0};
        AUTO(buf_done) struct buf value = BUF_INIT(1u << 20);
        struct err e = ERR_INIT;
        struct pages_commit commit;
        MDB_txn *txn = NULL;
        MDB_cursor *cursor = NULL;
        MDB_val k, v;
        MDB_dbi dbi;
        char last[600];
        size_t last_n = 0, count = 0;
        assert_int_equal(mdb_txn_begin(w->env, NULL, MDB_RDONLY, &txn), 0);
        assert_int_equal(mdb_dbi_open(txn, NULL, 0, &dbi), 0);
        assert_int_equal(mdb_cursor_open(txn, dbi, &cursor), 0);
        assert_int_equal(pages_newest(f, &commit, &e), RC_OK);
        enum rc rc = pages_find(f, PAGES_AT_LEAST, SLICE_NULL, &walk, &value, &e);
        while (mdb_cursor_get(cursor, &k, &v, MDB_NEXT) == 0) {
            assert_int_equal(rc, RC_OK);
            assert_row(&walk, &value, &k, &v);
            buf_reset(&value);
            struct slice key = slice_of(k.mv_data, k.mv_size);
            assert_int_equal(pages_find(f, PAGES_AT_LEAST, key, &row, &value, &e), RC_OK);
            assert_row(&row, &value, &k, &v);
            buf_reset(&value);
            assert_int_equal(pages_find(f, PAGES_ABOVE, slice_of(last, last_n), &row, &value, &e),
                             RC_OK);
            assert_row(&row, &value, &k, &v);
            buf_reset(&value);
            memcpy(last, k.mv_data, k.mv_size);
            last_n = k.mv_size;
            rc = frozen ? pages_next(f, &walk, &value, &e)
                        : pages_next_in(f, &commit, &walk, &value, &e);
            count++;
        }
        assert_int_equal(rc, RC_END);
        assert_true(count > 1000);
        mdb_cursor_close(cursor);
        mdb_txn_abort(txn);
    }
}

static enum rc count_row(void *arg, const struct pages_row *row, struct err *e)
{
    (void)row;
    (void)e;
    ++*(size_t *)arg;
    return RC_OK;
}

static void verify_counts_rows_and_pages(void **state)
{
    struct world *w = *state;
    fill(w, 2000);
    AUTO(pages_closep) struct pages *f = open_pages(w, 0);
    struct pages_usage usage;
    struct err e = ERR_INIT;
    size_t rows = 0;
    enum rc rc = pages_verify(f, count_row, &rows, &usage, &e);
    if (rc != RC_OK)
        print_error("%s\n", e.msg);
    assert_int_equal(rc, RC_OK);
    MDB_stat stat;
    MDB_envinfo info;
    assert_int_equal(mdb_env_stat(w->env, &stat), 0);
    assert_int_equal(mdb_env_info(w->env, &info), 0);
    assert_int_equal(rows, stat.ms_entries);
    assert_int_equal(usage.pages, info.me_last_pgno + 1);
    assert_true(usage.free > 0 && usage.free < usage.pages);
}

static void an_empty_file_has_no_rows(void **state)
{
    struct world *w = *state;
    AUTO(pages_closep) struct pages *f = open_pages(w, PAGES_ROW_A_TXN);
    AUTO(pages_row_done) struct pages_row row = {0};
    struct err e = ERR_INIT;
    assert_int_equal(pages_find(f, PAGES_AT_LEAST, SLICE_NULL, &row, NULL, &e), RC_END);
    assert_int_equal(pages_find(f, PAGES_AT_MOST, SLICE("x"), &row, NULL, &e), RC_END);
    assert_int_equal(pages_verify(f, NULL, NULL, NULL, &e), RC_OK);
}

static uint64_t read_u64(const struct world *w, off_t at)
{
    char p[8];
    int fd = open(w->path, O_RDONLY);
    assert_int_equal(pread(fd, p, 8, at), 8);
    close(fd);
    return le_get_u64(p);
}

static void write_u64(const struct world *w, off_t at, uint64_t v)
{
    char p[8];
    le_put_u64(p, v);
    int fd = open(w->path, O_WRONLY);
    assert_int_equal(pwrite(fd, p, 8, at), 8);
    close(fd);
}

/* The slot of the newer meta page. */
static off_t newest_meta(const struct world *w)
{
    return read_u64(w, 144) > read_u64(w, PAGE + 144) ? 0 : PAGE;
}

/* LMDB itself would give such a page away at the next commit. */
static void a_free_list_that_names_a_page_in_use_is_damage(void **state)
{
    struct world *w = *state;
    fill(w, 2000);
    off_t meta = newest_meta(w);
    uint64_t rows_root = read_u64(w, meta + 88 + 40), free_root = read_u64(w, meta + 40 + 40);
    off_t leaf = (off_t)free_root * PAGE;
    unsigned node = (unsigned)(read_u64(w, leaf + 16) & 0xffff);
    uint64_t flags = read_u64(w, leaf + node) >> 32 & 0xffff;
    off_t list = flags ? (off_t)read_u64(w, leaf + node + 16) * PAGE + 16 : leaf + node + 16;
    uint64_t n = read_u64(w, list);
    assert_true(n > 0);
    uint64_t low = n > 1 ? read_u64(w, list + 16) : 0;
    uint64_t high = UINT64_MAX;
    /* keep the list falling, so that only the double use can be the damage */
    off_t at = list + 8;
    for (uint64_t i = 1; i <= n && !(rows_root < high && rows_root > low); i++) {
        high = read_u64(w, list + 8 * (off_t)i);
        at = list + 8 * (off_t)(i + 1);
        low = i + 2 <= n ? read_u64(w, list + 8 * (off_t)(i + 2)) : 0;
    }
    if (at > list + 8 * (off_t)n)
        at = list + 8 * (off_t)n;
    write_u64(w, at, rows_root);
    AUTO(pages_closep) struct pages *f = open_pages(w, 0);
    struct err e = ERR_INIT;
    assert_int_equal(pages_verify(f, NULL, NULL, NULL, &e), RC_CORRUPT);
}

static void add_counted_rows(struct world *w, unsigned n)
{
    for (unsigned i = 0; i < n; i++) {
        MDB_txn *txn = NULL;
        char key[8] = {0, 0, 0, 0, 0, 0, (char)(uint8_t)(i >> 8), (char)(uint8_t)i};
        assert_int_equal(mdb_txn_begin(w->env, NULL, 0, &txn), 0);
        put_in(txn, slice_of(key, 8), SLICE("value"));
        assert_int_equal(mdb_txn_commit(txn), 0);
    }
}

/* What LMDB leaves when the write of the meta page failed, and what a lost bit of the number looks like. */
static void a_commit_whose_number_was_lost_is_found_and_mended(void **state)
{
    struct world *w = *state;
    add_counted_rows(w, 7);
    off_t meta = newest_meta(w);
    assert_int_equal(read_u64(w, meta + 144), 7);
    write_u64(w, meta + 144, 5);
    write_u64(w, meta + 136, 3); /* LMDB puts the last page back as well */
    struct pages_commit c;
    struct err e = ERR_INIT;
    {
        AUTO(pages_closep) struct pages *f = open_pages(w, PAGES_ROW_A_TXN);
        assert_int_equal(pages_newest(f, &c, &e), RC_OK);
        assert_int_equal(c.number, 7);
        assert_true(c.unfinished);
        assert_int_equal(c.rows.entries, 7);
        size_t rows = 0;
        assert_int_equal(pages_verify(f, count_row, &rows, NULL, &e), RC_OK);
        assert_int_equal(rows, 7);
        assert_int_equal(pages_mend(f, w->path, &e), RC_OK);
    }
    AUTO(pages_closep) struct pages *f = open_pages(w, PAGES_ROW_A_TXN);
    assert_int_equal(pages_newest(f, &c, &e), RC_OK);
    assert_int_equal(c.number, 7);
    assert_false(c.unfinished);
    assert_int_equal(pages_verify(f, NULL, NULL, NULL, &e), RC_OK);
}

static void a_commit_number_that_does_not_fit_its_rows_is_damage(void **state)
{
    struct world *w = *state;
    add_counted_rows(w, 7);
    off_t meta = newest_meta(w);
    const uint64_t wrong[] = {0, 1, 3, 6, 15, 7ull << 40};
    for (size_t i = 0; i < 6; i++) {
        write_u64(w, meta + 144, wrong[i]);
        struct pages *f = NULL;
        struct err e = ERR_INIT;
        assert_int_equal(pages_open(w->path, PAGES_ROW_A_TXN, &f, &e), RC_CORRUPT);
        assert_null(f);
    }
}

static void files_that_are_none_are_refused(void **state)
{
    struct world *w = *state;
    add_counted_rows(w, 2);
    struct pages *f = NULL;
    struct err e = ERR_INIT;
    assert_int_equal(pages_open("/nonexistent/x", 0, &f, &e), RC_NOTFOUND);
    write_u64(w, 16, 0x1beefc0deull + (1ull << 32)); /* another data version */
    assert_newer(pages_open(w->path, 0, &f, &e), &e, "data version 2", "reads 1");
    write_u64(w, 16, 0x1dec0efbeull); /* the other byte order */
    assert_int_equal(pages_open(w->path, 0, &f, &e), RC_UNSUPPORTED);
    write_u64(w, 16, 42);
    assert_int_equal(pages_open(w->path, 0, &f, &e), RC_CORRUPT);
    assert_int_equal(truncate(w->path, 100), 0);
    assert_int_equal(pages_open(w->path, 0, &f, &e), RC_CORRUPT);
    assert_int_equal(truncate(w->path, 0), 0);
    assert_int_equal(pages_open(w->path, 0, &f, &e), RC_CORRUPT);
    assert_null(f);
    pages_close(NULL);
}

/* ---- While it is written ---- */

#define COUNTERS 40

/* Every commit sets all rows to one number, and makes and frees pages. */
static void set_all(MDB_env *env, uint64_t v)
{
    MDB_txn *txn = NULL;
    static char value[3000];
    if (mdb_txn_begin(env, NULL, 0, &txn) != 0)
        abort();
    MDB_dbi dbi;
    if (mdb_dbi_open(txn, NULL, 0, &dbi) != 0)
        abort();
    for (int i = 0; i < COUNTERS; i++) {
        char key[2] = {'k', (char)('A' + i)};
        le_put_u64(value, v);
        MDB_val k = {2, key}, val = {i % 4 ? 300 : sizeof(value), value};
        if (mdb_put(txn, dbi, &k, &val, 0) != 0)
            abort();
    }
    if (mdb_txn_commit(txn) != 0)
        abort();
}

struct follower {
    struct pages *f;
    atomic_bool *stop;
    const char *wrong;
    unsigned whole;
};

/* Reads all rows of one commit; true if it stood, and then they must be of one number. */
static bool read_all_rows(struct follower *r)
{
    struct pages_commit c;
    struct pages_row row = {0};
    struct buf value = BUF_INIT(1u << 16);
    struct err e = ERR_INIT;
    uint64_t number = 0;
    bool same = true;
    enum rc rc = pages_newest(r->f, &c, &e);
    if (rc != RC_OK)
        r->wrong = "newest failed";
    for (int i = 0; rc == RC_OK && i < COUNTERS; i++) {
        char key[2] = {'k', (char)('A' + i)};
        buf_reset(&value);
        rc = pages_find_in(r->f, &c, PAGES_AT_LEAST, slice_of(key, 2), &row, &value, &e);
        if (rc != RC_OK)
            break;
        uint64_t v = le_get_u64(value.p);
        same = same && slice_eq(row.key, slice_of(key, 2)) && (i == 0 || v == number);
        number = v;
    }
    bool stood = pages_stands(r->f, &c);
    if (stood && (rc != RC_OK || !same))
        r->wrong = "a commit that stands was not whole";
    pages_row_done(&row);
    buf_done(&value);
    return stood;
}

static void *follow(void *arg)
{
    struct follower *r = arg;
    while (!atomic_load(r->stop) && !r->wrong)
        r->whole += read_all_rows(r);
    return NULL;
}

static void a_reader_sees_whole_commits_while_lmdb_writes(void **state)
{
    struct world *w = *state;
    set_all(w->env, 1);
    AUTO(pages_closep) struct pages *f = open_pages(w, 0);
    atomic_bool stop = false;
    struct follower r = {.f = f, .stop = &stop};
    pthread_t thread;
    assert_int_equal(pthread_create(&thread, NULL, follow, &r), 0);
    for (uint64_t v = 2; v < 3000; v++)
        set_all(w->env, v);
    atomic_store(&stop, true);
    pthread_join(thread, NULL);
    assert_null(r.wrong);
    assert_true(read_all_rows(&r));
    assert_null(r.wrong);
}

int main(void)
{
#define CASE(f) cmocka_unit_test_setup_teardown(f, world_setup, world_teardown)
    const struct CMUnitTest tests[] = {
        CASE(a_walk_gives_what_lmdb_gives),
        CASE(verify_counts_rows_and_pages),
        CASE(an_empty_file_has_no_rows),
        CASE(a_free_list_that_names_a_page_in_use_is_damage),
        CASE(a_commit_whose_number_was_lost_is_found_and_mended),
        CASE(a_commit_number_that_does_not_fit_its_rows_is_damage),
        CASE(files_that_are_none_are_refused),
        CASE(a_reader_sees_whole_commits_while_lmdb_writes),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
