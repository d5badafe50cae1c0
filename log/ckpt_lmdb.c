/* Checkpoints in LMDB, one file a consumer: the list of consumers and single reads. Keeps: for each
 * consumer named so far its open files and a lock. Readers go through log/pages.h: no lock, no
 * mapping, and a commit that overtakes them makes them read again. Invariant: what one call gives is
 * of one commit. Failure modes: as log/ckpt.h; a scan of a table larger than 1 MiB that another
 * process overtakes twice is UNAVAILABLE (RETRY). Threads: one lock a consumer, so that consumers
 * never wait for one another. */
#include "log/ckpt_lmdb_priv.h"

#include "core/buf.h"
#include "core/digest.h"
#include "core/map.h"
#include "log/folder.h"

#include <dirent.h>
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>

#define NAME_HEX 16 /* of SHA-256 of the consumer's name */

static struct ckpt_lmdb *lmdb_of(struct ckpt *c)
{
    return (struct ckpt_lmdb *)c;
}

/* ---- Consumers ---- */

static void consumer_free(struct consumer *c)
{
    if (!c)
        return;
    ckpt_consumer_close(c);
    pthread_mutex_destroy(&c->lock);
    free(c->name);
    free(c->path);
    free(c);
}
DEFINE_FREEP(struct consumer, consumer_free)

static struct consumer *consumer_new(const struct ckpt_lmdb *l, struct slice name)
{
    AUTO(consumer_freep) struct consumer *c = calloc(1, sizeof(*c));
    if (!c)
        return NULL;
    pthread_mutex_init(&c->lock, NULL);
    uint8_t digest[SHA256_SIZE];
    char hex[SHA256_HEX_SIZE + 1];
    sha256(name, SLICE_NULL, digest);
    hex_encode(digest, NAME_HEX / 2, hex);
    c->name = malloc(name.n);
    if (!c->name || asprintf(&c->path, "%s/%s.mdb", l->dir, hex) < 0) {
        c->path = NULL;
        return NULL;
    }
    memcpy(c->name, name.p, name.n);
    c->name_n = name.n;
    c->writes = l->access == CKPT_WRITE;
    return steal(&c);
}

struct consumer *ckpt_consumer_enter(struct ckpt_lmdb *l, struct slice name)
{
    pthread_mutex_lock(&l->lock);
    struct consumer *c = l->consumers;
    while (c && !slice_eq(slice_of(c->name, c->name_n), name))
        c = c->next;
    if (!c) {
        c = consumer_new(l, name);
        if (c) {
            c->next = l->consumers;
            l->consumers = c;
        }
    }
    pthread_mutex_unlock(&l->lock);
    if (c)
        pthread_mutex_lock(&c->lock);
    return c;
}

void ckpt_consumer_leave(struct consumer *c)
{
    pthread_mutex_unlock(&c->lock);
}

/* ---- Reading of one commit ---- */

/* What one call reads; run is repeated until the commit that it read still stands. */
struct reading {
    struct consumer *consumer;
    struct pages_commit commit;
    bool again; /* commit is the one of an earlier reading */
    struct ckpt_head head;
    bool head_read;
    struct buf *out[2];    /* position and status, or a row's value, or NULL */
    enum ckpt_tag tags[2]; /* of the rows of out */
    struct slice key;      /* theirs */
};

static enum rc never_committed(const struct consumer *c, struct err *e)
{
    return err_set(e, RC_NOTFOUND, ERR_FINAL, "consumer %.*s has no checkpoint", (int)c->name_n,
                   c->name);
}

/* Files are told apart by 64 bits of a hash, names by the name row. */
static enum rc check_name(const struct reading *r, struct err *e)
{
    AUTO(buf_done) struct buf name = BUF_INIT(4096);
    const struct consumer *c = r->consumer;
    enum rc rc = ckpt_consumer_get(c->file, &r->commit, TAG_NAME, SLICE_NULL, &name, e);
    if (rc != RC_OK && rc != RC_NOTFOUND)
        return rc;
    if (rc == RC_NOTFOUND || !slice_eq(buf_slice(&name), slice_of(c->name, c->name_n)))
        return err_set(e, RC_CORRUPT, ERR_FATAL, "%s is the checkpoint of another consumer",
                       c->path);
    return RC_OK;
}

static enum rc read_head(struct reading *r, struct err *e)
{
    AUTO(buf_done) struct buf value = BUF_INIT(CKPT_HEAD_SIZE);
    enum rc rc = check_name(r, e);
    if (rc == RC_OK)
        rc = ckpt_consumer_get(r->consumer->file, &r->commit, TAG_HEAD, SLICE_NULL, &value, e);
    if (rc == RC_NOTFOUND)
        return never_committed(r->consumer, e);
    if (rc == RC_OK)
        rc = ckpt_head_decode(buf_slice(&value), &r->head, e);
    r->head_read = rc == RC_OK;
    return rc;
}

/* Either reads all of out, or leaves them as they were. Rows that are needed are all that is wanted:
 * then the head is read once for each file, to see that there is one. */
static enum rc read_rows(struct reading *r, bool needed, struct err *e)
{
    size_t before[2] = {0};
    enum rc rc = needed && r->consumer->known ? RC_OK : read_head(r, e);
    for (int i = 0; i < 2; i++)
        before[i] = r->out[i] ? r->out[i]->n : 0;
    for (int i = 0; rc == RC_OK && i < 2; i++) {
        if (!r->out[i])
            continue;
        rc = ckpt_consumer_get(r->consumer->file, &r->commit, r->tags[i], r->key, r->out[i], e);
        if (rc == RC_NOTFOUND && !needed)
            rc = RC_OK;
        else if (rc == RC_NOTFOUND)
            rc = err_set(e, RC_NOTFOUND, ERR_FINAL, "consumer %.*s has no row \"%.*s\"",
                         (int)r->consumer->name_n, r->consumer->name, SLICE_ARG(r->key));
    }
    for (int i = 0; rc != RC_OK && i < 2; i++) {
        if (r->out[i])
            buf_truncate(r->out[i], before[i]);
    }
    return rc;
}

/* The commit of the last reading, which may be the newest still, or the newest. */
static enum rc choose_commit(struct reading *r, struct err *e)
{
    struct consumer *c = r->consumer;
    r->again = c->newest.cache != NULL;
    if (r->again) {
        r->commit = c->newest;
        return RC_OK;
    }
    if (!c->cache)
        c->cache = pages_cache_new();
    if (c->cache)
        pages_cache_clear(c->cache);
    enum rc rc = pages_newest(c->file, &r->commit, e);
    r->commit.cache = c->cache;
    return rc;
}

/* What was read is the newest there was when the reading began. */
static bool keep_commit(const struct reading *r)
{
    struct consumer *c = r->consumer;
    bool good = r->again ? pages_is_newest(c->file, &r->commit) : pages_stands(c->file, &r->commit);
    c->newest = r->commit;
    if (!good)
        c->newest.cache = NULL;
    return good;
}

static enum rc read_until_it_stands(struct reading *r, bool needed, struct err *e)
{
    enum rc rc = ckpt_consumer_open(r->consumer, e);
    if (rc != RC_OK)
        return rc;
    if (!r->consumer->file)
        return never_committed(r->consumer, e);
    size_t before[2] = {r->out[0] ? r->out[0]->n : 0, r->out[1] ? r->out[1]->n : 0};
    for (int try = 0; try < CKPT_READ_TRIES; try++) {
        struct err why = ERR_INIT;
        rc = choose_commit(r, e);
        if (rc != RC_OK)
            return rc;
        rc = read_rows(r, needed, &why);
        if (keep_commit(r) || rc == RC_LIMIT) {
            if (rc != RC_OK && e)
                *e = why;
            r->consumer->known = r->consumer->known || (r->head_read && rc != RC_LIMIT);
            return rc;
        }
        for (int i = 0; i < 2; i++) {
            if (r->out[i])
                buf_truncate(r->out[i], before[i]);
        }
    }
    return err_set(e, RC_UNAVAILABLE, ERR_RETRY, "%s: its writer was faster %d times in a row",
                   r->consumer->path, CKPT_READ_TRIES);
}

static enum rc lmdb_load(struct ckpt *ckpt, struct slice consumer, struct ckpt_head *ret,
                         struct buf *position, struct buf *status, struct err *e)
{
    struct consumer *c = ckpt_consumer_enter(lmdb_of(ckpt), consumer);
    if (!c)
        return err_nomem(e);
    struct reading r = {
        .consumer = c, .out = {position, status}, .tags = {TAG_POSITION, TAG_STATUS}};
    enum rc rc = read_until_it_stands(&r, false, e);
    if (rc == RC_OK)
        *ret = r.head;
    ckpt_consumer_leave(c);
    return rc;
}

static enum rc lmdb_get(struct ckpt *ckpt, struct slice consumer, enum ckpt_table table,
                        struct slice key, struct buf *out, struct err *e)
{
    struct consumer *c = ckpt_consumer_enter(lmdb_of(ckpt), consumer);
    if (!c)
        return err_nomem(e);
    struct reading r = {.consumer = c, .out = {out}, .tags = {ckpt_tag_of(table)}, .key = key};
    enum rc rc = read_until_it_stands(&r, true, e);
    ckpt_consumer_leave(c);
    return rc;
}

/* ---- List and remove ---- */

/* The name in one file, if its consumer ever committed. */
static enum rc read_name(const char *path, struct buf *name, bool *ret_committed, struct err *e)
{
    AUTO(pages_closep) struct pages *f = NULL;
    AUTO(buf_done) struct buf head = BUF_INIT(CKPT_HEAD_SIZE);
    enum rc rc = pages_open(path, 0, &f, e);
    for (int try = 0; rc == RC_OK && try < CKPT_READ_TRIES; try++) {
        struct pages_commit commit;
        buf_reset(name);
        buf_reset(&head);
        rc = pages_newest(f, &commit, e);
        if (rc != RC_OK)
            break;
        enum rc named = ckpt_consumer_get(f, &commit, TAG_NAME, SLICE_NULL, name, e);
        enum rc headed = ckpt_consumer_get(f, &commit, TAG_HEAD, SLICE_NULL, &head, e);
        if (!pages_stands(f, &commit))
            continue;
        *ret_committed = named == RC_OK && headed == RC_OK;
        if (named != RC_OK && named != RC_NOTFOUND)
            return named;
        return headed == RC_NOTFOUND ? RC_OK : headed;
    }
    return rc == RC_NOTFOUND ? RC_OK : rc; /* removed meanwhile */
}

static enum rc add_name(const struct ckpt_lmdb *l, const char *file, struct map *names,
                        struct err *e)
{
    char path[4096];
    bool committed = false;
    size_t n = strlen(file);
    if (n != NAME_HEX + 4 || strcmp(file + NAME_HEX, ".mdb") != 0)
        return RC_OK;
    int length = snprintf(path, sizeof(path), "%s/%s", l->dir, file);
    if (length < 0 || (size_t)length >= sizeof(path))
        return err_set(e, RC_LIMIT, ERR_FINAL, "the name of the folder is too long");
    AUTO(buf_done) struct buf name = BUF_INIT(4096);
    enum rc rc = read_name(path, &name, &committed, e);
    return rc == RC_OK && committed ? map_put(names, buf_slice(&name), names, e) : rc;
}

/* All names that can be read; the error is that of the first file that cannot. */
static enum rc read_names(const struct ckpt_lmdb *l, DIR *d, struct map *names, struct err *e)
{
    enum rc first = RC_OK;
    const struct dirent *entry = NULL;
    while (first != RC_NOMEM && (entry = readdir(d)) != NULL) {
        struct err why = ERR_INIT;
        enum rc rc = add_name(l, entry->d_name, names, &why);
        if (rc < 0 && (first == RC_OK || rc == RC_NOMEM)) {
            first = rc;
            *e = why;
        }
    }
    return first;
}

static enum rc lmdb_list(struct ckpt *ckpt, ckpt_name_fn *fn, void *arg, struct err *e)
{
    struct ckpt_lmdb *l = lmdb_of(ckpt);
    AUTO(map_freep) struct map *names = map_new(NULL);
    DIR *d = opendir(l->dir);
    if (!names || !d) {
        int error = errno;
        if (d)
            closedir(d);
        return names ? err_sys(e, error, "open the folder %s", l->dir) : err_nomem(e);
    }
    struct err why = ERR_INIT;
    enum rc rc = RC_OK, unread = read_names(l, d, names, &why);
    closedir(d);
    struct map_entry name;
    for (bool more = map_seek(names, SLICE_NULL, false, &name); rc == RC_OK && more;
         more = map_seek(names, name.key, true, &name))
        rc = fn(arg, name.key, e);
    if (rc == RC_OK && unread < 0 && e)
        *e = why;
    return rc == RC_OK ? unread : rc;
}

static enum rc lmdb_remove(struct ckpt *ckpt, struct slice consumer, struct err *e)
{
    struct ckpt_lmdb *l = lmdb_of(ckpt);
    if (l->access != CKPT_WRITE)
        return err_set(e, RC_DENIED, ERR_FINAL,
                       "remove: the checkpoints were opened for reading; open them for writing");
    struct consumer *c = ckpt_consumer_enter(l, consumer);
    if (!c)
        return err_nomem(e);
    enum rc rc = ckpt_consumer_remove(l, c, e);
    ckpt_consumer_leave(c);
    return rc;
}

static void lmdb_let_go(struct ckpt *ckpt, struct slice consumer)
{
    struct consumer *c = ckpt_consumer_enter(lmdb_of(ckpt), consumer);
    if (!c)
        return;
    ckpt_consumer_close(c);
    ckpt_consumer_leave(c);
}

/* ---- Open and close ---- */

static void lmdb_close(struct ckpt *ckpt)
{
    struct ckpt_lmdb *l = lmdb_of(ckpt);
    while (l->consumers) {
        struct consumer *gone = l->consumers;
        l->consumers = gone->next;
        consumer_free(gone);
    }
    pthread_mutex_destroy(&l->lock);
    free(l->dir);
    free(l);
}

static const struct ckpt_ops lmdb_ops = {
    .name = "lmdb",
    .close = lmdb_close,
    .load = lmdb_load,
    .get = lmdb_get,
    .scan = ckpt_lmdb_scan,
    .commit = ckpt_lmdb_commit,
    .list = lmdb_list,
    .remove = lmdb_remove,
    .let_go = lmdb_let_go,
};

enum rc ckpt_lmdb_open(const char *dir, enum ckpt_access access, const struct env *env,
                       struct ckpt **ret, struct err *e)
{
    (void)env;
    enum rc rc = access == CKPT_WRITE ? folder_make(dir, e) : RC_OK;
    if (rc == RC_OK)
        rc = folder_check(dir, e);
    if (rc != RC_OK)
        return rc;
    struct ckpt_lmdb *l = calloc(1, sizeof(*l));
    if (!l)
        return err_nomem(e);
    l->base.ops = &lmdb_ops;
    l->access = access;
    pthread_mutex_init(&l->lock, NULL);
    AUTO(ckpt_closep) struct ckpt *ckpt = &l->base;
    l->dir = strdup(dir);
    if (!l->dir)
        return err_nomem(e);
    *ret = steal(&ckpt);
    return RC_OK;
}
