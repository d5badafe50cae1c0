/* What a resource may hold, as tables: each member's name, type and bounds. One walk over a table
 * finds all that is unknown, missing or of the wrong type. Private to controller/. */
#ifndef RESILOG_CONTROLLER_RESOURCE_FIELDS_H
#define RESILOG_CONTROLLER_RESOURCE_FIELDS_H

#include "core/slice.h"

#include <stdint.h>

struct json;
struct origin;

enum field_type {
    FIELD_ANY,
    FIELD_STRING,
    FIELD_BOOL,
    FIELD_INT,      /* of least to most */
    FIELD_DURATION, /* like Go's: "1h0m0s", "90m", "1.5h", "30s" */
    FIELD_OBJECT,   /* of: the table of its members */
    FIELD_MAP,      /* of: one field, for the value of every member */
    FIELD_LIST,     /* of: one field, for every item */
    FIELD_VARIANT, /* a mapping; of: tables by name, and the member beside it that instead names says which */
    FIELD_MOVED /* not here: instead says where */
};

enum field_flag {
    FIELD_REQUIRED = 1, /* must be there; a text, list or map that is required must not be empty */
    FIELD_LATER = 2,    /* accepted with a warning: not acted on yet */
    FIELD_SECRET = 4,   /* its value is never shown */
    FIELD_ONE = 16,     /* of an OBJECT: exactly one of its members must be there */
    FIELD_ALIAS = 32    /* accepted with a warning: instead is the field's real name */
};

struct field {
    const char *name; /* NULL ends a table */
    enum field_type type;
    unsigned flags;
    const struct field *of;     /* NULL: anything */
    const char *const *choices; /* of STRING, NULL-terminated; NULL: any */
    int64_t least, most;
    const char *instead;
};

/* Checks the members of obj, a mapping, and all below; null is as good as absent. True if no error
 * was found; all are told. */
bool fields_check(const struct origin *o, const struct json *obj, const struct field *table);
/* The same of one value, which is not null. */
bool fields_check_value(const struct origin *o, const struct json *n, const struct field *f);

/* Tells that text is none of the choices, with the nearest. */
void fields_wrong_choice(const struct origin *o, const struct json *node, struct slice text,
                         const char *const *choices);
/* True if text is a duration, as duration_parse reads it. */
bool fields_is_duration(struct slice text);

/* A member as data, once it was checked: absent, null or of another type gives the empty answer. */
const struct json *fields_object(const struct json *obj, const char *name);
const struct json *fields_list(const struct json *obj, const char *name);
bool fields_true(const struct json *obj, const char *name);

#endif
