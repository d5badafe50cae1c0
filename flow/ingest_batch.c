/* The batch that waits for the log. A position stands in the append that holds the events it covers
 * (I2), never before them. One thread. */
#include "flow/ingest_priv.h"

#include "core/buf.h"
#include "core/clock.h"
#include "core/diag.h"
#include "core/event_codec.h"
#include "core/hash_set.h"
#include "core/map.h"
#include "flow/flow_say.h"
#include "flow/ingest_recent.h"

#include <assert.h>
#include <stdlib.h>

#define ROOM_RETRY_NS NS_PER_S
#define BYTES_MOST    (EVENT_BATCH_BYTES_MAX - (64u << 10)) /* leaves room for one more position */

void ingest_drop_batch(struct ingest *g)
{
    for (size_t i = 0; i < g->n_batch; i++)
        free(g->batch[i]);
    g->n_batch = g->batch_bytes = 0;
}

bool ingest_batch_full(const struct ingest *g)
{
    return g->n_batch >= BATCH_EVENTS || g->batch_bytes >= BATCH_BYTES;
}

enum rc ingest_add(struct ingest *g, const struct event *ev, struct err *e)
{
    assert(g->n_batch < BATCH_ROOM);
    struct event full = *ev;
    full.incarnation = g->incarnation;
    full.source = slice_str(g->identity);
    if (!full.wall_ns)
        full.wall_ns = clock_wall_ns(g->env.clock);
    struct event *copy = event_copy(&full);
    if (!copy)
        return err_nomem(e);
    g->batch[g->n_batch++] = copy;
    g->batch_bytes += event_encoded_size(copy);
    recent_forget(g->recent, ev->key);
    return RC_OK;
}

enum rc ingest_add_own(struct ingest *g, const char *prefix, struct slice scope,
                       const struct event *what, struct err *e)
{
    AUTO(buf_done) struct buf key = BUF_INIT(EVENT_TEXT_MAX);
    buf_add_str(&key, prefix);
    buf_add_slice(&key, scope);
    enum rc rc = buf_check(&key, "scope", e);
    if (rc < 0)
        return rc;
    struct event ev = *what;
    ev.cause = CAUSE_SELF;
    ev.source_kind = g->tree ? SOURCE_ZOOKEEPER : SOURCE_KUBERNETES;
    ev.key = buf_slice(&key);
    return ingest_add(g, &ev, e);
}

static enum rc add_due_positions(struct ingest *g, struct err *e)
{
    struct map_entry entry = {SLICE_NULL, NULL};
    while (map_seek(g->scopes, entry.key, entry.key.n > 0, &entry)) {
        struct position *p = entry.value;
        if (!p->due || g->n_batch == BATCH_ROOM || g->batch_bytes > BYTES_MOST)
            continue;
        struct event ev = {.op = EVENT_POSITION, .version = slice_str(p->version)};
        enum rc rc = ingest_add_own(g, POSITION_PREFIX, entry.key, &ev, e);
        if (rc < 0)
            return rc;
        p->due = false;
        p->written_ns = clock_boot_ns(g->env.clock);
    }
    return RC_OK;
}

/* Of each object in the batch that the log has since `first`. */
static void say_read(struct ingest *g, rlog_off first)
{
    if (!diag_says(g->env.diag, DIAG_DEBUG))
        return;
    for (size_t i = 0; i < g->n_batch; i++) {
        struct event *ev = &g->views[i];
        if (ev->op != EVENT_PUT && ev->op != EVENT_DELETE)
            continue;
        ev->offset = first + i;
        bool missed = ev->op == EVENT_DELETE && ev->cause != CAUSE_WATCH; /* by a listing */
        const struct diag_field offset = DIAG_N("offset", ev->offset);
        const struct flow_line line = {
            DIAG_DEBUG, missed ? "object not found in cluster" : "object read from cluster",
            &offset, 1};
        flow_say(g->env.diag, g->log, ev, &line);
    }
}

static void note_keys(struct ingest *g)
{
    bool all = g->keys;
    for (size_t i = 0; all && i < g->n_batch; i++)
        all = hash_set_add(g->keys, g->views[i].key);
    if (all || !g->keys)
        return;
    hash_set_free(g->keys);
    g->keys = NULL;
}

/* Appends the batch. RC_AGAIN: the log has no room now, the batch waits. */
static enum rc append(struct ingest *g, struct err *e)
{
    if (g->n_batch == 0)
        return RC_OK;
    for (size_t i = 0; i < g->n_batch; i++)
        g->views[i] = *g->batch[i];
    rlog_off first;
    struct err why = ERR_INIT;
    enum rc rc = rlog_append(g->log, g->views, g->n_batch, g->next, &first, &why);
    if (rc == RC_LIMIT && why.retry == ERR_RETRY) {
        if (!g->retry_ns)
            diag_error(g->env.diag, DIAG_ERROR, "intake pauses until the log has room", &why);
        g->retry_ns = clock_boot_ns(g->env.clock) + ROOM_RETRY_NS;
        return RC_AGAIN;
    }
    if (rc < 0) {
        *e = why;
        return rc;
    }
    if (g->retry_ns)
        DIAG(g->env.diag, DIAG_INFO, "the log has room again, intake goes on",
             DIAG_N("offset", first));
    g->retry_ns = 0;
    note_keys(g);
    say_read(g, first);
    g->next = first + g->n_batch;
    ingest_drop_batch(g);
    return RC_OK;
}

enum rc ingest_flush(struct ingest *g, struct err *e)
{
    if (!g->retry_ns) {
        enum rc rc = add_due_positions(g, e);
        if (rc < 0)
            return rc;
    }
    return append(g, e);
}
