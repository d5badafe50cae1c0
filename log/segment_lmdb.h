/* What the files of this folder that write with LMDB share. */
#ifndef RESILOG_LOG_SEGMENT_LMDB_H
#define RESILOG_LOG_SEGMENT_LMDB_H

#include "core/err.h"

#include <stdint.h>

struct MDB_env;

/* Fills e from an LMDB code: a full disk is LIMIT (RETRY) although LMDB says EIO; else IO or CORRUPT (FATAL), NOMEM.
 * `need` bytes were to be written below dir. */
enum rc segment_lmdb_error(int code, const char *path, const char *dir, uint64_t need,
                           struct err *e);
/* Opens a file with LMDB: one file, no lock file, default sync, and `flags` besides. mdb_env_close it. Errors: as
 * above. */
MUST_CHECK enum rc segment_lmdb_open(const char *path, const char *dir, uint64_t map,
                                     unsigned flags, struct MDB_env **ret, struct err *e);

#endif
