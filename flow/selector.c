/* Label selectors: a flat list of requirements, each over one label. Immutable after selector_new,
 * so that any thread may match. */
#include "flow/selector.h"

#include "core/json.h"

#include <stdlib.h>

#define LABEL_NAME_MAX   63
#define LABEL_PREFIX_MAX 253
#define REQUIREMENTS_MAX 256

enum operator{ OP_IN, OP_NOT_IN, OP_EXISTS, OP_ABSENT };

struct requirement {
    char *key;
    enum operator op;
    char **values; /* NULL-terminated */
};

struct selector {
    struct requirement *list;
    size_t n;
};

static const struct {
    const char *name;
    bool takes_values;
} OPERATORS[] = {
    [OP_IN] = {"In", true},
    [OP_NOT_IN] = {"NotIn", true},
    [OP_EXISTS] = {"Exists", false},
    [OP_ABSENT] = {"DoesNotExist", false},
};
#define N_OPERATORS (sizeof OPERATORS / sizeof *OPERATORS)

void selector_free(struct selector *s)
{
    if (!s)
        return;
    for (size_t i = 0; i < s->n; i++) {
        for (char **v = s->list[i].values; v && *v; v++)
            free(*v);
        free(s->list[i].values);
        free(s->list[i].key);
    }
    free(s->list);
    free(s);
}

/* ---- Label syntax: the rules of the Kubernetes documentation, "Labels and Selectors" ---- */

static bool is_alnum(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
}

/* Begins and ends alphanumerical, with `between` allowed inside. */
static bool is_name(struct slice s, size_t max, const char *between)
{
    if (s.n == 0 || s.n > max || !is_alnum(s.p[0]) || !is_alnum(s.p[s.n - 1]))
        return false;
    for (size_t i = 0; i < s.n; i++)
        if (!is_alnum(s.p[i]) && (s.p[i] == '\0' || !strchr(between, s.p[i])))
            return false;
    return true;
}

static bool is_label_key(struct slice key)
{
    struct slice rest;
    struct slice first = slice_cut(key, '/', &rest);
    if (first.n == key.n)
        return is_name(key, LABEL_NAME_MAX, "-_.");
    return is_name(first, LABEL_PREFIX_MAX, "-.") && is_name(rest, LABEL_NAME_MAX, "-_.");
}

static bool is_label_value(struct slice value)
{
    return value.n == 0 || is_name(value, LABEL_NAME_MAX, "-_.");
}

/* ---- Reading ---- */

static enum rc add(struct selector *s, struct slice key, enum operator op, size_t n_values,
                   struct requirement **ret, struct err *e)
{
    if (!is_label_key(key))
        return err_set(e, RC_INVALID, ERR_FINAL,
                       "\"%.*s\" is no label key: [prefix/]name, the name at most 63 letters, "
                       "digits, '-', '_', '.'",
                       SLICE_ARG(key));
    struct requirement *r = &s->list[s->n];
    r->op = op;
    r->key = strndup(key.p, key.n);
    r->values = calloc(n_values + 1, sizeof *r->values);
    s->n++;
    if (!r->key || !r->values)
        return err_nomem(e);
    *ret = r;
    return RC_OK;
}

static enum rc add_value(struct requirement *r, size_t at, struct json_doc *d, const struct json *v,
                         struct err *e)
{
    struct slice text = json_text(d, v);
    if (!json_is(v, JSON_STRING) || !is_label_value(text))
        return err_set(e, RC_INVALID, ERR_FINAL,
                       "the value of label \"%s\" must be a string of at most 63 letters, digits, "
                       "'-', '_', '.'%s",
                       r->key,
                       json_is(v, JSON_STRING) ? "" : " (quote numbers and booleans: \"true\")");
    r->values[at] = strndup(text.n ? text.p : "", text.n);
    return r->values[at] ? RC_OK : err_nomem(e);
}

static enum rc read_labels(struct selector *s, struct json_doc *d, const struct json *labels,
                           struct err *e)
{
    if (labels && labels->type != JSON_OBJECT && labels->type != JSON_NULL)
        return err_set(e, RC_INVALID, ERR_FINAL, "matchLabels must be a map of strings");
    for (const struct json *v = labels ? labels->first : NULL; v; v = v->next) {
        struct requirement *r;
        enum rc rc = add(s, json_name(d, v), OP_IN, 1, &r, e);
        if (rc == RC_OK)
            rc = add_value(r, 0, d, v, e);
        if (rc < 0)
            return err_wrap(e, "matchLabels");
    }
    return RC_OK;
}

static enum rc find_operator(struct slice name, enum operator* ret, struct err *e)
{
    for (size_t i = 0; i < N_OPERATORS; i++)
        if (slice_eq(name, slice_str(OPERATORS[i].name))) {
            *ret = (enum operator)i;
            return RC_OK;
        }
    return err_set(e, RC_INVALID, ERR_FINAL,
                   "operator \"%.*s\" is none of In, NotIn, Exists, DoesNotExist", SLICE_ARG(name));
}

static enum rc read_expression(struct selector *s, struct json_doc *d, const struct json *x,
                               struct err *e)
{
    const struct json *values = json_get(x, "values");
    size_t n = json_is(values, JSON_ARRAY) ? values->count : 0;
    enum operator op;
    enum rc rc = find_operator(json_get_text(d, x, "operator"), &op, e);
    if (rc < 0)
        return rc;
    if (values && values->type != JSON_ARRAY && values->type != JSON_NULL)
        return err_set(e, RC_INVALID, ERR_FINAL, "values must be a list of strings");
    if (OPERATORS[op].takes_values != (n > 0))
        return err_set(e, RC_INVALID, ERR_FINAL, "operator %s %s", OPERATORS[op].name,
                       n > 0 ? "takes no values" : "needs at least one value");
    struct requirement *r;
    rc = add(s, json_get_text(d, x, "key"), op, n, &r, e);
    for (size_t i = 0; rc == RC_OK && i < n; i++)
        rc = add_value(r, i, d, json_at(values, i), e);
    return rc;
}

static enum rc read_expressions(struct selector *s, struct json_doc *d, const struct json *list,
                                struct err *e)
{
    if (list && list->type != JSON_ARRAY && list->type != JSON_NULL)
        return err_set(e, RC_INVALID, ERR_FINAL, "matchExpressions must be a list");
    size_t i = 0;
    for (const struct json *x = list ? list->first : NULL; x; x = x->next, i++) {
        enum rc rc = json_is(x, JSON_OBJECT) ? read_expression(s, d, x, e)
                                             : err_set(e, RC_INVALID, ERR_FINAL,
                                                       "must be a map with key, operator, values");
        if (rc < 0)
            return err_wrap(e, "matchExpressions[%zu]", i);
    }
    return RC_OK;
}

static enum rc check_members(struct json_doc *d, const struct json *spec, struct err *e)
{
    if (!json_is(spec, JSON_OBJECT))
        return err_set(e, RC_INVALID, ERR_FINAL,
                       "a selector must be a map with matchLabels or matchExpressions");
    for (const struct json *m = spec->first; m; m = m->next) {
        struct slice name = json_name(d, m);
        if (!slice_eq(name, SLICE("matchLabels")) && !slice_eq(name, SLICE("matchExpressions")))
            return err_set(e, RC_INVALID, ERR_FINAL,
                           "unknown field \"%.*s\"; allowed are matchLabels, matchExpressions",
                           SLICE_ARG(name));
    }
    return RC_OK;
}

enum rc selector_new(struct json_doc *d, const struct json *spec, struct selector **ret,
                     struct err *e)
{
    enum rc rc = check_members(d, spec, e);
    if (rc < 0)
        return rc;
    const struct json *labels = json_get(spec, "matchLabels");
    const struct json *expressions = json_get(spec, "matchExpressions");
    size_t most = (labels ? labels->count : 0) + (expressions ? expressions->count : 0);
    if (most > REQUIREMENTS_MAX)
        return err_set(e, RC_LIMIT, ERR_FINAL,
                       "a selector of %zu requirements; at most %d are allowed", most,
                       REQUIREMENTS_MAX);
    AUTO(selector_freep) struct selector *s = calloc(1, sizeof *s);
    if (!s)
        return err_nomem(e);
    s->list = calloc(most + 1, sizeof *s->list);
    if (!s->list)
        return err_nomem(e);
    rc = read_labels(s, d, labels, e);
    if (rc == RC_OK)
        rc = read_expressions(s, d, expressions, e);
    if (rc == RC_OK)
        *ret = steal(&s);
    return rc;
}

/* ---- Matching ---- */

static bool has_value(const struct requirement *r, struct slice value)
{
    for (char *const *v = r->values; *v; v++)
        if (slice_eq(slice_str(*v), value))
            return true;
    return false;
}

static bool holds(const struct requirement *r, struct json_doc *d, const struct json *labels)
{
    const struct json *label = json_get(labels, r->key);
    bool present = json_is(label, JSON_STRING);
    switch (r->op) {
    case OP_IN:
        return present && has_value(r, json_text(d, label));
    case OP_NOT_IN: /* an absent label is not in the set */
        return !present || !has_value(r, json_text(d, label));
    case OP_EXISTS:
        return present;
    case OP_ABSENT:
        return !present;
    }
    return false;
}

bool selector_matches(const struct selector *s, struct json_doc *d, const struct json *labels)
{
    for (size_t i = 0; s && i < s->n; i++)
        if (!holds(&s->list[i], d, labels))
            return false;
    return true;
}
