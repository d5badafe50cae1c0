/* One write with the destination played by hand: what it asks for is checked, what it is told is given. */
#ifndef RESILOG_TESTS_KUBE_TEST_WRITE_H
#define RESILOG_TESTS_KUBE_TEST_WRITE_H

#include "tests/unit/sinks/kube_test.h"
#include "tests/unit/sinks/kube_test_texts.h"

#include "core/compress.h"
#include "core/event.h"
#include "io/http.h"
#include "io/kube.h"
#include "sinks/kube_record.h"
#include "sinks/kube_write.h"
#include "sinks/sink.h"

struct kt {
    struct kube_dest dest;
    struct slice selected[1];
    struct event event;
    struct sink_policy policy;
    struct sink_item item;
    struct kube_write *w;
    struct http_request request;
    char *body;        /* with double quotes */
    struct buf record; /* carried from one write to the next, as the pump does */
    struct buf opposite, preimage;
};

/* A destination "dest-1", a source "src-1", a config map ns/a. */
static inline void kt_init(struct kt *t)
{
    *t = (struct kt){
        .dest = {.me = {.destination = SLICE("dest-1"), .sync_id = "0123456789abcdef"},
                 .source = SLICE("src-1"),
                 .compressor = compressor_new()},
        .event = {.op = EVENT_PUT,
                  .key = SLICE(KT_KEY),
                  .uid = SLICE("u-src"),
                  .version = SLICE("5"),
                  .source = SLICE("src-1"),
                  .api_version = SLICE("v1"),
                  .kind = SLICE("ConfigMap")},
        .record = BUF_INIT(KUBE_RECORD_MAX),
        .opposite = BUF_INIT(KUBE_RECORD_MAX),
        .preimage = BUF_INIT(KUBE_RECORD_MAX),
    };
    t->selected[0] = SLICE("apps/deployments");
    t->dest.selected = t->selected;
    t->dest.n_selected = 1;
    assert_non_null(t->dest.compressor);
}

/* Ends the write, if there is one. */
static inline void kt_end(struct kt *t)
{
    kube_write_free(t->w);
    t->w = NULL;
    free(t->body);
    t->body = NULL;
}

/* Frees all. */
static inline void kt_done(struct kt *t)
{
    kt_end(t);
    compressor_free(t->dest.compressor);
    buf_done(&t->record);
    buf_done(&t->opposite);
    buf_done(&t->preimage);
}

static inline int kt_setup(void **state)
{
    struct kt *t = calloc(1, sizeof *t);
    assert_non_null(t);
    kt_init(t);
    *state = t;
    return 0;
}

static inline int kt_teardown(void **state)
{
    kt_done(*state);
    free(*state);
    return 0;
}

/* Begins a write with this body and the record at hand. */
static inline void kt_start(struct kt *t, enum sink_op op, const char *json)
{
    struct err e = ERR_INIT;
    kt_end(t);
    t->body = kt_quotes(json);
    t->item.ticket = 7;
    t->item.op = op;
    t->item.event = &t->event;
    t->item.body = slice_str(t->body);
    t->item.record = buf_slice(&t->record);
    t->item.opposite = buf_slice(&t->opposite);
    t->item.preimage = buf_slice(&t->preimage);
    t->item.policy = &t->policy;
    assert_int_equal(kube_write_new(&t->dest, &t->item, &t->w, &e), RC_OK);
}

/* Begins a put. */
static inline void kt_put(struct kt *t, const char *json)
{
    kt_start(t, SINK_PUT, json);
}

/* A delete; json is the last state of the source's object. */
static inline void kt_delete(struct kt *t, const char *json, bool observed)
{
    t->item.observed = observed;
    kt_start(t, SINK_DELETE, json);
}

#endif
