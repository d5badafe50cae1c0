/* A JSON value as block YAML, as kubectl prints it. */
#ifndef RESILOG_CLI_PRINT_YAML_H
#define RESILOG_CLI_PRINT_YAML_H

struct buf;
struct json;
struct json_doc;

/* Appends the value with a newline at the end; strings that could be read as something else are quoted as in
 * JSON. What goes wrong is the buffer's to tell: buf_check. */
void print_yaml(struct json_doc *d, const struct json *value, struct buf *out);

#endif
