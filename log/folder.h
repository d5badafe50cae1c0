/* What the file back ends need of a folder: that it is on a disk of this host, that names in it are durable, that one
 * process writes it. */
#ifndef RESILOG_LOG_FOLDER_H
#define RESILOG_LOG_FOLDER_H

#include "core/err.h"
#include "core/scope.h"

#include <stdint.h>

struct folder_lock;

/* Makes the folder (0700) if it is not there; its parent must be. Its name is durable then, whoever made it; where it
 * was there and the parent may not be read, that is left to who made it. Errors: NOTFOUND, DENIED, LIMIT, IO, INVALID
 * (not a folder). */
MUST_CHECK enum rc folder_make(const char *path, struct err *e);
/* What people call the network file system with this magic number (f_type of statfs(2), its low 32 bits); NULL for
 * every other one. */
const char *folder_network_name(uint32_t magic);
/* Refuses network file systems, whose locks and syncs cannot be relied on. Errors: UNSUPPORTED (FATAL), NOTFOUND,
 * DENIED, IO. */
MUST_CHECK enum rc folder_check(const char *path, struct err *e);
/* Makes what was created, renamed or removed in it durable. Errors: IO (FATAL) and the like. */
MUST_CHECK enum rc folder_sync(const char *path, struct err *e);
/* Bytes that may still be written in its file system. UINT64_MAX when that cannot be told. */
uint64_t folder_room(const char *path);

/* Takes path/LOCK for this process; the lock ends with folder_unlock or with the process. Errors: CONFLICT (FATAL,
 * names the holder's pid where it is known), DENIED, LIMIT, IO. */
MUST_CHECK enum rc folder_lock_take(const char *path, struct folder_lock **ret, struct err *e);
/* Unlocks. NULL is allowed. */
void folder_unlock(struct folder_lock *l);
DEFINE_FREEP(struct folder_lock, folder_unlock)
/* RC_OK while the lock still stands; CONFLICT (FATAL) when somebody removed the file, so that another process can
 * have taken it. */
MUST_CHECK enum rc folder_lock_check(const struct folder_lock *l, struct err *e);
/* The epoch in the lock's file, 0 if there is none. Anybody may read it. */
uint64_t folder_lock_epoch(const char *path);
/* Writes the epoch and this process's id, durably. Errors: LIMIT, IO. */
MUST_CHECK enum rc folder_lock_set(struct folder_lock *l, uint64_t epoch, struct err *e);

#endif
