/* What a plain YAML scalar means: the rules of YAML 1.1 as kubectl's reader has them. */
#ifndef RESILOG_CORE_YAML_SCALAR_H
#define RESILOG_CORE_YAML_SCALAR_H

#include "core/slice.h"

struct buf;

enum yaml_kind {
    YAML_STRING,
    YAML_NULL,
    YAML_BOOL,
    YAML_INT,
    YAML_FLOAT,
    YAML_NOT_FINITE, /* .inf, .nan: JSON has no form for it */
    YAML_TOO_BIG     /* hexadecimal, octal or binary beyond 64 bits */
};

/* Of text without quotes and tag. Appends the JSON text of a null, boolean or number to json;
 * nothing for the rest. The kind is right even where json has failed. */
enum yaml_kind yaml_scalar(struct slice text, struct buf *json);

#endif
