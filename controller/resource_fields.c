/* The walk over field tables. Tables are finite and not recursive, so that the walk's depth is
 * theirs; what a table leaves open (FIELD_ANY) is not entered. Pure but for the problems it adds. */
#include "controller/resource_fields.h"

#include "controller/nearest.h"
#include "controller/problem_list.h"
#include "core/clock.h"
#include "core/json.h"

#include <inttypes.h>
#include <stdio.h>

enum { LIST_BYTES = 512, WANTED_BYTES = 128 };

/* ---- Words ---- */

/* Adds a name to a list in words; where the room ends, the list ends in "...". */
static void list_add(char *out, size_t size, const char *name, const char *between)
{
    size_t n = strlen(out);
    if (n + strlen(name) + sizeof ", , ..." <= size)
        snprintf(out + n, size - n, "%s%s", between, name);
    else if (!slice_ends(slice_str(out), SLICE("...")))
        snprintf(out + n, size - n, "%s...", between);
}

static void type_wanted(const struct field *f, char *out, size_t size)
{
    static const char *const names[] = {
        [FIELD_ANY] = "a value",
        [FIELD_STRING] = "a string",
        [FIELD_BOOL] = "true or false",
        [FIELD_INT] = "an integer",
        [FIELD_DURATION] = "a duration like 1h0m0s, 90m or 30s",
        [FIELD_OBJECT] = "a mapping",
        [FIELD_MAP] = "a mapping",
        [FIELD_LIST] = "a list",
        [FIELD_VARIANT] = "a mapping",
        [FIELD_MOVED] = "",
    };
    if (f->choices) {
        snprintf(out, size, "one of ");
        for (const char *const *c = f->choices; *c; c++)
            list_add(out, size, *c, c == f->choices ? "" : ", ");
    } else if (f->type == FIELD_INT)
        snprintf(out, size, "an integer of %" PRId64 " to %" PRId64, f->least, f->most);
    else
        snprintf(out, size, "%s", names[f->type]);
}

static void type_found(const struct origin *o, const struct field *f, const struct json *n,
                       char *out, size_t size)
{
    static const char *const names[] = {
        [JSON_NULL] = "nothing",    [JSON_FALSE] = "a boolean", [JSON_TRUE] = "a boolean",
        [JSON_NUMBER] = "a number", [JSON_STRING] = "a string", [JSON_ARRAY] = "a list",
        [JSON_OBJECT] = "a mapping"};
    bool shown = n->type >= JSON_FALSE && n->type <= JSON_STRING && !(f->flags & FIELD_SECRET);
    if (!shown)
        snprintf(out, size, "%s", names[n->type]);
    else if (n->type == JSON_STRING)
        snprintf(out, size, "the string \"%.*s\"", SHOWN(json_text(o->doc, n)));
    else
        snprintf(out, size, "the %s %.*s", names[n->type] + 2, SHOWN(n->raw));
}

static const char *type_hint(const struct field *f, const struct json *n)
{
    bool scalar = n->type >= JSON_FALSE && n->type <= JSON_NUMBER;
    if (f->type == FIELD_STRING && scalar && !f->choices)
        return ": put it in quotes";
    if ((f->type == FIELD_BOOL || f->type == FIELD_INT) && n->type == JSON_STRING)
        return ": write it without quotes";
    if (f->type == FIELD_LIST && n->type != JSON_NULL)
        return ": begin every item with \"- \"";
    return "";
}

static bool wrong_type(const struct origin *o, const struct field *f, const struct json *n)
{
    char wanted[WANTED_BYTES], found[SHOWN_MAX + 32];
    type_wanted(f, wanted, sizeof wanted);
    type_found(o, f, n, found, sizeof found);
    problem_error(o, n, "must be %s, found %s%s", wanted, found, type_hint(f, n));
    return false;
}

void fields_wrong_choice(const struct origin *o, const struct json *node, struct slice text,
                         const char *const *choices)
{
    char all[LIST_BYTES] = "";
    struct nearest near = NEAREST_INIT(text);
    for (; *choices; choices++) {
        list_add(all, sizeof all, *choices, all[0] ? ", " : "");
        nearest_try(&near, *choices);
    }
    if (near.name)
        problem_error(o, node, "\"%.*s\" is not allowed; did you mean \"%s\"? allowed: %s",
                      SHOWN(text), near.name, all);
    else
        problem_error(o, node, "\"%.*s\" is not allowed; allowed: %s", SHOWN(text), all);
}

/* ---- Scalars ---- */

bool fields_is_duration(struct slice text)
{
    int64_t ns;
    struct err ignored = ERR_INIT;
    return duration_parse(text, &ns, &ignored) == RC_OK;
}

static bool check_string(const struct origin *o, const struct json *n, const struct field *f)
{
    if (n->type != JSON_STRING)
        return wrong_type(o, f, n);
    struct slice text = json_text(o->doc, n);
    if ((f->flags & FIELD_REQUIRED) && text.n == 0) {
        problem_error(o, n, "must not be empty");
        return false;
    }
    const char *const *c = f->choices;
    while (c && *c && !slice_eq(slice_str(*c), text))
        c++;
    if (!c || *c)
        return true;
    fields_wrong_choice(o, n, text, f->choices);
    return false;
}

static bool check_int(const struct origin *o, const struct json *n, const struct field *f)
{
    int64_t v;
    return (json_int(n, &v) && v >= f->least && v <= f->most) || wrong_type(o, f, n);
}

/* ---- Trees ---- */

static bool check_each(const struct origin *o, const struct json *n, const struct field *f,
                       enum json_type type)
{
    bool ok = true;
    if (n->type != type)
        return wrong_type(o, f, n);
    if ((f->flags & FIELD_REQUIRED) && !n->first) {
        problem_error(o, n, "must not be empty");
        return false;
    }
    for (const struct json *c = n->first; c && f->of; c = c->next)
        ok = fields_check_value(o, c, f->of) && ok;
    return ok;
}

/* Of the members that a table knows exactly one must be there. */
static bool check_one(const struct origin *o, const struct json *n, const struct field *table)
{
    char all[LIST_BYTES] = "";
    size_t there = 0;
    for (; table->name; table++) {
        const struct json *c = json_get(n, table->name);
        there += c && c->type != JSON_NULL;
        list_add(all, sizeof all, table->name, all[0] ? ", " : "");
    }
    if (there != 1)
        problem_error(o, n, "exactly one must be there, found %zu: %s", there, all);
    return there == 1;
}

/* A name that is none of the variants is told where it stands. */
static bool check_variant(const struct origin *o, const struct json *n, const struct field *f)
{
    if (n->type != JSON_OBJECT)
        return wrong_type(o, f, n);
    struct slice name = json_get_text(o->doc, n->parent, f->instead);
    const struct field *row = f->of;
    while (row->name && !slice_eq(slice_str(row->name), name))
        row++;
    return !row->name || fields_check(o, n, row->of);
}

bool fields_check_value(const struct origin *o, const struct json *n, const struct field *f)
{
    switch (f->type) {
    case FIELD_ANY:
        return true;
    case FIELD_STRING:
        return check_string(o, n, f);
    case FIELD_BOOL:
        return n->type == JSON_TRUE || n->type == JSON_FALSE || wrong_type(o, f, n);
    case FIELD_INT:
        return check_int(o, n, f);
    case FIELD_DURATION:
        return (n->type == JSON_STRING && fields_is_duration(json_text(o->doc, n))) ||
               wrong_type(o, f, n);
    case FIELD_OBJECT:
        if (n->type != JSON_OBJECT)
            return wrong_type(o, f, n);
        return fields_check(o, n, f->of) && (!(f->flags & FIELD_ONE) || check_one(o, n, f->of));
    case FIELD_MAP:
        return check_each(o, n, f, JSON_OBJECT);
    case FIELD_LIST:
        return check_each(o, n, f, JSON_ARRAY);
    case FIELD_VARIANT:
        return check_variant(o, n, f);
    case FIELD_MOVED:
        break;
    }
    problem_error(o, n, "does not belong here; write %s", f->instead);
    return false;
}

static bool unknown_field(const struct origin *o, const struct json *n, const struct field *table)
{
    char all[LIST_BYTES] = "";
    struct slice name = json_name(o->doc, n);
    struct nearest near = NEAREST_INIT(name);
    for (; table->name; table++) {
        if (table->type == FIELD_MOVED || (table->flags & FIELD_ALIAS))
            continue;
        list_add(all, sizeof all, table->name, all[0] ? ", " : "");
        nearest_try(&near, table->name);
    }
    if (near.name)
        problem_error(o, n, "unknown field \"%.*s\"; did you mean \"%s\"? allowed: %s", SHOWN(name),
                      near.name, all);
    else
        problem_error(o, n, "unknown field \"%.*s\"; allowed: %s", SHOWN(name), all);
    return false;
}

/* Nothing would be done anyway: false, and what is empty or made of that. */
static bool asks_nothing(const struct json *n)
{
    if (n->type == JSON_FALSE || n->type == JSON_NULL)
        return true;
    if (n->type != JSON_OBJECT && n->type != JSON_ARRAY)
        return false;
    const struct json *c = n->first;
    while (c && asks_nothing(c))
        c = c->next;
    return !c;
}

static bool check_member(const struct origin *o, const struct json *n, const struct field *table)
{
    struct slice name = json_name(o->doc, n);
    const struct field *f = table;
    while (f->name && !slice_eq(slice_str(f->name), name))
        f++;
    if (!f->name)
        return unknown_field(o, n, table);
    if (n->type == JSON_NULL && f->type != FIELD_ANY)
        return true;
    if (!fields_check_value(o, n, f))
        return false;
    if (f->flags & FIELD_ALIAS)
        problem_warn(o, n, "taken as \"%s\", the field's name", f->instead);
    if (asks_nothing(n))
        return true;
    if (f->flags & FIELD_LATER)
        problem_warn(o, n, "accepted, not acted on yet");
    return true;
}

bool fields_check(const struct origin *o, const struct json *obj, const struct field *table)
{
    bool ok = true;
    for (const struct json *n = obj->first; n; n = n->next)
        ok = check_member(o, n, table) && ok;
    for (const struct field *f = table; f->name; f++) {
        const struct json *n = json_get(obj, f->name);
        if (!(f->flags & FIELD_REQUIRED) || (n && n->type != JSON_NULL))
            continue;
        char wanted[WANTED_BYTES];
        type_wanted(f, wanted, sizeof wanted);
        problem_error(o, obj, "the field \"%s\" is missing: %s is needed", f->name, wanted);
        ok = false;
    }
    return ok;
}

const struct json *fields_object(const struct json *obj, const char *name)
{
    const struct json *n = json_get(obj, name);
    return json_is(n, JSON_OBJECT) ? n : NULL;
}

const struct json *fields_list(const struct json *obj, const char *name)
{
    const struct json *n = json_get(obj, name);
    return json_is(n, JSON_ARRAY) ? n : NULL;
}

bool fields_true(const struct json *obj, const char *name)
{
    return json_is(json_get(obj, name), JSON_TRUE);
}
