/* The filter: which entry of a synchronization selects an object. Pure; one thread per replication,
 * because regular expressions keep scratch memory. */
#include "flow/filter.h"

#include "core/json.h"
#include "core/regex.h"
#include "core/znode.h"
#include "flow/replication.h"
#include "flow/scope.h"
#include "flow/selector.h"

/* The answer of one part of a filter; what is undecided stays so unless another part says no. */
enum answer { NO, UNSURE, YES };

static enum answer any_regex(struct regex *const *list, size_t n, struct slice name)
{
    enum answer answer = NO;
    for (size_t i = 0; i < n; i++) {
        bool found = false;
        struct err limit = ERR_INIT;
        if (regex_search(list[i], name, &found, &limit) < 0)
            answer = UNSURE;
        else if (found)
            return YES;
    }
    return answer;
}

static enum answer match_name(const struct replication_entry *entry, struct slice name)
{
    enum answer excluded = any_regex(entry->not_names, entry->n_not_names, name);
    if (excluded == YES)
        return NO;
    enum answer named = entry->n_names ? any_regex(entry->names, entry->n_names, name) : YES;
    return named == YES && excluded == UNSURE ? UNSURE : named;
}

static struct json *labels_of(struct json_doc *object)
{
    return json_dig(json_root(object), "metadata", "labels", NULL);
}

static bool is_among(const struct slice *list, size_t n, struct slice text)
{
    for (size_t i = 0; i < n; i++)
        if (slice_eq(list[i], text))
            return true;
    return false;
}

static bool is_namespace(const struct key *key)
{
    return key->group.n == 0 && slice_eq(key->resource, SLICE("namespaces"));
}

static enum answer match_namespace(const struct replication_entry *entry,
                                   const struct filter_input *in)
{
    if (entry->n_namespaces && !is_among(entry->namespaces, entry->n_namespaces, in->key.ns))
        return NO;
    if (!entry->ns_selector)
        return YES;
    if (in->key.ns.n == 0)
        return !is_namespace(&in->key) ||
                       selector_matches(entry->ns_selector, in->object, labels_of(in->object))
                   ? YES
                   : NO;
    if (!in->ns_known)
        return UNSURE;
    const struct json *labels = in->ns_labels ? json_root(in->ns_labels) : NULL;
    return selector_matches(entry->ns_selector, in->ns_labels, labels) ? YES : NO;
}

static enum answer match(const struct replication_entry *entry, const struct filter_input *in)
{
    if (entry->selector && !selector_matches(entry->selector, in->object, labels_of(in->object)))
        return NO;
    enum answer name = match_name(entry, in->key.name);
    enum answer ns = match_namespace(entry, in);
    return name < ns ? name : ns;
}

static bool names(const struct replication_entry *entry, struct slice group, struct slice resource)
{
    return slice_eq(entry->group, group) && slice_eq(entry->resource, resource);
}

/* Whether the exclusions leave it to entries of `*`. What lies in no namespace is in none that a selector names. */
static enum answer is_left(const struct replication *r, const struct filter_input *in)
{
    enum answer excluded = NO;
    for (size_t i = 0; i < r->n_excluded && excluded != YES; i++) {
        const struct replication_entry *x = &r->excluded[i];
        bool nowhere = x->ns_selector && in->key.ns.n == 0 && !is_namespace(&in->key);
        if (nowhere || !names(x, in->key.group, in->key.resource))
            continue;
        enum answer answer = match(x, in);
        excluded = answer > excluded ? answer : excluded;
    }
    return excluded == YES ? NO : excluded == NO ? YES : UNSURE;
}

enum filter_verdict filter_decide(const struct replication *r, const struct filter_input *in,
                                  const struct replication_entry **ret_entry)
{
    enum filter_verdict verdict = FILTER_UNRELATED;
    enum answer left = is_left(r, in);
    for (size_t i = 0; i < r->n_entries; i++) {
        const struct replication_entry *entry = &r->entries[i];
        if (!names(entry, in->key.group, in->key.resource))
            continue;
        enum answer answer = match(entry, in);
        if (entry->by_star && left < answer)
            answer = left;
        if (answer == YES && verdict != FILTER_UNDECIDED) {
            *ret_entry = entry;
            return FILTER_SELECTED;
        }
        if (answer != NO)
            verdict = FILTER_UNDECIDED; /* an earlier entry may yet be the first that selects */
        else if (verdict == FILTER_UNRELATED)
            verdict = FILTER_REJECTED;
    }
    return verdict;
}

/* ---- Trees ---- */

static bool has_path(const struct replication_entry *entry, struct slice path)
{
    const struct scope root = {entry->root, true};
    return entry->root.n > 0 && scope_has(&root, path);
}

/* Goes up from the node to the root. */
static enum answer match_path(const struct replication_entry *entry, struct slice path)
{
    enum answer answer = YES;
    for (struct slice at = path; entry->exclude_path && at.n > 0; at = znode_parent(at)) {
        enum answer excluded = any_regex(&entry->exclude_path, 1, at);
        if (excluded == YES)
            return NO;
        if (excluded == UNSURE)
            answer = UNSURE;
        if (slice_eq(at, entry->root))
            break;
    }
    return answer;
}

enum filter_verdict filter_path(const struct replication *r, struct slice path,
                                const struct replication_entry **ret_entry)
{
    static const enum filter_verdict verdicts[] = {
        [NO] = FILTER_REJECTED, [UNSURE] = FILTER_UNDECIDED, [YES] = FILTER_SELECTED};
    for (size_t i = 0; i < r->n_entries; i++) {
        if (!has_path(&r->entries[i], path))
            continue;
        enum answer answer = match_path(&r->entries[i], path);
        if (answer == YES)
            *ret_entry = &r->entries[i];
        return verdicts[answer];
    }
    return FILTER_UNRELATED;
}

bool filter_names(const struct replication *r, struct slice key)
{
    struct key parts;
    bool object = !scope_is_tree(r) && key_parse(key, &parts, NULL) == RC_OK;
    for (size_t i = 0; i < r->n_entries; i++)
        if (object ? names(&r->entries[i], parts.group, parts.resource)
                   : has_path(&r->entries[i], key))
            return true;
    return false;
}
