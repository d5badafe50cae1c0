/* core/json: what is accepted, what is refused and where, limits, and the property that untouched
 * bytes survive. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "core/buf.h"
#include "core/json.h"

#include <stdio.h>
#include <stdlib.h>

#define SEEDS 400

static struct json_doc *parse_ok(struct slice text)
{
    struct json_doc *d = NULL;
    struct err e = ERR_INIT;
    if (json_parse(text, &d, &e) != RC_OK)
        fail_msg("%s", e.msg);
    return d;
}

static void assert_printed(const struct json *n, struct slice expected)
{
    AUTO(buf_done) struct buf out = BUF_INIT(JSON_TEXT_MAX);
    json_print(n, &out);
    assert_int_equal(out.bad, RC_OK);
    if (!slice_eq(buf_slice(&out), expected))
        fail_msg("printed %.*s, expected %.*s", SLICE_ARG(buf_slice(&out)), SLICE_ARG(expected));
}

static void what_is_not_edited_is_printed_as_it_was(void **state)
{
    (void)state;
    static const char *const texts[] = {
        "null",
        "true",
        "false",
        "0",
        "-0",
        "-0.0",
        "1.0",
        "1.10",
        "100.0",
        "1e21",
        "1E5",
        "1e400",
        "1E-400",
        "9007199254740993",
        "18446744073709551616",
        "123456789012345678901234567890",
        "\"\"",
        "\"a\\u0000b\"",
        "\"\\u003c\\/\\\"\\\\\\b\\f\\n\\r\\t\"",
        "\"\\ud83d\\ude00\\uD83D\"",
        "\"\xc3\xa9\xe2\x82\xac\xf0\x9f\x98\x80\x7f\"",
        "[]",
        "[ ]",
        "{}",
        "{\n}",
        "[1,[2,[]],{}]",
        "{\"a\":1,\"a\":2}",
        "{ \"b\" : 1 ,\t\"a\":\r\n[ 1 , 2 ] }",
        "{\"\":{\"\":null}}",
        "\"0123456\\\"\"",
        "\"01234567\\n89abcdef\xc3\xa9\"",
        "{\"\\u0061\":1}",
    };
    for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
        AUTO(json_freep) struct json_doc *d = parse_ok(slice_str(texts[i]));
        assert_printed(json_root(d), slice_str(texts[i]));
        AUTO(json_freep) struct json_doc *view = NULL;
        assert_int_equal(json_parse_view(slice_str(texts[i]), &view, NULL), RC_OK);
        assert_ptr_equal(json_root(view)->raw.p, texts[i]);
    }
}

static void white_space_around_the_root_is_not_part_of_it(void **state)
{
    (void)state;
    AUTO(json_freep) struct json_doc *d = parse_ok(SLICE(" \r\n\t[1 ] \n"));
    assert_printed(json_root(d), SLICE("[1 ]"));
}

static void a_syntax_error_is_refused_with_its_offset(void **state)
{
    (void)state;
    static const struct {
        struct slice text;
        const char *message; /* its beginning */
    } cases[] = {
        {SLICE(""), "byte 0: expected a JSON value, found the end"},
        {SLICE("  "), "byte 2: expected a JSON value, found the end"},
        {SLICE("[1,]"), "byte 3: expected a JSON value, found ']'"},
        {SLICE("[,1]"), "byte 1: expected a JSON value, found ','"},
        {SLICE("[1 2]"), "byte 3: expected ',' or ']', found '2'"},
        {SLICE("[1}"), "byte 2: expected ',' or ']', found '}'"},
        {SLICE("[1"), "byte 2: expected ',' or ']', found the end"},
        {SLICE("{\"a\":1"), "byte 6: expected ',' or '}', found the end"},
        {SLICE("{\"a\":1,}"), "byte 7: expected a member's name in double quotes, found '}'"},
        {SLICE("{a:1}"), "byte 1: expected a member's name in double quotes, found 'a'"},
        {SLICE("{\"a\"1}"), "byte 4: expected ':' after a member's name, found '1'"},
        {SLICE("{\"a\"}"), "byte 4: expected ':'"},
        {SLICE("{\"a\":}"), "byte 5: expected a JSON value, found '}'"},
        {SLICE("1 2"), "byte 2: expected the end after the value, found '2'"},
        {SLICE("]"), "byte 0: expected a JSON value, found ']'"},
        {SLICE("tru"), "byte 0: expected a JSON value"},
        {SLICE("nulL"), "byte 0: expected a JSON value"},
        {SLICE("truex"), "byte 4: expected the end after the value, found 'x'"},
        {SLICE("fals"), "byte 0: expected a JSON value"},
        {SLICE("NaN"), "byte 0: expected a JSON value, found 'N'"},
        {SLICE("'a'"), "byte 0: expected a JSON value"},
        {SLICE("// c\n1"), "byte 0: expected a JSON value, found '/'"},
        {SLICE("01"), "byte 0: expected a number without leading zeros"},
        {SLICE("-"), "byte 1: expected a digit, found the end"},
        {SLICE("+1"), "byte 0: expected a JSON value, found '+'"},
        {SLICE("1."), "byte 2: expected a digit after the decimal point"},
        {SLICE(".5"), "byte 0: expected a JSON value, found '.'"},
        {SLICE("1e"), "byte 2: expected a digit in the exponent"},
        {SLICE("1e+"), "byte 3: expected a digit in the exponent"},
        {SLICE("\"a"), "byte 2: expected a string's character"},
        {SLICE("\"a\tb\""), "byte 2: expected a string's character (control characters as \\u00XX) "
                            "or '\"', found byte 0x09"},
        {SLICE("\"a\0b\""), "byte 2: expected a string's character"},
        {SLICE("\"\\x\""), "byte 2: expected one of"},
        {SLICE("\"\\\0\""), "byte 2: expected one of"},
        {SLICE("\"\\"), "byte 2: expected one of"},
        {SLICE("\"\\u12g4\""), "byte 5: expected four hexadecimal digits"},
        {SLICE("\"\\u12"), "byte 5: expected four hexadecimal digits"},
        {SLICE("\xef\xbb\xbf{}"), "byte 0: expected a JSON value, found byte 0xef"},
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct json_doc *d = NULL;
        struct err e = ERR_INIT;
        if (json_parse(cases[i].text, &d, &e) != RC_INVALID)
            fail_msg("accepted: %.*s", SLICE_ARG(cases[i].text));
        assert_int_equal(e.retry, ERR_FINAL);
        assert_null(d);
        if (!slice_starts(slice_str(e.msg), slice_str(cases[i].message)))
            fail_msg("for %.*s: %s", SLICE_ARG(cases[i].text), e.msg);
    }
}

static void only_well_formed_utf8_is_accepted(void **state)
{
    (void)state;
    static const char *const good[] = {"\x7f",         "\xc2\x80",         "\xdf\xbf",
                                       "\xe0\xa0\x80", "\xed\x9f\xbf",     "\xee\x80\x80",
                                       "\xef\xbf\xbf", "\xf0\x90\x80\x80", "\xf4\x8f\xbf\xbf"};
    static const char *const bad[] = {"\x80",
                                      "\xbf",
                                      "\xc0\xaf",
                                      "\xc1\xbf",
                                      "\xc2",
                                      "\xc2\x41",
                                      "\xe0\x9f\xbf",
                                      "\xe2\x82",
                                      "\xe2\x82\x41",
                                      "\xed\xa0\x80",
                                      "\xf0\x8f\xbf\xbf",
                                      "\xf0\x9f\x98",
                                      "\xf0\x9f\x98\x41",
                                      "\xf4\x90\x80\x80",
                                      "\xf5\x80\x80\x80",
                                      "\xff"};
    char text[32];
    struct json_doc *d;
    for (size_t i = 0; i < sizeof(good) / sizeof(good[0]); i++) {
        int n = snprintf(text, sizeof text, "\"12345678%s\"", good[i]);
        assert_int_equal(json_parse(slice_of(text, (size_t)n), &d, NULL), RC_OK);
        json_free(d);
    }
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        struct err e = ERR_INIT;
        int n = snprintf(text, sizeof text, "\"1234567%s\"", bad[i]);
        assert_int_equal(json_parse(slice_of(text, (size_t)n), &d, &e), RC_INVALID);
        assert_true(slice_starts(slice_str(e.msg), SLICE("byte 8: expected valid UTF-8")));
        n = snprintf(text, sizeof text, "\"%s", bad[i]);
        assert_int_equal(json_parse(slice_of(text, (size_t)n), &d, NULL), RC_INVALID);
    }
}

static void nested_text(struct buf *b, size_t depth)
{
    buf_reset(b);
    for (size_t i = 0; i < depth; i++)
        buf_add_str(b, i % 2 ? "{\"a\":" : "[");
    buf_add_char(b, '1');
    for (size_t i = depth; i-- > 0;)
        buf_add_char(b, i % 2 ? '}' : ']');
}

static void nesting_is_allowed_to_its_limit_and_not_beyond(void **state)
{
    (void)state;
    AUTO(buf_done) struct buf b = BUF_INIT(1 << 20);
    nested_text(&b, JSON_DEPTH_MAX);
    AUTO(json_freep) struct json_doc *d = parse_ok(buf_slice(&b));
    assert_printed(json_root(d), buf_slice(&b));
    assert_int_equal(json_depth(d), JSON_DEPTH_MAX);
    nested_text(&b, JSON_DEPTH_MAX + 1);
    struct json_doc *none = NULL;
    struct err e = ERR_INIT;
    assert_int_equal(json_parse(buf_slice(&b), &none, &e), RC_LIMIT);
    assert_null(none);
    nested_text(&b, 200000);
    assert_int_equal(json_parse(buf_slice(&b), &none, &e), RC_LIMIT);
}

static void text_longer_than_its_limit_is_refused_unread(void **state)
{
    (void)state;
    struct json_doc *d = NULL;
    struct err e = ERR_INIT;
    assert_int_equal(json_parse_view(slice_of("1", (size_t)JSON_TEXT_MAX + 1), &d, &e), RC_LIMIT);
    assert_null(d);
}

static void more_values_than_the_limit_are_refused(void **state)
{
    (void)state;
    AUTO(buf_done) struct buf b = BUF_INIT(JSON_TEXT_MAX);
    size_t n = (size_t)JSON_NODES_MAX * 2 + 1;
    char *p = buf_extend(&b, n);
    assert_non_null(p);
    p[0] = '[';
    for (size_t i = 1; i < n; i++)
        p[i] = i % 2 ? '1' : ',';
    p[n - 1] = ']';
    struct json_doc *d = NULL;
    struct err e = ERR_INIT;
    assert_int_equal(json_parse_view(buf_slice(&b), &d, &e), RC_LIMIT);
    assert_null(d);
}

static void a_parsed_copy_outlives_its_text(void **state)
{
    (void)state;
    char *text = strdup("{\"a\":[1,\"x\"]}");
    AUTO(json_freep) struct json_doc *d = parse_ok(slice_str(text));
    memset(text, 'z', strlen(text));
    free(text);
    assert_printed(json_root(d), SLICE("{\"a\":[1,\"x\"]}"));
}

static void children_know_their_place(void **state)
{
    (void)state;
    AUTO(json_freep) struct json_doc *d = parse_ok(SLICE("{\"a\":[1,2,3],\"b\":{}}"));
    struct json *a = json_root(d)->first, *b = a->next;
    assert_int_equal(json_root(d)->count, 2);
    assert_int_equal(a->count, 3);
    assert_int_equal(b->count, 0);
    assert_ptr_equal(json_root(d)->last, b);
    assert_ptr_equal(b->prev, a);
    assert_null(b->next);
    assert_ptr_equal(a->last->prev->prev, a->first);
    assert_ptr_equal(a->first->parent, a);
    assert_null(json_root(d)->parent);
    assert_int_equal(a->line, 0);
}

static void freeing_nothing_is_allowed(void **state)
{
    (void)state;
    json_free(NULL);
}

/* ---- The property ---- */

static uint64_t next_random(uint64_t *seed)
{
    uint64_t z = (*seed += UINT64_C(0x9e3779b97f4a7c15));
    z = (z ^ (z >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
    z = (z ^ (z >> 27)) * UINT64_C(0x94d049bb133111eb);
    return z ^ (z >> 31);
}

static size_t below(uint64_t *seed, size_t n)
{
    return (size_t)(next_random(seed) % n);
}

/* The reference model: text as pieces, edited without any knowledge of core/json. A child's text is
 * lead + body; in members the lead ends with the colon's spacing. */
struct piece {
    char before[8]; /* spacing and comma before it, empty comma for the first */
    char name[64];  /* with colon and spacing; empty in arrays */
    char body[64];
};

struct model {
    bool object;
    struct piece pieces[8];
    size_t n;
    char tail[4];
};

static const char *const spaces[] = {"", "", "", " ", "\n", "\t ", "\r\n"};
static const char *const scalars[] = {"1.0",
                                      "1e21",
                                      "1e400",
                                      "-0",
                                      "9007199254740993",
                                      "\"\\u0000\"",
                                      "\"\\ud800\"",
                                      "\"\xe2\x82\xac\"",
                                      "null",
                                      "true",
                                      "false",
                                      "\"\"",
                                      "{}",
                                      "[ ]",
                                      "{\"a\": 1 , \"a\":2}",
                                      "[1 ,[ 2,\"]\"]]",
                                      "\"\\\\\\\"\"",
                                      "0.10",
                                      "[{\"x\":[]}]"};

#define PICK(seed, list) (list)[below(seed, sizeof(list) / sizeof((list)[0]))]

static void random_piece(uint64_t *seed, struct model *m, size_t i)
{
    struct piece *p = &m->pieces[i];
    snprintf(p->before, sizeof p->before, "%s%s%s", i ? PICK(seed, spaces) : "", i ? "," : "",
             PICK(seed, spaces));
    p->name[0] = 0;
    if (m->object)
        snprintf(p->name, sizeof p->name, "\"%sk%zu\"%s:%s", below(seed, 4) ? "" : "\\u0061", i,
                 PICK(seed, spaces), PICK(seed, spaces));
    snprintf(p->body, sizeof p->body, "%s", PICK(seed, scalars));
}

static void random_model(uint64_t *seed, struct model *m)
{
    *m = (struct model){.object = below(seed, 2), .n = below(seed, 7)};
    for (size_t i = 0; i < m->n; i++)
        random_piece(seed, m, i);
    snprintf(m->tail, sizeof m->tail, "%s", PICK(seed, spaces));
}

static void model_print(const struct model *m, struct buf *out)
{
    buf_reset(out);
    buf_add_char(out, m->object ? '{' : '[');
    for (size_t i = 0; i < m->n; i++) {
        const char *before = m->pieces[i].before, *comma = strchr(before, ',');
        if (i == 0 && comma)
            before = comma + 1;
        if (i > 0 && !comma)
            buf_add_char(out, ',');
        buf_add_str(out, before);
        buf_add_str(out, m->pieces[i].name);
        buf_add_str(out, m->pieces[i].body);
    }
    buf_add_str(out, m->tail);
    buf_add_char(out, m->object ? '}' : ']');
}

static struct json *nth(struct json *n, size_t i)
{
    n = n->first;
    while (i--)
        n = n->next;
    return n;
}

static struct json *value_ok(struct json_doc *d, const char *text)
{
    struct json *v = NULL;
    assert_int_equal(json_value(d, slice_str(text), &v, NULL), RC_OK);
    return v;
}

/* One edit on both, model and document. */
static void random_edit(uint64_t *seed, struct model *m, struct json_doc *d, struct json *n)
{
    const char *body = PICK(seed, scalars);
    size_t i = m->n ? below(seed, m->n) : 0;
    switch (below(seed, 3)) {
    case 0:
        if (m->n == 0)
            return;
        json_remove(nth(n, i));
        memmove(&m->pieces[i], &m->pieces[i + 1], (m->n - i - 1) * sizeof(struct piece));
        m->n--;
        return;
    case 1:
        if (m->n == 0)
            return;
        json_replace(nth(n, i), value_ok(d, body));
        snprintf(m->pieces[i].body, sizeof m->pieces[i].body, "%s", body);
        return;
    default:
        if (m->n == 7)
            return;
        i = m->object ? m->n : below(seed, m->n + 1);
        memmove(&m->pieces[i + 1], &m->pieces[i], (m->n - i) * sizeof(struct piece));
        m->pieces[i] = (struct piece){.before = ""};
        snprintf(m->pieces[i].body, sizeof m->pieces[i].body, "%s", body);
        m->n++;
        if (!m->object) {
            json_insert(n, i, value_ok(d, body));
            return;
        }
        char name[16];
        snprintf(name, sizeof name, "n%llu", (unsigned long long)next_random(seed) % 1000000);
        snprintf(m->pieces[i].name, sizeof m->pieces[i].name, "\"%s\":", name);
        assert_int_equal(json_set(d, n, slice_str(name), value_ok(d, body), NULL), RC_OK);
    }
}

static void whatever_is_not_edited_comes_out_byte_for_byte(void **state)
{
    (void)state;
    AUTO(buf_done) struct buf inner = BUF_INIT(4096);
    AUTO(buf_done) struct buf text = BUF_INIT(8192);
    for (uint64_t run = 1; run <= SEEDS; run++) {
        uint64_t seed = run;
        struct model m;
        random_model(&seed, &m);
        model_print(&m, &inner);
        const char *head = "{ \"before\":[1.0 ,{\"q\" :1e400}],\n\"at\" : ",
                   *tail = " , \"after\":\"\\u0000\" }";
        buf_reset(&text);
        buf_addf(&text, "%s%s%s", head, inner.p, tail);
        AUTO(json_freep) struct json_doc *d = parse_ok(buf_slice(&text));
        size_t edits = below(&seed, 6);
        while (edits--)
            random_edit(&seed, &m, d, json_get(json_root(d), "at"));
        model_print(&m, &inner);
        buf_reset(&text);
        buf_addf(&text, "%s%s%s", head, inner.p, tail);
        AUTO(buf_done) struct buf out = BUF_INIT(8192);
        json_print(json_root(d), &out);
        if (!slice_eq(buf_slice(&out), buf_slice(&text)))
            fail_msg("seed %llu:\n%s\nexpected\n%s", (unsigned long long)run, out.p, text.p);
        AUTO(json_freep) struct json_doc *again = parse_ok(buf_slice(&out));
        assert_true(json_equal(json_root(d), json_root(again)));
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_is_not_edited_is_printed_as_it_was),
        cmocka_unit_test(white_space_around_the_root_is_not_part_of_it),
        cmocka_unit_test(a_syntax_error_is_refused_with_its_offset),
        cmocka_unit_test(only_well_formed_utf8_is_accepted),
        cmocka_unit_test(nesting_is_allowed_to_its_limit_and_not_beyond),
        cmocka_unit_test(text_longer_than_its_limit_is_refused_unread),
        cmocka_unit_test(more_values_than_the_limit_are_refused),
        cmocka_unit_test(a_parsed_copy_outlives_its_text),
        cmocka_unit_test(children_know_their_place),
        cmocka_unit_test(freeing_nothing_is_allowed),
        cmocka_unit_test(whatever_is_not_edited_comes_out_byte_for_byte),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
