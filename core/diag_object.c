/* The fields of an object in a line of diagnostics. Keeps nothing.
 *
 * Who changed an object last is what its managedFields say; an entry of the subresource status is no change of it. */
#include "core/diag_object.h"

#include "core/event.h"
#include "core/json.h"
#include "core/key.h"

#include <assert.h>
#include <stdio.h>

enum part { API_GROUP, API_VERSION, NAME, NAMESPACE, RESOURCE, VERSION, UID, PARTS };

#define PATHS(object)                                                                              \
    {                                                                                              \
        object ".apiGroup", object ".apiVersion", object ".name", object ".namespace",             \
            object ".resource", object ".resourceVersion", object ".uid"                           \
    }
static const char *const source_paths[PARTS] = PATHS("sourceObject");
static const char *const before_paths[PARTS] = PATHS("oldSourceObject");
static const char *const copy_paths[PARTS] = PATHS("destinationObject");

#define TEXT_FIELDS 2
#define LAST_FIELDS 3
#define FIELDS_MAX  (TEXT_FIELDS + 3 * PARTS + LAST_FIELDS + 2 + DIAG_OBJECT_MORE)

struct fields {
    struct diag_field list[FIELDS_MAX];
    size_t n;
    char object[KEY_MAX + 2]; /* "deployments.apps/web" */
};

static void add(struct fields *f, struct diag_field field)
{
    assert(f->n < FIELDS_MAX);
    f->list[f->n++] = field;
}

static void add_known(struct fields *f, const char *path, struct slice text)
{
    if (text.n)
        add(f, DIAG_J(path, text));
}

/* A key that is none of Kubernetes is a name; a path may look like one. */
static struct key key_of(const struct event *ev)
{
    struct key key = {0};
    if (ev->source_kind == SOURCE_ZOOKEEPER || key_parse(ev->key, &key, NULL) != RC_OK)
        key = (struct key){.name = ev->key};
    return key;
}

static void add_text(struct fields *f, const struct key *key)
{
    int n = snprintf(f->object, sizeof f->object, "%.*s%s%.*s%s%.*s", SLICE_ARG(key->resource),
                     key->group.n ? "." : "", SLICE_ARG(key->group), key->resource.n ? "/" : "",
                     SLICE_ARG(key->name));
    size_t most = sizeof f->object - 1;
    add(f, DIAG_T("object", slice_of(f->object, (size_t)n < most ? (size_t)n : most)));
    if (key->ns.n)
        add(f, DIAG_T("namespace", key->ns));
}

static void add_object(struct fields *f, const char *const paths[PARTS], const struct event *ev)
{
    struct key key = key_of(ev);
    struct slice version, first = slice_cut(ev->api_version, '/', &version);
    if (key.resource.n) /* the core group is "" */
        add(f, DIAG_J(paths[API_GROUP], key.group));
    add_known(f, paths[API_VERSION], version.n ? version : first);
    add_known(f, paths[NAME], key.name);
    add_known(f, paths[NAMESPACE], key.ns);
    add_known(f, paths[RESOURCE], key.resource);
    add_known(f, paths[VERSION], ev->version);
    add_known(f, paths[UID], ev->uid);
}

/* The entry with the latest time; of equal ones the later one. */
static const struct json *last_entry(struct json_doc *d)
{
    const struct json *list = json_get(json_get(json_root(d), "metadata"), "managedFields");
    const struct json *last = NULL;
    struct slice latest = SLICE_NULL;
    for (const struct json *n = json_is(list, JSON_ARRAY) ? list->first : NULL; n; n = n->next) {
        struct slice time = json_get_text(d, n, "time");
        if (slice_eq(json_get_text(d, n, "subresource"), SLICE("status")) ||
            slice_cmp(time, latest) < 0)
            continue;
        last = n;
        latest = time;
    }
    return last;
}

/* doc holds what the fields borrow. */
static void add_last_update(struct fields *f, const struct event *ev, struct slice body,
                            struct json_doc **doc)
{
    const struct json *last = NULL;
    if (body.n && json_parse_view(body, doc, NULL) == RC_OK)
        last = last_entry(*doc);
    if (last) {
        add_known(f, "lastUpdate.time", json_get_text(*doc, last, "time"));
        add_known(f, "lastUpdate.manager", json_get_text(*doc, last, "manager"));
    }
    add_known(f, "lastUpdate.username", ev->user);
}

static const char *change_of(const struct diag_object *about)
{
    if (about->change || !about->event)
        return about->change;
    if (about->event->op == EVENT_DELETE)
        return "delete";
    if (about->event->op != EVENT_PUT)
        return NULL;
    return about->before && about->before->op == EVENT_PUT ? "update" : "create";
}

void diag_say_object(struct diag *d, enum diag_level level, const char *msg,
                     const struct diag_object *about)
{
    if (!diag_says(d, level))
        return;
    AUTO(json_freep) struct json_doc *doc = NULL;
    struct fields f = {.n = 0};
    const struct event *ev = about->event;
    const char *change = change_of(about);
    struct key key = key_of(ev ? ev : about->copy);
    add_text(&f, &key);
    if (ev)
        add_object(&f, source_paths, ev);
    if (about->before && about->before->op == EVENT_PUT && change && strcmp(change, "update") == 0)
        add_object(&f, before_paths, about->before);
    if (about->copy)
        add_object(&f, copy_paths, about->copy);
    if (ev)
        add_last_update(&f, ev, about->body.n ? about->body : ev->body, &doc);
    if (change)
        add(&f, DIAG_J("event.type", slice_str(change)));
    assert(about->n_more <= DIAG_OBJECT_MORE);
    for (size_t i = 0; i < about->n_more; i++)
        add(&f, about->more[i]);
    if (about->error)
        add(&f, DIAG_S("error", slice_str(about->error)));
    diag_say(d, level, msg, f.list, f.n);
}
