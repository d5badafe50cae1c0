/* The decisions of the ZooKeeper sink. Keeps nothing.
 *
 * Nothing is written over a node that is not ours and not adopted by policy; nothing is deleted but the very node of
 * the record (I6). An ACL that would keep us from making the children comes last. A sequence is only ever raised. */
#include "sinks/zk_decide.h"

#include "io/zk.h"

/* ---- May it be touched ---- */

struct claim_row {
    unsigned set, clear; /* facts that must and must not be there */
    struct zk_claim claim;
};

#define PUT    ZK_FACT_PUT
#define EXISTS ZK_FACT_EXISTS
/* The first row that fits counts. */
static const struct claim_row claims[] = {
    {PUT | EXISTS | ZK_FACT_SOURCE,
     0,
     {ZK_CLAIM_STOP, SINK_HELD, "same-ensemble",
      "source and destination are the same ensemble: the destination's node is the source's own"}},
    {PUT, EXISTS, {ZK_CLAIM_WRITE, SINK_DONE, "", ""}},
    {PUT | ZK_FACT_OURS, 0, {ZK_CLAIM_WRITE, SINK_DONE, "", ""}},
    {PUT | ZK_FACT_SAME | ZK_FACT_UNSURE, 0, {ZK_CLAIM_ADOPT, SINK_DONE, "", ""}},
    {PUT | ZK_FACT_NEVER,
     0,
     {ZK_CLAIM_END, SINK_HELD, "not-ours",
      "the destination has a node of this path that is not ours (adopt: never)"}},
    {PUT | ZK_FACT_SAME, 0, {ZK_CLAIM_ADOPT, SINK_DONE, "", ""}},
    {PUT | ZK_FACT_ALWAYS | ZK_FACT_PRESERVED, 0, {ZK_CLAIM_ADOPT, SINK_DONE, "", ""}},
    {PUT | ZK_FACT_ALWAYS,
     0,
     {ZK_CLAIM_PRESERVE, SINK_WAITING, "pre-image",
      "what the destination has is kept before it is overwritten"}},
    {PUT,
     0,
     {ZK_CLAIM_END, SINK_HELD, "not-ours",
      "the destination has a node of this path that is not ours, and its data or ACL differ; "
      "'resilog adopt' or "
      "adopt: always overwrites it, deleting it there has it copied"}},
    {0, EXISTS, {ZK_CLAIM_FORGET, SINK_DONE, "", ""}},
    {0,
     ZK_FACT_OURS,
     {ZK_CLAIM_FORGET, SINK_DONE, "not-ours", "the node is not the one that was made; it stays"}},
    {ZK_FACT_ADOPTED,
     ZK_FACT_OBSERVED,
     {ZK_CLAIM_END, SINK_HELD, "adopted",
      "the node was there before us, or may have been, and its deletion in the source was not "
      "seen; delete it in the destination by hand"}},
    {0, 0, {ZK_CLAIM_DELETE, SINK_DONE, "", ""}},
};
#undef PUT
#undef EXISTS

const struct zk_claim *zk_decide_claim(unsigned facts)
{
    const struct claim_row *row = claims;
    while ((facts & row->set) != row->set || (facts & row->clear) != 0)
        row++; /* the last one fits always */
    return &row->claim;
}

/* ---- What is to be written ---- */

enum zk_next zk_decide_next(const struct zk_compared *c)
{
    bool below = c->gap > 0 || (c->missing > 0 && !c->settled);
    bool acl_last = !c->same_acl && below && !c->can_go_on;
    bool first = !c->same_acl && (!c->can_write || c->within);
    if (!c->exists)
        return ZK_NEXT_CREATE;
    /* New data is never to be read by whom the new ACL shuts out, nor old data by whom it lets in. Where it shuts out
     * us as well, we stay in until the rest is done. */
    if (first && !c->same_data && (acl_last || !c->can_set) && c->has_id && !c->provisional)
        return ZK_NEXT_SET_PROVISIONAL;
    if (first && !acl_last && (!c->can_write || c->can_set))
        return ZK_NEXT_SET_ACL;
    if (!c->same_data)
        return ZK_NEXT_SET_DATA;
    if (!c->same_acl && !acl_last)
        return ZK_NEXT_SET_ACL;
    if (zk_decide_align(c) > 0)
        return ZK_NEXT_ALIGN;
    if (acl_last)
        return ZK_NEXT_WAIT_ACL;
    return c->gap > 0 ? ZK_NEXT_WAIT_SEQUENCE : ZK_NEXT_NOTHING;
}

int64_t zk_decide_align(const struct zk_compared *c)
{
    int64_t to_come = c->settled ? 0 : c->to_come;
    return c->gap > to_come ? c->gap - to_come : 0;
}

/* ---- Errors ---- */

#define NO_AUTH_TEXT                                                                               \
    "the destination does not let us: give its Database a secretName with the user of the nodes' " \
    "ACLs, or better with a super user"

static const struct zk_refusal refusals[] = {
    {ZK_BAD_VERSION, ZK_REMEDY_LOOK, "conflict", "somebody else writes the node all the time"},
    {ZK_NODE_EXISTS, ZK_REMEDY_LOOK, "conflict", "somebody else makes the node all the time"},
    {ZK_NO_NODE, ZK_REMEDY_LOOK, "conflict", "somebody else deletes the node all the time"},
    {ZK_NOT_EMPTY, ZK_REMEDY_CHILDREN, "not-empty",
     "the node has children in the destination that are not to be deleted"},
    {ZK_NO_AUTH, ZK_REMEDY_REFUSED, "no-auth", NO_AUTH_TEXT},
    {ZK_NO_CHILDREN_FOR_EPHEMERALS, ZK_REMEDY_REFUSED, "ephemeral-parent",
     "its parent in the destination is an ephemeral node, which has no children"},
    {ZK_INVALID_ACL, ZK_REMEDY_REFUSED, "invalid-acl",
     "the destination does not take the node's ACL: it may not know one of its schemes"},
    {ZK_QUOTA_EXCEEDED, ZK_REMEDY_REFUSED, "quota",
     "a quota of the destination is exceeded; raise it, or delete something there"},
    {ZK_UNIMPLEMENTED, ZK_REMEDY_REFUSED, "unsupported",
     "the destination's server does not know this operation; servers from 3.6 on do"},
    {0, ZK_REMEDY_LATER, "unserved", "the destination answers, but neither yes nor no"},
};
#define REFUSALS (sizeof refusals / sizeof *refusals)

static const struct zk_refusal parent_missing = {
    ZK_NO_NODE, ZK_REMEDY_PARENT, "parent-missing",
    "its parent does not exist in the destination, and is not copied or not yet"};

const struct zk_refusal *zk_decide_refusal(int error, bool making)
{
    size_t i = 0;
    if (making && error == ZK_NO_NODE)
        return &parent_missing;
    while (i < REFUSALS - 1 && refusals[i].error != error)
        i++;
    return &refusals[i];
}
