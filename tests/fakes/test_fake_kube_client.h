/* A client of the modelled API server as its own tests use it: one test, its client, and a
 * watch that is read to the end of what there is now. */
#ifndef RESILOG_TESTS_TEST_FAKE_KUBE_CLIENT_H
#define RESILOG_TESTS_TEST_FAKE_KUBE_CLIENT_H

#include "core/buf.h"
#include "core/rng.h"
#include "io/kube_error.h"
#include "io/kube_frame.h"
#include "tests/fakes/fake_clock.h"
#include "tests/fakes/fake_kube.h"

#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>

#define CM "/api/v1/namespaces/default/configmaps"

struct test {
    struct fake_clock clock;
    struct rng_seeded rng;
    struct fake_kube *k;
    struct http *http;
    /* of the last answer */
    struct buf body;
    struct http_event done; /* its slices are not valid */
    char type[64];
};
int set_up(void **state);
int tear_down(void **state);
http_id start(struct test *t, struct http_request r);
/* Moves the clock to the next thing that is due; false: nothing ever. */
bool next_time(struct test *t);
/* Takes events until the request has ended. */
int finish(struct test *t, http_id id);
int fetch(struct test *t, enum http_method m, const char *path, const char *body);
enum kube_class judge(const struct test *t);
int put(struct test *t, const char *name, int value);
int post(struct test *t, const char *name);
bool exists(struct test *t, const char *name);

struct stream {
    http_id id;
    struct kube_watch_frames *frames;
    struct buf seen; /* "+a ~a -a *": added, modified, deleted, bookmark, ! for an error frame */
    struct buf last; /* the last frame's object */
    int status;
    bool ended;
    struct err end;
};
struct stream watch_of(struct test *t, const char *path, int64_t version, const char *more);
void watch_done(struct stream *s);
/* Reads what there is now; other requests must not be under way. */
const char *look(struct test *t, struct stream *s);

#define TEST(f) cmocka_unit_test_setup_teardown(f, set_up, tear_down)

#endif
