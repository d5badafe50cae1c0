/* Option parsing by table, with the habits of kubectl: any order, long names, the nearest match for a wrong one. */
#include "cli/cli.h"
#include "controller/nearest.h"

#include <stdio.h>
#include <string.h>

/* The long name most like a wrong one; NULL if none is near. */
static const char *nearest_name(const char *name, size_t n, const struct option_spec *specs,
                                size_t n_specs)
{
    struct nearest near = NEAREST_INIT(slice_of(name, n));
    for (size_t i = 0; i < n_specs; i++)
        nearest_try(&near, specs[i].name);
    return near.name;
}

static const struct option_spec *find(const char *name, size_t n, const struct option_spec *specs,
                                      size_t n_specs)
{
    for (size_t i = 0; i < n_specs; i++)
        if (strlen(specs[i].name) == n && memcmp(specs[i].name, name, n) == 0)
            return &specs[i];
    return NULL;
}

static enum rc take(const struct option_spec *o, const char *value, struct err *e)
{
    if (o->value)
        *o->value = value;
    if (!o->values)
        return RC_OK;
    if (o->values->n == OPTION_VALUES_MAX)
        return err_set(e, RC_INVALID, ERR_FINAL, "--%s may be given %d times at most", o->name,
                       OPTION_VALUES_MAX);
    o->values->list[o->values->n++] = value;
    return RC_OK;
}

static bool wants_value(const struct option_spec *o)
{
    return !o->flag;
}

/* "--name", "--name=value" or "--name value"; *at moves over what was used. */
static enum rc parse_long(int argc, char **argv, int *at, const struct option_spec *specs, size_t n,
                          struct err *e)
{
    const char *name = argv[*at] + 2;
    const char *equals = strchr(name, '=');
    size_t len = equals ? (size_t)(equals - name) : strlen(name);
    const struct option_spec *o = find(name, len, specs, n);
    if (!o) {
        const char *near = nearest_name(name, len, specs, n);
        return err_set(e, RC_INVALID, ERR_FINAL, "unknown option --%.*s%s%s%s", (int)len, name,
                       near ? "; did you mean --" : "", near ? near : "", near ? "?" : "");
    }
    if (!wants_value(o)) {
        if (equals)
            return err_set(e, RC_INVALID, ERR_FINAL, "--%s takes no value", o->name);
        *o->flag = true;
        return RC_OK;
    }
    if (!equals && *at + 1 == argc)
        return err_set(e, RC_INVALID, ERR_FINAL, "--%s needs a value", o->name);
    return take(o, equals ? equals + 1 : argv[++*at], e);
}

static enum rc parse_short(int argc, char **argv, int *at, const struct option_spec *specs,
                           size_t n, struct err *e)
{
    const char *word = argv[*at];
    for (size_t i = 0; i < n; i++) {
        const struct option_spec *o = &specs[i];
        if (o->letter != word[1])
            continue;
        if (!wants_value(o)) {
            if (word[2])
                break;
            *o->flag = true;
            return RC_OK;
        }
        if (word[2])
            return take(o, word[2] == '=' ? word + 3 : word + 2, e);
        if (*at + 1 == argc)
            return err_set(e, RC_INVALID, ERR_FINAL, "-%c needs a value", o->letter);
        return take(o, argv[++*at], e);
    }
    return err_set(e, RC_INVALID, ERR_FINAL, "unknown option %s", word);
}

static enum rc keep(struct option_rest *rest, const char *word, struct err *e)
{
    if (rest->n == rest->max)
        return err_set(e, RC_INVALID, ERR_FINAL, "unexpected word \"%s\"", word);
    rest->words[rest->n++] = word;
    return RC_OK;
}

enum rc options_parse(int argc, char **argv, const struct option_spec *specs, size_t n,
                      struct option_rest *rest, struct err *e)
{
    bool only_words = false;
    enum rc rc = RC_OK;
    for (int at = 1; at < argc && rc == RC_OK; at++) {
        const char *word = argv[at];
        if (only_words || word[0] != '-' || !word[1])
            rc = keep(rest, word, e);
        else if (strcmp(word, "--") == 0)
            only_words = true;
        else if (word[1] == '-')
            rc = parse_long(argc, argv, &at, specs, n, e);
        else
            rc = parse_short(argc, argv, &at, specs, n, e);
    }
    return rc;
}
