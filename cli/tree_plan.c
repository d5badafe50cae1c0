/* The sink's and the pump's decisions, as far as a comparison can know them. */
#include "cli/tree_plan.h"

#include "cli/tree_compare.h"
#include "controller/resource.h"
#include "core/buf.h"
#include "flow/pump.h"
#include "flow/pump_rows.h"
#include "flow/scope.h"
#include "io/zk_walk.h"
#include "sinks/zk_record.h"

/* What the checkpoint says of the destination's node. */
struct claim {
    bool ours;    /* it is the very node of the record, and a copy still */
    bool adopted; /* it was there before us */
};

static enum rc load_claim(const struct tree_plan *p, const struct zk_difference *d,
                          struct claim *ret, struct err *e)
{
    AUTO(buf_done) struct buf row = BUF_INIT(CKPT_VALUE_MAX);
    struct applied a = {0};
    struct zk_record record = {0};
    struct err why = ERR_INIT;
    *ret = (struct claim){false, false};
    if (!p->ckpt || !d->destination)
        return RC_OK;
    enum rc rc = ckpt_get(p->ckpt, p->sync->replication.sync, CKPT_APPLIED, d->path, &row, &why);
    if (rc == RC_NOTFOUND)
        return RC_OK;
    if (rc == RC_OK)
        rc = applied_decode(buf_slice(&row), &a, &why);
    if (rc == RC_OK && a.record.n == 0)
        return RC_OK;
    if (rc == RC_OK)
        rc = zk_record_decode(a.record, &record, &why);
    if (rc < 0) {
        *e = why;
        return rc;
    }
    ret->ours = a.state == APPLIED_SYNCED && zk_record_is_of(&record, &d->destination->node.stat);
    ret->adopted = record.flags & ZK_RECORD_ADOPTED;
    return RC_OK;
}

static void say(struct tree_plan *p, const char *action, const struct zk_difference *d,
                struct buf *out)
{
    p->actions++;
    buf_addf(out, "%s %.*s", action, SLICE_ARG(d->path));
}

/* By how much the sequence is raised beside the children that come, for these raise it, too. 0: not at all. */
static int64_t to_raise(const struct zk_difference *d)
{
    const struct znode_stat *s = &d->source->node.stat;
    const struct znode_stat none = {0},
                            *there = d->destination ? &d->destination->node.stat : &none;
    int64_t gap = znode_sequence(s) - znode_sequence(there);
    int64_t missing = (int64_t)s->num_children - there->num_children;
    gap -= missing > 0 ? missing : 0;
    return gap > 0 ? gap : 0;
}

/* ---- One for each row of tree_words ---- */

static void plan_write(struct tree_plan *p, const struct tree_word *word,
                       const struct zk_difference *d, const struct claim *claim, struct buf *out)
{
    (void)claim;
    say(p, word->action, d, out);
    buf_add_char(out, '\n');
}

static void plan_sequence(struct tree_plan *p, const struct tree_word *word,
                          const struct zk_difference *d, const struct claim *claim, struct buf *out)
{
    int64_t by = to_raise(d);
    (void)claim;
    if (by == 0)
        return;
    say(p, word->action, d, out);
    buf_addf(out, " by %lld\n", (long long)by);
}

static void plan_create(struct tree_plan *p, const struct tree_word *word,
                        const struct zk_difference *d, const struct claim *claim, struct buf *out)
{
    plan_write(p, word, d, claim, out);
    plan_sequence(p, &tree_words[TREE_SEQUENCE], d, claim, out);
}

/* What the source has as an ephemeral node was deselected, and copies of that stay. */
static void plan_delete(struct tree_plan *p, const struct tree_word *word,
                        const struct zk_difference *d, const struct claim *claim, struct buf *out)
{
    if (d->source || !claim->ours)
        return;
    p->deletes++;
    say(p, claim->adopted ? "hold" : word->action, d, out);
    buf_add_str(out, claim->adopted
                         ? ": it was there before us, and a listing alone does not delete it\n"
                         : "\n");
}

static void plan_nothing(struct tree_plan *p, const struct tree_word *word,
                         const struct zk_difference *d, const struct claim *claim, struct buf *out)
{
    const char *side, *why;
    (void)claim;
    tree_why_unreadable(d, &side, &why);
    say(p, word->action, d, out);
    buf_addf(out, ": it cannot be read: %s: %s\n", side, why);
}

typedef void plan_fn(struct tree_plan *p, const struct tree_word *word,
                     const struct zk_difference *d, const struct claim *claim, struct buf *out);
static plan_fn *const plans[TREE_WORDS] = {
    [TREE_MISSING] = plan_create,    [TREE_DATA] = plan_write,   [TREE_ACL] = plan_write,
    [TREE_SEQUENCE] = plan_sequence, [TREE_EXTRA] = plan_delete, [TREE_UNREADABLE] = plan_nothing,
};

/* ---- All ---- */

/* True if the difference is decided as a whole: a run would not touch the node. */
static bool is_refused(struct tree_plan *p, const struct zk_difference *d,
                       const struct claim *claim, struct buf *out)
{
    const struct replication_entry *entry = &p->sync->replication.entries[0];
    const unsigned copy = ZK_COMPARE_DATA | ZK_COMPARE_ACL | ZK_COMPARE_SEQUENCE;
    if (p->refused)
        return true;
    if (d->what & ZK_COMPARE_MISSING && slice_eq(d->path, entry->root) &&
        !p->sync->tree.create_root) {
        p->refused = true;
        say(p, "fail", d, out);
        buf_add_str(out, ": rootPath does not exist in the destination; createRootPath: true "
                         "makes it\n");
        return true;
    }
    bool same = !(d->what & (ZK_COMPARE_DATA | ZK_COMPARE_ACL));
    enum sink_adopt adopt = entry->policy.adopt;
    if (!(d->what & copy) || claim->ours || adopt == ADOPT_ALWAYS || (same && adopt == ADOPT_EQUAL))
        return false;
    say(p, "hold", d, out);
    buf_addf(out, ": it is not ours (adopt: %s)\n", adopt == ADOPT_NEVER ? "never" : "equal");
    return true;
}

enum rc tree_plan_add(struct tree_plan *p, const struct zk_difference *d, struct buf *out,
                      struct err *e)
{
    struct claim claim;
    enum rc rc = load_claim(p, d, &claim, e);
    if (rc < 0 || is_refused(p, d, &claim, out))
        return rc;
    for (size_t i = 0; i < TREE_WORDS; i++)
        if (d->what & tree_words[i].what)
            plans[i](p, &tree_words[i], d, &claim, out);
    return RC_OK;
}

/* ---- The guard ---- */

struct survey {
    struct scope scope;
    size_t copies;
};

static enum rc count_copy(void *arg, struct slice key, struct slice value, struct err *e)
{
    struct survey *s = arg;
    struct applied a;
    if (!scope_has(&s->scope, key))
        return RC_OK;
    enum rc rc = applied_decode(value, &a, e);
    s->copies += rc == RC_OK && a.state == APPLIED_SYNCED;
    return rc;
}

enum rc tree_plan_end(struct tree_plan *p, struct buf *out, struct err *e)
{
    struct survey s = {.scope = {p->sync->replication.entries[0].root, true}};
    if (p->deletes <= PUMP_PRUNE_COUNT || p->may_prune)
        return RC_OK;
    enum rc rc = ckpt_scan(p->ckpt, p->sync->replication.sync, CKPT_APPLIED, s.scope.text,
                           count_copy, &s, e);
    size_t limit = pump_prune_limit(s.copies);
    if (rc == RC_OK && p->deletes > limit)
        buf_addf(
            out,
            "hold all %zu deletions: more than %zu of %zu copies at once need approval: resilog "
            "run --allow-prune %s\n",
            p->deletes, limit, s.copies, p->sync->full_name);
    return rc;
}
