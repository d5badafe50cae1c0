/* Credentials for an API server: a kubeconfig's text, or those of the pod we run in. */
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

/* Reads the current context: server, certificate-authority-data, insecure-skip-tls-verify,
 * tls-server-name, disable-compression, token, client-certificate-data, client-key-data. A server that
 * need not prove who it is (insecure-skip-tls-verify, http:// to another machine) is refused unless
 * allow_insecure. What
 * would need a file or a program (certificate-authority, client-certificate, client-key, tokenFile,
 * exec, auth-provider), user name and password, proxy-url and impersonation are refused with their
 * place and what to use instead. `file` is named in messages; they hold no credential. Errors:
 * INVALID, LIMIT, NOMEM. */
MUST_CHECK enum rc kube_config_parse(struct slice text, const char *file, bool allow_insecure,
                                     struct kube_config *ret, struct err *e);
/* The service account of the pod: KUBERNETES_SERVICE_HOST and _PORT as given, token and ca.crt
 * below dir. Errors: NOTFOUND, IO, INVALID. */
MUST_CHECK enum rc kube_config_in_cluster(const char *host, const char *port, const char *dir,
                                          struct kube_config *ret, struct err *e);
void kube_config_done(struct kube_config *c);

#endif
