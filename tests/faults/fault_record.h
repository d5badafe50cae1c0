/* What libfault.so writes down of a run: one record after another, each followed by its path, second path and bytes. */
#ifndef RESILOG_TESTS_FAULT_RECORD_H
#define RESILOG_TESTS_FAULT_RECORD_H

#include <stdint.h>

enum fault_type {
    FAULT_CREATE = 1, /* path, inode */
    FAULT_WRITE,      /* inode, offset, bytes */
    FAULT_WRITE_SYNC, /* the same through an O_DSYNC descriptor: durable when it returns */
    FAULT_SYNC,       /* inode */
    FAULT_SYNC_DIR,   /* path */
    FAULT_RENAME,     /* path, second path */
    FAULT_UNLINK,     /* path */
    FAULT_TRUNCATE,   /* inode, offset = new length */
    FAULT_MKDIR,      /* path */
    FAULT_MARK        /* offset = what the scenario was told to be durable */
};

struct fault_record {
    uint32_t type;
    uint32_t path_n, second_n;
    uint32_t kind; /* of a mark: 1 an event, 2 a checkpoint */
    uint64_t inode, offset, n;
};

#endif
