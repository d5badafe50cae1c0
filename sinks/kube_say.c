/* Lines of diagnostics about the object of a write. Keeps nothing. */
#include "sinks/kube_say.h"

#include "core/event.h"

static const char *change_of(const struct kube_write *w, enum kube_next asked)
{
    switch (asked) {
    case KUBE_DO_POST:
    case KUBE_DO_NAMESPACE:
        return "create";
    case KUBE_DO_PUT:
    case KUBE_DO_TAKE_OVER:
    case KUBE_DO_APPLY:
        return "update";
    case KUBE_DO_DELETE:
        return "delete";
    case KUBE_DO_GET:
    case KUBE_DO_SERVICE:
    case KUBE_DO_NOTHING:
        break;
    }
    return w->item.op == SINK_DELETE ? "delete" : w->has_old ? "update" : "create";
}

void kube_say(const struct kube_write *w, enum diag_level level, const char *msg,
              enum kube_next asked, const char *why)
{
    if (!diag_says(w->dest->diag, level))
        return;
    AUTO(buf_done) struct buf name = BUF_INIT(KEY_MAX);
    struct event copy = {.key = w->item.event->key,
                         .api_version = w->item.event->api_version,
                         .uid = buf_slice(&w->live_uid),
                         .version = buf_slice(&w->live_version)};
    if (asked == KUBE_DO_NAMESPACE) {
        key_print(&(struct key){.resource = SLICE("namespaces"), .name = w->key.ns}, &name);
        copy = (struct event){.key = buf_slice(&name), .api_version = SLICE("v1")};
    }
    const char *change = change_of(w, asked);
    AUTO(freep) struct event *before = NULL;
    if (w->item.before && strcmp(change, "update") == 0)
        before = w->item.before(w->item.before_arg, w->item.event);
    const struct diag_field cls = DIAG_S("class", slice_str(w->result.cls));
    diag_say_object(w->dest->diag, level, msg,
                    &(struct diag_object){.event = w->item.event,
                                          .before = before,
                                          .copy = &copy,
                                          .body = w->item.body,
                                          .change = change,
                                          .error = why,
                                          .more = &cls,
                                          .n_more = why ? 1 : 0});
}
