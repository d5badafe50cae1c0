/* A SynchronizationPlan as data: when, and the synchronization that each run is. One thread. */
#include "controller/resource_fields.h"
#include "controller/resource_priv.h"
#include "core/json.h"

enum { KEEP_DEFAULT = 2 }; /* reference, chapter 9 */

void plan_record_free(struct plan_record *p)
{
    if (!p)
        return;
    sync_record_free(p->sync);
    free(p);
}

static int64_t read_int(const struct json *spec, const char *name, int64_t absent)
{
    int64_t v;
    return json_int(json_get(spec, name), &v) ? v : absent;
}

static enum plan_concurrency read_concurrency(struct slice text)
{
    return slice_eq(text, SLICE("Forbid"))    ? PLAN_FORBID
           : slice_eq(text, SLICE("Replace")) ? PLAN_REPLACE
                                              : PLAN_ALLOW;
}

/* "CRON_TZ=Zone ..." and "TZ=Zone ..." before a schedule: cuts it off, and gives the zone. */
static struct slice cut_zone(struct slice *schedule)
{
    static const char *const prefixes[] = {"CRON_TZ=", "TZ="};
    for (size_t i = 0; i < 2; i++) {
        struct slice prefix = slice_str(prefixes[i]), rest;
        if (!slice_starts(*schedule, prefix))
            continue;
        struct slice zone =
            slice_cut(slice_of(schedule->p + prefix.n, schedule->n - prefix.n), ' ', &rest);
        *schedule = rest;
        return zone;
    }
    return SLICE_NULL;
}

/* The schedule, and the zone that stands in it or beside it. */
static void read_schedule(struct text_pool *texts, const struct item *item, const struct json *spec,
                          struct plan *plan)
{
    struct slice schedule = json_get_text(item->origin.doc, spec, "schedule");
    struct slice zone = json_get_text(item->origin.doc, spec, "timeZone");
    struct slice within = cut_zone(&schedule);
    if (zone.n > 0 && within.n > 0)
        problem_error(&item->origin, json_get(spec, "timeZone"),
                      "schedule names a time zone, too: take one of the two away");
    plan->schedule = text_pool_add(texts, schedule);
    zone = within.n > 0 ? within : zone;
    plan->time_zone = zone.n > 0 ? text_pool_add(texts, zone) : NULL;
}

enum rc plan_read(struct loader *l, const struct item *item, struct err *e)
{
    const struct json *spec = fields_object(item->node, "spec");
    const struct json *of = fields_object(fields_object(spec, "template"), "spec");
    size_t errors = problem_list_errors(l->out->problems);
    AUTO(plan_record_freep) struct plan_record *p = calloc(1, sizeof *p);
    if (!p)
        return err_nomem(e);
    p->plan = (struct plan){
        .ns = item->ns,
        .name = item->name,
        .full_name = item->full_name,
        .deadline_s = read_int(spec, "startingDeadlineSeconds", -1),
        .concurrency = read_concurrency(json_get_text(item->origin.doc, spec, "concurrencyPolicy")),
        .suspend = fields_true(spec, "suspend"),
        .keep_succeeded = read_int(spec, "successfulJobsHistoryLimit", KEEP_DEFAULT),
        .keep_failed = read_int(spec, "failedJobsHistoryLimit", KEEP_DEFAULT)};
    read_schedule(&l->out->texts, item, spec, &p->plan);
    if (!of && !item->broken)
        problem_warn(&item->origin, spec, "there is no template.spec: the plan runs nothing");
    enum rc rc = sync_make(l, item, of, &p->sync, e);
    if (rc != RC_OK || !p->sync || problem_list_errors(l->out->problems) != errors)
        return rc;
    p->plan.sync = p->sync->sync;
    l->out->plans[l->out->n_plans++] = steal(&p);
    return RC_OK;
}
