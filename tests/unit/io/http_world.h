/* A small HTTP/1.1 server of the tests' own on loopback, and libcurl's client beside it on a fake clock. */
#ifndef RESILOG_TESTS_UNIT_IO_HTTP_WORLD_H
#define RESILOG_TESTS_UNIT_IO_HTTP_WORLD_H

#include "core/env.h"
#include "io/http.h"
#include "tests/fakes/fake_clock.h"

#include <pthread.h>
#include <stdatomic.h>

#define CONNS 32

struct conn {
    int fd, number;
    char in[16384];
    size_t n;
    bool flood;
};

struct server {
    int listener, stop, port;
    pthread_t thread;
    struct conn conns[CONNS];
    int accepted;
    atomic_int requests, closed; /* whole requests read, connections ended by the peer */
};

struct world {
    struct server server;
    struct fake_clock clock;
    struct env env;
    struct http *http; /* to the server, with a token */
    char url[64];
};

/* cmocka's set-up and tear-down: *state is a struct world. */
int world_set_up(void **state);
int world_tear_down(void **state);
#define WORLD_TEST(f) cmocka_unit_test_setup_teardown(f, world_set_up, world_tear_down)

/* A socket bound to a free port on loopback, not listening. */
int world_bind(int *ret_port);
/* Another client with the world's clock; the caller closes it. */
struct http *world_open(struct world *w, const struct http_target *t);

/* Starts a request; the test fails where that is refused. */
http_id begin(struct http *h, const struct http_request *r);
/* The same for a plain GET. */
http_id get(struct http *h, const char *path);
/* The next event; fails the test when none comes. */
struct http_event next(struct http *h);
/* The next DONE, whatever comes before it. */
struct http_event done(struct http *h);
/* True if text stands somewhere in s. */
bool holds(struct slice s, const char *text);
/* Works until the server's counter has that value. */
void reach(struct world *w, atomic_int *counter, int value);
/* The number of the connection that an /echo went over. */
int echo_conn(struct world *w, enum http_lane lane);

#endif
