/* The index of a segment in memory, and what chooses between it and the file. Keeps: one entry for each event,
 * linked to the one before of the same key, a hash table of the last entries, and the beginning of each key. Keys
 * are known by 16 bytes of their SHA-256, so nobody can make two keys meet; what is kept of their text is bounded.
 * Failure modes: NOMEM leaves the index as it was. Threads: the caller's. */
#include "log/segment_index_priv.h"

#include "core/le.h"
#include "log/pages.h"
#include "log/rlog_ops.h"

#define SLOTS_FIRST 64
#define KEYS_FIRST  4096
#define KEY_KEPT    128 /* nearly every key is shorter */

void key_set_id(struct slice key, uint8_t out[SEGMENT_INDEX_ID])
{
    uint8_t digest[SHA256_SIZE];
    sha256(key, SLICE_NULL, digest);
    memcpy(out, digest, SEGMENT_INDEX_ID);
}

static size_t first_slot(const uint8_t *id, size_t n_slots)
{
    return (size_t)le_get_u64(id) & (n_slots - 1);
}

/* ---- In memory ---- */

struct segment_index *segment_index_new(rlog_off first)
{
    AUTO(segment_index_freep) struct segment_index *x = calloc(1, sizeof(*x));
    if (!x)
        return NULL;
    x->first = x->next = first;
    pthread_mutex_init(&x->lock, NULL);
    x->n_slots = SLOTS_FIRST;
    x->slots = calloc(x->n_slots, sizeof(*x->slots));
    x->sha = sha256_new();
    return x->slots && x->sha ? steal(&x) : NULL;
}

void segment_index_free(struct segment_index *x)
{
    if (!x)
        return;
    pages_close(x->file);
    free(x->entries);
    free(x->keys);
    free(x->slots);
    sha256_free(x->sha);
    pthread_mutex_destroy(&x->lock);
    free(x);
}

/* As key_set_id; its beginning is the id. */
static void digest_key(const struct segment_index *x, struct slice key, uint8_t out[SHA256_SIZE])
{
    pthread_mutex_t *lock = (pthread_mutex_t *)(uintptr_t)&x->lock;
    pthread_mutex_lock(lock);
    sha256_start(x->sha);
    sha256_add(x->sha, key);
    sha256_finish(x->sha, out);
    pthread_mutex_unlock(lock);
}

/* The slot that holds the id, or the free one where it belongs. */
static uint32_t *slot_of(const struct segment_index *x, uint32_t *slots, size_t n_slots,
                         const uint8_t *id)
{
    size_t i = first_slot(id, n_slots);
    while (slots[i] && memcmp(x->entries[slots[i] - 1].id, id, SEGMENT_INDEX_ID) != 0)
        i = (i + 1) & (n_slots - 1);
    return &slots[i];
}

static enum rc grow_slots(struct segment_index *x, struct err *e)
{
    size_t n = x->n_slots * 2;
    uint32_t *slots = calloc(n, sizeof(*slots));
    if (!slots)
        return err_nomem(e);
    for (size_t i = 0; i < x->n_slots; i++) {
        if (x->slots[i])
            *slot_of(x, slots, n, x->entries[x->slots[i] - 1].id) = x->slots[i];
    }
    free(x->slots);
    x->slots = slots;
    x->n_slots = n;
    return RC_OK;
}

static enum rc make_room(struct segment_index *x, size_t n, struct err *e)
{
    if (n == x->cap) {
        size_t cap = x->cap ? x->cap * 2 : SLOTS_FIRST;
        struct index_entry *p = realloc(x->entries, cap * sizeof(*p));
        if (!p)
            return err_nomem(e);
        x->entries = p;
        x->cap = cap;
    }
    return 2 * (n + 1) >= x->n_slots ? grow_slots(x, e) : RC_OK;
}

static enum rc add_id(struct segment_index *x, const uint8_t *id, uint32_t key_at, enum event_op op,
                      struct err *e)
{
    size_t n = (size_t)(x->next - x->first);
    enum rc rc = make_room(x, n, e);
    if (rc != RC_OK)
        return rc;
    struct index_entry *entry = &x->entries[n];
    uint32_t *slot = slot_of(x, x->slots, x->n_slots, id);
    *entry = (struct index_entry){.op = (uint8_t)op, .before = *slot, .key_at = key_at};
    memcpy(entry->id, id, SEGMENT_INDEX_ID);
    *slot = (uint32_t)n + 1;
    x->next++;
    return RC_OK;
}

static enum rc keep_key(struct segment_index *x, struct slice key, uint32_t *ret_at, struct err *e)
{
    size_t kept = key.n < KEY_KEPT ? key.n : KEY_KEPT;
    if (x->keys_cap - x->keys_n < 2 + kept) {
        size_t cap = x->keys_cap ? 2 * x->keys_cap : KEYS_FIRST;
        char *p = cap <= UINT32_MAX ? realloc(x->keys, cap) : NULL;
        if (!p)
            return err_nomem(e);
        x->keys = p;
        x->keys_cap = cap;
    }
    char *to = x->keys + x->keys_n;
    le_put_u16(to, (uint16_t)key.n);
    memcpy(to + 2, key.p, kept);
    *ret_at = (uint32_t)x->keys_n;
    x->keys_n += 2 + kept;
    return RC_OK;
}

enum rc segment_index_add(struct segment_index *x, struct slice key, enum event_op op,
                          struct err *e)
{
    uint8_t digest[SHA256_SIZE];
    digest_key(x, key, digest);
    uint32_t before = *slot_of(x, x->slots, x->n_slots, digest), key_at = 0;
    size_t keys_n = x->keys_n;
    enum rc rc = RC_OK;
    if (before)
        key_at = x->entries[before - 1].key_at;
    else
        rc = keep_key(x, key, &key_at, e);
    if (rc == RC_OK)
        rc = add_id(x, digest, key_at, op, e);
    if (rc != RC_OK)
        x->keys_n = keys_n;
    return rc;
}

bool segment_index_in_file(const struct segment_index *x)
{
    return x->file != NULL;
}

rlog_off segment_index_next(const struct segment_index *x)
{
    return x->next;
}

static enum rc memory_find(const struct segment_index *x, struct slice key, rlog_off from,
                           rlog_off until, struct offset_list *out, struct err *e)
{
    uint8_t id[SHA256_SIZE];
    digest_key(x, key, id);
    size_t begin = out->n;
    for (uint32_t at = *slot_of(x, x->slots, x->n_slots, id); at; at = x->entries[at - 1].before) {
        rlog_off offset = x->first + at - 1;
        if (offset < from)
            break;
        enum rc rc = offset < until ? offset_list_add(out, offset, e) : RC_OK;
        if (rc != RC_OK)
            return rc;
    }
    for (size_t i = begin, k = out->n; i + 1 < k; i++) {
        rlog_off swapped = out->p[i];
        out->p[i] = out->p[--k];
        out->p[k] = swapped;
    }
    return RC_OK;
}

/* What is kept of the key does not speak against it. */
static bool may_have(const struct rlog_range *range, const char *kept)
{
    size_t n = le_get_u16(kept);
    if (n <= KEY_KEPT)
        return rlog_range_has(range, slice_of(kept + 2, n));
    struct rlog_range rough = *range;
    rough.shards = 0;
    if (rough.prefix.n > KEY_KEPT)
        rough.prefix.n = KEY_KEPT;
    return rlog_range_has(&rough, slice_of(kept + 2, KEY_KEPT));
}

/* An entry is its key's last one in the range unless a later entry of the range says that it comes before it. */
static enum rc memory_each(const struct segment_index *x, const struct rlog_range *range,
                           segment_index_fn *fn, void *arg, struct err *e)
{
    size_t low = range->from > x->first ? (size_t)(range->from - x->first) : 0;
    size_t high = range->until > x->first ? (size_t)(range->until - x->first) : 0;
    size_t n = (size_t)(x->next - x->first);
    if (high > n)
        high = n;
    AUTO(freep) bool *passed = calloc(high + 1, sizeof(*passed));
    if (!passed)
        return err_nomem(e);
    for (size_t i = high; i > low; i--) {
        const struct index_entry *entry = &x->entries[i - 1];
        if (entry->before)
            passed[entry->before - 1] = true;
        if (passed[i - 1] || !may_have(range, x->keys + entry->key_at))
            continue;
        enum rc rc = fn(arg, entry->id, x->first + i - 1, (enum event_op)entry->op, e);
        if (rc != RC_OK)
            return rc;
    }
    return RC_OK;
}

enum rc segment_index_find(const struct segment_index *x, struct slice key, rlog_off from,
                           rlog_off until, struct offset_list *out, struct err *e)
{
    return x->file ? segment_index_file_find(x, key, from, until, out, e)
                   : memory_find(x, key, from, until, out, e);
}

enum rc segment_index_each(const struct segment_index *x, const struct rlog_range *range,
                           segment_index_fn *fn, void *arg, struct err *e)
{
    return x->file ? segment_index_file_each(x, range, fn, arg, e)
                   : memory_each(x, range, fn, arg, e);
}

/* ---- Sets of keys ---- */

struct key_set {
    struct segment_index *index; /* one entry a key */
};

struct key_set *key_set_new(void)
{
    AUTO(key_set_freep) struct key_set *s = calloc(1, sizeof(*s));
    if (!s)
        return NULL;
    s->index = segment_index_new(1);
    return s->index ? steal(&s) : NULL;
}

void key_set_free(struct key_set *s)
{
    if (!s)
        return;
    segment_index_free(s->index);
    free(s);
}

enum rc key_set_add(struct key_set *s, const uint8_t id[SEGMENT_INDEX_ID], bool *ret_new,
                    struct err *e)
{
    bool is_new = *slot_of(s->index, s->index->slots, s->index->n_slots, id) == 0;
    enum rc rc = is_new ? add_id(s->index, id, /* key_at= */ 0, EVENT_PUT, e) : RC_OK;
    if (rc == RC_OK)
        *ret_new = is_new;
    return rc;
}
