/* What a program that gives credentials is told and answers: ExecCredential of client.authentication.k8s.io. Pure. */
#ifndef RESILOG_IO_EXEC_CREDENTIAL_H
#define RESILOG_IO_EXEC_CREDENTIAL_H

#include "core/err.h"
#include "core/slice.h"

#include <stdbool.h>
#include <stdint.h>

/* True for the versions that are spoken: .../v1 and .../v1beta1. */
bool exec_credential_version_ok(struct slice api_version);
#define EXEC_CREDENTIAL_VERSIONS                                                                   \
    "client.authentication.k8s.io/v1 and client.authentication.k8s.io/v1beta1"

/* Gives "KUBERNETES_EXEC_INFO={...}", the program's environment. NULL when out of memory. */
char *exec_credential_info(const char *api_version);

struct exec_credential {
    char *token, *cert, *key; /* owned; NULL: none */
    int64_t expires_wall_ns;  /* INT64_MAX: not known */
};
/* Reads the answer in that version. Errors: INVALID, whose text goes on after "the program" and tells nothing of the
 * answer's values; NOMEM. */
MUST_CHECK enum rc exec_credential_parse(struct slice output, const char *api_version,
                                         struct exec_credential *ret, struct err *e);
void exec_credential_done(struct exec_credential *c); /* overwrites first */

#endif
