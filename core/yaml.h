/* YAML as kubectl reads it, into core/json documents: several documents a file, YAML 1.1 booleans,
 * no aliases or anchors, no tags but the core ones, no merge keys, duplicate keys refused, JSON
 * accepted. Every node knows its line and column (a member those of its key, a file in JSON too). A
 * mapping's key is a string, an integer or a boolean. The only door to libyaml. */
#ifndef RESILOG_CORE_YAML_H
#define RESILOG_CORE_YAML_H

#include "core/err.h"
#include "core/slice.h"

#include <stddef.h>

struct json_doc;

#define YAML_TEXT_MAX  (16u << 20) /* bytes of one file */
#define YAML_DEPTH_MAX 64
#define YAML_DOCS_MAX  10000
#define YAML_NODES_MAX (1u << 20) /* keys, values and items of one document */

struct yaml_file {
    struct json_doc **docs; /* empty documents are left out */
    size_t n;
};

/* Parses all documents. `file` is only named in messages. Numbers keep their text where it is valid
 * JSON; others (0x1f, 0o17, 1_000) become the decimal form or, where JSON has none (.inf), an
 * error. Errors: INVALID "<file>:<line>:<column>: <what>", LIMIT, NOMEM. Nothing is given on an
 * error. */
MUST_CHECK enum rc yaml_parse(struct slice text, const char *file, struct yaml_file *ret,
                              struct err *e);
void yaml_file_done(struct yaml_file *f);

#endif
