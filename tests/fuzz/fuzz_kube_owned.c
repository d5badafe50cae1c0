/* managedFields: any object gives nothing, or an object of objects and nulls alone, without our own marks. */
#include "core/json.h"
#include "sinks/kube_mark.h"
#include "sinks/kube_owned.h"

#include <stdint.h>

#define CHECK(what)                                                                                \
    do {                                                                                           \
        if (!(what))                                                                               \
            __builtin_trap();                                                                      \
    } while (0)

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);

static void check_node(struct json_doc *d, const struct json *n)
{
    CHECK(json_is(n, JSON_OBJECT) || json_is(n, JSON_NULL));
    for (const struct json *m = n->first; m; m = m->next) {
        struct slice name = json_name(d, m);
        CHECK(name.n > 0);
        CHECK(!slice_eq(name, SLICE(KUBE_OWNER_MARK)) && !slice_eq(name, SLICE(KUBE_ORIGIN_MARK)));
        check_node(d, m);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
    AUTO(json_freep) struct json_doc *live = NULL;
    AUTO(json_freep) struct json_doc *owned = NULL;
    struct err e = ERR_INIT;
    if (json_parse(slice_of((const char *)data, n), &live, &e) != RC_OK)
        return 0;
    enum rc rc = kube_owned(live, &owned, &e);
    CHECK(rc == RC_OK || (!owned && e.rc == rc && e.msg[0]));
    if (!owned)
        return 0;
    CHECK(json_is(json_root(owned), JSON_OBJECT));
    check_node(owned, json_root(owned));
    return 0;
}
