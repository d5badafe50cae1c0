/* A scope's watch, frame by frame. Each frame moves the version to go on from; when the stream ends,
 * the next one goes on behind the last whole frame. One thread. */
#include "producers/kube_scope_priv.h"

#include "core/json.h"
#include "io/kube_error.h"
#include "io/kube_frame.h"

static bool is_crd(const struct kube_scope *s)
{
    return slice_eq(s->gvr.resource, SLICE("customresourcedefinitions"));
}

static enum rc take_frame(struct kube_scope *s, enum kube_watch_type type, struct slice object,
                          struct err *e)
{
    struct kube_verdict v;
    AUTO(json_freep) struct json_doc *doc = NULL;
    enum rc rc;
    switch (type) {
    case KUBE_ADDED:
    case KUBE_MODIFIED:
        s->world->kinds_changed = s->world->kinds_changed || is_crd(s);
        return kube_scope_queue_object(s, object, EVENT_PUT, CAUSE_WATCH, e);
    case KUBE_DELETED:
        return kube_scope_queue_object(s, object, EVENT_DELETE, CAUSE_WATCH, e);
    case KUBE_ERROR:
        kube_judge_status(object, &v);
        return kube_scope_judge(s, &v, e);
    case KUBE_BOOKMARK:
        break;
    }
    rc = json_parse_view(object, &doc, e);
    struct slice version = SLICE_NULL;
    if (rc == RC_OK)
        version = json_get_text(doc, json_get(json_root(doc), "metadata"), "resourceVersion");
    if (rc < 0 || version.n == 0)
        return rc < 0 ? rc : err_set(e, RC_CORRUPT, ERR_RESYNC, "bookmark without a version");
    buf_reset(&s->version);
    buf_add_slice(&s->version, version);
    rc = buf_check(&s->version, "resourceVersion", e);
    return rc < 0 ? rc
                  : kube_scope_queue_own(s, EVENT_POSITION, "@position/", buf_slice(&s->version),
                                         SLICE_NULL, e);
}

enum rc kube_scope_read_frames(struct kube_scope *s, struct err *e)
{
    while (s->activity == WATCHING) {
        enum kube_watch_type type;
        struct slice object;
        struct err why = ERR_INIT;
        enum rc rc = kube_watch_next(s->watch, &type, &object, &why);
        if (rc > 0)
            return RC_OK;
        if (rc == RC_OK) {
            s->frames += type != KUBE_ERROR;
            rc = take_frame(s, type, object, &why);
        }
        if (rc == RC_NOMEM)
            return err_nomem(e);
        if (rc < 0)
            return kube_scope_lost_frame(s, &why, e);
    }
    return RC_OK;
}

void kube_scope_end_watch(struct kube_scope *s)
{
    bool useful = kube_scope_watch_was_useful(s);
    kube_scope_stop(s);
    s->phase = PRODUCER_FOLLOWING; /* it goes on at once from the same version */
    if (useful)
        backoff_reset(&s->backoff);
    else
        kube_scope_wait(s, &s->backoff, 0);
}
