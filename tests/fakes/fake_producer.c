/* A queue of owned events and the scopes that were added, in the order of their names. One thread. */
#include "tests/fakes/fake_producer.h"

#include "core/buf.h"
#include "core/event_codec.h"
#include "core/json.h"
#include "core/map.h"

#include <stdio.h>
#include <stdlib.h>

struct said {
    struct said *next;
    struct event *event;
};

struct scope {
    char *resume, *api_version;
    enum producer_phase phase;
    char error[64];
};

struct fake_producer {
    struct producer producer;
    struct said *first, *last;
    size_t n;
    struct event *taken;
    struct map *scopes; /* name -> struct scope */
    char *expected;
    const struct producer_memory *memory;
    enum event_source_kind source_kind;
    char *kinds; /* as fake_producer_serve was told */
    uint64_t round;
};

static void *sure(void *p)
{
    if (!p)
        abort();
    return p;
}

static struct fake_producer *downcast(const struct producer *p)
{
    return (struct fake_producer *)p;
}

static void scope_free(void *value)
{
    struct scope *s = value;
    free(s->resume);
    free(s->api_version);
    free(s);
}

/* ---- What it says ---- */

void fake_producer_say(struct producer *p, const struct event *ev)
{
    struct fake_producer *f = downcast(p);
    struct said *s = sure(calloc(1, sizeof *s));
    s->event = sure(event_copy(ev));
    if (f->last)
        f->last->next = s;
    else
        f->first = s;
    f->last = s;
    f->n++;
}

void fake_producer_identity(struct producer *p, const char *identity, const char *reason)
{
    char body[200];
    int n =
        snprintf(body, sizeof body, "{\"identity\":\"%s\",\"reason\":\"%s\"}", identity, reason);
    fake_producer_say(p, &(struct event){.op = EVENT_EPOCH,
                                         .cause = CAUSE_SELF,
                                         .source_kind = downcast(p)->source_kind,
                                         .key = SLICE("@epoch/source"),
                                         .body = slice_of(body, (size_t)n)});
}

void fake_producer_own(struct producer *p, enum event_op op, const char *scope, const char *version)
{
    const char *prefix = op == EVENT_POSITION ? "@position" : op == EVENT_GAP ? "@gap" : "@sync";
    char key[300];
    int n = snprintf(key, sizeof key, "%s/%s", prefix, scope);
    fake_producer_say(p, &(struct event){.op = op,
                                         .cause = CAUSE_SELF,
                                         .source_kind = downcast(p)->source_kind,
                                         .key = slice_of(key, (size_t)n),
                                         .version = slice_str(version)});
}

void fake_producer_object(struct producer *p, enum event_op op, enum event_cause cause,
                          const char *key, const char *version)
{
    char uid[300], body[100];
    bool tree = downcast(p)->source_kind == SOURCE_ZOOKEEPER;
    int n_uid = snprintf(uid, sizeof uid, "u-%s", key);
    int n_body = snprintf(body, sizeof body, "{\"v\":%s}", version);
    fake_producer_say(p, &(struct event){.op = op,
                                         .cause = cause,
                                         .source_kind = downcast(p)->source_kind,
                                         .key = slice_str(key),
                                         .version = slice_str(version),
                                         .uid = slice_of(uid, (size_t)n_uid),
                                         .api_version = tree ? SLICE_NULL : SLICE("v1"),
                                         .kind = tree ? SLICE_NULL : SLICE("Thing"),
                                         .body = slice_of(body, (size_t)n_body)});
}

void fake_producer_tree(struct producer *p)
{
    downcast(p)->source_kind = SOURCE_ZOOKEEPER;
}

const struct producer_memory *fake_producer_memory(const struct producer *p)
{
    return downcast(p)->memory;
}

const char *fake_producer_expected(const struct producer *p)
{
    return downcast(p)->expected;
}

size_t fake_producer_waiting(const struct producer *p)
{
    return downcast(p)->n;
}

static struct scope *find(const struct producer *p, const char *scope)
{
    return map_get(downcast(p)->scopes, slice_str(scope));
}

const char *fake_producer_resume(const struct producer *p, const char *scope)
{
    const struct scope *s = find(p, scope);
    return s ? s->resume : NULL;
}

const char *fake_producer_api_version(const struct producer *p, const char *scope)
{
    const struct scope *s = find(p, scope);
    return s ? s->api_version : NULL;
}

void fake_producer_set_status(struct producer *p, const char *scope, enum producer_phase phase,
                              const char *error)
{
    struct scope *s = sure(find(p, scope));
    s->phase = phase;
    snprintf(s->error, sizeof s->error, "%s", error);
}

void fake_producer_serve(struct producer *p, const char *kinds)
{
    struct fake_producer *f = downcast(p);
    free(f->kinds);
    f->kinds = sure(strdup(kinds));
    f->round++;
}

/* ---- The interface ---- */

static enum rc fake_kind(struct producer *p, size_t index, struct producer_kind *ret)
{
    const struct fake_producer *f = downcast(p);
    struct slice rest = slice_str(f->kinds), one = SLICE_NULL, version, before = SLICE_NULL;
    if (!f->kinds)
        return RC_AGAIN;
    for (size_t i = 0; i <= index; i++) {
        before = slice_of(one.p, one.n);
        if (rest.n == 0)
            return RC_END;
        one = slice_cut(rest, ' ', &rest);
    }
    *ret = (struct producer_kind){.followable = true, .round = f->round};
    ret->group = slice_cut(one, '/', &version);
    ret->resource = slice_cut(version, '/', &version);
    ret->partial = slice_ends(version, SLICE("?"));
    version.n -= ret->partial;
    ret->version = version;
    ret->preferred = !slice_starts(before, slice_of(one.p, (size_t)(version.p - one.p)));
    return RC_OK;
}

static enum rc fake_expect(struct producer *p, struct slice identity, struct err *e)
{
    (void)e;
    free(downcast(p)->expected);
    downcast(p)->expected = sure(strndup(identity.n ? identity.p : "", identity.n));
    return RC_OK;
}

static enum rc fake_add(struct producer *p, struct slice scope, struct slice api_version,
                        struct slice resume, struct err *e)
{
    if (map_get(downcast(p)->scopes, scope))
        return RC_OK;
    struct scope *s = sure(calloc(1, sizeof *s));
    s->resume = sure(strndup(resume.n ? resume.p : "", resume.n));
    s->api_version = sure(strndup(api_version.n ? api_version.p : "", api_version.n));
    return map_put(downcast(p)->scopes, scope, s, e);
}

static void fake_drop(struct producer *p, struct slice scope)
{
    map_delete(downcast(p)->scopes, scope);
}

static enum rc fake_step(struct producer *p, int64_t *ret_wake_ns, struct err *e)
{
    (void)p;
    (void)e;
    *ret_wake_ns = INT64_MAX;
    return RC_AGAIN;
}

static enum rc fake_take(struct producer *p, const struct event **ret, struct err *e)
{
    (void)e;
    struct fake_producer *f = downcast(p);
    free(f->taken);
    f->taken = NULL;
    struct said *s = f->first;
    if (!s)
        return RC_AGAIN;
    f->first = s->next;
    f->last = f->first ? f->last : NULL;
    f->n--;
    f->taken = s->event;
    free(s);
    *ret = f->taken;
    return RC_OK;
}

static enum rc fake_status(struct producer *p, size_t index, struct producer_status *ret)
{
    struct map_entry entry = {SLICE_NULL, NULL};
    for (size_t i = 0; i <= index; i++)
        if (!map_seek(downcast(p)->scopes, entry.key, i > 0, &entry))
            return RC_END;
    const struct scope *s = entry.value;
    *ret = (struct producer_status){.scope = entry.key, .phase = s->phase};
    snprintf(ret->error, sizeof ret->error, "%s", s->error);
    return RC_OK;
}

static void fake_recall(struct producer *p, const struct producer_memory *memory)
{
    downcast(p)->memory = memory;
}

static enum rc fake_wait(struct producer *p, int wake_fd, int64_t timeout_ns, struct err *e)
{
    (void)p;
    (void)wake_fd;
    (void)timeout_ns;
    (void)e;
    return RC_OK;
}

static void fake_close(struct producer *p)
{
    struct fake_producer *f = downcast(p);
    while (f->first) {
        struct said *s = f->first;
        f->first = s->next;
        free(s->event);
        free(s);
    }
    free(f->taken);
    free(f->expected);
    free(f->kinds);
    map_free(f->scopes);
    free(f);
}

static const struct producer_ops fake_ops = {
    .name = "fake",
    .expect = fake_expect,
    .add = fake_add,
    .drop = fake_drop,
    .step = fake_step,
    .take = fake_take,
    .status = fake_status,
    .kind = fake_kind,
    .recall = fake_recall,
    .wait = fake_wait,
    .close = fake_close,
};

struct producer *fake_producer_new(void)
{
    struct fake_producer *f = sure(calloc(1, sizeof *f));
    f->producer.ops = &fake_ops;
    f->source_kind = SOURCE_KUBERNETES;
    f->scopes = sure(map_new(scope_free));
    return &f->producer;
}
