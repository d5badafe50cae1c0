/* Bytes written down once by hand from docs/FORMAT.md, with checksums and hashes that another implementation of them
 * gave: a test that compares with them fails when a codec begins to write something else. */
#ifndef RESILOG_TESTS_GOLDEN_H
#define RESILOG_TESTS_GOLDEN_H

#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>

#include "core/buf.h"
#include "core/digest.h"
#include "core/le.h"
#include "core/scope.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>

/* Adds `count` copies of a byte. */
static inline void golden_repeat(struct buf *out, uint8_t byte, unsigned long count)
{
    for (unsigned long i = 0; i < count; i++)
        buf_add_u8(out, byte);
}

/* Appends what a text says: pairs of hexadecimal digits, 'text' in quotes, white space between them; "00*32" is 32
 * times the same byte. */
static inline void golden_read(const char *text, struct buf *out)
{
    for (const char *p = text; *p;) {
        if (*p == '\'') {
            const char *end = strchr(p + 1, '\'');
            assert_non_null(end);
            buf_add(out, p + 1, (size_t)(end - p - 1));
            p = end + 1;
        } else if (isspace((unsigned char)*p)) {
            p++;
        } else {
            char pair[3] = {p[0], p[1], '\0'}, *end = NULL;
            uint8_t byte = (uint8_t)strtoul(pair, &end, 16);
            assert_true(end == pair + 2);
            p += 2;
            unsigned long count = *p == '*' ? strtoul(p + 1, &end, 10) : 1;
            p = *p == '*' ? end : p;
            golden_repeat(out, byte, count);
        }
    }
    assert_int_equal(out->bad, RC_OK);
}

static inline void golden_print(const char *what, struct slice bytes)
{
    print_error("%s:", what);
    for (size_t i = 0; i < bytes.n; i++)
        print_error("%s%02x", i % 16 ? " " : "\n", (unsigned)(uint8_t)bytes.p[i]);
    print_error("\n");
}

static inline void assert_golden(struct slice found, const char *text)
{
    AUTO(buf_done) struct buf expected = BUF_INIT(1u << 20);
    golden_read(text, &expected);
    if (slice_eq(found, buf_slice(&expected)))
        return;
    golden_print("found", found);
    golden_print("expected", buf_slice(&expected));
    fail_msg("the bytes are not those of docs/FORMAT.md");
}

/* Makes the CRC32C in the last four bytes right again, so that a changed field reaches the check behind it. */
static inline void golden_reseal(struct buf *b)
{
    le_put_u32(b->p + b->n - 4, crc32c(0, b->p, b->n - 4));
}

/* What a decoder says of something newer: the class, what it found, and what it can read. */
static inline void assert_newer(enum rc rc, const struct err *e, const char *found,
                                const char *allowed)
{
    assert_int_equal(rc, RC_UNSUPPORTED);
    if (!strstr(e->msg, found) || !strstr(e->msg, allowed))
        fail_msg("\"%s\" does not say \"%s\" and \"%s\"", e->msg, found, allowed);
}

#endif
