/* Label selectors from YAML: what is taken can be matched against anything; one of matchLabels
 * alone matches these labels and, unless it is empty, no object without labels; what is refused
 * says why. */
#include "core/json.h"
#include "core/yaml.h"
#include "flow/selector.h"

#include <stdint.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);

static void require(bool ok)
{
    if (!ok)
        __builtin_trap();
}

static void check(struct json_doc *d, const struct yaml_file *all)
{
    AUTO(selector_freep) struct selector *s = NULL;
    const struct json *spec = json_root(d), *labels = json_get(spec, "matchLabels");
    struct err e = ERR_INIT;
    if (selector_new(d, spec, &s, &e) != RC_OK) {
        require(e.rc < 0 && e.msg[0] && !s);
        return;
    }
    const struct json *more = json_get(spec, "matchExpressions");
    if (!more || !more->first) {
        bool any = labels && labels->first;
        require(selector_matches(s, d, labels));
        require(selector_matches(s, d, NULL) == !any);
    }
    for (size_t i = 0; i < all->n; i++)
        selector_matches(s, all->docs[i], json_root(all->docs[i]));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
    AUTO(yaml_file_done) struct yaml_file f = {NULL, 0};
    struct err e = ERR_INIT;
    if (yaml_parse(slice_of(data, n), "input", &f, &e) != RC_OK)
        return 0;
    for (size_t i = 0; i < f.n && i < 8; i++)
        check(f.docs[i], &f);
    return 0;
}
