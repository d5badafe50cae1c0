/* The way of one item: every answer leads to what it wants next, or to its result.
 *
 * Keeps what was seen of the destination's node, and brings it up to date by the answers to its own writes and those of
 * its children, which come in the order of the server. After a write whose answer was lost nothing is taken for known:
 * the node is looked at. No reason holds a node's data (I8). */
#include "sinks/zk_item_priv.h"

#include "core/diag_object.h"
#include "core/digest.h"
#include "core/event.h"
#include "io/zk.h"

#include <stdarg.h>
#include <stdio.h>

#define SERVERS_OWN SLICE("/zookeeper")

/* ---- Ends ---- */

__attribute__((format(printf, 4, 5))) static void end(struct zk_item *it, enum sink_outcome outcome,
                                                      const char *cls, const char *fmt, ...)
{
    va_list args;
    it->wants = ZK_WANTS_NOTHING;
    it->result.outcome = outcome;
    it->result.cls = cls;
    va_start(args, fmt);
    vsnprintf(it->result.reason, sizeof it->result.reason, fmt, args);
    va_end(args);
}

void zk_item_hold(struct zk_item *it, const char *cls, const char *reason)
{
    end(it, SINK_HELD, cls, "%s", reason);
}

/* ---- The beginning ---- */

static void check_path(struct zk_item *it, const struct zk_dest *d)
{
    const char *why = NULL;
    if (!znode_is_path(zk_item_path(it), &why))
        end(it, SINK_HELD, "invalid", "the path %s", why);
    else if (!znode_is_within(zk_item_path(it), d->root))
        end(it, SINK_SKIPPED, "outside", "never copied: the node is not below rootPath");
    else if (d->root.n == 1 && znode_is_within(zk_item_path(it), SERVERS_OWN))
        end(it, SINK_SKIPPED, "never-copied", "never copied: /zookeeper is the server's own");
}

static void hash_data(struct zk_item *it, struct sha256 *with)
{
    sha256_start(with);
    sha256_add(with, slice_of(it->want->null_data ? "\0" : "\1", 1));
    sha256_add(with, it->want->data);
    sha256_finish(with, it->data_hash);
}

static enum rc read_want(struct zk_item *it, const struct zk_dest *d, struct err *e)
{
    struct err why = ERR_INIT;
    enum rc rc = znode_parse(it->item.body, &it->doc, &why);
    if (rc == RC_NOMEM)
        return err_nomem(e);
    if (rc != RC_OK) {
        end(it, SINK_HELD, "invalid", "%.300s", why.msg);
        return RC_OK;
    }
    it->want = znode_of(it->doc);
    hash_data(it, d->sha);
    it->wants_acl = d->acl;
    if (!it->wants_acl)
        return RC_OK;
    if (!it->want->has_acl) { /* recorded while nobody asked for ACLs: the next walk brings it */
        end(it, SINK_WAITING, "acl-unknown", "%s", "the log does not have the node's ACL yet");
        return RC_OK;
    }
    zk_acl_hash(it->want->acl, it->want->n_acl, d->sha, it->acl_hash);
    if (znode_acl_is_masked(it->want->acl, it->want->n_acl))
        zk_item_hold(it, "no-auth",
                     "the source hides a part of the node's ACL from us: give its Database a "
                     "secretName with a user that may administer the node, best a super user");
    return RC_OK;
}

enum rc zk_item_begin(struct zk_item *it, const struct zk_dest *d, const struct sink_item *item,
                      struct err *e)
{
    struct err ignored = ERR_INIT;
    *it = (struct zk_item){.item = *item,
                           .wants = ZK_WANTS_LOOK,
                           .data = BUF_INIT(ZNODE_DATA_MAX * 2),
                           .preimage = BUF_INIT(ZK_RECORD_MAX),
                           .result = {.ticket = item->ticket, .retry_after_ns = -1, .cls = ""}};
    it->has_mine =
        item->record.n > 0 && zk_record_decode(item->record, &it->mine, &ignored) == RC_OK;
    check_path(it, d);
    return it->wants == ZK_WANTS_LOOK && zk_item_is_put(it) ? read_want(it, d, e) : RC_OK;
}

void zk_item_done(struct zk_item *it)
{
    znode_doc_free(it->doc);
    free(it->room);
    buf_done(&it->data);
    buf_done(&it->preimage);
    it->doc = NULL;
    it->room = NULL;
}

/* ---- Deciding ---- */

static bool is_mine(const struct zk_item *it)
{
    return it->has_mine && it->exists && zk_record_is_of(&it->mine, &it->live);
}

/* Our CREATE, whose answer was lost, may have made it, and there is nothing to be written. Somebody else's equal node looks
 * the same, but where our own id's entry is in its ACL. */
static bool is_made_in_doubt(const struct zk_item *it)
{
    return it->doubt && it->exists && it->live.czxid > it->absent_zxid && it->live.version == 0 &&
           it->same_data && (it->same_acl || it->provisional);
}

/* It came to be between a look that missed it and the answer that it was made. */
static bool is_made(const struct zk_item *it)
{
    return it->made_zxid && it->exists && it->live.czxid > it->absent_zxid &&
           it->live.czxid <= it->made_zxid;
}

static void take_as_mine(struct zk_item *it, uint32_t flags)
{
    it->has_mine = true;
    it->mine = (struct zk_record){.flags = flags, .czxid = it->live.czxid, .ctime = it->live.ctime};
}

static bool is_source(const struct zk_item *it)
{
    const struct znode_stat *a = &it->live, *b = &it->want->stat;
    return b->czxid > 0 && a->czxid == b->czxid && a->ctime == b->ctime; /* no copy has both */
}

/* Each part of the node is as it was kept, or as wanted already: a write of ours that was broken off half done. */
static bool is_preserved(const struct zk_item *it)
{
    struct zk_record kept;
    struct err ignored = ERR_INIT;
    return it->item.preimage.n > 0 &&
           zk_record_decode(it->item.preimage, &kept, &ignored) == RC_OK &&
           zk_record_is_of(&kept, &it->live) && (kept.mzxid == it->live.mzxid || it->same_data) &&
           (kept.aversion == it->live.aversion || it->same_acl || it->provisional);
}

static unsigned facts_of_put(const struct zk_item *it)
{
    enum sink_adopt adopt = it->item.policy->adopt;
    bool same = it->same_data && (it->same_acl || it->provisional);
    return ZK_FACT_PUT | (same ? ZK_FACT_SAME : 0) | (is_source(it) ? ZK_FACT_SOURCE : 0) |
           (adopt == ADOPT_NEVER ? ZK_FACT_NEVER : 0) |
           (adopt == ADOPT_ALWAYS ? ZK_FACT_ALWAYS : 0) |
           (is_preserved(it) ? ZK_FACT_PRESERVED : 0);
}

static unsigned facts_of(const struct zk_item *it)
{
    bool mine = is_mine(it);
    return (it->exists ? ZK_FACT_EXISTS : 0) | (mine ? ZK_FACT_OURS : 0) |
           (mine && (it->mine.flags & ZK_RECORD_ADOPTED) ? ZK_FACT_ADOPTED : 0) |
           (it->item.observed ? ZK_FACT_OBSERVED : 0) | (it->item.unsure ? ZK_FACT_UNSURE : 0) |
           (zk_item_is_put(it) ? facts_of_put(it) : 0);
}

void zk_item_compare(const struct zk_item *it, const struct zk_dest *d, struct zk_compared *ret)
{
    uint32_t needed = ZNODE_CREATE | ZNODE_DELETE;
    uint32_t wanted = it->wants_acl ? zk_acl_granted(it->want->acl, it->want->n_acl, &d->me)
                                    : (uint32_t)ZNODE_ALL;
    int64_t missing = (int64_t)it->want->stat.num_children - it->live.num_children;
    *ret = (struct zk_compared){
        .exists = it->exists,
        .same_data = it->same_data,
        .same_acl = it->same_acl,
        .can_write = !it->acl_known || (it->granted & ZNODE_WRITE),
        .within = it->narrows,
        .provisional = it->provisional,
        .has_id = d->me.digest.n > 0,
        .can_set = wanted & ZNODE_WRITE,
        .can_go_on = (wanted & needed) == needed,
        .settled = it->settled,
        .missing = missing > 0 ? missing : 0,
        /* Of the children of a node that we made none is to go; of another's all may be. */
        .to_come = it->created ? (missing > 0 ? missing : 0) : it->want->stat.num_children,
        .gap = znode_sequence(&it->want->stat) - znode_sequence(&it->live),
    };
}

/* Said once of a node, for nothing can be done about it. */
static void note_ahead(struct zk_item *it, const struct zk_dest *d, int64_t gap)
{
    bool before = it->mine.flags & ZK_RECORD_AHEAD;
    it->mine.flags &= ~(uint32_t)ZK_RECORD_AHEAD;
    if (gap >= 0)
        return;
    it->mine.flags |= ZK_RECORD_AHEAD;
    if (!before)
        diag_say_object(
            d->diag, DIAG_WARN,
            "the destination's next sequential number is higher than the source's, and stays so",
            &(struct diag_object){.event = it->item.event, .change = "update"});
}

static void plan(struct zk_item *it, const struct zk_dest *d)
{
    struct zk_compared c;
    zk_item_compare(it, d, &c);
    it->next = zk_decide_next(&c);
    switch (it->next) {
    case ZK_NEXT_WAIT_SEQUENCE:
    case ZK_NEXT_WAIT_ACL:
        it->wants = ZK_WANTS_CHILDREN;
        return;
    case ZK_NEXT_NOTHING:
        note_ahead(it, d, c.gap);
        end(it, SINK_DONE, "", "%s", "");
        return;
    case ZK_NEXT_ALIGN:
        if (zk_decide_align(&c) > ZK_ALIGN_MAX) {
            end(it, SINK_HELD, "sequence-gap",
                "the source's next sequential number is more than %u above the destination's",
                ZK_ALIGN_MAX);
            return;
        }
        break;
    case ZK_NEXT_CREATE:
    case ZK_NEXT_SET_DATA:
    case ZK_NEXT_SET_ACL:
    case ZK_NEXT_SET_PROVISIONAL:
        break;
    }
    it->wants = ZK_WANTS_WRITE;
}

static enum rc preserve(struct zk_item *it, const struct znode *live, struct err *e)
{
    struct buf body = BUF_INIT(ZK_RECORD_BODY_MAX);
    struct err why = ERR_INIT;
    znode_print(live, &body);
    struct zk_record kept = {.flags = ZK_RECORD_PREIMAGE,
                             .czxid = live->stat.czxid,
                             .mzxid = live->stat.mzxid,
                             .version = live->stat.version,
                             .aversion = live->stat.aversion,
                             .sequence = znode_sequence(&live->stat),
                             .ctime = live->stat.ctime,
                             .body = buf_slice(&body)};
    enum rc rc = buf_check(&body, "a znode to be kept", &why);
    if (rc == RC_OK)
        rc = zk_record_encode(&kept, &it->preimage, &why);
    buf_done(&body);
    if (rc == RC_NOMEM)
        return err_nomem(e);
    if (rc == RC_OK)
        it->result.preimage = buf_slice(&it->preimage);
    else
        zk_item_hold(it, "too-large", why.msg);
    return RC_OK;
}

/* acl is the destination's node's, where it was read now. */
static enum rc decide(struct zk_item *it, const struct zk_dest *d, const struct zk_result *acl,
                      struct err *e)
{
    if (zk_item_is_put(it) && is_made_in_doubt(it))
        take_as_mine(it, it->provisional ? 0 : ZK_RECORD_ADOPTED);
    const struct zk_claim *c = zk_decide_claim(facts_of(it));
    const struct znode live = {.data = buf_slice(&it->data),
                               .null_data = it->null_data,
                               .has_acl = acl != NULL,
                               .acl = acl ? acl->acl : NULL,
                               .n_acl = acl ? acl->n_acl : 0,
                               .stat = it->live};
    it->result.reason[0] = '\0';
    switch (c->what) {
    case ZK_CLAIM_ADOPT:
        take_as_mine(it, ZK_RECORD_ADOPTED);
        plan(it, d);
        return RC_OK;
    case ZK_CLAIM_WRITE:
        plan(it, d);
        return RC_OK;
    case ZK_CLAIM_DELETE:
        it->wants = ZK_WANTS_WRITE;
        return RC_OK;
    case ZK_CLAIM_FORGET:
        it->forget = true;
        break;
    case ZK_CLAIM_STOP:
        it->wants = ZK_WANTS_STOP;
        return RC_OK;
    case ZK_CLAIM_END:
    case ZK_CLAIM_PRESERVE:
        break;
    }
    end(it, c->outcome, c->cls, "%s", c->reason);
    return c->what == ZK_CLAIM_PRESERVE ? preserve(it, &live, e) : RC_OK;
}

enum rc zk_item_expect_absent(struct zk_item *it, const struct zk_dest *d, int64_t zxid,
                              struct err *e)
{
    if (it->wants != ZK_WANTS_LOOK || !zk_item_is_put(it) || it->has_mine || it->item.unsure)
        return RC_OK;
    it->seen = true;
    it->absent_zxid = zxid;
    return decide(it, d, NULL, e);
}

/* ---- Looking ---- */

void zk_item_look(const struct zk_item *it, struct zk_call *ret)
{
    *ret = (struct zk_call){.op = it->wants == ZK_WANTS_ACL ? ZK_GET_ACL
                                  : it->blind               ? ZK_EXISTS
                                                            : ZK_GET_DATA,
                            .path = zk_item_path(it)};
}

/* The record says that the node had the wanted ACL at this aversion. */
static bool is_acl_proven(const struct zk_item *it)
{
    return is_mine(it) && it->mine.aversion == it->live.aversion &&
           memcmp(it->mine.acl_hash, it->acl_hash, ZK_HASH_SIZE) == 0;
}

/* The same of its data. */
static bool is_data_proven(const struct zk_item *it)
{
    return is_mine(it) && it->mine.mzxid == it->live.mzxid &&
           it->mine.version == it->live.version &&
           memcmp(it->mine.data_hash, it->data_hash, ZK_HASH_SIZE) == 0;
}

/* What is not ours is kept for a pre-image, until it is clear whether one is needed. */
static enum rc keep_data(struct zk_item *it, const struct zk_result *r, struct err *e)
{
    buf_reset(&it->data);
    it->null_data = r->null_data;
    if (is_mine(it) || it->item.policy->adopt != ADOPT_ALWAYS)
        return RC_OK;
    buf_add_slice(&it->data, r->data);
    return buf_check(&it->data, "a znode's data", e);
}

static enum rc saw_of_put(struct zk_item *it, const struct zk_dest *d, const struct zk_result *r,
                          struct err *e)
{
    const struct znode live = {.data = r->data, .null_data = r->null_data};
    bool made = is_made(it), as_made = made && it->live.aversion == 0;
    bool proven = (made && it->live.version == 0) || is_data_proven(it);
    if (made)
        take_as_mine(it, 0);
    if (it->blind && it->exists && !is_mine(it)) {
        zk_item_refused(it, ZK_NO_AUTH, false);
        return RC_OK;
    }
    it->made_zxid = 0;
    it->same_data = it->exists && (it->blind ? proven : znode_same_data(&live, it->want));
    it->same_acl = !it->wants_acl || (as_made ? !it->provisional : is_acl_proven(it));
    it->provisional = as_made && it->provisional;
    it->acl_known = false;
    enum rc rc = it->exists ? keep_data(it, r, e) : RC_OK;
    if (rc != RC_OK)
        return rc;
    if (it->exists && !it->same_acl && !as_made) {
        it->wants = ZK_WANTS_ACL;
        return RC_OK;
    }
    return decide(it, d, NULL, e);
}

enum rc zk_item_saw(struct zk_item *it, const struct zk_dest *d, const struct zk_result *r,
                    int64_t zxid, struct err *e)
{
    if (r->error == ZK_NO_AUTH && !it->blind) {
        it->blind = true; /* anybody may ask for the stat */
        return RC_OK;
    }
    if (r->error != ZK_OK && r->error != ZK_NO_NODE) {
        zk_item_refused(it, r->error, false);
        return RC_OK;
    }
    it->seen = true;
    it->exists = r->error == ZK_OK;
    it->live = it->exists ? r->stat : (struct znode_stat){0};
    if (!it->exists)
        it->absent_zxid = zxid;
    return zk_item_is_put(it) ? saw_of_put(it, d, r, e) : decide(it, d, NULL, e);
}

enum rc zk_item_saw_acl(struct zk_item *it, const struct zk_dest *d, const struct zk_result *r,
                        struct err *e)
{
    if (r->error != ZK_OK) {
        zk_item_refused(it, r->error, false);
        return RC_OK;
    }
    const struct znode live = {.has_acl = true, .acl = r->acl, .n_acl = r->n_acl};
    it->live.aversion = r->stat.aversion;
    it->acl_known = true;
    it->granted = zk_acl_granted(r->acl, r->n_acl, &d->me);
    it->same_acl = znode_same_acl(&live, it->want);
    it->narrows = zk_acl_is_within(it->want, &live);
    it->provisional = !it->same_acl && zk_acl_is_provisional(&live, it->want, &d->me);
    return decide(it, d, r, e);
}

/* ---- Writing ---- */

/* A server before 3.9 does not tell the stat of what a multi made. Where nothing else happened since the answer before,
 * the multi is the change of this zxid, and has made the node with it: all of its stat but the time is known. Below "/"
 * the time is needed, for no root node tells there that it is another ensemble. */
static bool find_stat(const struct zk_item *it, const struct zk_dest *d, const struct zk_result *r,
                      int64_t zxid, struct znode_stat *ret)
{
    *ret = r->stat;
    if (ret->czxid == 0 && d->root.n > 1 && d->before_zxid > 0 && zxid == d->before_zxid + 1)
        *ret = (struct znode_stat){
            .czxid = zxid, .mzxid = zxid, .pzxid = zxid, .data_length = (int32_t)it->want->data.n};
    return ret->czxid != 0;
}

/* Which node it is shows a look, if nothing else does. */
static void created(struct zk_item *it, const struct zk_dest *d, const struct zk_result *r,
                    int64_t zxid)
{
    struct znode_stat stat;
    it->created = true;
    if (!find_stat(it, d, r, zxid, &stat)) {
        it->made_zxid = zxid;
        it->seen = false;
        it->wants = ZK_WANTS_LOOK;
        return;
    }
    it->exists = it->seen = true;
    it->live = stat;
    it->same_data = true;
    it->same_acl = !it->provisional;
    take_as_mine(it, 0);
}

/* Somebody else wrote the node's other part since it was seen, or made the node anew: what that is shows a look. */
static bool is_meddled(const struct zk_item *it, const struct znode_stat *now)
{
    bool data = it->next == ZK_NEXT_SET_DATA;
    bool acl = it->next == ZK_NEXT_SET_ACL || it->next == ZK_NEXT_SET_PROVISIONAL;
    return (acl || data) &&
           (now->czxid != it->live.czxid ||
            (data ? now->aversion != it->live.aversion : now->version != it->live.version));
}

static void wrote_put(struct zk_item *it, const struct zk_dest *d, const struct zk_result *r,
                      size_t n, int64_t zxid)
{
    if (is_meddled(it, &r[n - 1].stat)) {
        it->seen = false;
        it->wants = ZK_WANTS_LOOK;
        return;
    }
    switch (it->next) {
    case ZK_NEXT_CREATE:
        created(it, d, &r[n - 1], zxid);
        if (it->made_zxid)
            return;
        break;
    case ZK_NEXT_SET_DATA:
        it->live = r[n - 1].stat;
        it->same_data = it->has_new_data = true;
        break;
    case ZK_NEXT_SET_ACL:
        it->live = r[n - 1].stat;
        it->same_acl = true;
        it->provisional = it->acl_known = false;
        break;
    case ZK_NEXT_SET_PROVISIONAL:
        it->live = r[n - 1].stat;
        it->provisional = it->narrows = true;
        it->acl_known = false; /* it lets us do everything */
        break;
    case ZK_NEXT_ALIGN:
        it->live.cversion += (int32_t)n;
        break;
    case ZK_NEXT_WAIT_SEQUENCE:
    case ZK_NEXT_WAIT_ACL:
    case ZK_NEXT_NOTHING:
        break; /* no writes */
    }
    plan(it, d);
}

void zk_item_wrote(struct zk_item *it, const struct zk_dest *d, const struct zk_result *r, size_t n,
                   int64_t zxid)
{
    it->wrote = true;
    it->unserved = 0;
    it->doubt = false;
    if (zk_item_is_put(it)) {
        wrote_put(it, d, r, n, zxid);
        return;
    }
    it->forget = true;
    end(it, SINK_DONE, "", "%s", "");
}

static const char *doing(const struct zk_item *it)
{
    static const char *const of_put[] = {
        [ZK_NEXT_CREATE] = "creating it",
        [ZK_NEXT_SET_DATA] = "setting its data",
        [ZK_NEXT_SET_ACL] = "setting its ACL",
        [ZK_NEXT_SET_PROVISIONAL] = "setting its ACL with our own entry",
        [ZK_NEXT_ALIGN] = "raising its next sequential number",
    };
    if (it->wants != ZK_WANTS_WRITE)
        return it->wants == ZK_WANTS_ACL ? "reading its ACL" : "reading it";
    return zk_item_is_put(it) ? of_put[it->next] : "deleting it";
}

static void refuse(struct zk_item *it, enum sink_outcome outcome, const struct zk_refusal *r,
                   int error)
{
    const char *what = doing(it);
    end(it, outcome, r->cls, "%s: %s (%s, %d)", what, r->reason, zk_error_name(error), error);
}

static void wait_for_parent(struct zk_item *it, const struct zk_refusal *r, int error)
{
    refuse(it, SINK_WAITING, r, error);
    it->result.dependency = znode_parent(zk_item_path(it));
}

void zk_item_refused(struct zk_item *it, int error, bool pending)
{
    bool making = it->wants == ZK_WANTS_WRITE && zk_item_is_put(it) && it->next == ZK_NEXT_CREATE;
    const struct zk_refusal *r = zk_decide_refusal(error, making);
    it->seen = false;
    switch (r->remedy) {
    case ZK_REMEDY_LOOK:
        if (++it->conflicts < ZK_ITEM_CONFLICTS)
            it->wants = ZK_WANTS_LOOK;
        else
            refuse(it, SINK_HELD, r, error);
        return;
    case ZK_REMEDY_PARENT:
        if (pending)
            it->wants = ZK_WANTS_PAUSE;
        else
            wait_for_parent(it, r, error);
        return;
    case ZK_REMEDY_CHILDREN:
        it->seen = true;
        it->wants = ZK_WANTS_CHILDREN;
        return;
    case ZK_REMEDY_REFUSED:
        refuse(it, SINK_HELD, r, error);
        return;
    case ZK_REMEDY_LATER:
        if (++it->unserved < ZK_ITEM_PATIENCE)
            it->wants = ZK_WANTS_PAUSE;
        else
            refuse(it, SINK_HELD, r, error);
        return;
    }
}

void zk_item_lost(struct zk_item *it)
{
    bool writing = it->wants == ZK_WANTS_WRITE;
    it->wrote = it->wrote || writing;
    it->doubt = it->doubt || (writing && zk_item_is_put(it) && it->next == ZK_NEXT_CREATE);
    it->seen = false;
    it->wants = ZK_WANTS_LOOK;
}

/* ---- Children ---- */

static bool is_aligning(const struct zk_item *it)
{
    return it->wants == ZK_WANTS_WRITE && zk_item_is_put(it) && it->next == ZK_NEXT_ALIGN;
}

void zk_item_child(struct zk_item *it, const struct zk_dest *d, bool made, bool sent)
{
    if (!it->seen || !it->exists)
        return;
    it->live.cversion++;
    it->live.num_children += made ? 1 : -1;
    if (it->wants != ZK_WANTS_CHILDREN && (sent || !is_aligning(it)))
        return;
    if (zk_item_is_put(it))
        plan(it, d);
    else if (it->live.num_children <= 0) {
        it->seen = false; /* it may have become somebody else's while it waited */
        it->wants = ZK_WANTS_LOOK;
    }
}

void zk_item_settle(struct zk_item *it)
{
    it->settled = true;
    it->seen = false;
    it->wants = ZK_WANTS_LOOK;
}

void zk_item_stop_waiting(struct zk_item *it)
{
    const struct zk_refusal *full = zk_decide_refusal(ZK_NOT_EMPTY, false);
    if (!zk_item_is_put(it))
        zk_item_hold(it, full->cls, full->reason);
    else if (it->next == ZK_NEXT_WAIT_ACL)
        end(it, SINK_WAITING, "acl-last",
            "the node's ACL would keep us from making its children; it is set after them");
    else
        end(it, SINK_WAITING, "sequence-last",
            "the node's next sequential number is raised once its children have come");
}

/* ---- The result ---- */

enum rc zk_item_result(struct zk_item *it, struct buf *record, struct sink_result *ret,
                       struct err *e)
{
    enum rc rc = RC_OK;
    buf_reset(record);
    if (zk_item_is_put(it) && is_mine(it)) {
        struct zk_record r = it->mine;
        r.ctime = it->live.ctime;
        r.mzxid = it->live.mzxid;
        r.version = it->live.version;
        r.aversion = it->live.aversion;
        r.sequence = znode_sequence(&it->want->stat);
        memset(r.acl_hash, 0, sizeof r.acl_hash);
        memset(r.data_hash, 0, sizeof r.data_hash);
        if (it->same_data)
            memcpy(r.data_hash, it->data_hash, sizeof r.data_hash);
        if (it->wants_acl && it->same_acl)
            memcpy(r.acl_hash, it->acl_hash, sizeof r.acl_hash);
        rc = zk_record_encode(&r, record, e);
        it->result.record_changed = rc == RC_OK && !slice_eq(buf_slice(record), it->item.record);
    }
    if (it->forget)
        it->result.record_changed = it->item.record.n > 0;
    it->result.record = it->result.record_changed ? buf_slice(record) : SLICE_NULL;
    it->result.wrote = it->wrote;
    *ret = it->result;
    return rc;
}
