/* Two maps of texts: what is known only grows, what is served is made anew with each word of the source. */
#include "controller/source_kinds.h"

#include "core/buf.h"
#include "core/event.h"
#include "core/event_iter.h"
#include "core/key.h"
#include "core/map.h"
#include "log/rlog.h"
#include "producers/producer.h"

#include <stdlib.h>

#define KIND_PREFIX  "@kind/"
#define VERSIONS_MAX 4096

struct source_kinds {
    struct map *known;  /* kind -> its versions */
    struct map *served; /* the same */
    uint64_t round;     /* of the source's last word; 0: none yet */
};

void source_kinds_free(struct source_kinds *k)
{
    if (!k)
        return;
    map_free(k->known);
    map_free(k->served);
    free(k);
}

/* Adds a version to a kind: before those that it has, or behind them. */
static enum rc add_version(struct map *kinds, struct slice kind, struct slice version, bool first,
                           struct err *e)
{
    AUTO(buf_done) struct buf text = BUF_INIT(VERSIONS_MAX);
    const char *has = map_get(kinds, kind);
    if (has && !first)
        buf_add_str(&text, has);
    buf_add_slice(&text, version);
    buf_add_char(&text, ' ');
    if (has && first)
        buf_add_str(&text, has);
    enum rc rc = buf_check(&text, "versions of a kind", e);
    return rc == RC_OK ? map_put(kinds, kind, buf_steal(&text, NULL), e) : rc;
}

/* ---- From the log ---- */

static enum rc note_logged(struct source_kinds *k, const struct event *ev, struct err *e)
{
    struct slice version, first = slice_cut(ev->api_version, '/', &version);
    size_t skip = sizeof KIND_PREFIX - 1;
    return add_version(k->known, slice_of(ev->key.p + skip, ev->key.n - skip),
                       version.n ? version : first, /* first= */ true, e);
}

enum rc source_kinds_load(struct rlog *log, struct source_kinds **ret, struct err *e)
{
    AUTO(source_kinds_freep) struct source_kinds *k = calloc(1, sizeof *k);
    AUTO(event_iter_freep) struct event_iter *it = NULL;
    const struct rlog_range range = {.prefix = SLICE(KIND_PREFIX), .mode = RLOG_LIVE};
    const struct event *ev;
    if (!k)
        return err_nomem(e);
    k->known = map_new(free);
    k->served = map_new(free);
    enum rc rc = k->known && k->served ? rlog_cursor(log, &range, &it, e) : err_nomem(e);
    while (rc == RC_OK && (rc = event_iter_next(it, &ev, e)) == RC_OK)
        rc = note_logged(k, ev, e);
    if (rc < 0)
        return rc;
    *ret = steal(&k);
    return RC_OK;
}

/* ---- From the source ---- */

/* Of a group that answered in part, the versions that a kind was known to have stay. */
static enum rc note_served(const struct map *known, struct map *served,
                           const struct producer_kind *kind, struct err *e)
{
    AUTO(buf_done) struct buf name = BUF_INIT(2 * KEY_MAX);
    buf_addf(&name, "%.*s/%.*s", SLICE_ARG(kind->group), SLICE_ARG(kind->resource));
    enum rc rc = buf_check(&name, "kind", e);
    if (rc < 0)
        return rc;
    const char *had = kind->partial ? map_get(known, buf_slice(&name)) : NULL;
    if (!had)
        return add_version(served, buf_slice(&name), kind->version, kind->preferred, e);
    char *versions = strdup(had);
    return versions ? map_put(served, buf_slice(&name), versions, e) : err_nomem(e);
}

static enum rc read_served(const struct map *known, struct producer *p, struct map *served,
                           struct err *e)
{
    struct producer_kind kind;
    enum rc rc = RC_OK;
    for (size_t i = 0; rc == RC_OK && producer_kind(p, i, &kind) == RC_OK; i++)
        if (kind.followable)
            rc = note_served(known, served, &kind, e);
    return rc;
}

static enum rc learn(struct source_kinds *k, struct err *e)
{
    struct map_entry at = {SLICE_NULL, NULL};
    enum rc rc = RC_OK;
    while (rc == RC_OK && map_seek(k->served, at.key, at.key.n > 0, &at)) {
        char *versions = strdup(at.value);
        rc = versions ? map_put(k->known, at.key, versions, e) : err_nomem(e);
    }
    return rc;
}

enum rc source_kinds_look(struct source_kinds *k, struct producer *p, struct err *e)
{
    struct producer_kind kind;
    if (producer_kind(p, 0, &kind) != RC_OK || kind.round == k->round)
        return RC_AGAIN;
    AUTO(map_freep) struct map *served = map_new(free);
    uint64_t round = kind.round;
    enum rc rc = served ? read_served(k->known, p, served, e) : err_nomem(e);
    if (rc < 0)
        return rc;
    struct map *old = k->served;
    k->served = served;
    served = old;
    k->round = round;
    return learn(k, e);
}

bool source_kinds_none(const struct source_kinds *k)
{
    return map_count(k->known) == 0;
}

const struct map *source_kinds_known(const struct source_kinds *k)
{
    return k->known;
}

bool source_kinds_serves(const struct source_kinds *k, struct slice kind)
{
    return map_get(k->served, kind);
}
