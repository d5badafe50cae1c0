/* Impersonation: who the requests are to count for, as header lines of client-go's spelling. */
#include "io/kube_config_priv.h"

#include "core/buf.h"

#include <ctype.h>
#include <stdlib.h>

enum { LINES_MAX = 256, LINE_MAX_BYTES = 4096 };

struct lines {
    char **list; /* up to a NULL */
    size_t n;
};

static void lines_done(struct lines *l)
{
    for (size_t i = 0; i < l->n; i++)
        free(l->list[i]);
    free(l->list);
}

/* One more line "<name>: <value>" from a node that must be text. */
static enum rc add_line(const struct kube_config_source *s, const struct json *n, const char *field,
                        const char *name, struct lines *l, struct err *e)
{
    AUTO(buf_done) struct buf line = BUF_INIT(LINE_MAX_BYTES);
    struct slice text = json_text(s->doc, n);
    if (!json_is(n, JSON_STRING) || !text.n)
        return kube_config_refuse(s, n, e, "user.%s: each value must be a text", field);
    for (size_t i = 0; i < text.n; i++)
        if ((unsigned char)text.p[i] < ' ' || text.p[i] == 0x7f)
            return kube_config_refuse(s, n, e, "user.%s holds a control character", field);
    if (l->n == LINES_MAX)
        return kube_config_refuse(s, n, e, "user.%s: more than %d values", field, LINES_MAX);
    buf_addf(&line, "%s: %.*s", name, SLICE_ARG(text));
    if (line.bad == RC_LIMIT)
        return kube_config_refuse(s, n, e, "user.%s: a value is longer than %d bytes", field,
                                  LINE_MAX_BYTES);
    if (!l->list && !(l->list = calloc(LINES_MAX + 1, sizeof *l->list)))
        return err_nomem(e);
    l->list[l->n] = buf_steal(&line, NULL);
    return l->list[l->n++] ? RC_OK : err_nomem(e);
}

static enum rc add_list(const struct kube_config_source *s, const struct json *list,
                        const char *field, const char *name, struct lines *l, struct err *e)
{
    enum rc rc = RC_OK;
    if (!json_is(list, JSON_ARRAY))
        return kube_config_refuse(s, list, e, "user.%s is no list of texts", field);
    for (struct json *n = list->first; n && rc == RC_OK; n = n->next)
        rc = add_line(s, n, field, name, l, e);
    return rc;
}

/* What may stand in a header's name stays, all else is percent-encoded; the server decodes it. */
static void extra_name(struct slice key, struct buf *out)
{
    buf_add_str(out, "Impersonate-Extra-");
    for (size_t i = 0; i < key.n; i++) {
        unsigned char c = (unsigned char)key.p[i];
        if (c < 0x80 && (isalnum(c) || (c && strchr("!#$&'*+-.^_`|~", c))))
            buf_add_char(out, (char)c);
        else
            buf_addf(out, "%%%02X", c);
    }
}

static enum rc add_extra(const struct kube_config_source *s, const struct json *map,
                         struct lines *l, struct err *e)
{
    enum rc rc = RC_OK;
    if (!json_is(map, JSON_OBJECT))
        return kube_config_refuse(s, map, e, "user.as-user-extra is no mapping of lists of texts");
    for (struct json *n = map->first; n && rc == RC_OK; n = n->next) {
        AUTO(buf_done) struct buf name = BUF_INIT(LINE_MAX_BYTES);
        extra_name(json_name(s->doc, n), &name);
        rc = buf_check(&name, "a name of as-user-extra", e);
        if (rc == RC_OK)
            rc = add_list(s, n, "as-user-extra", name.p, l, e);
    }
    return rc;
}

enum rc kube_config_impersonate(const struct kube_config_source *s, const struct json *user,
                                struct http_target *t, struct err *e)
{
    const struct json *as = json_get(user, "as"), *uid = json_get(user, "as-uid");
    const struct json *groups = json_get(user, "as-groups"),
                      *extra = json_get(user, "as-user-extra");
    AUTO(lines_done) struct lines l = {0};
    enum rc rc = RC_OK;
    if (kube_config_blank(as)) {
        const struct json *other = !kube_config_blank(uid)      ? uid
                                   : !kube_config_blank(groups) ? groups
                                                                : extra;
        if (kube_config_blank(other))
            return RC_OK;
        return kube_config_refuse(s, other, e,
                                  "user has as-uid, as-groups or as-user-extra without as: name "
                                  "the user to be, too");
    }
    rc = add_line(s, as, "as", "Impersonate-User", &l, e);
    if (rc == RC_OK && !kube_config_blank(uid))
        rc = add_line(s, uid, "as-uid", "Impersonate-Uid", &l, e);
    if (rc == RC_OK && !kube_config_blank(groups))
        rc = add_list(s, groups, "as-groups", "Impersonate-Group", &l, e);
    if (rc == RC_OK && !kube_config_blank(extra))
        rc = add_extra(s, extra, &l, e);
    if (rc != RC_OK)
        return rc;
    t->headers = (const char *const *)steal(&l.list);
    l.n = 0;
    return RC_OK;
}
