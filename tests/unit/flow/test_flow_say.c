/* Lines about objects: what the log knows of them is said, and what it does not is left out. */
#include "tests/unit/flow/pump_test.h"

#include "core/diag_object.h"
#include "core/event_codec.h"
#include "flow/flow_say.h"

#define KEY  "apps/deployments/shop/web"
#define HEAD "\"timestamp\":\"2026-01-01T00:00:00.000000000Z\",\"msg\":"
#define OBJECT(who, version)                                                                       \
    "\"" who "\":{\"apiGroup\":\"apps\",\"apiVersion\":\"v1\",\"name\":\"web\","                   \
    "\"namespace\":\"shop\",\"resource\":\"deployments\",\"resourceVersion\":\"" version "\","     \
    "\"uid\":\"u-1\"}"
#define LAST         ",\"lastUpdate\":{\"time\":\"2026-01-01T10:00:00Z\",\"manager\":\"helm\"}"
#define TYPE(change) ",\"event\":{\"type\":\"" change "\"}"

static void keep(void *arg, const char *line, size_t n)
{
    buf_add(arg, line, n);
}

static struct diag *ear(struct ft_log *w, enum diag_level least, struct buf *out)
{
    struct diag *d = diag_new(&w->clock.clock, DIAG_JSON, least, keep, out);
    assert_non_null(d);
    return d;
}

static rlog_off append(struct ft_log *w, enum event_op op, const char *version)
{
    return ft_append(
        w, &(struct event){.op = op,
                           .cause = CAUSE_WATCH,
                           .key = SLICE(KEY),
                           .api_version = SLICE("apps/v1"),
                           .uid = SLICE("u-1"),
                           .version = slice_str(version),
                           .body = SLICE("{\"metadata\":{\"managedFields\":[{\"manager\":\"helm\","
                                         "\"time\":\"2026-01-01T10:00:00Z\"}]}}")});
}

static void say(struct ft_log *w, struct diag *d, rlog_off offset)
{
    flow_say(d, w->log, &(struct event){.key = SLICE(KEY), .offset = offset},
             &(struct flow_line){DIAG_INFO, "m", NULL, 0});
}

static void each_change_is_said_with_the_object_before_it(void **state)
{
    (void)state;
    AUTO(ft_log_done) struct ft_log w;
    AUTO(buf_done) struct buf out = BUF_INIT(1 << 16);
    ft_log_init(&w);
    AUTO(diag_freep) struct diag *d = ear(&w, DIAG_INFO, &out);
    append(&w, EVENT_PUT, "5");
    append(&w, EVENT_PUT, "7");
    append(&w, EVENT_DELETE, "8");
    append(&w, EVENT_PUT, "9");
    for (rlog_off at = 1; at <= 4; at++)
        say(&w, d, at);
    assert_string_equal(
        out.p,
        "{\"level\":\"info\"," HEAD "\"m\"," OBJECT("sourceObject", "5") LAST TYPE(
            "create") "}\n"
                      "{\"level\":\"info\"," HEAD
                      "\"m\"," OBJECT("sourceObject", "7") "," OBJECT("oldSourceObject", "5")
                          LAST TYPE("update") "}\n"
                                              "{\"level\":\"info\"," HEAD
                                              "\"m\"," OBJECT("sourceObject", "8") LAST TYPE(
                                                  "delete") "}\n"
                                                            "{\"level\":\"info\"," HEAD
                                                            "\"m\"," OBJECT("sourceObject", "9")
                                                                LAST TYPE("create") "}\n");
}

static void of_an_event_that_was_made_up_only_the_key_is_said(void **state)
{
    (void)state;
    AUTO(ft_log_done) struct ft_log w;
    AUTO(buf_done) struct buf out = BUF_INIT(1 << 16);
    ft_log_init(&w);
    AUTO(diag_freep) struct diag *d = ear(&w, DIAG_INFO, &out);
    append(&w, EVENT_PUT, "5");
    say(&w, d, 0);
    assert_string_equal(out.p, "{\"level\":\"info\"," HEAD "\"m\",\"sourceObject\":{"
                               "\"apiGroup\":\"apps\",\"name\":\"web\",\"namespace\":\"shop\","
                               "\"resource\":\"deployments\"}}\n");
}

static void a_log_that_cannot_be_read_costs_fields_and_not_the_line(void **state)
{
    (void)state;
    AUTO(ft_log_done) struct ft_log w;
    AUTO(buf_done) struct buf out = BUF_INIT(1 << 16);
    ft_log_init(&w);
    AUTO(diag_freep) struct diag *d = ear(&w, DIAG_INFO, &out);
    rlog_off at = append(&w, EVENT_PUT, "5");
    w.log = rlog_fault_new(w.log);
    rlog_fault_set(w.log, RLOG_FAULT_LAST, &(struct fault_rule){.rc = RC_IO, .retry = ERR_FATAL});
    say(&w, d, at);
    assert_non_null(strstr(out.p, "\"resource\":\"deployments\"}}\n"));
}

static void a_line_that_is_not_said_does_not_ask_the_log(void **state)
{
    (void)state;
    AUTO(ft_log_done) struct ft_log w;
    AUTO(buf_done) struct buf out = BUF_INIT(1 << 16);
    ft_log_init(&w);
    AUTO(diag_freep) struct diag *d = ear(&w, DIAG_WARN, &out);
    flow_say(d, NULL, &(struct event){.key = SLICE(KEY), .offset = 1},
             &(struct flow_line){DIAG_INFO, "m", NULL, 0});
    assert_int_equal(out.n, 0);
}

static void the_object_before_comes_without_its_body(void **state)
{
    (void)state;
    AUTO(ft_log_done) struct ft_log w;
    ft_log_init(&w);
    append(&w, EVENT_PUT, "5");
    append(&w, EVENT_PUT, "7");
    AUTO(freep)
    struct event *before = flow_before(w.log, &(struct event){.key = SLICE(KEY), .offset = 2});
    assert_non_null(before);
    assert_true(slice_eq(before->version, SLICE("5")) && before->body.n == 0);
    assert_null(flow_before(w.log, &(struct event){.key = SLICE(KEY), .offset = 1}));
    assert_null(flow_before(w.log, &(struct event){.key = SLICE(KEY), .offset = 0}));
}

/* ---- What the pump says ---- */

static void what_is_held_or_frozen_is_said_with_the_whole_set(void **state)
{
    (void)state;
    struct pump_world *w = pt_new();
    AUTO(buf_done) struct buf out = BUF_INIT(1 << 16);
    AUTO(diag_freep) struct diag *d = ear(&w->log, DIAG_INFO, &out);
    w->log.env.diag = d;
    pt_open(w);
    append(&w->log, EVENT_PUT, "5");
    pt_run(w);
    w->entries[3].patch = NULL; /* the body has no replicas to scale */
    w->entries[3].n_patch = 0;
    append(&w->log, EVENT_PUT, "6");
    pt_run(w);
    pt_refuse(w, KEY, 1);
    append(&w->log, EVENT_PUT, "7");
    pt_run(w);
    assert_non_null(strstr(
        out.p,
        "\"msg\":\"object held\"," OBJECT("sourceObject", "7") "," OBJECT("oldSourceObject", "6")
            LAST TYPE("update") ",\"class\":\"invalid\",\"reason\":\"not so\"}\n"));
    assert_null(strstr(out.p, "\"key\""));
    pt_free(w);
}

static void the_reconciler_speaks_where_the_destination_is_compared(void **state)
{
    (void)state;
    struct pump_world *w = pt_new();
    AUTO(buf_done) struct buf all = BUF_INIT(1 << 16), reconciled = BUF_INIT(1 << 16);
    AUTO(diag_freep) struct diag *d = ear(&w->log, DIAG_DEBUG, &all);
    AUTO(diag_freep) struct diag *r = ear(&w->log, DIAG_DEBUG, &reconciled);
    w->log.env.diag = d;
    w->reconciler = r;
    w->replication.resync_ns = 60 * NS_PER_S;
    pt_open(w);
    pt_put(w, "/configmaps/n/a", "{'v':'1'}");
    pt_run(w);
    dest_mem_touch(w->dest, "/configmaps/n/a", "{\"v\":\"2\"}");
    pt_run_for(w, 120 * NS_PER_S);
    pt_has(w, "/configmaps/n/a", "{'v':'1'}");
    assert_non_null(strstr(reconciled.p, "the destination was compared with what was applied"));
    assert_non_null(strstr(reconciled.p, "object was changed in the destination, it is restored"));
    assert_null(strstr(all.p ? all.p : "", "restored"));
    pt_free(w);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_change_is_said_with_the_object_before_it),
        cmocka_unit_test(of_an_event_that_was_made_up_only_the_key_is_said),
        cmocka_unit_test(a_log_that_cannot_be_read_costs_fields_and_not_the_line),
        cmocka_unit_test(a_line_that_is_not_said_does_not_ask_the_log),
        cmocka_unit_test(the_object_before_comes_without_its_body),
        cmocka_unit_test(what_is_held_or_frozen_is_said_with_the_whole_set),
        cmocka_unit_test(the_reconciler_speaks_where_the_destination_is_compared),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
