/* The dispatchers of struct zk, the names of errors, the size of a call. */
#include "io/zk.h"

#include <assert.h>

enum rc zk_call(struct zk *z, const struct zk_call *c, uint64_t tag, struct err *e)
{
    bool multi = c->op == ZK_MULTI || c->op == ZK_MULTI_READ;
    assert(multi ? c->n_parts > 0 : c->n_parts == 0);
    assert(multi || c->op == ZK_WHO_AM_I || c->path.n > 0);
    return z->ops->call(z, c, tag, e);
}

enum rc zk_take(struct zk *z, struct zk_event *ret, struct err *e)
{
    return z->ops->take(z, ret, e);
}

enum rc zk_wait(struct zk *z, int wake_fd, int64_t timeout_ns, struct err *e)
{
    return z->ops->wait(z, wake_fd, timeout_ns, e);
}

void zk_close(struct zk *z)
{
    if (z)
        z->ops->close(z);
}

static const struct {
    int error;
    const char *name;
} NAMES[] = {
    {ZK_OK, "ok"},
    {-1, "system error"},
    {ZK_RUNTIME_INCONSISTENCY, "another part failed"},
    {-3, "data inconsistency"},
    {-5, "marshalling error"},
    {ZK_UNIMPLEMENTED, "not implemented"},
    {-7, "operation timed out"},
    {-8, "bad arguments"},
    {-13, "no quorum of a new configuration"},
    {-14, "reconfiguration in progress"},
    {ZK_NO_NODE, "no node"},
    {ZK_NO_AUTH, "not authorised"},
    {ZK_BAD_VERSION, "bad version"},
    {ZK_NO_CHILDREN_FOR_EPHEMERALS, "an ephemeral node has no children"},
    {ZK_NODE_EXISTS, "node exists"},
    {ZK_NOT_EMPTY, "node has children"},
    {-112, "session expired"},
    {-113, "invalid callback"},
    {ZK_INVALID_ACL, "invalid ACL"},
    {-115, "authentication failed"},
    {-118, "session moved"},
    {-119, "not allowed of a read-only server"},
    {-124, "the server demands SASL"},
    {ZK_QUOTA_EXCEEDED, "quota exceeded"},
    {-127, "throttled"},
};

const char *zk_error_name(int error)
{
    for (size_t i = 0; i < sizeof NAMES / sizeof *NAMES; i++)
        if (NAMES[i].error == error)
            return NAMES[i].name;
    return "unknown error";
}

enum {
    INT_BYTES = 4,
    FRAME_BYTES = 3 * INT_BYTES, /* its length, id and operation */
    MULTI_HEADER_BYTES = 2 * INT_BYTES + 1
};

static size_t data_size(const struct zk_call *c)
{
    return INT_BYTES + (c->null_data ? 0 : c->data.n);
}

static size_t acl_size(const struct zk_call *c)
{
    size_t n = INT_BYTES;
    for (size_t i = 0; i < c->n_acl; i++)
        n += 3 * INT_BYTES + c->acl[i].scheme.n + c->acl[i].id.n;
    return n;
}

/* What stands behind the path. */
static size_t rest_size(const struct zk_call *c)
{
    switch (c->op) {
    case ZK_EXISTS:
    case ZK_GET_DATA:
    case ZK_GET_CHILDREN:
        return 1;
    case ZK_CREATE:
        return data_size(c) + acl_size(c) + INT_BYTES;
    case ZK_SET_DATA:
        return data_size(c) + INT_BYTES;
    case ZK_SET_ACL:
        return acl_size(c) + INT_BYTES;
    case ZK_DELETE:
    case ZK_CHECK:
    case ZK_ADD_WATCH:
        return INT_BYTES;
    case ZK_GET_ACL:
    case ZK_SYNC:
    case ZK_WHO_AM_I:
    case ZK_MULTI:
    case ZK_MULTI_READ:
        return 0;
    }
    return 0;
}

static size_t single_size(const struct zk_call *c)
{
    return c->op == ZK_WHO_AM_I ? 0 : INT_BYTES + c->path.n + rest_size(c);
}

size_t zk_call_size(const struct zk_call *c)
{
    if (c->op != ZK_MULTI && c->op != ZK_MULTI_READ)
        return FRAME_BYTES + single_size(c);
    size_t n = FRAME_BYTES + MULTI_HEADER_BYTES;
    for (size_t i = 0; i < c->n_parts; i++)
        n += MULTI_HEADER_BYTES + single_size(&c->parts[i]);
    return n;
}
