/* Marks: whose a copy is, and when a mark does not count. */
#include "tests/unit/sinks/kube_test.h"

#include "sinks/kube_mark.h"

#define KEY SLICE("/configmaps/ns/a")

static const struct kube_writer me = {.destination = {"dest-1", 6},
                                      .sync_id = "0123456789abcdef",
                                      .former = {"00000000aaaaaaaa", "00000000bbbbbbbb"},
                                      .n_former = 2};

static struct kube_marks read(const char *owner, const char *origin)
{
    AUTO(buf_done) struct buf text = BUF_INIT(4096);
    struct kube_marks m;
    buf_addf(&text, "{'metadata':{'annotations':{'x':'1'%s%s%s%s%s%s}}}",
             owner ? ",'sync.resilog.io/owner':'" : "", owner ? owner : "", owner ? "'" : "",
             origin ? ",'sync.resilog.io/origin':'" : "", origin ? origin : "", origin ? "'" : "");
    AUTO(json_freep) struct json_doc *d = kt_parse(text.p);
    kube_marks_read(d, json_root(d), &me, KEY, &m);
    m.sync_id.p = m.origin_cluster.p = m.origin_uid.p = NULL; /* they end with the document */
    return m;
}

static void a_mark_counts_only_where_all_its_parts_match(void **state)
{
    (void)state;
    assert_int_equal(read("v1 dest-1 0123456789abcdef /configmaps/ns/a", NULL).claim, KUBE_OURS);
    static const char *const nobodys[] = {"v2 dest-1 0123456789abcdef /configmaps/ns/a",
                                          "v1 dest-2 0123456789abcdef /configmaps/ns/a",
                                          "v1 dest-1 0123456789abcdef /configmaps/ns/b",
                                          "v1 dest-1 0123456789abcdef /configmaps/ns/ab",
                                          "v1 dest-1 0123456789abcdef /secrets/ns/a",
                                          "v1 dest-1 0123456789abcdef",
                                          "v1 dest-1 0123 /configmaps/ns/a",
                                          "v1",
                                          "",
                                          "v1 dest-1 0123456789abcdef /configmaps/ns/a x",
                                          "v1  dest-1 0123456789abcdef /configmaps/ns/a"};
    for (size_t i = 0; i < sizeof nobodys / sizeof *nobodys; i++)
        assert_int_equal(read(nobodys[i], NULL).claim, KUBE_UNMARKED);
    assert_int_equal(read(NULL, NULL).claim, KUBE_UNMARKED);
}

static void the_mark_of_another_synchronization_is_foreign(void **state)
{
    (void)state;
    struct kube_marks m = read("v1 dest-1 fedcba9876543210 /configmaps/ns/a", NULL);
    assert_int_equal(m.claim, KUBE_FOREIGN);
    assert_int_equal(m.sync_id.n, KUBE_SYNC_ID_SIZE);
    assert_false(read("v1 dest-1 fedcba9876543210 /configmaps/ns/a adopted", NULL).adopted);
}

static void a_mark_of_before_another_source_was_accepted_is_ours_and_is_set_anew(void **state)
{
    (void)state;
    bool changed = false;
    struct err e = ERR_INIT;
    const char *text = "{'metadata':{'annotations':{'sync.resilog.io/owner':"
                       "'v1 dest-1 00000000bbbbbbbb /configmaps/ns/a adopted'}}}";
    AUTO(json_freep) struct json_doc *d = kt_parse(text);
    struct kube_marks m;
    kube_marks_read(d, json_root(d), &me, KEY, &m);
    assert_int_equal(m.claim, KUBE_OURS);
    assert_true(m.adopted);
    assert_int_equal(kube_marks_set(d, &me, KEY, &m, &changed, &e), RC_OK);
    assert_true(changed);
}

static void an_adopted_object_says_so(void **state)
{
    (void)state;
    struct kube_marks m = read("v1 dest-1 0123456789abcdef /configmaps/ns/a adopted", NULL);
    assert_int_equal(m.claim, KUBE_OURS);
    assert_true(m.adopted);
    assert_false(read("v1 dest-1 0123456789abcdef /configmaps/ns/a", NULL).adopted);
}

static void an_origin_has_a_cluster_and_a_uid(void **state)
{
    (void)state;
    struct kube_marks m = read(NULL, "v1 first-cluster u-1");
    assert_int_equal(m.origin_cluster.n, 13);
    assert_int_equal(m.origin_uid.n, 3);
    static const char *const none[] = {"v1 first-cluster", "v1 a b c", "v2 a b", "v1  b", ""};
    for (size_t i = 0; i < sizeof none / sizeof *none; i++) {
        m = read(NULL, none[i]);
        assert_int_equal(m.origin_cluster.n, 0);
        assert_int_equal(m.origin_uid.n, 0);
    }
}

static void annotations_that_are_no_object_hold_no_mark(void **state)
{
    (void)state;
    AUTO(json_freep) struct json_doc *d = kt_parse("{'metadata':{'annotations':null}}");
    struct kube_marks m;
    kube_marks_read(d, json_root(d), &me, KEY, &m);
    assert_int_equal(m.claim, KUBE_UNMARKED);
}

static void assert_sets(const char *json, const struct kube_marks *m, const char *want,
                        bool want_changed)
{
    AUTO(json_freep) struct json_doc *d = kt_parse(json);
    struct err e = ERR_INIT;
    bool changed = !want_changed;
    assert_int_equal(kube_marks_set(d, &me, KEY, m, &changed, &e), RC_OK);
    kt_assert_doc(d, want);
    assert_int_equal(changed, want_changed);
}

#define OWNER "'sync.resilog.io/owner':'v1 dest-1 0123456789abcdef /configmaps/ns/a'"

static void marks_are_set_without_touching_anything_else(void **state)
{
    (void)state;
    const struct kube_marks plain = {0};
    const struct kube_marks full = {
        .adopted = true, .origin_cluster = SLICE("c"), .origin_uid = SLICE("u")};
    assert_sets("{'metadata':{'name':'a'}, 'data':{ }}", &plain,
                "{'metadata':{'name':'a','annotations':{" OWNER "}}, 'data':{ }}", true);
    assert_sets("{'metadata':{'annotations':{'b': '1'}}}", &full,
                "{'metadata':{'annotations':{'b': '1','sync.resilog.io/owner':'v1 dest-1 "
                "0123456789abcdef /configmaps/ns/a adopted','sync.resilog.io/origin':'v1 c u'}}}",
                true);
    assert_sets("{'metadata':{'annotations':null}}", &plain,
                "{'metadata':{'annotations':{" OWNER "}}}", true);
}

static void marks_that_are_there_change_nothing(void **state)
{
    (void)state;
    const struct kube_marks plain = {0};
    assert_sets("{'metadata':{'annotations':{" OWNER "}}}", &plain,
                "{'metadata':{'annotations':{" OWNER "}}}", false);
}

static void what_was_set_is_read_back(void **state)
{
    (void)state;
    AUTO(json_freep) struct json_doc *d = kt_parse("{'metadata':{}}");
    const struct slice key = SLICE("example.com/widgets//name with adopted");
    const struct kube_marks in = {
        .adopted = true, .origin_cluster = SLICE("c"), .origin_uid = SLICE("u")};
    struct kube_marks out;
    struct err e = ERR_INIT;
    bool changed;
    assert_int_equal(kube_marks_set(d, &me, key, &in, &changed, &e), RC_OK);
    kube_marks_read(d, json_root(d), &me, key, &out);
    assert_int_equal(out.claim, KUBE_OURS);
    assert_true(out.adopted);
    assert_true(slice_eq(out.origin_cluster, SLICE("c")) && slice_eq(out.origin_uid, SLICE("u")));
}

static void an_object_without_metadata_is_refused(void **state)
{
    (void)state;
    AUTO(json_freep) struct json_doc *d = kt_parse("{}");
    const struct kube_marks plain = {0};
    struct err e = ERR_INIT;
    bool changed = false;
    assert_int_equal(kube_marks_set(d, &me, KEY, &plain, &changed, &e), RC_INVALID);
    assert_false(changed);
}

static void the_sync_id_is_of_source_and_name(void **state)
{
    (void)state;
    char a[KUBE_SYNC_ID_SIZE + 1], b[KUBE_SYNC_ID_SIZE + 1];
    struct err e = ERR_INIT;
    /* printf 'source/ns/name' | sha256sum | cut -c1-16 */
    assert_int_equal(kube_sync_id(SLICE("source"), SLICE("ns/name"), a, &e), RC_OK);
    assert_string_equal(a, "89d05ebaea83f4e5");
    assert_int_equal(kube_sync_id(SLICE("source"), SLICE("ns/other"), b, &e), RC_OK);
    assert_string_not_equal(a, b);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_mark_counts_only_where_all_its_parts_match),
        cmocka_unit_test(the_mark_of_another_synchronization_is_foreign),
        cmocka_unit_test(a_mark_of_before_another_source_was_accepted_is_ours_and_is_set_anew),
        cmocka_unit_test(an_adopted_object_says_so),
        cmocka_unit_test(an_origin_has_a_cluster_and_a_uid),
        cmocka_unit_test(annotations_that_are_no_object_hold_no_mark),
        cmocka_unit_test(marks_are_set_without_touching_anything_else),
        cmocka_unit_test(marks_that_are_there_change_nothing),
        cmocka_unit_test(what_was_set_is_read_back),
        cmocka_unit_test(an_object_without_metadata_is_refused),
        cmocka_unit_test(the_sync_id_is_of_source_and_name),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
