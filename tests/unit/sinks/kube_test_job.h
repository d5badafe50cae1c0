/* Items for a Kubernetes sink, with their records carried from one to the next as the pump does. */
#ifndef RESILOG_TESTS_KUBE_TEST_JOB_H
#define RESILOG_TESTS_KUBE_TEST_JOB_H

#include "tests/unit/sinks/kube_test_world.h"

/* One item and what became of it; record is carried to the next one. */
struct kw_job {
    struct event event;
    struct sink_policy policy;
    struct sink_item item;
    char *body;
    bool finished;
    struct sink_result result; /* without its slices */
    char cls[32];
    struct buf record, dependency;
};

/* An item without a record. */
static inline void kw_job(struct kw_job *j, const char *key, const char *api_version,
                          const char *kind)
{
    *j = (struct kw_job){
        .event = {.op = EVENT_PUT,
                  .key = slice_str(key),
                  .source = SLICE("src-1"),
                  .uid = SLICE("u-src"),
                  .api_version = slice_str(api_version),
                  .kind = slice_str(kind)},
        .record = BUF_INIT(8 << 20),
        .dependency = BUF_INIT(4096),
    };
}

/* Frees what the item holds. */
static inline void kw_job_done(struct kw_job *j)
{
    free(j->body);
    buf_done(&j->record);
    buf_done(&j->dependency);
}

/* Submits the item with this body (quotes as in kt_quotes) and the record it carries. */
static inline enum rc kw_submit(struct kw *w, struct kw_job *j, enum sink_op op, const char *json)
{
    struct err e = ERR_INIT;
    free(j->body);
    j->body = kt_quotes(json);
    j->finished = false;
    j->item.ticket = ++w->ticket;
    j->item.op = op;
    j->item.observed = true;
    j->item.event = &j->event;
    j->item.body = op == SINK_PUT ? slice_str(j->body) : SLICE_NULL;
    j->item.record = buf_slice(&j->record);
    j->item.policy = &j->policy;
    enum rc rc = sink_submit(w->sink, &j->item, &e);
    assert_true(rc >= 0);
    return rc;
}

/* Keeps a result beyond the next call on the sink. */
static inline void kw_keep(struct kw_job *j, const struct sink_result *r)
{
    assert_false(j->finished);
    j->finished = true;
    snprintf(j->cls, sizeof j->cls, "%s", r->cls);
    buf_reset(&j->dependency);
    buf_add_slice(&j->dependency, r->dependency);
    if (r->record_changed) {
        struct buf next = BUF_INIT(8 << 20);
        buf_add_slice(&next, r->record);
        buf_done(&j->record);
        j->record = next;
    }
    j->result = *r;
    j->result.record = j->result.dependency = SLICE_NULL;
}

/* Takes all results that are there. */
static inline void kw_take(struct kw *w, struct kw_job *jobs, size_t n)
{
    struct sink_result r;
    struct err e = ERR_INIT;
    while (sink_take(w->sink, &r, &e) == RC_OK) {
        size_t i = 0;
        while (i < n && jobs[i].item.ticket != r.ticket)
            i++;
        assert_true(i < n);
        kw_keep(&jobs[i], &r);
    }
}

/* Runs until the item has its result. */
static inline void kw_finish(struct kw *w, struct kw_job *j)
{
    for (int i = 0; i < 1000 && !j->finished; i++) {
        (void)kw_settle(w);
        kw_take(w, j, 1);
        if (!j->finished)
            assert_true(kw_pass(w));
    }
    assert_true(j->finished);
}

/* Submits and runs until the result is there. */
static inline void kw_apply(struct kw *w, struct kw_job *j, enum sink_op op, const char *json)
{
    kw_connect(w);
    assert_int_equal(kw_submit(w, j, op, json), RC_OK);
    kw_finish(w, j);
}

/* It must have ended so. */
static inline void kw_expect(const struct kw_job *j, enum sink_outcome outcome, const char *cls)
{
    if (j->result.outcome != outcome || strcmp(j->cls, cls) != 0)
        fail_msg("outcome %d %s: %s", (int)j->result.outcome, j->cls, j->result.reason);
}

#endif
