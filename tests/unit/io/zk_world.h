/* A small ZooKeeper server of the tests' own on loopback: it greets, logs in, answers pings and a few paths. */
#ifndef RESILOG_TESTS_UNIT_IO_ZK_WORLD_H
#define RESILOG_TESTS_UNIT_IO_ZK_WORLD_H

#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>

#define ZK_WORLD_CONNS 8

struct zk_world_conn {
    int fd;
    char *in; /* of ZK_WORLD_IN bytes */
    size_t n;
    bool greeted;
};

/* It answers GET_DATA of "/silent" never, of "/close" by ending the connection, of "/garbage" by bytes of another
 * protocol, of "/flood" by 64 MiB of news about the session, of any other path by the path itself; every other call by
 * success. The atomics may be set and read at any time. */
struct zk_world {
    int listener, wake, port;
    char server[32]; /* "127.0.0.1:port" */
    pthread_t thread;
    struct zk_world_conn conns[ZK_WORLD_CONNS];
    atomic_bool ending;
    atomic_bool deaf;    /* reads nothing */
    atomic_bool refuses; /* ends each new connection at once */
    atomic_bool no_login;
    atomic_bool flooded; /* all of that was sent */
    atomic_int sessions, closed,
        left; /* begun, ended by the peer, of these with a request to end it */
};

/* The test fails where it cannot be started. */
void zk_world_start(struct zk_world *w);
void zk_world_stop(struct zk_world *w);
/* Makes the server look at its atomics. */
void zk_world_wake(struct zk_world *w);

#endif
