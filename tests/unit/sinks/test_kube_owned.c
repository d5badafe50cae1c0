/* What managedFields says that we wrote. */
#include "tests/unit/sinks/kube_test.h"

#include "sinks/kube_owned.h"

#define ENTRY(manager, operation, version, more, fields)                                           \
    "{'manager':'" manager "','operation':'" operation "','apiVersion':'" version "'" more         \
    ",'time':'2026-01-01T00:00:00Z','fieldsType':'FieldsV1','fieldsV1':" fields "}"
#define OURS(fields) ENTRY("resilog", "Update", "v1", "", fields)
#define OBJECT(entries)                                                                            \
    "{'apiVersion':'v1','kind':'ConfigMap','metadata':{'name':'a','managedFields':[" entries "]}}"

/* want NULL: nothing. */
static void assert_owns(const char *live, const char *want)
{
    AUTO(json_freep) struct json_doc *d = kt_parse(live);
    AUTO(json_freep) struct json_doc *owned = NULL;
    struct err e = ERR_INIT;
    assert_int_equal(kube_owned(d, &owned, &e), RC_OK);
    if (want)
        kt_assert_doc(owned, want);
    else
        assert_null(owned);
}

static void members_keep_their_places(void **state)
{
    (void)state;
    assert_owns(OBJECT(OURS("{'f:data':{'.':{},'f:a':{},'f:x.y/z':{}},'f:immutable':{}}")),
                "{'data':{'a':null,'x.y/z':null},'immutable':null}");
}

static void an_object_of_which_only_itself_is_ours_is_empty(void **state)
{
    (void)state;
    assert_owns(OBJECT(OURS("{'f:metadata':{'f:labels':{'.':{}}}}")), "{'metadata':{'labels':{}}}");
}

static void a_list_counts_as_a_whole(void **state)
{
    (void)state;
    assert_owns(OBJECT(OURS("{'f:spec':{'f:ports':{'.':{},'k:{\\'port\\':80}':{'f:port':{}}},"
                            "'f:finalizers':{'v:\\'x\\'':{}},'f:list':{'i:0':{}}}}")),
                "{'spec':{'ports':null,'finalizers':null,'list':null}}");
}

static void our_marks_are_no_part_of_it(void **state)
{
    (void)state;
    assert_owns(OBJECT(OURS("{'f:metadata':{'f:annotations':{'.':{},'f:sync.resilog.io/owner':{},"
                            "'f:sync.resilog.io/origin':{},'f:note':{}}}}")),
                "{'metadata':{'annotations':{'note':null}}}");
}

static void entries_of_others_do_not_count(void **state)
{
    (void)state;
    assert_owns(OBJECT(ENTRY("kubectl", "Update", "v1", "", "{'f:data':{'f:a':{}}}")), NULL);
    assert_owns(OBJECT(ENTRY("resilog", "Update", "v2", "", "{'f:data':{'f:a':{}}}")), NULL);
    assert_owns(OBJECT(ENTRY("resilog", "Update", "v1", ",'subresource':'status'",
                             "{'f:status':{'f:a':{}}}")),
                NULL);
    assert_owns(OBJECT(ENTRY("kubectl", "Update", "v1", "",
                             "{'f:data':{'f:a':{}}}") "," OURS("{'f:data':{'f:b':{}}}")),
                "{'data':{'b':null}}");
}

static void unite(const char *live, const char *operation, const char *want)
{
    AUTO(json_freep) struct json_doc *d = kt_parse(live);
    struct err e = ERR_INIT;
    bool changed = !want;
    assert_int_equal(kube_owned_unite(d, operation, &changed, &e), RC_OK);
    assert_int_equal(changed, want != NULL);
    kt_assert_doc(d, want ? want : live);
}

#define APPLIED(fields) ENTRY("resilog", "Apply", "v1", "", fields)
#define THEIRS                                                                                     \
    ENTRY("kubectl", "Update", "v1", "", "{'f:data':{'f:a':{}}}")                                  \
    "," ENTRY("resilog", "Update", "v2", "", "{'f:data':{'f:z':{}}}") "," ENTRY(                   \
        "resilog", "Update", "v1", ",'subresource':'status'", "{'f:status':{}}")

static void an_entry_of_the_other_operation_goes_over_with_its_fields(void **state)
{
    (void)state;
    unite(OBJECT(THEIRS "," OURS("{'f:data':{'f:a':{}}}")), KUBE_BY_APPLY,
          OBJECT(THEIRS "," APPLIED("{'f:data':{'f:a':{}}}")));
    unite(OBJECT(APPLIED("{'f:data':{'f:a':{}}}")), KUBE_BY_UPDATE,
          OBJECT(OURS("{'f:data':{'f:a':{}}}")));
}

static void two_entries_become_one_that_owns_all(void **state)
{
    (void)state;
    unite(OBJECT(APPLIED("{'f:data':{'.':{},'f:a':{}}}") "," THEIRS "," OURS(
              "{'f:data':{'f:b':{},'f:a':{}},'f:immutable':{}}")),
          KUBE_BY_APPLY,
          OBJECT(APPLIED("{'f:data':{'.':{},'f:a':{},'f:b':{}},'f:immutable':{}}") "," THEIRS));
}

static void where_all_is_of_that_operation_nothing_changes(void **state)
{
    (void)state;
    unite(OBJECT(THEIRS "," OURS("{'f:data':{'f:a':{}}}")), KUBE_BY_UPDATE, NULL);
    unite(OBJECT(THEIRS), KUBE_BY_APPLY, NULL);
    unite("{'apiVersion':'v1','metadata':{'managedFields':7}}", KUBE_BY_APPLY, NULL);
}

static void what_is_not_there_or_no_fields_is_nothing(void **state)
{
    (void)state;
    assert_owns("{'apiVersion':'v1','metadata':{}}", NULL);
    assert_owns("{'apiVersion':'v1','metadata':{'managedFields':7}}", NULL);
    assert_owns(OBJECT(""), NULL);
    assert_owns(OBJECT("7,[]"), NULL);
    assert_owns(OBJECT(OURS("{}")), NULL);
    assert_owns(OBJECT(OURS("[1]")), NULL);
    assert_owns(OBJECT(OURS("{'f:data':{'f:a':7}}")), "{'data':{'a':null}}");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(members_keep_their_places),
        cmocka_unit_test(an_object_of_which_only_itself_is_ours_is_empty),
        cmocka_unit_test(a_list_counts_as_a_whole),
        cmocka_unit_test(our_marks_are_no_part_of_it),
        cmocka_unit_test(entries_of_others_do_not_count),
        cmocka_unit_test(an_entry_of_the_other_operation_goes_over_with_its_fields),
        cmocka_unit_test(two_entries_become_one_that_owns_all),
        cmocka_unit_test(where_all_is_of_that_operation_nothing_changes),
        cmocka_unit_test(what_is_not_there_or_no_fields_is_nothing),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
