/* Credentials for an API server: what a kubeconfig says. */
#ifndef RESILOG_IO_KUBE_CONFIG_H
#define RESILOG_IO_KUBE_CONFIG_H

#include "core/err.h"
#include "core/slice.h"
#include "io/http.h"

/* Owns all its text. */
struct kube_config {
    struct http_target target;
    char *ns; /* the context's namespace, NULL if it names none */
};

/* Where a kubeconfig comes from, and what it may ask for. */
struct kube_config_opts {
    const char *file; /* named in messages; relative paths begin in its folder */
    /* Inline data only: whoever may write a Secret shall not make us read files of this machine, connect elsewhere or
     * be somebody else. */
    bool from_secret;
    /* A server that need not prove who it is: insecure-skip-tls-verify, and http:// to another machine. */
    bool allow_insecure;
    bool allow_exec; /* to run a program that gives credentials */
};

/* Reads the current context. Files that it names are read, and must be there. A server that need not prove who it is
 * is refused unless allowed, and so is exec. auth-provider, user name and password are refused always. Every refusal
 * names place and field and what to use instead; messages hold no credential. Errors: INVALID, LIMIT, NOMEM. */
MUST_CHECK enum rc kube_config_parse(struct slice text, const struct kube_config_opts *opts,
                                     struct kube_config *ret, struct err *e);
void kube_config_done(struct kube_config *c);

#endif
