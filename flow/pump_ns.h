/* What the pump knows of the source's namespaces: their labels, as of the last event read. */
#ifndef RESILOG_FLOW_PUMP_NS_H
#define RESILOG_FLOW_PUMP_NS_H

#include "core/event.h"
#include "core/scope.h"
#include "core/slice.h"

struct json_doc;
struct namespaces;
struct rlog;

#define NS_SCOPE      "/namespaces"   /* the scope of all namespaces */
#define NS_KEY_PREFIX "/namespaces//" /* and the prefix of their keys */

enum ns_change { NS_UNCHANGED, NS_NEW, NS_RELABELLED, NS_GONE };

struct namespaces *namespaces_new(void); /* NULL when out of memory */
void namespaces_free(struct namespaces *n);
DEFINE_FREEP(struct namespaces, namespaces_free)

/* Loads all namespaces as the log knew them before offset until. Errors: the log's, INVALID (an
 * event that holds no JSON), NOMEM. */
MUST_CHECK enum rc namespaces_load(struct namespaces *n, struct rlog *log, rlog_off until,
                                   struct err *e);
/* Takes note of an event whose key begins with NS_KEY_PREFIX. Errors: INVALID, NOMEM. */
MUST_CHECK enum rc namespaces_apply(struct namespaces *n, const struct event *ev,
                                    enum ns_change *ret, struct err *e);
/* The labels as a document whose root is an object, or NULL for an unknown namespace; lives until
 * it changes. */
struct json_doc *namespaces_labels(const struct namespaces *n, struct slice name);

#endif
