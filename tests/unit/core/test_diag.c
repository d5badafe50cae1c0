/* core/diag: the text and JSON of a line, what is cut or folded, and that threads do not disturb each other. */
#include "core/diag.h"

#include "core/buf.h"
#include "core/clock.h"
#include "core/json.h"
#include "tests/fakes/fake_clock.h"

#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>
#include <pthread.h>

#define NOW (1767323045 * NS_PER_S + 6)

struct fixture {
    struct fake_clock clock;
    struct diag *diag;
    struct buf out;
    int lines;
};

static void collect(void *arg, const char *line, size_t n)
{
    struct fixture *f = arg;
    assert_true(n > 0 && n <= 8192);
    assert_int_equal(line[n - 1], '\n');
    assert_ptr_equal(memchr(line, '\n', n), line + n - 1);
    buf_add(&f->out, line, n);
    f->lines++;
}

static void start(struct fixture *f, enum diag_format format, enum diag_level least)
{
    *f = (struct fixture){.out = BUF_INIT(1 << 20)};
    fake_clock_init(&f->clock, NOW);
    f->diag = diag_new(&f->clock.clock, format, least, collect, f);
    assert_non_null(f->diag);
}

static void stop(struct fixture *f)
{
    diag_free(f->diag);
    buf_done(&f->out);
}

static const char *text_of(struct fixture *f)
{
    return f->out.p ? f->out.p : "";
}

static void a_text_line_has_time_level_message_and_fields(void **state)
{
    (void)state;
    AUTO(stop) struct fixture f;
    start(&f, DIAG_TEXT, DIAG_DEBUG);
    DIAG(f.diag, DIAG_INFO, "object written", DIAG_S("sourceObject.name", SLICE("web")),
         DIAG_N("offset", -7));
    DIAG(f.diag, DIAG_WARN, "plain");
    assert_string_equal(
        text_of(&f), "2026-01-02T03:04:05Z INFO  object written sourceObject.name=web offset=-7\n"
                     "2026-01-02T03:04:05Z WARN  plain\n");
}

static void a_text_value_is_quoted_where_it_could_be_misread(void **state)
{
    (void)state;
    AUTO(stop) struct fixture f;
    start(&f, DIAG_TEXT, DIAG_DEBUG);
    DIAG(f.diag, DIAG_ERROR, "m", DIAG_S("a", SLICE("")), DIAG_S("b", SLICE("x y")),
         DIAG_S("c", SLICE("k=v")), DIAG_S("d", SLICE("say \"hi\" \\")),
         DIAG_S("e", SLICE("a/b:c-d")));
    assert_string_equal(text_of(&f), "2026-01-02T03:04:05Z ERROR m a=\"\" b=\"x y\" c=\"k=v\" "
                                     "d=\"say \\\"hi\\\" \\\\\" e=a/b:c-d\n");
}

static void no_text_can_end_the_line_or_move_the_cursor(void **state)
{
    (void)state;
    AUTO(stop) struct fixture f;
    start(&f, DIAG_TEXT, DIAG_DEBUG);
    DIAG(f.diag, DIAG_DEBUG, "a\nb\x1b[2J", DIAG_S("v", SLICE("\r\t\x7f\xc2\x9b\xff")));
    assert_string_equal(text_of(&f), "2026-01-02T03:04:05Z DEBUG a\\nb\\u001b[2J "
                                     "v=\"\\r\\t\\u007f\\u009b\xef\xbf\xbd\"\n");
}

static void a_json_line_nests_dotted_paths_and_joins_neighbours(void **state)
{
    (void)state;
    AUTO(stop) struct fixture f;
    start(&f, DIAG_JSON, DIAG_DEBUG);
    DIAG(f.diag, DIAG_INFO, "object read from cluster", DIAG_S("process.id", SLICE("producer")),
         DIAG_S("sourceObject.name", SLICE("web")), DIAG_S("sourceObject.namespace", SLICE("shop")),
         DIAG_N("offset", 12), DIAG_S("a.b.c", SLICE("1")), DIAG_S("a.b.d", SLICE("2")),
         DIAG_S("a.e", SLICE("3")), DIAG_S("ab.e", SLICE("4")));
    assert_string_equal(
        text_of(&f), "{\"level\":\"info\",\"timestamp\":\"2026-01-02T03:04:05.000000006Z\","
                     "\"msg\":\"object read from cluster\",\"process\":{\"id\":\"producer\"},"
                     "\"sourceObject\":{\"name\":\"web\",\"namespace\":\"shop\"},\"offset\":12,"
                     "\"a\":{\"b\":{\"c\":\"1\",\"d\":\"2\"},\"e\":\"3\"},\"ab\":{\"e\":\"4\"}}\n");
}

static void assert_valid_json(struct slice line)
{
    struct json_doc *doc = NULL;
    struct err e = ERR_INIT;
    if (json_parse(line, &doc, &e))
        fail_msg("%s in %.*s", e.msg, SLICE_ARG(line));
    json_free(doc);
}

static void json_escapes_quotes_control_characters_and_broken_utf8(void **state)
{
    (void)state;
    AUTO(stop) struct fixture f;
    start(&f, DIAG_JSON, DIAG_DEBUG);
    DIAG(f.diag, DIAG_ERROR, "q\"\\\n\x01",
         DIAG_S("v", slice_of("a\0b\xc3\xa4\xed\xa0\x80\xc0\x80", 10)));
    assert_non_null(strstr(text_of(&f), "\"msg\":\"q\\\"\\\\\\n\\u0001\""));
    assert_non_null(strstr(text_of(&f), "\"v\":\"a\\u0000b\xc3\xa4\xef\xbf\xbd"));
    assert_valid_json(buf_slice(&f.out));
}

static void every_string_of_three_bytes_gives_valid_json(void **state)
{
    (void)state;
    static const unsigned char bytes[] = {0x00, 0x22, 0x41, 0x5c, 0x7f, 0x80, 0x8f,
                                          0x90, 0x9f, 0xa0, 0xbf, 0xc1, 0xc2, 0xe0,
                                          0xed, 0xef, 0xf0, 0xf4, 0xf5};
    enum { N = sizeof bytes };
    AUTO(stop) struct fixture f;
    start(&f, DIAG_JSON, DIAG_DEBUG);
    for (size_t i = 0; i < N * N * N; i++) {
        const unsigned char v[4] = {bytes[i % N], bytes[i / N % N], bytes[i / N / N], 0x80};
        buf_reset(&f.out);
        DIAG(f.diag, DIAG_INFO, "m", DIAG_S("v", slice_of(v, 4)));
        assert_valid_json(buf_slice(&f.out));
    }
}

static void long_values_are_cut_and_the_line_stays_whole(void **state)
{
    (void)state;
    static char text[20000];
    static const char fills[] = {'x', '\x01', '"', '\xff'};
    for (size_t i = 0; i < sizeof fills; i++) {
        AUTO(stop) struct fixture f;
        start(&f, DIAG_JSON, DIAG_DEBUG);
        memset(text, fills[i], sizeof text - 1);
        struct slice v = slice_of(text, sizeof text - 1);
        DIAG(f.diag, DIAG_INFO, text, DIAG_S("a.b.c.d", v), DIAG_S("e.f.g.h", v), DIAG_S("i.j", v),
             DIAG_S("k.l", v), DIAG_S("m.n", v), DIAG_N("last", 1));
        assert_int_equal(f.lines, 1);
        assert_valid_json(buf_slice(&f.out));
        assert_non_null(strstr(text_of(&f), "...\""));
        assert_in_range(f.out.n, 8000, 8192);
    }
}

static void one_long_value_does_not_hide_the_fields_behind_it(void **state)
{
    (void)state;
    static char text[20000];
    memset(text, 'x', sizeof text - 1);
    AUTO(stop) struct fixture f;
    start(&f, DIAG_TEXT, DIAG_DEBUG);
    DIAG(f.diag, DIAG_INFO, "m", DIAG_S("a", slice_str(text)), DIAG_S("b", SLICE("seen")));
    assert_non_null(strstr(text_of(&f), "xxx... b=seen\n"));
}

static void a_cut_never_parts_a_character(void **state)
{
    (void)state;
    static char text[6001];
    for (size_t shift = 0; shift < 4; shift++) {
        AUTO(stop) struct fixture f;
        start(&f, DIAG_JSON, DIAG_DEBUG);
        memset(text, 'x', shift);
        for (size_t i = shift; i + 4 < sizeof text; i += 4)
            memcpy(text + i, "\xf0\x9f\x98\x80", 4);
        DIAG(f.diag, DIAG_INFO, "m", DIAG_S("v", slice_of(text, 5000)));
        assert_valid_json(buf_slice(&f.out));
        assert_null(strstr(text_of(&f), "\xef\xbf\xbd"));
    }
}

static void lines_below_the_least_level_are_dropped(void **state)
{
    (void)state;
    AUTO(stop) struct fixture f;
    start(&f, DIAG_TEXT, DIAG_WARN);
    DIAG(f.diag, DIAG_DEBUG, "a");
    DIAG(f.diag, DIAG_INFO, "b");
    assert_int_equal(f.lines, 0);
    assert_false(diag_says(f.diag, DIAG_INFO));
    assert_true(diag_says(f.diag, DIAG_WARN));
    DIAG(f.diag, DIAG_WARN, "c");
    DIAG(f.diag, DIAG_ERROR, "d");
    assert_int_equal(f.lines, 2);
}

static void a_repeated_line_is_said_once_in_ten_seconds_and_then_counted(void **state)
{
    (void)state;
    AUTO(stop) struct fixture f;
    start(&f, DIAG_TEXT, DIAG_DEBUG);
    for (int i = 0; i < 5; i++)
        DIAG(f.diag, DIAG_INFO, "same", DIAG_N("n", 1));
    fake_clock_advance(&f.clock, 10 * NS_PER_S - 1);
    DIAG(f.diag, DIAG_INFO, "same", DIAG_N("n", 1));
    assert_int_equal(f.lines, 1);
    fake_clock_advance(&f.clock, 1);
    DIAG(f.diag, DIAG_INFO, "same", DIAG_N("n", 1));
    assert_int_equal(f.lines, 2);
    assert_non_null(strstr(text_of(&f), "same (repeated 5 times) n=1\n"));
    fake_clock_advance(&f.clock, 10 * NS_PER_S);
    buf_reset(&f.out);
    DIAG(f.diag, DIAG_INFO, "same", DIAG_N("n", 1));
    assert_string_equal(text_of(&f), "2026-01-02T03:04:25Z INFO  same n=1\n");
}

static void a_jump_of_the_wall_clock_does_not_change_the_window(void **state)
{
    (void)state;
    AUTO(stop) struct fixture f;
    start(&f, DIAG_TEXT, DIAG_DEBUG);
    DIAG(f.diag, DIAG_INFO, "same");
    fake_clock_set_wall(&f.clock, NOW + 3600 * NS_PER_S);
    DIAG(f.diag, DIAG_INFO, "same");
    assert_int_equal(f.lines, 1);
}

static void lines_that_differ_anywhere_are_all_said(void **state)
{
    (void)state;
    AUTO(stop) struct fixture f;
    start(&f, DIAG_TEXT, DIAG_DEBUG);
    DIAG(f.diag, DIAG_INFO, "m");
    DIAG(f.diag, DIAG_WARN, "m");
    DIAG(f.diag, DIAG_INFO, "n");
    DIAG(f.diag, DIAG_INFO, "m", DIAG_N("a", 1));
    DIAG(f.diag, DIAG_INFO, "m", DIAG_N("a", 2));
    DIAG(f.diag, DIAG_INFO, "m", DIAG_N("b", 1));
    DIAG(f.diag, DIAG_INFO, "m", DIAG_S("a", SLICE("xy")), DIAG_S("a", SLICE("z")));
    DIAG(f.diag, DIAG_INFO, "m", DIAG_S("a", SLICE("x")), DIAG_S("a", SLICE("yz")));
    assert_int_equal(f.lines, 8);
}

static void a_flood_of_different_lines_never_silences_a_new_one(void **state)
{
    (void)state;
    AUTO(stop) struct fixture f;
    start(&f, DIAG_TEXT, DIAG_DEBUG);
    for (int i = 0; i < 1000; i++) {
        fake_clock_advance(&f.clock, 1);
        DIAG(f.diag, DIAG_INFO, "m", DIAG_N("i", i));
    }
    assert_int_equal(f.lines, 1000);
    /* The latest are remembered, the first long forgotten. */
    for (int i = 1000 - 64; i < 1000; i++)
        DIAG(f.diag, DIAG_INFO, "m", DIAG_N("i", i));
    assert_int_equal(f.lines, 1000);
    DIAG(f.diag, DIAG_INFO, "m", DIAG_N("i", 0));
    assert_int_equal(f.lines, 1001);
}

static void bound_fields_come_first_in_each_line_and_join_their_neighbours(void **state)
{
    (void)state;
    AUTO(stop) struct fixture f;
    struct err e = ERR_INIT;
    char name[] = "shop";
    start(&f, DIAG_JSON, DIAG_DEBUG);
    AUTO(diag_freep) struct diag *who = NULL;
    AUTO(diag_freep) struct diag *where = NULL;
    const struct diag_field id[] = {DIAG_S("process.id", SLICE("processor")), DIAG_N("n", 3)};
    const struct diag_field cluster[] = {DIAG_S("sourceCluster.name", slice_str(name))};
    assert_int_equal(diag_bind(f.diag, id, 2, &who, &e), RC_OK);
    assert_int_equal(diag_bind(who, cluster, 1, &where, &e), RC_OK);
    name[0] = 'X'; /* texts are copied */
    DIAG(where, DIAG_INFO, "m", DIAG_S("sourceCluster.namespace", SLICE("dr")));
    DIAG(who, DIAG_INFO, "m", DIAG_S("a", SLICE("1")));
    DIAG(f.diag, DIAG_INFO, "m");
    assert_string_equal(
        text_of(&f),
        "{\"level\":\"info\",\"timestamp\":\"2026-01-02T03:04:05.000000006Z\",\"msg\":\"m\","
        "\"process\":{\"id\":\"processor\"},\"n\":3,"
        "\"sourceCluster\":{\"name\":\"shop\",\"namespace\":\"dr\"}}\n"
        "{\"level\":\"info\",\"timestamp\":\"2026-01-02T03:04:05.000000006Z\",\"msg\":\"m\","
        "\"process\":{\"id\":\"processor\"},\"n\":3,\"a\":\"1\"}\n"
        "{\"level\":\"info\",\"timestamp\":\"2026-01-02T03:04:05.000000006Z\",\"msg\":\"m\"}\n");
}

static void a_bound_field_takes_the_place_of_one_of_the_same_path(void **state)
{
    (void)state;
    AUTO(stop) struct fixture f;
    struct err e = ERR_INIT;
    start(&f, DIAG_TEXT, DIAG_DEBUG);
    AUTO(diag_freep) struct diag *first = NULL;
    AUTO(diag_freep) struct diag *second = NULL;
    const struct diag_field one[] = {DIAG_S("a", SLICE("1")), DIAG_S("b", SLICE("2"))};
    const struct diag_field other[] = {DIAG_S("c", SLICE("3")), DIAG_S("a", SLICE("4"))};
    assert_int_equal(diag_bind(f.diag, one, 2, &first, &e), RC_OK);
    assert_int_equal(diag_bind(first, other, 2, &second, &e), RC_OK);
    DIAG(second, DIAG_INFO, "m");
    assert_string_equal(text_of(&f), "2026-01-02T03:04:05Z INFO  m a=4 b=2 c=3\n");
}

static void the_same_line_of_two_speakers_is_no_repetition(void **state)
{
    (void)state;
    AUTO(stop) struct fixture f;
    struct err e = ERR_INIT;
    start(&f, DIAG_JSON, DIAG_INFO);
    for (int i = 0; i < 2; i++) {
        AUTO(diag_freep) struct diag *d = NULL;
        const struct diag_field id[] = {DIAG_N("n", i)};
        assert_int_equal(diag_bind(f.diag, id, 1, &d, &e), RC_OK);
        DIAG(d, DIAG_INFO, "m");
        DIAG(d, DIAG_INFO, "m");
        DIAG(d, DIAG_DEBUG, "below the least level");
    }
    assert_int_equal(f.lines, 2);
}

static void what_is_bound_to_silence_is_silent(void **state)
{
    (void)state;
    struct err e = ERR_INIT;
    struct diag *d = (struct diag *)&e;
    const struct diag_field id[] = {DIAG_N("n", 1)};
    assert_int_equal(diag_bind(NULL, id, 1, &d, &e), RC_OK);
    assert_null(d);
}

static void a_field_may_be_for_text_or_json_alone(void **state)
{
    (void)state;
    for (int text = 0; text < 2; text++) {
        AUTO(stop) struct fixture f;
        start(&f, text ? DIAG_TEXT : DIAG_JSON, DIAG_INFO);
        DIAG(f.diag, DIAG_INFO, "m", DIAG_J("a.b", SLICE("1")), DIAG_T("c", SLICE("2")),
             DIAG_J("a.d", SLICE("3")), DIAG_S("e", SLICE("4")));
        assert_string_equal(text_of(&f), text ? "2026-01-02T03:04:05Z INFO  m c=2 e=4\n"
                                              : "{\"level\":\"info\",\"timestamp\":"
                                                "\"2026-01-02T03:04:05.000000006Z\",\"msg\":\"m\","
                                                "\"a\":{\"b\":\"1\",\"d\":\"3\"},\"e\":\"4\"}\n");
    }
}

static void an_error_goes_into_the_field_error(void **state)
{
    (void)state;
    AUTO(stop) struct fixture f;
    start(&f, DIAG_TEXT, DIAG_DEBUG);
    struct err e = ERR_INIT;
    err_set(&e, RC_IO, ERR_FATAL, "disk on fire");
    diag_error(f.diag, DIAG_ERROR, "append", &e);
    assert_string_equal(text_of(&f), "2026-01-02T03:04:05Z ERROR append error=\"disk on fire\"\n");
}

static void without_an_object_nothing_is_said(void **state)
{
    (void)state;
    struct err e = ERR_INIT;
    DIAG(NULL, DIAG_ERROR, "m", DIAG_N("a", 1));
    assert_false(diag_says(NULL, DIAG_ERROR));
    diag_error(NULL, DIAG_ERROR, "m", &e);
    diag_free(NULL);
}

enum { SPEAKERS = 4, SENTENCES = 500 };

struct speaker {
    struct diag *diag;
    int number;
    pthread_t thread;
};

/* Says lines that nobody else says: equal ones would be counted, not said. */
static void *say_many(void *arg)
{
    const struct speaker *s = arg;
    for (int i = 0; i < SENTENCES; i++)
        DIAG(s->diag, DIAG_INFO, "m", DIAG_N("i", i), DIAG_N("who", s->number));
    return NULL;
}

static void lines_of_several_threads_never_mix(void **state)
{
    (void)state;
    AUTO(stop) struct fixture f;
    start(&f, DIAG_JSON, DIAG_DEBUG);
    struct speaker speakers[SPEAKERS];
    for (int i = 0; i < SPEAKERS; i++) {
        speakers[i] = (struct speaker){.diag = f.diag, .number = i};
        assert_int_equal(pthread_create(&speakers[i].thread, NULL, say_many, &speakers[i]), 0);
    }
    for (int i = 0; i < SPEAKERS; i++)
        pthread_join(speakers[i].thread, NULL);
    assert_int_equal(f.lines, SPEAKERS * SENTENCES);
    for (struct slice rest = buf_slice(&f.out); rest.n;)
        assert_valid_json(slice_cut(rest, '\n', &rest));
}

static void a_rule_gives_those_that_are_bound_with_its_text_another_level(void **state)
{
    (void)state;
    AUTO(stop) struct fixture f;
    struct err e;
    AUTO(diag_freep) struct diag *before = NULL;
    AUTO(diag_freep) struct diag *loud = NULL;
    AUTO(diag_freep) struct diag *quiet = NULL;
    AUTO(diag_freep) struct diag *rebound = NULL;
    start(&f, DIAG_TEXT, DIAG_INFO);
    const struct diag_field a = DIAG_S("id", SLICE("a")), b = DIAG_S("id", SLICE("b"));
    assert_int_equal(diag_bind(f.diag, &a, 1, &before, &e), RC_OK);
    diag_rule(f.diag, "id", "a", DIAG_ERROR);
    diag_rule(f.diag, "id", "b", DIAG_WARN);
    diag_rule(f.diag, "id", "a", DIAG_DEBUG);
    diag_rule(f.diag, "other", "b", DIAG_DEBUG);
    assert_int_equal(diag_bind(f.diag, &a, 1, &loud, &e), RC_OK);
    assert_int_equal(diag_bind(f.diag, &b, 1, &quiet, &e), RC_OK);
    assert_int_equal(diag_bind(quiet, &a, 1, &rebound, &e), RC_OK);
    assert_false(diag_says(f.diag, DIAG_DEBUG));
    assert_false(diag_says(before, DIAG_DEBUG));
    assert_true(diag_says(loud, DIAG_DEBUG));
    assert_false(diag_says(quiet, DIAG_INFO));
    assert_true(diag_says(quiet, DIAG_WARN));
    assert_true(diag_says(rebound, DIAG_DEBUG));
    DIAG(loud, DIAG_DEBUG, "said");
    DIAG(quiet, DIAG_INFO, "not said");
    assert_string_equal(text_of(&f), "2026-01-02T03:04:05Z DEBUG said id=a\n");
}

static void a_level_of_its_own_counts_where_no_rule_fits(void **state)
{
    (void)state;
    AUTO(stop) struct fixture f;
    struct err e;
    AUTO(diag_freep) struct diag *free_one = NULL;
    AUTO(diag_freep) struct diag *ruled = NULL;
    start(&f, DIAG_TEXT, DIAG_INFO);
    const struct diag_field a = DIAG_S("id", SLICE("a")), b = DIAG_S("id", SLICE("b"));
    diag_rule(f.diag, "id", "b", DIAG_WARN);
    assert_int_equal(diag_bind(f.diag, &a, 1, &free_one, &e), RC_OK);
    assert_int_equal(diag_bind(f.diag, &b, 1, &ruled, &e), RC_OK);
    diag_set_least(free_one, DIAG_DEBUG);
    diag_set_least(ruled, DIAG_DEBUG);
    diag_set_least(NULL, DIAG_DEBUG);
    assert_true(diag_says(free_one, DIAG_DEBUG));
    assert_false(diag_says(ruled, DIAG_INFO));
    assert_false(diag_says(f.diag, DIAG_DEBUG));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_text_line_has_time_level_message_and_fields),
        cmocka_unit_test(a_text_value_is_quoted_where_it_could_be_misread),
        cmocka_unit_test(no_text_can_end_the_line_or_move_the_cursor),
        cmocka_unit_test(a_json_line_nests_dotted_paths_and_joins_neighbours),
        cmocka_unit_test(json_escapes_quotes_control_characters_and_broken_utf8),
        cmocka_unit_test(every_string_of_three_bytes_gives_valid_json),
        cmocka_unit_test(long_values_are_cut_and_the_line_stays_whole),
        cmocka_unit_test(one_long_value_does_not_hide_the_fields_behind_it),
        cmocka_unit_test(a_cut_never_parts_a_character),
        cmocka_unit_test(lines_below_the_least_level_are_dropped),
        cmocka_unit_test(a_repeated_line_is_said_once_in_ten_seconds_and_then_counted),
        cmocka_unit_test(a_jump_of_the_wall_clock_does_not_change_the_window),
        cmocka_unit_test(lines_that_differ_anywhere_are_all_said),
        cmocka_unit_test(a_flood_of_different_lines_never_silences_a_new_one),
        cmocka_unit_test(bound_fields_come_first_in_each_line_and_join_their_neighbours),
        cmocka_unit_test(a_bound_field_takes_the_place_of_one_of_the_same_path),
        cmocka_unit_test(the_same_line_of_two_speakers_is_no_repetition),
        cmocka_unit_test(what_is_bound_to_silence_is_silent),
        cmocka_unit_test(a_field_may_be_for_text_or_json_alone),
        cmocka_unit_test(an_error_goes_into_the_field_error),
        cmocka_unit_test(without_an_object_nothing_is_said),
        cmocka_unit_test(lines_of_several_threads_never_mix),
        cmocka_unit_test(a_rule_gives_those_that_are_bound_with_its_text_another_level),
        cmocka_unit_test(a_level_of_its_own_counts_where_no_rule_fits),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
