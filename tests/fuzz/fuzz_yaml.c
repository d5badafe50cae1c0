/* YAML: every document that is read prints as JSON, each node has a place, and an error names the
 * file. */
#include "core/buf.h"
#include "core/json.h"
#include "core/yaml.h"

#include <stdint.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);

static void check_places(const struct json *n)
{
    if (n->line == 0 || n->col == 0)
        __builtin_trap();
    for (const struct json *c = n->first; c; c = c->next)
        check_places(c);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
    AUTO(yaml_file_done) struct yaml_file f = {NULL, 0};
    struct err e = ERR_INIT;
    if (yaml_parse(slice_of(data, n), "input", &f, &e) != RC_OK) {
        if (e.rc >= 0 || !slice_starts(slice_str(e.msg), SLICE("input:")) || f.docs)
            __builtin_trap();
        return 0;
    }
    for (size_t i = 0; i < f.n; i++) {
        AUTO(buf_done) struct buf out = BUF_INIT(JSON_TEXT_MAX);
        AUTO(json_freep) struct json_doc *again = NULL;
        json_print(json_root(f.docs[i]), &out);
        if (json_parse(buf_slice(&out), &again, NULL) != RC_OK)
            __builtin_trap();
        check_places(json_root(f.docs[i]));
    }
    return 0;
}
