/* The entries of a replication, and what a tree of znodes has in common with them. Private to controller/. */
#ifndef RESILOG_CONTROLLER_RESOURCE_ENTRY_H
#define RESILOG_CONTROLLER_RESOURCE_ENTRY_H

#include "core/err.h"

struct json;
struct kind_pattern;
struct origin;
struct regex;
struct replication_entry;
struct sink_policy;
struct text_pool;

/* A regular expression, or a glob that is taken for one. *ret stays NULL where an error was told. Errors: NOMEM. */
MUST_CHECK enum rc pattern_read(const struct origin *o, const struct json *n, struct regex **ret,
                                struct err *e);
/* One entry of replication.resources; what was read so far is in ret also after
 * a failure. All problems are told. */
MUST_CHECK enum rc entry_read(struct text_pool *texts, const struct origin *o,
                              const struct json *node, const struct sink_policy *defaults,
                              struct replication_entry *ret, struct err *e);
/* One entry of replication.excludeResources; ret->filters becomes filters where there are some, and what was read of
 * them so far is there also after a failure. All problems are told. */
MUST_CHECK enum rc exclusion_read(struct text_pool *texts, const struct origin *o,
                                  const struct json *node, struct replication_entry *filters,
                                  struct kind_pattern *ret, struct err *e);
void entry_done(struct replication_entry *entry);
/* One entry of replication.record: the kind alone, which may be one that is never copied. All problems are told. */
void record_read(struct text_pool *texts, const struct origin *o, const struct json *node,
                 struct replication_entry *ret);
/* `adopt`, `effects`, `recreate` and `writeMode` of an entry, or of a whole replication. */
void policy_read(const struct origin *o, const struct json *node, struct sink_policy *policy);

#endif
