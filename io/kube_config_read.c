/* The members of a kubeconfig, and the files that they name. The copies of secrets made here are overwritten when
 * freed; the parsed document, and what a buffer leaves behind when it grows, are not. */
#include "io/kube_config_priv.h"

#include "core/buf.h"
#include "core/digest.h"
#include "io/secret_file.h"

#include <limits.h>
#include <stdarg.h>
#include <stdio.h>

enum rc kube_config_refuse(const struct kube_config_source *s, const struct json *at, struct err *e,
                           const char *fmt, ...)
{
    char text[400];
    va_list args;
    va_start(args, fmt);
    vsnprintf(text, sizeof text, fmt, args);
    va_end(args);
    return err_set(e, RC_INVALID, ERR_FINAL, "%s:%u:%u: %s", s->opts->file, at ? at->line : 1,
                   at ? at->col : 1, text);
}

bool kube_config_blank(const struct json *n)
{
    return !n || json_is(n, JSON_NULL) ||
           (json_is(n, JSON_STRING) && slice_eq(n->raw, SLICE("\"\""))) ||
           ((json_is(n, JSON_ARRAY) || json_is(n, JSON_OBJECT)) && !n->first);
}

/* ---- which members there may be ---- */

static bool is_allowed(const struct kube_config_source *s, const struct kube_field *f)
{
    return f->use == FIELD_ANY || (f->use == FIELD_FILE && !s->opts->from_secret);
}

static void list_allowed(const struct kube_config_source *s, const struct kube_field *fields,
                         char *out, size_t size)
{
    size_t n = 0;
    for (out[0] = 0; fields->name; fields++)
        if (is_allowed(s, fields) && n < size)
            n += (size_t)snprintf(out + n, size - n, "%s%s", n ? ", " : "", fields->name);
}

static enum rc refuse_field(const struct kube_config_source *s, const struct json *at,
                            const char *where, const struct kube_field *f, struct err *e)
{
    if (f->use == FIELD_NEVER)
        return kube_config_refuse(s, at, e, "%s.%s is not supported; use %s", where, f->name,
                                  f->instead);
    return kube_config_refuse(s, at, e,
                              "%s.%s is not taken from a Secret; use %s, or give this kubeconfig "
                              "as a file by --kubeconfig NAME=FILE",
                              where, f->name, f->instead);
}

enum rc kube_config_fields(const struct kube_config_source *s, const struct json *obj,
                           const char *where, const struct kube_field *fields, struct err *e)
{
    char allowed[320];
    if (!json_is(obj, JSON_OBJECT))
        return kube_config_refuse(s, obj, e, "%s is no mapping", where);
    for (struct json *n = obj->first; n; n = n->next) {
        struct slice name = json_name(s->doc, n);
        const struct kube_field *f = fields;
        while (f->name && !slice_eq(slice_str(f->name), name))
            f++;
        if (f->name && (is_allowed(s, f) || kube_config_blank(n)))
            continue;
        if (f->name)
            return refuse_field(s, n, where, f, e);
        list_allowed(s, fields, allowed, sizeof allowed);
        return kube_config_refuse(s, n, e, "%s has the unknown field \"%.*s\"; allowed: %s", where,
                                  name.n < 64 ? (int)name.n : 64, name.p, allowed);
    }
    return RC_OK;
}

/* ---- values ---- */

void kube_config_free(const char *text)
{
    secret_free((char *)(uintptr_t)text);
}

static enum rc give(struct slice text, const char **ret, struct err *e)
{
    char *copy = malloc(text.n + 1);
    if (!copy)
        return err_nomem(e);
    memcpy(copy, text.p, text.n);
    copy[text.n] = 0;
    kube_config_free(*ret);
    *ret = copy;
    return RC_OK;
}

enum rc kube_config_text(const struct kube_config_source *s, const struct json *obj,
                         const char *name, const char **ret, struct err *e)
{
    struct json *n = json_get(obj, name);
    if (kube_config_blank(n))
        return RC_OK;
    if (!json_is(n, JSON_STRING))
        return kube_config_refuse(s, n, e, "%s is no text", name);
    struct slice text = json_text(s->doc, n);
    for (size_t i = 0; i < text.n; i++)
        if ((unsigned char)text.p[i] < ' ' || text.p[i] == 0x7f)
            return kube_config_refuse(s, n, e, "%s holds a control character", name);
    return give(text, ret, e);
}

enum rc kube_config_flag(const struct kube_config_source *s, const struct json *obj,
                         const char *name, bool *ret, struct err *e)
{
    const struct json *n = json_get(obj, name);
    if (n && !json_is(n, JSON_TRUE) && !json_is(n, JSON_FALSE) && !json_is(n, JSON_NULL))
        return kube_config_refuse(s, n, e, "%s is neither true nor false", name);
    *ret = json_is(n, JSON_TRUE);
    return RC_OK;
}

static void wipe(struct buf *b)
{
    if (b->p)
        explicit_bzero(b->p, b->n);
    buf_done(b);
}

static enum rc read_data(const struct kube_config_source *s, const struct json *n, const char *name,
                         const char **ret, struct err *e)
{
    AUTO(wipe) struct buf pem = BUF_INIT(SECRET_FILE_MAX);
    struct err why;
    enum rc rc =
        json_is(n, JSON_STRING) ? base64_decode(json_text(s->doc, n), &pem, &why) : RC_INVALID;
    if (rc == RC_NOMEM)
        return err_nomem(e);
    if (rc != RC_OK)
        return kube_config_refuse(s, n, e, "%s is not base64", name);
    if (!secret_is_pem(buf_slice(&pem)))
        return kube_config_refuse(s, n, e, "%s is not PEM text (-----BEGIN ...) in base64", name);
    return give(buf_slice(&pem), ret, e);
}

enum rc kube_config_pem(const struct kube_config_source *s, const struct json *obj,
                        const char *name, const char **ret, const char **ret_path, struct err *e)
{
    char inlined[64];
    snprintf(inlined, sizeof inlined, "%s-data", name);
    const struct json *n = json_get(obj, inlined);
    if (!kube_config_blank(n))
        return read_data(s, n, inlined, ret, e);
    enum rc rc = kube_config_file(s, obj, name, ret, ret_path, e);
    if (rc == RC_OK && *ret && !secret_is_pem(slice_str(*ret)))
        return kube_config_refuse(s, json_get(obj, name), e,
                                  "the file of %s is not PEM text (-----BEGIN ...)", name);
    return rc;
}

/* ---- files ---- */

bool kube_config_path(const struct kube_config_source *s, struct slice name, char out[PATH_MAX])
{
    const char *slash = name.p[0] == '/' ? NULL : strrchr(s->opts->file, '/');
    int folder = slash ? (int)(slash - s->opts->file) + 1 : 0;
    int n = snprintf(out, PATH_MAX, "%.*s%.*s", folder, s->opts->file, SLICE_ARG(name));
    return n < PATH_MAX && strlen(out) == (size_t)n;
}

enum rc kube_config_file(const struct kube_config_source *s, const struct json *obj,
                         const char *name, const char **ret, const char **ret_path, struct err *e)
{
    struct json *n = json_get(obj, name);
    char path[PATH_MAX], *text = NULL;
    struct err why = ERR_INIT;
    if (kube_config_blank(n))
        return RC_OK;
    if (!json_is(n, JSON_STRING) || !kube_config_path(s, json_text(s->doc, n), path))
        return kube_config_refuse(s, n, e, "%s is no name of a file", name);
    enum rc rc = secret_file_read(path, &text, &why);
    if (rc == RC_NOMEM)
        return err_nomem(e);
    if (rc != RC_OK)
        return kube_config_refuse(s, n, e, "%s: %s", name, why.msg);
    kube_config_free(*ret);
    *ret = text;
    return give(slice_str(path), ret_path, e);
}
