/* The client of the fake's own tests: it asserts what is true of every answer. */
#include "tests/fakes/test_fake_kube_client.h"

#include <stdio.h>

int set_up(void **state)
{
    struct test *t = calloc(1, sizeof *t);
    fake_clock_init(&t->clock, 1700000000 * NS_PER_S);
    rng_seeded_init(&t->rng, 11);
    t->k = fake_kube_new(&t->clock.clock, &t->rng.rng);
    fake_kube_connect(t->k, &t->http);
    buf_init(&t->body, 64u << 20);
    *state = t;
    return 0;
}

int tear_down(void **state)
{
    struct test *t = *state;
    http_close(t->http);
    fake_kube_free(t->k);
    buf_done(&t->body);
    free(t);
    return 0;
}

http_id start(struct test *t, struct http_request r)
{
    struct err e;
    http_id id = 0;
    assert_int_equal(http_start(t->http, &r, &id, &e), RC_OK);
    assert_int_not_equal(id, 0);
    return id;
}

bool next_time(struct test *t)
{
    int64_t due = fake_kube_wake(t->k), now = clock_boot_ns(&t->clock.clock);
    if (due == INT64_MAX)
        return false;
    if (due > now)
        fake_clock_advance(&t->clock, due - now);
    return true;
}

int finish(struct test *t, http_id id)
{
    struct http_event ev = {0};
    struct err e;
    bool headers = false;
    buf_reset(&t->body);
    while (ev.id != id || ev.kind != HTTP_DONE) {
        enum rc rc = http_take(t->http, &ev, &e);
        if (rc == RC_AGAIN) {
            assert_true(next_time(t));
            continue;
        }
        assert_int_equal(rc, RC_OK);
        assert_int_equal(ev.id, id);
        headers |= ev.kind == HTTP_HEADERS;
        if (ev.kind != HTTP_HEADERS)
            buf_add_slice(&t->body, ev.data);
    }
    assert_true(headers == (ev.status != 0));
    t->done = ev;
    snprintf(t->type, sizeof t->type, "%.*s", SLICE_ARG(ev.content_type));
    return ev.status;
}

int fetch(struct test *t, enum http_method m, const char *path, const char *body)
{
    return finish(t, start(t, (struct http_request){
                                  .method = m, .path = slice_str(path), .body = slice_str(body)}));
}

enum kube_class judge(const struct test *t)
{
    struct kube_verdict v;
    if (t->done.err.rc != RC_OK)
        kube_judge_failure(&t->done.err, &v);
    else
        kube_judge(t->done.status, slice_str(t->type), buf_slice(&t->body), t->done.retry_after_ns,
                   &v);
    return v.cls;
}

int put(struct test *t, const char *name, int value)
{
    char json[300];
    snprintf(json, sizeof json,
             "{\"apiVersion\":\"v1\",\"kind\":\"ConfigMap\",\"metadata\":{\"name\":\"%s\","
             "\"namespace\":\"default\"},\"data\":{\"k\":\"%d\"}}",
             name, value);
    return fake_kube_put(t->k, json);
}

int post(struct test *t, const char *name)
{
    char json[100];
    snprintf(json, sizeof json, "{\"metadata\":{\"name\":\"%s\"}}", name);
    return fetch(t, HTTP_POST, CM, json);
}

bool exists(struct test *t, const char *name)
{
    char key[100];
    snprintf(key, sizeof key, "/configmaps/default/%s", name);
    return fake_kube_get(t->k, key).n > 0;
}

/* ---- a watch that is read to the end of what there is now ---- */

struct stream watch_of(struct test *t, const char *path, int64_t version, const char *more)
{
    AUTO(buf_done) struct buf full = BUF_INIT(4096);
    struct stream s = {
        .frames = kube_watch_frames_new(), .seen = BUF_INIT(1 << 20), .last = BUF_INIT(1 << 20)};
    buf_addf(&full, "%s?watch=true&allowWatchBookmarks=true%s", path, more);
    if (version >= 0)
        buf_addf(&full, "&resourceVersion=%lld", (long long)version);
    s.id = start(t, (struct http_request){
                        .lane = HTTP_LANE_WATCH, .path = buf_slice(&full), .stream = true});
    return s;
}

void watch_done(struct stream *s)
{
    kube_watch_frames_free(s->frames);
    buf_done(&s->seen);
    buf_done(&s->last);
}

static void note_frames(struct stream *s)
{
    enum kube_watch_type type;
    struct slice object;
    struct err e;
    enum rc rc;
    while ((rc = kube_watch_next(s->frames, &type, &object, &e)) == RC_OK) {
        const char *at = object.n ? memmem(object.p, object.n, "\"name\":\"", 8) : NULL;
        buf_addf(&s->seen, "%s%c%c", s->seen.n ? " " : "", "+~-*!"[type],
                 at && type < KUBE_BOOKMARK ? at[8] : '.');
        buf_reset(&s->last);
        buf_add_slice(&s->last, object);
    }
    assert_int_equal(rc, RC_AGAIN);
}

const char *look(struct test *t, struct stream *s)
{
    struct http_event ev;
    struct err e;
    while (http_take(t->http, &ev, &e) == RC_OK) {
        assert_int_equal(ev.id, s->id);
        s->status = ev.status;
        if (ev.kind == HTTP_DATA && ev.status == 200) {
            assert_int_equal(kube_watch_feed(s->frames, ev.data, &e), RC_OK);
            note_frames(s);
        }
        s->ended |= ev.kind == HTTP_DONE;
        if (ev.kind == HTTP_DONE)
            s->end = ev.err;
    }
    return s->seen.n ? s->seen.p : "";
}
