/* What the json_*.c files share. */
#ifndef RESILOG_CORE_JSON_PRIV_H
#define RESILOG_CORE_JSON_PRIV_H

#include "core/json.h"

#define JSON_UNDECODED SIZE_MAX

/* Room for a decoded string: never more bytes than its spelling has, so the parser reserves it and
 * reading cannot fail. */
struct json_text {
    size_t n; /* JSON_UNDECODED until first asked for */
    char p[];
};

/* True for the white space that JSON allows between tokens. */
static inline bool json_is_space(char c)
{
    return c == ' ' || c == '\n' || c == '\r' || c == '\t';
}

/* True for what has children. */
static inline bool json_is_container(const struct json *n)
{
    return n->type == JSON_OBJECT || n->type == JSON_ARRAY;
}

/* What stands between the quotes of a string or name. */
static inline struct slice json_inside(struct slice quoted)
{
    return quoted.n < 2 ? SLICE_NULL : slice_of(quoted.p + 1, quoted.n - 2);
}

/* Memory of the document, aligned for any node; NULL when there is none. */
void *json_alloc(struct json_doc *d, size_t n);
/* Room for the decoded form of a string of n bytes between its quotes. */
struct json_text *json_text_new(struct json_doc *d, size_t n);

/* How many bytes the well-formed UTF-8 character at p has; 0 if there is none. */
size_t json_utf8_len(const unsigned char *p, const unsigned char *end);

/* Decodes the escape at *p (checked by the parser) into out, moves *p behind it, returns how many
 * bytes. A lone surrogate gives its three bytes as if it were a character, so that two different
 * ones stay different. */
size_t json_unescape(const char **p, const char *end, unsigned char out[4]);
static inline bool json_is_surrogate(const unsigned char out[4], size_t n)
{
    return n == 3 && out[0] == 0xed && out[1] >= 0xa0;
}

/* The children in the order of comparison: elements as they stand, members by name, of a repeated
 * name the last. Valid until the next call for the same parent. */
struct json *json_order_first(const struct json *n);
static inline struct json *json_order_next(const struct json *n)
{
    return n->parent->type == JSON_OBJECT ? n->order : n->next;
}
/* Where the name of a equals, precedes or follows that of b. */
int json_name_cmp(const struct json *a, const struct json *b);

#endif
