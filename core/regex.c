/* The door to PCRE2. A pattern passes two gates: a scanner that knows only what RE2 and PCRE2 both
 * have and mean alike, then PCRE2's own compiler. The scanner goes by an allow-list: what it does
 * not know is refused, so a newer PCRE2 brings no surprise.
 *
 * Matching is interpreted (no JIT: its stack and its executable memory are not bounded by these
 * limits) and gives up at MATCH_LIMIT steps. Subjects need not be valid UTF-8. The match block is
 * reused: one thread at a time. */
#define PCRE2_CODE_UNIT_WIDTH 8
#include "core/regex.h"

#include <pcre2.h>

#define PATTERN_MAX    4096
#define MATCH_LIMIT    1000000u
#define DEPTH_LIMIT    10000u
#define HEAP_LIMIT_KIB 8192u
#define NEST_LIMIT     100u
#define REPEAT_MAX     1000u /* RE2's own */

struct regex {
    pcre2_code *code;
    pcre2_match_data *match;
    pcre2_match_context *limits;
};

/* A position in a pattern, for reading it from left to right. */
struct scan {
    struct slice text;
    size_t i;
    struct err *e;
};

static enum rc refuse(struct scan *s, size_t at, const char *what)
{
    return err_set(s->e, RC_INVALID, ERR_FINAL, "regular expression, at character %zu: %s", at + 1,
                   what);
}

/* The character k places on; NUL behind the end (a NUL in the pattern itself is refused before). */
static char peek(const struct scan *s, size_t k)
{
    return k < s->text.n - s->i ? s->text.p[s->i + k] : '\0';
}

static bool one_of(char c, const char *set)
{
    return c != '\0' && strchr(set, c) != NULL;
}

static bool is_digit(char c)
{
    return c >= '0' && c <= '9';
}

static bool is_hex(char c)
{
    return is_digit(c) || (c >= 'a' && c <= 'f') || (c >= 'A' && c <= 'F');
}

static bool is_word(char c)
{
    return is_digit(c) || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_';
}

/* \xHH and \x{H...}; i stands on the x. */
static enum rc scan_hex(struct scan *s)
{
    size_t at = s->i;
    s->i++;
    if (is_hex(peek(s, 0)) && is_hex(peek(s, 1))) {
        s->i += 2;
        return RC_OK;
    }
    size_t digits = 0;
    while (peek(s, 0) == '{' && is_hex(peek(s, 1 + digits)))
        digits++;
    if (digits == 0 || digits > 6 || peek(s, 1 + digits) != '}')
        return refuse(s, at, "write \\x with two hexadecimal digits, or like \\x{1F600}");
    s->i += digits + 2;
    return RC_OK;
}

/* \pL, \p{L}, \p{Lu}, \P...; i stands on the p. */
static enum rc scan_property(struct scan *s)
{
    size_t at = s->i;
    s->i++;
    bool braces = peek(s, 0) == '{';
    size_t n = braces ? 1 : 0;
    if (!one_of(peek(s, n), "LMNPSZC"))
        return refuse(s, at, "only general categories are allowed after \\p, like \\pL or \\p{Lu}");
    n++;
    if (braces && peek(s, n) >= 'a' && peek(s, n) <= 'z')
        n++;
    if (braces && peek(s, n++) != '}')
        return refuse(s, at, "only general categories are allowed after \\p, like \\pL or \\p{Lu}");
    s->i += n;
    return RC_OK;
}

/* What follows a backslash, on which i stands. `letters` are the ones allowed there beside x and p.
 */
static enum rc scan_escape(struct scan *s, const char *letters)
{
    size_t at = s->i;
    s->i++;
    char c = peek(s, 0);
    if (c == '\0')
        return refuse(s, at, "a backslash at the end");
    if (is_digit(c))
        return refuse(s, at,
                      "back references and octal numbers are not supported; a character by "
                      "its number is written \\x{41}");
    if (c == 'x')
        return scan_hex(s);
    if (c == 'p' || c == 'P')
        return scan_property(s);
    if (is_word(c) && c != '_' && !one_of(c, letters))
        return refuse(s, at, "this escape sequence is not supported");
    if ((unsigned char)c >= 0x80)
        return refuse(s, at, "a backslash may stand only before ASCII characters");
    s->i++;
    return RC_OK;
}

/* \Q...\E is literal; without \E to the end. i stands on the backslash. */
static void scan_literal(struct scan *s)
{
    s->i += 2;
    while (s->i < s->text.n && !(peek(s, 0) == '\\' && peek(s, 1) == 'E'))
        s->i++;
    s->i += s->i < s->text.n ? 2 : 0;
}

/* "[:name:]"; i stands on the bracket. The name itself is PCRE2's to check: both know the same. */
static enum rc scan_posix(struct scan *s)
{
    size_t at = s->i;
    s->i += 2;
    while (is_word(peek(s, 0)) || peek(s, 0) == '^')
        s->i++;
    if (peek(s, 0) != ':' || peek(s, 1) != ']')
        return refuse(s, at,
                      "write a character class by name like [[:alpha:]], and a bracket "
                      "inside a class as \\[");
    s->i += 2;
    return RC_OK;
}

/* [...]; i stands on the opening bracket. */
static enum rc scan_class(struct scan *s)
{
    size_t at = s->i;
    s->i++;
    if (peek(s, 0) == '^')
        s->i++;
    for (bool first = true; first || peek(s, 0) != ']'; first = false) {
        enum rc rc = RC_OK;
        if (s->i >= s->text.n)
            return refuse(s, at, "this [ is never closed");
        if (peek(s, 0) == '\\')
            rc = scan_escape(s, "afnrtdDsSwW");
        else if (peek(s, 0) == '[' && one_of(peek(s, 1), ":.="))
            rc = scan_posix(s);
        else
            s->i++;
        if (rc)
            return rc;
    }
    s->i++;
    return RC_OK;
}

/* The n of (?P<name> or (?<name>, counted from i, which stands on the '<'; 0 where it is none. */
static size_t group_name(const struct scan *s)
{
    size_t n = 1;
    while (is_word(peek(s, n)))
        n++;
    return n > 1 && peek(s, n) == '>' ? n + 1 : 0;
}

/* What follows "(?": a name, or flags and then ':' or ')'. i stands on the parenthesis. */
static enum rc scan_group(struct scan *s)
{
    size_t at = s->i;
    s->i++;
    if (peek(s, 0) == '*')
        return refuse(s, at, "verbs like (*UTF) are not supported");
    if (peek(s, 0) != '?')
        return RC_OK;
    s->i++;
    if (peek(s, 0) == 'P' && peek(s, 1) == '<')
        s->i++;
    if (peek(s, 0) == '<') {
        size_t n = group_name(s);
        s->i += n;
        return n ? RC_OK
                 : refuse(s, at,
                          "look-behind, or a group's name that is no word, is not "
                          "supported");
    }
    size_t flags = 0, minus = 0;
    for (; one_of(peek(s, 0), "imsU-"); s->i++) {
        minus += peek(s, 0) == '-';
        flags += peek(s, 0) != '-';
    }
    bool empty = s->text.p[s->i - 1] == '-' || (flags == 0 && peek(s, 0) == ')');
    if (empty || minus > 1 || !one_of(peek(s, 0), ":)"))
        return refuse(s, at,
                      "after (? only a name like (?P<name>...), the flags i m s U and : are "
                      "supported; there is no look-around, recursion, condition, callout, "
                      "comment or atomic group");
    s->i++;
    return RC_OK;
}

/* The length of a repetition operator at i, 0 if there is none. */
static enum rc scan_operator(struct scan *s, size_t *ret_n)
{
    *ret_n = one_of(peek(s, 0), "*+?") ? 1 : 0;
    if (peek(s, 0) != '{')
        return RC_OK;
    size_t n = 1, numbers = 0;
    for (bool more = true; more && is_digit(peek(s, n)); numbers++) {
        unsigned v = 0;
        for (; is_digit(peek(s, n)); n++)
            v = v > REPEAT_MAX ? v : v * 10 + (unsigned)(peek(s, n) - '0');
        if (v > REPEAT_MAX)
            return refuse(s, s->i, "at most 1000 repetitions are supported");
        more = numbers == 0 && peek(s, n) == ',';
        n += more;
    }
    if (numbers == 0 || peek(s, n) != '}')
        return refuse(s, s->i, "write a repetition like {2}, {2,} or {2,5}, and a brace as \\{");
    *ret_n = n + 1;
    return RC_OK;
}

/* A repetition operator with its lazy mark, if there is one at i. */
static enum rc scan_repeat(struct scan *s)
{
    size_t n;
    enum rc rc = scan_operator(s, &n);
    if (rc || n == 0)
        return rc;
    s->i += n;
    if (peek(s, 0) == '?')
        s->i++;
    if (one_of(peek(s, 0), "*+?{"))
        return refuse(s, s->i,
                      "two repetition operators in a row, or a possessive one, are not "
                      "supported");
    return RC_OK;
}

static enum rc scan_item(struct scan *s)
{
    switch (peek(s, 0)) {
    case '\\':
        if (peek(s, 1) != 'Q')
            return scan_escape(s, "afnrtdDsSwWbBAz");
        scan_literal(s);
        return RC_OK;
    case '[':
        return scan_class(s);
    case '(':
        return scan_group(s);
    case '*':
    case '+':
    case '?':
    case '{':
        return scan_repeat(s);
    default:
        s->i++;
        return RC_OK;
    }
}

static enum rc scan_pattern(struct slice pattern, struct err *e)
{
    struct scan s = {.text = pattern, .e = e};
    if (pattern.n > PATTERN_MAX)
        return err_set(e, RC_INVALID, ERR_FINAL,
                       "a regular expression of %zu bytes; at most %d are allowed", pattern.n,
                       PATTERN_MAX);
    if (pattern.n && memchr(pattern.p, '\0', pattern.n))
        return err_set(e, RC_INVALID, ERR_FINAL, "a regular expression with a NUL byte");
    while (s.i < pattern.n) {
        enum rc rc = scan_item(&s);
        if (rc)
            return rc;
    }
    return RC_OK;
}

static enum rc compile(struct slice pattern, pcre2_code **ret, struct err *e)
{
    pcre2_compile_context *ctx = pcre2_compile_context_create(NULL);
    if (!ctx)
        return err_nomem(e);
    pcre2_set_newline(ctx, PCRE2_NEWLINE_LF);
    pcre2_set_parens_nest_limit(ctx, NEST_LIMIT);
    /* As in Go: $ only at the very end, (?m)^ behind every newline, code points rather than bytes.
     */
    uint32_t options = PCRE2_UTF | PCRE2_MATCH_INVALID_UTF | PCRE2_NEVER_UCP |
                       PCRE2_NEVER_BACKSLASH_C | PCRE2_DOLLAR_ENDONLY | PCRE2_ALT_CIRCUMFLEX;
    int code = 0;
    PCRE2_SIZE at = 0;
    *ret = pcre2_compile((PCRE2_SPTR)(pattern.n ? pattern.p : ""), pattern.n, options, &code, &at,
                         ctx);
    pcre2_compile_context_free(ctx);
    if (*ret)
        return RC_OK;
    if (code == PCRE2_ERROR_HEAP_FAILED)
        return err_nomem(e);
    PCRE2_UCHAR what[128] = "";
    pcre2_get_error_message(code, what, sizeof what);
    return err_set(e, RC_INVALID, ERR_FINAL, "regular expression, at character %zu: %s",
                   (size_t)at + 1, (const char *)what);
}

enum rc regex_new(struct slice pattern, struct regex **ret, struct err *e)
{
    enum rc rc = scan_pattern(pattern, e);
    if (rc)
        return rc;
    AUTO(regex_freep) struct regex *r = calloc(1, sizeof *r);
    if (!r)
        return err_nomem(e);
    rc = compile(pattern, &r->code, e);
    if (rc)
        return rc;
    r->match = pcre2_match_data_create(1, NULL); /* only whether, never where */
    r->limits = pcre2_match_context_create(NULL);
    if (!r->match || !r->limits)
        return err_nomem(e);
    pcre2_set_match_limit(r->limits, MATCH_LIMIT);
    pcre2_set_depth_limit(r->limits, DEPTH_LIMIT);
    pcre2_set_heap_limit(r->limits, HEAP_LIMIT_KIB);
    *ret = steal(&r);
    return RC_OK;
}

void regex_free(struct regex *r)
{
    if (!r)
        return;
    pcre2_match_context_free(r->limits);
    pcre2_match_data_free(r->match);
    pcre2_code_free(r->code);
    free(r);
}

enum rc regex_search(const struct regex *r, struct slice text, bool *ret_found, struct err *e)
{
    int n =
        pcre2_match(r->code, (PCRE2_SPTR)(text.n ? text.p : ""), text.n, 0, 0, r->match, r->limits);
    if (n >= 0 || n == PCRE2_ERROR_NOMATCH) {
        *ret_found = n >= 0;
        return RC_OK;
    }
    if (n == PCRE2_ERROR_NOMEMORY)
        return err_nomem(e);
    PCRE2_UCHAR what[128] = "";
    pcre2_get_error_message(n, what, sizeof what);
    return err_set(e, RC_LIMIT, ERR_FINAL,
                   "a regular expression takes too long on a text of %zu bytes (%s); make it "
                   "simpler",
                   text.n, (const char *)what);
}
