/* Preloaded into a program: fails the n-th call of one kind on files below a folder, counts calls, and records writes
 * and syncs. By environment:
 * FAULT_DIR     only files below it are looked at
 * FAULT_CALL    which call fails (its name); FAULT_NTH which one, from 1
 * FAULT_KIND    EIO, ENOSPC, EMFILE; SHORT (half is written); FULL (ENOSPC, and so is all that makes a file longer from
 *               then on, until a segment is removed or fault_make_room is called); KILL (the process ends before it)
 * FAULT_RECORD  file that gets the records of tests/faults/fault_record.h
 * Once a fault has fired it does not fire again. Threads: one lock around every counted call. */
#include "tests/faults/fault_record.h"

#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <unistd.h>

#define PATH_SIZE 1024

static const char *const names[] = {
    "pwrite", "write",  "writev",    "pwritev", "fdatasync", "fsync", "ftruncate", "open",
    "openat", "rename", "fallocate", "unlink",  "unlinkat",  "pread", "fstat",     "mkdir"};
enum {
    C_PWRITE,
    C_WRITE,
    C_WRITEV,
    C_PWRITEV,
    C_FDATASYNC,
    C_FSYNC,
    C_FTRUNCATE,
    C_OPEN,
    C_OPENAT,
    C_RENAME,
    C_FALLOCATE,
    C_UNLINK,
    C_UNLINKAT,
    C_PREAD,
    C_FSTAT,
    C_MKDIR,
    CALLS
};

/* A preloaded library has no object to keep its state in. */
static struct {
    pthread_mutex_t lock;
    bool ready;
    char dir[PATH_SIZE];
    size_t dir_n;
    const char *call;
    unsigned long nth;
    const char *kind;
    int record;
    unsigned long counts[CALLS];
    bool fired;
    bool full; /* there is no room */
} g = {.lock = PTHREAD_MUTEX_INITIALIZER, .record = -1};

unsigned long fault_count(const char *name);
int fault_fired(void);
void fault_mark(uint32_t kind, uint64_t value);
void fault_make_room(void);

#define REAL(name) ((__typeof__(&name))dlsym(RTLD_NEXT, #name))

static void prepare(void)
{
    if (g.ready)
        return;
    g.ready = true;
    const char *dir = getenv("FAULT_DIR"), *nth = getenv("FAULT_NTH"),
               *record = getenv("FAULT_RECORD");
    snprintf(g.dir, sizeof(g.dir), "%s", dir ? dir : "");
    g.dir_n = strlen(g.dir);
    g.call = getenv("FAULT_CALL");
    g.nth = nth ? strtoul(nth, NULL, 10) : 0;
    g.kind = getenv("FAULT_KIND");
    if (record)
        g.record = REAL(open)(record, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
}

static bool below(const char *path)
{
    return g.dir_n > 0 && strncmp(path, g.dir, g.dir_n) == 0;
}

static bool fd_below(int fd)
{
    char link[64], path[PATH_SIZE];
    snprintf(link, sizeof(link), "/proc/self/fd/%d", fd);
    ssize_t n = readlink(link, path, sizeof(path) - 1);
    if (n < 0)
        return false;
    path[n] = '\0';
    return below(path);
}

static bool is_kind(const char *kind)
{
    return g.kind && strcmp(g.kind, kind) == 0;
}

/* Counts a call; true if this one is to fail. */
static bool counts(int call)
{
    g.counts[call]++;
    if (g.fired || !g.call || strcmp(g.call, names[call]) != 0 || g.counts[call] != g.nth)
        return false;
    g.fired = true;
    g.full = is_kind("FULL");
    if (is_kind("KILL"))
        _exit(0);
    return true;
}

static int fail(void)
{
    errno = is_kind("EMFILE") ? EMFILE : is_kind("ENOSPC") || is_kind("FULL") ? ENOSPC : EIO;
    return -1;
}

/* True if there is no room for what makes the file longer than `end`. */
static bool no_room(int fd, uint64_t end)
{
    struct stat st;
    return g.full && REAL(fstat)(fd, &st) == 0 && end > (uint64_t)st.st_size;
}

/* A removed segment makes room. */
static void removed(const char *path)
{
    const char *name = strrchr(path, '/');
    size_t n = name ? strlen(name) : 0;
    if (n > 4 && strncmp(name, "/s-", 3) == 0 && strcmp(name + n - 4, ".mdb") == 0)
        g.full = false;
}

/* ---- Records ---- */

static void put(const void *p, size_t n)
{
    if (g.record >= 0 && REAL(write)(g.record, p, n) != (ssize_t)n)
        abort();
}

static void record(struct fault_record r, const char *path, const char *second, const void *bytes)
{
    if (g.record < 0)
        return;
    r.path_n = path ? (uint32_t)strlen(path) : 0;
    r.second_n = second ? (uint32_t)strlen(second) : 0;
    put(&r, sizeof(r));
    put(path, r.path_n);
    put(second, r.second_n);
    if (bytes)
        put(bytes, r.n);
}

static uint64_t inode_of(int fd)
{
    struct stat st;
    return REAL(fstat)(fd, &st) == 0 ? (uint64_t)st.st_ino : 0;
}

static void record_write(int fd, uint64_t offset, const void *bytes, size_t n)
{
    if (g.record < 0)
        return;
    int flags = fcntl(fd, F_GETFL);
    record((struct fault_record){.type = flags & O_DSYNC ? FAULT_WRITE_SYNC : FAULT_WRITE,
                                 .inode = inode_of(fd),
                                 .offset = offset,
                                 .n = n},
           NULL, NULL, bytes);
}

static void record_sync(int fd)
{
    struct stat st;
    if (g.record < 0 || REAL(fstat)(fd, &st) != 0)
        return;
    char link[64], path[PATH_SIZE] = "";
    snprintf(link, sizeof(link), "/proc/self/fd/%d", fd);
    ssize_t n = readlink(link, path, sizeof(path) - 1);
    path[n > 0 ? n : 0] = '\0';
    if (S_ISDIR(st.st_mode))
        record((struct fault_record){.type = FAULT_SYNC_DIR}, path, NULL, NULL);
    else
        record((struct fault_record){.type = FAULT_SYNC, .inode = (uint64_t)st.st_ino}, NULL, NULL,
               NULL);
}

/* ---- For the scenario, found by dlsym ---- */

unsigned long fault_count(const char *name)
{
    for (int i = 0; i < CALLS; i++) {
        if (strcmp(names[i], name) == 0)
            return g.counts[i];
    }
    return 0;
}

int fault_fired(void)
{
    return g.fired;
}

void fault_make_room(void)
{
    pthread_mutex_lock(&g.lock);
    g.full = false;
    pthread_mutex_unlock(&g.lock);
}

void fault_mark(uint32_t kind, uint64_t value)
{
    pthread_mutex_lock(&g.lock);
    prepare();
    record((struct fault_record){.type = FAULT_MARK, .kind = kind, .offset = value}, NULL, NULL,
           NULL);
    pthread_mutex_unlock(&g.lock);
}

/* ---- The calls ---- */

/* Locks; true if the call is to be looked at. */
static bool enter(int fd)
{
    pthread_mutex_lock(&g.lock);
    prepare();
    return fd != g.record && fd_below(fd);
}

static bool enter_path(const char *path)
{
    pthread_mutex_lock(&g.lock);
    prepare();
    return below(path);
}

static void leave(void)
{
    int saved = errno;
    pthread_mutex_unlock(&g.lock);
    errno = saved;
}

ssize_t pwrite(int fd, const void *p, size_t n, off_t at)
{
    bool ours = enter(fd);
    ssize_t done = 0;
    if (ours && counts(C_PWRITE)) {
        done = is_kind("SHORT") ? REAL(pwrite)(fd, p, n / 2, at) : fail();
    } else if (ours && no_room(fd, (uint64_t)at + n)) {
        done = fail();
    } else {
        done = REAL(pwrite)(fd, p, n, at);
        if (ours && done > 0)
            record_write(fd, (uint64_t)at, p, (size_t)done);
    }
    leave();
    return done;
}

ssize_t write(int fd, const void *p, size_t n)
{
    bool ours = enter(fd);
    ssize_t done = 0;
    uint64_t at = ours ? (uint64_t)lseek(fd, 0, SEEK_CUR) : 0;
    if (ours && counts(C_WRITE)) {
        done = is_kind("SHORT") ? REAL(write)(fd, p, n / 2) : fail();
    } else if (ours && no_room(fd, at + n)) {
        done = fail();
    } else {
        done = REAL(write)(fd, p, n);
        if (ours && done > 0)
            record_write(fd, at, p, (size_t)done);
    }
    leave();
    return done;
}

static void record_vector(int fd, uint64_t at, const struct iovec *v, int count)
{
    for (int i = 0; i < count; i++) {
        record_write(fd, at, v[i].iov_base, v[i].iov_len);
        at += v[i].iov_len;
    }
}

static uint64_t vector_size(const struct iovec *v, int count)
{
    uint64_t n = 0;
    for (int i = 0; i < count; i++)
        n += v[i].iov_len;
    return n;
}

/* LMDB asks for whole vectors; a real short one is not told apart in the records. */
ssize_t writev(int fd, const struct iovec *v, int count)
{
    bool ours = enter(fd);
    ssize_t done = 0;
    uint64_t at = ours ? (uint64_t)lseek(fd, 0, SEEK_CUR) : 0;
    if (ours && counts(C_WRITEV)) {
        done = is_kind("SHORT") ? REAL(write)(fd, v[0].iov_base, v[0].iov_len / 2) : fail();
    } else if (ours && no_room(fd, at + vector_size(v, count))) {
        done = fail();
    } else {
        done = REAL(writev)(fd, v, count);
        if (ours && done > 0)
            record_vector(fd, at, v, count);
    }
    leave();
    return done;
}

ssize_t pwritev(int fd, const struct iovec *v, int count, off_t at)
{
    bool ours = enter(fd);
    ssize_t done = 0;
    if (ours && counts(C_PWRITEV)) {
        done = is_kind("SHORT") ? REAL(pwrite)(fd, v[0].iov_base, v[0].iov_len / 2, at) : fail();
    } else if (ours && no_room(fd, (uint64_t)at + vector_size(v, count))) {
        done = fail();
    } else {
        done = REAL(pwritev)(fd, v, count, at);
        if (ours && done > 0)
            record_vector(fd, (uint64_t)at, v, count);
    }
    leave();
    return done;
}

static int synced(int fd, int call, int (*real)(int))
{
    bool ours = enter(fd);
    int rc = ours && counts(call) ? fail() : real(fd);
    if (ours && rc == 0)
        record_sync(fd);
    leave();
    return rc;
}

int fdatasync(int fd)
{
    return synced(fd, C_FDATASYNC, REAL(fdatasync));
}

int fsync(int fd)
{
    return synced(fd, C_FSYNC, REAL(fsync));
}

int ftruncate(int fd, off_t n)
{
    bool ours = enter(fd);
    int rc = ours && counts(C_FTRUNCATE) ? fail() : REAL(ftruncate)(fd, n);
    if (ours && rc == 0)
        record((struct fault_record){.type = FAULT_TRUNCATE,
                                     .inode = inode_of(fd),
                                     .offset = (uint64_t)n},
               NULL, NULL, NULL);
    leave();
    return rc;
}

int fallocate(int fd, int mode, off_t at, off_t n)
{
    bool ours = enter(fd);
    bool fails = ours && (counts(C_FALLOCATE) || no_room(fd, (uint64_t)at + (uint64_t)n));
    int rc = fails ? fail() : REAL(fallocate)(fd, mode, at, n);
    leave();
    return rc;
}

static int opened(int call, int dirfd, const char *path, int flags, mode_t mode)
{
    bool ours = enter_path(path);
    struct stat st;
    bool creates = ours && (flags & O_CREAT) && stat(path, &st) != 0;
    int fd = ours && counts(call) ? fail() : REAL(openat)(dirfd, path, flags, mode);
    if (creates && fd >= 0)
        record((struct fault_record){.type = FAULT_CREATE, .inode = inode_of(fd)}, path, NULL,
               NULL);
    leave();
    return fd;
}

static mode_t mode_of(int flags, va_list args)
{
    return flags & (O_CREAT | O_TMPFILE) ? va_arg(args, mode_t) : 0;
}

int open(const char *path, int flags, ...)
{
    va_list args;
    va_start(args, flags);
    mode_t mode = mode_of(flags, args);
    va_end(args);
    return opened(C_OPEN, AT_FDCWD, path, flags, mode);
}

int openat(int dirfd, const char *path, int flags, ...)
{
    va_list args;
    va_start(args, flags);
    mode_t mode = mode_of(flags, args);
    va_end(args);
    return opened(C_OPENAT, dirfd, path, flags, mode);
}

int rename(const char *from, const char *to)
{
    bool ours = enter_path(to);
    int rc = ours && counts(C_RENAME) ? fail() : REAL(rename)(from, to);
    if (ours && rc == 0)
        record((struct fault_record){.type = FAULT_RENAME}, from, to, NULL);
    leave();
    return rc;
}

int unlink(const char *path)
{
    bool ours = enter_path(path);
    int rc = ours && counts(C_UNLINK) ? fail() : REAL(unlink)(path);
    if (ours && rc == 0)
        record((struct fault_record){.type = FAULT_UNLINK}, path, NULL, NULL);
    if (ours && rc == 0)
        removed(path);
    leave();
    return rc;
}

int unlinkat(int dirfd, const char *name, int flags)
{
    char link[64], path[PATH_SIZE];
    snprintf(link, sizeof(link), "/proc/self/fd/%d", dirfd);
    ssize_t n = readlink(link, path, sizeof(path) - 1);
    if (n > 0)
        snprintf(path + n, sizeof(path) - (size_t)n, "/%s", name);
    bool ours = enter_path(n > 0 ? path : "");
    int rc = ours && counts(C_UNLINKAT) ? fail() : REAL(unlinkat)(dirfd, name, flags);
    if (ours && rc == 0)
        record((struct fault_record){.type = FAULT_UNLINK}, path, NULL, NULL);
    leave();
    return rc;
}

int mkdir(const char *path, mode_t mode)
{
    bool ours = enter_path(path);
    int rc = ours && counts(C_MKDIR) ? fail() : REAL(mkdir)(path, mode);
    if (ours && rc == 0)
        record((struct fault_record){.type = FAULT_MKDIR}, path, NULL, NULL);
    leave();
    return rc;
}

/* ---- Reading ---- */

/* These are many, so they are looked at only where they are to fail or nothing is. */
ssize_t pread(int fd, void *p, size_t n, off_t at)
{
    if (g.ready && g.call && strcmp(g.call, names[C_PREAD]) != 0)
        return REAL(pread)(fd, p, n, at);
    bool ours = enter(fd);
    ssize_t done = ours && counts(C_PREAD) ? fail() : REAL(pread)(fd, p, n, at);
    leave();
    return done;
}

int fstat(int fd, struct stat *st)
{
    bool ours = enter(fd);
    int rc = ours && counts(C_FSTAT) ? fail() : REAL(fstat)(fd, st);
    leave();
    return rc;
}
