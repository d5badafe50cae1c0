/* Talking with one write: requests that must come, answers that are given. */
#ifndef RESILOG_TESTS_KUBE_TEST_TALK_H
#define RESILOG_TESTS_KUBE_TEST_TALK_H

#include "tests/unit/sinks/kube_test_write.h"

/* The next request must be this one. */
static inline void kt_asks(struct kt *t, enum http_method method, const char *path)
{
    struct err e = ERR_INIT;
    assert_null(kube_write_result(t->w));
    assert_int_equal(kube_write_request(t->w, &t->request, &e), RC_OK);
    kt_assert_text(t->request.path, path);
    assert_int_equal(t->request.method, method);
}

/* The next request must be this one, with this body. */
static inline void kt_sends(struct kt *t, enum http_method method, const char *path,
                            const char *body)
{
    kt_asks(t, method, path);
    kt_assert_text(t->request.body, body);
}

/* Gives an answer; the verdict is that of io/kube_error.h. */
static inline enum rc kt_told(struct kt *t, int status, const char *body)
{
    AUTO(freep) char *json = kt_quotes(body);
    struct kube_answer a = {.status = status, .body = slice_str(json)};
    struct err e = ERR_INIT;
    bool plain = body[0] != '{';
    kube_judge(status, plain ? SLICE("text/plain") : SLICE("application/json"), a.body, -1,
               &a.verdict);
    return kube_write_answer(t->w, &a, &e);
}

/* Gives an answer that moves the write on. */
static inline void kt_answer(struct kt *t, int status, const char *body)
{
    assert_int_equal(kt_told(t, status, body), RC_OK);
}

/* The connection broke. */
static inline void kt_silence(struct kt *t, bool maybe_done)
{
    struct err lost = {.rc = RC_UNAVAILABLE, .retry = ERR_RETRY, .msg = "connection reset"};
    struct kube_answer a = {.maybe_done = maybe_done};
    struct err e = ERR_INIT;
    kube_judge_failure(&lost, &a.verdict);
    assert_int_equal(kube_write_answer(t->w, &a, &e), RC_AGAIN);
}

/* It ended so; a changed record is kept for the next write. */
static inline const struct sink_result *kt_ends(struct kt *t, enum sink_outcome outcome,
                                                const char *cls)
{
    const struct sink_result *r = kube_write_result(t->w);
    assert_non_null(r);
    if (r->outcome != outcome || strcmp(r->cls, cls) != 0)
        fail_msg("outcome %d %s: %s", (int)r->outcome, r->cls, r->reason);
    assert_true(r->ticket == 7);
    if (r->record_changed) {
        buf_reset(&t->record);
        buf_add_slice(&t->record, r->record);
    }
    return r;
}

/* The record at hand, decoded. */
static inline struct kube_record kt_record(const struct kt *t)
{
    struct kube_record r;
    struct err e = ERR_INIT;
    assert_int_equal(kube_record_decode(buf_slice(&t->record), &r, &e), RC_OK);
    return r;
}

/* Brings the object to the destination, so that there is a record. */
static inline void kt_created(struct kt *t, const char *source, const char *answer)
{
    kt_put(t, source);
    kt_asks(t, HTTP_POST, KT_PATH "?fieldManager=resilog");
    kt_answer(t, 201, answer);
    (void)kt_ends(t, SINK_DONE, "");
}

#endif
