/* JSON that keeps the source's bytes.
 *
 * A document is a tree of nodes over its text. Every node knows its extent; what is not edited is
 * printed as those very bytes, white space, escapes, number spelling, member order and repeated
 * members included. Only an edited container is printed member by member, and its untouched members
 * again as their bytes. (Why not a library's tree: docs/adr/0001.)
 *
 * White space around the root is no part of it. A member or element that is taken out takes the
 * comma and the white space before it along; one that is put in brings none.
 *
 * Limits: nesting JSON_DEPTH_MAX, text JSON_TEXT_MAX, nodes JSON_NODES_MAX. Strict RFC 8259: no
 * comments, no trailing commas, valid UTF-8 required, lone surrogates in \u escapes allowed (they
 * are kept as text). One thread per document. */
#ifndef RESILOG_CORE_JSON_H
#define RESILOG_CORE_JSON_H

#include "core/err.h"
#include "core/scope.h"
#include "core/slice.h"

#include <stdint.h>

struct buf;

#define JSON_DEPTH_MAX 10016 /* API servers take 10,000, and what wraps their objects */
#define JSON_TEXT_MAX  (64u << 20)
#define JSON_NODES_MAX (1u << 20) /* in one document, edits included */

enum json_type {
    JSON_NULL,
    JSON_FALSE,
    JSON_TRUE,
    JSON_NUMBER,
    JSON_STRING,
    JSON_ARRAY,
    JSON_OBJECT
};

struct json_text;

/* A node; lives as long as its document. Anyone may read type, line, col, count and the links to
 * walk the tree; all else is for core/json.c, json_frame.c, json_read.c, json_edit.c and
 * json_print.c alone. core/yaml.c sets line and col, and looks at raw. */
struct json {
    enum json_type type;
    bool edited; /* raw no longer says what the node holds; then so it is with every node above */
    uint32_t line, col; /* in the file it came from, from 1; of a member where its name stands; 0 if
                           not from a file */
    struct slice raw;   /* its text */
    struct slice key_raw; /* with quotes; of an element empty, at its old place; p is NULL where it
                             has none */
    struct json *parent, *first, *last, *prev, *next;
    size_t count;       /* children */
    struct json *order; /* scratch: the next member by name */
    struct json_text *text,
        *key_text; /* room for the decoded form, where raw or key_raw has escapes */
};

struct json_doc;

/* Copies text, parses it. Errors: INVALID ("byte <offset>: <what>"), LIMIT, NOMEM. */
MUST_CHECK enum rc json_parse(struct slice text, struct json_doc **ret, struct err *e);
/* As json_parse, but borrows text for the document's life. */
MUST_CHECK enum rc json_parse_view(struct slice text, struct json_doc **ret, struct err *e);
/* How deep the parsed text nests: 0 for a scalar. For those who recurse. */
size_t json_depth(const struct json_doc *d);
void json_free(struct json_doc *d);
DEFINE_FREEP(struct json_doc, json_free)
struct json *json_root(const struct json_doc *d);

/* The end of the JSON value at the front of text, without building anything: RC_OK and its length,
 * RC_AGAIN when the text ends inside it. Leading white space counts to the value. A number at the
 * very end of text is RC_AGAIN, for more digits may follow. Looks at brackets and strings only;
 * json_parse checks the rest. Errors: INVALID, LIMIT. For framing streams of values. */
MUST_CHECK enum rc json_frame(struct slice text, size_t *ret_n, struct err *e);

/* ---- Reading. A NULL node is allowed everywhere and reads as absent. ---- */
static inline bool json_is(const struct json *n, enum json_type t)
{
    return n && n->type == t;
}
/* The member with that (decoded) name, the last one where it is repeated; NULL if absent or not an
 * object. */
struct json *json_get(const struct json *obj, const char *name);
struct json *json_get_slice(const struct json *obj, struct slice name);
/* Follows names from member to member, NULL-terminated: json_dig(n, "metadata", "labels", NULL). */
struct json *json_dig(const struct json *n, ...) __attribute__((sentinel));
/* A member whose name an earlier member of obj has; NULL if there is none. */
struct json *json_repeated(const struct json *obj);
struct json *json_at(const struct json *arr, size_t index);
/* The decoded text of a string node, or of a member's name; memory of the document, reserved when
 * it was parsed, so this cannot fail. Empty for other types. A lone surrogate becomes U+FFFD. */
struct slice json_text(struct json_doc *d, const struct json *n);
struct slice json_name(struct json_doc *d, const struct json *n);
/* The string member `name` of obj, decoded; empty when absent or not a string. */
struct slice json_get_text(struct json_doc *d, const struct json *obj, const char *name);
/* True if n is spelled as an integer (no point, no exponent) and fits. */
bool json_int(const struct json *n, int64_t *ret);
/* Deep equality: members in any order and the last of a repeated name, numbers by value of their
 * decimal text (1.0 equals 1, 1e2 equals 100), strings decoded. Absent equals absent. */
bool json_equal(const struct json *a, const struct json *b);

/* ---- Editing: each call marks the node and what is above it as edited. All values live in d. ----
 */
/* A value from JSON text, not yet anywhere in the tree. Errors: INVALID, LIMIT, NOMEM. */
MUST_CHECK enum rc json_value(struct json_doc *d, struct slice text, struct json **ret,
                              struct err *e);
/* A string value from its decoded text. Errors: LIMIT, NOMEM. */
MUST_CHECK enum rc json_value_text(struct json_doc *d, struct slice text, struct json **ret,
                                   struct err *e);
/* A deep copy of a node of any document, by its printed text. Errors: LIMIT, NOMEM. */
MUST_CHECK enum rc json_value_copy(struct json_doc *d, const struct json *of, struct json **ret,
                                   struct err *e);
/* Sets a member: every earlier member of that name is removed; the new one stands where the first
 * stood, with the name's old spelling, else at the end. v must be unattached. Errors: LIMIT, NOMEM.
 */
MUST_CHECK enum rc json_set(struct json_doc *d, struct json *obj, struct slice name, struct json *v,
                            struct err *e);
/* Puts v before the element `index`, or at the end if index == count. */
void json_insert(struct json *arr, size_t index, struct json *v);
/* Takes a node out of its parent; it may be put in elsewhere. Nothing for NULL. */
void json_remove(struct json *n);
/* Puts v where n was, under the same name. */
void json_replace(struct json *n, struct json *v);
/* Removes all members of that name; true if there was one. */
bool json_cut(struct json *obj, const char *name);
void json_set_root(struct json_doc *d, struct json *v);

/* Appends the node's text. */
void json_print(const struct json *n, struct buf *out);
/* Appends text as a JSON string with its quotes: minimal escapes; invalid UTF-8 becomes U+FFFD. */
void json_print_text(struct slice text, struct buf *out);
/* Appends a canonical form for hashing: members sorted by decoded name (last of a repeated name),
 * no white space, strings with minimal escapes (a lone surrogate stays one), numbers as their text.
 */
void json_print_canonical(struct json_doc *d, const struct json *n, struct buf *out);

#endif
