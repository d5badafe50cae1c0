/* One entry of replication.resources: which kind, which objects, how they are changed. Types and
 * unknown fields were told by the field tables; here the meaning of each value is checked. What is
 * of a wrong type reads as absent. One thread. */
#include "controller/resource_entry.h"

#include "controller/nearest.h"
#include "controller/resolve.h"
#include "controller/resource_fields.h"
#include "controller/resource_priv.h"
#include "core/buf.h"
#include "core/json.h"
#include "core/regex.h"
#include "flow/selector.h"
#include "sinks/kube_rules.h"

#define STAR SLICE("*")

enum { PATTERNS_MAX = 100, PATTERN_BYTES_MAX = 4096, NAMESPACES_MAX = 256 };

static void free_patterns(struct regex **list, size_t n)
{
    for (size_t i = 0; i < n; i++)
        regex_free(list[i]);
    free(list);
}

void entry_done(struct replication_entry *entry)
{
    regex_free(entry->exclude_path);
    selector_free(entry->selector);
    selector_free(entry->ns_selector);
    free_patterns(entry->names, entry->n_names);
    free_patterns(entry->not_names, entry->n_not_names);
    free((void *)(uintptr_t)entry->patch);
    free((void *)(uintptr_t)entry->namespaces);
    *entry = (struct replication_entry){.policy.by_name = true};
}

/* ---- Which kind ---- */

static bool is_word(struct slice text)
{
    for (size_t i = 0; i < text.n; i++)
        if (!((text.p[i] >= 'a' && text.p[i] <= 'z') || (text.p[i] >= '0' && text.p[i] <= '9')))
            return false;
    return text.n > 0;
}

/* The plural that was perhaps meant: of the same group, or of any if there is none. */
static const char *nearest_resource(struct slice group, struct slice resource)
{
    struct nearest near = NEAREST_INIT(resource);
    for (size_t i = 0; i < kube_rules_count; i++)
        if (slice_eq(slice_str(kube_rules[i].group), group) && kube_rules[i].resource[0] != '*')
            nearest_try(&near, kube_rules[i].resource);
    return near.name;
}

/* The group to which a resource of that name belongs, if not to the one given. */
static const char *other_group(struct slice group, struct slice resource)
{
    for (size_t i = 0; i < kube_rules_count; i++)
        if (slice_eq(slice_str(kube_rules[i].resource), resource) &&
            !slice_eq(slice_str(kube_rules[i].group), group))
            return kube_rules[i].group;
    return NULL;
}

static bool is_built_in(struct slice group, struct slice resource)
{
    const struct kube_rule *rule = kube_rule_find(group, resource);
    return slice_eq(slice_str(rule->resource), resource);
}

/* Kubernetes alone has groups without a dot: no custom resource can be in them. */
static bool is_closed(struct slice group)
{
    return group.n == 0 || !memchr(group.p, '.', group.n);
}

/* A typing mistake of a built-in resource is seen here; the rest only the server knows. Where it may also be a custom
 * resource, it is a warning. */
static void check_plausible(const struct origin *o, const struct json *at,
                            const struct replication_entry *entry)
{
    const char *near = nearest_resource(entry->group, entry->resource);
    const char *group = other_group(entry->group, entry->resource);
    if (is_built_in(entry->group, entry->resource))
        return;
    if (near)
        (is_closed(entry->group) ? problem_error : problem_warn)(
            o, at, "\"%.*s\" is not known in group \"%.*s\"; did you mean \"%s\"?",
            SHOWN(entry->resource), SHOWN(entry->group), near);
    else if (group && entry->group.n == 0)
        problem_error(o, at, "\"%.*s\" is not known in group \"\"; did you mean group \"%s\"?",
                      SHOWN(entry->resource), group);
}

/* False where it is told. */
static bool check_spelling(const struct origin *o, const struct json *at,
                           const struct replication_entry *entry)
{
    const char *near = nearest_resource(entry->group, entry->resource);
    if (memchr(entry->resource.p, '/', entry->resource.n))
        problem_error(o, at, "\"%.*s\": subresources are not copied; name the resource alone",
                      SHOWN(entry->resource));
    else if (!kind_is_namespace(entry->resource))
        problem_error(o, at,
                      "\"%.*s\" is no resource: its plural name in lower case is expected%s%s%s",
                      SHOWN(entry->resource), near ? "; did you mean \"" : "", near ? near : "",
                      near ? "\"?" : "");
    else
        return true;
    return false;
}

static void check_resource(const struct origin *o, const struct json *at,
                           const struct replication_entry *entry)
{
    const struct kube_rule *rule = kube_rule_find(entry->group, entry->resource);
    if (!check_spelling(o, at, entry))
        return;
    if (rule->star == KUBE_STAR_NEVER)
        problem_error(o, at, "\"%.*s\" of group \"%.*s\" is never copied: it %s",
                      SHOWN(entry->resource), SHOWN(entry->group), rule->why);
    else
        check_plausible(o, at, entry);
}

static void check_group(const struct origin *o, const struct json *at, struct slice group)
{
    if (slice_eq(group, SLICE("core")))
        problem_error(o, at, "the core group is written \"\", not \"core\"");
    else if (group.n > 0 && !kind_is_name(group))
        problem_error(o, at, "\"%.*s\" is no API group: allowed are \"\" and %s", SHOWN(group),
                      KIND_NAME_RULE);
}

/* Why `*` takes nothing of what the entry names, if the table says so; NULL: it may take something. */
static const char *why_nothing(const struct replication_entry *entry)
{
    const struct kube_rule *rule = kube_rule_find(entry->group, entry->resource);
    bool all = slice_eq(entry->resource, STAR);
    if (!slice_eq(entry->group, STAR))
        return rule->star == KUBE_STAR_NEVER       ? rule->why
               : rule->star == KUBE_STAR_NAME_ONLY ? "is taken by its name only: name the resource"
                                                   : NULL;
    const char *why = NULL;
    for (size_t i = 0; i < kube_rules_count && !all; i++) {
        if (!slice_eq(slice_str(kube_rules[i].resource), entry->resource))
            continue;
        if (kube_rules[i].star != KUBE_STAR_NEVER)
            return NULL;
        why = kube_rules[i].why;
    }
    return why;
}

static void check_star(const struct origin *o, const struct json *at,
                       const struct replication_entry *entry)
{
    const char *why = why_nothing(entry);
    if (!slice_eq(entry->resource, STAR) && !check_spelling(o, at, entry))
        return;
    if (why)
        problem_error(o, at, "resource \"%.*s\" of group \"%.*s\" takes nothing: it %s",
                      SHOWN(entry->resource), SHOWN(entry->group), why);
}

/* A member's text, kept; empty where it is absent. */
static struct slice read_text(struct text_pool *texts, const struct origin *o,
                              const struct json *node, const char *name)
{
    return slice_str(text_pool_add(texts, json_get_text(o->doc, node, name)));
}

static void read_names(struct text_pool *texts, const struct origin *o, const struct json *node,
                       struct replication_entry *ret)
{
    ret->group = read_text(texts, o, node, "group");
    ret->version = read_text(texts, o, node, "version");
    ret->resource = read_text(texts, o, node, "resource");
    if (slice_eq(ret->version, STAR))
        ret->version = SLICE_NULL;
    if (!slice_eq(ret->group, STAR))
        check_group(o, json_get(node, "group"), ret->group);
    if (ret->version.n > 0 && !is_word(ret->version))
        problem_error(o, json_get(node, "version"),
                      "\"%.*s\" is no version: one like v1 or v1beta1 is expected, without its "
                      "group",
                      SHOWN(ret->version));
}

static void read_kind(struct text_pool *texts, const struct origin *o, const struct json *node,
                      struct replication_entry *ret)
{
    read_names(texts, o, node, ret);
    if (ret->resource.n > 0)
        (resolve_is_star(ret) ? check_star : check_resource)(o, json_get(node, "resource"), ret);
}

/* ---- Which objects ---- */

/* A pattern that begins with '*' is no regular expression; it is taken as a glob if it can be. */
static bool is_glob(struct slice text)
{
    if (text.n == 0 || text.p[0] != '*')
        return false;
    for (size_t i = 0; i < text.n; i++)
        if (!strchr("*-.", text.p[i]) && !is_word(slice_of(text.p + i, 1)))
            return false;
    return !memchr(text.p, 0, text.n);
}

static void glob_to_regex(struct slice glob, struct buf *out)
{
    buf_add_char(out, '^');
    for (size_t i = 0; i < glob.n; i++) {
        if (glob.p[i] == '*')
            buf_add_str(out, ".*");
        else
            buf_addf(out, "%s%c", glob.p[i] == '.' ? "\\" : "", glob.p[i]);
    }
    buf_add_char(out, '$');
}

enum rc pattern_read(const struct origin *o, const struct json *n, struct regex **ret,
                     struct err *e)
{
    AUTO(buf_done) struct buf glob = BUF_INIT(2 * PATTERN_BYTES_MAX);
    struct slice text = json_text(o->doc, n);
    struct err why = ERR_INIT;
    if (text.n <= PATTERN_BYTES_MAX && is_glob(text)) {
        glob_to_regex(text, &glob);
        enum rc rc = buf_check(&glob, "pattern", e);
        if (rc != RC_OK)
            return rc;
        problem_warn(o, n, "\"%.*s\" is no regular expression: taken as \"%.*s\"", SHOWN(text),
                     SHOWN(buf_slice(&glob)));
        text = buf_slice(&glob);
    }
    if (regex_new(text, ret, &why) == RC_OK)
        return RC_OK;
    problem_failure(o, n, &why);
    return RC_OK;
}

/* ret_n counts what could be compiled. */
static enum rc read_patterns(const struct origin *o, const struct json *list, struct regex ***ret,
                             size_t *ret_n, struct err *e)
{
    enum rc rc = RC_OK;
    if (!list || !list->first)
        return RC_OK;
    if (list->count > PATTERNS_MAX) {
        problem_error(o, list, "%zu patterns, the most allowed is %d; join them with '|'",
                      list->count, PATTERNS_MAX);
        return RC_OK;
    }
    struct regex **all = calloc(list->count, sizeof(struct regex *));
    if (!all)
        return err_nomem(e);
    *ret = all;
    for (const struct json *n = list->first; n && rc == RC_OK; n = n->next) {
        struct regex *one = NULL;
        if (json_text(o->doc, n).n > 0) /* else told by the field table */
            rc = pattern_read(o, n, &one, e);
        if (one)
            all[(*ret_n)++] = one;
    }
    return rc;
}

/* Each is a scope of its own, listed and watched for itself. */
static enum rc read_namespaces(struct text_pool *texts, const struct origin *o,
                               const struct json *list, struct replication_entry *ret,
                               struct err *e)
{
    if (!list || !list->first)
        return RC_OK;
    if (list->count > NAMESPACES_MAX) {
        problem_error(o, list,
                      "%zu namespaces, the most allowed is %d; without the list all are read",
                      list->count, NAMESPACES_MAX);
        return RC_OK;
    }
    struct slice *all = calloc(list->count, sizeof *all);
    if (!all)
        return err_nomem(e);
    ret->namespaces = all;
    for (const struct json *n = list->first; n; n = n->next) {
        struct slice text = json_text(o->doc, n);
        if (text.n > 0 && !kind_is_namespace(text)) /* an empty one was told by the field table */
            problem_error(o, n, "\"%.*s\" is no namespace: %s", SHOWN(text), KIND_NAMESPACE_RULE);
        all[ret->n_namespaces++] = slice_str(text_pool_add(texts, text));
    }
    return RC_OK;
}

/* Labels of namespaces are known only where all namespaces may be read. And `*` takes kinds that lie in no namespace,
 * too. */
static void check_namespaces(const struct origin *o, const struct json *node,
                             const struct replication_entry *entry)
{
    if (entry->n_namespaces && entry->ns_selector)
        problem_error(o, json_get(node, "namespaces"),
                      "namespaces and filters.namespaceSelector exclude each other: name the "
                      "namespaces, or select them by labels");
    if (entry->n_namespaces && resolve_is_star(entry))
        problem_error(
            o, json_get(node, "namespaces"),
            "namespaces and '*' exclude each other: name each kind in an entry of its own");
}

/* Where the field table finds something wrong it knows the better place. */
static void read_selector(const struct origin *o, const struct json *filters, const char *name,
                          struct selector **ret)
{
    const struct json *n = fields_object(filters, name);
    struct err why = ERR_INIT;
    if (!n || !fields_check(o, n, kind_selector_fields) ||
        selector_new(o->doc, n, ret, &why) == RC_OK)
        return;
    problem_failure(o, n, &why);
}

static enum rc read_filters(const struct origin *o, const struct json *filters,
                            struct replication_entry *ret, struct err *e)
{
    const struct json *names = fields_object(filters, "nameSelector");
    read_selector(o, filters, "selector", &ret->selector);
    read_selector(o, filters, "namespaceSelector", &ret->ns_selector);
    enum rc rc = read_patterns(o, fields_list(names, "regex"), &ret->names, &ret->n_names, e);
    if (rc == RC_OK)
        rc = read_patterns(o, fields_list(names, "excludeRegex"), &ret->not_names,
                           &ret->n_not_names, e);
    return rc;
}

/* ---- The whole ---- */

void policy_read(const struct origin *o, const struct json *node, struct sink_policy *policy)
{
    struct slice adopt = json_get_text(o->doc, node, "adopt");
    struct slice effects = json_get_text(o->doc, node, "effects");
    struct slice recreate = json_get_text(o->doc, node, "recreate");
    struct slice mode = json_get_text(o->doc, node, "writeMode");
    if (adopt.n > 0)
        policy->adopt = slice_eq(adopt, SLICE("always"))  ? ADOPT_ALWAYS
                        : slice_eq(adopt, SLICE("never")) ? ADOPT_NEVER
                                                          : ADOPT_EQUAL;
    if (recreate.n > 0)
        policy->recreate = slice_eq(recreate, SLICE("always"))  ? RECREATE_ALWAYS
                           : slice_eq(recreate, SLICE("never")) ? RECREATE_NEVER
                                                                : RECREATE_ASK;
    if (effects.n > 0)
        policy->effects_allow = slice_eq(effects, SLICE("allow"));
    if (mode.n > 0)
        policy->apply = slice_eq(mode, SLICE("apply"));
}

enum rc entry_read(struct text_pool *texts, const struct origin *o, const struct json *node,
                   const struct sink_policy *defaults, struct replication_entry *ret, struct err *e)
{
    const struct json *transformation = fields_object(node, "transformation");
    const struct json *recovery = fields_object(node, "recoveryProcess");
    struct json_patch_op *patch = NULL, *later = NULL;
    size_t n_later = 0;
    ret->policy = *defaults;
    policy_read(o, node, &ret->policy);
    read_kind(texts, o, node, ret);
    enum rc rc = read_filters(o, fields_object(node, "filters"), ret, e);
    if (rc == RC_OK)
        rc = read_namespaces(texts, o, fields_list(node, "namespaces"), ret, e);
    check_namespaces(o, node, ret);
    if (rc == RC_OK)
        rc = patch_read(texts, o, fields_list(transformation, "patch"), &patch, &ret->n_patch, e);
    ret->patch = patch;
    ret->patch_skip_missing =
        fields_true(fields_object(transformation, "patchOptions"), "skipIfNotFoundOnDelete");
    if (rc == RC_OK)
        rc = patch_read(texts, o, fields_list(recovery, "fromPatch"), &later, &n_later, e);
    free(later);
    return rc;
}

/* What is never copied may be excluded all the same. A resource that is misspelt would be copied. */
enum rc exclusion_read(struct text_pool *texts, const struct origin *o, const struct json *node,
                       struct replication_entry *filters, struct kind_pattern *ret, struct err *e)
{
    struct replication_entry names = {.n_names = 0};
    const struct json *at = json_get(node, "resource");
    read_names(texts, o, node, &names);
    bool all = names.resource.n == 0 || slice_eq(names.resource, STAR);
    if (!all && check_spelling(o, at, &names) && !slice_eq(names.group, STAR))
        check_plausible(o, at, &names);
    *ret = (struct kind_pattern){names.group, names.version, names.resource, NULL};
    enum rc rc = read_filters(o, fields_object(node, "filters"), filters, e);
    bool any =
        filters->selector || filters->ns_selector || filters->n_names || filters->n_not_names;
    ret->filters = any ? filters : NULL;
    return rc;
}

void record_read(struct text_pool *texts, const struct origin *o, const struct json *node,
                 struct replication_entry *ret)
{
    const struct json *at = json_get(node, "resource");
    read_names(texts, o, node, ret);
    if (ret->resource.n == 0)
        return; /* told by the field table */
    if (resolve_is_star(ret))
        problem_error(o, node, "'*' is for resources alone: name each kind that is to be recorded");
    else if (check_spelling(o, at, ret))
        check_plausible(o, at, ret);
}
