/* Retained members: what the merge would take as one list, and replicas of an autoscaler.
 *
 * Keeps nothing. A value that the desired object itself names is never replaced, but for replicas. */
#include "sinks/kube_retain.h"

#include "core/json.h"
#include "core/json_patch.h"
#include "sinks/kube_rules.h"
#include "sinks/kube_walk.h"
#include "sinks/kube_when.h"

struct pair {
    struct json_doc *live, *desired;
};

static enum rc put_copy(struct json_doc *d, struct json *object, struct slice name,
                        const struct json *value, struct err *e)
{
    struct json *copy;
    enum rc rc = json_value_copy(d, value, &copy, e);
    return rc == RC_OK ? json_set(d, object, name, copy, e) : rc;
}

static bool has_element(const struct json *list, const struct json *element)
{
    for (const struct json *x = list->first; x; x = x->next)
        if (json_equal(x, element))
            return true;
    return false;
}

/* The list of that name in the object, made where there is none. */
static enum rc list_of(struct json_doc *d, struct json *object, struct slice name,
                       struct json **ret, struct err *e)
{
    struct json *list = json_get_slice(object, name);
    enum rc rc = RC_OK;
    if (!json_is(list, JSON_ARRAY)) {
        rc = json_value(d, SLICE("[]"), &list, e);
        if (rc == RC_OK)
            rc = json_set(d, object, name, list, e);
    }
    if (rc == RC_OK)
        *ret = list;
    return rc;
}

static enum rc put_elements(const struct pair *p, const struct kube_retain *row,
                            const struct json *live, struct json *object, struct slice name,
                            struct err *e)
{
    const struct kube_facts facts = {.d = p->live};
    for (const struct json *x = json_is(live, JSON_ARRAY) ? live->first : NULL; x; x = x->next) {
        struct json *list, *copy;
        if (!kube_when(row->when, &facts, x))
            continue;
        enum rc rc = list_of(p->desired, object, name, &list, e);
        if (rc != RC_OK)
            return rc;
        if (has_element(list, x))
            continue;
        rc = json_value_copy(p->desired, x, &copy, e);
        if (rc != RC_OK)
            return rc;
        json_insert(list, list->count, copy);
    }
    return RC_OK;
}

/* Copies what `path` names below `from` to the same place below `to`, where that has room for it. */
static enum rc copy_below(const struct pair *p, const struct kube_retain *row, const char *path,
                          const struct json *from, struct json *to, struct err *e)
{
    char text[KUBE_SEGMENT_MAX];
    for (;;) {
        const char *rest;
        struct slice name = kube_walk_segment(path, text, &rest);
        from = json_get_slice(from, name);
        struct json *there = json_get_slice(to, name);
        if (!from || !json_is(to, JSON_OBJECT))
            return RC_OK;
        if (*rest == '\0' && row->how == KUBE_RETAIN_ELEMENTS)
            return put_elements(p, row, from, to, name, e);
        if (*rest == '\0')
            return there ? RC_OK : put_copy(p->desired, to, name, from, e);
        to = there;
        path = rest;
    }
}

static const struct json *same_element(const struct json *list, const struct json *element,
                                       const struct kube_retain *row)
{
    for (const struct json *x = list->first; x; x = x->next) {
        size_t k = 0;
        while (row->keys[k] &&
               json_equal(json_get(x, row->keys[k]), json_get(element, row->keys[k])))
            k++;
        if (!row->keys[k])
            return x;
    }
    return NULL;
}

static enum rc retain_copy(const struct pair *p, const struct kube_retain *row, struct err *e)
{
    const char *star = strstr(row->path, "/*");
    if (!star)
        return copy_below(p, row, row->path, json_root(p->live), json_root(p->desired), e);
    struct slice list = slice_of(row->path, (size_t)(star - row->path));
    const struct json *live = json_pointer_get(p->live, list);
    struct json *desired = json_pointer_get(p->desired, list);
    if (!json_is(live, JSON_ARRAY) || !json_is(desired, JSON_ARRAY))
        return RC_OK;
    for (struct json *x = desired->first; x; x = x->next) {
        const struct json *own = same_element(live, x, row);
        enum rc rc = own ? copy_below(p, row, star + 2, own, x, e) : RC_OK;
        if (rc != RC_OK)
            return rc;
    }
    return RC_OK;
}

static enum rc retain_scaled(const struct pair *p, const struct kube_retain *row, struct err *e)
{
    const struct json *live = json_pointer_get(p->live, slice_str(row->path));
    struct json *desired = json_pointer_get(p->desired, slice_str(row->path)), *copy;
    if (!live || !desired || !kube_scaled(p->live))
        return RC_OK;
    enum rc rc = json_value_copy(p->desired, live, &copy, e);
    if (rc == RC_OK)
        json_replace(desired, copy);
    return rc;
}

enum rc kube_retain(struct json_doc *live, struct json_doc *desired, const struct kube_rule *rule,
                    struct err *e)
{
    static enum rc (*const how[])(const struct pair *, const struct kube_retain *, struct err *) = {
        [KUBE_RETAIN_MEMBER] = retain_copy,
        [KUBE_RETAIN_ELEMENTS] = retain_copy,
        [KUBE_RETAIN_SCALED] = retain_scaled,
    };
    const struct pair p = {.live = live, .desired = desired};
    for (const struct kube_retain *row = rule->retain; row && row->path; row++) {
        enum rc rc = how[row->how](&p, row, e);
        if (rc != RC_OK)
            return rc;
    }
    return RC_OK;
}
