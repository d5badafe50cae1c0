/* Which cluster answers: one question, asked in the same manner of source and destination.
 *
 * The identity is the uid of the namespace kube-system. Where the credentials may not read that one, or there is
 * none, it is "ca-sha256:<fingerprint>/<namespace>/<uid>": the SHA-256 of the cluster's CA certificate (what
 * `openssl x509 -noout -fingerprint -sha256` prints, in lower case without colons) and a namespace that they may
 * read: `default`, else that of the kubeconfig's context. A uid holds no colon, so the two kinds never meet.
 *
 * An identity is for ever. So the second kind is taken only when kube-system is refused again after the other
 * namespace was read (an API server that has just started refuses everything for a moment), and an identity that
 * is known already is asked for in its own kind alone: permissions that come or go change no identity. */
#ifndef RESILOG_IO_KUBE_IDENTITY_H
#define RESILOG_IO_KUBE_IDENTITY_H

#include "core/buf.h"
#include "core/digest.h"
#include "core/err.h"
#include "core/slice.h"
#include "io/http.h"

struct kube_verdict;

#define KUBE_IDENTITY_MAX    320
#define KUBE_IDENTITY_PLACES 3

struct kube_identity {
    struct buf known;                          /* the one it must be; empty: any */
    struct buf found;                          /* the answer */
    char fingerprint[SHA256_HEX_SIZE + 1];     /* of the CA; empty: none that can be read */
    struct buf context_ns;                     /* may be empty */
    struct slice places[KUBE_IDENTITY_PLACES]; /* the namespaces to ask, in this order */
    size_t n_places, at;
    bool confirming; /* `found` is of the second kind, and kube-system is asked once more */
    http_id asking;  /* 0: not */
};

/* Both may be NULL: the authority's PEM text, of which the first certificate counts, and the namespace of the
 * kubeconfig's context. Copies. Errors: LIMIT, NOMEM; kube_identity_done is due even then. */
MUST_CHECK enum rc kube_identity_init(struct kube_identity *i, const char *ca_pem, const char *ns,
                                      struct err *e);
void kube_identity_done(struct kube_identity *i);
/* From now on only the kind (and the namespace) of this identity is asked. Whether the answer is equal is the
 * caller's to judge. Errors: LIMIT, NOMEM. */
MUST_CHECK enum rc kube_identity_expect(struct kube_identity *i, struct slice identity,
                                        struct err *e);
/* True of an identity of the second kind. */
bool kube_identity_is_by_ca(struct slice identity);
/* Begins to ask. Errors: those of http_start, NOMEM. */
MUST_CHECK enum rc kube_identity_ask(struct kube_identity *i, struct http *h, struct err *e);
/* The answer to the request `asking` (its DONE). RC_OK: *ret tells how it ended, and with KUBE_OK `found` holds
 * the identity until it is asked again; RC_AGAIN: the next namespace is asked. Errors: NOMEM, those of
 * http_start; then it is not asking. */
MUST_CHECK enum rc kube_identity_answer(struct kube_identity *i, struct http *h,
                                        const struct http_event *ev, struct kube_verdict *ret,
                                        struct err *e);

#endif
