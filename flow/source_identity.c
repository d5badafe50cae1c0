/* The body of "@epoch/source": {"identity":"...","incarnation":n,"former":["..."]}. Keeps nothing. */
#include "flow/source_identity.h"

#include "core/buf.h"
#include "core/event.h"
#include "core/json.h"
#include "log/rlog.h"

static void read_former(struct source_identity *s)
{
    const struct json *list = json_get(json_root(s->doc), "former");
    const struct json *n = json_is(list, JSON_ARRAY) ? list->first : NULL;
    for (; n && s->n_former < SOURCE_FORMER_MAX; n = n->next)
        s->former[s->n_former++] = json_text(s->doc, n);
}

enum rc source_identity_load(struct rlog *log, struct source_identity *ret, struct err *e)
{
    AUTO(rlog_found_done) struct rlog_found found = {0};
    struct source_identity s = {.doc = NULL};
    enum rc rc = rlog_last(log, SLICE(SOURCE_KEY), 0, &found, e);
    if (rc == RC_OK)
        rc = json_parse(found.event.body, &s.doc, e);
    if (rc != RC_OK)
        return rc;
    s.incarnation = found.event.incarnation;
    s.identity = json_get_text(s.doc, json_root(s.doc), "identity");
    read_former(&s);
    *ret = s;
    return RC_OK;
}

void source_identity_done(struct source_identity *s)
{
    json_free(s->doc);
    *s = (struct source_identity){.doc = NULL};
}

bool source_identity_was(const struct source_identity *s, struct slice identity)
{
    for (size_t i = 0; i < s->n_former; i++)
        if (slice_eq(s->former[i], identity))
            return true;
    return false;
}

static void print_former(const struct source_identity *before, struct slice identity,
                         struct buf *out)
{
    size_t n = 0;
    for (size_t i = 0; i <= before->n_former && n < SOURCE_FORMER_MAX; i++) {
        struct slice one = i == 0 ? before->identity : before->former[i - 1];
        if (slice_eq(one, identity))
            continue;
        buf_add_str(out, n++ ? "," : ",\"former\":[");
        json_print_text(one, out);
    }
    if (n > 0)
        buf_add_char(out, ']');
}

void source_identity_print(const struct source_identity *before, struct slice identity,
                           uint64_t incarnation, struct buf *out)
{
    buf_add_str(out, "{\"identity\":");
    json_print_text(identity, out);
    buf_addf(out, ",\"incarnation\":%llu", (unsigned long long)incarnation);
    if (before)
        print_former(before, identity, out);
    buf_add_char(out, '}');
}
