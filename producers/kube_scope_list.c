/* A scope's listing: pages of one snapshot, item by item as they arrive, between SYNC_BEGIN and
 * SYNC_END. One that breaks off is discarded and begins anew; it never ends. One thread. */
#include "producers/kube_scope_priv.h"

#include "io/kube_frame.h"

/* Decimal versions are compared by length, then digits; others say nothing. */
static bool version_before(struct slice a, struct slice b)
{
    for (size_t i = 0; i < a.n + b.n; i++) {
        char c = i < a.n ? a.p[i] : b.p[i - a.n];
        if (c < '0' || c > '9')
            return false;
    }
    return a.n != b.n ? a.n < b.n : slice_cmp(a, b) < 0;
}

enum rc kube_scope_begin_listing(struct kube_scope *s, struct err *e)
{
    s->phase = PRODUCER_LISTING;
    if (s->begun)
        return RC_OK;
    s->begun = true;
    return kube_scope_queue_own(s, EVENT_SYNC_BEGIN, "@sync/", SLICE_NULL, SLICE_NULL, e);
}

enum rc kube_scope_read_items(struct kube_scope *s, struct err *e)
{
    enum event_cause cause = s->ever_listed ? CAUSE_RESYNC : CAUSE_LIST;
    for (;;) {
        struct slice item;
        struct err why = ERR_INIT;
        enum rc rc = kube_list_next(s->list, &item, &why);
        if (rc > 0)
            return RC_OK;
        if (rc == RC_OK && !s->looking)
            rc = kube_scope_queue_object(s, item, EVENT_PUT, cause, &why);
        if (rc == RC_NOMEM)
            return err_nomem(e);
        if (rc < 0)
            return kube_scope_judge_failure(s, &why, e);
    }
}

/* The source stands at that version: false if it is older than what we have of it. */
static bool vet(struct kube_scope *s, struct slice version)
{
    if (s->version.n && version_before(version, buf_slice(&s->version))) {
        s->world->regressed = true;
        return false;
    }
    s->vetted = s->asked; /* an answer from before a loss says nothing of who answers since */
    return true;
}

/* The last page came: the listing is complete, unless the versions went backwards. */
static enum rc complete_listing(struct kube_scope *s, struct slice version, struct err *e)
{
    if (!vet(s, version))
        return RC_OK;
    enum rc rc = kube_scope_queue_own(s, EVENT_SYNC_END, "@sync/", version, SLICE_NULL, e);
    if (rc < 0)
        return rc;
    kube_scope_say(s, DIAG_DEBUG, "listed objects in cluster", NULL);
    buf_reset(&s->version);
    buf_add_slice(&s->version, version);
    kube_scope_leave_listing(s);
    s->page = s->page < PAGE_DEFAULT / 2 ? s->page * 2 : PAGE_DEFAULT;
    s->needs_list = false;
    s->ever_listed = true;
    s->error[0] = '\0';
    backoff_reset(&s->denied);
    return buf_check(&s->version, "resourceVersion", e);
}

enum rc kube_scope_end_page(struct kube_scope *s, struct err *e)
{
    struct slice item;
    struct err why = ERR_INIT;
    if (kube_list_next(s->list, &item, &why) != RC_END) {
        err_set(&why, RC_CORRUPT, ERR_RETRY, "the list ended before its closing brace");
        return kube_scope_judge_failure(s, &why, e);
    }
    AUTO(buf_done) struct buf version = BUF_INIT(SCOPE_TEXT_MAX);
    buf_add_slice(&version, kube_list_version(s->list));
    bool repeated = s->cont.n && slice_eq(buf_slice(&s->cont), kube_list_continue(s->list));
    buf_reset(&s->cont);
    buf_add_slice(&s->cont, kube_list_continue(s->list));
    enum rc rc = buf_check(&s->cont, "continue token", &why);
    if (rc == RC_OK && repeated) /* each page would be this one, without end */
        rc = err_set(&why, RC_CORRUPT, ERR_RETRY, "the list goes on with the token of its page");
    if (rc == RC_OK)
        rc = buf_check(&version, "resourceVersion", &why);
    if (rc == RC_OK && version.n == 0)
        rc = err_set(&why, RC_CORRUPT, ERR_RETRY, "the list has no resourceVersion");
    if (rc == RC_NOMEM)
        return err_nomem(e);
    if (rc < 0)
        return kube_scope_judge_failure(s, &why, e);
    bool looked = s->looking;
    kube_scope_stop(s);
    if (looked) {
        kube_scope_leave_listing(s);
        (void)vet(s, buf_slice(&version));
        return RC_OK;
    }
    return s->cont.n ? RC_OK : complete_listing(s, buf_slice(&version), e);
}
