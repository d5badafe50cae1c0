/* Diagnostics about an object: every line about one has the same fields, wherever it is said.
 *
 * JSON: sourceObject.*, oldSourceObject.* (of an update whose object of before is known), destinationObject.*,
 * lastUpdate.*, event.type; what is unknown, and the namespace of what has none, is left out. Text: object and
 * namespace, as kubectl takes them ("deployments.apps/web"). Never a value out of the object itself. */
#ifndef RESILOG_CORE_DIAG_OBJECT_H
#define RESILOG_CORE_DIAG_OBJECT_H

#include "core/diag.h"

struct event;

#define DIAG_OBJECT_MORE 6

struct diag_object {
    const struct event *
        event; /* key, api_version, version, uid, user and op of the source's object; NULL: it is about copy alone */
    const struct event *before; /* the object's event before that one; NULL: none, or unknown */
    const struct event
        *copy;         /* key, api_version, version, uid of the destination's object; NULL: none */
    struct slice body; /* the source's object; empty: event->body; that may be empty, too */
    const char *
        change; /* "create", "update", "delete"; NULL: as event and before say, not said for an event without op */
    const char *error;             /* NULL: none */
    const struct diag_field *more; /* of this message alone, after the object's */
    size_t n_more;                 /* at most DIAG_OBJECT_MORE */
};

/* One line about one object. The body is read only if the line is said; one that cannot be read says nothing. */
void diag_say_object(struct diag *d, enum diag_level level, const char *msg,
                     const struct diag_object *about);

#endif
