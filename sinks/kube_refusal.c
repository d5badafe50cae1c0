/* Texts of refusals without values.
 *
 * Keeps nothing. A cause's message is "<problem>: <value>: <rule>"; only <rule> is taken, and only after "Invalid
 * value: ", as other problems end in the value itself. */
#include "sinks/kube_refusal.h"

#include "core/buf.h"
#include "core/json.h"
#include "io/kube_error.h"

#include <stdio.h>

#define TEXT_MAX     2048
#define CAUSES_SHOWN 4

/* What stands behind the last ": " of an "Invalid value" message; of a bare "Forbidden: ..." all of it. */
static struct slice rule_of(struct slice message)
{
    if (slice_starts(message, SLICE("Required value")) ||
        slice_starts(message, SLICE("Forbidden: ")))
        return message;
    if (!slice_starts(message, SLICE("Invalid value: ")))
        return SLICE_NULL;
    for (size_t i = message.n; i > sizeof "Invalid value: "; i--)
        if (message.p[i - 1] == ' ' && message.p[i - 2] == ':')
            return slice_of(message.p + i, message.n - i);
    return SLICE_NULL;
}

static void add_cause(struct json_doc *d, const struct json *cause, bool secret, struct buf *out)
{
    struct slice rule = rule_of(json_get_text(d, cause, "message"));
    struct slice field = json_get_text(d, cause, "field");
    buf_addf(out, "%.*s: ", SLICE_ARG(field));
    buf_add_slice(out, secret || rule.n == 0 ? json_get_text(d, cause, "reason") : rule);
}

static void add_causes(struct slice body, bool secret, struct buf *out)
{
    AUTO(json_freep) struct json_doc *d = NULL;
    struct err why = ERR_INIT;
    if (json_parse_view(body, &d, &why) != RC_OK)
        return;
    const struct json *causes = json_dig(json_root(d), "details", "causes", NULL);
    size_t shown = 0;
    for (const struct json *c = json_is(causes, JSON_ARRAY) ? causes->first : NULL; c;
         c = c->next) {
        if (shown++ == CAUSES_SHOWN) {
            buf_addf(out, "; and %zu more", causes->count - CAUSES_SHOWN);
            return;
        }
        buf_add_str(out, out->n ? "; " : "");
        add_cause(d, c, secret, out);
    }
}

static bool has_value(const char *message)
{
    return strstr(message, " value: ") || strstr(message, "cannot unmarshal");
}

void kube_refusal_text(const struct kube_verdict *v, struct slice body, bool secret, char *out,
                       size_t size)
{
    AUTO(buf_done) struct buf causes = BUF_INIT(TEXT_MAX);
    bool validation = v->cls == KUBE_INVALID || v->cls == KUBE_IMMUTABLE;
    /* Of a secret, only what the server says about us and about sizes: not what a policy quotes. */
    bool own_words = v->cls == KUBE_FORBIDDEN || v->cls == KUBE_QUOTA || v->cls == KUBE_TOO_LARGE ||
                     v->cls == KUBE_NAMESPACE_MISSING;
    if (validation)
        add_causes(body, secret, &causes);
    if (causes.n > 0)
        snprintf(out, size, "%s: %.*s", v->reason, SLICE_ARG(buf_slice(&causes)));
    else if ((secret && !own_words) || has_value(v->message) || !v->message[0])
        snprintf(out, size, "%s (%s)", v->reason, kube_class_name(v->cls));
    else
        snprintf(out, size, "%s: %s", v->reason, v->message);
}
