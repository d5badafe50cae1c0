/* The tables of kinds and of those fields that concern Kubernetes, and how a document's kind is found. Pure. To teach
 * resilog a field, add it to its table, with FIELD_LATER until something acts on it. */
#include "controller/resource_kinds.h"

#include "controller/nearest.h"
#include "controller/problem_list.h"
#include "controller/resource_fields.h"
#include "controller/resource_tables.h"
#include "core/json.h"

#include <assert.h>

#define ASSETS     "assets.astronetes.io"
#define AUTOMATION "automation.astronetes.io"
#define V1ALPHA1   "/v1alpha1"

static const struct field any_string = TEXT("");
static const struct field a_string = NEED_TEXT("");
static const struct field secret_string = {.name = "", .type = FIELD_STRING, .flags = FIELD_SECRET};

/* What a server adds is accepted, so that the output of "kubectl get -o yaml" is. */
const struct field kind_metadata_fields[] = {
    TEXT("name"),
    TEXT("generateName"),
    TEXT("namespace"),
    MAP("labels", &any_string),
    MAP("annotations", &any_string),
    ANY("uid"),
    ANY("resourceVersion"),
    ANY("generation"),
    ANY("creationTimestamp"),
    ANY("deletionTimestamp"),
    ANY("deletionGracePeriodSeconds"),
    ANY("managedFields"),
    ANY("ownerReferences"),
    ANY("finalizers"),
    ANY("selfLink"),
    END,
};

/* ---- KubernetesCluster and Secret ---- */

static const struct field cluster_spec_fields[] = {NEED_TEXT("secretName"), END};
static const struct field cluster_fields[] = {IDENTITY, NEED_OBJECT("spec", cluster_spec_fields),
                                              ANY("status"), END};
static const struct field secret_fields[] = {
    IDENTITY,
    TEXT("type"),
    SECRET_MAP("data", &secret_string),
    SECRET_MAP("stringData", &secret_string),
    FLAG("immutable"),
    END,
};

/* ---- LiveSynchronization ---- */

const char *const kind_adopt_choices[] = {"equal", "never", "always", NULL};
const char *const kind_restart_choices[] = {"Always", "OnFailure", "Never", NULL};
static const char *const effects_choices[] = {"suspend", "allow", NULL};
static const char *const write_choices[] = {"merge", "apply", NULL};
static const char *const recreate_choices[] = {"ask", "always", "never", NULL};
static const char *const level_choices[] = {"debug", "info", "warn", "error", NULL};
static const char *const pull_choices[] = {"Always", "IfNotPresent", "Never", NULL};
static const char *const operator_choices[] = {"In", "NotIn", "Exists", "DoesNotExist", NULL};

static const struct field expression_fields[] = {
    NEED_TEXT("key"),
    {.name = "operator",
     .type = FIELD_STRING,
     .flags = FIELD_REQUIRED,
     .choices = operator_choices},
    LIST("values", &any_string),
    END,
};
static const struct field expression = OBJECT("", expression_fields);
static const struct field selector_fields[] = {
    MAP("matchLabels", &any_string),
    LIST("matchExpressions", &expression),
    END,
};
const struct field *const kind_selector_fields = selector_fields;
static const struct field name_selector_fields[] = {
    LIST("regex", &a_string),
    LIST("excludeRegex", &a_string),
    END,
};
/* The selectors in it are checked with kind_selector_fields where they are read. */
static const struct field filters_fields[] = {
    MAP("selector", NULL),
    MAP("namespaceSelector", NULL),
    OBJECT("nameSelector", name_selector_fields),
    END,
};

static const struct field patch_options_fields[] = {FLAG("skipIfNotFoundOnDelete"), END};
static const struct field operation_fields[] = {
    NEED_TEXT("op"),
    {.name = "path",
     .type = FIELD_STRING}, /* "" is a path; controller/resource_patch.c checks it */
    ANY("value"),
    END,
};
static const struct field operation = OBJECT("", operation_fields);
static const struct field transformation_fields[] = {
    OBJECT("patchOptions", patch_options_fields),
    LIST("patch", &operation),
    END,
};
static const struct field from_original_fields[] = {FLAG("enabled"), END};
static const struct field recovery_fields[] = {
    OBJECT("patchOptions", patch_options_fields),
    LIST("fromPatch", &operation),
    OBJECT("fromOriginal", from_original_fields),
    END,
};

static const struct field entry_fields[] = {
    TEXT("group"),
    TEXT("version"),
    NEED_TEXT("resource"),
    OBJECT("filters", filters_fields),
    OBJECT("transformation", transformation_fields),
    LATER_OF("recoveryProcess", FIELD_OBJECT, recovery_fields),
    CHOICE("adopt", kind_adopt_choices),
    CHOICE("effects", effects_choices),
    CHOICE("writeMode", write_choices),
    CHOICE("recreate", recreate_choices),
    LIST("namespaces", &a_string),
    MOVED("nameSelector", "it in filters"),
    MOVED("namespaceSelector", "it in filters"),
    MOVED("selector", "it in filters"),
    MOVED("patch", "it in transformation"),
    END,
};
static const struct field entry = OBJECT("", entry_fields);
static const struct field exclusion_fields[] = {
    TEXT("group"), TEXT("version"), NEED_TEXT("resource"), OBJECT("filters", filters_fields), END,
};
static const struct field exclusion = OBJECT("", exclusion_fields);
static const struct field record_fields[] = {
    TEXT("group"),
    TEXT("version"),
    NEED_TEXT("resource"),
    END,
};
static const struct field record = OBJECT("", record_fields);
static const struct field replication_fields[] = {
    NEED_LIST("resources", &entry),
    FLAG("forceNamespaceCreation"),
    {.name = "resyncPeriod", .type = FIELD_DURATION},
    CHOICE("adopt", kind_adopt_choices),
    CHOICE("effects", effects_choices),
    LIST("record", &record),
    FLAG("pruneDeselected"),
    LIST("excludeResources", &exclusion),
    END,
};

static const struct field component_fields[] = {
    CHOICE("logLevel", level_choices), LATER_CHOICE("imagePullPolicy", pull_choices),
    LATER("resources", FIELD_MAP),     LATER_INT("concurrentTasks", 1),
    LATER_INT("replicas", 0),          END,
};
/* Of those that resilog has no part for. */
static const struct field absent_component_fields[] = {
    CHOICE("logLevel", level_choices),
    CHOICE("imagePullPolicy", pull_choices),
    MAP("resources", NULL),
    INT("concurrentTasks", 1),
    INT("replicas", 0),
    END,
};
static const struct field components_fields[] = {
    OBJECT("eventsListener", component_fields),
    OBJECT("processor", component_fields),
    OBJECT("reconciler", component_fields),
    LATER_OF("restorer", FIELD_OBJECT, absent_component_fields),
    OBJECT("synchronizer", component_fields),
    LATER_OF("nats", FIELD_OBJECT, absent_component_fields),
    LATER_OF("redis", FIELD_OBJECT, absent_component_fields),
    LATER_OF("metricsExporter", FIELD_OBJECT, absent_component_fields),
    END,
};
static const struct field observability_fields[] = {
    FLAG("enabled"),
    {.name = "interval", .type = FIELD_DURATION},
    END,
};
static const struct field config_fields[] = {
    NEED_TEXT("sourceName"),
    NEED_TEXT("destinationName"),
    LATER("bucketName", FIELD_STRING),
    NEED_OBJECT("replication", replication_fields),
    LATER_OF("observability", FIELD_OBJECT, observability_fields),
    OBJECT("components", components_fields),
    {.name = "resyncPeriod",
     .type = FIELD_DURATION}, /* both here and in replication, in the reference */
    MOVED("resources", "it in replication"),
    END,
};
static const struct field config_variants[] = {
    OBJECT(KIND_PLUGIN, config_fields),
    OBJECT(KIND_PLUGIN_TREE, zk_config_fields),
    END,
};
static const struct field sync_spec_fields[] = {
    FLAG("suspend"),
    {.name = "plugin",
     .type = FIELD_STRING,
     .flags = FIELD_REQUIRED,
     .choices = (const char *const[]){KIND_PLUGIN, KIND_PLUGIN_TREE, NULL}},
    CONFIG(config_variants),
    MOVED("BucketRef", "config.bucketName"),
    MOVED("resources", "config.replication.resources"),
    END,
};
static const struct field sync_fields[] = {IDENTITY, NEED_OBJECT("spec", sync_spec_fields),
                                           ANY("status"), END};

/* ---- Kinds ---- */

#define A_LOG        "a log"
#define A_CHECKPOINT "a checkpoint"

enum { KINDS_MAX = 16 }; /* of one apiVersion */
const struct kind kinds[] = {
    {"KubernetesCluster", ASSETS V1ALPHA1, KIND_CLUSTER, cluster_fields, A_LOG},
    {"Bucket", ASSETS V1ALPHA1, KIND_LATER, later_bucket_fields, NULL},
    {"Database", ASSETS V1ALPHA1, KIND_DATABASE, zk_database_fields, A_LOG},
    {"LiveSynchronization", AUTOMATION V1ALPHA1, KIND_SYNC, sync_fields, A_CHECKPOINT},
    {"Synchronization", AUTOMATION V1ALPHA1, KIND_ONCE, zk_once_fields, A_CHECKPOINT},
    {"SynchronizationPlan", AUTOMATION V1ALPHA1, KIND_PLAN, zk_plan_fields, A_CHECKPOINT},
    {"Secret", "v1", KIND_SECRET, secret_fields, NULL},
    {"Task", AUTOMATION V1ALPHA1, KIND_LATER, later_task_fields, NULL},
    {"TaskRun", AUTOMATION V1ALPHA1, KIND_LATER, later_task_run_fields, NULL},
    {"Backup", AUTOMATION V1ALPHA1, KIND_LATER, later_backup_fields, NULL},
    {.name = NULL},
};

static bool is_between(struct slice s, size_t max, char also)
{
    if (s.n == 0 || s.n > max)
        return false;
    for (size_t i = 0; i < s.n; i++) {
        char c = s.p[i];
        bool alnum = (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9');
        bool inner = c == '-' || c == also;
        if (!alnum && (!inner || i == 0 || i + 1 == s.n))
            return false;
        if (c == '.' && (s.p[i - 1] == '.' || s.p[i - 1] == '-' || s.p[i + 1] == '-'))
            return false;
    }
    return true;
}

bool kind_is_name(struct slice text)
{
    return is_between(text, 253, '.');
}

bool kind_is_namespace(struct slice text)
{
    return is_between(text, 63, '-');
}

static const struct kind *find_name(struct slice name)
{
    const struct kind *k = kinds;
    while (k->name && !slice_eq(slice_str(k->name), name))
        k++;
    return k->name ? k : NULL;
}

static bool is_our_group(struct slice api)
{
    return slice_starts(api, SLICE(ASSETS "/")) || slice_starts(api, SLICE(AUTOMATION "/"));
}

static bool is_our_version(struct slice api)
{
    return slice_eq(api, SLICE(ASSETS V1ALPHA1)) || slice_eq(api, SLICE(AUTOMATION V1ALPHA1));
}

/* A string member that must be there. */
static bool read_text(const struct origin *o, const struct json *node, const char *name,
                      struct slice *ret)
{
    const struct json *n = json_get(node, name);
    if (!n || n->type == JSON_NULL) {
        problem_error(o, node, "the field \"%s\" is missing: this is no Kubernetes resource", name);
        return false;
    }
    if (!fields_check_value(o, n, &a_string))
        return false;
    *ret = json_text(o->doc, n);
    return true;
}

/* Of one of our groups an error with all that is allowed, of another a remark. */
static void unknown_kind(const struct origin *o, const struct json *at, struct slice api,
                         struct slice name)
{
    const char *allowed[KINDS_MAX + 1] = {NULL};
    size_t n = 0;
    struct nearest near = NEAREST_INIT(name);
    for (const struct kind *k = kinds; k->name; k++)
        if (slice_eq(slice_str(k->api_version), api)) {
            assert(n < KINDS_MAX);
            allowed[n++] = k->name;
            nearest_try(&near, k->name);
        }
    if (n > 0 && is_our_group(api))
        fields_wrong_choice(o, at, name, allowed);
    else
        problem_warn(o, at, "ignored: resilog has no use for %.*s of %.*s%s%s%s", SHOWN(name),
                     SHOWN(api), near.name ? "; did you mean \"" : "", near.name ? near.name : "",
                     near.name ? "\"?" : "");
}

/* The kind's name may be another group's, too: an error only where ours is meant. */
static bool means_ours(const struct kind *k, struct slice api)
{
    struct nearest near = NEAREST_INIT(api);
    if (k->use == KIND_CLUSTER || k->use == KIND_SYNC || is_our_group(api))
        return true;
    if (k->use == KIND_SECRET)
        return !memchr(api.p, '/', api.n);
    nearest_try(&near, k->api_version);
    return near.name;
}

const struct kind *kind_of(const struct origin *o, const struct json *node)
{
    struct slice name, api;
    if (!read_text(o, node, "kind", &name))
        return NULL;
    const struct kind *k = find_name(name);
    const struct json *at = json_get(node, "apiVersion");
    if (k && k->use != KIND_SECRET && (!at || at->type == JSON_NULL)) {
        problem_warn(o, node, "the field \"apiVersion\" is missing: taken as %s", k->api_version);
        return k;
    }
    if (!read_text(o, node, "apiVersion", &api))
        return NULL;
    if (k && slice_eq(api, slice_str(k->api_version)))
        return k;
    if (!k && is_our_group(api) && !is_our_version(api))
        problem_error(o, at,
                      "\"%.*s\" is not known; allowed: " ASSETS V1ALPHA1 ", " AUTOMATION V1ALPHA1,
                      SHOWN(api));
    else if (k && means_ours(k, api))
        problem_error(o, at, "\"%.*s\" is not the apiVersion of a %s; allowed: %s", SHOWN(api),
                      k->name, k->api_version);
    else
        unknown_kind(o, json_get(node, "kind"), api, name);
    return NULL;
}
