/* managedFields of the modelled API server: who wrote which member last.
 *
 * A writer owns what its write changed and what it owned before; everybody else loses what it changed, and what is
 * gone. Lists count as one value here, where a real server names the elements of some. Subresources are not
 * modelled. */
#include "tests/fakes/fake_kube_priv.h"

static struct json *metadata_of(struct json_doc *d)
{
    return json_get(json_root(d), "metadata");
}

/* What belongs to the server, and so to no manager. */
static bool is_unmanaged(const struct json *parent, struct slice name)
{
    static const char *const top[] = {"apiVersion", "kind"};
    static const char *const metadata[] = {"name",
                                           "namespace",
                                           "uid",
                                           "resourceVersion",
                                           "generation",
                                           "creationTimestamp",
                                           "deletionTimestamp",
                                           "deletionGracePeriodSeconds",
                                           "managedFields",
                                           "selfLink"};
    bool root = !parent->parent;
    bool in_metadata =
        !root && !parent->parent->parent && slice_eq(json_name(NULL, parent), SLICE("metadata"));
    for (size_t i = 0; root && i < sizeof top / sizeof *top; i++)
        if (slice_eq(name, slice_str(top[i])))
            return true;
    for (size_t i = 0; in_metadata && i < sizeof metadata / sizeof *metadata; i++)
        if (slice_eq(name, slice_str(metadata[i])))
            return true;
    return false;
}

/* Appends FieldsV1 of one manager: now after the write, was before it, own what the manager had. True if it has any. */
static bool print_fields(const struct json *now, const struct json *was, const struct json *own,
                         bool writer, struct buf *out)
{
    bool any = false;
    buf_add_char(out, '{');
    for (const struct json *m = now->first; m; m = m->next) {
        struct slice name = json_name(NULL, m);
        AUTO(buf_done) struct buf field = BUF_INIT(FK_TEXT_MAX);
        if (is_unmanaged(now, name))
            continue;
        buf_addf(&field, "f:%.*s", SLICE_ARG(name));
        const struct json *before = was ? json_get_slice(was, name) : NULL;
        const struct json *had = own ? json_get_slice(own, buf_slice(&field)) : NULL;
        size_t begin = out->n;
        if (any)
            buf_add_char(out, ',');
        json_print_text(buf_slice(&field), out);
        buf_add_char(out, ':');
        bool changed = !json_equal(m, before), has;
        if (json_is(m, JSON_OBJECT) && m->count > 0) {
            has = print_fields(m, json_is(before, JSON_OBJECT) ? before : NULL, had, writer, out);
        } else {
            has = writer ? changed || had : had && !changed;
            buf_add_str(out, "{}");
        }
        if (!has)
            buf_truncate(out, begin);
        any = any || has;
    }
    buf_add_char(out, '}');
    return any;
}

static void print_entry(struct fake_kube *k, const struct fk_request *r, struct slice manager,
                        struct slice fields, struct buf *out)
{
    char now[TIME_TEXT_MAX];
    buf_add_str(out, "{\"manager\":");
    json_print_text(manager, out);
    buf_add_str(out, ",\"operation\":\"Update\",\"apiVersion\":\"");
    fk_kind_api_version(r->kind, r->api_version.p, out);
    buf_addf(out, "\",\"time\":\"%s\",\"fieldsType\":\"FieldsV1\",\"fieldsV1\":%.*s}",
             fk_wall_text(k, now), SLICE_ARG(fields));
}

/* An entry of another manager, without what this write took from it. */
static void keep_entry(struct json_doc *d, struct json_doc *live, const struct json *entry,
                       struct buf *list)
{
    AUTO(buf_done) struct buf fields = BUF_INIT(FK_TEXT_MAX), text = BUF_INIT(FK_TEXT_MAX);
    if (!print_fields(json_root(d), json_root(live), json_get(entry, "fieldsV1"), false, &fields))
        return;
    json_print(entry, &text);
    AUTO(json_freep) struct json_doc *copy = fk_parse(buf_slice(&text));
    fk_must(copy ? RC_OK : RC_INVALID);
    fk_set(copy, json_root(copy), "fieldsV1", fields.p);
    json_print(json_root(copy), list);
    buf_add_char(list, ',');
}

void fk_set_managed_fields(struct fake_kube *k, const struct fk_request *r, struct json_doc *d,
                           struct json_doc *live)
{
    AUTO(buf_done) struct buf list = BUF_INIT(FK_TEXT_MAX), fields = BUF_INIT(FK_TEXT_MAX);
    const struct json *old = live ? json_get(metadata_of(live), "managedFields") : NULL;
    const struct json *own = NULL;
    struct slice manager = r->query.manager.n ? r->query.manager
                           : r->direct        ? SLICE("kubectl")
                                              : SLICE("unknown");
    buf_add_char(&list, '[');
    for (const struct json *n = old ? old->first : NULL; n; n = n->next) {
        if (slice_eq(json_get_text(live, n, "manager"), manager))
            own = json_get(n, "fieldsV1");
        else
            keep_entry(d, live, n, &list);
    }
    (void)print_fields(json_root(d), live ? json_root(live) : NULL, own, true, &fields);
    print_entry(k, r, manager, buf_slice(&fields), &list);
    buf_add_char(&list, ']');
    fk_set(d, metadata_of(d), "managedFields", list.p);
}
