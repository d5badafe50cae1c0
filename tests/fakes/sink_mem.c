/* The destination is a map of objects, the writes in order, and the scripts. A sink holds its items in a list
 * in the order of submission; an item that is due takes effect in step and gives its result in take, so that
 * a crash between the two is possible. One thread. */
#include "tests/fakes/sink_mem.h"

#include "core/buf.h"
#include "core/clock.h"
#include "core/env.h"
#include "core/event_iter.h"
#include "core/map.h"
#include "core/znode.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct write {
    struct dest_mem_write what;
    char *key, *body;
};

struct script {
    struct sink_script what;
    char *cls, *reason, *dependency;
    unsigned left; /* 0: without end */
};

struct dest_mem {
    struct map *objects; /* key -> char *body */
    struct map *touched; /* key: somebody else changed it, and no item of it was done since */
    struct map *applied; /* key -> rlog_off of the newest event that was written */
    struct map *scripts; /* key -> struct script */
    struct map *submits; /* key -> size_t */
    struct write *writes;
    size_t n_writes, cap_writes;
    size_t disorder;
    size_t window;
    int64_t delay_ns;
    bool cache, fatal, tree;
    char identity[64];
    char denied[64];
    enum rc denied_so;
    struct sink_item last;
    enum sink_adopt last_adopt;
};

struct mem_scan;

struct flight {
    struct flight *next;
    const struct sink_item *item;
    struct sink_item seen; /* as it was submitted */
    char *key, *body;
    int64_t due_ns;
    bool effective;            /* then its result waits */
    struct sink_result result; /* with slices into the following */
    char *cls, *told;          /* told: the dependency, or the new record */
};

struct sink_mem {
    struct sink sink;
    struct dest_mem *dest;
    struct env env;
    struct flight *flights;
    size_t n_flights;
    struct flight *taken;  /* the last result's, until the next call */
    struct flight *cached; /* writes that were not flushed */
    struct mem_scan *scan; /* asked for and not answered */
};

struct mem_scan {
    struct event_iter iter;
    struct sink_mem *sink;
    struct buf prefix, key;
    struct event view;
    bool answered;
};

static void *sure(void *p)
{
    if (!p)
        abort();
    return p;
}

static void sure_rc(enum rc rc)
{
    if (rc < 0)
        abort();
}

static char *text(struct slice s)
{
    return sure(strndup(s.n ? s.p : "", s.n));
}

static char *text_or_null(const char *s)
{
    return s ? sure(strdup(s)) : NULL;
}

/* ---- The destination ---- */

static void script_free(void *value)
{
    struct script *s = value;
    free(s->cls);
    free(s->reason);
    free(s->dependency);
    free(s);
}

struct dest_mem *dest_mem_new(void)
{
    struct dest_mem *d = sure(calloc(1, sizeof *d));
    d->objects = sure(map_new(free));
    d->touched = sure(map_new(NULL));
    d->applied = sure(map_new(free));
    d->scripts = sure(map_new(script_free));
    d->submits = sure(map_new(free));
    d->window = SIZE_MAX;
    return d;
}

void dest_mem_free(struct dest_mem *d)
{
    if (!d)
        return;
    map_free(d->objects);
    map_free(d->touched);
    map_free(d->applied);
    map_free(d->scripts);
    map_free(d->submits);
    for (size_t i = 0; i < d->n_writes; i++) {
        free(d->writes[i].key);
        free(d->writes[i].body);
    }
    free(d->writes);
    free(d);
}

struct slice dest_mem_get(const struct dest_mem *d, const char *key)
{
    return slice_str(map_get(d->objects, slice_str(key)));
}

size_t dest_mem_count(const struct dest_mem *d)
{
    return map_count(d->objects);
}

void dest_mem_touch(struct dest_mem *d, const char *key, const char *body)
{
    if (body)
        sure_rc(map_put(d->objects, slice_str(key), sure(strdup(body)), NULL));
    else
        map_delete(d->objects, slice_str(key));
    sure_rc(map_put(d->touched, slice_str(key), d, NULL));
}

void dest_mem_leave(struct dest_mem *d, const char *key, const char *body)
{
    sure_rc(map_put(d->objects, slice_str(key), sure(strdup(body)), NULL));
}

size_t dest_mem_writes(const struct dest_mem *d)
{
    return d->n_writes;
}

struct dest_mem_write dest_mem_write_at(const struct dest_mem *d, size_t index)
{
    assert(index < d->n_writes);
    return d->writes[index].what;
}

size_t dest_mem_disorder(const struct dest_mem *d)
{
    return d->disorder;
}

void dest_mem_script(struct dest_mem *d, const char *key, const struct sink_script *script)
{
    map_delete(d->scripts, slice_str(key));
    if (!script)
        return;
    struct script *s = sure(calloc(1, sizeof *s));
    s->what = *script;
    s->what.cls = s->cls = text_or_null(script->cls);
    s->what.reason = s->reason = text_or_null(script->reason);
    s->what.dependency = s->dependency = text_or_null(script->dependency);
    s->left = script->times;
    sure_rc(map_put(d->scripts, slice_str(key), s, NULL));
}

void dest_mem_delay(struct dest_mem *d, int64_t ns)
{
    d->delay_ns = ns;
}

void dest_mem_window(struct dest_mem *d, size_t items)
{
    d->window = items;
}

void dest_mem_cache(struct dest_mem *d, bool on)
{
    d->cache = on;
}

void dest_mem_deny_scan(struct dest_mem *d, const char *scope, enum rc rc)
{
    snprintf(d->denied, sizeof d->denied, "%s", scope ? scope : "");
    d->denied_so = rc;
}

void dest_mem_identity(struct dest_mem *d, const char *identity)
{
    snprintf(d->identity, sizeof d->identity, "%s", identity);
}

void dest_mem_fatal(struct dest_mem *d, bool on)
{
    d->fatal = on;
}

void dest_mem_tree(struct dest_mem *d)
{
    d->tree = true;
}

enum sink_adopt dest_mem_last_adopt(const struct dest_mem *d)
{
    return d->last_adopt;
}

struct sink_item dest_mem_last(const struct dest_mem *d)
{
    return d->last;
}

size_t dest_mem_submits(const struct dest_mem *d, const char *key)
{
    const size_t *n = map_get(d->submits, slice_str(key));
    return n ? *n : 0;
}

/* ---- Writing ---- */

static void note_order(struct dest_mem *d, const struct flight *f)
{
    rlog_off offset = f->seen.event->offset;
    const rlog_off *before = map_get(d->applied, slice_str(f->key));
    if (offset == 0)
        return;
    if (before && *before > offset) {
        d->disorder++;
        return;
    }
    rlog_off *now = sure(malloc(sizeof *now));
    *now = offset;
    sure_rc(map_put(d->applied, slice_str(f->key), now, NULL));
}

static void note_write(struct dest_mem *d, const struct flight *f)
{
    if (d->n_writes == d->cap_writes) {
        d->cap_writes = d->cap_writes ? d->cap_writes * 2 : 64;
        d->writes = sure(reallocarray(d->writes, d->cap_writes, sizeof *d->writes));
    }
    struct write *w = &d->writes[d->n_writes++];
    w->key = sure(strdup(f->key));
    w->body = sure(strdup(f->body));
    w->what = (struct dest_mem_write){f->seen.op, f->seen.event->offset, f->seen.observed, w->key,
                                      w->body};
}

static void write_object(struct dest_mem *d, const struct flight *f)
{
    struct slice key = slice_str(f->key);
    const char *live = map_get(d->objects, key);
    bool same = f->seen.op == SINK_DELETE ? !live : live && strcmp(live, f->body) == 0;
    note_order(d, f);
    map_delete(d->touched, key);
    if (same)
        return;
    note_write(d, f);
    if (f->seen.op == SINK_DELETE)
        map_delete(d->objects, key);
    else
        sure_rc(map_put(d->objects, key, sure(strdup(f->body)), NULL));
}

/* ---- The sink ---- */

static struct sink_mem *downcast(struct sink *s)
{
    return (struct sink_mem *)s;
}

static void flight_free(struct flight *f)
{
    if (!f)
        return;
    free(f->key);
    free(f->body);
    free(f->cls);
    free(f->told);
    free((void *)f->seen.event);
    free(f);
}

static struct flight **find(struct sink_mem *m, struct slice key)
{
    struct flight **at = &m->flights;
    while (*at && !slice_eq(slice_str((*at)->key), key))
        at = &(*at)->next;
    return at;
}

static void count_submit(struct dest_mem *d, struct slice key)
{
    size_t *n = map_get(d->submits, key);
    if (!n) {
        n = sure(calloc(1, sizeof *n));
        sure_rc(map_put(d->submits, key, n, NULL));
    }
    ++*n;
}

static enum rc mem_submit(struct sink *s, const struct sink_item *item, struct err *e)
{
    (void)e;
    struct sink_mem *m = downcast(s);
    struct flight **at = find(m, item->event->key);
    if (*at) {
        fprintf(stderr, "sink_mem: two items of %s in flight\n", (*at)->key);
        abort();
    }
    if (m->n_flights >= m->dest->window)
        return RC_AGAIN;
    struct flight *f = sure(calloc(1, sizeof *f));
    struct event *event = sure(calloc(1, sizeof *event));
    event->offset = item->event->offset;
    f->item = item;
    f->seen = *item;
    f->seen.event = event;
    f->key = text(item->event->key);
    f->body = text(item->body);
    f->due_ns = clock_boot_ns(m->env.clock) + m->dest->delay_ns;
    while (*at)
        at = &(*at)->next;
    *at = f;
    m->n_flights++;
    count_submit(m->dest, item->event->key);
    m->dest->last = *item;
    if (item->policy)
        m->dest->last_adopt = item->policy->adopt;
    return RC_OK;
}

static void keep_until_flush(struct sink_mem *m, const struct flight *f)
{
    struct flight *copy = sure(calloc(1, sizeof *copy));
    struct event *event = sure(calloc(1, sizeof *event));
    event->offset = f->seen.event->offset;
    copy->seen = f->seen;
    copy->seen.event = event;
    copy->key = sure(strdup(f->key));
    copy->body = sure(strdup(f->body));
    struct flight **at = &m->cached;
    while (*at)
        at = &(*at)->next;
    *at = copy;
}

/* The pump keeps what the item borrows until the result. */
static void check_borrowed(const struct flight *f)
{
    if (!slice_eq(f->item->event->key, slice_str(f->key)) ||
        !slice_eq(f->item->body, slice_str(f->body)) || f->item->ticket != f->seen.ticket)
        abort();
}

static void answer_done(struct flight *f)
{
    if (asprintf(&f->told, "record of %s", f->key) < 0)
        abort();
    f->result.outcome = SINK_DONE;
    f->result.cls = "done";
    f->result.wrote = true;
    f->result.record_changed = true;
    f->result.record = f->seen.op == SINK_DELETE ? SLICE_NULL : slice_str(f->told);
}

static void answer_script(struct dest_mem *d, struct flight *f, struct script *script)
{
    const struct sink_script *what = &script->what;
    f->cls = sure(strdup(what->cls ? what->cls : "scripted"));
    f->told = sure(strdup(what->dependency ? what->dependency : ""));
    f->result.outcome = what->outcome;
    f->result.cls = f->cls;
    f->result.dependency = slice_str(f->told);
    f->result.preimage = slice_str(what->preimage);
    snprintf(f->result.reason, sizeof f->result.reason, "%s",
             what->reason ? what->reason : "as scripted");
    if (what->retry_after_ns)
        f->result.retry_after_ns = what->retry_after_ns;
    f->result.record_changed = f->seen.unsure && f->seen.record.n > 0;
    if (f->result.record_changed)
        f->result.record = SLICE("a record that is not trusted");
    if (script->left > 0 && --script->left == 0)
        map_delete(d->scripts, slice_str(f->key));
}

static void take_effect(struct sink_mem *m, struct flight *f)
{
    struct script *script = map_get(m->dest->scripts, slice_str(f->key));
    check_borrowed(f);
    f->effective = true;
    f->result = (struct sink_result){.ticket = f->seen.ticket, .retry_after_ns = -1};
    bool brings = script && script->what.preimage &&
                  slice_eq(f->seen.preimage, slice_str(script->what.preimage));
    if (script && !brings) {
        answer_script(m->dest, f, script);
        return;
    }
    answer_done(f);
    if (m->dest->cache)
        keep_until_flush(m, f);
    else
        write_object(m->dest, f);
}

static enum rc mem_step(struct sink *s, int64_t *ret_wake_ns, struct err *e)
{
    (void)e;
    struct sink_mem *m = downcast(s);
    int64_t now = clock_boot_ns(m->env.clock);
    bool any = m->scan;
    if (m->scan)
        m->scan->answered = true;
    m->scan = NULL;
    *ret_wake_ns = INT64_MAX;
    for (struct flight *f = m->flights; f; f = f->next) {
        if (f->effective)
            continue;
        if (f->due_ns > now) {
            *ret_wake_ns = f->due_ns < *ret_wake_ns ? f->due_ns : *ret_wake_ns;
            continue;
        }
        take_effect(m, f);
        any = true;
    }
    return any ? RC_OK : RC_AGAIN;
}

static enum rc mem_take(struct sink *s, struct sink_result *ret, struct err *e)
{
    (void)e;
    struct sink_mem *m = downcast(s);
    flight_free(m->taken);
    m->taken = NULL;
    struct flight **at = &m->flights;
    while (*at && !(*at)->effective)
        at = &(*at)->next;
    struct flight *f = *at;
    if (!f)
        return RC_AGAIN;
    *at = f->next;
    m->n_flights--;
    m->taken = f;
    *ret = f->result;
    return RC_OK;
}

static enum rc mem_flush(struct sink *s, struct err *e)
{
    (void)e;
    struct sink_mem *m = downcast(s);
    while (m->cached) {
        struct flight *f = m->cached;
        m->cached = f->next;
        write_object(m->dest, f);
        flight_free(f);
    }
    return RC_OK;
}

static void mem_status(struct sink *s, struct sink_status *ret)
{
    *ret = (struct sink_status){.connected = true, .fatal = downcast(s)->dest->fatal};
    snprintf(ret->identity, sizeof ret->identity, "%s", downcast(s)->dest->identity);
    if (ret->fatal)
        snprintf(ret->error, sizeof ret->error, "source and destination are the same cluster");
}

static enum rc mem_wait(struct sink *s, int wake_fd, int64_t timeout_ns, struct err *e)
{
    (void)s;
    (void)wake_fd;
    (void)timeout_ns;
    (void)e;
    return RC_OK;
}

static void free_list(struct flight *f)
{
    while (f) {
        struct flight *next = f->next;
        flight_free(f);
        f = next;
    }
}

static void mem_close(struct sink *s)
{
    struct sink_mem *m = downcast(s);
    free_list(m->flights);
    free_list(m->cached);
    flight_free(m->taken);
    free(m);
}

/* ---- Scan ---- */

/* Behind what was given last, a key that begins so and lies in the scope. */
static bool scan_seek(const struct mem_scan *s, struct map_entry *ret)
{
    const struct dest_mem *d = s->sink->dest;
    const struct slice prefix = buf_slice(&s->prefix);
    struct slice from = s->key.n ? buf_slice(&s->key) : prefix;
    for (bool after = s->key.n > 0;
         map_seek(d->objects, from, after, ret) && slice_starts(ret->key, prefix);
         after = true, from = ret->key)
        if (!d->tree || znode_is_within(ret->key, prefix))
            return true;
    return false;
}

static enum rc scan_next(struct event_iter *it, const struct event **ret, struct err *e)
{
    struct mem_scan *s = (struct mem_scan *)it;
    struct map_entry entry;
    if (!s->answered)
        return RC_AGAIN;
    bool tree = s->sink->dest->tree;
    struct slice scope = slice_of(s->prefix.p, s->prefix.n - !tree);
    if (slice_eq(scope, slice_str(s->sink->dest->denied)))
        return err_set(e, s->sink->dest->denied_so, ERR_FINAL, "cannot list %.*s",
                       SLICE_ARG(scope));
    if (!scan_seek(s, &entry))
        return RC_END;
    buf_reset(&s->key);
    buf_add_slice(&s->key, entry.key);
    s->view = (struct event){.key = buf_slice(&s->key),
                             .body = tree ? SLICE_NULL : SLICE("record of a scan")};
    *ret = &s->view;
    return RC_OK;
}

static void scan_free(struct event_iter *it)
{
    struct mem_scan *s = (struct mem_scan *)it;
    if (s->sink->scan == s)
        s->sink->scan = NULL;
    buf_done(&s->prefix);
    buf_done(&s->key);
    free(s);
}

static const struct event_iter_ops scan_ops = {.next = scan_next, .free = scan_free};

static enum rc mem_scan(struct sink *s, struct slice scope, struct slice api_version,
                        struct event_iter **ret, struct err *e)
{
    assert(downcast(s)->dest->tree == (api_version.n == 0));
    (void)e;
    struct mem_scan *scan = sure(calloc(1, sizeof *scan));
    scan->iter.ops = &scan_ops;
    scan->sink = downcast(s);
    scan->sink->scan = scan;
    buf_init(&scan->prefix, EVENT_TEXT_MAX);
    buf_init(&scan->key, EVENT_TEXT_MAX);
    buf_add_slice(&scan->prefix, scope);
    if (!scan->sink->dest->tree)
        buf_add_char(&scan->prefix, '/');
    *ret = &scan->iter;
    return RC_OK;
}

static bool mem_recognises(struct sink *s, struct slice record, const struct event *found)
{
    (void)record;
    return found && !map_get(downcast(s)->dest->touched, found->key);
}

static const struct sink_ops mem_ops = {
    .name = "mem",
    .submit = mem_submit,
    .step = mem_step,
    .take = mem_take,
    .flush = mem_flush,
    .scan = mem_scan,
    .recognises = mem_recognises,
    .status = mem_status,
    .wait = mem_wait,
    .close = mem_close,
};

struct sink *sink_mem_open(struct dest_mem *d, const struct env *env)
{
    struct sink_mem *m = sure(calloc(1, sizeof *m));
    m->sink.ops = &mem_ops;
    m->dest = d;
    m->env = *env;
    return &m->sink;
}
