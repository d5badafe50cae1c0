/* For segment_index*.c alone. */
#ifndef RESILOG_LOG_SEGMENT_INDEX_PRIV_H
#define RESILOG_LOG_SEGMENT_INDEX_PRIV_H

#include "log/segment_index.h"

#include <pthread.h>

struct index_entry {
    uint8_t id[SEGMENT_INDEX_ID];
    uint32_t before; /* 1 + place of the key's event before this one; 0: none */
    uint32_t key_at; /* of the key in keys */
    uint8_t op;
};

struct segment_index {
    rlog_off first, next;
    struct pages *file;          /* or NULL: in memory */
    struct index_entry *entries; /* of offsets first, first + 1, ... */
    size_t cap;
    char *keys; /* each key once: its length 2, its first KEY_KEPT bytes */
    size_t keys_n, keys_cap;
    uint32_t *slots;    /* hash table: 1 + place of a key's last entry; 0: free */
    struct sha256 *sha; /* under lock: making one for each key costs more than the digest */
    pthread_mutex_t lock;
    size_t n_slots; /* a power of two, more than twice the entries */
};

/* segment_index_find and segment_index_each (segment_index.h) for an index in its file. */
enum rc segment_index_file_find(const struct segment_index *x, struct slice key, rlog_off from,
                                rlog_off until, struct offset_list *out, struct err *e);
/* See above. */
enum rc segment_index_file_each(const struct segment_index *x, const struct rlog_range *range,
                                segment_index_fn *fn, void *arg, struct err *e);

#endif
