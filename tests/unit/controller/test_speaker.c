/* Who speaks: the names of the components, and which clusters each of them says. */
#include "controller/resource.h"
#include "controller/speaker.h"
#include "core/buf.h"
#include "core/diag.h"
#include "tests/fakes/fake_clock.h"

#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>

#define HEAD     "{\"level\":\"info\",\"timestamp\":\"1970-01-01T00:00:00.000000000Z\",\"msg\":\"m\","
#define FROM     "\"sourceCluster\":{\"name\":\"a\",\"namespace\":\"dr\"}"
#define TO       "\"destinationCluster\":{\"name\":\"b\",\"namespace\":\"other\"}"
#define ID(name) "\"process\":{\"id\":\"" name "\",\"consumerID\":\"team/s\"}"

static const struct cluster source = {.ns = "dr", .name = "a", .full_name = "dr/a"};
static const struct cluster destination = {.ns = "other", .name = "b", .full_name = "other/b"};
static const struct sync sync_of_both = {.ns = "team",
                                         .name = "s",
                                         .full_name = "team/s",
                                         .source = &source,
                                         .destination = &destination};

static void keep(void *arg, const char *line, size_t n)
{
    buf_add(arg, line, n);
}

static void expect(enum diag_format format, enum speaker who, const struct cluster *from,
                   const struct sync *sync, const char *wanted)
{
    AUTO(buf_done) struct buf out = BUF_INIT(1 << 16);
    struct fake_clock clock;
    struct err e = ERR_INIT;
    fake_clock_init(&clock, 0);
    AUTO(diag_freep) struct diag *d = diag_new(&clock.clock, format, DIAG_INFO, keep, &out);
    AUTO(diag_freep) struct diag *controller = NULL;
    AUTO(diag_freep) struct diag *speaker = NULL;
    assert_int_equal(speaker_bind(d, SPEAKER_CONTROLLER, NULL, NULL, &controller, &e), RC_OK);
    assert_int_equal(speaker_bind(controller, who, from, sync, &speaker, &e), RC_OK);
    DIAG(speaker, DIAG_INFO, "m");
    assert_string_equal(out.p, wanted);
}

static void each_says_its_name_and_the_clusters_that_it_asks(void **state)
{
    (void)state;
    expect(DIAG_JSON, SPEAKER_CONTROLLER, NULL, NULL,
           HEAD "\"process\":{\"id\":\"controller\"}}\n");
    expect(DIAG_JSON, SPEAKER_LOG, NULL, NULL, HEAD "\"process\":{\"id\":\"log\"}}\n");
    expect(DIAG_JSON, SPEAKER_EVENTS_LISTENER, &source, NULL,
           HEAD "\"process\":{\"id\":\"eventslistener\"}," FROM "}\n");
    expect(DIAG_JSON, SPEAKER_PROCESSOR, NULL, &sync_of_both, HEAD ID("processor") "}\n");
    expect(DIAG_JSON, SPEAKER_SYNCHRONIZER, NULL, &sync_of_both,
           HEAD ID("synchronizer") "," TO "}\n");
    expect(DIAG_JSON, SPEAKER_RECONCILER, NULL, &sync_of_both, HEAD ID("reconciler") "," TO "}\n");
}

static void in_text_the_synchronization_or_the_source_is_enough(void **state)
{
    (void)state;
    expect(DIAG_TEXT, SPEAKER_CONTROLLER, NULL, NULL, "1970-01-01T00:00:00Z INFO  m\n");
    expect(DIAG_TEXT, SPEAKER_EVENTS_LISTENER, &source, NULL,
           "1970-01-01T00:00:00Z INFO  m source=dr/a\n");
    expect(DIAG_TEXT, SPEAKER_RECONCILER, NULL, &sync_of_both,
           "1970-01-01T00:00:00Z INFO  m synchronization=team/s\n");
}

static bool says(const struct sync *sync, enum speaker who, enum diag_level level)
{
    struct fake_clock clock;
    struct err e = ERR_INIT;
    fake_clock_init(&clock, 0);
    AUTO(diag_freep) struct diag *d = diag_new(&clock.clock, DIAG_JSON, DIAG_INFO, keep, NULL);
    AUTO(diag_freep) struct diag *speaker = NULL;
    assert_int_equal(speaker_bind(d, who, NULL, sync, &speaker, &e), RC_OK);
    return diag_says(speaker, level);
}

static void each_has_the_level_that_its_synchronization_asks_for(void **state)
{
    (void)state;
    struct sync sync = sync_of_both;
    sync.levels.has[SPEAKER_SYNCHRONIZER] = sync.levels.has[SPEAKER_PROCESSOR] = true;
    sync.levels.of[SPEAKER_SYNCHRONIZER] = DIAG_ERROR;
    sync.levels.of[SPEAKER_PROCESSOR] = DIAG_DEBUG;
    assert_true(says(&sync, SPEAKER_PROCESSOR, DIAG_DEBUG));
    assert_false(says(&sync, SPEAKER_SYNCHRONIZER, DIAG_WARN));
    assert_true(says(&sync, SPEAKER_RECONCILER, DIAG_INFO));
    assert_false(says(&sync, SPEAKER_RECONCILER, DIAG_DEBUG));
}

static void of_two_synchronizations_the_one_that_asks_for_more_decides(void **state)
{
    (void)state;
    struct speaker_levels all = {.has = {false}}, one = {.has = {false}};
    one.has[SPEAKER_EVENTS_LISTENER] = true;
    one.of[SPEAKER_EVENTS_LISTENER] = DIAG_WARN;
    speaker_levels_join(&all, &one);
    assert_true(all.has[SPEAKER_EVENTS_LISTENER]);
    assert_int_equal(all.of[SPEAKER_EVENTS_LISTENER], DIAG_WARN);
    one.of[SPEAKER_EVENTS_LISTENER] = DIAG_ERROR;
    speaker_levels_join(&all, &one);
    assert_int_equal(all.of[SPEAKER_EVENTS_LISTENER], DIAG_WARN);
    one.of[SPEAKER_EVENTS_LISTENER] = DIAG_DEBUG;
    speaker_levels_join(&all, &one);
    assert_int_equal(all.of[SPEAKER_EVENTS_LISTENER], DIAG_DEBUG);
    assert_false(all.has[SPEAKER_PROCESSOR]);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_says_its_name_and_the_clusters_that_it_asks),
        cmocka_unit_test(in_text_the_synchronization_or_the_source_is_enough),
        cmocka_unit_test(each_has_the_level_that_its_synchronization_asks_for),
        cmocka_unit_test(of_two_synchronizations_the_one_that_asks_for_more_decides),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
