/* Reading the members of a kubeconfig: shared by io/kube_config*.c, for nobody else. */
#ifndef RESILOG_IO_KUBE_CONFIG_PRIV_H
#define RESILOG_IO_KUBE_CONFIG_PRIV_H

#include "core/json.h"
#include "io/kube_config.h"

#include <limits.h>

#define KUBE_CONFIG_MAX (1 << 20)

/* The kubeconfig being read. */
struct kube_config_source {
    const struct kube_config_opts *opts;
    struct json_doc *doc;
};

enum kube_field_use {
    FIELD_ANY,
    FIELD_FILE, /* not from a Secret */
    FIELD_NEVER
};
struct kube_field {
    const char *name;
    enum kube_field_use use;
    const char *instead; /* where it is refused: what to use in its place */
};

/* Gives INVALID: "file:line:column: ...", the place of `at`. */
enum rc kube_config_refuse(const struct kube_config_source *s, const struct json *at, struct err *e,
                           const char *fmt, ...) __attribute__((format(printf, 4, 5)));
/* True for what is as good as absent: null, "", [] and {}. */
bool kube_config_blank(const struct json *n);
/* Refuses members that fields does not allow and that are not blank; where names obj in messages. */
MUST_CHECK enum rc kube_config_fields(const struct kube_config_source *s, const struct json *obj,
                                      const char *where, const struct kube_field *fields,
                                      struct err *e);

/* Each reads obj[name]; *ret, which is owned, stays as it is where that is absent. Errors: INVALID, LIMIT, NOMEM. */
MUST_CHECK enum rc kube_config_text(const struct kube_config_source *s, const struct json *obj,
                                    const char *name, const char **ret, struct err *e);
MUST_CHECK enum rc kube_config_flag(const struct kube_config_source *s, const struct json *obj,
                                    const char *name, bool *ret, struct err *e);
/* PEM: of "NAME-data", in base64, else out of the file NAME, whose path is given, too. */
MUST_CHECK enum rc kube_config_pem(const struct kube_config_source *s, const struct json *obj,
                                   const char *name, const char **ret, const char **ret_path,
                                   struct err *e);
/* The text of the file NAME, without white space at its end, and its path. */
MUST_CHECK enum rc kube_config_file(const struct kube_config_source *s, const struct json *obj,
                                    const char *name, const char **ret, const char **ret_path,
                                    struct err *e);

/* Fills t->headers from as, as-uid, as-groups and as-user-extra of a user (kube_config_as.c). Errors: INVALID,
 * NOMEM. */
MUST_CHECK enum rc kube_config_impersonate(const struct kube_config_source *s,
                                           const struct json *user, struct http_target *t,
                                           struct err *e);

/* Gives the program of a user's exec, NULL where there is none (kube_config_exec.c). Errors: INVALID, NOMEM. */
MUST_CHECK enum rc kube_config_exec(const struct kube_config_source *s, const struct json *user,
                                    const struct http_exec **ret, struct err *e);
void kube_config_exec_free(const struct http_exec *x);

/* Writes where the named file is: a relative name begins in the kubeconfig's folder. False where it is no such name. */
bool kube_config_path(const struct kube_config_source *s, struct slice name, char out[PATH_MAX]);
void kube_config_free(const char *text); /* overwrites first; NULL is allowed */

#endif
