/* The tables of the kinds that concern ZooKeeper: reference, chapters 5.4, 6.3.2 and 9. Pure. Beyond the reference are
 * secretName of a client; acl, adopt and resyncPeriod of a config; timeZone of a plan. */
#include "controller/resource_kinds.h"
#include "controller/resource_tables.h"

/* ---- Database ---- */

static const struct field some_text = NEED_TEXT("");
static const char *const protocol_choices[] = {"http", "https", NULL};
static const struct field admin_fields[] = {
    NEED_CHOICE("protocol", protocol_choices),
    NEED_TEXT("host"),
    NEED_TEXT("port"),
    TEXT("secretName"),
    END,
};
static const struct field client_fields[] = {
    NEED_LIST("servers", &some_text),
    TEXT("secretName"),
    END,
};
static const struct field zookeeper_fields[] = {
    OBJECT("admin", admin_fields),
    OBJECT("client", client_fields),
    END,
};
static const struct field database_spec_fields[] = {OBJECT("zookeeper", zookeeper_fields), END};
const struct field zk_database_fields[] = {IDENTITY, NEED_ONE("spec", database_spec_fields),
                                           ANY("status"), END};

/* ---- Synchronization, SynchronizationPlan ---- */

const struct field zk_config_fields[] = {
    NEED_TEXT("sourceName"),
    NEED_TEXT("destinationName"),
    NEED_TEXT("rootPath"),
    FLAG("createRootPath"),
    ALIAS("createRoutePath", FIELD_BOOL, "createRootPath"), /* in samples of the reference */
    FLAG("ignoreEphemeral"),
    TEXT("excludePathRegexp"),
    FLAG("acl"),
    CHOICE("adopt", kind_adopt_choices),
    {.name = "resyncPeriod", .type = FIELD_DURATION},
    END,
};
static const struct field config_variants[] = {OBJECT(KIND_PLUGIN_TREE, zk_config_fields), END};
static const char *const plugin_choices[] = {KIND_PLUGIN_TREE, NULL};
static const struct field once_spec_fields[] = {
    CHOICE("restartPolicy", kind_restart_choices),
    NEED_CHOICE("plugin", plugin_choices),
    CONFIG(config_variants),
    END,
};
const struct field zk_once_fields[] = {IDENTITY, NEED_OBJECT("spec", once_spec_fields),
                                       ANY("status"), END};

static const char *const concurrency_choices[] = {"Allow", "Forbid", "Replace", NULL};
static const struct field template_fields[] = {
    OBJECT("metadata", kind_metadata_fields),
    OBJECT("spec", once_spec_fields),
    END,
};
static const struct field plan_spec_fields[] = {
    NEED_TEXT("schedule"),
    TEXT("timeZone"),
    INT("startingDeadlineSeconds", 0),
    CHOICE("concurrencyPolicy", concurrency_choices),
    FLAG("suspend"),
    OBJECT("template", template_fields),
    INT("successfulJobsHistoryLimit", 0),
    INT("failedJobsHistoryLimit", 0),
    END,
};
const struct field zk_plan_fields[] = {IDENTITY, NEED_OBJECT("spec", plan_spec_fields),
                                       ANY("status"), END};
