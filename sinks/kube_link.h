/* Whether the destination answers, and which cluster it is: nothing is written before its identity is known, and
 * after every silence it is asked again, so that another cluster behind the same address is never written to. */
#ifndef RESILOG_SINKS_KUBE_LINK_H
#define RESILOG_SINKS_KUBE_LINK_H

#include "core/backoff.h"
#include "core/buf.h"
#include "io/http.h"
#include "io/kube_identity.h"

struct env;
struct kube_verdict;

struct kube_link {
    struct slice source;      /* identity of the source; borrowed */
    struct kube_identity who; /* the destination: who.known, once met */
    bool met, up, fatal;
    char error[320]; /* why not up */
    int64_t not_before;
    struct backoff backoff;
};

/* Not up, to be asked at once; ca_pem and ns as in kube_identity_init. Errors: LIMIT, NOMEM; kube_link_done is due
 * even then. */
MUST_CHECK enum rc kube_link_init(struct kube_link *l, struct slice source, const char *ca_pem,
                                  const char *ns, struct err *e);
/* Frees what it holds. */
void kube_link_done(struct kube_link *l);
/* Asks, if that is due. RC_OK: a request went out; RC_AGAIN: nothing to do before *ret_wake_ns. Errors: NOMEM. */
MUST_CHECK enum rc kube_link_step(struct kube_link *l, struct http *h, const struct env *env,
                                  int64_t *ret_wake_ns, struct err *e);
/* True of an answer to it. */
bool kube_link_asked(const struct kube_link *l, const struct http_event *ev);
/* That answer. Errors: NOMEM, those of http_start; then it is asked again. */
MUST_CHECK enum rc kube_link_answer(struct kube_link *l, struct http *h,
                                    const struct http_event *ev, const struct env *env,
                                    struct err *e);
/* A request got no answer, or a 401: what it was is asked before anything else is sent. */
void kube_link_lost(struct kube_link *l, const struct kube_verdict *v, const struct env *env);
/* It answers, but badly: it is asked at once, and nothing else is sent before it has told who it is. */
void kube_link_doubt(struct kube_link *l);

#endif
