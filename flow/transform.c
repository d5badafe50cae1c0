/* The transformation: an entry's JSON patch on the source's object. What the patch does not touch
 * keeps its bytes. Pure. */
#include "flow/transform.h"

#include "core/buf.h"
#include "core/json.h"
#include "core/json_patch.h"
#include "flow/replication.h"

enum rc transform_apply(const struct replication_entry *entry, struct slice object, struct buf *out,
                        struct err *e)
{
    if (entry->n_patch == 0) {
        buf_add_slice(out, object);
        return buf_check(out, "object", e);
    }
    AUTO(json_freep) struct json_doc *doc = NULL;
    enum rc rc = json_parse_view(object, &doc, e);
    if (rc == RC_OK)
        rc = json_patch_apply(doc, entry->patch, entry->n_patch, entry->patch_skip_missing, e);
    if (rc < 0)
        return err_wrap(e, "transformation");
    json_print(json_root(doc), out);
    return buf_check(out, "object after its transformation", e);
}
