/* How a table of fields is written, and the tables that do not stand in resource_kinds.c. Private to resource_kinds,
 * resource_zk_kinds and resource_later. */
#ifndef RESILOG_CONTROLLER_RESOURCE_TABLES_H
#define RESILOG_CONTROLLER_RESOURCE_TABLES_H

#include "controller/resource_fields.h"

/* clang-format off */
#define TEXT(name_)            {.name = (name_), .type = FIELD_STRING}
#define NEED_TEXT(name_)       {.name = (name_), .type = FIELD_STRING, .flags = FIELD_REQUIRED}
#define FLAG(name_)            {.name = (name_), .type = FIELD_BOOL}
#define ANY(name_)             {.name = (name_), .type = FIELD_ANY}
#define OBJECT(name_, of_)     {.name = (name_), .type = FIELD_OBJECT, .of = (of_)}
#define NEED_OBJECT(name_, of_) \
    {.name = (name_), .type = FIELD_OBJECT, .flags = FIELD_REQUIRED, .of = (of_)}
#define MAP(name_, of_)        {.name = (name_), .type = FIELD_MAP, .of = (of_)}
#define SECRET_MAP(name_, of_) \
    {.name = (name_), .type = FIELD_MAP, .flags = FIELD_SECRET, .of = (of_)}
#define LIST(name_, of_)       {.name = (name_), .type = FIELD_LIST, .of = (of_)}
#define NEED_LIST(name_, of_) \
    {.name = (name_), .type = FIELD_LIST, .flags = FIELD_REQUIRED, .of = (of_)}
#define NEED_ONE(name_, of_) \
    {.name = (name_), .type = FIELD_OBJECT, .flags = FIELD_REQUIRED | FIELD_ONE, .of = (of_)}
#define NEED_CHOICE(name_, of_) \
    {.name = (name_), .type = FIELD_STRING, .flags = FIELD_REQUIRED, .choices = (of_)}
#define ALIAS(name_, type_, to_) \
    {.name = (name_), .type = (type_), .flags = FIELD_ALIAS, .instead = (to_)}
/* The config of a plugin, which is named beside it. */
#define CONFIG(of_) \
    {.name = "config", .type = FIELD_VARIANT, .flags = FIELD_REQUIRED, .of = (of_), .instead = "plugin"}
#define CHOICE(name_, of_)     {.name = (name_), .type = FIELD_STRING, .choices = (of_)}
#define LATER(name_, type_)    {.name = (name_), .type = (type_), .flags = FIELD_LATER}
#define LATER_OF(name_, type_, of_) \
    {.name = (name_), .type = (type_), .flags = FIELD_LATER, .of = (of_)}
#define LATER_CHOICE(name_, of_) \
    {.name = (name_), .type = FIELD_STRING, .flags = FIELD_LATER, .choices = (of_)}
#define LATER_INT(name_, least_) \
    {.name = (name_), .type = FIELD_INT, .flags = FIELD_LATER, .least = (least_), .most = INT32_MAX}
#define MOVED(name_, to_)      {.name = (name_), .type = FIELD_MOVED, .instead = (to_)}
#define INT(name_, least_) \
    {.name = (name_), .type = FIELD_INT, .least = (least_), .most = INT32_MAX}
#define END                    {.name = NULL}
#define IDENTITY               ANY("apiVersion"), ANY("kind"), NEED_OBJECT("metadata", kind_metadata_fields)
/* clang-format on */

extern const struct field kind_metadata_fields[]; /* of every kind */

extern const char *const kind_adopt_choices[];
extern const char *const kind_restart_choices[];

extern const struct field zk_database_fields[];
extern const struct field zk_config_fields[]; /* of the plugin KIND_PLUGIN_TREE */
extern const struct field zk_once_fields[];   /* Synchronization */
extern const struct field zk_plan_fields[];   /* SynchronizationPlan */

extern const struct field later_bucket_fields[];
extern const struct field later_task_fields[];
extern const struct field later_task_run_fields[];
extern const struct field later_backup_fields[];

#endif
