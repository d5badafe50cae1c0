/* What the destination's object decides: whose it is, whether it is adopted, replaced, deleted. */
#include "tests/unit/sinks/kube_test_talk.h"

#include "sinks/kube_project.h"
#include "sinks/kube_rules.h"

#define SOURCE    KT_HEAD("") ",'data':{'k':'v'}}"
#define SOURCE_2  KT_HEAD("") ",'data':{'k':'w'}}"
#define ANSWER    KT_LIVE("," KT_MARKS) ",'data':{'k':'v'}}"
#define UNMARKED  KT_LIVE("") ",'data':{'k':'v'}}"
#define DIFFERENT KT_LIVE("") ",'data':{'k':'other'}}"
#define FOREIGN                                                                                    \
    KT_LIVE(",'annotations':{'sync.resilog.io/owner':'v1 dest-1 ffffffffffffffff " KT_KEY "'}")    \
    ",'data':{'k':'v'}}"
#define ADOPTED_MARKS                                                                              \
    "'annotations':{'sync.resilog.io/owner':'v1 dest-1 0123456789abcdef " KT_KEY                   \
    " adopted'," KT_ORIGIN("u-src") "}"
#define POST_PATH KT_PATH "?fieldManager=resilog"
#define PUT_PATH  KT_PATH "/a?fieldManager=resilog"
#define GET_PATH  KT_PATH "/a"
#define NOT_FOUND KT_STATUS(404, "NotFound", "configmaps \\'a\\' not found")
#define EXISTS    KT_STATUS(409, "AlreadyExists", "configmaps \\'a\\' already exists")
/* Puts the source's object where the destination has this one already; what was kept of one is known to be there. */
static void meet(struct kt *t, const char *live)
{
    kt_put(t, SOURCE);
    if (t->preimage.n == 0) {
        kt_asks(t, HTTP_POST, POST_PATH);
        kt_answer(t, 409, EXISTS);
    }
    kt_asks(t, HTTP_GET, GET_PATH);
    kt_answer(t, 200, live);
}

static void look_to_delete(struct kt *t, bool observed, const char *live)
{
    kt_delete(t, SOURCE, observed);
    kt_asks(t, HTTP_GET, GET_PATH);
    kt_answer(t, 200, live);
}

static void our_own_copy_without_a_record_is_taken_up_without_a_write(void **state)
{
    struct kt *t = *state;
    meet(t, ANSWER);
    const struct sink_result *r = kt_ends(t, SINK_DONE, "");
    assert_true(r->record_changed);
    kt_put(t, SOURCE);
    (void)kt_ends(t, SINK_DONE, "");
}

static void an_equal_object_is_adopted_by_marking_it(void **state)
{
    struct kt *t = *state;
    meet(t, UNMARKED);
    kt_sends(t, HTTP_PUT, PUT_PATH,
             "{'apiVersion':'v1','kind':'ConfigMap','metadata':{'name':'a','namespace':'ns','uid':"
             "'u-dst','resourceVersion':'10'," ADOPTED_MARKS "},'data':{'k':'v'}}");
    kt_answer(t, 200, KT_LIVE("," ADOPTED_MARKS) ",'data':{'k':'v'}}");
    (void)kt_ends(t, SINK_DONE, "");
    assert_int_equal(kt_record(t).flags, KUBE_RECORD_ADOPTED);
}

static void a_different_object_is_held(void **state)
{
    struct kt *t = *state;
    meet(t, DIFFERENT);
    const struct sink_result *r = kt_ends(t, SINK_HELD, "not-ours");
    assert_false(r->record_changed);
    assert_null(strstr(r->reason, "other"));
    assert_non_null(strstr(r->reason, "differs in /data/k; 'resilog adopt'"));
}

/* What the sink gave to be kept is durable now. */
static void keep(struct kt *t)
{
    const struct sink_result *r = kt_ends(t, SINK_WAITING, "pre-image");
    assert_true(r->preimage.n > 0 && !r->record_changed);
    buf_reset(&t->preimage);
    buf_add_slice(&t->preimage, r->preimage);
}

static void always_overwrites_only_what_is_kept(void **state)
{
    struct kt *t = *state;
    AUTO(buf_done) struct buf body = BUF_INIT(4096);
    struct kube_record kept;
    struct err e = ERR_INIT;
    t->policy.adopt = ADOPT_ALWAYS;
    meet(t, DIFFERENT);
    keep(t);
    assert_int_equal(kube_record_decode(buf_slice(&t->preimage), &kept, &e), RC_OK);
    assert_int_equal(kept.flags, KUBE_RECORD_PREIMAGE);
    assert_int_equal(kube_record_desired(&kept, t->dest.compressor, &body, &e), RC_OK);
    kt_assert_text(buf_slice(&body), DIFFERENT);
    meet(t, DIFFERENT);
    kt_asks(t, HTTP_PUT, PUT_PATH);
    assert_true(kt_has(t->request.body, "\"data\":{\"k\":\"v\"}"));
    assert_true(kt_has(t->request.body, "\"resourceVersion\":\"10\""));
    kt_answer(t, 200, KT_LIVE("," ADOPTED_MARKS) ",'data':{'k':'v'}}");
    assert_int_equal(kt_ends(t, SINK_DONE, "")->preimage.n, 0);
    assert_int_equal(kt_record(t).flags, KUBE_RECORD_ADOPTED);
}

static void what_changed_since_it_was_kept_is_kept_anew(void **state)
{
    struct kt *t = *state;
    static const char *const others[] = {
        "{'apiVersion':'v1','kind':'ConfigMap','metadata':{'name':'a','namespace':'ns','uid':"
        "'u-dst','resourceVersion':'11'},'data':{'k':'newer'}}",
        "{'apiVersion':'v1','kind':'ConfigMap','metadata':{'name':'a','namespace':'ns','uid':"
        "'u-new','resourceVersion':'10'},'data':{'k':'newer'}}"};
    t->policy.adopt = ADOPT_ALWAYS;
    for (size_t i = 0; i < 2; i++) {
        buf_reset(&t->preimage);
        meet(t, DIFFERENT);
        keep(t);
        meet(t, others[i]);
        (void)kt_ends(t, SINK_WAITING, "pre-image");
    }
    buf_reset(&t->preimage);
    buf_add_str(&t->preimage, "damaged");
    meet(t, DIFFERENT);
    (void)kt_ends(t, SINK_WAITING, "pre-image");
}

/* Somebody writes between the look and the overwrite: the next look shows what is not kept. */
static void a_conflict_of_the_overwrite_is_kept_anew(void **state)
{
    struct kt *t = *state;
    t->policy.adopt = ADOPT_ALWAYS;
    meet(t, DIFFERENT);
    keep(t);
    meet(t, DIFFERENT);
    kt_asks(t, HTTP_PUT, PUT_PATH);
    kt_answer(t, 409, KT_STATUS(409, "Conflict", "the object has been modified"));
    kt_asks(t, HTTP_GET, GET_PATH);
    kt_answer(t, 200,
              "{'apiVersion':'v1','kind':'ConfigMap','metadata':{'name':'a','namespace':'ns','uid':"
              "'u-dst','resourceVersion':'11'},'data':{'k':'newer'}}");
    (void)kt_ends(t, SINK_WAITING, "pre-image");
}

static void what_is_only_marked_is_not_kept(void **state)
{
    struct kt *t = *state;
    t->policy.adopt = ADOPT_ALWAYS;
    meet(t, UNMARKED);
    kt_asks(t, HTTP_PUT, PUT_PATH);
}

/* An apply adopts by the same guard. */
static void an_apply_overwrites_only_what_is_kept_too(void **state)
{
    struct kt *t = *state;
    t->policy.adopt = ADOPT_ALWAYS;
    t->policy.apply = true;
    meet(t, DIFFERENT);
    keep(t);
    meet(t, DIFFERENT);
    kt_asks(t, HTTP_PATCH, PUT_PATH "&force=true");
    assert_true(kt_has(t->request.body, " adopted"));
}

static void never_holds_even_an_equal_object(void **state)
{
    struct kt *t = *state;
    t->policy.adopt = ADOPT_NEVER;
    meet(t, UNMARKED);
    (void)kt_ends(t, SINK_HELD, "not-ours");
}

static void the_sources_own_object_is_never_adopted(void **state)
{
    struct kt *t = *state;
    t->policy.adopt = ADOPT_ALWAYS;
    t->event.uid = SLICE("u-dst");
    meet(t, UNMARKED);
    (void)kt_ends(t, SINK_HELD, "same-cluster");
}

static void A09_another_synchronizations_object_is_left_alone(void **state)
{
    struct kt *t = *state;
    t->policy.adopt = ADOPT_ALWAYS;
    meet(t, FOREIGN);
    const struct sink_result *r = kt_ends(t, SINK_HELD, "conflict");
    assert_non_null(strstr(r->reason, "ffffffffffffffff"));
}

static void a_copied_mark_is_no_mark(void **state)
{
    struct kt *t = *state;
    t->policy.adopt = ADOPT_NEVER;
    meet(t, KT_LIVE(",'annotations':{" KT_OWNER("/configmaps/other/a") "}") ",'data':{'k':'v'}}");
    (void)kt_ends(t, SINK_HELD, "not-ours");
}

static void a_mark_that_somebody_took_off_is_put_back(void **state)
{
    struct kt *t = *state;
    kt_created(t, SOURCE, ANSWER);
    kt_put(t, SOURCE_2);
    kt_asks(t, HTTP_GET, GET_PATH);
    kt_answer(t, 200, UNMARKED);
    kt_asks(t, HTTP_PUT, PUT_PATH);
    assert_true(kt_has(t->request.body, "sync.resilog.io/owner"));
    assert_false(kt_has(t->request.body, " adopted"));
}

static void an_unmarked_object_with_another_uid_is_not_the_recorded_one(void **state)
{
    struct kt *t = *state;
    kt_created(t, SOURCE, ANSWER);
    kt_put(t, SOURCE_2);
    kt_asks(t, HTTP_GET, GET_PATH);
    kt_answer(t, 200,
              "{'apiVersion':'v1','kind':'ConfigMap','metadata':{'name':'a','namespace':'ns','uid':"
              "'u-new','resourceVersion':'1'},'data':{'k':'v'}}");
    (void)kt_ends(t, SINK_HELD, "not-ours");
}

static void a_base_of_another_object_removes_nothing(void **state)
{
    struct kt *t = *state;
    kt_created(t, KT_HEAD("") ",'data':{'k':'v','x':'1'}}", ANSWER);
    kt_put(t, SOURCE);
    kt_asks(t, HTTP_GET, GET_PATH);
    kt_answer(t, 200,
              "{'apiVersion':'v1','kind':'ConfigMap','metadata':{'name':'a','namespace':'ns','uid':"
              "'u-new','resourceVersion':'1'," KT_MARKS "},'data':{'k':'v','x':'1'}}");
    (void)kt_ends(t, SINK_DONE, "");
}

static void a_terminating_object_is_waited_for(void **state)
{
    struct kt *t = *state;
    meet(t, KT_LIVE(",'deletionTimestamp':'2026-01-01T00:00:00Z'," KT_MARKS) "}");
    (void)kt_ends(t, SINK_WAITING, "terminating");
}

/* ---- Deletion (I6) ---- */

static void what_does_not_bear_our_mark_is_never_deleted(void **state)
{
    struct kt *t = *state;
    static const char *const lives[] = {
        UNMARKED, FOREIGN, KT_LIVE(",'annotations':{" KT_OWNER("/configmaps/x/a") "}") "}"};
    for (size_t i = 0; i < sizeof lives / sizeof *lives; i++) {
        kt_created(t, SOURCE, ANSWER);
        look_to_delete(t, true, lives[i]);
        const struct sink_result *r = kt_ends(t, SINK_DONE, "not-ours");
        assert_true(r->record_changed && !r->wrote && r->reason[0]);
    }
}

static void an_adopted_object_is_deleted_only_when_that_was_seen(void **state)
{
    struct kt *t = *state;
    const char *live = KT_LIVE("," ADOPTED_MARKS) ",'data':{'k':'v'}}";
    look_to_delete(t, false, live);
    (void)kt_ends(t, SINK_HELD, "adopted");
    look_to_delete(t, true, live);
    kt_asks(t, HTTP_DELETE, GET_PATH);
}

static void a_namespace_is_never_deleted(void **state)
{
    struct kt *t = *state;
    t->event.key = SLICE("/namespaces//ns");
    kt_delete(t, "{'metadata':{'name':'ns'}}", true);
    kt_asks(t, HTTP_GET, "/api/v1/namespaces/ns");
    kt_answer(
        t, 200,
        "{'metadata':{'name':'ns','uid':'n','annotations':{" KT_OWNER("/namespaces//ns") "}}}");
    (void)kt_ends(t, SINK_HELD, "never-deleted");
}

static void what_is_already_terminating_needs_no_delete(void **state)
{
    struct kt *t = *state;
    look_to_delete(t, true, KT_LIVE(",'deletionTimestamp':'2026-01-01T00:00:00Z'," KT_MARKS) "}");
    assert_false(kt_ends(t, SINK_DONE, "")->wrote);
}

/* ---- The way back: the source's object is itself a copy of one in the destination ---- */

#define BACK(data)                                                                                 \
    KT_HEAD(",'annotations':{'sync.resilog.io/origin':'v1 dest-1 u-dst'}")                         \
    ",'data':{'k':'" data "'}}"

static void our_own_write_on_its_way_back_ends_here(void **state)
{
    struct kt *t = *state;
    t->event.manager = SLICE("resilog");
    kt_put(t, BACK("v"));
    assert_true(kt_ends(t, SINK_SKIPPED, "echo")->record_changed);
    t->event.manager = SLICE("kube-controller-manager");
    kt_put(t, BACK("v"));
    (void)kt_ends(t, SINK_DONE, "");
}

/* What the opposite synchronization wrote into the source: this object came back, as version 10. */
static void opposite_wrote(struct kt *t, const char *projected)
{
    AUTO(freep) char *json = kt_quotes(projected);
    AUTO(json_freep) struct json_doc *d = NULL;
    struct kube_record r = {.uid = SLICE("u-src"), .version = SLICE("10")};
    struct kube_project_opts opts = {.rule = kube_rule_find(SLICE_NULL, SLICE("configmaps")),
                                     .api_version = SLICE("v1"),
                                     .kind = SLICE("ConfigMap"),
                                     .effects_allow = true};
    struct err e = ERR_INIT;
    assert_int_equal(json_parse_view(slice_str(json), &d, &e), RC_OK);
    assert_int_equal(kube_project(d, &opts, NULL, &e), RC_OK);
    assert_int_equal(kube_project_hash(d, &opts, r.answer_hash, &e), RC_OK);
    memcpy(r.desired_hash, r.answer_hash, sizeof r.desired_hash);
    buf_reset(&t->opposite);
    assert_int_equal(kube_record_encode(&r, SLICE("{}"), t->dest.compressor, &t->opposite, &e),
                     RC_OK);
}

static void what_the_opposite_one_wrote_is_an_echo_whoever_touched_its_status(void **state)
{
    struct kt *t = *state;
    opposite_wrote(t, BACK("v"));
    t->event.manager = SLICE("kube-controller-manager");
    kt_put(t, BACK("v"));
    (void)kt_ends(t, SINK_SKIPPED, "echo");
}

static void the_very_version_of_the_opposite_ones_answer_is_an_echo(void **state)
{
    struct kt *t = *state;
    opposite_wrote(t, BACK("other"));
    t->event.manager = SLICE("resilog");
    t->event.version = SLICE("10");
    kt_put(t, BACK("v"));
    (void)kt_ends(t, SINK_SKIPPED, "echo");
}

/* The merge kept what a person had added to the copy: that is news to the origin. */
static void what_the_opposite_one_kept_of_a_person_goes_back(void **state)
{
    struct kt *t = *state;
    struct kube_record r;
    struct err e = ERR_INIT;
    AUTO(buf_done) struct buf again = BUF_INIT(KUBE_RECORD_MAX);
    opposite_wrote(t, BACK("v"));
    assert_int_equal(kube_record_decode(buf_slice(&t->opposite), &r, &e), RC_OK);
    r.desired_hash[0] ^= 1;
    assert_int_equal(kube_record_encode(&r, SLICE("{}"), t->dest.compressor, &again, &e), RC_OK);
    buf_reset(&t->opposite);
    buf_add_slice(&t->opposite, buf_slice(&again));
    t->event.manager = SLICE("resilog");
    t->event.version = SLICE("10");
    kt_put(t, BACK("v"));
    kt_asks(t, HTTP_GET, GET_PATH);
}

static void a_changed_synchronization_and_a_comparison_write_the_copy_all_the_same(void **state)
{
    struct kt *t = *state;
    kt_created(t, SOURCE, ANSWER);
    opposite_wrote(t, "{'metadata':{'name':'a'},'data':{'k':'other'}}");
    t->event.manager = SLICE("resilog");
    t->event.version = SLICE("10");
    t->item.decided_anew = true;
    kt_put(t, SOURCE_2);
    kt_asks(t, HTTP_GET, GET_PATH);
    t->item.decided_anew = false;
    t->item.unsure = true;
    kt_put(t, SOURCE_2);
    kt_asks(t, HTTP_GET, GET_PATH);
}

static void what_may_be_a_write_without_an_answer_yet_waits_and_is_an_echo_then(void **state)
{
    struct kt *t = *state;
    opposite_wrote(t, BACK("old"));
    t->event.manager = SLICE("resilog");
    kt_put(t, BACK("v"));
    assert_false(kt_ends(t, SINK_WAITING, "opposite")->record_changed);
    opposite_wrote(t, BACK("v"));
    t->item.tries = 1;
    kt_put(t, BACK("v"));
    (void)kt_ends(t, SINK_SKIPPED, "echo");
}

/* A member that a person takes away leaves no trace in managedFields but the shrunk set of the writer before. */
static void what_a_person_took_away_goes_back_although_we_wrote_last(void **state)
{
    struct kt *t = *state;
    opposite_wrote(t, BACK("v"));
    t->event.manager = SLICE("resilog");
    t->item.tries = 10;
    kt_put(t, KT_HEAD(",'annotations':{'sync.resilog.io/origin':'v1 dest-1 u-dst'}") "}");
    kt_asks(t, HTTP_GET, GET_PATH);
}

static void a_persons_change_waits_once_and_goes_back(void **state)
{
    struct kt *t = *state;
    opposite_wrote(t, BACK("v"));
    t->event.manager = SLICE("kubectl-edit");
    kt_put(t, BACK("w"));
    (void)kt_ends(t, SINK_WAITING, "opposite");
    t->item.tries = 1;
    kt_put(t, BACK("w"));
    kt_asks(t, HTTP_GET, GET_PATH);
}

/* The other way round: a person changed our copy, the opposite one wrote that here. The copy may have gone on since. */
static void what_the_opposite_one_wrote_here_is_not_written_over_the_copy(void **state)
{
    struct kt *t = *state;
    kt_created(t, SOURCE, ANSWER);
    opposite_wrote(t, "{'metadata':{'name':'a'},'data':{'k':'other'}}");
    t->event.manager = SLICE("resilog");
    t->event.version = SLICE("10");
    kt_put(t, SOURCE_2);
    (void)kt_ends(t, SINK_SKIPPED, "echo");
    struct kube_record r = kt_record(t);
    assert_true(slice_eq(r.uid, SLICE("u-dst")));
    assert_int_equal(r.version.n, 0);
    assert_int_equal(r.flags, KUBE_RECORD_CREATED);
    t->event.version = SLICE("11"); /* it wrote again, and its record is not there yet */
    kt_put(t, SOURCE);
    (void)kt_ends(t, SINK_WAITING, "opposite");
    t->event.manager = SLICE("kubectl-edit");
    kt_put(t, SOURCE);
    kt_asks(t, HTTP_GET, GET_PATH);
}

/* We wrote another state since the opposite one's: what looks like its state is a person's change back. */
static void a_state_of_before_that_comes_again_is_no_echo(void **state)
{
    struct kt *t = *state;
    t->event.manager = SLICE("kubectl-edit");
    kt_put(t, BACK("w"));
    kt_asks(t, HTTP_GET, GET_PATH);
    kt_answer(t, 200, UNMARKED);
    kt_asks(t, HTTP_PUT, PUT_PATH);
    kt_answer(t, 200, KT_LIVE("") ",'data':{'k':'w'}}");
    (void)kt_ends(t, SINK_DONE, "");
    opposite_wrote(t, BACK("v"));
    t->item.tries = 1;
    kt_put(t, BACK("v"));
    kt_asks(t, HTTP_GET, GET_PATH);
}

static void a_persons_change_of_a_copy_goes_back_to_its_origin(void **state)
{
    struct kt *t = *state;
    t->event.manager = SLICE("resilog");
    kt_put(t, BACK("v"));
    (void)kt_ends(t, SINK_SKIPPED, "echo");
    t->event.manager = SLICE("kubectl-edit");
    kt_put(t, BACK("w"));
    kt_asks(t, HTTP_GET, GET_PATH);
    kt_answer(t, 200, UNMARKED);
    kt_sends(t, HTTP_PUT, PUT_PATH, KT_LIVE("") ",'data':{'k':'w'}}");
    kt_answer(t, 200, KT_LIVE("") ",'data':{'k':'w'}}");
    (void)kt_ends(t, SINK_DONE, "");
    assert_int_equal(kt_record(t).flags, KUBE_RECORD_ORIGIN);
    look_to_delete(t, false, UNMARKED);
    (void)kt_ends(t, SINK_DONE, "not-ours");
}

static void an_origin_is_deleted_when_the_deletion_of_its_copy_was_seen(void **state)
{
    struct kt *t = *state;
    kt_delete(t, BACK("v"), true);
    kt_asks(t, HTTP_GET, GET_PATH);
    kt_answer(t, 200, UNMARKED);
    kt_asks(t, HTTP_DELETE, GET_PATH);
}

static void an_origin_that_is_gone_is_not_made_again(void **state)
{
    struct kt *t = *state;
    t->event.manager = SLICE("kubectl-edit");
    kt_put(t, BACK("v"));
    kt_asks(t, HTTP_GET, GET_PATH);
    kt_answer(t, 404, NOT_FOUND);
    assert_false(kt_ends(t, SINK_SKIPPED, "origin-gone")->wrote);
}

static void the_origin_mark_of_a_third_cluster_is_passed_on(void **state)
{
    struct kt *t = *state;
    kt_put(t, KT_HEAD(",'annotations':{'sync.resilog.io/origin':'v1 third u-3',"
                      "'sync.resilog.io/owner':'v1 src-1 0000000000000000 " KT_KEY "'}") "}");
    kt_asks(t, HTTP_POST, POST_PATH);
    assert_true(kt_has(t->request.body, "v1 third u-3"));
    assert_true(kt_has(t->request.body, "v1 dest-1 0123456789abcdef " KT_KEY));
    assert_false(kt_has(t->request.body, "0000000000000000"));
}

#define T(f) cmocka_unit_test_setup_teardown(f, kt_setup, kt_teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        T(our_own_copy_without_a_record_is_taken_up_without_a_write),
        T(an_equal_object_is_adopted_by_marking_it),
        T(a_different_object_is_held),
        T(always_overwrites_only_what_is_kept),
        T(what_changed_since_it_was_kept_is_kept_anew),
        T(a_conflict_of_the_overwrite_is_kept_anew),
        T(what_is_only_marked_is_not_kept),
        T(an_apply_overwrites_only_what_is_kept_too),
        T(never_holds_even_an_equal_object),
        T(the_sources_own_object_is_never_adopted),
        T(A09_another_synchronizations_object_is_left_alone),
        T(a_copied_mark_is_no_mark),
        T(a_mark_that_somebody_took_off_is_put_back),
        T(an_unmarked_object_with_another_uid_is_not_the_recorded_one),
        T(a_base_of_another_object_removes_nothing),
        T(a_terminating_object_is_waited_for),
        T(what_does_not_bear_our_mark_is_never_deleted),
        T(an_adopted_object_is_deleted_only_when_that_was_seen),
        T(a_namespace_is_never_deleted),
        T(what_is_already_terminating_needs_no_delete),
        T(our_own_write_on_its_way_back_ends_here),
        T(what_the_opposite_one_wrote_is_an_echo_whoever_touched_its_status),
        T(the_very_version_of_the_opposite_ones_answer_is_an_echo),
        T(what_the_opposite_one_kept_of_a_person_goes_back),
        T(a_changed_synchronization_and_a_comparison_write_the_copy_all_the_same),
        T(what_may_be_a_write_without_an_answer_yet_waits_and_is_an_echo_then),
        T(what_a_person_took_away_goes_back_although_we_wrote_last),
        T(a_persons_change_waits_once_and_goes_back),
        T(what_the_opposite_one_wrote_here_is_not_written_over_the_copy),
        T(a_state_of_before_that_comes_again_is_no_echo),
        T(a_persons_change_of_a_copy_goes_back_to_its_origin),
        T(an_origin_is_deleted_when_the_deletion_of_its_copy_was_seen),
        T(an_origin_that_is_gone_is_not_made_again),
        T(the_origin_mark_of_a_third_cluster_is_passed_on),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
