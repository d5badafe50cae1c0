/* core/znode: paths as servers check them, version texts, and bodies that give back what was printed. */
#include "core/znode.h"

#include "core/buf.h"
#include "core/event.h"
#include "core/rng.h"
#include "core/scope.h"

#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>

#define COUNT(array) (sizeof(array) / sizeof(*(array)))

/* ---- Paths ---- */

static void paths_that_servers_take_are_paths(void **state)
{
    (void)state;
    static const char *const good[] = {
        "/",
        "/a",
        "/a/b",
        "/zookeeper/quota",
        "/a/...",
        "/.a",
        "/a.",
        "/a/..b",
        "/a/.b/c..",
        "/ ",
        "/a b",
        "/a\\b",
        "/%2f",
        "/@gap",
        "/~",
        "/\xc2\xa0",
        "/\xc3\xa4/\xe2\x82\xac", /* U+00A0, umlaut and euro sign */
        "/\xed\x9f\xbf",          /* U+D7FF */
        "/\xef\xa4\x80",          /* U+F900 */
        "/\xef\xbf\xaf",          /* U+FFEF */
    };
    for (size_t i = 0; i < COUNT(good); i++) {
        const char *why = "untouched";
        assert_true(znode_is_path(slice_str(good[i]), &why));
        assert_string_equal(why, "untouched");
    }
}

static void what_servers_refuse_is_no_path_and_why_is_said(void **state)
{
    (void)state;
    static const struct {
        struct slice path;
        const char *why;
    } bad[] = {
        {SLICE(""), "is empty"},
        {SLICE("a"), "does not begin"},
        {SLICE("a/b"), "does not begin"},
        {SLICE("./a"), "does not begin"},
        {SLICE("//"), "ends in /"},
        {SLICE("/a/"), "ends in /"},
        {SLICE("//a"), "empty segment"},
        {SLICE("/a//b"), "empty segment"},
        {SLICE("/."), ". or .."},
        {SLICE("/.."), ". or .."},
        {SLICE("/./a"), ". or .."},
        {SLICE("/../a"), ". or .."},
        {SLICE("/a/."), ". or .."},
        {SLICE("/a/./b"), ". or .."},
        {SLICE("/a/.."), ". or .."},
        {SLICE("/a/../b"), ". or .."},
        {SLICE("/a\0b"), "NUL"},
        {SLICE("/\0"), "NUL"},
        {SLICE("/\x01"), "control"},
        {SLICE("/a\nb"), "control"},
        {SLICE("/a/\x1f"), "control"},
        {SLICE("/\x7f"), "control"},
        {SLICE("/\xc2\x80"), "control"},
        {SLICE("/\xc2\x9f"), "control"},
        {SLICE("/\xed\xa0\x80"), "UTF-8"},             /* U+D800, a lone surrogate */
        {SLICE("/\xed\xbf\xbf"), "UTF-8"},             /* U+DFFF */
        {SLICE("/\xee\x80\x80"), "does not take"},     /* U+E000, of private use */
        {SLICE("/\xef\xa3\xbf"), "does not take"},     /* U+F8FF */
        {SLICE("/\xef\xbf\xb0"), "does not take"},     /* U+FFF0 */
        {SLICE("/\xef\xbf\xbf"), "does not take"},     /* U+FFFF */
        {SLICE("/\xf0\x9f\x90\x98"), "does not take"}, /* needs two surrogates */
        {SLICE("/\xff"), "UTF-8"},
        {SLICE("/a\xc3"), "UTF-8"},
        {SLICE("/\xc0\xaf"), "UTF-8"},
    };
    for (size_t i = 0; i < COUNT(bad); i++) {
        const char *why = "";
        assert_false(znode_is_path(bad[i].path, &why));
        assert_non_null(strstr(why, bad[i].why));
        assert_false(znode_is_path(bad[i].path, NULL));
    }
}

static void a_path_may_be_as_long_as_a_key(void **state)
{
    (void)state;
    char path[ZNODE_PATH_MAX + 1];
    memset(path, 'a', sizeof(path));
    path[0] = '/';
    const char *why = "";
    assert_true(znode_is_path(slice_of(path, ZNODE_PATH_MAX), &why));
    assert_false(znode_is_path(slice_of(path, ZNODE_PATH_MAX + 1), &why));
    assert_non_null(strstr(why, "longer than 4096"));
}

static void a_path_leads_to_its_parent_up_to_the_root(void **state)
{
    (void)state;
    static const char *const pairs[][2] = {
        {"/a/b/c", "/a/b"}, {"/a/b", "/a"}, {"/a", "/"}, {"/", ""}, {"", ""}};
    for (size_t i = 0; i < COUNT(pairs); i++) {
        struct slice parent = znode_parent(slice_str(pairs[i][0]));
        assert_true(slice_eq(parent, slice_str(pairs[i][1])));
    }
}

static void below_a_root_is_what_begins_with_its_segments(void **state)
{
    (void)state;
    assert_true(znode_is_within(SLICE("/"), SLICE("/")));
    assert_true(znode_is_within(SLICE("/a/b"), SLICE("/")));
    assert_true(znode_is_within(SLICE("/a"), SLICE("/a")));
    assert_true(znode_is_within(SLICE("/a/b"), SLICE("/a")));
    assert_false(znode_is_within(SLICE("/ab"), SLICE("/a")));
    assert_false(znode_is_within(SLICE("/ab/a"), SLICE("/a")));
    assert_false(znode_is_within(SLICE("/"), SLICE("/a")));
    assert_false(znode_is_within(SLICE("/b/a"), SLICE("/a")));
    assert_false(znode_is_within(SLICE("@sync//a"), SLICE("/")));
}

/* ---- Sequence, version, uid ---- */

static void the_sequence_counts_the_children_that_were_ever_created(void **state)
{
    (void)state;
    /* ten created, seven deleted: a server tells 2 * 10 - 3 */
    assert_int_equal(znode_sequence(&(struct znode_stat){.cversion = 17, .num_children = 3}), 10);
    assert_int_equal(znode_sequence(&(struct znode_stat){0}), 0);
    assert_int_equal(znode_sequence(&(struct znode_stat){.cversion = 1, .num_children = 1}), 1);
    assert_int_equal(znode_sequence(&(struct znode_stat){.cversion = 2}), 1);
    /* the server's 32 bits have wrapped: 2 * 1,500,000,000 - 4 */
    int32_t wrapped = (int32_t)(2 * 1500000000u - 4);
    assert_int_equal(znode_sequence(&(struct znode_stat){.cversion = wrapped, .num_children = 4}),
                     1500000000);
}

static void assert_version(const struct znode *n, const char *want)
{
    AUTO(buf_done) struct buf out = BUF_INIT(100);
    znode_print_version(n, &out);
    assert_string_equal(out.p, want);
    assert_int_equal(znode_version_zxid(buf_slice(&out)), n->stat.mzxid);
}

static void a_version_names_data_acl_and_sequence_and_gives_back_its_zxid(void **state)
{
    (void)state;
    struct znode n = {.stat = {.mzxid = 0x1000000af, .cversion = 40, .num_children = 2}};
    assert_version(&n, "1000000af-x-15");
    n.stat.aversion = 12;
    assert_version(&n, "1000000af-x-15");
    n.has_acl = true;
    assert_version(&n, "1000000af-c-15");
    n.stat = (struct znode_stat){.mzxid = INT64_MAX, .aversion = -1};
    assert_version(&n, "7fffffffffffffff-ffffffff-0");
    n.stat = (struct znode_stat){0};
    assert_version(&n, "0-0-0");
    AUTO(buf_done) struct buf out = BUF_INIT(100);
    n.stat.czxid = 0x20000001b;
    znode_print_uid(&n, &out);
    assert_string_equal(out.p, "20000001b");
}

static void another_text_is_no_version(void **state)
{
    (void)state;
    static const char *const bad[] = {"",
                                      "4",
                                      "4-0",
                                      "-0-0",
                                      "4--0",
                                      "4-0-",
                                      "4-x-",
                                      "4-y-0",
                                      "4-xx-0",
                                      "G-0-0",
                                      "4-0-0-0",
                                      "4-0-0 ",
                                      "A-0-0",
                                      " 4-0-0",
                                      "12345",
                                      "-1-0-0",
                                      "4-123456789-0",
                                      "8000000000000000-0-0",
                                      "10000000000000000-0-0",
                                      "4-0-10000000000000000"};
    for (size_t i = 0; i < COUNT(bad); i++)
        assert_int_equal(znode_version_zxid(slice_str(bad[i])), -1);
    assert_int_equal(znode_version_zxid(SLICE("4\0-0-0")), -1);
}

/* ---- Bodies ---- */

#define ZERO_STAT                                                                                  \
    "\"stat\":{\"czxid\":0,\"mzxid\":0,\"pzxid\":0,\"ctime\":0,\"mtime\":0,\"version\":0,"         \
    "\"cversion\":0,\"aversion\":0,\"ephemeralOwner\":0,\"dataLength\":0,\"numChildren\":0}"

static void assert_prints(const struct znode *n, const char *want)
{
    AUTO(buf_done) struct buf out = BUF_INIT(EVENT_BODY_MAX);
    znode_print(n, &out);
    assert_int_equal(buf_check(&out, "the body", NULL), RC_OK);
    assert_string_equal(out.p, want);
}

static void data_is_text_where_a_person_can_read_it_and_else_base64(void **state)
{
    (void)state;
    static const struct {
        struct slice data;
        const char *want;
    } rows[] = {
        {SLICE(""), "{\"text\":\"\"," ZERO_STAT "}"},
        {SLICE("a\"\\b"), "{\"text\":\"a\\\"\\\\b\"," ZERO_STAT "}"},
        {SLICE("\t\n\r"), "{\"text\":\"\\t\\n\\r\"," ZERO_STAT "}"},
        {SLICE("\xc3\xa4\xc2\xa0\xf0\x9f\x90\x98"),
         "{\"text\":\"\xc3\xa4\xc2\xa0\xf0\x9f\x90\x98\"," ZERO_STAT "}"},
        {SLICE("\0"), "{\"base64\":\"AA==\"," ZERO_STAT "}"},
        {SLICE("a\x1f"), "{\"base64\":\"YR8=\"," ZERO_STAT "}"},
        {SLICE("\x7f"), "{\"base64\":\"fw==\"," ZERO_STAT "}"},
        {SLICE("\xc2\x80"), "{\"base64\":\"woA=\"," ZERO_STAT "}"},
        {SLICE("\xc2\x9f"), "{\"base64\":\"wp8=\"," ZERO_STAT "}"},
        {SLICE("\xff"), "{\"base64\":\"/w==\"," ZERO_STAT "}"},
        {SLICE("\xed\xa0\x80"), "{\"base64\":\"7aCA\"," ZERO_STAT "}"},
        {SLICE("ok\xc3"), "{\"base64\":\"b2vD\"," ZERO_STAT "}"},
    };
    for (size_t i = 0; i < COUNT(rows); i++)
        assert_prints(&(struct znode){.data = rows[i].data}, rows[i].want);
}

static void null_data_is_something_else_than_empty_data(void **state)
{
    (void)state;
    struct znode null = {.null_data = true}, empty = {0};
    assert_prints(&null, "{" ZERO_STAT "}");
    assert_false(znode_same_data(&null, &empty));
    assert_true(znode_same_data(&null, &null));
    assert_true(znode_same_data(&empty, &empty));
    assert_false(znode_same_data(&empty, &(struct znode){.data = SLICE("a")}));
}

static void a_whole_node_is_printed_in_one_order(void **state)
{
    (void)state;
    const struct znode_acl acl[] = {
        {ZNODE_ALL, SLICE("world"), SLICE("anyone")},
        {ZNODE_READ | ZNODE_ADMIN, SLICE("digest"), SLICE("u:\"x\"")},
        {0, SLICE("ip"), SLICE("")},
        {64, SLICE("x"), SLICE("y")},
    };
    struct znode n = {.data = SLICE("hi"),
                      .has_acl = true,
                      .acl = acl,
                      .n_acl = COUNT(acl),
                      .stat = {1, 2, 3, 4, 5, -6, 7, 8, INT64_MIN, 10, 11}};
    assert_prints(
        &n,
        "{\"text\":\"hi\",\"acl\":[{\"perms\":\"cdrwa\",\"scheme\":\"world\",\"id\":\"anyone\"},"
        "{\"perms\":\"ra\",\"scheme\":\"digest\",\"id\":\"u:\\\"x\\\"\"},"
        "{\"perms\":\"\",\"scheme\":\"ip\",\"id\":\"\"},"
        "{\"perms\":64,\"scheme\":\"x\",\"id\":\"y\"}],"
        "\"stat\":{\"czxid\":1,\"mzxid\":2,\"pzxid\":3,\"ctime\":4,\"mtime\":5,\"version\":-6,"
        "\"cversion\":7,\"aversion\":8,\"ephemeralOwner\":-9223372036854775808,"
        "\"dataLength\":10,\"numChildren\":11}}");
    n.n_acl = 0;
    n.stat = (struct znode_stat){0};
    assert_prints(&n, "{\"text\":\"hi\",\"acl\":[]," ZERO_STAT "}");
}

static uint32_t random_perms(struct rng *r)
{
    return (uint32_t)(rng_below(r, 8) ? rng_below(r, 32) : rng_u64(r));
}

static struct znode_stat random_stat(struct rng *r)
{
    int64_t wide[6];
    int32_t narrow[5];
    r->ops->fill(r, wide, sizeof(wide));
    r->ops->fill(r, narrow, sizeof(narrow));
    return (struct znode_stat){wide[0],   wide[1],   wide[2], wide[3],   wide[4],  narrow[0],
                               narrow[1], narrow[2], wide[5], narrow[3], narrow[4]};
}

/* Bytes of an alphabet that meets texts, near-texts and anything at all. */
static struct slice random_data(struct rng *r, char *out, size_t max)
{
    static const struct slice pieces[] = {SLICE("a"),
                                          SLICE("\""),
                                          SLICE("\\"),
                                          SLICE("\n"),
                                          SLICE("\xc3\xa4"),
                                          SLICE("\xe2\x82\xac"),
                                          SLICE("\xf0\x9f\x90\x98"),
                                          SLICE("{}")};
    size_t n = rng_below(r, max - 4), used = 0;
    bool text = rng_below(r, 2);
    while (used < n) {
        struct slice piece = pieces[rng_below(r, COUNT(pieces))];
        char any = (char)rng_u64(r);
        if (!text && !rng_below(r, 4))
            piece = slice_of(&any, 1);
        memcpy(out + used, piece.p, piece.n);
        used += piece.n;
    }
    return slice_of(out, used);
}

static void assert_same_stat(const struct znode_stat *a, const struct znode_stat *b)
{
    assert_true(a->czxid == b->czxid && a->mzxid == b->mzxid && a->pzxid == b->pzxid);
    assert_true(a->ctime == b->ctime && a->mtime == b->mtime);
    assert_true(a->version == b->version && a->cversion == b->cversion &&
                a->aversion == b->aversion);
    assert_true(a->ephemeral_owner == b->ephemeral_owner && a->data_length == b->data_length &&
                a->num_children == b->num_children);
}

static void assert_same(const struct znode *a, const struct znode *b)
{
    assert_true(znode_same_data(a, b));
    assert_true(znode_same_acl(a, b));
    assert_same_stat(&a->stat, &b->stat);
    assert_int_equal(a->n_acl, b->n_acl);
    for (size_t i = 0; i < a->n_acl; i++)
        assert_true(a->acl[i].perms == b->acl[i].perms &&
                    slice_eq(a->acl[i].scheme, b->acl[i].scheme) &&
                    slice_eq(a->acl[i].id, b->acl[i].id));
}

static void assert_comes_back(const struct znode *n)
{
    AUTO(buf_done) struct buf body = BUF_INIT(EVENT_BODY_MAX), again = BUF_INIT(EVENT_BODY_MAX);
    AUTO(znode_doc_freep) struct znode_doc *doc = NULL;
    znode_print(n, &body);
    assert_int_equal(znode_parse(buf_slice(&body), &doc, NULL), RC_OK);
    assert_same(n, znode_of(doc));
    memset(body.p, 'x', body.n); /* the document has its own bytes */
    assert_same(n, znode_of(doc));
    znode_print(znode_of(doc), &again);
    AUTO(buf_done) struct buf once_more = BUF_INIT(EVENT_BODY_MAX);
    znode_print(n, &once_more);
    assert_true(slice_eq(buf_slice(&again), buf_slice(&once_more)));
}

static void whatever_was_printed_comes_back(void **state)
{
    (void)state;
    struct rng_seeded r;
    rng_seeded_init(&r, 5);
    for (int i = 0; i < 2000; i++) {
        char data[200], ids[4][40];
        struct znode_acl acl[4];
        struct znode n = {.null_data = !rng_below(&r.rng, 10), .has_acl = rng_below(&r.rng, 3)};
        if (!n.null_data)
            n.data = random_data(&r.rng, data, sizeof(data));
        if (n.has_acl)
            n.n_acl = rng_below(&r.rng, COUNT(acl) + 1);
        n.acl = acl;
        for (size_t k = 0; k < n.n_acl; k++) {
            size_t len = rng_below(&r.rng, sizeof(ids[k]));
            memset(ids[k], (int)('"' + rng_below(&r.rng, 60)), sizeof(ids[k]));
            acl[k] = (struct znode_acl){random_perms(&r.rng), SLICE("digest"), {ids[k], len}};
        }
        n.stat = random_stat(&r.rng);
        assert_comes_back(&n);
    }
}

static void the_biggest_data_fits_into_a_body(void **state)
{
    (void)state;
    AUTO(freep) char *data = malloc(ZNODE_DATA_MAX);
    assert_non_null(data);
    memset(data, '\\', ZNODE_DATA_MAX);
    assert_comes_back(&(struct znode){.data = {data, ZNODE_DATA_MAX}});
    memset(data, 0, ZNODE_DATA_MAX);
    assert_comes_back(&(struct znode){.data = {data, ZNODE_DATA_MAX}});
}

static void white_space_order_and_unknown_members_make_no_difference(void **state)
{
    (void)state;
    AUTO(znode_doc_freep) struct znode_doc *doc = NULL;
    assert_int_equal(znode_parse(SLICE(" { \"more\": [1], " ZERO_STAT ", \"acl\": [ {\"id\":\"b\","
                                       "\"scheme\":\"a\",\"perms\":\"arwdc\", \"x\": 0} ], "
                                       "\"base64\": \"QQ ==\" } "),
                                 &doc, NULL),
                     RC_OK);
    const struct znode_acl acl = {ZNODE_ALL, SLICE("a"), SLICE("b")};
    assert_same(znode_of(doc),
                &(struct znode){.data = SLICE("A"), .has_acl = true, .acl = &acl, .n_acl = 1});
}

static void what_is_no_body_is_refused_and_what_is_wrong_is_said(void **state)
{
    (void)state;
    static const struct {
        const char *body, *why;
    } bad[] = {
        {"", "byte 0"},
        {"[]", "not a JSON object"},
        {"\"secret\"", "not a JSON object"},
        {"{}", "stat.czxid"},
        {"{\"stat\":7}", "stat.czxid"},
        {"{\"stat\":{\"czxid\":1.0}}", "stat.czxid"},
        {"{\"stat\":{\"czxid\":1}}", "stat.mzxid"},
        {"{\"text\":1," ZERO_STAT "}", "must be strings"},
        {"{\"text\":null," ZERO_STAT "}", "must be strings"},
        {"{\"base64\":[]," ZERO_STAT "}", "must be strings"},
        {"{\"text\":\"\",\"base64\":\"\"," ZERO_STAT "}", "both"},
        {"{\"base64\":\"secret!\"," ZERO_STAT "}", "base64: byte 7"},
        {"{\"acl\":{}," ZERO_STAT "}", "an array"},
        {"{\"acl\":[1]," ZERO_STAT "}", "perms"},
        {"{\"acl\":[{\"perms\":\"q\",\"scheme\":\"\",\"id\":\"\"}]," ZERO_STAT "}", "perms"},
        {"{\"acl\":[{\"perms\":\"rr\",\"scheme\":\"\",\"id\":\"\"}]," ZERO_STAT "}", "perms"},
        {"{\"acl\":[{\"perms\":-1,\"scheme\":\"\",\"id\":\"\"}]," ZERO_STAT "}", "perms"},
        {"{\"acl\":[{\"perms\":4294967296,\"scheme\":\"\",\"id\":\"\"}]," ZERO_STAT "}", "perms"},
        {"{\"acl\":[{\"perms\":\"r\",\"id\":\"\"}]," ZERO_STAT "}", "scheme and id"},
        {"{\"acl\":[{\"perms\":\"r\",\"scheme\":\"\",\"id\":1}]," ZERO_STAT "}", "scheme and id"},
    };
    for (size_t i = 0; i < COUNT(bad); i++) {
        struct znode_doc *doc = NULL;
        struct err e = ERR_INIT;
        assert_int_equal(znode_parse(slice_str(bad[i].body), &doc, &e), RC_INVALID);
        assert_null(doc);
        assert_non_null(strstr(e.msg, bad[i].why));
        assert_null(strstr(e.msg, "secret"));
        assert_int_equal(znode_parse(slice_str(bad[i].body), &doc, NULL), RC_INVALID);
    }
}

static void a_number_beyond_its_bits_is_refused(void **state)
{
    (void)state;
    struct znode n = {.stat.version = 77};
    AUTO(buf_done) struct buf body = BUF_INIT(EVENT_BODY_MAX);
    znode_print(&n, &body);
    char *at = strstr(body.p, "77");
    AUTO(buf_done) struct buf wrong = BUF_INIT(EVENT_BODY_MAX);
    buf_add(&wrong, body.p, (size_t)(at - body.p));
    buf_add_str(&wrong, "2147483648");
    buf_add_str(&wrong, at + 2);
    struct znode_doc *doc = NULL;
    struct err e = ERR_INIT;
    assert_int_equal(znode_parse(buf_slice(&wrong), &doc, &e), RC_INVALID);
    assert_non_null(strstr(e.msg, "stat.version"));
}

static void acls_are_the_same_in_any_order(void **state)
{
    (void)state;
    const struct znode_acl one = {ZNODE_READ, SLICE("world"), SLICE("anyone")},
                           two = {ZNODE_ALL, SLICE("digest"), SLICE("u:x")},
                           three = {ZNODE_ALL, SLICE("digest"), SLICE("u:y")};
    const struct znode_acl ab[] = {one, two}, ba[] = {two, one}, abc[] = {one, two, three},
                           ac[] = {one, three};
    struct znode x = {.has_acl = true, .acl = ab, .n_acl = 2}, y = x, none = {0};
    y.acl = ba;
    assert_true(znode_same_acl(&x, &y));
    y.acl = ac;
    assert_false(znode_same_acl(&x, &y));
    y = (struct znode){.has_acl = true, .acl = abc, .n_acl = 3};
    assert_false(znode_same_acl(&x, &y));
    assert_false(znode_same_acl(&y, &x));
    y = (struct znode){.has_acl = true};
    assert_false(znode_same_acl(&x, &y));
    assert_false(znode_same_acl(&none, &y)); /* not read is not empty */
    assert_true(znode_same_acl(&none, &none));
}

static void an_acl_whose_digests_are_hidden_is_known(void **state)
{
    (void)state;
    const struct znode_acl plain[] = {{ZNODE_READ, SLICE("world"), SLICE("anyone")},
                                      {ZNODE_ALL, SLICE("digest"), SLICE("u:aGFzaA==")},
                                      {ZNODE_ALL, SLICE("ip"), SLICE("::x")}};
    const struct znode_acl hidden[] = {plain[0], {ZNODE_ALL, SLICE("digest"), SLICE("u:x")}};
    assert_false(znode_acl_is_masked(plain, COUNT(plain)));
    assert_true(znode_acl_is_masked(hidden, COUNT(hidden)));
    assert_false(znode_acl_is_masked(NULL, 0));
}

static void a_persistent_node_is_told_without_a_parse(void **state)
{
    (void)state;
    struct znode n = {.null_data = true};
    AUTO(buf_done) struct buf body = BUF_INIT(4096);
    znode_print(&n, &body);
    assert_true(znode_is_surely_persistent(buf_slice(&body)));
    buf_reset(&body);
    n.stat.ephemeral_owner = 10;
    n.null_data = false;
    n.data = SLICE("\"ephemeralOwner\":0,"); /* in its text */
    znode_print(&n, &body);
    assert_false(znode_is_surely_persistent(buf_slice(&body)));
    assert_false(znode_is_surely_persistent(SLICE_NULL));
    assert_false(znode_is_surely_persistent(SLICE("{\"stat\":{\"ephemeralOwner\":0")));
    assert_false(znode_is_surely_persistent(SLICE("{\"stat\":{\"ephemeralOwner\":0x1}}")));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_persistent_node_is_told_without_a_parse),
        cmocka_unit_test(paths_that_servers_take_are_paths),
        cmocka_unit_test(what_servers_refuse_is_no_path_and_why_is_said),
        cmocka_unit_test(a_path_may_be_as_long_as_a_key),
        cmocka_unit_test(a_path_leads_to_its_parent_up_to_the_root),
        cmocka_unit_test(below_a_root_is_what_begins_with_its_segments),
        cmocka_unit_test(the_sequence_counts_the_children_that_were_ever_created),
        cmocka_unit_test(a_version_names_data_acl_and_sequence_and_gives_back_its_zxid),
        cmocka_unit_test(another_text_is_no_version),
        cmocka_unit_test(data_is_text_where_a_person_can_read_it_and_else_base64),
        cmocka_unit_test(null_data_is_something_else_than_empty_data),
        cmocka_unit_test(a_whole_node_is_printed_in_one_order),
        cmocka_unit_test(whatever_was_printed_comes_back),
        cmocka_unit_test(the_biggest_data_fits_into_a_body),
        cmocka_unit_test(white_space_order_and_unknown_members_make_no_difference),
        cmocka_unit_test(what_is_no_body_is_refused_and_what_is_wrong_is_said),
        cmocka_unit_test(a_number_beyond_its_bits_is_refused),
        cmocka_unit_test(acls_are_the_same_in_any_order),
        cmocka_unit_test(an_acl_whose_digests_are_hidden_is_known),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
