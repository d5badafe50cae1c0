/* The runtime's threads on fakes: what they say, what they survive, how they end. Under TSan, too. */
#include "tests/unit/controller/runtime_rig.h"

#define SYNC_AT "default/s"
#define SECOND  SECOND_OF(ONE_ENTRY)
#define SECOND_OF(entries)                                                                         \
    "---\napiVersion: automation.astronetes.io/v1alpha1\nkind: LiveSynchronization\n"              \
    "metadata: {name: t}\nspec:\n  plugin: kubernetes-objects-to-kubernetes\n  config:\n"          \
    "    sourceName: a\n    destinationName: b\n    replication:\n      resources:\n" entries

static void read_resources(const char *yaml)
{
    rig->resources = rig_read(yaml);
}

static void a_synchronization_goes_live_and_follows_until_it_is_stopped(void **state)
{
    (void)state;
    read_resources(RESOURCES ONE_ENTRY);
    rig_start(NULL);
    rig_wait(SYNC_AT, "phase", "Pending");
    rig_identity();
    rig_list(2, "5");
    rig_wait(SYNC_AT, "phase", "Live");
    rig_put(SCOPE "/ns/new", "6");
    rig_wait_done(SYNC_AT, 7);
    rig_wait(SYNC_AT, "lagRecords", "0");
    rig_stop();
    rig_wait(SYNC_AT, "phase", "Stopped");
    rig_wait(SYNC_AT, "lagSeconds", "null");
    assert_int_equal(dest_mem_count(rig->dest), 3);
    assert_int_equal(atomic_load(&rig->logs_opened), 1);
}

#define EVERYTHING                                                                                 \
    "      - {group: '*', resource: '*'}\n"                                                        \
    "      excludeResources: [{resource: secrets}]\n"
#define WIDGETS "example.com/widgets"

static void what_a_star_takes_is_followed_and_joins_and_leaves_with_its_source(void **state)
{
    (void)state;
    read_resources(RESOURCES EVERYTHING);
    rig_start(NULL);
    rig_wait(SYNC_AT, "phase", "Pending");
    assert_int_equal(atomic_load(&rig->sinks_opened), 0);
    rig_identity();
    rig_serve("/configmaps/v1 /secrets/v1 /pods/v1");
    rig_wait_follows(SCOPE, true);
    assert_false(rig_follows("/secrets") || rig_follows("/pods"));
    rig_list(2, "5");
    rig_wait(SYNC_AT, "phase", "Live");
    rig_wait_done(SYNC_AT, 6);
    rig_serve("/configmaps/v1 /secrets/v1 " WIDGETS "/v1");
    rig_wait_follows(WIDGETS, true);
    rig_put(WIDGETS "/ns/w", "7");
    rig_put("/secrets/ns/s", "8"); /* as another synchronization would record it */
    rig_wait_done(SYNC_AT, 8);
    rig_serve("/configmaps/v1");
    rig_put(WIDGETS "/ns/late", "9"); /* its kind is gone, but not all was read */
    rig_wait_done(SYNC_AT, 9);
    assert_true(rig_follows(WIDGETS));
    fake_producer_set_status(rig_lock_producer(), WIDGETS, PRODUCER_MISSING, "");
    rig_unlock_producer();
    rig_wait_follows(WIDGETS, false);
    rig_stop();
    assert_int_equal(dest_mem_count(rig->dest), 4);
    assert_int_equal(dest_mem_get(rig->dest, "/secrets/ns/s").n, 0);
}

/* The kinds of before are known from the log: what is in it is applied while the source is away. */
static void what_a_star_took_is_taken_again_while_the_source_is_away(void **state)
{
    (void)state;
    read_resources(RESOURCES EVERYTHING);
    rig_start(NULL);
    rig_identity();
    rig_serve("/configmaps/v1");
    rig_wait_follows(SCOPE, true);
    rig_kind(SCOPE, "v1");
    rig_list(2, "5");
    rig_wait(SYNC_AT, "phase", "Live");
    rig_wait_done(SYNC_AT, 7);
    rig_stop();
    read_resources(RESOURCES EVERYTHING);
    rig_start(NULL);
    rig_wait_count(&rig->sinks_opened, 2);
    rig_wait(SYNC_AT, "phase", "Live");
    rig_stop();
    assert_int_equal(dest_mem_count(rig->dest), 2);
}

static void what_a_star_takes_stays_in_the_version_of_a_namespace_that_is_named(void **state)
{
    (void)state;
    read_resources(RESOURCES "      - {group: '*', version: v2, resource: '*'}\n" SECOND_OF(
        "      - {group: example.com, version: v1, resource: widgets, namespaces: [ns]}\n"));
    rig_start(NULL);
    rig_identity();
    rig_wait_follows(WIDGETS "/ns", true);
    assert_false(rig_follows("/namespaces"));
    rig_serve(WIDGETS "/v1 " WIDGETS "/v2");
    rig_wait_follows(WIDGETS, true);
    rig_wait_follows(WIDGETS "/ns", false);
    rig_wait(SYNC_AT, "lastError", "");
}

static void what_is_stopped_before_its_source_was_reached_says_so(void **state)
{
    (void)state;
    read_resources(RESOURCES ONE_ENTRY);
    rig_start(NULL);
    rig_wait(SYNC_AT, "phase", "Pending");
    rig_stop();
    rig_wait(SYNC_AT, "phase", "Stopped");
}

static void a_suspended_one_says_so_and_its_source_is_recorded_without_it(void **state)
{
    (void)state;
    read_resources(RESOURCES ONE_ENTRY "  suspend: true\n");
    rig_start(NULL);
    rig_wait(SYNC_AT, "phase", "Suspended");
    rig_identity();
    rig_list(3, "5");
    rlog_off next = 6;
    rig_wait_log(next);
    for (int i = 0; i < 40; i++) {
        rig_put(SCOPE "/ns/o00", i % 2 ? "7" : "8");
        rig_wait_log(++next);
    }
    /* An append is no reason to write its status: only time is, and here hardly any has passed. */
    assert_true(atomic_load(&rig->commits) < 20);
    rig_stop();
    assert_int_equal(atomic_load(&rig->sinks_opened), 0);
    assert_int_equal(dest_mem_count(rig->dest), 0);
}

static void the_status_of_a_suspended_one_is_that_of_its_checkpoint(void **state)
{
    (void)state;
    char offset[32], now[32];
    read_resources(RESOURCES ONE_ENTRY);
    rig_start(NULL);
    rig_identity();
    rig_list(2, "5");
    rig_wait(SYNC_AT, "phase", "Live");
    rig_wait_done(SYNC_AT, 6);
    rig_stop();
    rig_status(SYNC_AT, "offset", offset, sizeof offset);
    read_resources(RESOURCES ONE_ENTRY "  suspend: true\n");
    rig_start(NULL);
    rig_wait(SYNC_AT, "phase", "Suspended");
    rig_stop();
    rig_status(SYNC_AT, "offset", now, sizeof now);
    assert_string_equal(now, offset);
    rig_wait(SYNC_AT, "head", offset);
}

static void a_log_that_does_not_open_is_told_and_tried_again(void **state)
{
    (void)state;
    read_resources(RESOURCES ONE_ENTRY);
    atomic_store(&rig->fail_logs, 1000000);
    rig_start(NULL);
    rig_wait(SYNC_AT, "phase", "Failed");
    rig_wait(SYNC_AT, "lastError", "the log does not open");
    rig_wait(SYNC_AT, "lagRecords", "null");
    atomic_store(&rig->fail_logs, 0);
    rig_identity();
    rig_list(1, "5");
    rig_wait(SYNC_AT, "phase", "Live");
    rig_wait(SYNC_AT, "lastError", "");
}

static void what_waits_for_its_log_ends_at_once(void **state)
{
    (void)state;
    read_resources(RESOURCES ONE_ENTRY);
    atomic_store(&rig->fail_logs, 1000000);
    rig_start(NULL);
    rig_wait(SYNC_AT, "phase", "Failed");
    rig_stop();
    assert_int_equal(atomic_load(&rig->logs_opened), 0);
}

static void a_broken_pump_is_told_and_opened_again_without_the_log(void **state)
{
    (void)state;
    read_resources(RESOURCES ONE_ENTRY);
    rig_start(NULL);
    rig_identity();
    rig_list(1, "5");
    rig_wait(SYNC_AT, "phase", "Live");
    atomic_store(&rig->fail_steps, 1000000);
    rig_put(SCOPE "/ns/new", "6"); /* wakes it, and meets the failure */
    rig_wait(SYNC_AT, "lastError", "the sink broke");
    rig_wait(SYNC_AT, "phase", "Failed");
    atomic_store(&rig->fail_steps, 0);
    rig_wait(SYNC_AT, "phase", "Live");
    rig_wait(SYNC_AT, "lastError", "");
    rig_wait_done(SYNC_AT, 6);
    rig_stop();
    assert_true(atomic_load(&rig->sinks_opened) >= 2);
    assert_int_equal(atomic_load(&rig->logs_opened), 1);
    assert_int_equal(dest_mem_count(rig->dest), 2);
}

static void two_on_one_source_share_its_log_and_fail_apart(void **state)
{
    (void)state;
    read_resources(RESOURCES ONE_ENTRY SECOND);
    atomic_store(&rig->fail_steps, 1); /* of the one that steps first */
    rig_start(NULL);
    rig_identity();
    rig_list(1, "5");
    rig_wait_count(&rig->sinks_opened, 3);
    rig_wait(SYNC_AT, "phase", "Live");
    rig_wait("default/t", "phase", "Live");
    rig_wait_done(SYNC_AT, 5);
    rig_wait_done("default/t", 5);
    rig_stop();
    assert_int_equal(atomic_load(&rig->logs_opened), 1);
    assert_int_equal(dest_mem_count(rig->dest), 1);
    assert_int_equal(dest_mem_count(rig->other), 1);
}

static void a_stop_waits_for_what_is_in_flight_and_commits_it(void **state)
{
    (void)state;
    char offset[32], head[32];
    read_resources(RESOURCES ONE_ENTRY);
    dest_mem_delay(rig->dest, NS_PER_S);
    rig_start(NULL);
    rig_identity();
    rig_list(1, "5");
    rig_wait_count(&rig->submitted, 1);
    rig_wait_log(5);
    rig_stop();
    rig_status(SYNC_AT, "offset", offset, sizeof offset);
    rig_status(SYNC_AT, "head", head, sizeof head);
    assert_int_equal(dest_mem_count(rig->dest), 1);
    assert_true(strtoull(offset, NULL, 10) > 3); /* behind the object */
    assert_true(strtoull(offset, NULL, 10) <= strtoull(head, NULL, 10));
}

static void a_stop_does_not_wait_for_ever_for_a_destination(void **state)
{
    (void)state;
    read_resources(RESOURCES ONE_ENTRY);
    dest_mem_delay(rig->dest, 24 * 3600 * NS_PER_S);
    rig_start(NULL);
    rig_identity();
    rig_list(1, "5");
    rig_wait_count(&rig->submitted, 1);
    atomic_store(&rig->rush, true); /* the drain's time limit is over after a few steps */
    rig_stop();
    rig_wait(SYNC_AT, "phase", "Stopped");
    assert_int_equal(dest_mem_count(rig->dest), 0);
}

static void held_prunes_wait_for_their_approval_by_name(void **state)
{
    (void)state;
    read_resources(RESOURCES ONE_ENTRY);
    rig_start(NULL);
    rig_identity();
    rig_list(12, "5");
    rig_wait(SYNC_AT, "phase", "Live");
    rig_wait_done(SYNC_AT, 16); /* epoch, begin, 12 objects, end */
    rig_list(0, "9");
    rig_wait(SYNC_AT, "pruneHeld", "12");
    rig_stop();
    assert_int_equal(dest_mem_count(rig->dest), 12);
    read_resources(RESOURCES ONE_ENTRY);
    rig_start("s");
    rig_wait(SYNC_AT, "pruneHeld", "0");
    rig_wait(SYNC_AT, "lagRecords", "0");
    rig_stop();
    assert_int_equal(dest_mem_count(rig->dest), 0);
}

static void a_name_that_no_synchronization_has_starts_nothing(void **state)
{
    (void)state;
    struct err e = ERR_INIT;
    read_resources(RESOURCES ONE_ENTRY);
    assert_int_equal(rig_try_start("nobody", &e), RC_INVALID);
    assert_non_null(strstr(e.msg, "nobody"));
    assert_null(rig->runtime);
    assert_int_equal(atomic_load(&rig->logs_opened), 0);
    read_resources(RESOURCES ONE_ENTRY);
    rig_start(SYNC_AT);
}

static void a_source_that_is_accepted_must_be_one(void **state)
{
    (void)state;
    struct err e = ERR_INIT;
    read_resources(RESOURCES ONE_ENTRY);
    rig->accept_source = "b"; /* the destination */
    assert_int_equal(rig_try_start(NULL, &e), RC_INVALID);
    assert_string_equal(e.msg, "--accept-source b: no source of a synchronization has that name");
    assert_int_equal(atomic_load(&rig->logs_opened), 0);
    read_resources(RESOURCES ONE_ENTRY SECOND);
    rig->accept_source = "a";
    rig_start(NULL);
}

#define TWIN                                                                                       \
    "---\napiVersion: automation.astronetes.io/v1alpha1\nkind: LiveSynchronization\n"              \
    "metadata: {name: s, namespace: other}\nspec:\n  plugin: kubernetes-objects-to-kubernetes\n"   \
    "  config:\n    sourceName: default/a\n    destinationName: default/b\n    replication:\n"     \
    "      resources:\n" ONE_ENTRY

static void a_name_that_two_synchronizations_have_starts_nothing(void **state)
{
    (void)state;
    struct err e = ERR_INIT;
    read_resources(RESOURCES ONE_ENTRY TWIN);
    assert_int_equal(rig_try_start("s", &e), RC_INVALID);
    assert_non_null(strstr(e.msg, "default/s"));
    assert_non_null(strstr(e.msg, "other/s"));
    assert_int_equal(atomic_load(&rig->logs_opened), 0);
    read_resources(RESOURCES ONE_ENTRY TWIN);
    rig_start(SYNC_AT);
}

/* Until what has to end first has. */
static enum rc apply_until(enum rc rc, struct err *e)
{
    for (int i = 0; i < POLLS_MAX && rc == RC_AGAIN; i++) {
        rig_rest();
        rc = runtime_again(rig->runtime, e);
    }
    return rc;
}

static void apply(const char *yaml)
{
    struct err e = ERR_INIT;
    if (apply_until(runtime_apply(rig->runtime, rig_read(yaml), &e), &e) != RC_OK)
        fail_msg("%s", e.msg);
}

static void an_approval_is_not_of_what_gets_the_same_name_later(void **state)
{
    (void)state;
    read_resources(RESOURCES ONE_ENTRY);
    rig_start("s");
    rig_identity();
    rig_list(12, "5");
    rig_wait(SYNC_AT, "phase", "Live");
    apply(RESOURCES ONE_ENTRY TWIN);
    rig_list(12, "5");
    rig_wait("other/s", "phase", "Live");
    rig_list(0, "9");
    rig_wait("other/s", "pruneHeld", "12");
    rig_wait(SYNC_AT, "pruneHeld", "0");
}

static void what_did_not_change_goes_on_undisturbed(void **state)
{
    (void)state;
    read_resources(RESOURCES ONE_ENTRY);
    rig_start(NULL);
    rig_identity();
    rig_list(1, "5");
    rig_wait(SYNC_AT, "phase", "Live");
    apply("# a remark changes nothing\n" RESOURCES ONE_ENTRY);
    apply(RESOURCES ONE_ENTRY);
    rig_put(SCOPE "/ns/new", "6");
    rig_wait_done(SYNC_AT, 6);
    assert_int_equal(atomic_load(&rig->logs_opened), 1);
    assert_int_equal(atomic_load(&rig->sinks_opened), 1);
}

static void a_change_takes_effect_without_a_restart(void **state)
{
    (void)state;
    read_resources(RESOURCES ONE_ENTRY);
    rig_start(NULL);
    rig_identity();
    rig_list(1, "5");
    rig_wait(SYNC_AT, "phase", "Live");
    apply(RESOURCES ONE_ENTRY "  suspend: true\n");
    rig_wait(SYNC_AT, "phase", "Suspended");
    apply(RESOURCES ONE_ENTRY SECOND);
    rig_wait(SYNC_AT, "phase", "Live");
    rig_wait("default/t", "phase", "Live");
    apply(RESOURCES ONE_ENTRY);
    rig_wait("default/t", "phase", "Stopped");
    rig_wait(SYNC_AT, "phase", "Live");
    assert_int_equal(dest_mem_count(rig->dest), 1); /* what a removed one had copied stays */
}

/* A destination that does not answer holds the caller up neither then nor afterwards; the end is waited for. */
static void a_change_waits_for_nobody_and_is_carried_out_once_all_have_ended(void **state)
{
    (void)state;
    struct err e = ERR_INIT;
    read_resources(RESOURCES ONE_ENTRY);
    dest_mem_delay(rig->dest, 24 * 3600 * NS_PER_S);
    rig_start(NULL);
    rig_identity();
    rig_list(1, "5");
    rig_wait_count(&rig->submitted, 1);
    pthread_mutex_lock(&rig->lock); /* of the source's fake: its thread does not end */
    enum rc applied = runtime_apply(rig->runtime, rig_read(RESOURCES ONE_ENTRY SECOND), &e);
    enum rc back = runtime_apply(rig->runtime, rig_read(RESOURCES ONE_ENTRY), &e);
    pthread_mutex_unlock(&rig->lock);
    assert_int_equal(applied, RC_AGAIN);
    assert_int_equal(back, RC_AGAIN); /* what was asked to end is no more what is wanted */
    atomic_store(&rig->rush, true);
    assert_int_equal(apply_until(back, &e), RC_OK);
    rig_wait_count(&rig->logs_opened, 2);
}

static void what_is_recorded_beside_is_listed_at_once_and_copied_nowhere(void **state)
{
    (void)state;
    read_resources(RESOURCES ONE_ENTRY);
    rig_start(NULL);
    rig_identity();
    rig_list(1, "5");
    rig_wait(SYNC_AT, "phase", "Live");
    rlog_off next = rig_wait_log(1);
    apply(RESOURCES ONE_ENTRY "      record: [{version: v1, resource: pods}]\n");
    rig_put("/pods/ns/p", "6");
    rig_wait_done(SYNC_AT, next + 1);
    const struct producer *p = rig_lock_producer();
    const char *resume = fake_producer_resume(p, "/pods");
    rig_unlock_producer();
    assert_non_null(resume);
    assert_string_equal(resume, "");
    assert_int_equal(dest_mem_count(rig->dest), 1);
}

static void what_a_star_leaves_may_be_recorded_all_the_same(void **state)
{
    (void)state;
    read_resources(RESOURCES EVERYTHING "      record: [{resource: secrets}]\n");
    rig_start(NULL);
    rig_identity();
    rig_wait_follows("/secrets", true); /* before any kind is known */
    rig_serve("/configmaps/v1 /secrets/v1");
    rig_wait_follows(SCOPE, true);
    assert_true(rig_follows("/secrets"));
    rig_list(1, "5");
    rig_wait(SYNC_AT, "phase", "Live");
    rlog_off next = rig_wait_log(1);
    rig_put("/secrets/ns/s", "6");
    rig_wait_done(SYNC_AT, next + 1);
    assert_int_equal(dest_mem_count(rig->dest), 1);
}

/* The default of new threads' stacks: one that no address space holds lets none start. */
static void set_stacks(size_t bytes)
{
    pthread_attr_t attr;
    assert_int_equal(pthread_getattr_default_np(&attr), 0);
    assert_int_equal(pthread_attr_setstacksize(&attr, bytes), 0);
    assert_int_equal(pthread_setattr_default_np(&attr), 0);
    pthread_attr_destroy(&attr);
}

static size_t stacks(void)
{
    pthread_attr_t attr;
    size_t bytes;
    assert_int_equal(pthread_getattr_default_np(&attr), 0);
    assert_int_equal(pthread_attr_getstacksize(&attr, &bytes), 0);
    pthread_attr_destroy(&attr);
    return bytes;
}

static void what_gets_no_thread_is_started_later(void **state)
{
    (void)state;
    struct err e = ERR_INIT;
    size_t usual = stacks();
    read_resources(RESOURCES ONE_ENTRY);
    rig_start(NULL);
    rig_identity();
    rig_list(1, "5");
    rig_wait(SYNC_AT, "phase", "Live");
    set_stacks(SIZE_MAX / 4);
    enum rc applied =
        apply_until(runtime_apply(rig->runtime, rig_read(RESOURCES ONE_ENTRY SECOND), &e), &e);
    enum rc again = runtime_again(rig->runtime, &e);
    set_stacks(usual);
    assert_int_equal(applied, RC_UNAVAILABLE);
    assert_int_equal(again, RC_UNAVAILABLE);
    assert_non_null(strstr(e.msg, "default/a"));
    rig_wait(SYNC_AT, "phase", "Stopped");
    assert_int_equal(runtime_again(rig->runtime, &e), RC_OK);
    rig_wait(SYNC_AT, "phase", "Live");
    rig_wait("default/t", "phase", "Live");
    assert_int_equal(runtime_again(rig->runtime, &e), RC_OK); /* nothing is left to be started */
    assert_int_equal(atomic_load(&rig->logs_opened), 2);
}

static void effects_are_told_at_every_start_until_they_are_allowed(void **state)
{
    (void)state;
    read_resources(RESOURCES "      - {group: apps, version: v1, resource: deployments}\n");
    rig_start(NULL);
    assert_true(atomic_load(&rig->warned));
    rig_stop();
    atomic_store(&rig->warned, false);
    read_resources(RESOURCES
                   "      - {group: apps, version: v1, resource: deployments, effects: allow}\n");
    rig_start(NULL);
    assert_false(atomic_load(&rig->warned));
}

/* ---- Diagnostics: each line about an object has the fields of the documentation ---- */

#define OBJECT(who, version)                                                                       \
    "\"" who "\":{\"apiGroup\":\"\",\"apiVersion\":\"v1\",\"name\":\"a\",\"namespace\":\"ns\","    \
    "\"resource\":\"configmaps\",\"resourceVersion\":\"" version "\",\"uid\":\"u-1\"},"
#define READ                                                                                       \
    "\"msg\":\"object read from cluster\",\"process\":{\"id\":\"eventslistener\"},"                \
    "\"sourceCluster\":{\"name\":\"a\",\"namespace\":\"default\"},"
#define HELD                                                                                       \
    "\"msg\":\"object held\",\"process\":{\"id\":\"processor\",\"consumerID\":\"default/s\"},"
#define LAST "\"lastUpdate\":{\"time\":\"2026-01-01T10:00:00Z\",\"manager\":\"helm\"},"

static void says(const char *part)
{
    if (!strstr(rig->said.p, part))
        fail_msg("nobody says %s in:\n%s", part, rig->said.p);
}

static void create_update_delete_and_hold_are_said_with_the_whole_set(void **state)
{
    (void)state;
    dest_mem_script(
        rig->dest, SCOPE "/ns/a",
        &(struct sink_script){.outcome = SINK_HELD, .cls = "invalid", .reason = "not so"});
    read_resources(RESOURCES ONE_ENTRY);
    rig_start(NULL);
    rig_identity();
    rig_list(0, "5");
    rig_change(EVENT_PUT, SCOPE "/ns/a", "6");
    rig_wait(SYNC_AT, "held", "1");
    rig_change(EVENT_PUT, SCOPE "/ns/a", "7");
    rig_wait_done(SYNC_AT, 8);
    rig_change(EVENT_DELETE, SCOPE "/ns/a", "8");
    rig_wait_done(SYNC_AT, 10);
    rig_stop();
    says(READ OBJECT("sourceObject", "6") LAST "\"event\":{\"type\":\"create\"},\"offset\":");
    says(READ OBJECT("sourceObject", "7") OBJECT("oldSourceObject", "6") LAST
         "\"event\":{\"type\":\"update\"},\"offset\":");
    says(READ OBJECT("sourceObject", "8") LAST "\"event\":{\"type\":\"delete\"},\"offset\":");
    says(HELD OBJECT("sourceObject", "6") LAST "\"event\":{\"type\":\"create\"},"
                                               "\"class\":\"invalid\",\"reason\":\"not so\"}\n");
    says(HELD OBJECT("sourceObject", "7") OBJECT("oldSourceObject", "6") LAST
         "\"event\":{\"type\":\"update\"},"
         "\"class\":\"invalid\",\"reason\":\"not so\"}\n");
    assert_null(strstr(rig->said.p, SECRET_MARK));
}

/* Where they are silent, all is said, as the test's diagnostics do. */
static void the_resources_say_how_much_each_component_says(void **state)
{
    (void)state;
    const struct sink_script refuse = {.outcome = SINK_HELD, .cls = "invalid", .reason = "not so"};
    dest_mem_script(rig->dest, SCOPE "/ns/a", &refuse);
    dest_mem_script(rig->other, SCOPE "/ns/a", &refuse);
    read_resources(RESOURCES ONE_ENTRY
                   "    components: {eventsListener: {logLevel: error}}\n" SECOND_OF(
                       ONE_ENTRY "    components: {processor: {logLevel: error}}\n"));
    rig_start(NULL);
    rig_identity();
    rig_list(0, "5");
    rig_change(EVENT_PUT, SCOPE "/ns/a", "6");
    rig_wait(SYNC_AT, "held", "1");
    rig_wait("default/t", "held", "1");
    rig_stop();
    says(HELD);
    assert_null(strstr(rig->said.p, "\"id\":\"processor\",\"consumerID\":\"default/t\""));
    assert_null(strstr(rig->said.p, "\"id\":\"eventslistener\""));
}

#define UNWRITTEN(who)                                                                             \
    "\"msg\":\"status cannot be written\",\"process\":{\"id\":\"processor\",\"consumerID\":\"" who \
    "\"},\"error\":\"the checkpoints do not open\"}\n"

static void whose_status_cannot_be_written_is_said_of_each(void **state)
{
    (void)state;
    read_resources(RESOURCES ONE_ENTRY SECOND);
    atomic_store(&rig->fail_logs, 1);
    atomic_store(&rig->fail_ckpts, 2);
    rig_start(NULL);
    rig_wait_count(&rig->logs_opened, 1); /* the second time */
    rig_stop();
    says(UNWRITTEN("default/s"));
    says(UNWRITTEN("default/t"));
}

#define T(f) cmocka_unit_test_setup_teardown(f, runtime_setup, runtime_teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        T(a_synchronization_goes_live_and_follows_until_it_is_stopped),
        T(what_a_star_takes_is_followed_and_joins_and_leaves_with_its_source),
        T(what_a_star_took_is_taken_again_while_the_source_is_away),
        T(what_a_star_takes_stays_in_the_version_of_a_namespace_that_is_named),
        T(what_is_stopped_before_its_source_was_reached_says_so),
        T(a_suspended_one_says_so_and_its_source_is_recorded_without_it),
        T(the_status_of_a_suspended_one_is_that_of_its_checkpoint),
        T(a_log_that_does_not_open_is_told_and_tried_again),
        T(what_waits_for_its_log_ends_at_once),
        T(a_broken_pump_is_told_and_opened_again_without_the_log),
        T(two_on_one_source_share_its_log_and_fail_apart),
        T(a_stop_waits_for_what_is_in_flight_and_commits_it),
        T(a_stop_does_not_wait_for_ever_for_a_destination),
        T(held_prunes_wait_for_their_approval_by_name),
        T(a_source_that_is_accepted_must_be_one),
        T(a_name_that_no_synchronization_has_starts_nothing),
        T(a_name_that_two_synchronizations_have_starts_nothing),
        T(an_approval_is_not_of_what_gets_the_same_name_later),
        T(create_update_delete_and_hold_are_said_with_the_whole_set),
        T(the_resources_say_how_much_each_component_says),
        T(whose_status_cannot_be_written_is_said_of_each),
        T(effects_are_told_at_every_start_until_they_are_allowed),
        T(what_did_not_change_goes_on_undisturbed),
        T(a_change_takes_effect_without_a_restart),
        T(a_change_waits_for_nobody_and_is_carried_out_once_all_have_ended),
        T(what_is_recorded_beside_is_listed_at_once_and_copied_nowhere),
        T(what_a_star_leaves_may_be_recorded_all_the_same),
        T(what_gets_no_thread_is_started_later),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
