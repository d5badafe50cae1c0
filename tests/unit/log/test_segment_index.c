/* The index in memory and in its file give the same answers as looking at every event. */
#include "tests/unit/log/log_world.h"

#include "log/pages.h"
#include "log/segment_index.h"
#include "tests/unit/format/golden.h"

#define EVENTS   400
#define KEYS     23
#define KEY_TEXT 1000

/* Key i; every fourth is longer than a row's key may be, two of those begin alike for 500 bytes. */
static struct slice key_of(unsigned i, char *text)
{
    bool is_long = i % 4 == 3;
    size_t n = (size_t)snprintf(text, KEY_TEXT, "/configmaps/ns/%02u", is_long ? 0 : i);
    if (is_long) {
        memset(text + n, 'x', 600);
        n += 600;
        n += (size_t)snprintf(text + n, KEY_TEXT - n, "%02u", i);
    }
    return slice_of(text, n);
}

struct model {
    unsigned key[EVENTS];
    enum event_op op[EVENTS];
};

static void make_model(struct log_world *w, struct model *m)
{
    for (int i = 0; i < EVENTS; i++) {
        m->key[i] = (unsigned)rng_below(&w->rng.rng, KEYS - 1);
        m->op[i] = rng_below(&w->rng.rng, 3) ? EVENT_PUT : EVENT_DELETE;
    }
}

static struct segment_index *index_in_memory(const struct model *m)
{
    struct segment_index *x = segment_index_new(1);
    struct err e = ERR_INIT;
    char text[1024];
    assert_non_null(x);
    for (int i = 0; i < EVENTS; i++)
        assert_int_equal(segment_index_add(x, key_of(m->key[i], text), m->op[i], &e), RC_OK);
    assert_int_equal(segment_index_next(x), EVENTS + 1);
    return x;
}

static void assert_find(const struct segment_index *x, const struct model *m, unsigned key,
                        rlog_off from, rlog_off until)
{
    char text[1024];
    AUTO(offset_list_done) struct offset_list list = {0};
    struct err e = ERR_INIT;
    enum rc rc = segment_index_find(x, key_of(key, text), from, until, &list, &e);
    if (rc != RC_OK)
        print_error("%s\n", e.msg);
    assert_int_equal(rc, RC_OK);
    size_t n = 0;
    for (rlog_off at = from; at < until && at <= EVENTS; at++) {
        if (m->key[at - 1] != key)
            continue;
        assert_true(n < list.n);
        assert_int_equal(list.p[n++], at);
    }
    assert_int_equal(n, list.n);
}

struct lasts {
    const struct model *m;
    rlog_off until;
    rlog_off last[KEYS];
    unsigned n;
    bool wrong;
};

static enum rc note_last(void *arg, const uint8_t id[SEGMENT_INDEX_ID], rlog_off last,
                         enum event_op op, struct err *e)
{
    (void)e;
    struct lasts *l = arg;
    char text[1024];
    uint8_t expected[SEGMENT_INDEX_ID];
    unsigned key = l->m->key[last - 1];
    key_set_id(key_of(key, text), expected);
    l->wrong = l->wrong || l->last[key] || op != l->m->op[last - 1] ||
               memcmp(id, expected, sizeof(expected)) != 0;
    l->last[key] = last;
    l->n++;
    return RC_OK;
}

static void assert_each(const struct segment_index *x, const struct model *m, rlog_off from,
                        rlog_off until)
{
    struct lasts l = {.m = m};
    struct err e = ERR_INIT;
    unsigned n = 0;
    const struct rlog_range range = {.from = from, .until = until};
    assert_int_equal(segment_index_each(x, &range, note_last, &l, &e), RC_OK);
    assert_false(l.wrong);
    for (unsigned key = 0; key < KEYS; key++) {
        rlog_off last = 0;
        for (rlog_off at = from; at < until && at <= EVENTS; at++)
            last = m->key[at - 1] == key ? at : last;
        assert_int_equal(l.last[key], last);
        n += last != 0;
    }
    assert_int_equal(l.n, n);
}

static void assert_answers(struct log_world *w, const struct segment_index *x,
                           const struct model *m)
{
    for (int i = 0; i < 200; i++) {
        rlog_off from = 1 + rng_below(&w->rng.rng, EVENTS);
        rlog_off until = from + rng_below(&w->rng.rng, EVENTS + 2 - from);
        if (i == 0)
            from = 1, until = EVENTS + 1;
        assert_find(x, m, (unsigned)rng_below(&w->rng.rng, KEYS), from, until);
        if (i % 5 == 0)
            assert_each(x, m, from, until);
    }
}

static void the_index_in_memory_answers_as_a_scan(void **state)
{
    struct log_world *w = *state;
    struct model m;
    make_model(w, &m);
    AUTO(segment_index_freep) struct segment_index *x = index_in_memory(&m);
    assert_answers(w, x, &m);
    segment_index_free(NULL);
}

/* A sealed segment of the model's events. */
static void make_segment(struct log_world *w, const struct model *m)
{
    w->opts.segment_events = EVENTS;
    w->opts.segment_bytes = 8u << 20;
    AUTO(rlog_closep) struct rlog *l = log_open(w, RLOG_WRITE);
    struct err e = ERR_INIT;
    char text[1024], body[64];
    for (int i = 0; i < EVENTS; i++) {
        struct event ev = log_event((unsigned)i, body);
        ev.key = key_of(m->key[i], text);
        ev.op = m->op[i];
        assert_int_equal(rlog_append(l, &ev, 1, RLOG_ANY, NULL, &e), RC_OK);
    }
    assert_int_equal(segment_index_write(w->dir, 1, &e), RC_INVALID); /* not sealed */
    struct event ev = log_event(0, body);
    assert_int_equal(rlog_append(l, &ev, 1, RLOG_ANY, NULL, &e), RC_OK);
}

static struct segment_tail read_tail(const struct log_world *w)
{
    AUTO(pages_closep) struct pages *f = NULL;
    struct segment_header h;
    struct segment_tail tail;
    struct err e = ERR_INIT;
    assert_int_equal(segment_open_file(w->dir, 1, true, &f, &e), RC_OK);
    assert_int_equal(segment_read_header(f, &h, &e), RC_OK);
    assert_int_equal(segment_read_tail(f, &h, &tail, &e), RC_OK);
    return tail;
}

static void the_file_answers_as_a_scan(void **state)
{
    struct log_world *w = *state;
    struct model m;
    struct err e = ERR_INIT;
    make_model(w, &m);
    make_segment(w, &m);
    assert_int_equal(segment_index_write(w->dir, 1, &e), RC_OK);
    assert_int_equal(segment_index_write(w->dir, 1, &e), RC_OK); /* again, over the old one */
    const struct segment_tail tail = read_tail(w);
    AUTO(segment_index_freep) struct segment_index *x = NULL;
    assert_int_equal(segment_index_open(w->dir, 1, &tail, &x, &e), RC_OK);
    assert_int_equal(segment_index_next(x), EVENTS + 1);
    assert_answers(w, x, &m);
}

static void a_file_of_another_segment_is_refused(void **state)
{
    struct log_world *w = *state;
    struct model m;
    struct err e = ERR_INIT;
    make_model(w, &m);
    make_segment(w, &m);
    struct segment_tail tail = read_tail(w);
    struct segment_index *x = NULL;
    assert_int_equal(segment_index_open(w->dir, 1, &tail, &x, &e), RC_NOTFOUND);
    assert_int_equal(segment_index_write(w->dir, 1, &e), RC_OK);
    tail.after.frame[31] ^= 1;
    assert_int_equal(segment_index_open(w->dir, 1, &tail, &x, &e), RC_CORRUPT);
    tail.after.frame[31] ^= 1;
    tail.next++;
    assert_int_equal(segment_index_open(w->dir, 1, &tail, &x, &e), RC_CORRUPT);
    assert_null(x);
}

/* Every answer of a damaged file is right, or CORRUPT. */
static void damage_of_the_file_gives_no_wrong_answer(void **state)
{
    struct log_world *w = *state;
    struct model m;
    struct err e = ERR_INIT;
    char path[512], text[1024];
    make_model(w, &m);
    make_segment(w, &m);
    const struct segment_tail tail = read_tail(w);
    assert_int_equal(segment_index_write(w->dir, 1, &e), RC_OK);
    snprintf(path, sizeof(path), "%s/x-00000000000000000001.mdb", w->dir);
    const struct rlog_range all = {.from = 1, .until = EVENTS + 1};
    uint64_t bits = file_bits(path);
    unsigned seen = 0;
    for (uint64_t bit = 0; bit < bits; bit += 211) {
        struct segment_index *x = NULL;
        struct lasts l = {.m = &m};
        flip_bit(path, bit);
        enum rc rc = segment_index_open(w->dir, 1, &tail, &x, &e);
        for (unsigned key = 0; rc == RC_OK && key < KEYS; key++) {
            AUTO(offset_list_done) struct offset_list list = {0};
            rc = segment_index_find(x, key_of(key, text), 1, EVENTS + 1, &list, &e);
            if (rc == RC_OK)
                assert_find(x, &m, key, 1, EVENTS + 1);
        }
        if (rc == RC_OK)
            rc = segment_index_each(x, &all, note_last, &l, &e);
        assert_false(l.wrong);
        assert_true(rc != RC_OK || l.n == KEYS - 1);
        assert_true(rc == RC_OK || rc == RC_CORRUPT || rc == RC_UNSUPPORTED);
        seen += rc != RC_OK;
        segment_index_free(x);
        flip_bit(path, bit);
    }
    assert_true(seen > 20);
}

/* A sealed segment with its index, of 2,000 events in which only the last one is of `last`. */
static void make_busy_segment(struct log_world *w, struct slice busy, struct slice last)
{
    struct err e = ERR_INIT;
    char text[64];
    w->opts.segment_events = 2000;
    AUTO(rlog_closep) struct rlog *l = log_open(w, RLOG_WRITE);
    static struct event batch[2000];
    for (int i = 0; i < 2000; i++) {
        batch[i] = log_event(0, text);
        batch[i].key = i < 1999 ? busy : last;
    }
    assert_int_equal(rlog_append(l, batch, 2000, RLOG_ANY, NULL, &e), RC_OK);
    assert_int_equal(rlog_append(l, batch, 1, RLOG_ANY, NULL, &e), RC_OK);
    assert_int_equal(segment_index_write(w->dir, 1, &e), RC_OK);
}

/* Flips a bit `at` bytes behind the beginning of what is found in the index. */
static void damage_index(const struct log_world *w, const char *what, size_t n, size_t at)
{
    char path[512];
    snprintf(path, sizeof(path), "%s/x-00000000000000000001.mdb", w->dir);
    AUTO(freep) char *bytes = malloc(1u << 17);
    int fd = open(path, O_RDONLY);
    ssize_t size = read(fd, bytes, 1u << 17);
    close(fd);
    const char *found = size > 0 ? memmem(bytes, (size_t)size, what, n) : NULL;
    assert_non_null(found);
    flip_bit(path, (uint64_t)((size_t)(found - bytes) + at) * 8);
}

static struct segment_index *open_index(const struct log_world *w)
{
    const struct segment_tail tail = read_tail(w);
    struct segment_index *x = NULL;
    struct err e = ERR_INIT;
    assert_int_equal(segment_index_open(w->dir, 1, &tail, &x, &e), RC_OK);
    return x;
}

/* The row of a busy key has many entries; who asks for the key behind it reads only what proves that there is none. */
static void a_miss_does_not_read_the_entries_of_its_neighbour(void **state)
{
    struct log_world *w = *state;
    struct err e = ERR_INIT;
    make_busy_segment(w, SLICE("busy"), SLICE("busy"));
    damage_index(w, "\xe8\x03\0\0\x01\xe9\x03\0\0\x01", 10, 0); /* entries 1000 and 1001 */
    AUTO(segment_index_freep) struct segment_index *x = open_index(w);
    AUTO(offset_list_done) struct offset_list list = {0};
    assert_int_equal(segment_index_find(x, SLICE("busz"), 1, 3000, &list, &e), RC_OK);
    assert_int_equal(list.n, 0);
    assert_int_equal(segment_index_find(x, SLICE("busy"), 1, 3000, &list, &e), RC_CORRUPT);
}

static enum rc count_key(void *arg, const uint8_t id[SEGMENT_INDEX_ID], rlog_off last,
                         enum event_op op, struct err *e)
{
    (void)id;
    (void)last;
    (void)op;
    (void)e;
    ++*(unsigned *)arg;
    return RC_OK;
}

static void a_walk_with_a_prefix_reads_no_row_behind_it(void **state)
{
    struct log_world *w = *state;
    struct err e = ERR_INIT;
    unsigned n = 0;
    make_busy_segment(w, SLICE("aa"), SLICE("zz"));
    damage_index(w, "\x03\0kzz", 5,
                 5); /* the checksum of the row "zz": it lies behind length and key */
    AUTO(segment_index_freep) struct segment_index *x = open_index(w);
    const struct rlog_range a = {.from = 1, .until = 3000, .prefix = SLICE("a")};
    const struct rlog_range m = {.from = 1, .until = 3000, .prefix = SLICE("m")};
    const struct rlog_range all = {.from = 1, .until = 3000};
    assert_int_equal(segment_index_each(x, &a, count_key, &n, &e), RC_OK);
    assert_int_equal(segment_index_each(x, &m, count_key, &n, &e), RC_OK);
    assert_int_equal(n, 1);
    assert_int_equal(segment_index_each(x, &all, count_key, &n, &e), RC_CORRUPT);
}

/* What each walk with a prefix gives is what a scan gives, for prefixes shorter and longer than a row's key. */
static void a_walk_with_a_prefix_gives_the_keys_that_begin_with_it(void **state)
{
    struct log_world *w = *state;
    struct model m;
    struct err e = ERR_INIT;
    make_model(w, &m);
    make_segment(w, &m);
    assert_int_equal(segment_index_write(w->dir, 1, &e), RC_OK);
    AUTO(segment_index_freep) struct segment_index *x = open_index(w);
    for (unsigned key = 0; key < KEYS; key++) {
        char text[1024], other[1024];
        struct slice whole = key_of(key, text);
        for (size_t n = 0; n <= whole.n; n += n < 20 ? 1 : 29) {
            const struct rlog_range range = {
                .from = 1, .until = EVENTS + 1, .prefix = slice_of(whole.p, n)};
            struct lasts l = {.m = &m};
            assert_int_equal(segment_index_each(x, &range, note_last, &l, &e), RC_OK);
            assert_false(l.wrong);
            for (unsigned k = 0; k < KEYS - 1; k++)
                assert_int_equal(l.last[k] != 0, slice_starts(key_of(k, other), range.prefix));
        }
    }
}

static void a_set_of_keys_knows_what_it_has(void **state)
{
    (void)state;
    AUTO(key_set_freep) struct key_set *s = key_set_new();
    struct err e = ERR_INIT;
    for (int round = 0; round < 2; round++) {
        for (unsigned i = 0; i < 1000; i++) {
            char text[16];
            uint8_t id[SEGMENT_INDEX_ID];
            bool is_new = false;
            snprintf(text, sizeof(text), "%u", i);
            key_set_id(slice_str(text), id);
            assert_int_equal(key_set_add(s, id, &is_new, &e), RC_OK);
            assert_int_equal(is_new, round == 0);
        }
    }
    key_set_free(NULL);
}

/* ---- The rows' bytes ---- */

/* A sealed segment of two events with its index, whose path it gives. */
static void make_pair(struct log_world *w, char path[512])
{
    struct err e = ERR_INIT;
    w->opts.segment_events = 2;
    AUTO(rlog_closep) struct rlog *l = log_open(w, RLOG_WRITE);
    for (rlog_off at = 1; at <= 3; at++)
        log_append(l, at);
    assert_int_equal(segment_index_write(w->dir, 1, &e), RC_OK);
    snprintf(path, 512, "%s/x-00000000000000000001.mdb", w->dir);
}

/* Its checksums and the chain are of frames that another zstd may write otherwise; opening checks them. */
static void assert_head_row(const struct log_world *w, struct slice value)
{
    const struct segment_tail tail = read_tail(w);
    assert_true(value.n > 8 + SHA256_SIZE);
    size_t n = value.n - SHA256_SIZE;
    assert_golden(slice_of(value.p + 8, n - 8),
                  "1100 0000 02000000 'k/configmaps/ns/1' "
                  "'RSLX' 02000000 0100000000000000 0300000000000000");
    assert_memory_equal(value.p + n, tail.after.frame, SHA256_SIZE);
}

static void the_rows_are_those_of_the_format_document(void **state)
{
    struct log_world *w = *state;
    AUTO(pages_closep) struct pages *f = NULL;
    AUTO(pages_row_done) struct pages_row row = {0};
    AUTO(buf_done) struct buf value = BUF_INIT(4096);
    struct err e = ERR_INIT;
    char path[512];
    make_pair(w, path);
    assert_int_equal(pages_open(path, PAGES_FROZEN, &f, &e), RC_OK);
    assert_int_equal(pages_find(f, PAGES_AT_LEAST, SLICE_NULL, &row, &value, &e), RC_OK);
    assert_golden(row.key, "'h'");
    assert_head_row(w, buf_slice(&value));
    buf_reset(&value);
    assert_int_equal(pages_next(f, &row, &value, &e), RC_OK);
    assert_golden(row.key, "'k/configmaps/ns/1'");
    assert_golden(buf_slice(&value),
                  "fe490ec7 36f519b7 1100 0000 01000000 'k/configmaps/ns/2' 00*4 01");
    buf_reset(&value);
    assert_int_equal(pages_next(f, &row, &value, &e), RC_OK);
    assert_golden(row.key, "'k/configmaps/ns/2'");
    assert_golden(buf_slice(&value), "08ca25d8 9a9a088f 0000 0000 01000000 01000000 01");
    assert_int_equal(pages_next(f, &row, NULL, &e), RC_END);
}

/* Gives the index another version, with right checksums. */
static void set_version(const char *path, uint32_t version)
{
    static char bytes[1u << 16];
    const size_t front = 16 + strlen("k/configmaps/ns/1");
    chmod(path, 0600);
    int fd = open(path, O_RDWR);
    ssize_t n = read(fd, bytes, sizeof(bytes));
    assert_true(n > 0);
    char *entries = memmem(bytes, (size_t)n, "RSLX", 4);
    assert_non_null(entries);
    char *row = entries - front;
    le_put_u32(entries + 4, version);
    le_put_u32(row + 4, crc32c(0, entries, 56));
    le_put_u32(row, crc32c(crc32c(0, "h", 1), row + 4, front - 4));
    assert_int_equal(pwrite(fd, bytes, (size_t)n, 0), n);
    close(fd);
}

static void another_version_is_named_with_what_can_be_read_and_made_anew(void **state)
{
    struct log_world *w = *state;
    struct segment_index *x = NULL;
    struct err e = ERR_INIT;
    char path[512];
    make_pair(w, path);
    const struct segment_tail tail = read_tail(w);
    set_version(path, 3);
    assert_newer(segment_index_open(w->dir, 1, &tail, &x, &e), &e, "of version 3", "reads 2");
    AUTO(rlog_closep) struct rlog *l = log_open(w, RLOG_WRITE);
    AUTO(rlog_found_done) struct rlog_found found = {0};
    assert_int_equal(rlog_last(l, SLICE("/configmaps/ns/1"), 0, &found, &e), RC_OK);
    assert_int_equal(found.event.offset, 1);
    while (rlog_maintain(l, &e) == RC_OK)
        ;
    assert_int_equal(segment_index_open(w->dir, 1, &tail, &x, &e), RC_OK);
    segment_index_free(x);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        LOG_CASE(the_index_in_memory_answers_as_a_scan),
        LOG_CASE(the_file_answers_as_a_scan),
        LOG_CASE(a_file_of_another_segment_is_refused),
        LOG_CASE(damage_of_the_file_gives_no_wrong_answer),
        LOG_CASE(a_miss_does_not_read_the_entries_of_its_neighbour),
        LOG_CASE(a_walk_with_a_prefix_reads_no_row_behind_it),
        LOG_CASE(a_walk_with_a_prefix_gives_the_keys_that_begin_with_it),
        LOG_CASE(the_rows_are_those_of_the_format_document),
        LOG_CASE(another_version_is_named_with_what_can_be_read_and_made_anew),
        LOG_CASE(a_set_of_keys_knows_what_it_has),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
