/* Bodies of znodes: what is read and printed again reads as the same node, and from then on prints as the same bytes.
 * Paths and versions: any bytes give an answer. */
#include "core/buf.h"
#include "core/event.h"
#include "core/scope.h"
#include "core/znode.h"

#define CHECK(what)                                                                                \
    do {                                                                                           \
        if (!(what))                                                                               \
            __builtin_trap();                                                                      \
    } while (0)

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);

static struct znode_doc *read_again(const struct znode *node, struct buf *out)
{
    struct znode_doc *doc = NULL;
    znode_print(node, out);
    CHECK(buf_check(out, "the body", NULL) == RC_OK);
    CHECK(znode_parse(buf_slice(out), &doc, NULL) == RC_OK);
    return doc;
}

static void check_body(struct slice body)
{
    AUTO(znode_doc_freep) struct znode_doc *doc = NULL;
    struct err e = ERR_INIT;
    enum rc rc = znode_parse(body, &doc, &e);
    if (rc != RC_OK) {
        CHECK((rc == RC_INVALID || rc == RC_LIMIT) && e.rc == rc && e.msg[0]);
        return;
    }
    AUTO(buf_done) struct buf once = BUF_INIT(EVENT_BODY_MAX), twice = BUF_INIT(EVENT_BODY_MAX);
    AUTO(znode_doc_freep) struct znode_doc *second = read_again(znode_of(doc), &once);
    AUTO(znode_doc_freep) struct znode_doc *third = read_again(znode_of(second), &twice);
    CHECK(slice_eq(buf_slice(&once), buf_slice(&twice)));
    CHECK(znode_same_data(znode_of(doc), znode_of(third)));
    CHECK(znode_same_acl(znode_of(doc), znode_of(third)));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
    struct slice in = slice_of(data, n);
    check_body(in);
    const char *why = NULL;
    CHECK(znode_is_path(in, &why) == !why);
    CHECK(znode_version_zxid(in) >= -1);
    if (!why)
        CHECK(in.n == 1 || znode_is_path(znode_parent(in), NULL));
    return 0;
}
