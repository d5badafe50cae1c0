/* What the fake_kube_*.c files share: requests, answers, streams, faults, and the server that
 * holds them. */
#ifndef RESILOG_TESTS_FAKE_KUBE_PRIV_H
#define RESILOG_TESTS_FAKE_KUBE_PRIV_H

#include "core/rng.h"
#include "io/http_limits.h"
#include "tests/fakes/fake_kube.h"
#include "tests/fakes/fake_kube_answer.h"

#include <assert.h>

/* ---- what controllers do by and by (fake_kube_control.c) ---- */
void fk_control_wake(struct fake_kube *k); /* there may be something to do soon */
void fk_control_run(struct fake_kube *k, int64_t now_ns);

/* ---- streams (fake_kube_watch.c) ---- */
struct fk_watch {
    struct fk_kind *kind;
    char *version, *prefix;
    bool metadata_only, bookmarks;
    int64_t bookmark_ns, end_ns;
    int64_t after; /* older versions are not told */
};
struct fk_call;
/* Answers a watch request; the call becomes a stream, or has its answer. */
void fk_watch_open(struct fake_kube *k, struct fk_call *c, const struct fk_request *r, bool gone);
void fk_watch_free(struct fk_watch *w);
void fk_watch_tell(struct fake_kube *k, const struct fk_rev *r);
void fk_watch_tick(struct fake_kube *k, struct fk_call *c, int64_t now_ns);
void fk_watch_close_kind(struct fake_kube *k, const struct fk_kind *kind);

/* ---- calls (fake_kube_http.c) and faults (fake_kube_fault.c) ---- */
struct fk_client;
struct fk_call {
    struct fk_call *prev, *next;
    struct fk_client *client; /* NULL: nobody waits for the answer */
    http_id id;
    struct http_request request; /* its slices lie in text */
    struct http_limits limits;
    enum fake_kube_fault fault;
    int64_t arrive_ns; /* FK_NEVER: it has arrived */
    int64_t delay_ns;  /* of the answer */
    int64_t reply_ns;  /* not before this; FK_NEVER: no answer yet */
    struct fk_answer answer;
    struct fk_watch *watch;
    bool told; /* HTTP_HEADERS was given */
    bool ended;
    struct err end;
    bool maybe_done;
    char text[];
};
void fk_call_serve(struct fake_kube *k,
                   struct fk_call *c); /* decides the answer (fake_kube_serve.c) */
/* Ends it with a broken connection now; after_bytes: what is in the body is still given. */
void fk_call_break(struct fake_kube *k, struct fk_call *c, bool maybe_done, bool after_bytes);
void fk_break_all(struct fake_kube *k);
/* Lets one of the requests that are due take effect, chosen at random; false: none was. */
bool fk_http_arrive(struct fake_kube *k);
int64_t fk_http_wake(struct fake_kube *k, int64_t now_ns);

/* The fault that strikes this request, by plan or by chance. */
enum fake_kube_fault fk_fault_of_request(struct fake_kube *k, const struct fk_call *c);
/* True if that fault strikes this frame or bookmark; it is counted then. */
bool fk_fault_strikes(struct fake_kube *k, const struct fk_call *c, enum fake_kube_fault fault);
/* Counts a fault of a request that did what it says. */
void fk_struck(struct fake_kube *k, enum fake_kube_fault fault);
int64_t fk_fault_delay(struct fake_kube *k);
void fk_faults_done(struct fake_kube *k);

/* ---- the server ---- */
void fk_tick(struct fake_kube *k); /* controllers and watches, as far as time has made them due */
struct fk_rule;                    /* of fake_kube_fault.c */
struct fk_denial {
    struct fk_denial *next;
    char *group, *resource, *ns, *verb;
};
struct fk_write_record {
    enum http_method method;
    int status;
    char *path;
};
struct fake_kube {
    struct clock *clock;
    struct rng *rng;
    struct fk_kind *kinds;
    struct map *objects; /* key -> struct fk_object */
    struct fk_rev **log; /* versions after `compacted`, borrowed */
    size_t log_n, log_cap;
    int64_t version;
    int64_t compacted; /* below it no snapshot, below floor no watch */
    int64_t floor;
    int64_t control_ns;
    uint32_t next_ip, next_port;
    struct buf out; /* of fake_kube_get and _next */

    struct fk_call *calls;
    size_t clients;
    http_id last_id;

    bool down, unauthorized, older_discovery;
    struct map *stale; /* group or group/version -> anything */
    struct fk_denial *denials;

    struct rng_seeded fault_rng;
    struct fake_kube_rates rates;
    bool faulty;
    struct fk_rule *rules;

    struct fake_kube_counts counts;
    struct fk_write_record *writes;
    size_t write_n, write_cap;
};

#endif
