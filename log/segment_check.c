/* The check of a segment (contract in the header). Keeps: for one walk, how far it is sound.
 * Invariant: report.tail always describes the sound part, so tail.next is the first bad offset
 * whenever something is wrong. Failure modes: damage is CORRUPT; a child that a signal ended is
 * CORRUPT too, as LMDB would have taken us with it. Threads: none of its own. */
#include "log/segment_check.h"

#include "core/buf.h"
#include "log/offset_list.h"
#include "log/pages.h"
#include "log/segment_lmdb.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <lmdb.h>
#include <spawn.h>
#include <stdio.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#define CHECK_SOUND   0
#define CHECK_FAILED  1
#define CHECK_DAMAGED 5
#define MAP_SLACK     (64u << 20)

extern char **environ;

/* ---- By reading ---- */

struct check {
    const struct pages *f;
    struct segment_report *report;
    struct buf value;
    bool has_header;
    struct frame_verifier *verifier;
};

static void check_done(struct check *c)
{
    buf_done(&c->value);
    frame_verifier_free(c->verifier);
}

static enum rc check_header(struct check *c, struct err *e)
{
    struct segment_report *r = c->report;
    enum rc rc = segment_header_decode(buf_slice(&c->value), &r->header, e);
    if (rc != RC_OK)
        return rc;
    if (r->header.first != r->tail.next)
        return err_set(e, RC_CORRUPT, ERR_FATAL, "the header row says offset %" PRIu64,
                       r->header.first);
    c->has_header = true;
    r->tail = (struct segment_tail){.next = r->header.first,
                                    .epoch = r->header.epoch,
                                    .incarnation = r->header.incarnation,
                                    .time_ns = r->header.time_ns,
                                    .after = r->header.before};
    return RC_OK;
}

static enum rc check_frame(struct check *c, rlog_off first, struct err *e)
{
    struct segment_report *r = c->report;
    struct frame_head head;
    enum rc rc = first == r->tail.next ? RC_OK
                                       : err_set(e, RC_CORRUPT, ERR_FATAL,
                                                 "the next frame begins at %" PRIu64, first);
    if (rc == RC_OK)
        rc = frame_verify(c->verifier, buf_slice(&c->value), first, &r->tail.after, &head, e);
    if (rc != RC_OK)
        return rc;
    if (head.first_time_ns < r->tail.time_ns || head.epoch < r->tail.epoch)
        return err_set(e, RC_CORRUPT, ERR_FATAL, "time or epoch go backwards");
    r->frames++;
    r->events += head.count;
    r->tail = (struct segment_tail){.next = head.first + head.count,
                                    .epoch = head.epoch,
                                    .incarnation = head.incarnation,
                                    .time_ns = head.last_time_ns,
                                    .after = head.after};
    return RC_OK;
}

static enum rc check_seal(struct check *c, struct err *e)
{
    struct segment_tail sealed, *tail = &c->report->tail;
    rlog_off first = 0;
    enum rc rc = segment_seal_decode(buf_slice(&c->value), &first, &sealed, e);
    if (rc != RC_OK)
        return rc;
    if (first != c->report->header.first || sealed.next != tail->next ||
        sealed.epoch != tail->epoch || sealed.time_ns != tail->time_ns ||
        memcmp(&sealed.after, &tail->after, sizeof(sealed.after)) != 0)
        return err_set(e, RC_CORRUPT, ERR_FATAL, "the seal says that the segment ends at %" PRIu64,
                       sealed.next);
    tail->sealed = true;
    return RC_OK;
}

static enum rc check_row(void *arg, const struct pages_row *row, struct err *e)
{
    struct check *c = arg;
    enum segment_row kind;
    rlog_off first = 0;
    if (!segment_row_kind(row->key, &kind, &first) || row->n > SEGMENT_ROW_MAX ||
        c->has_header == (kind == SEGMENT_ROW_HEADER) || c->report->tail.sealed)
        return err_set(e, RC_CORRUPT, ERR_FATAL, "a row of %zu bytes is out of place", row->n);
    buf_reset(&c->value);
    char *to = buf_extend(&c->value, row->n);
    enum rc rc = to ? pages_read(c->f, row, 0, row->n, to, e) : buf_check(&c->value, "a row", e);
    if (rc != RC_OK)
        return rc;
    if (kind == SEGMENT_ROW_HEADER)
        return check_header(c, e);
    return kind == SEGMENT_ROW_SEAL ? check_seal(c, e) : check_frame(c, first, e);
}

static enum rc name_offset(enum rc rc, const struct segment_report *r, struct err *e)
{
    if (rc != RC_CORRUPT && rc != RC_UNSUPPORTED)
        return rc;
    return err_wrap(e, "the log is damaged, the first bad offset is %" PRIu64, r->tail.next);
}

enum rc segment_check_read(const struct pages *f, rlog_off first, frame_event_fn *fn, void *arg,
                           struct segment_report *ret, struct err *e)
{
    *ret = (struct segment_report){.tail.next = first};
    AUTO(check_done)
    struct check c = {.f = f, .report = ret, .verifier = frame_verifier_new(fn, arg)};
    if (!c.verifier)
        return err_nomem(e);
    buf_init(&c.value, SEGMENT_ROW_MAX);
    enum rc rc = pages_verify(f, check_row, &c, NULL, e);
    if (rc == RC_OK && !c.has_header)
        rc = err_set(e, RC_CORRUPT, ERR_FATAL, "the segment has no header row");
    return name_offset(rc, ret, e);
}

/* ---- By LMDB, in a child ---- */

static int lmdb_visit(MDB_env *env)
{
    MDB_txn *txn = NULL;
    MDB_cursor *cursor = NULL;
    MDB_dbi dbi;
    MDB_val key, value;
    uint32_t crc = 0;
    if (mdb_txn_begin(env, NULL, MDB_RDONLY, &txn) != 0)
        return CHECK_FAILED;
    int code = mdb_dbi_open(txn, NULL, 0, &dbi);
    if (code == 0)
        code = mdb_cursor_open(txn, dbi, &cursor);
    while (code == 0) {
        code = mdb_cursor_get(cursor, &key, &value, MDB_NEXT);
        if (code == 0)
            crc = crc32c(crc, value.mv_data, value.mv_size);
    }
    if (cursor)
        mdb_cursor_close(cursor);
    mdb_txn_abort(txn);
    return code == MDB_NOTFOUND ? CHECK_SOUND : code > 0 ? CHECK_FAILED : CHECK_DAMAGED;
}

static int lmdb_walk(const char *path)
{
    struct stat st;
    MDB_env *env = NULL;
    if (stat(path, &st) != 0)
        return CHECK_FAILED;
    uint64_t map = ((uint64_t)st.st_size + MAP_SLACK) & ~(uint64_t)0xffff;
    enum rc rc = segment_lmdb_open(path, "/", map, MDB_RDONLY, &env, NULL);
    if (rc != RC_OK)
        return rc == RC_CORRUPT ? CHECK_DAMAGED : CHECK_FAILED;
    int code = lmdb_visit(env);
    mdb_env_close(env);
    return code;
}

int segment_check_main(const char *path)
{
    struct err why = ERR_INIT;
    AUTO(pages_closep) struct pages *f = NULL;
    enum rc rc = pages_open(path, PAGES_ROW_A_TXN, &f, &why);
    if (rc == RC_OK)
        rc = pages_verify(f, NULL, NULL, NULL, &why);
    if (rc == RC_CORRUPT || rc == RC_UNSUPPORTED)
        return CHECK_DAMAGED;
    return rc == RC_OK ? lmdb_walk(path) : CHECK_FAILED;
}

static bool only_thread(void)
{
    DIR *d = opendir("/proc/self/task");
    if (!d)
        return false;
    int n = 0;
    for (struct dirent *entry = readdir(d); entry; entry = readdir(d))
        n += entry->d_name[0] != '.';
    closedir(d);
    return n == 1;
}

/* -1 where there is no child. */
static pid_t start_child(const char *checker, const char *path)
{
    pid_t pid = -1;
    if (!checker) {
        pid = only_thread() ? fork() : -1;
        if (pid == 0)
            _exit(segment_check_main(path));
        return pid;
    }
    char *argv[] = {(char *)(uintptr_t)checker, (char *)(uintptr_t) "__check-segment",
                    (char *)(uintptr_t)path, NULL};
    posix_spawn_file_actions_t quiet;
    if (posix_spawn_file_actions_init(&quiet) != 0)
        return -1;
    int failed = 0;
    for (int fd = 0; fd < 3; fd++)
        failed |= posix_spawn_file_actions_addopen(&quiet, fd, "/dev/null", O_RDWR, 0);
    if (failed || posix_spawn(&pid, checker, &quiet, NULL, argv, environ) != 0)
        pid = -1;
    posix_spawn_file_actions_destroy(&quiet);
    return pid;
}

static enum rc check_by_child(const char *checker, const char *path, struct err *e)
{
    pid_t pid = start_child(checker, path);
    int status = 0;
    if (pid < 0)
        return RC_OK;
    while (waitpid(pid, &status, 0) < 0) {
        if (errno != EINTR)
            return RC_OK; /* the host program reaps its own children */
    }
    if (WIFSIGNALED(status))
        return err_set(e, RC_CORRUPT, ERR_FATAL,
                       "%s: signal %d ended the process that let LMDB walk it", path,
                       WTERMSIG(status));
    if (WEXITSTATUS(status) == CHECK_DAMAGED)
        return err_set(e, RC_CORRUPT, ERR_FATAL, "%s: LMDB cannot walk it", path);
    return RC_OK;
}

enum rc segment_check_open(const char *dir, rlog_off first, const char *checker, frame_event_fn *fn,
                           void *arg, struct segment_report *ret, struct err *e)
{
    char name[SEGMENT_FILE_MAX], path[4096];
    int n = snprintf(path, sizeof(path), "%s/%s", dir, segment_file_name('s', first, name));
    if (n < 0 || (size_t)n >= sizeof(path))
        return err_set(e, RC_LIMIT, ERR_FINAL, "the name of the folder is too long: %.100s", dir);
    AUTO(pages_closep) struct pages *f = NULL;
    *ret = (struct segment_report){.tail.next = first};
    enum rc rc = pages_open(path, PAGES_ROW_A_TXN, &f, e);
    if (rc != RC_OK)
        return name_offset(rc, ret, e);
    rc = segment_check_read(f, first, fn, arg, ret, e);
    if (rc == RC_OK)
        rc = pages_mend(f, path, e);
    if (rc == RC_OK)
        rc = name_offset(check_by_child(checker, path, e), ret, e);
    return rc;
}

/* ---- A whole folder ---- */

/* The newest segment may be written meanwhile, so only what is committed for good is read, by searching: the rows that
 * it had at the beginning, as each commit adds one behind the others. */
static enum rc check_growing(const struct pages *f, rlog_off first, struct segment_report *ret,
                             struct err *e)
{
    *ret = (struct segment_report){.tail.next = first};
    AUTO(check_done)
    struct check c = {.f = f, .report = ret, .verifier = frame_verifier_new(NULL, NULL)};
    AUTO(pages_row_done) struct pages_row row = {0};
    if (!c.verifier)
        return err_nomem(e);
    buf_init(&c.value, SEGMENT_ROW_MAX);
    char key[SEGMENT_KEY_SIZE];
    size_t n = 0;
    struct pages_commit commit;
    enum rc rc = pages_newest(f, &commit, e);
    for (uint64_t rows = 0; rc == RC_OK && rows < commit.rows.entries; rows++) {
        enum pages_how how = rows == 0 ? PAGES_AT_LEAST : PAGES_ABOVE;
        rc = pages_find(f, how, slice_of(key, n), &row, NULL, e);
        if (rc == RC_END)
            rc = err_set(e, RC_CORRUPT, ERR_FATAL, "%" PRIu64 " rows are missing",
                         commit.rows.entries - rows);
        if (rc == RC_OK)
            rc = check_row(&c, &row, e);
        if (rc == RC_OK) {
            n = row.key.n; /* check_row has seen that it fits */
            memcpy(key, row.key.p, n);
        }
    }
    if (rc == RC_OK && !c.has_header)
        rc = err_set(e, RC_CORRUPT, ERR_FATAL, "the segment has no rows");
    return name_offset(rc, ret, e);
}

static enum rc check_one(const char *dir, rlog_off first, bool last, struct segment_report *ret,
                         struct err *e)
{
    AUTO(pages_closep) struct pages *f = NULL;
    *ret = (struct segment_report){.tail.next = first};
    enum rc rc = segment_open_file(dir, first, !last, &f, e);
    if (rc != RC_OK)
        return name_offset(rc, ret, e);
    rc = last ? check_growing(f, first, ret, e) : segment_check_read(f, first, NULL, NULL, ret, e);
    if (rc == RC_OK && !last && !ret->tail.sealed)
        rc = name_offset(
            err_set(e, RC_CORRUPT, ERR_FATAL, "a segment before the last is not sealed"), ret, e);
    return rc;
}

static enum rc check_follows(const struct segment_report *r, rlog_off first,
                             const struct segment_tail *before, struct err *e)
{
    if (r->header.first == first &&
        (!before || (before->next == first &&
                     memcmp(&r->header.before, &before->after, sizeof(before->after)) == 0)))
        return RC_OK;
    rlog_off bad = before && before->next < first ? before->next : first;
    return err_set(e, RC_CORRUPT, ERR_FATAL,
                   "the log is damaged, the first bad offset is %" PRIu64
                   ": the segment of offset %" PRIu64 " does not follow the one before it",
                   bad, first);
}

/* A segment that was listed is not there any more: true if it was trimmed, as then all before it are gone, too. */
static bool was_trimmed(const char *dir, rlog_off first)
{
    AUTO(offset_list_done) struct offset_list now = {0};
    struct err unused = ERR_INIT;
    return segment_list(dir, 's', &now, &unused) == RC_OK && now.n > 0 && now.p[0] > first;
}

static void add_report(struct segment_summary *s, const struct segment_report *r, bool sound)
{
    if (sound || r->tail.next > s->next) {
        s->next = r->tail.next;
        memcpy(s->chain, r->tail.after.events, SHA256_SIZE);
    }
    s->segments++;
    s->frames += r->frames;
    s->events += r->events;
}

/* *at is the segment that the walk came to; 0: to none. */
static enum rc walk_folder(const char *dir, struct segment_summary *ret, rlog_off *at,
                           struct err *e)
{
    AUTO(offset_list_done) struct offset_list list = {0};
    enum rc rc = segment_list(dir, 's', &list, e);
    *ret = (struct segment_summary){.first = list.n ? list.p[0] : 1};
    ret->next = ret->first;
    struct segment_tail before = {0};
    for (size_t i = 0; rc == RC_OK && i < list.n; i++) {
        struct segment_report r;
        *at = list.p[i];
        rc = check_one(dir, *at, i + 1 == list.n, &r, e);
        if (rc == RC_NOTFOUND ||
            (rc == RC_OK && check_follows(&r, *at, i ? &before : NULL, e) != RC_OK))
            return rc == RC_OK ? RC_CORRUPT : rc;
        add_report(ret, &r, rc == RC_OK);
        before = r.tail;
    }
    return rc;
}

enum rc segment_check_folder(const char *dir, struct segment_summary *ret, struct err *e)
{
    struct err why = ERR_INIT;
    rlog_off at = 0;
    enum rc rc = walk_folder(dir, ret, &at, &why);
    while (rc == RC_NOTFOUND && at != 0 && was_trimmed(dir, at)) { /* what is left of it */
        at = 0;
        rc = walk_folder(dir, ret, &at, &why);
    }
    if (rc == RC_NOTFOUND && at != 0)
        rc = err_set(
            &why, RC_CORRUPT, ERR_FATAL,
            "the log is damaged, the first bad offset is %" PRIu64 ": its segment is missing", at);
    if (rc != RC_OK && e)
        *e = why;
    return rc;
}
