/* Folders of the file back ends. Keeps: folder_lock is the open LOCK file with an flock, which
 * belongs to the open file and so survives other opens of the same file in this process (an fcntl
 * lock would not). The record in LOCK is a hint for people and carries the epoch; damage to it is
 * read as absence, and the log's own frames still say the epoch. Threads: none of its own. */
#include "log/folder.h"

#include "core/digest.h"
#include "core/le.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <sys/vfs.h>
#include <unistd.h>

#define LOCK_NAME  "LOCK"
#define LOCK_MAGIC "RSLK"
#define LOCK_SIZE  32 /* magic 4, version 2, zero 2, epoch 8, pid 8, zero 4, CRC32C 4 */

struct folder_lock {
    int fd;
    char path[4096];
};

static enum rc sync_parent(const char *path, bool made, struct err *e)
{
    char parent[4096];
    int n = snprintf(parent, sizeof(parent), "%s/..", path);
    if (n < 0 || (size_t)n >= sizeof(parent))
        return err_set(e, RC_LIMIT, ERR_FINAL, "the name of the folder is too long: %.100s", path);
    struct err why = ERR_INIT;
    enum rc rc = folder_sync(parent, &why);
    if (rc == RC_OK || (rc == RC_DENIED && !made))
        return RC_OK;
    if (e)
        *e = why;
    return rc;
}

enum rc folder_make(const char *path, struct err *e)
{
    struct stat st;
    bool made = mkdir(path, 0700) == 0;
    if (!made && errno != EEXIST)
        return err_sys(e, errno, "make the folder %s", path);
    if (!made && stat(path, &st) != 0)
        return err_sys(e, errno, "stat %s", path);
    if (!made && !S_ISDIR(st.st_mode))
        return err_set(e, RC_INVALID, ERR_FINAL, "%s is not a folder", path);
    return sync_parent(path, made, e);
}

static const struct {
    uint32_t magic;
    const char *name;
} network_file_systems[] = {
    {0x00006969, "NFS"},
    {0x0000517B, "SMB"},
    {0xFF534D42, "CIFS"},
    {0xFE534D42, "SMB2"},
    {0x5346414F, "AFS"},
    {0x6B414653, "AFS"},
    {0x73757245, "Coda"},
    {0x00C36400, "Ceph"},
    {0x01021997, "9P"},
    {0x65735546, "FUSE"}, /* may lead anywhere */
    {0x0BD00BD0, "Lustre"},
    {0x01161970, "GFS2"},
    {0x7461636F, "OCFS2"},
    {0x47504653, "GPFS"},
    {0x19830326, "BeeGFS"},
    {0x20030528, "OrangeFS"},
    {0xAAD7AAEA, "PanFS"},
    {0xBEEFDEAD, "StorNext"},
    {0x61636673, "ACFS"},
    {0x013111A8, "IBRIX"},
    {0x0000564C, "NCP"},
    {0x786F4256, "a VirtualBox folder"},
    {0xBACBACBC, "a VMware folder"},
    {0x7C7C6673, "a Parallels folder"},
};

const char *folder_network_name(uint32_t magic)
{
    for (size_t i = 0; i < sizeof(network_file_systems) / sizeof(network_file_systems[0]); i++) {
        if (network_file_systems[i].magic == magic)
            return network_file_systems[i].name;
    }
    return NULL;
}

enum rc folder_check(const char *path, struct err *e)
{
    struct statfs fs;
    if (statfs(path, &fs) != 0)
        return err_sys(e, errno, "%s", path);
    const char *name = folder_network_name((uint32_t)fs.f_type);
    if (name)
        return err_set(e, RC_UNSUPPORTED, ERR_FATAL,
                       "%s is on %s; the log needs a file system of this host, as its locks "
                       "and syncs must be reliable",
                       path, name);
    return RC_OK;
}

enum rc folder_sync(const char *path, struct err *e)
{
    int fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (fd < 0)
        return err_sys(e, errno, "open the folder %s", path);
    enum rc rc = RC_OK;
    if (fsync(fd) != 0)
        rc = err_sys(e, errno, "sync the folder %s", path);
    close(fd);
    return rc;
}

uint64_t folder_room(const char *path)
{
    struct statvfs st;
    if (statvfs(path, &st) != 0)
        return UINT64_MAX;
    return (uint64_t)st.f_bavail * st.f_frsize;
}

/* ---- The lock ---- */

static bool read_record(int fd, uint64_t *ret_epoch, uint64_t *ret_pid)
{
    char p[LOCK_SIZE];
    if (pread(fd, p, sizeof(p), 0) != (ssize_t)sizeof(p) || memcmp(p, LOCK_MAGIC, 4) != 0 ||
        le_get_u16(p + 4) != 1 || le_get_u32(p + 28) != crc32c(0, p, 28))
        return false;
    *ret_epoch = le_get_u64(p + 8);
    *ret_pid = le_get_u64(p + 16);
    return true;
}

static enum rc lock_failed(const struct folder_lock *l, int error, struct err *e)
{
    if (error != EWOULDBLOCK)
        return err_sys(e, error, "lock %s", l->path);
    uint64_t epoch = 0, pid = 0;
    if (read_record(l->fd, &epoch, &pid))
        return err_set(e, RC_CONFLICT, ERR_FATAL,
                       "%s is held: process %" PRIu64 " writes this log; only one may", l->path,
                       pid);
    return err_set(e, RC_CONFLICT, ERR_FATAL,
                   "%s is held: another process writes this log; only one may", l->path);
}

enum rc folder_lock_take(const char *path, struct folder_lock **ret, struct err *e)
{
    AUTO(folder_unlockp) struct folder_lock *l = calloc(1, sizeof(*l));
    if (!l)
        return err_nomem(e);
    l->fd = -1;
    int n = snprintf(l->path, sizeof(l->path), "%s/" LOCK_NAME, path);
    if (n < 0 || (size_t)n >= sizeof(l->path))
        return err_set(e, RC_LIMIT, ERR_FINAL, "the name of the folder is too long: %.100s", path);
    l->fd = open(l->path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
    if (l->fd < 0)
        return err_sys(e, errno, "open %s", l->path);
    if (flock(l->fd, LOCK_EX | LOCK_NB) != 0)
        return lock_failed(l, errno, e);
    *ret = steal(&l);
    return RC_OK;
}

void folder_unlock(struct folder_lock *l)
{
    if (!l)
        return;
    if (l->fd >= 0)
        close(l->fd);
    free(l);
}

enum rc folder_lock_check(const struct folder_lock *l, struct err *e)
{
    struct stat st;
    if (fstat(l->fd, &st) != 0)
        return err_sys(e, errno, "fstat %s", l->path);
    if (st.st_nlink == 0)
        return err_set(e, RC_CONFLICT, ERR_FATAL,
                       "%s was removed while we hold it, so another process may write this log",
                       l->path);
    return RC_OK;
}

uint64_t folder_lock_epoch(const char *path)
{
    char name[4096];
    int n = snprintf(name, sizeof(name), "%s/" LOCK_NAME, path);
    if (n < 0 || (size_t)n >= sizeof(name))
        return 0;
    int fd = open(name, O_RDONLY | O_CLOEXEC);
    if (fd < 0)
        return 0;
    uint64_t epoch = 0, pid = 0;
    bool ok = read_record(fd, &epoch, &pid);
    close(fd);
    return ok ? epoch : 0;
}

enum rc folder_lock_set(struct folder_lock *l, uint64_t epoch, struct err *e)
{
    char p[LOCK_SIZE] = {0};
    memcpy(p, LOCK_MAGIC, 4);
    le_put_u16(p + 4, 1);
    le_put_u64(p + 8, epoch);
    le_put_u64(p + 16, (uint64_t)getpid());
    le_put_u32(p + 28, crc32c(0, p, 28));
    ssize_t n = pwrite(l->fd, p, sizeof(p), 0);
    if (n >= 0 && n != (ssize_t)sizeof(p))
        errno = ENOSPC;
    if (n != (ssize_t)sizeof(p) || fsync(l->fd) != 0)
        return err_sys(e, errno, "write %s", l->path);
    return RC_OK;
}
