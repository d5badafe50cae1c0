/* Indexes of segments: what of them is open, which questions read what, damage. The answers themselves are the
 * conformance suite's. */
#include "tests/unit/log/log_world.h"

#include "log/pages.h"
#include "log/rlog_lmdb_priv.h"

static void append_until(struct rlog *l, rlog_off next)
{
    for (rlog_off at = log_next(l); at < next; at++)
        log_append(l, at);
}

static void maintain(struct rlog *l)
{
    struct err e = ERR_INIT;
    enum rc rc = RC_OK;
    while (rc == RC_OK)
        rc = rlog_maintain(l, &e);
    assert_int_equal(rc, RC_AGAIN);
}

static void append_key(struct rlog *l, struct slice key)
{
    char text[64];
    struct event ev = log_event(0, text);
    struct err e = ERR_INIT;
    ev.key = key;
    assert_int_equal(rlog_append(l, &ev, 1, RLOG_ANY, NULL, &e), RC_OK);
}

static rlog_off last_of(struct rlog *l, struct slice key)
{
    AUTO(rlog_found_done) struct rlog_found found = {0};
    struct err e = ERR_INIT;
    enum rc rc = rlog_last(l, key, 0, &found, &e);
    if (rc != RC_OK)
        print_error("%s\n", e.msg);
    assert_int_equal(rc, RC_OK);
    return found.event.offset;
}

/* How many segments have an index in memory; in its file; have their own file open. */
struct open_things {
    size_t in_memory, in_file, files;
};

static struct open_things look(struct rlog *log)
{
    const struct rlog_lmdb *l = lmdb_of(log);
    struct open_things n = {0};
    for (size_t i = 0; i < l->n; i++) {
        const struct lmdb_segment *s = l->segments[i];
        if (s->index && segment_index_in_file(s->index))
            n.in_file++;
        else if (s->index)
            n.in_memory++;
        n.files += s->file != NULL;
    }
    return n;
}

static size_t count_range(struct rlog *l, const struct rlog_range *range)
{
    AUTO(event_iter_freep) struct event_iter *it = NULL;
    const struct event *ev = NULL;
    struct err e = ERR_INIT;
    size_t n = 0;
    enum rc rc = rlog_cursor(l, range, &it, &e);
    while (rc == RC_OK && (rc = event_iter_next(it, &ev, &e)) == RC_OK)
        n++;
    if (rc != RC_END)
        print_error("%s\n", e.msg);
    assert_int_equal(rc, RC_END);
    return n;
}

static size_t count_live(struct rlog *l, struct slice prefix)
{
    const struct rlog_range range = {.prefix = prefix, .mode = RLOG_LIVE};
    return count_range(l, &range);
}

/* ---- What is open ---- */

static void upkeep_frees_the_indexes_in_memory(void **state)
{
    struct log_world *w = *state;
    w->opts.segment_events = 2;
    AUTO(rlog_closep) struct rlog *l = log_open(w, RLOG_WRITE);
    append_until(l, 81);
    assert_true(look(l).in_memory <= LMDB_OPEN_SEGMENTS + 1); /* nothing was written so far */
    maintain(l);
    assert_int_equal(look(l).in_memory, 1);
    for (rlog_off at = 81; at < 121; at++) {
        log_append(l, at);
        maintain(l);
        assert_int_equal(look(l).in_memory, 1); /* of the last segment */
    }
}

static void a_question_about_an_old_key_opens_each_index_once_and_one_segment(void **state)
{
    struct log_world *w = *state;
    w->opts.segment_events = 2;
    {
        AUTO(rlog_closep) struct rlog *l = log_open(w, RLOG_WRITE);
        append_key(l, SLICE("old"));
        for (int i = 0; i < 100; i++)
            append_key(l, SLICE("new"));
        maintain(l);
    }
    AUTO(rlog_closep) struct rlog *l = log_open(w, RLOG_WRITE);
    assert_int_equal(last_of(l, SLICE("old")), 1);
    struct open_things n = look(l);
    assert_int_equal(n.in_file, 50);
    assert_int_equal(n.files, 1);
    const struct segment_index *kept = lmdb_of(l)->segments[7]->index;
    const struct rlog_range every = {.until = 102};
    assert_int_equal(count_range(l, &every), 101);
    assert_true(look(l).files <= LMDB_OPEN_SEGMENTS + 1); /* reading closed and opened files */
    assert_int_equal(last_of(l, SLICE("old")), 1);
    assert_ptr_equal(lmdb_of(l)->segments[7]->index, kept);
}

static void so_many_indexes_are_open_and_those_of_the_newest_stay(void **state)
{
    struct log_world *w = *state;
    w->opts.segment_events = 1;
    AUTO(rlog_closep) struct rlog *l = log_open(w, RLOG_WRITE);
    append_key(l, SLICE("old"));
    for (int i = 0; i < LMDB_OPEN_INDEXES + 20; i++)
        append_key(l, SLICE("new"));
    maintain(l);
    const struct rlog_lmdb *x = lmdb_of(l);
    for (int i = 0; i < 2; i++) {
        assert_int_equal(last_of(l, SLICE("old")), 1);
        assert_int_equal(look(l).in_file, LMDB_OPEN_INDEXES);
        for (size_t k = x->n - LMDB_OPEN_INDEXES; k + 1 < x->n; k++)
            assert_non_null(x->segments[k]->index);
    }
}

/* Made while the segment was the last one, and too short for what it is now. */
static void an_older_segment_never_has_a_short_index(void **state)
{
    struct log_world *w = *state;
    AUTO(rlog_closep) struct rlog *l = log_open(w, RLOG_WRITE);
    append_until(l, 5);
    AUTO(rlog_closep) struct rlog *reader = log_open(w, RLOG_READ);
    struct rlog_lmdb *r = lmdb_of(reader);
    struct lmdb_use use = {0};
    AUTO(offset_list_done) struct offset_list list = {0};
    char text[64];
    struct slice key = log_event(1, text).key;
    struct err e = ERR_INIT;
    assert_int_equal(lmdb_use_segment(r, 1, &use, &e), RC_OK);
    assert_int_equal(lmdb_find_key(r, &use, key, 1, 5, &list, &e), RC_OK);
    assert_int_equal(list.n, 1);
    append_until(l, 11);
    assert_int_equal(log_next(reader), 11);
    const struct segment_index *x = use.segment->index;
    assert_true(!x || segment_index_next(x) == 9);
    list.n = 0;
    assert_int_equal(lmdb_find_key(r, &use, key, 1, 9, &list, &e), RC_OK);
    assert_int_equal(list.n, 2); /* of the offsets 1 and 6 */
    assert_int_equal(segment_index_next(use.segment->index), 9);
    lmdb_release_segment(r, &use);
}

/* ---- What is read ---- */

static void damage_frame(const struct log_world *w, rlog_off segment, rlog_off at)
{
    char path[512], name[SEGMENT_FILE_MAX];
    snprintf(path, sizeof(path), "%s/%s", w->dir, segment_file_name('s', segment, name));
    flip_frame(path, at);
}

/* Shown by damage that whoever reads the other keys' events would meet. Keys are also longer than what an index in
 * memory keeps of them. */
static void the_state_of_a_prefix_reads_no_event_of_other_keys(void **state)
{
    struct log_world *w = *state;
    char long_key[400];
    memset(long_key, 'l', sizeof(long_key));
    const struct slice keys[] = {SLICE("/configmaps/other/damaged"), SLICE("/configmaps/ns/a"),
                                 SLICE("/configmaps/ns/b"), slice_of(long_key, 400),
                                 slice_of(long_key, 399)};
    {
        AUTO(rlog_closep) struct rlog *l = log_open(w, RLOG_WRITE);
        for (int i = 0; i < 5; i++)
            append_key(l, keys[i]);
        while (log_next(l) < 10)
            append_key(l, SLICE("/configmaps/ns/a"));
        for (int i = 0; i < 5; i++)
            append_key(l, keys[i]);
        maintain(l);
    }
    AUTO(rlog_closep) struct rlog *l = log_open(w, RLOG_WRITE);
    damage_frame(w, 1, 1);
    damage_frame(w, 9, 10);
    assert_int_equal(count_live(l, SLICE("/configmaps/ns/")), 2);
    assert_int_equal(count_live(l, SLICE("/configmaps/ns/b")), 1);
    assert_int_equal(count_live(l, slice_of(long_key, 399)), 2);
    assert_int_equal(count_live(l, slice_of(long_key, 400)), 1);
    assert_int_equal(count_live(l, SLICE("/configmaps/zz")), 0);
    assert_int_equal(count_live(l, SLICE("@")), 0);
    const struct rlog_range other_shard = {.mode = RLOG_LIVE,
                                           .prefix = SLICE("/configmaps"),
                                           .shard = (rlog_key_hash(keys[0]) + 1) % 2,
                                           .shards = 2};
    size_t n = 0;
    for (int i = 1; i < 3; i++)
        n += rlog_key_hash(keys[i]) % 2 == other_shard.shard;
    assert_int_equal(count_range(l, &other_shard), n);
}

/* ---- Damage ---- */

static void index_path(const struct log_world *w, char path[512])
{
    char name[SEGMENT_FILE_MAX];
    snprintf(path, 512, "%s/%s", w->dir, segment_file_name('x', 1, name));
}

static void assert_index_opens(const struct log_world *w, bool opens)
{
    AUTO(pages_closep) struct pages *f = NULL;
    AUTO(segment_index_freep) struct segment_index *x = NULL;
    struct segment_header h;
    struct segment_tail tail;
    struct err e = ERR_INIT;
    assert_int_equal(segment_open_file(w->dir, 1, true, &f, &e), RC_OK);
    assert_int_equal(segment_read_header(f, &h, &e), RC_OK);
    assert_int_equal(segment_read_tail(f, &h, &tail, &e), RC_OK);
    assert_int_equal(segment_index_open(w->dir, 1, &tail, &x, &e) == RC_OK, opens);
}

/* Its head row, which is looked at when it is opened; or all of it is gone. */
static void an_index_that_does_not_open_is_written_again_by_upkeep(void **state)
{
    struct log_world *w = *state;
    char path[512], bytes[1 << 16], text[64];
    {
        AUTO(rlog_closep) struct rlog *l = log_open(w, RLOG_WRITE);
        append_until(l, 12);
        maintain(l);
    }
    index_path(w, path);
    for (int gone = 0; gone < 2; gone++) {
        AUTO(rlog_closep) struct rlog *l = log_open(w, RLOG_WRITE);
        int fd = open(path, O_RDONLY);
        ssize_t n = read(fd, bytes, sizeof(bytes));
        close(fd);
        assert_true(n > 0);
        const char *magic = memmem(bytes, (size_t)n, "RSLX", 4);
        assert_non_null(magic);
        if (gone)
            assert_int_equal(unlink(path), 0);
        else
            flip_bit(path, (uint64_t)(magic - bytes) * 8);
        assert_index_opens(w, false);
        assert_int_equal(last_of(l, log_event(3, text).key), 8);
        maintain(l);
        assert_index_opens(w, true);
        assert_int_equal(last_of(l, log_event(3, text).key), 8);
        assert_int_equal(look(l).in_file, 1);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        LOG_CASE(upkeep_frees_the_indexes_in_memory),
        LOG_CASE(a_question_about_an_old_key_opens_each_index_once_and_one_segment),
        LOG_CASE(so_many_indexes_are_open_and_those_of_the_newest_stay),
        LOG_CASE(an_older_segment_never_has_a_short_index),
        LOG_CASE(the_state_of_a_prefix_reads_no_event_of_other_keys),
        LOG_CASE(an_index_that_does_not_open_is_written_again_by_upkeep),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
