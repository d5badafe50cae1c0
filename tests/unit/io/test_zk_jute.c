/* io/zk_jute: the bytes of the protocol's records, written out by hand from zookeeper.jute; answers that lie. */
#include "io/zk_jute.h"

#include "core/buf.h"
#include "tests/unit/io/zk_bytes.h"

#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>

static void expect_bytes(const struct buf *b, const char *text)
{
    char expected[ZK_BYTES_MAX];
    struct slice s = zk_bytes(text, expected);
    assert_int_equal(b->bad, RC_OK);
    assert_int_equal(b->n, s.n);
    assert_memory_equal(b->p, s.p, s.n);
}

/* The call's frame is these bytes, and zk_call_size knows their number. */
static void expect_call(const struct zk_call *c, const char *text)
{
    AUTO(buf_done) struct buf b = BUF_INIT(ZK_BYTES_MAX);
    zk_jute_add_call(&b, 7, c);
    expect_bytes(&b, text);
    assert_int_equal(zk_call_size(c), b.n);
}

static void a_connect_request_asks_for_a_new_session(void **state)
{
    (void)state;
    AUTO(buf_done) struct buf b = BUF_INIT(ZK_BYTES_MAX);
    zk_jute_add_connect(&b, 15000);
    expect_bytes(&b, "0000002d 00000000 0000000000000000 00003a98 0000000000000000"
                     "00000010 00000000000000000000000000000000 00");
}

static void pings_closes_and_logins_have_ids_of_their_own(void **state)
{
    (void)state;
    AUTO(buf_done) struct buf b = BUF_INIT(ZK_BYTES_MAX);
    zk_jute_add_bare(&b, ZK_XID_PING, ZK_JUTE_PING);
    zk_jute_add_bare(&b, 9, ZK_JUTE_CLOSE);
    zk_jute_add_digest(&b, "bob", "pw");
    expect_bytes(&b, "00000008 fffffffe 0000000b"
                     "00000008 00000009 fffffff5"
                     "00000020 fffffffc 00000064 00000000 00000006 'digest' 00000006 'bob:pw'");
}

static void reads_are_a_path_and_no_watch(void **state)
{
    (void)state;
    expect_call(&(struct zk_call){.op = ZK_GET_DATA, .path = SLICE("/a")},
                "0000000f 00000007 00000004 00000002 '/a' 00");
    expect_call(&(struct zk_call){.op = ZK_EXISTS, .path = SLICE("/a")},
                "0000000f 00000007 00000003 00000002 '/a' 00");
    expect_call(&(struct zk_call){.op = ZK_GET_CHILDREN, .path = SLICE("/a")},
                "0000000f 00000007 0000000c 00000002 '/a' 00");
    expect_call(&(struct zk_call){.op = ZK_GET_ACL, .path = SLICE("/a")},
                "0000000e 00000007 00000006 00000002 '/a'");
    expect_call(&(struct zk_call){.op = ZK_SYNC, .path = SLICE("/")},
                "0000000d 00000007 00000009 00000001 '/'");
    expect_call(&(struct zk_call){.op = ZK_WHO_AM_I}, "00000008 00000007 0000006b");
    expect_call(&(struct zk_call){.op = ZK_ADD_WATCH, .path = SLICE("/a")},
                "00000012 00000007 0000006a 00000002 '/a' 00000001");
}

static const struct znode_acl ACL[] = {
    {.perms = ZNODE_ALL, .scheme = SLICE("world"), .id = SLICE("anyone")}};

static void writes_carry_data_acl_and_version(void **state)
{
    (void)state;
    expect_call(
        &(struct zk_call){
            .op = ZK_CREATE, .path = SLICE("/a"), .data = SLICE("xyz"), .acl = ACL, .n_acl = 1},
        "00000034 00000007 0000000f 00000002 '/a' 00000003 'xyz'"
        "00000001 0000001f 00000005 'world' 00000006 'anyone' 00000000");
    expect_call(
        &(struct zk_call){.op = ZK_SET_DATA, .path = SLICE("/a"), .null_data = true, .version = -1},
        "00000016 00000007 00000005 00000002 '/a' ffffffff ffffffff");
    expect_call(&(struct zk_call){.op = ZK_SET_DATA, .path = SLICE("/a"), .version = 2},
                "00000016 00000007 00000005 00000002 '/a' 00000000 00000002");
    expect_call(
        &(struct zk_call){
            .op = ZK_SET_ACL, .path = SLICE("/a"), .acl = ACL, .n_acl = 1, .version = 3},
        "0000002d 00000007 00000007 00000002 '/a'"
        "00000001 0000001f 00000005 'world' 00000006 'anyone' 00000003");
    expect_call(&(struct zk_call){.op = ZK_DELETE, .path = SLICE("/a"), .version = 4},
                "00000012 00000007 00000002 00000002 '/a' 00000004");
}

static void a_multi_is_its_parts_each_behind_a_header_and_an_end(void **state)
{
    (void)state;
    const struct zk_call parts[] = {{.op = ZK_CHECK, .path = SLICE("/a"), .version = 5},
                                    {.op = ZK_DELETE, .path = SLICE("/b"), .version = -1}};
    const struct zk_call reads[] = {{.op = ZK_GET_DATA, .path = SLICE("/a")},
                                    {.op = ZK_GET_CHILDREN, .path = SLICE("/b")}};
    expect_call(&(struct zk_call){.op = ZK_MULTI, .parts = parts, .n_parts = 2},
                "00000037 00000007 0000000e"
                "0000000d 00 ffffffff 00000002 '/a' 00000005"
                "00000002 00 ffffffff 00000002 '/b' ffffffff"
                "ffffffff 01 ffffffff");
    expect_call(&(struct zk_call){.op = ZK_MULTI_READ, .parts = reads, .n_parts = 2},
                "00000031 00000007 00000016"
                "00000004 00 ffffffff 00000002 '/a' 00"
                "00000008 00 ffffffff 00000002 '/b' 00"
                "ffffffff 01 ffffffff");
}

/* ---- answers ---- */

static void expect_stat(const struct znode_stat *s)
{
    assert_int_equal(s->czxid, 0x101);
    assert_int_equal(s->mzxid, 0x102);
    assert_int_equal(s->ctime, 0x103);
    assert_int_equal(s->mtime, 0x104);
    assert_int_equal(s->version, 5);
    assert_int_equal(s->cversion, 6);
    assert_int_equal(s->aversion, 7);
    assert_int_equal(s->ephemeral_owner, 0x108);
    assert_int_equal(s->data_length, 9);
    assert_int_equal(s->num_children, 10);
    assert_int_equal(s->pzxid, 0x10b);
}

struct reading {
    char bytes[ZK_BYTES_MAX];
    struct zk_room room;
    struct zk_result result;
    struct err err;
};

/* Reads exactly these bytes as what stands behind the head of an answer to the call. */
static enum rc read_slice(struct reading *r, const struct zk_call *c, int error, struct slice body)
{
    AUTO(zk_shape_done) struct zk_shape shape = {0};
    struct zk_reply reply = {.error = error, .body = body};
    zk_room_reset(&r->room);
    assert_int_equal(zk_shape_init(&shape, c, &r->err), RC_OK);
    return zk_jute_result(&reply, &shape, &r->room, &r->result, &r->err);
}

static enum rc read_result(struct reading *r, const struct zk_call *c, int error, const char *text)
{
    return read_slice(r, c, error, zk_bytes(text, r->bytes));
}

static void reading_done(struct reading *r)
{
    zk_room_done(&r->room);
}

static void a_node_is_read_with_data_and_stat(void **state)
{
    (void)state;
    AUTO(reading_done) struct reading r = {0};
    const struct zk_call c = {.op = ZK_GET_DATA, .path = SLICE("/a")};
    assert_int_equal(read_result(&r, &c, ZK_OK, "00000003 'xyz'" ZK_STAT), RC_OK);
    assert_true(slice_eq(r.result.data, SLICE("xyz")));
    assert_false(r.result.null_data);
    expect_stat(&r.result.stat);
    assert_int_equal(read_result(&r, &c, ZK_OK, "ffffffff" ZK_STAT), RC_OK);
    assert_true(r.result.null_data);
    assert_int_equal(read_result(&r, &c, ZK_OK, "00000000" ZK_STAT), RC_OK);
    assert_false(r.result.null_data);
    assert_int_equal(r.result.data.n, 0);
}

static void children_and_acls_are_lists_and_a_stat(void **state)
{
    (void)state;
    AUTO(reading_done) struct reading r = {0};
    const struct zk_call ls = {.op = ZK_GET_CHILDREN, .path = SLICE("/a")};
    const struct zk_call acl = {.op = ZK_GET_ACL, .path = SLICE("/a")};
    const struct zk_call who = {.op = ZK_WHO_AM_I};
    assert_int_equal(read_result(&r, &ls, ZK_OK, "00000002 00000001 'b' 00000002 'cd'" ZK_STAT),
                     RC_OK);
    assert_int_equal(r.result.n_children, 2);
    assert_true(slice_eq(r.result.children[0], SLICE("b")));
    assert_true(slice_eq(r.result.children[1], SLICE("cd")));
    expect_stat(&r.result.stat);
    assert_int_equal(
        read_result(&r, &acl, ZK_OK, "00000001 00000003 00000006 'digest' 00000003 'a:b'" ZK_STAT),
        RC_OK);
    assert_int_equal(r.result.n_acl, 1);
    assert_int_equal(r.result.acl[0].perms, ZNODE_READ | ZNODE_WRITE);
    assert_true(slice_eq(r.result.acl[0].scheme, SLICE("digest")));
    assert_true(slice_eq(r.result.acl[0].id, SLICE("a:b")));
    expect_stat(&r.result.stat);
    assert_int_equal(read_result(&r, &who, ZK_OK, "00000001 00000002 'ip' 00000003 '::1'"), RC_OK);
    assert_int_equal(r.result.n_acl, 1);
    assert_true(slice_eq(r.result.acl[0].id, SLICE("::1")));
}

static void writes_are_answered_by_the_stat(void **state)
{
    (void)state;
    AUTO(reading_done) struct reading r = {0};
    const struct zk_call create = {.op = ZK_CREATE, .path = SLICE("/a")};
    const struct zk_call set = {.op = ZK_SET_DATA, .path = SLICE("/a")};
    const struct zk_call drop = {.op = ZK_DELETE, .path = SLICE("/a")};
    assert_int_equal(read_result(&r, &create, ZK_OK, "00000002 '/a'" ZK_STAT), RC_OK);
    expect_stat(&r.result.stat);
    assert_int_equal(read_result(&r, &set, ZK_OK, ZK_STAT), RC_OK);
    expect_stat(&r.result.stat);
    assert_int_equal(read_result(&r, &drop, ZK_OK, ""), RC_OK);
    assert_int_equal(read_result(&r, &drop, ZK_NOT_EMPTY, ""), RC_OK);
    assert_int_equal(r.result.error, ZK_NOT_EMPTY);
}

static const struct zk_call WRITES[] = {{.op = ZK_CREATE, .path = SLICE("/a")},
                                        {.op = ZK_SET_DATA, .path = SLICE("/b")},
                                        {.op = ZK_DELETE, .path = SLICE("/c")}};
static const struct zk_call WRITE_ALL = {.op = ZK_MULTI, .parts = WRITES, .n_parts = 3};

static void a_multi_that_was_done_has_a_result_for_each_part(void **state)
{
    (void)state;
    AUTO(reading_done) struct reading r = {0};
    assert_int_equal(read_result(&r, &WRITE_ALL, ZK_OK,
                                 "0000000f 00 00000000 00000002 '/a'" ZK_STAT
                                 "00000005 00 00000000" ZK_STAT
                                 "00000002 00 00000000 ffffffff 01 ffffffff"),
                     RC_OK);
    assert_int_equal(r.result.error, ZK_OK);
    assert_int_equal(r.result.n_parts, 3);
    expect_stat(&r.result.parts[0].stat);
    expect_stat(&r.result.parts[1].stat);
    assert_int_equal(r.result.parts[2].error, ZK_OK);
}

/* As 3.8 answers. */
static void a_create_within_a_multi_may_be_answered_without_stat(void **state)
{
    (void)state;
    AUTO(reading_done) struct reading r = {0};
    assert_int_equal(read_result(&r, &WRITE_ALL, ZK_OK,
                                 "00000001 00 00000000 00000002 '/a' 00000005 00 00000000" ZK_STAT
                                 "00000002 00 00000000 ffffffff 01 ffffffff"),
                     RC_OK);
    assert_int_equal(r.result.error, ZK_OK);
    assert_int_equal(r.result.parts[0].stat.czxid, 0);
    expect_stat(&r.result.parts[1].stat);
}

static void a_multi_that_failed_has_the_error_of_its_cause(void **state)
{
    (void)state;
    AUTO(reading_done) struct reading r = {0};
    assert_int_equal(read_result(&r, &WRITE_ALL, ZK_OK,
                                 "ffffffff 00 00000000 00000000 ffffffff 00 ffffff99 ffffff99"
                                 "ffffffff 00 fffffffe fffffffe ffffffff 01 ffffffff"),
                     RC_OK);
    assert_int_equal(r.result.error, ZK_BAD_VERSION);
    assert_int_equal(r.result.parts[0].error, ZK_OK);
    assert_int_equal(r.result.parts[1].error, ZK_BAD_VERSION);
    assert_int_equal(r.result.parts[2].error, ZK_RUNTIME_INCONSISTENCY);
}

static const struct zk_call READS[] = {{.op = ZK_GET_DATA, .path = SLICE("/a")},
                                       {.op = ZK_GET_CHILDREN, .path = SLICE("/b")},
                                       {.op = ZK_GET_DATA, .path = SLICE("/c")}};
static const struct zk_call READ_ALL = {.op = ZK_MULTI_READ, .parts = READS, .n_parts = 3};

static void a_multi_read_has_an_error_of_its_own_for_each_part(void **state)
{
    (void)state;
    AUTO(reading_done) struct reading r = {0};
    assert_int_equal(read_result(&r, &READ_ALL, ZK_OK,
                                 "00000004 00 00000000 00000001 'x'" ZK_STAT
                                 "00000008 00 00000000 00000001 00000001 'n'"
                                 "ffffffff 00 ffffff9b ffffff9b ffffffff 01 ffffffff"),
                     RC_OK);
    assert_int_equal(r.result.error, ZK_OK);
    assert_true(slice_eq(r.result.parts[0].data, SLICE("x")));
    expect_stat(&r.result.parts[0].stat);
    assert_int_equal(r.result.parts[1].n_children, 1);
    assert_true(slice_eq(r.result.parts[1].children[0], SLICE("n")));
    assert_int_equal(r.result.parts[2].error, ZK_NO_NODE);
}

static void answers_that_lie_are_corrupt(void **state)
{
    (void)state;
    static const struct {
        const struct zk_call *call;
        const char *text;
    } cases[] = {
        {&READS[0], "00000004 'xyz'"},            /* data longer than the frame */
        {&READS[0], "fffffffe" ZK_STAT},          /* a negative length */
        {&READS[0], "00000001 'x'"},              /* no stat */
        {&READS[1], "7fffffff 00000000" ZK_STAT}, /* more names than bytes */
        {&READS[1], "ffffff00" ZK_STAT},
        {&READ_ALL,
         "00000004 00 00000000 00000001 'x'" ZK_STAT "ffffffff 01 ffffffff"}, /* too few parts */
        {&READ_ALL, "00000008 00 00000000 00000000"}, /* another part than asked */
        {&WRITE_ALL, "ffffffff 00 00000000 00000000 ffffffff 00 00000000 00000000"
                     "ffffffff 00 00000000 00000000 ffffffff 00 00000000 00000000"}, /* no end */
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        AUTO(reading_done) struct reading r = {0};
        assert_int_equal(read_result(&r, cases[i].call, ZK_OK, cases[i].text), RC_CORRUPT);
        assert_non_null(strstr(r.err.msg, "the answer to a call"));
    }
}

/* From an allocation of its own, so that a sanitizer sees a read behind its end. */
static void an_answer_that_is_cut_anywhere_is_corrupt(void **state)
{
    (void)state;
    static const struct zk_call acl = {.op = ZK_GET_ACL, .path = SLICE("/a")};
    static const struct {
        const struct zk_call *call;
        const char *text;
    } cases[] = {
        {&acl, "00000001 00000003 00000006 'digest' 00000003 'a:b'" ZK_STAT},
        {&READ_ALL,
         "00000004 00 00000000 00000001 'x'" ZK_STAT "00000008 00 00000000 00000001 00000001 'n'"
         "ffffffff 00 ffffff9b ffffff9b ffffffff 01 ffffffff"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        AUTO(reading_done) struct reading r = {0};
        struct slice whole = zk_bytes(cases[i].text, r.bytes);
        assert_int_equal(read_slice(&r, cases[i].call, ZK_OK, whole), RC_OK);
        for (size_t n = 0; n < whole.n; n++) {
            AUTO(freep) char *cut = malloc(n + 1);
            memcpy(cut, whole.p, n);
            assert_int_equal(read_slice(&r, cases[i].call, ZK_OK, slice_of(cut, n)), RC_CORRUPT);
        }
    }
}

static void fields_of_newer_servers_are_ignored(void **state)
{
    (void)state;
    AUTO(reading_done) struct reading r = {0};
    assert_int_equal(read_result(&r, &READS[0], ZK_OK, "00000001 'x'" ZK_STAT "0000000000000001"),
                     RC_OK);
    expect_stat(&r.result.stat);
}

static void heads_are_read_or_refused(void **state)
{
    (void)state;
    char bytes[ZK_BYTES_MAX];
    struct zk_welcome w;
    struct zk_reply reply;
    struct slice path;
    struct err e = ERR_INIT;
    struct slice s = zk_bytes("00000000 00002710 0000000000000011 00000010"
                              "00000000000000000000000000000000 00",
                              bytes);
    assert_int_equal(zk_jute_welcome(s, &w, &e), RC_OK);
    assert_int_equal(w.timeout_ms, 10000);
    assert_int_equal(w.session, 17);
    assert_int_equal(zk_jute_welcome(slice_of(s.p, 30), &w, &e), RC_CORRUPT);

    s = zk_bytes("ffffffff ffffffffffffffff 00000000 00000003 00000003 00000004 '/a/b'", bytes);
    assert_int_equal(zk_jute_reply(s, &reply, &e), RC_OK);
    assert_int_equal(reply.xid, ZK_XID_CHANGED);
    assert_int_equal(reply.zxid, -1);
    assert_int_equal(zk_jute_changed(reply.body, &path, &e), RC_OK);
    assert_true(slice_eq(path, SLICE("/a/b")));
    assert_int_equal(zk_jute_changed(slice_of(reply.body.p, 15), &path, &e), RC_CORRUPT);
    assert_int_equal(zk_jute_reply(slice_of(s.p, 15), &reply, &e), RC_CORRUPT);
    assert_non_null(strstr(e.msg, "the head of an answer"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_connect_request_asks_for_a_new_session),
        cmocka_unit_test(pings_closes_and_logins_have_ids_of_their_own),
        cmocka_unit_test(reads_are_a_path_and_no_watch),
        cmocka_unit_test(writes_carry_data_acl_and_version),
        cmocka_unit_test(a_multi_is_its_parts_each_behind_a_header_and_an_end),
        cmocka_unit_test(a_node_is_read_with_data_and_stat),
        cmocka_unit_test(children_and_acls_are_lists_and_a_stat),
        cmocka_unit_test(writes_are_answered_by_the_stat),
        cmocka_unit_test(a_multi_that_was_done_has_a_result_for_each_part),
        cmocka_unit_test(a_create_within_a_multi_may_be_answered_without_stat),
        cmocka_unit_test(a_multi_that_failed_has_the_error_of_its_cause),
        cmocka_unit_test(a_multi_read_has_an_error_of_its_own_for_each_part),
        cmocka_unit_test(answers_that_lie_are_corrupt),
        cmocka_unit_test(an_answer_that_is_cut_anywhere_is_corrupt),
        cmocka_unit_test(fields_of_newer_servers_are_ignored),
        cmocka_unit_test(heads_are_read_or_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
