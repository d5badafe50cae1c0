/* The LMDB log beyond the conformance suite: crashes, damage, rolling, other processes. */
#include "tests/unit/log/log_world.h"

#include "log/pages.h"
#include "log/rlog_lmdb_priv.h"

#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdatomic.h>
#include <sys/syscall.h>
#include <sys/wait.h>

static size_t count_files(const struct log_world *w, char kind)
{
    AUTO(offset_list_done) struct offset_list list = {0};
    struct err e = ERR_INIT;
    assert_int_equal(segment_list(w->dir, kind, &list, &e), RC_OK);
    return list.n;
}

static void append_until(struct rlog *l, rlog_off next)
{
    for (rlog_off at = log_next(l); at < next; at++)
        log_append(l, at);
}

static void fill(const struct log_world *w, rlog_off next)
{
    AUTO(rlog_closep) struct rlog *l = log_open(w, RLOG_WRITE);
    append_until(l, next);
}

static void file_path(const struct log_world *w, char kind, rlog_off first, char out[512])
{
    char name[SEGMENT_FILE_MAX];
    snprintf(out, 512, "%s/%s", w->dir, segment_file_name(kind, first, name));
}

static enum rc try_open(const struct log_world *w, enum rlog_access access, struct err *e)
{
    struct rlog_lmdb_opts opts = w->opts;
    opts.access = access;
    AUTO(rlog_closep) struct rlog *l = NULL;
    return rlog_lmdb_open(&opts, &w->env, &l, e);
}

/* ---- Rolling ---- */

static void a_segment_ends_at_its_number_of_events(void **state)
{
    struct log_world *w = *state;
    AUTO(rlog_closep) struct rlog *l = log_open(w, RLOG_WRITE);
    append_until(l, 9);
    assert_int_equal(count_files(w, 's'), 1);
    append_until(l, 10);
    assert_int_equal(count_files(w, 's'), 2);
    append_until(l, 40);
    assert_int_equal(count_files(w, 's'), 5);
    assert_log_holds(l, 40);
}

static void a_segment_ends_at_its_size(void **state)
{
    struct log_world *w = *state;
    w->opts.segment_events = 0;
    AUTO(rlog_closep) struct rlog *l = log_open(w, RLOG_WRITE);
    AUTO(freep) char *noise = malloc(100000);
    struct err e = ERR_INIT;
    char text[64], path[512];
    for (int i = 0; i < 30; i++) {
        struct event ev = log_event(0, text);
        for (size_t k = 0; k + 8 <= 100000; k += 8) {
            uint64_t v = rng_u64(&w->rng.rng);
            memcpy(noise + k, &v, 8);
        }
        ev.body = slice_of(noise, 100000);
        assert_int_equal(rlog_append(l, &ev, 1, RLOG_ANY, NULL, &e), RC_OK);
    }
    size_t n = count_files(w, 's');
    assert_true(n >= 4 && n <= 8);
    file_path(w, 's', 1, path);
    assert_true(file_bits(path) / 8 <= w->opts.segment_bytes + (256u << 10));
}

static void a_segment_ends_at_its_age_but_an_empty_one_does_not(void **state)
{
    struct log_world *w = *state;
    AUTO(rlog_closep) struct rlog *l = log_open(w, RLOG_WRITE);
    struct err e = ERR_INIT;
    fake_clock_advance(&w->clock, 30 * 3600 * NS_PER_S);
    assert_int_equal(rlog_maintain(l, &e), RC_AGAIN);
    append_until(l, 2);
    assert_int_equal(count_files(w, 's'), 2 - 1);
    fake_clock_advance(&w->clock, 30 * 3600 * NS_PER_S);
    assert_int_equal(rlog_maintain(l, &e), RC_OK); /* sealed */
    assert_int_equal(count_files(w, 's'), 2);
    assert_int_equal(rlog_maintain(l, &e), RC_OK); /* indexed */
    assert_int_equal(count_files(w, 'x'), 1);
    assert_int_equal(rlog_maintain(l, &e), RC_AGAIN);
    append_until(l, 3);
    assert_log_holds(l, 3);
}

static void more_segments_than_may_be_open_are_read_in_any_order(void **state)
{
    struct log_world *w = *state;
    w->opts.segment_events = 2;
    AUTO(rlog_closep) struct rlog *l = log_open(w, RLOG_WRITE);
    append_until(l, 101);
    struct err e = ERR_INIT;
    for (int i = 0; i < 200; i++) {
        rlog_off at = 1 + rng_below(&w->rng.rng, 100);
        const struct rlog_range range = {.from = at, .until = at + 1, .all_keys = true};
        AUTO(event_iter_freep) struct event_iter *it = NULL;
        const struct event *ev = NULL;
        assert_int_equal(rlog_cursor(l, &range, &it, &e), RC_OK);
        assert_int_equal(event_iter_next(it, &ev, &e), RC_OK);
        assert_true(log_event_is(ev, at));
    }
}

/* What its header says of a segment's making may be any number. */
static void a_segment_made_in_the_farthest_past_is_old(void **state)
{
    struct log_world *w = *state;
    struct segment_header h = {.first = 1, .created_ns = INT64_MIN, .name_n = w->opts.name.n};
    const struct segment_opts opts = {.dir = w->dir, .bytes = w->opts.segment_bytes};
    struct err e = ERR_INIT;
    memcpy(h.name, w->opts.name.p, h.name_n);
    assert_int_equal(mkdir(w->dir, 0700), 0);
    assert_int_equal(segment_create(&opts, &h, &e), RC_OK);
    AUTO(rlog_closep) struct rlog *l = log_open(w, RLOG_WRITE);
    log_append(l, 1);
    assert_int_equal(count_files(w, 's'), 1);
    assert_int_equal(rlog_maintain(l, &e), RC_OK);
    assert_int_equal(count_files(w, 's'), 2);
}

/* ---- No room ---- */

/* From now on there is no room for another segment: more is to be reserved than a file can have. */
static void fill_disk(struct rlog *l)
{
    lmdb_of(l)->segment_bytes = 1ull << 60;
}

static void a_full_disk_stops_appends_but_neither_trim_nor_upkeep_nor_opening(void **state)
{
    struct log_world *w = *state;
    struct err e = ERR_INIT;
    char text[64];
    struct event ev = log_event(25, text);
    {
        AUTO(rlog_closep) struct rlog *l = log_open(w, RLOG_WRITE);
        append_until(l, 25); /* three segments, the last is full */
        fill_disk(l);
        for (int i = 0; i < 2; i++) {
            assert_int_equal(rlog_append(l, &ev, 1, 25, NULL, &e), RC_LIMIT);
            assert_int_equal(e.retry, ERR_RETRY);
        }
        assert_int_equal(rlog_maintain(l, &e), RC_OK); /* an index */
        assert_int_equal(rlog_trim(l, 9, &e), RC_OK);
        assert_int_equal(count_files(w, 's'), 2);
    }
    w->opts.segment_bytes = 1ull << 60;
    AUTO(rlog_closep) struct rlog *l = log_open(w, RLOG_WRITE);
    enum rc rc = RC_OK;
    assert_int_equal(log_read(l, 9, &rc, &e), 25);
    assert_int_equal(rlog_append(l, &ev, 1, 25, NULL, &e), RC_LIMIT);
    assert_int_equal(rlog_trim(l, 17, &e), RC_OK);
    assert_int_equal(count_files(w, 's'), 1);
    lmdb_of(l)->segment_bytes = 1u << 20; /* room */
    append_until(l, 30);
    assert_int_equal(log_read(l, 17, &rc, &e), 30);
}

static void a_log_without_room_for_its_first_segment_opens_and_waits(void **state)
{
    struct log_world *w = *state;
    struct err e = ERR_INIT;
    char text[64];
    struct event ev = log_event(1, text);
    w->opts.segment_bytes = 1ull << 60;
    AUTO(rlog_closep) struct rlog *l = log_open(w, RLOG_WRITE);
    assert_int_equal(rlog_append(l, &ev, 1, 1, NULL, &e), RC_LIMIT);
    assert_int_equal(rlog_maintain(l, &e), RC_AGAIN);
    assert_int_equal(rlog_trim(l, 17, &e), RC_OK);
    lmdb_of(l)->segment_bytes = 1u << 20;
    append_until(l, 3);
    assert_log_holds(l, 3);
}

/* ---- Trim ---- */

struct trimmer {
    struct rlog *log;
    atomic_int thread; /* its id, once it runs */
    enum rc rc;
};

static void *trim_all(void *arg)
{
    struct trimmer *t = arg;
    struct err e = ERR_INIT;
    atomic_store(&t->thread, (int)syscall(SYS_gettid));
    t->rc = rlog_trim(t->log, 17, &e);
    return NULL;
}

/* Waits until the thread waits for something. */
static void await_sleep(struct trimmer *t)
{
    char path[64], stat[256], thread_state = 'R';
    while (atomic_load(&t->thread) == 0)
        sched_yield();
    snprintf(path, sizeof(path), "/proc/self/task/%d/stat", atomic_load(&t->thread));
    while (thread_state != 'S') {
        int fd = open(path, O_RDONLY);
        ssize_t n = read(fd, stat, sizeof(stat) - 1);
        close(fd);
        assert_true(n > 0);
        stat[n] = '\0';
        thread_state = strrchr(stat, ')')[2];
    }
}

/* Readers of the same handle look at the list under the lock: what is in it must be on the disk. */
static void a_trimmed_segment_leaves_disk_and_list_in_one_step(void **state)
{
    struct log_world *w = *state;
    AUTO(rlog_closep) struct rlog *l = log_open(w, RLOG_WRITE);
    append_until(l, 20);
    struct trimmer t = {.log = l};
    pthread_t thread;
    pthread_mutex_lock(&lmdb_of(l)->lock);
    assert_int_equal(pthread_create(&thread, NULL, trim_all, &t), 0);
    await_sleep(&t); /* for the lock */
    size_t files = count_files(w, 's');
    pthread_mutex_unlock(&lmdb_of(l)->lock);
    pthread_join(thread, NULL);
    assert_int_equal(files, 3);
    assert_int_equal(t.rc, RC_OK);
    assert_int_equal(count_files(w, 's'), 1);
}

/* ---- What a crash leaves ---- */

/* Between the steps of rolling: sealed and no successor; a successor that has no name yet; an index that has none. */
static void every_step_of_rolling_is_completed_by_the_next_writer(void **state)
{
    struct log_world *w = *state;
    char path[512], tmp[600];
    fill(w, 9 + 1); /* one sealed, one of one event */
    file_path(w, 's', 9, path);
    snprintf(tmp, sizeof(tmp), "%s.tmp", path);
    assert_int_equal(rename(path, tmp), 0);
    {
        AUTO(rlog_closep) struct rlog *reader = log_open(w, RLOG_READ);
        assert_int_equal(log_next(reader), 9);
    }
    {
        AUTO(rlog_closep) struct rlog *l = log_open(w, RLOG_WRITE);
        assert_int_equal(log_next(l), 9);
        assert_int_equal(access(tmp, F_OK), -1);
        append_until(l, 12);
        assert_log_holds(l, 12);
    }
    file_path(w, 'x', 700, path); /* of a segment that a trim removed */
    close(open(path, O_CREAT | O_WRONLY, 0600));
    fill(w, 13);
    assert_int_equal(access(path, F_OK), -1);
}

static void a_missing_seal_of_an_older_segment_is_completed(void **state)
{
    struct log_world *w = *state;
    char first[512], kept[512];
    fill(w, 9); /* eight events, not sealed yet */
    file_path(w, 's', 1, first);
    char *copy = temp_dir_copy(w->dir);
    snprintf(kept, sizeof(kept), "%s/s-00000000000000000001.mdb", copy);
    fill(w, 12);
    assert_int_equal(unlink(first), 0);
    assert_int_equal(rename(kept, first), 0);
    temp_dir_free(copy);
    {
        AUTO(rlog_closep) struct rlog *l = log_open(w, RLOG_WRITE);
        assert_log_holds(l, 12);
    }
    AUTO(pages_closep) struct pages *f = NULL;
    struct segment_header h;
    struct segment_tail tail;
    struct err e = ERR_INIT;
    assert_int_equal(segment_open_file(w->dir, 1, true, &f, &e), RC_OK);
    assert_int_equal(segment_read_header(f, &h, &e), RC_OK);
    assert_int_equal(segment_read_tail(f, &h, &tail, &e), RC_OK);
    assert_true(tail.sealed);
}

/* The child says each acknowledged offset through a pipe, until it is killed. */
static void append_and_tell(const struct log_world *w, int out)
{
    struct rlog *l = NULL;
    struct err e = ERR_INIT;
    if (rlog_lmdb_open(&w->opts, &w->env, &l, &e) != RC_OK)
        _exit(3);
    struct rlog_bounds b;
    if (rlog_bounds(l, &b, &e) != RC_OK)
        _exit(4);
    for (rlog_off at = b.next;; at++) {
        char text[64];
        struct event ev = log_event((unsigned)at, text);
        if (rlog_append(l, &ev, 1, at, NULL, &e) != RC_OK)
            _exit(5);
        if (at % 5 == 0 && rlog_maintain(l, &e) < 0)
            _exit(6);
        if (write(out, &at, sizeof(at)) != (ssize_t)sizeof(at))
            _exit(7);
    }
}

static void a_writer_killed_at_any_moment_loses_nothing_acknowledged(void **state)
{
    struct log_world *w = *state;
    rlog_off acknowledged = 0;
    for (int round = 0; round < 20; round++) {
        int fds[2];
        assert_int_equal(pipe(fds), 0);
        pid_t pid = fork();
        if (pid == 0) {
            close(fds[0]);
            append_and_tell(w, fds[1]);
        }
        close(fds[1]);
        rlog_off at = 0;
        unsigned want = 1 + (unsigned)rng_below(&w->rng.rng, 40);
        while (want-- > 0 && read(fds[0], &at, sizeof(at)) == (ssize_t)sizeof(at))
            acknowledged = at;
        assert_int_equal(kill(pid, SIGKILL), 0);
        while (read(fds[0], &at, sizeof(at)) == (ssize_t)sizeof(at))
            acknowledged = at;
        close(fds[0]);
        int status = 0;
        assert_int_equal(waitpid(pid, &status, 0), pid);
        assert_true(WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL);
        AUTO(rlog_closep) struct rlog *l = log_open(w, RLOG_WRITE);
        rlog_off next = log_next(l);
        assert_true(next == acknowledged + 1 || next == acknowledged + 2);
        assert_log_holds(l, next);
    }
    assert_true(acknowledged > 20);
}

/* ---- Other processes ---- */

static void a_second_writer_is_refused_with_the_pid_of_the_first(void **state)
{
    struct log_world *w = *state;
    AUTO(rlog_closep) struct rlog *l = log_open(w, RLOG_WRITE);
    append_until(l, 3);
    char pid[32];
    struct err e = ERR_INIT;
    snprintf(pid, sizeof(pid), "process %d ", (int)getpid());
    pid_t child = fork();
    if (child == 0) {
        enum rc rc = try_open(w, RLOG_WRITE, &e);
        _exit(rc == RC_CONFLICT && e.retry == ERR_FATAL && strstr(e.msg, pid) ? 0 : 1);
    }
    int status = 1;
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_int_equal(status, 0);
    append_until(l, 5);
    assert_log_holds(l, 5);
}

static void a_reader_in_another_process_follows_over_segments(void **state)
{
    struct log_world *w = *state;
    int fds[2];
    AUTO(rlog_closep) struct rlog *l = log_open(w, RLOG_WRITE);
    append_until(l, 2);
    assert_int_equal(pipe(fds), 0);
    pid_t child = fork();
    if (child == 0) {
        struct rlog_lmdb_opts opts = w->opts;
        struct rlog *reader = NULL;
        struct err e = ERR_INIT;
        enum rc rc = RC_OK;
        opts.access = RLOG_READ;
        rlog_off at = 1;
        if (rlog_lmdb_open(&opts, &w->env, &reader, &e) != RC_OK)
            _exit(2);
        while (at && at < 60) {
            at = log_read(reader, at, &rc, &e);
            if (rc != RC_AGAIN)
                _exit(3);
            if (write(fds[1], &at, sizeof(at)) != (ssize_t)sizeof(at))
                _exit(4);
        }
        rlog_close(reader);
        _exit(at == 60 ? 0 : 5);
    }
    append_until(l, 60);
    rlog_off seen = 0;
    close(fds[1]);
    while (read(fds[0], &seen, sizeof(seen)) == (ssize_t)sizeof(seen))
        ;
    close(fds[0]);
    int status = 1;
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_int_equal(status, 0);
}

static void a_writer_whose_lock_file_is_gone_appends_no_more(void **state)
{
    struct log_world *w = *state;
    char path[512], text[64];
    AUTO(rlog_closep) struct rlog *l = log_open(w, RLOG_WRITE);
    append_until(l, 3);
    snprintf(path, sizeof(path), "%s/LOCK", w->dir);
    assert_int_equal(unlink(path), 0);
    struct event ev = log_event(3, text);
    struct err e = ERR_INIT;
    assert_int_equal(rlog_append(l, &ev, 1, 3, NULL, &e), RC_CONFLICT);
    assert_int_equal(e.retry, ERR_FATAL);
    assert_int_equal(rlog_append(l, &ev, 1, RLOG_ANY, NULL, &e), RC_CONFLICT);
    assert_log_holds(l, 3);
}

/* ---- What is refused ---- */

static void another_assets_log_is_refused(void **state)
{
    struct log_world *w = *state;
    struct err e = ERR_INIT;
    fill(w, 3);
    w->opts.name = SLICE("default/other");
    assert_int_equal(try_open(w, RLOG_WRITE, &e), RC_INVALID);
    assert_int_equal(try_open(w, RLOG_READ, &e), RC_INVALID);
    w->opts.name = SLICE_NULL;
    assert_int_equal(try_open(w, RLOG_READ, &e), RC_INVALID);
}

static void a_folder_that_is_not_there_is_not_found_and_not_made_by_a_reader(void **state)
{
    struct log_world *w = *state;
    struct err e = ERR_INIT;
    assert_int_equal(try_open(w, RLOG_READ, &e), RC_NOTFOUND);
    assert_int_equal(access(w->dir, F_OK), -1);
    assert_int_equal(mkdir(w->dir, 0700), 0);
    AUTO(rlog_closep) struct rlog *l = log_open(w, RLOG_READ); /* made, but nothing in it yet */
    assert_int_equal(log_next(l), 1);
    fill(w, 12);
    assert_log_holds(l, 12);
}

static void files_are_for_their_owner_alone_and_sealed_ones_read_only(void **state)
{
    struct log_world *w = *state;
    char path[512];
    struct stat st;
    fill(w, 12);
    assert_int_equal(stat(w->dir, &st), 0);
    assert_int_equal(st.st_mode & 0777, 0700);
    file_path(w, 's', 1, path);
    assert_int_equal(stat(path, &st), 0);
    assert_int_equal(st.st_mode & 0777, 0400);
    file_path(w, 's', 9, path);
    assert_int_equal(stat(path, &st), 0);
    assert_int_equal(st.st_mode & 0777, 0600);
}

/* ---- Damage ---- */

static void a_damaged_log_is_readable_up_to_the_first_bad_offset(void **state)
{
    struct log_world *w = *state;
    struct err e = ERR_INIT;
    enum rc rc = RC_OK;
    fill(w, 30); /* segments of 1, 9, 17, 25 */
    char path[512], gone[600];
    file_path(w, 's', 17, path);
    snprintf(gone, sizeof(gone), "%s/away", w->root);
    assert_int_equal(rename(path, gone), 0);
    assert_int_equal(try_open(w, RLOG_WRITE, &e), RC_CORRUPT);
    assert_int_equal(e.retry, ERR_FATAL);
    assert_non_null(strstr(e.msg, "first bad offset is 17"));
    {
        AUTO(rlog_closep) struct rlog *l = log_open(w, RLOG_READ);
        assert_int_equal(log_read(l, 1, &rc, &e), 17);
        assert_int_equal(rc, RC_CORRUPT);
        assert_non_null(strstr(e.msg, "17"));
        assert_int_equal(log_read(l, 25, &rc, &e), 30); /* what lies behind it is there, too */
        assert_int_equal(rc, RC_AGAIN);
    }
    assert_int_equal(rename(gone, path), 0);
    AUTO(rlog_closep) struct rlog *l = log_open(w, RLOG_WRITE);
    assert_log_holds(l, 30);
}

static void a_damaged_last_segment_is_readable_up_to_the_damage(void **state)
{
    struct log_world *w = *state;
    struct err e = ERR_INIT;
    enum rc rc = RC_OK;
    char path[512];
    fill(w, 14); /* segments of 1, 9 */
    file_path(w, 's', 9, path);
    assert_int_equal(truncate(path, 3 * 4096), 0);
    assert_int_equal(try_open(w, RLOG_WRITE, &e), RC_CORRUPT);
    AUTO(rlog_closep) struct rlog *l = log_open(w, RLOG_READ);
    rlog_off at = log_read(l, 1, &rc, &e);
    assert_true(at >= 9 && at < 14);
    assert_int_equal(rc, RC_CORRUPT);
}

/* Nothing was committed since, so a second look at the whole segment can tell nothing new. */
static void damage_is_looked_for_once(void **state)
{
    struct log_world *w = *state;
    char path[512];
    fill(w, 14); /* segments of 1, 9 */
    file_path(w, 's', 9, path);
    flip_frame(path, 13);
    AUTO(rlog_closep) struct rlog *l = log_open(w, RLOG_READ);
    assert_int_equal(log_next(l), 13);
    flip_frame(path, 10);
    assert_int_equal(log_next(l), 13);
    AUTO(rlog_closep) struct rlog *other = log_open(w, RLOG_READ);
    assert_int_equal(log_next(other), 10);
}

/* Sampled bits of all files of a log: opened for writing it refuses or holds everything; opened for reading it gives
 * nothing wrong, and stops at the damage. */
static void every_flipped_bit_of_a_log_is_seen_or_changes_nothing(void **state)
{
    struct log_world *w = *state;
    const rlog_off firsts[] = {1, 9}, next = 13;
    unsigned refused = 0, harmless = 0;
    fill(w, next);
    for (size_t i = 0; i < 2; i++) {
        char path[512];
        file_path(w, 's', firsts[i], path);
        uint64_t bits = file_bits(path);
        for (uint64_t bit = 13; bit < bits; bit += 1511) {
            struct err e = ERR_INIT;
            enum rc rc = RC_OK;
            flip_bit(path, bit);
            {
                AUTO(rlog_closep) struct rlog *reader = log_open(w, RLOG_READ);
                rlog_off at = log_read(reader, 1, &rc, &e);
                assert_true(at > 0 && (at == next || rc == RC_CORRUPT || rc == RC_UNSUPPORTED));
            }
            struct rlog *l = NULL;
            rc = rlog_lmdb_open(&w->opts, &w->env, &l, &e);
            if (rc == RC_OK && log_read(l, 1, &rc, &e) == next)
                harmless++;
            else
                refused++;
            assert_true(rc == RC_AGAIN || rc == RC_CORRUPT || rc == RC_UNSUPPORTED);
            rlog_close(l);
            flip_bit(path, bit);
        }
    }
    assert_true(refused > 5 && harmless > 5);
    AUTO(rlog_closep) struct rlog *l = log_open(w, RLOG_WRITE);
    assert_log_holds(l, next);
}

static void a_damaged_index_is_replaced_and_changes_no_answer(void **state)
{
    struct log_world *w = *state;
    struct err e = ERR_INIT;
    char path[512], text[64];
    {
        AUTO(rlog_closep) struct rlog *l = log_open(w, RLOG_WRITE);
        append_until(l, 12);
        while (rlog_maintain(l, &e) == RC_OK)
            ;
    }
    file_path(w, 'x', 1, path);
    uint64_t bits = file_bits(path);
    for (uint64_t bit = 2 * 4096 * 8; bit < bits; bit += 499) {
        flip_bit(path, bit);
        AUTO(rlog_closep) struct rlog *l = log_open(w, RLOG_READ);
        for (unsigned key = 0; key < 5; key++) {
            AUTO(rlog_found_done) struct rlog_found found = {0};
            rlog_off last = 0;
            for (rlog_off at = 1; at < 9; at++)
                last = at % 5 == key ? at : last;
            struct event ev = log_event(key, text);
            assert_int_equal(rlog_last(l, ev.key, 9, &found, &e), RC_OK);
            assert_true(log_event_is(&found.event, last));
        }
        flip_bit(path, bit);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        LOG_CASE(a_segment_ends_at_its_number_of_events),
        LOG_CASE(a_segment_ends_at_its_size),
        LOG_CASE(a_segment_ends_at_its_age_but_an_empty_one_does_not),
        LOG_CASE(more_segments_than_may_be_open_are_read_in_any_order),
        LOG_CASE(a_segment_made_in_the_farthest_past_is_old),
        LOG_CASE(a_full_disk_stops_appends_but_neither_trim_nor_upkeep_nor_opening),
        LOG_CASE(a_log_without_room_for_its_first_segment_opens_and_waits),
        LOG_CASE(a_trimmed_segment_leaves_disk_and_list_in_one_step),
        LOG_CASE(every_step_of_rolling_is_completed_by_the_next_writer),
        LOG_CASE(a_missing_seal_of_an_older_segment_is_completed),
        LOG_CASE(a_writer_killed_at_any_moment_loses_nothing_acknowledged),
        LOG_CASE(a_second_writer_is_refused_with_the_pid_of_the_first),
        LOG_CASE(a_reader_in_another_process_follows_over_segments),
        LOG_CASE(a_writer_whose_lock_file_is_gone_appends_no_more),
        LOG_CASE(another_assets_log_is_refused),
        LOG_CASE(a_folder_that_is_not_there_is_not_found_and_not_made_by_a_reader),
        LOG_CASE(files_are_for_their_owner_alone_and_sealed_ones_read_only),
        LOG_CASE(a_damaged_log_is_readable_up_to_the_first_bad_offset),
        LOG_CASE(a_damaged_last_segment_is_readable_up_to_the_damage),
        LOG_CASE(damage_is_looked_for_once),
        LOG_CASE(every_flipped_bit_of_a_log_is_seen_or_changes_nothing),
        LOG_CASE(a_damaged_index_is_replaced_and_changes_no_answer),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
