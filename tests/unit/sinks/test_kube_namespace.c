/* The namespace that forceNamespaceCreation makes. */
#include "tests/unit/sinks/kube_test.h"

#include "sinks/kube_mark.h"
#include "sinks/kube_namespace.h"

static const struct kube_writer me = {.destination = {"dest-1", 6}, .sync_id = "0123456789abcdef"};

#define MARK                                                                                       \
    "'annotations':{'sync.resilog.io/owner':'v1 dest-1 0123456789abcdef /namespaces//team'}"

static void it_has_the_sources_labels_without_those_of_tools(void **state)
{
    (void)state;
    AUTO(buf_done) struct buf out = BUF_INIT(8192);
    AUTO(freep)
    char *labels = kt_quotes(
        "{'kubernetes.io/metadata.name':'team','argocd.argoproj.io/instance':'x','app':'shop',"
        "'pod-security.kubernetes.io/enforce':'restricted','app.kubernetes.io/managed-by':'Helm'}");
    struct err e = ERR_INIT;
    assert_int_equal(kube_namespace_body(SLICE("team"), slice_str(labels), &me, &out, &e), RC_OK);
    kt_assert_text(buf_slice(&out),
                   "{'apiVersion':'v1','kind':'Namespace','metadata':{'name':'team','labels':"
                   "{'app':'shop','pod-security.kubernetes.io/enforce':'restricted'}," MARK "}}");
}

static void unknown_labels_are_none(void **state)
{
    (void)state;
    AUTO(buf_done) struct buf out = BUF_INIT(8192);
    struct err e = ERR_INIT;
    assert_int_equal(kube_namespace_body(SLICE("team"), SLICE_NULL, &me, &out, &e), RC_OK);
    kt_assert_text(buf_slice(&out),
                   "{'apiVersion':'v1','kind':'Namespace','metadata':{'name':'team'," MARK "}}");
}

static void labels_that_are_no_object_are_refused(void **state)
{
    (void)state;
    AUTO(buf_done) struct buf out = BUF_INIT(8192);
    struct err e = ERR_INIT;
    assert_int_equal(kube_namespace_body(SLICE("team"), SLICE("[]"), &me, &out, &e), RC_INVALID);
    assert_int_equal(kube_namespace_body(SLICE("team"), SLICE("{"), &me, &out, &e), RC_INVALID);
    assert_int_equal(out.n, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(it_has_the_sources_labels_without_those_of_tools),
        cmocka_unit_test(unknown_labels_are_none),
        cmocka_unit_test(labels_that_are_no_object_are_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
