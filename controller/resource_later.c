/* The tables of the kinds that are checked but not acted on yet: reference, chapters 7.2 and 9. Pure. A Task's
 * config is one table for all its plugins, so that what only one of them needs is not required. */
#include "controller/resource_kinds.h"
#include "controller/resource_tables.h"

static const struct field some_text = NEED_TEXT("");

/* ---- Bucket ---- */

static const struct field generic_fields[] = {
    NEED_TEXT("name"), NEED_TEXT("endpoint"), FLAG("useSSL"), NEED_TEXT("secretName"), END,
};
static const struct field gcp_fields[] = {NEED_TEXT("name"), NEED_TEXT("secretName"), END};
static const struct field aws_fields[] = {
    NEED_TEXT("name"),
    NEED_TEXT("region"),
    NEED_TEXT("secretName"),
    END,
};
static const struct field bucket_spec_fields[] = {
    OBJECT("generic", generic_fields),
    OBJECT("gcpCloudStorage", gcp_fields),
    OBJECT("awsS3", aws_fields),
    END,
};
const struct field later_bucket_fields[] = {IDENTITY, NEED_ONE("spec", bucket_spec_fields),
                                            ANY("status"), END};

/* ---- Task, TaskRun, Backup ---- */

static const struct field identifier_fields[] = {
    TEXT("group"),
    NEED_TEXT("version"),
    TEXT("resource"),
    ALIAS("resources", FIELD_STRING, "resource"), /* in a sample of the reference */
    END,
};
static const struct field task_operation_fields[] = {
    NEED_TEXT("op"),
    {.name = "path", .type = FIELD_STRING},
    ANY("value"),
    END,
};
static const struct field task_operation = OBJECT("", task_operation_fields);
static const struct field task_patch_fields[] = {LIST("operations", &task_operation), END};
static const struct field task_filter_fields[] = {
    MAP("selector", NULL),
    MAP("namespaceSelector", NULL),
    MAP("nameSelector", NULL),
    END,
};
static const struct field task_resource_fields[] = {
    NEED_OBJECT("identifier", identifier_fields),
    OBJECT("patch", task_patch_fields),
    OBJECT("filter", task_filter_fields),
    END,
};
static const struct field task_resource = OBJECT("", task_resource_fields);
static const struct field task_config_fields[] = {
    TEXT("image"),
    LIST("command", &some_text),
    TEXT("clusterRole"),
    LIST("resources", &task_resource),
    END,
};
static const char *const task_choices[] = {"custom-image", "kubernetes-objects-transformation",
                                           NULL};
static const struct field task_spec_fields[] = {
    CHOICE("restartPolicy", kind_restart_choices),
    NEED_CHOICE("plugin", task_choices),
    NEED_OBJECT("config", task_config_fields),
    END,
};
const struct field later_task_fields[] = {IDENTITY, NEED_OBJECT("spec", task_spec_fields),
                                          ANY("status"), END};

static const struct field task_run_spec_fields[] = {NEED_TEXT("taskName"), END};
const struct field later_task_run_fields[] = {IDENTITY, NEED_OBJECT("spec", task_run_spec_fields),
                                              ANY("status"), END};

/* The reference names no plugin of a Backup and no field of its config. */
static const struct field backup_spec_fields[] = {
    CHOICE("restartPolicy", kind_restart_choices),
    NEED_TEXT("plugin"),
    {.name = "config", .type = FIELD_MAP, .flags = FIELD_REQUIRED},
    END,
};
const struct field later_backup_fields[] = {IDENTITY, NEED_OBJECT("spec", backup_spec_fields),
                                            ANY("status"), END};
