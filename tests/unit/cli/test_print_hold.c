/* cli/print_hold: a hold for a person and for a program. */
#include "cli/print_hold.h"

#include "core/buf.h"
#include "core/clock.h"
#include "core/event.h"
#include "core/scope.h"
#include "flow/pump_rows.h"

#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <cmocka.h>
#include <stdio.h>
#include <string.h>

#define NOW (1767323045 * NS_PER_S) /* 2026-01-02T03:04:05Z */

static struct hold refused(void)
{
    return (struct hold){.offset = 7,
                         .attempts = 3,
                         .since_ns = NOW - 90 * NS_PER_S,
                         .next_ns = NOW + 20 * NS_PER_S,
                         .cls = "invalid",
                         .reason = "not \"so\""};
}

static const struct event event = {.offset = 7,
                                   .op = EVENT_PUT,
                                   .cause = CAUSE_WATCH,
                                   .time_ns = NOW - 91 * NS_PER_S,
                                   .key = {"/configmaps/ns/a", 16},
                                   .version = {"55", 2},
                                   .uid = {"u", 1},
                                   .api_version = {"v1", 2},
                                   .kind = {"ConfigMap", 9},
                                   .manager = {"kubectl-edit", 12}};

static void assert_text(const struct hold *h, const struct event *ev, const char *want)
{
    AUTO(buf_done) struct buf out = BUF_INIT(4096);
    print_hold_text(&(struct held){SLICE("team/sync"), SLICE("/configmaps/ns/a"), h, ev}, NOW,
                    &out);
    assert_string_equal(out.p, want);
}

#define TOP                                                                                        \
    "synchronization: team/sync\n"                                                                 \
    "object:          /configmaps/ns/a\n"

static void a_person_reads_all_that_is_known(void **state)
{
    (void)state;
    const struct hold h = refused();
    assert_text(
        &h, &event,
        TOP
        "state:           held\n"
        "class:           invalid\n"
        "reason:          not \"so\"\n"
        "since:           2026-01-02T03:02:35.000000000Z (1m30s ago)\n"
        "tries:           3\n"
        "next try:        2026-01-02T03:04:25.000000000Z (in 20s), at once with a newer event of "
        "the object and when 'run' starts\n"
        "event:           put of 2026-01-02T03:02:34.000000000Z, offset 7, resourceVersion 55\n"
        "manager:         kubectl-edit\n");
}

static void what_a_server_wrote_is_shown_and_not_obeyed(void **state)
{
    (void)state;
    AUTO(buf_done) struct buf out = BUF_INIT(4096);
    struct hold h = refused();
    snprintf(h.reason, sizeof h.reason, "%s", "no\n\x1b[2J\xc2\x9b \xc3\xa9 \x7f");
    print_hold_text(&(struct held){SLICE("team/sync"), SLICE("/configmaps/ns/a"), &h, NULL}, NOW,
                    &out);
    assert_non_null(
        strstr(out.p, "reason:          no\\u000a\\u001b[2J\\u009b \xc3\xa9 \\u007f\n"));
}

static void what_is_not_known_is_left_out(void **state)
{
    (void)state;
    const struct hold h = {.offset = 7,
                           .waiting = true,
                           .attempts = 1,
                           .since_ns = NOW,
                           .cls = "namespace-missing",
                           .reason = "no",
                           .dependency = "/namespaces//ns"};
    assert_text(&h, NULL,
                TOP "state:           waiting\n"
                    "class:           namespace-missing\n"
                    "reason:          no\n"
                    "waits for:       /namespaces//ns\n"
                    "since:           2026-01-02T03:04:05.000000000Z (0s ago)\n"
                    "tries:           1\n"
                    "next try:        at once with a newer event of the object and when 'run' "
                    "starts\n"
                    "event:           offset 7, not in the log any more\n");
}

static void a_try_that_is_due_or_needs_a_person_is_told_so(void **state)
{
    (void)state;
    static const struct {
        const char *cls;
        int64_t next_ns;
        const char *want;
    } rows[] = {
        {"invalid", NOW - 1, "(due), at once"},
        {"skipped", INT64_MAX, "next try:        none: given up until a newer event of the object"},
        {HOLD_PRUNE, INT64_MAX, "next try:        when the deletions are approved: 'resilog run "},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        AUTO(buf_done) struct buf out = BUF_INIT(4096);
        struct hold h = refused();
        snprintf(h.cls, sizeof h.cls, "%s", rows[i].cls);
        h.next_ns = rows[i].next_ns;
        h.skipped = strcmp(rows[i].cls, "skipped") == 0;
        print_hold_text(&(struct held){SLICE("s"), SLICE("k"), &h, NULL}, NOW, &out);
        assert_non_null(strstr(out.p, rows[i].want));
    }
}

#define MEMBERS                                                                                    \
    "{\"synchronization\":\"team/sync\",\"key\":\"/configmaps/ns/"                                 \
    "a\",\"waiting\":false,\"skipped\":false,"                                                     \
    "\"class\":\"invalid\",\"reason\":\"not \\\"so\\\"\",\"dependency\":\"\",\"offset\":7,"        \
    "\"attempts\":3,\"since\":\"2026-01-02T03:02:35.000000000Z\","

static void a_program_reads_it_as_json(void **state)
{
    (void)state;
    AUTO(buf_done) struct buf out = BUF_INIT(4096);
    struct hold h = refused();
    struct held held = {SLICE("team/sync"), SLICE("/configmaps/ns/a"), &h, &event};
    print_hold_json(&held, &out);
    assert_string_equal(out.p, MEMBERS "\"nextTry\":\"2026-01-02T03:04:25.000000000Z\"}");
    buf_reset(&out);
    h.next_ns = INT64_MAX;
    print_hold_event_json(&held, &out);
    assert_string_equal(
        out.p, MEMBERS "\"nextTry\":null,\"event\":{\"offset\":7,\"op\":\"put\",\"cause\":\"watch\""
                       ",\"time\":\"2026-01-02T03:02:34.000000000Z\",\"apiVersion\":\"v1\","
                       "\"kind\":\"ConfigMap\",\"resourceVersion\":\"55\",\"uid\":\"u\","
                       "\"manager\":\"kubectl-edit\",\"user\":\"\"}}");
    buf_reset(&out);
    held.event = NULL;
    print_hold_event_json(&held, &out);
    assert_string_equal(out.p, MEMBERS "\"nextTry\":null,\"event\":null}");
}

static void an_age_has_its_two_largest_units(void **state)
{
    (void)state;
    static const struct {
        int64_t s;
        const char *text;
    } rows[] = {{-5, "0s"},    {0, "0s"},       {59, "59s"},      {60, "1m"},
                {61, "1m1s"},  {3600, "1h"},    {3659, "1h"},     {3660, "1h1m"},
                {86400, "1d"}, {90000, "1d1h"}, {172799, "1d23h"}};
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        AUTO(buf_done) struct buf out = BUF_INIT(64);
        print_age(rows[i].s * NS_PER_S, &out);
        assert_string_equal(out.p, rows[i].text);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_person_reads_all_that_is_known),
        cmocka_unit_test(what_a_server_wrote_is_shown_and_not_obeyed),
        cmocka_unit_test(what_is_not_known_is_left_out),
        cmocka_unit_test(a_try_that_is_due_or_needs_a_person_is_told_so),
        cmocka_unit_test(a_program_reads_it_as_json),
        cmocka_unit_test(an_age_has_its_two_largest_units),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
