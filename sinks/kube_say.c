/* Lines of diagnostics about objects. Keeps nothing. */
#include "sinks/kube_say.h"

#include "core/event.h"
#include "core/key.h"

void kube_say(struct diag *d, enum diag_level level, const char *msg, const struct kube_said *what)
{
    const struct event *ev = what->event;
    struct key key = {0};
    struct err why = ERR_INIT;
    if (key_parse(ev->key, &key, &why) != RC_OK)
        key.name = ev->key;
    struct slice version, first = slice_cut(ev->api_version, '/', &version);
    if (version.n == 0)
        version = first;
    const struct diag_field fields[] = {
        DIAG_S("sourceObject.apiGroup", key.group),
        DIAG_S("sourceObject.apiVersion", version),
        DIAG_S("sourceObject.name", key.name),
        DIAG_S("sourceObject.namespace", key.ns),
        DIAG_S("sourceObject.resource", key.resource),
        DIAG_S("sourceObject.resourceVersion", ev->version),
        DIAG_S("sourceObject.uid", ev->uid),
        DIAG_S("destinationObject.apiGroup", key.group),
        DIAG_S("destinationObject.apiVersion", version),
        DIAG_S("destinationObject.name", key.name),
        DIAG_S("destinationObject.namespace", key.ns),
        DIAG_S("destinationObject.resource", key.resource),
        DIAG_S("destinationObject.resourceVersion", what->version),
        DIAG_S("destinationObject.uid", what->uid),
        DIAG_S("event.type", slice_str(what->type)),
        DIAG_S("error", slice_str(what->error)),
    };
    size_t n = sizeof fields / sizeof *fields;
    diag_say(d, level, msg, fields, what->error ? n : n - 1);
}
