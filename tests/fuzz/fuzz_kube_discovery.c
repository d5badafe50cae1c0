/* Discovery: the input's lines are a server's answers, one after another. Whatever they are, asking ends when all is
 * answered, with a reason or with a catalogue in which what is found has its names. */
#include "io/kube_discovery.h"

#include <stdint.h>

#define CHECK(what)                                                                                \
    do {                                                                                           \
        if (!(what))                                                                               \
            __builtin_trap();                                                                      \
    } while (0)

#define REQUESTS_MAX 1000u

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);

/* Counts what is asked; beyond a limit it takes no more. */
struct server {
    struct http http; /* first */
    http_id asked;
};

static enum rc start(struct http *h, const struct http_request *r, http_id *ret_id, struct err *e)
{
    struct server *s = (struct server *)h;
    CHECK(r->path.n > 0 && r->path.p[0] == '/');
    if (s->asked == REQUESTS_MAX)
        return err_set(e, RC_LIMIT, ERR_RETRY, "too many requests");
    *ret_id = ++s->asked;
    return RC_OK;
}

static void cancel(struct http *h, http_id id)
{
    CHECK(id > 0 && id <= ((struct server *)h)->asked);
}

static const struct http_ops OPS = {.start = start, .cancel = cancel};

/* What no line is left for is lost. */
static void answer(struct kube_discovery *d, http_id id, bool any, struct slice body)
{
    struct http_event ev = {.id = id, .kind = HTTP_DONE, .retry_after_ns = -1};
    if (any) {
        ev.status = 200;
        ev.content_type = SLICE("application/json");
        ev.data = body;
    } else {
        err_set(&ev.err, RC_UNAVAILABLE, ERR_RETRY, "lost");
    }
    kube_discovery_offer(d, &ev);
}

/* The names that the corpus has. */
static void check_catalogue(const struct kube_discovery *d)
{
    static const struct {
        struct slice group, version, resource;
    } NAMES[] = {
        {SLICE(""), SLICE("v1"), SLICE("pods")},
        {SLICE("a.io"), SLICE("v1"), SLICE("things")},
        {SLICE("a.io"), SLICE(""), SLICE("things")},
    };
    for (size_t i = 0; i < sizeof NAMES / sizeof *NAMES; i++) {
        const struct kube_resource *r =
            kube_discovery_find(d, NAMES[i].group, NAMES[i].version, NAMES[i].resource);
        CHECK(!r || (slice_eq(r->resource, NAMES[i].resource) && r->kind.n > 0));
        kube_discovery_unreachable(d, NAMES[i].group, NAMES[i].version);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
    struct server s = {.http = {&OPS}};
    struct slice rest = slice_of((const char *)data, n);
    struct err e = ERR_INIT;
    AUTO(kube_discovery_freep) struct kube_discovery *d = kube_discovery_new(&s.http);
    CHECK(d && kube_discovery_start(d, &e) == RC_OK);
    for (http_id id = 1; id <= s.asked; id++) {
        bool any = rest.n > 0;
        struct slice line = slice_cut(rest, '\n', &rest);
        answer(d, id, any, line);
    }
    enum rc rc = kube_discovery_state(d, &e);
    CHECK(rc == RC_OK || (rc < 0 && e.rc == rc && e.msg[0]));
    check_catalogue(d);
    return 0;
}
