/* The door to PCRE2: unanchored search with the syntax that RE2 and PCRE2 share, and with limits on its work. */
#ifndef RESILOG_CORE_REGEX_H
#define RESILOG_CORE_REGEX_H

#include "core/err.h"
#include "core/scope.h"
#include "core/slice.h"

struct regex;

/* Compiles a pattern of at most 4 KiB. What RE2 (Go) does not have - look-around, back references, possessive
 * and atomic groups, recursion, conditionals, callouts - is refused so that a filter means the same
 * everywhere. One difference is left: \s also matches the vertical tab. Errors: INVALID with the offset and
 * what is wrong there; NOMEM. */
MUST_CHECK enum rc regex_new(struct slice pattern, struct regex **ret, struct err *e);
void regex_free(struct regex *r);
DEFINE_FREEP(struct regex, regex_free)

/* Looks for the pattern anywhere in text. Errors: LIMIT (FINAL) when the match limit is hit: the caller must
 * treat that as undecided, never as "no match". One thread at a time. */
MUST_CHECK enum rc regex_search(const struct regex *r, struct slice text, bool *ret_found,
                                struct err *e);

#endif
