/* controller/rights: what is needed, the questions to a scripted server, and the role that is missing. */
#include "tests/unit/controller/resource_rig.h"

#include "controller/rights.h"
#include "core/buf.h"
#include "core/json.h"
#include "io/http.h"

#define SYNCS                                                                                      \
    SYNC "  plugin: kubernetes-objects-to-kubernetes\n  suspend: false\n  config:\n"               \
         "    sourceName: a\n    destinationName: b\n    replication:\n"                           \
         "      forceNamespaceCreation: true\n      resources:\n"                                  \
         "      - {group: apps, version: v1, resource: deployments}\n"                             \
         "      - {version: v1, resource: configmaps}\n"                                           \
         "      - version: v1\n        resource: configmaps\n"                                     \
         "        filters: {selector: {matchLabels: {x: z}}}\n"                                    \
         "      record: [{version: v1, resource: pods}]\n"

/* Allows all but one verb; answers in the reverse order, some at a time. */
struct server {
    struct http http; /* first */
    const char *denied;
    int status; /* 0: 201 with a review */
    char bodies[64][512];
    size_t asked, answered, cancelled;
    struct buf answer;
};

static enum rc server_start(struct http *h, const struct http_request *r, http_id *ret_id,
                            struct err *e)
{
    struct server *s = (struct server *)h;
    (void)e;
    assert_true(s->asked < 64);
    assert_int_equal(r->method, HTTP_POST);
    assert_true(slice_eq(r->path, SLICE("/apis/authorization.k8s.io/v1/selfsubjectaccessreviews")));
    snprintf(s->bodies[s->asked], sizeof s->bodies[0], "%.*s", SLICE_ARG(r->body));
    *ret_id = ++s->asked;
    return RC_OK;
}

static enum rc server_take(struct http *h, struct http_event *ret, struct err *e)
{
    struct server *s = (struct server *)h;
    (void)e;
    if (s->answered == s->asked)
        return RC_AGAIN;
    const char *body = s->bodies[s->answered];
    bool denied = s->denied && strstr(body, s->denied);
    buf_reset(&s->answer);
    buf_addf(&s->answer,
             "{\"kind\":\"SelfSubjectAccessReview\",\"status\":{\"allowed\":%s,\"reason\":\"x\"}}",
             denied ? "false" : "true");
    *ret = (struct http_event){.id = ++s->answered,
                               .kind = HTTP_DONE,
                               .status = s->status ? s->status : 201,
                               .content_type = SLICE("application/json"),
                               .retry_after_ns = -1,
                               .data = s->status ? SLICE("{}") : buf_slice(&s->answer)};
    return RC_OK;
}

static enum rc server_wait(struct http *h, int wake_fd, int64_t timeout_ns, struct err *e)
{
    (void)h;
    (void)wake_fd;
    (void)timeout_ns;
    (void)e;
    fail_msg("waits although everything was answered");
    return RC_OK;
}

static void server_cancel(struct http *h, http_id id)
{
    assert_true(id > 0);
    ((struct server *)h)->cancelled++;
}

static const struct http_ops SERVER = {
    .start = server_start, .take = server_take, .wait = server_wait, .cancel = server_cancel};

static struct rights *needed(struct resources *r, size_t cluster)
{
    struct rights *rights = NULL;
    struct err e = ERR_INIT;
    assert_int_equal(rights_needed(r, resources_cluster(r, cluster), &rights, &e), RC_OK);
    return rights;
}

static void assert_rights(const struct rights *r, const char *want)
{
    AUTO(buf_done) struct buf got = BUF_INIT(1 << 16);
    const struct right *x;
    for (size_t i = 0; (x = rights_at(r, i)); i++)
        buf_addf(&got, "%s %s/%s%s%s%s%s\n", x->verb, x->group, x->resource, x->name ? "/" : "",
                 x->name ? x->name : "", x->ns ? " in " : "", x->ns ? x->ns : "");
    assert_string_equal(got.p, want);
}

static void a_source_is_read_and_a_destination_is_written(void **state)
{
    (void)state;
    AUTO(resources_freep) struct resources *r = rig_read(SYNCS);
    AUTO(rights_freep) struct rights *source = needed(r, 0);
    AUTO(rights_freep) struct rights *destination = needed(r, 1);
    assert_rights(source, "get /namespaces/kube-system\nlist /namespaces\nwatch /namespaces\n"
                          "list apiextensions.k8s.io/customresourcedefinitions\n"
                          "watch apiextensions.k8s.io/customresourcedefinitions\n"
                          "list apps/deployments\nwatch apps/deployments\n"
                          "list /configmaps\nwatch /configmaps\nlist /pods\nwatch /pods\n");
    assert_rights(destination,
                  "get /namespaces/kube-system\nget apps/deployments\nlist apps/deployments\n"
                  "create apps/deployments\nupdate apps/deployments\ndelete apps/deployments\n"
                  "create /namespaces\nget /configmaps\nlist /configmaps\ncreate /configmaps\n"
                  "update /configmaps\ndelete /configmaps\n");
    assert_int_equal(rights_count(source), 11);
}

static void what_is_applied_is_patched(void **state)
{
    (void)state;
    AUTO(resources_freep)
    struct resources *r =
        rig_read(SYNC "  plugin: kubernetes-objects-to-kubernetes\n  suspend: false\n  config:\n"
                      "    sourceName: a\n    destinationName: b\n    replication:\n"
                      "      resources:\n"
                      "      - {version: v1, resource: configmaps, writeMode: apply}\n");
    AUTO(rights_freep) struct rights *destination = needed(r, 1);
    assert_rights(destination, "get /namespaces/kube-system\nget /configmaps\nlist /configmaps\n"
                               "create /configmaps\nupdate /configmaps\ndelete /configmaps\n"
                               "patch /configmaps\n");
}

static void what_has_services_called_needs_to_see_their_endpoints(void **state)
{
    (void)state;
    AUTO(resources_freep)
    struct resources *r = rig_read(
        SYNC "  plugin: kubernetes-objects-to-kubernetes\n  suspend: false\n  config:\n"
             "    sourceName: a\n    destinationName: b\n    replication:\n      resources:\n"
             "      - {group: apiregistration.k8s.io, version: v1, resource: apiservices}\n");
    AUTO(rights_freep) struct rights *destination = needed(r, 1);
    assert_rights(destination,
                  "get /namespaces/kube-system\nget apiregistration.k8s.io/apiservices\n"
                  "list apiregistration.k8s.io/apiservices\n"
                  "create apiregistration.k8s.io/apiservices\n"
                  "update apiregistration.k8s.io/apiservices\n"
                  "delete apiregistration.k8s.io/apiservices\n"
                  "list discovery.k8s.io/endpointslices\n");
}

static void a_star_is_asked_for_as_it_stands(void **state)
{
    (void)state;
    AUTO(resources_freep)
    struct resources *r = rig_read(RESOURCES "      - {group: '*', resource: '*'}\n");
    AUTO(rights_freep) struct rights *source = needed(r, 0);
    assert_rights(source, "get /namespaces/kube-system\nlist /namespaces\nwatch /namespaces\n"
                          "list apiextensions.k8s.io/customresourcedefinitions\n"
                          "watch apiextensions.k8s.io/customresourcedefinitions\n"
                          "list */*\nwatch */*\n");
}

static void where_all_is_granted_nothing_is_missing(void **state)
{
    (void)state;
    AUTO(resources_freep) struct resources *r = rig_read(SYNCS);
    AUTO(rights_freep) struct rights *rights = needed(r, 1);
    AUTO(buf_done) struct buf role = BUF_INIT(4096);
    struct server s = {.http = {&SERVER}, .answer = BUF_INIT(4096)};
    struct err e = ERR_INIT;
    assert_int_equal(rights_ask(rights, &s.http, &e), RC_OK);
    assert_int_equal(s.asked, rights_count(rights));
    assert_int_equal(rights_missing(rights), 0);
    rights_print_role(rights, "resilog", &role);
    assert_int_equal(role.n, 0);
    for (size_t i = 0; i < rights_count(rights); i++)
        assert_int_equal(rights_at(rights, i)->state, RIGHT_GRANTED);
    buf_done(&s.answer);
}

static void what_is_missing_is_a_role_with_one_rule_for_each_resource(void **state)
{
    (void)state;
    AUTO(resources_freep) struct resources *r = rig_read(SYNCS);
    AUTO(rights_freep) struct rights *rights = needed(r, 1);
    AUTO(buf_done) struct buf role = BUF_INIT(4096);
    struct server s = {
        .http = {&SERVER}, .answer = BUF_INIT(4096), .denied = "\"resource\":\"configmaps\""};
    struct err e = ERR_INIT;
    assert_int_equal(rights_ask(rights, &s.http, &e), RC_OK);
    assert_int_equal(rights_missing(rights), 5);
    rights_print_role(rights, "resilog", &role);
    assert_string_equal(
        role.p,
        "apiVersion: rbac.authorization.k8s.io/v1\nkind: ClusterRole\nmetadata: {name: "
        "resilog}\nrules:\n- {apiGroups: [\"\"], resources: [configmaps], verbs: [get, list, "
        "create, update, delete]}\n");
    buf_done(&s.answer);
}

static void a_name_is_asked_and_granted_by_name(void **state)
{
    (void)state;
    AUTO(resources_freep) struct resources *r = rig_read(SYNCS);
    AUTO(rights_freep) struct rights *rights = needed(r, 0);
    AUTO(buf_done) struct buf role = BUF_INIT(4096);
    struct server s = {
        .http = {&SERVER}, .answer = BUF_INIT(4096), .denied = "\"name\":\"kube-system\""};
    struct err e = ERR_INIT;
    assert_int_equal(rights_ask(rights, &s.http, &e), RC_OK);
    assert_string_equal(
        s.bodies[0],
        "{\"apiVersion\":\"authorization.k8s.io/"
        "v1\",\"kind\":\"SelfSubjectAccessReview\",\"spec\":{"
        "\"resourceAttributes\":{\"verb\":\"get\",\"group\":\"\",\"resource\":\"namespaces\","
        "\"name\":\"kube-system\"}}}");
    rights_print_role(rights, "r", &role);
    assert_non_null(strstr(role.p, "resources: [namespaces], resourceNames: [kube-system], verbs: "
                                   "[get]}\n"));
    buf_done(&s.answer);
}

static void
a_server_that_refuses_the_question_is_an_error_and_leaves_nothing_under_way(void **state)
{
    (void)state;
    AUTO(resources_freep) struct resources *r = rig_read(SYNCS);
    AUTO(rights_freep) struct rights *rights = needed(r, 0);
    struct server s = {.http = {&SERVER}, .answer = BUF_INIT(4096), .status = 401};
    struct err e = ERR_INIT;
    assert_true(rights_ask(rights, &s.http, &e) < 0);
    assert_non_null(strstr(e.msg, "rights"));
    assert_int_equal(s.cancelled, s.asked);
    s.status = 200;
    AUTO(rights_freep) struct rights *again = needed(r, 0);
    assert_int_equal(rights_ask(again, &s.http, &e), RC_CORRUPT);
    buf_done(&s.answer);
}

#define NARROW                                                                                     \
    RESOURCES "      - {version: v1, resource: configmaps, namespaces: [x, z]}\n"                  \
              "      - {group: apps, version: v1, resource: deployments, namespaces: [x]}\n"

static void what_is_read_in_namespaces_is_asked_and_granted_there(void **state)
{
    (void)state;
    AUTO(resources_freep) struct resources *r = rig_read(NARROW);
    AUTO(rights_freep) struct rights *rights = needed(r, 0);
    AUTO(buf_done) struct buf role = BUF_INIT(4096);
    struct server s = {.http = {&SERVER}, .answer = BUF_INIT(4096), .denied = "\"verb\":\"watch\""};
    struct err e = ERR_INIT;
    assert_rights(rights, "get /namespaces/kube-system\n"
                          "list /configmaps in x\nwatch /configmaps in x\n"
                          "list /configmaps in z\nwatch /configmaps in z\n"
                          "list apps/deployments in x\nwatch apps/deployments in x\n");
    assert_int_equal(rights_ask(rights, &s.http, &e), RC_OK);
    assert_non_null(strstr(s.bodies[1], "\"namespace\":\"x\""));
    assert_null(strstr(s.bodies[0], "\"namespace\":"));
    rights_print_role(rights, "resilog", &role);
    assert_string_equal(role.p,
                        "apiVersion: rbac.authorization.k8s.io/v1\nkind: Role\n"
                        "metadata: {name: resilog, namespace: x}\nrules:\n"
                        "- {apiGroups: [\"\"], resources: [configmaps], verbs: [watch]}\n"
                        "- {apiGroups: [\"apps\"], resources: [deployments], verbs: [watch]}\n"
                        "---\napiVersion: rbac.authorization.k8s.io/v1\nkind: Role\n"
                        "metadata: {name: resilog, namespace: z}\nrules:\n"
                        "- {apiGroups: [\"\"], resources: [configmaps], verbs: [watch]}\n");
    buf_done(&s.answer);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(a_source_is_read_and_a_destination_is_written, rig_setup,
                                        rig_teardown),
        cmocka_unit_test_setup_teardown(what_is_applied_is_patched, rig_setup, rig_teardown),
        cmocka_unit_test_setup_teardown(what_has_services_called_needs_to_see_their_endpoints,
                                        rig_setup, rig_teardown),
        cmocka_unit_test_setup_teardown(a_star_is_asked_for_as_it_stands, rig_setup, rig_teardown),
        cmocka_unit_test_setup_teardown(where_all_is_granted_nothing_is_missing, rig_setup,
                                        rig_teardown),
        cmocka_unit_test_setup_teardown(what_is_missing_is_a_role_with_one_rule_for_each_resource,
                                        rig_setup, rig_teardown),
        cmocka_unit_test_setup_teardown(a_name_is_asked_and_granted_by_name, rig_setup,
                                        rig_teardown),
        cmocka_unit_test_setup_teardown(what_is_read_in_namespaces_is_asked_and_granted_there,
                                        rig_setup, rig_teardown),
        cmocka_unit_test_setup_teardown(
            a_server_that_refuses_the_question_is_an_error_and_leaves_nothing_under_way, rig_setup,
            rig_teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
