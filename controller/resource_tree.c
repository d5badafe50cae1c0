/* The config of the plugin that copies znodes: one entry, the tree below a root path. Types and unknown fields were told
 * by the field table; here the meaning of each value is checked. One thread. */
#include "controller/resource_entry.h"
#include "controller/resource_fields.h"
#include "controller/resource_priv.h"
#include "core/json.h"
#include "core/regex.h"
#include "core/znode.h"

#define RESERVED SLICE("/zookeeper")

static void check_root(const struct origin *o, const struct json *config)
{
    const struct json *at = json_get(config, "rootPath");
    struct slice root = json_get_text(o->doc, config, "rootPath");
    const char *why = "";
    if (root.n == 0)
        return; /* told by the field table */
    if (!znode_is_path(root, &why))
        problem_error(o, at, "\"%.*s\" is no path of a znode: it %s", SHOWN(root), why);
    else if (znode_is_within(root, RESERVED))
        problem_error(o, at,
                      "\"%.*s\" is reserved: what is in /zookeeper belongs to each ensemble itself "
                      "and is not copied",
                      SHOWN(root));
}

/* createRoutePath stands in samples of the reference. */
static bool read_create(const struct origin *o, const struct json *config)
{
    const struct json *name = json_get(config, "createRootPath");
    const struct json *alias = json_get(config, "createRoutePath");
    if (name && alias && !json_equal(name, alias))
        problem_error(o, alias,
                      "createRootPath is there, too, with another value: take one of the two away");
    return json_is(name ? name : alias, JSON_TRUE);
}

/* As any empty field of the reference an empty pattern is none; a search for it would find every node. */
static enum rc read_exclusion(const struct origin *o, const struct json *config, struct slice root,
                              struct regex **ret, struct err *e)
{
    const struct json *at = json_get(config, "excludePathRegexp");
    bool found = false;
    struct err why = ERR_INIT;
    if (!json_is(at, JSON_STRING) || json_text(o->doc, at).n == 0)
        return RC_OK;
    enum rc rc = pattern_read(o, at, ret, e);
    if (rc != RC_OK || !*ret)
        return rc;
    if (regex_search(*ret, root, &found, &why) != RC_OK)
        problem_failure(o, at, &why);
    else if (found)
        problem_error(o, at,
                      "excludes rootPath itself, \"%.*s\": nothing would be left; exclude what is "
                      "below it",
                      SHOWN(root));
    return RC_OK;
}

enum rc tree_read(struct loader *l, const struct item *item, const struct json *config,
                  struct sync_record *s, struct err *e)
{
    const struct origin *o = &item->origin;
    const struct json *period = json_get(config, "resyncPeriod");
    s->entries = calloc(1, sizeof *s->entries);
    if (!s->entries)
        return err_nomem(e);
    s->n_entries = 1;
    struct replication_entry *tree = &s->entries[0];
    tree->root =
        slice_str(text_pool_add(&l->out->texts, json_get_text(o->doc, config, "rootPath")));
    tree->ephemeral = json_is(json_get(config, "ignoreEphemeral"), JSON_FALSE);
    tree->policy = (struct sink_policy){.by_name = true, .adopt = ADOPT_ALWAYS};
    policy_read(o, config, &tree->policy);
    check_root(o, config);
    s->sync.tree =
        (struct sync_tree){read_create(o, config), !json_is(json_get(config, "acl"), JSON_FALSE)};
    if (s->sync.once && json_is(period, JSON_STRING))
        problem_warn(o, period,
                     "means nothing here: a run compares once, when all is copied; it is for a "
                     "LiveSynchronization");
    s->sync.replication = (struct replication){.sync = slice_str(item->full_name),
                                               .entries = s->entries,
                                               .n_entries = 1,
                                               .n_recorded = 1,
                                               .resync_ns = period_read(item, config, NULL)};
    enum rc rc = read_exclusion(o, config, tree->root, &tree->exclude_path, e);
    return rc == RC_OK
               ? item_digest(item, config, SLICE(RESILOG_VERSION), s->sync.replication.digest, e)
               : rc;
}
