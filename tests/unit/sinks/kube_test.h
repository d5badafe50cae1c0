/* What the unit tests of the Kubernetes sink share: JSON in and out with single quotes, the parts of a write. */
#ifndef RESILOG_TESTS_KUBE_TEST_H
#define RESILOG_TESTS_KUBE_TEST_H

#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/buf.h"
#include "core/json.h"
#include "core/scope.h"

/* Turns ' into ", so that JSON can be read in C. The caller frees. */
static inline char *kt_quotes(const char *text)
{
    char *s = strdup(text);
    assert_non_null(s);
    for (char *p = s; *p; p++)
        if (*p == '\'')
            *p = '"';
    return s;
}

/* Parses a text with single quotes; it must be right. */
static inline struct json_doc *kt_parse(const char *text)
{
    AUTO(freep) char *json = kt_quotes(text);
    struct json_doc *d = NULL;
    struct err e = ERR_INIT;
    if (json_parse(slice_str(json), &d, &e) != RC_OK)
        fail_msg("%s: %s", text, e.msg);
    return d;
}

/* The bytes must be these. */
static inline void kt_assert_text(struct slice got, const char *want)
{
    AUTO(freep) char *json = kt_quotes(want);
    AUTO(freep) char *text = strndup(got.n ? got.p : "", got.n);
    assert_string_equal(text, json);
}

/* The printed document must be these bytes. */
static inline void kt_assert_doc(const struct json_doc *d, const char *want)
{
    AUTO(buf_done) struct buf out = BUF_INIT(1 << 24);
    json_print(json_root(d), &out);
    kt_assert_text(buf_slice(&out), want);
}

/* True if part stands in text. */
static inline bool kt_has(struct slice text, const char *part)
{
    return text.n > 0 && memmem(text.p, text.n, part, strlen(part)) != NULL;
}

#endif
