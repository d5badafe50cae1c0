/* Four sets of paths: this round's, its parents, the next round's, and parents that come after that one. A set is a map whose values mean nothing. One
 * thread. */
#include "producers/zk_dirty.h"

#include "core/buf.h"
#include "core/map.h"
#include "core/znode.h"

#include <string.h>

enum kind { NOW, PARENTS, NEXT, LATER, KINDS };

struct zk_dirty {
    struct map *sets[KINDS];
    size_t bytes;
    bool overflowed;
};

void zk_dirty_free(struct zk_dirty *d)
{
    if (!d)
        return;
    for (int i = 0; i < KINDS; i++)
        map_free(d->sets[i]);
    free(d);
}

struct zk_dirty *zk_dirty_new(void)
{
    AUTO(zk_dirty_freep) struct zk_dirty *d = calloc(1, sizeof *d);
    for (int i = 0; d && i < KINDS; i++) {
        d->sets[i] = map_new(NULL);
        if (!d->sets[i])
            return NULL;
    }
    return steal(&d);
}

static void empty(struct zk_dirty *d)
{
    for (int i = 0; i < KINDS; i++)
        map_clear(d->sets[i]);
    d->bytes = 0;
}

void zk_dirty_clear(struct zk_dirty *d)
{
    empty(d);
    d->overflowed = false;
}

static size_t count(const struct zk_dirty *d)
{
    size_t n = 0;
    for (int i = 0; i < KINDS; i++)
        n += map_count(d->sets[i]);
    return n;
}

static enum rc add(struct zk_dirty *d, enum kind kind, struct slice path, struct err *e)
{
    if (d->overflowed || map_get(d->sets[kind], path))
        return RC_OK;
    if (count(d) >= ZK_DIRTY_PATHS || d->bytes + path.n > ZK_DIRTY_BYTES) {
        empty(d);
        d->overflowed = true;
        return RC_OK;
    }
    enum rc rc = map_put(d->sets[kind], path, d, e);
    d->bytes += rc == RC_OK ? path.n : 0;
    return rc;
}

/* What is still to be taken in this round will be read after what happened now. */
enum rc zk_dirty_add(struct zk_dirty *d, struct slice path, struct err *e)
{
    return map_get(d->sets[NOW], path) ? RC_OK : add(d, NEXT, path, e);
}

enum rc zk_dirty_add_parent(struct zk_dirty *d, struct slice path, struct err *e)
{
    return add(d, PARENTS, path, e);
}

enum rc zk_dirty_add_later(struct zk_dirty *d, struct slice path, struct err *e)
{
    return add(d, LATER, path, e);
}

/* Goes on in the set at `at`, which is the prefix at first. What lies below a child is leapt over: '0' follows '/'. */
static bool next_child(const struct map *set, size_t prefix, struct buf *at, struct slice *ret)
{
    struct map_entry entry;
    while (map_seek(set, buf_slice(at), false, &entry)) {
        if (entry.key.n < prefix || memcmp(entry.key.p, at->p, prefix) != 0)
            return false;
        const char *slash = memchr(entry.key.p + prefix, '/', entry.key.n - prefix);
        size_t n = slash ? (size_t)(slash - entry.key.p) : entry.key.n;
        buf_truncate(at, 0);
        buf_add(at, entry.key.p, n);
        buf_add_char(at, slash ? '0' : '\0');
        if (at->bad)
            return false;
        if (!slash && n > prefix) {
            *ret = entry.key;
            return true;
        }
    }
    return false;
}

static bool each_child(const struct map *set, struct slice path,
                       bool (*is_it)(void *arg, struct slice child), void *arg, enum rc *rc,
                       struct err *e)
{
    AUTO(buf_done) struct buf at = BUF_INIT(2 * ZNODE_PATH_MAX);
    struct slice child;
    buf_add_slice(&at, path);
    if (path.n > 1)
        buf_add_char(&at, '/');
    size_t prefix = at.n;
    bool found = false;
    while (!found && next_child(set, prefix, &at, &child))
        found = is_it(arg, child);
    *rc = buf_check(&at, "path", e);
    return found;
}

enum rc zk_dirty_any_child(const struct zk_dirty *d, struct slice path,
                           bool (*is_it)(void *arg, struct slice child), void *arg, bool *ret,
                           struct err *e)
{
    enum rc rc = RC_OK;
    *ret = each_child(d->sets[NOW], path, is_it, arg, &rc, e);
    if (rc == RC_OK && !*ret)
        *ret = each_child(d->sets[NEXT], path, is_it, arg, &rc, e);
    return rc;
}

bool zk_dirty_has(const struct zk_dirty *d, struct slice path)
{
    return map_get(d->sets[NOW], path) || map_get(d->sets[NEXT], path);
}

/* What waited for the paths taken before: their parents, or else the next round. */
static void swap(struct zk_dirty *d, enum kind a, enum kind b)
{
    struct map *was = d->sets[a];
    d->sets[a] = d->sets[b];
    d->sets[b] = was;
}

static void turn(struct zk_dirty *d)
{
    if (map_count(d->sets[PARENTS]) > 0) {
        swap(d, NOW, PARENTS);
        return;
    }
    swap(d, NOW, NEXT);
    swap(d, PARENTS, LATER);
}

enum rc zk_dirty_take(struct zk_dirty *d, bool settled, struct buf *out, struct err *e)
{
    struct map_entry first;
    if (settled && map_count(d->sets[NOW]) == 0)
        turn(d);
    if (!map_seek(d->sets[NOW], SLICE_NULL, false, &first))
        return RC_AGAIN;
    buf_reset(out);
    buf_add_slice(out, first.key);
    enum rc rc = buf_check(out, "path", e);
    if (rc < 0)
        return rc;
    d->bytes -= first.key.n;
    map_delete(d->sets[NOW], first.key);
    return RC_OK;
}

bool zk_dirty_is_empty(const struct zk_dirty *d)
{
    return count(d) == 0;
}

bool zk_dirty_overflowed(const struct zk_dirty *d)
{
    return d->overflowed;
}
