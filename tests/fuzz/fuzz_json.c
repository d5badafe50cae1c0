/* JSON: what parses prints as itself, frames at its end, has a canonical form that parses again and
 * is stable, and survives edits. */
#include "core/buf.h"
#include "core/json.h"

#include <stdint.h>

#define CHECK(what)                                                                                \
    do {                                                                                           \
        if (!(what))                                                                               \
            __builtin_trap();                                                                      \
    } while (0)

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);

static void check_canonical(struct json_doc *d)
{
    AUTO(buf_done) struct buf once = BUF_INIT(JSON_TEXT_MAX);
    AUTO(buf_done) struct buf twice = BUF_INIT(JSON_TEXT_MAX);
    json_print_canonical(d, json_root(d), &once);
    AUTO(json_freep) struct json_doc *again = NULL;
    CHECK(json_parse(buf_slice(&once), &again, NULL) == RC_OK);
    CHECK(json_equal(json_root(d), json_root(again)));
    json_print_canonical(again, json_root(again), &twice);
    CHECK(slice_eq(buf_slice(&once), buf_slice(&twice)));
}

/* Reads everything, then takes out every second child and replaces every third. */
static void edit(struct json_doc *d)
{
    size_t i = 0;
    struct json *n = json_root(d)->first;
    for (struct json *next; n; n = next, i++) {
        next = n->next;
        struct slice text = json_text(d, n), name = json_name(d, n);
        CHECK(text.n <= n->raw.n && name.n <= n->key_raw.n);
        if (json_is(json_root(d), JSON_OBJECT))
            CHECK(json_get_slice(json_root(d), name));
        struct json *v = NULL;
        if (i % 3 == 0 && json_value_copy(d, n, &v, NULL) == RC_OK)
            json_replace(n, v);
        else if (i % 2)
            json_remove(n);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
    struct slice text = slice_of(data, n);
    size_t end = 0;
    enum rc framed = json_frame(text, &end, NULL);
    CHECK(framed != RC_OK || end <= n);
    AUTO(json_freep) struct json_doc *d = NULL;
    struct err e = ERR_INIT;
    if (json_parse(text, &d, &e) != RC_OK) {
        CHECK(e.rc < 0 && e.msg[0]);
        return 0;
    }
    CHECK(framed == RC_OK || json_is(json_root(d), JSON_NUMBER));
    AUTO(buf_done) struct buf out = BUF_INIT(JSON_TEXT_MAX);
    json_print(json_root(d), &out);
    CHECK(slice_eq(buf_slice(&out), json_root(d)->raw));
    check_canonical(d);
    edit(d);
    buf_reset(&out);
    json_print(json_root(d), &out);
    AUTO(json_freep) struct json_doc *again = NULL;
    CHECK(json_parse(buf_slice(&out), &again, NULL) == RC_OK);
    CHECK(json_equal(json_root(d), json_root(again)));
    return 0;
}
