/* A server's frame: the first byte says for what call, the rest is the frame. Any bytes give a result whose slices lie
 * in the frame, or an error; a result never depends on what stands behind the frame. */
#include "io/zk_jute.h"

#include <stdint.h>

#define CHECK(what)                                                                                \
    do {                                                                                           \
        if (!(what))                                                                               \
            __builtin_trap();                                                                      \
    } while (0)

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);

static const struct zk_call PARTS[] = {
    {.op = ZK_GET_DATA}, {.op = ZK_GET_CHILDREN}, {.op = ZK_GET_DATA}};
static const struct zk_call WRITES[] = {
    {.op = ZK_CREATE}, {.op = ZK_SET_DATA}, {.op = ZK_DELETE}, {.op = ZK_CHECK}};
static const struct zk_call CALLS[] = {{.op = ZK_GET_DATA},
                                       {.op = ZK_GET_CHILDREN},
                                       {.op = ZK_GET_ACL},
                                       {.op = ZK_CREATE},
                                       {.op = ZK_DELETE},
                                       {.op = ZK_WHO_AM_I},
                                       {.op = ZK_ADD_WATCH},
                                       {.op = ZK_MULTI_READ, .parts = PARTS, .n_parts = 3},
                                       {.op = ZK_MULTI, .parts = WRITES, .n_parts = 4}};

static void check_inside(struct slice s, struct slice frame)
{
    CHECK(s.n == 0 || (s.p >= frame.p && s.p + s.n <= frame.p + frame.n));
}

static void check_result(const struct zk_result *r, struct slice frame)
{
    check_inside(r->data, frame);
    CHECK(!r->null_data || r->data.n == 0);
    for (size_t i = 0; i < r->n_children; i++)
        check_inside(r->children[i], frame);
    for (size_t i = 0; i < r->n_acl; i++) {
        check_inside(r->acl[i].scheme, frame);
        check_inside(r->acl[i].id, frame);
    }
    for (size_t i = 0; i < r->n_parts; i++)
        check_result(&r->parts[i], frame);
}

static void read_heads(struct slice frame)
{
    struct zk_welcome w;
    struct slice path;
    struct err e = ERR_INIT;
    enum rc rc = zk_jute_welcome(frame, &w, &e);
    CHECK(rc == RC_OK || rc == RC_CORRUPT);
    rc = zk_jute_changed(frame, &path, &e);
    CHECK(rc == RC_OK || rc == RC_CORRUPT);
    if (rc == RC_OK)
        check_inside(path, frame);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
    if (n < 1)
        return 0;
    const struct zk_call *c = &CALLS[data[0] % (sizeof CALLS / sizeof *CALLS)];
    struct slice frame = slice_of(data + 1, n - 1);
    struct zk_reply reply;
    struct zk_result result;
    struct err e = ERR_INIT;
    AUTO(zk_shape_done) struct zk_shape shape = {0};
    AUTO(zk_room_done) struct zk_room room = {0};
    CHECK(zk_shape_init(&shape, c, &e) == RC_OK);
    read_heads(frame);
    enum rc rc = zk_jute_reply(frame, &reply, &e);
    if (rc == RC_OK)
        rc = zk_jute_result(&reply, &shape, &room, &result, &e);
    CHECK(rc == RC_OK || (rc == RC_CORRUPT && e.msg[0]));
    if (rc == RC_OK)
        check_result(&result, frame);
    return 0;
}
