/* What is particular to a source that is a tree of znodes: the part of the pump's inside in pump_tree.c. */
#ifndef RESILOG_FLOW_PUMP_TREE_H
#define RESILOG_FLOW_PUMP_TREE_H

#include "flow/filter.h"
#include "flow/pump_priv.h"

/* Whether the node of a put is copied, and by which entry. That it is not because it is ephemeral is said. Errors: those
 * of znode_parse (the body cannot be read). */
MUST_CHECK enum rc pump_judge_node(struct pump *p, const struct event *ev, enum filter_verdict *ret,
                                   const struct replication_entry **ret_entry, struct err *e);
/* Before a node is sent: sends those above it that have no copy yet, highest first. *ret_stuck: the sink has no room for
 * more, the node is to be looked at again. Errors: as pump_evaluate. */
MUST_CHECK enum rc pump_parents_first(struct pump *p, struct slice path, bool *ret_stuck,
                                      struct err *e);

/* When the pump is opened: what it knows of the tree's latest listing. Errors: the log's. */
MUST_CHECK enum rc pump_find_listing(struct pump *p, struct err *e);
/* The end of a listing of that scope was read. */
void pump_note_listing(struct pump *p, struct slice scope, rlog_off sync_end);
/* True as long as what the tree's first complete listing found is not all decided and committed. */
bool pump_is_unlisted(const struct pump *p);
/* What of the children that a node's event counts was submitted before it: of a listing they come behind their parent,
 * of what was watched before it, unless the parent is new. */
enum sink_settled pump_settled(const struct pump *p, const struct event *ev);

#endif
