/* Checkpoints in memory: the reference model, plain before fast.
 * Keeps: a map from consumer to an immutable `struct account`. A commit builds a changed copy and
 * swaps it in as its last step, so it happens wholly or not at all, and a reader keeps what it
 * began with. Values are shared by counting. Threads: one mutex guards the map and all counts;
 * callbacks run outside it. */
#include "log/ckpt_ops.h"

#include "core/buf.h"
#include "core/map.h"

#include <inttypes.h>
#include <pthread.h>

#define TABLES 2

/* A row's value, shared by the accounts that have it. */
struct value {
    size_t refs;
    size_t n;
    char bytes[];
};

/* All that is known of one consumer. */
struct account {
    size_t refs;
    struct ckpt_head head;
    struct value *position, *status;
    struct map *rows[TABLES]; /* key -> struct value */
};

struct ckpt_mem_store {
    pthread_mutex_t lock;
    struct map *accounts; /* consumer -> struct account */
};

struct ckpt_mem {
    struct ckpt base;
    struct ckpt_mem_store *store;
};

/* ---- Values and accounts; the lock is held ---- */

static struct value *value_new(struct slice s)
{
    struct value *v = malloc(sizeof(*v) + s.n);
    if (!v)
        return NULL;
    *v = (struct value){.refs = 1, .n = s.n};
    if (s.n)
        memcpy(v->bytes, s.p, s.n);
    return v;
}

static struct value *value_ref(struct value *v)
{
    if (v)
        v->refs++;
    return v;
}

static void value_unref(void *value)
{
    struct value *v = value;
    if (v && --v->refs == 0)
        free(v);
}

static struct slice value_slice(const struct value *v)
{
    return v ? slice_of(v->bytes, v->n) : SLICE_NULL;
}

static void account_unref(void *account)
{
    struct account *a = account;
    if (!a || --a->refs > 0)
        return;
    value_unref(a->position);
    value_unref(a->status);
    for (int i = 0; i < TABLES; i++)
        map_free(a->rows[i]);
    free(a);
}

static struct account *account_new(void)
{
    struct account *a = calloc(1, sizeof(*a));
    if (!a)
        return NULL;
    a->refs = 1;
    for (int i = 0; i < TABLES; i++) {
        a->rows[i] = map_new(value_unref);
        if (!a->rows[i]) {
            account_unref(a);
            return NULL;
        }
    }
    return a;
}

static enum rc copy_rows(const struct map *from, struct map *to, struct err *e)
{
    struct map_entry entry;
    for (bool more = map_seek(from, SLICE_NULL, false, &entry); more;
         more = map_seek(from, entry.key, true, &entry)) {
        enum rc rc = map_put(to, entry.key, value_ref(entry.value), e);
        if (rc != RC_OK)
            return rc;
    }
    return RC_OK;
}

static enum rc copy_account(const struct account *from, struct account *to, struct err *e)
{
    to->head = from->head;
    to->position = value_ref(from->position);
    to->status = value_ref(from->status);
    enum rc rc = RC_OK;
    for (int i = 0; rc == RC_OK && i < TABLES; i++)
        rc = copy_rows(from->rows[i], to->rows[i], e);
    return rc;
}

static enum rc set_value(struct value **at, struct slice s, struct err *e)
{
    if (!s.p)
        return RC_OK;
    struct value *v = value_new(s);
    if (!v)
        return err_nomem(e);
    value_unref(*at);
    *at = v;
    return RC_OK;
}

static enum rc set_row(struct account *a, const struct ckpt_row *row, struct err *e)
{
    struct map *rows = a->rows[row->table];
    if (!row->value.p) {
        map_delete(rows, row->key);
        return RC_OK;
    }
    struct value *v = value_new(row->value);
    return v ? map_put(rows, row->key, v, e) : err_nomem(e);
}

static enum rc change_account(struct account *a, const struct ckpt_commit *what, struct err *e)
{
    a->head = what->head;
    enum rc rc = set_value(&a->position, what->position, e);
    if (rc == RC_OK)
        rc = set_value(&a->status, what->status, e);
    for (size_t i = 0; rc == RC_OK && i < what->n_rows; i++)
        rc = set_row(a, &what->rows[i], e);
    return rc;
}

/* ---- The store ---- */

struct ckpt_mem_store *ckpt_mem_store_new(void)
{
    struct ckpt_mem_store *s = calloc(1, sizeof(*s));
    if (!s)
        return NULL;
    s->accounts = map_new(account_unref);
    if (!s->accounts) {
        free(s);
        return NULL;
    }
    pthread_mutex_init(&s->lock, NULL);
    return s;
}

void ckpt_mem_store_free(struct ckpt_mem_store *s)
{
    if (!s)
        return;
    map_free(s->accounts);
    pthread_mutex_destroy(&s->lock);
    free(s);
}

static struct ckpt_mem_store *store_of(struct ckpt *c)
{
    return ((struct ckpt_mem *)c)->store;
}

/* The consumer's account as it is now, counted; NULL if it never committed. */
static struct account *hold(struct ckpt *c, struct slice consumer)
{
    struct ckpt_mem_store *s = store_of(c);
    pthread_mutex_lock(&s->lock);
    struct account *a = map_get(s->accounts, consumer);
    if (a)
        a->refs++;
    pthread_mutex_unlock(&s->lock);
    return a;
}

static enum rc release(struct ckpt *c, struct account *a, enum rc rc)
{
    struct ckpt_mem_store *s = store_of(c);
    pthread_mutex_lock(&s->lock);
    account_unref(a);
    pthread_mutex_unlock(&s->lock);
    return rc;
}

static enum rc never_committed(struct slice consumer, struct err *e)
{
    return err_set(e, RC_NOTFOUND, ERR_FINAL, "consumer %.*s has no checkpoint",
                   SLICE_ARG(consumer));
}

/* ---- Methods ---- */

/* Adds s to out, or leaves out as it was. */
static enum rc give(struct buf *out, struct slice s, const char *what, struct err *e)
{
    if (!out)
        return RC_OK;
    buf_add_slice(out, s);
    return buf_check(out, what, e);
}

static enum rc mem_load(struct ckpt *c, struct slice consumer, struct ckpt_head *ret,
                        struct buf *position, struct buf *status, struct err *e)
{
    struct account *a = hold(c, consumer);
    if (!a)
        return never_committed(consumer, e);
    size_t before = position ? position->n : 0;
    enum rc rc = give(position, value_slice(a->position), "the position of a checkpoint", e);
    if (rc == RC_OK) {
        rc = give(status, value_slice(a->status), "the status of a checkpoint", e);
        if (rc != RC_OK && position)
            buf_truncate(position, before);
    }
    if (rc == RC_OK)
        *ret = a->head;
    return release(c, a, rc);
}

static enum rc mem_get(struct ckpt *c, struct slice consumer, enum ckpt_table table,
                       struct slice key, struct buf *out, struct err *e)
{
    struct account *a = hold(c, consumer);
    if (!a)
        return never_committed(consumer, e);
    const struct value *v = map_get(a->rows[table], key);
    enum rc rc = v ? give(out, value_slice(v), "the value of a checkpoint's row", e)
                   : err_set(e, RC_NOTFOUND, ERR_FINAL, "consumer %.*s has no row \"%.*s\"",
                             SLICE_ARG(consumer), SLICE_ARG(key));
    return release(c, a, rc);
}

static enum rc mem_scan(struct ckpt *c, struct slice consumer, enum ckpt_table table,
                        struct slice prefix, ckpt_row_fn *fn, void *arg, struct err *e)
{
    struct account *a = hold(c, consumer);
    if (!a)
        return RC_OK;
    enum rc rc = RC_OK;
    struct map_entry entry;
    for (bool more = map_seek(a->rows[table], prefix, false, &entry);
         rc == RC_OK && more && slice_starts(entry.key, prefix);
         more = map_seek(a->rows[table], entry.key, true, &entry))
        rc = fn(arg, entry.key, value_slice(entry.value), e);
    return release(c, a, rc);
}

static enum rc check_fences(const struct ckpt_head *stored, const struct ckpt_head *given,
                            struct err *e)
{
    if (stored->generation > given->generation)
        return err_set(e, RC_CONFLICT, ERR_FATAL,
                       "the checkpoint is of generation %" PRIu64
                       ", this one of the older %" PRIu64,
                       stored->generation, given->generation);
    if (stored->generation == given->generation && stored->offset > given->offset)
        return err_set(e, RC_CONFLICT, ERR_FATAL,
                       "the checkpoint stands at offset %" PRIu64
                       ", this one at the lower %" PRIu64,
                       stored->offset, given->offset);
    return RC_OK;
}

static enum rc commit_locked(struct ckpt_mem_store *s, struct slice consumer,
                             const struct ckpt_commit *what, struct err *e)
{
    const struct account *old = what->anew ? NULL : map_get(s->accounts, consumer);
    enum rc rc = old ? check_fences(&old->head, &what->head, e) : RC_OK;
    if (rc != RC_OK)
        return rc;
    struct account *changed = account_new();
    if (!changed)
        return err_nomem(e);
    if (old)
        rc = copy_account(old, changed, e);
    if (rc == RC_OK)
        rc = change_account(changed, what, e);
    if (rc == RC_OK)
        return map_put(s->accounts, consumer, changed, e);
    account_unref(changed);
    return rc;
}

static enum rc mem_commit(struct ckpt *c, struct slice consumer, const struct ckpt_commit *what,
                          struct err *e)
{
    struct ckpt_mem_store *s = store_of(c);
    pthread_mutex_lock(&s->lock);
    enum rc rc = commit_locked(s, consumer, what, e);
    pthread_mutex_unlock(&s->lock);
    return rc;
}

/* The least name behind `after` (or the first, when it is empty), copied, so that the callback may
 * run without the lock. */
static enum rc next_name(struct ckpt_mem_store *s, struct buf *name, struct err *e)
{
    struct map_entry entry;
    pthread_mutex_lock(&s->lock);
    bool more = map_seek(s->accounts, buf_slice(name), name->n > 0, &entry);
    if (more) {
        buf_reset(name);
        buf_add_slice(name, entry.key);
    }
    pthread_mutex_unlock(&s->lock);
    return more ? buf_check(name, "the name of a consumer", e) : RC_END;
}

static enum rc mem_list(struct ckpt *c, ckpt_name_fn *fn, void *arg, struct err *e)
{
    AUTO(buf_done) struct buf name = BUF_INIT(CKPT_NAME_MAX);
    for (;;) {
        enum rc rc = next_name(store_of(c), &name, e);
        if (rc == RC_END)
            return RC_OK;
        if (rc == RC_OK)
            rc = fn(arg, buf_slice(&name), e);
        if (rc != RC_OK)
            return rc;
    }
}

static enum rc mem_remove(struct ckpt *c, struct slice consumer, struct err *e)
{
    (void)e;
    struct ckpt_mem_store *s = store_of(c);
    pthread_mutex_lock(&s->lock);
    map_delete(s->accounts, consumer);
    pthread_mutex_unlock(&s->lock);
    return RC_OK;
}

static void mem_close(struct ckpt *c)
{
    free(c);
}

static const struct ckpt_ops mem_ops = {
    .name = "mem",
    .close = mem_close,
    .load = mem_load,
    .get = mem_get,
    .scan = mem_scan,
    .commit = mem_commit,
    .list = mem_list,
    .remove = mem_remove,
};

enum rc ckpt_mem_open(struct ckpt_mem_store *s, struct ckpt **ret, struct err *e)
{
    struct ckpt_mem *c = calloc(1, sizeof(*c));
    if (!c)
        return err_nomem(e);
    c->base.ops = &mem_ops;
    c->store = s;
    *ret = &c->base;
    return RC_OK;
}
