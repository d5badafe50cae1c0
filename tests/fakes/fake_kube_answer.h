/* What the fake_kube_*.c files share of requests and answers. */
#ifndef RESILOG_TESTS_FAKE_KUBE_ANSWER_H
#define RESILOG_TESTS_FAKE_KUBE_ANSWER_H

#include "io/http.h"
#include "tests/fakes/fake_kube_store.h"

struct fk_answer {
    int status;
    const char *content_type;
    int64_t retry_after_ns; /* -1: not given */
    struct buf body;
};
#define FK_ANSWER_INIT                                                                             \
    {                                                                                              \
        .content_type = "application/json", .retry_after_ns = -1, .body = BUF_INIT(FK_TEXT_MAX)    \
    }
struct fk_query {
    struct slice limit, token, version, match, timeout, manager;
    bool watch, bookmarks;
};
struct fk_request {
    enum http_method method;
    struct slice path; /* decoded, without query */
    struct slice group, api_version /* only "v1" of "apps/v1" */, ns, name;
    struct fk_kind *kind;
    struct fk_query query;
    struct slice body;
    bool metadata_only;
    bool aggregated; /* discovery */
    bool direct;     /* of the test: no permissions, not counted */
    bool trusted;    /* of a controller: status is written too, versions are not checked */
    char *text;      /* what the slices lie in */
};
enum fk_route { FK_OBJECTS, FK_DISCOVERY, FK_ANSWERED };
/* Takes a path apart; FK_ANSWERED: the answer (404, 400, 503) is in a. */
enum fk_route fk_route(struct fake_kube *k, enum http_method method, struct slice path,
                       struct slice accept, struct fk_request *ret, struct fk_answer *a);
void fk_request_done(struct fk_request *r);
bool fk_parse_version(struct slice text, int64_t *ret);
void fk_serve_discovery(struct fake_kube *k, const struct fk_request *r, struct fk_answer *a);
void fk_serve_read(struct fake_kube *k, const struct fk_request *r, struct fk_answer *a);
void fk_serve_write(struct fake_kube *k, const struct fk_request *r, struct fk_answer *a);
/* Notes the request's manager as the last writer of what differs from live (fake_kube_fields.c). */
void fk_set_managed_fields(struct fake_kube *k, const struct fk_request *r, struct json_doc *d,
                           struct json_doc *live);
void fk_record_write(struct fake_kube *k, enum http_method method, struct slice path, int status);

/* A Status body. Empty fields are left out. */
struct fk_problem {
    int code;
    const char *reason;
    struct slice name;
    const struct fk_kind *kind; /* details */
    bool by_kind;               /* details.kind is the kind (Invalid), not the resource */
    const char *cause, *cause_message, *cause_field;
    int retry_after_s;
};
void fk_fail(struct fk_answer *a, const struct fk_problem *p, const char *fmt, ...)
    __attribute__((format(printf, 3, 4)));
void fk_fail_plain(struct fk_answer *a, int code, const char *text);
void fk_fail_invalid(struct fk_answer *a, const struct fk_kind *kind, struct slice name,
                     const char *field, const char *cause, const char *message);
void fk_fail_not_found(struct fk_answer *a, const struct fk_kind *kind, struct slice name);
bool fk_denied(struct fake_kube *k, const struct fk_request *r, const char *verb,
               struct fk_answer *a);

#endif
