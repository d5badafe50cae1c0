/* Secrets that other resources name: looked up in the same namespace, their values decoded. Only the names of keys are
 * ever told. One thread. */
#include "controller/resource_secret.h"

#include "controller/resource_fields.h"
#include "controller/resource_priv.h"
#include "core/buf.h"
#include "core/digest.h"
#include "core/json.h"

bool secret_check_name(const struct item *item, const struct json *at)
{
    struct slice name = json_is(at, JSON_STRING) ? json_text(item->origin.doc, at) : SLICE_NULL;
    if (name.n == 0 || kind_is_name(name))
        return true;
    problem_error(&item->origin, at,
                  "\"%.*s\" is no name of a Secret in the same namespace: allowed are %s",
                  SHOWN(name), KIND_NAME_RULE);
    return false;
}

static const char *full_name(struct loader *l, const struct item *item, const char *name)
{
    return text_pool_join(&l->out->texts, slice_str(item->ns), '/', slice_str(name));
}

const struct item *secret_find(struct loader *l, const struct item *item, const char *name)
{
    return loader_find(l, loader_kind(KIND_SECRET), full_name(l, item, name));
}

bool secret_is_elsewhere(struct loader *l, const struct item *item, const struct json *at,
                         const char *name, const char *advice)
{
    const char *full = full_name(l, item, name);
    char hint[HINT_BYTES];
    loader_hint(l, loader_kind(KIND_SECRET), item->ns, slice_str(name), hint);
    if (l->opts->offline)
        problem_warn(&item->origin, at, "there is no Secret %s in the files%s", full, hint);
    else
        problem_error(&item->origin, at, "there is no Secret %s in the files: add it%s%s", full,
                      advice, hint);
    return l->opts->offline;
}

const struct json *secret_member(const struct item *secret, const char *key)
{
    const struct json *n = json_get(fields_object(secret->node, "stringData"), key);
    return n ? n : json_get(fields_object(secret->node, "data"), key);
}

void secret_tell_keys(const struct item *item, const struct json *at, const struct item *secret,
                      const char *lacks)
{
    AUTO(buf_done) struct buf keys = BUF_INIT(1024);
    static const char *const members[] = {"data", "stringData"};
    for (size_t i = 0; i < 2; i++) {
        const struct json *map = fields_object(secret->node, members[i]);
        for (const struct json *n = map ? map->first : NULL; n; n = n->next)
            buf_addf(&keys, "%s%.*s", keys.n ? ", " : "", SHOWN(json_name(secret->origin.doc, n)));
    }
    problem_error(&item->origin, at, "Secret %s (%s:%u:%u) has %s; its keys: %s", secret->full_name,
                  secret->origin.file, secret->node->line, secret->node->col, lacks,
                  keys.n ? keys.p : "none");
}

bool secret_text(const struct item *secret, const struct json *at, struct buf *out)
{
    struct json_doc *d = secret->origin.doc;
    struct err why = ERR_INIT;
    enum rc rc;
    if (at->parent == json_get(secret->node, "stringData")) {
        buf_add_slice(out, json_text(d, at));
        rc = buf_check(out, "the value", &why);
    } else
        rc = base64_decode(json_text(d, at), out, &why);
    if (rc == RC_INVALID)
        problem_error(&secret->origin, at,
                      "is not base64; plain text belongs in stringData instead of data");
    else if (rc != RC_OK)
        problem_failure(&secret->origin, at, &why);
    return rc == RC_OK;
}
