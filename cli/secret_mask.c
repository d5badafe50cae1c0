/* Masks by place, not by looking at values. */
#include "cli/secret_mask.h"

#include "core/json.h"
#include "core/key.h"

#define LAST_APPLIED "kubectl.kubernetes.io/last-applied-configuration"

bool secret_is(enum event_source_kind source, struct slice key)
{
    struct key parts;
    struct err ignored = ERR_INIT;
    return source != SOURCE_ZOOKEEPER && key_parse(key, &parts, &ignored) == RC_OK &&
           parts.group.n == 0 && slice_eq(parts.resource, SLICE("secrets"));
}

static bool lies_in(struct slice pointer, struct slice place)
{
    return slice_starts(pointer, place) && (pointer.n == place.n || pointer.p[place.n] == '/');
}

bool secret_holds(struct slice pointer)
{
    return lies_in(pointer, SLICE("/data")) || lies_in(pointer, SLICE("/stringData"));
}

static enum rc mask_value(struct json_doc *d, struct json *v, struct err *e)
{
    struct json *stars;
    enum rc rc = json_value_text(d, SLICE(SECRET_MASK), &stars, e);
    if (rc == RC_OK)
        json_replace(v, stars);
    return rc;
}

/* The names in a map are shown; of anything else nothing is. */
static enum rc mask_map(struct json_doc *d, struct json *map, struct err *e)
{
    if (!json_is(map, JSON_OBJECT))
        return mask_value(d, map, e);
    enum rc rc = RC_OK;
    for (struct json *m = map->first, *next; m && rc == RC_OK; m = next) {
        next = m->next;
        rc = mask_value(d, m, e);
    }
    return rc;
}

static void cut_last_applied(struct json_doc *d, struct json *metadata)
{
    for (struct json *m = metadata->first; m; m = m->next)
        if (slice_eq(json_name(d, m), SLICE("annotations")))
            json_cut(m, LAST_APPLIED);
}

void secret_cut_copy(struct json_doc *d)
{
    for (struct json *m = json_root(d)->first; m; m = m->next)
        if (slice_eq(json_name(d, m), SLICE("metadata")))
            cut_last_applied(d, m);
}

/* Looks at each member, for a name may be repeated. */
enum rc secret_mask(struct json_doc *d, struct err *e)
{
    enum rc rc = RC_OK;
    secret_cut_copy(d);
    for (struct json *m = json_root(d)->first, *next; m && rc == RC_OK; m = next) {
        struct slice name = json_name(d, m);
        next = m->next;
        if (slice_eq(name, SLICE("data")) || slice_eq(name, SLICE("stringData")))
            rc = mask_map(d, m, e);
    }
    return rc;
}
