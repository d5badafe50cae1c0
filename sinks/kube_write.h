/* One item on its way into the destination: which request comes next, and what an answer to it means. Does no work
 * over time itself: kube_sink.c sends the requests and waits. */
#ifndef RESILOG_SINKS_KUBE_WRITE_H
#define RESILOG_SINKS_KUBE_WRITE_H

#include "core/err.h"
#include "core/scope.h"
#include "core/slice.h"
#include "io/kube_error.h"
#include "sinks/kube_mark.h"

#include <stddef.h>

struct compressor;
struct diag;
struct http_request;
struct kube_gvr;
struct kube_write;
struct sink_item;
struct sink_result;

#define KUBE_WRITE_CONFLICTS 5 /* tries against somebody who writes at the same time */

/* What all writes of a sink share; borrowed for their lives. */
struct kube_dest {
    struct kube_writer me;
    struct slice source; /* identity of the source cluster */
    const struct slice *selected;
    size_t n_selected;
    struct compressor *compressor;
    struct diag *diag;
};

struct kube_answer {
    int status; /* 0: none came */
    struct slice body;
    struct kube_verdict verdict;
    bool maybe_done; /* no answer came, and the server may have acted */
};

/* Decides as far as that goes without asking. item is copied, its slices are borrowed. Errors: NOMEM. */
MUST_CHECK enum rc kube_write_new(const struct kube_dest *dest, const struct sink_item *item,
                                  struct kube_write **ret, struct err *e);
void kube_write_free(struct kube_write *w);
DEFINE_FREEP(struct kube_write, kube_write_free)

/* The kind's place in kube_rules: the lower first, where there is a choice. */
unsigned kube_write_order(const struct kube_write *w);
/* The result, once there is one, else NULL; its slices live as long as w. */
const struct sink_result *kube_write_result(const struct kube_write *w);
/* The next request (while there is no result); its slices live until the next call. RC_END: the item cannot even
 * be asked for, there is a result now. Errors: NOMEM. */
MUST_CHECK enum rc kube_write_request(struct kube_write *w, struct http_request *ret,
                                      struct err *e);
/* Of a delete that is about to wait because its kind is not served: the kind, for somebody to ask discovery whether any
 * version of it is; else NULL. */
const struct kube_gvr *kube_write_kind_in_doubt(const struct kube_write *w);
/* Discovery was complete and has no version of that kind: so the object is gone, and the delete is done. */
void kube_write_kind_gone(struct kube_write *w);
/* Ends the write as held: the destination answers others, and again and again not this one. */
void kube_write_give_up(struct kube_write *w, const struct kube_answer *a);
/* Takes the answer. RC_OK: went on; RC_AGAIN: nobody decided, kube_write_request gives what to send after a pause
 * (after a write whose fate is unknown that is a look). Errors: NOMEM; the same answer may be given again. */
MUST_CHECK enum rc kube_write_answer(struct kube_write *w, const struct kube_answer *a,
                                     struct err *e);

#endif
