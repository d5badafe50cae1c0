/* A SynchronizationPlan as data: when, and the synchronization that each run is. One thread. */
#include "controller/resource_fields.h"
#include "controller/resource_priv.h"
#include "core/json.h"
#include "core/tz.h"
#include "io/tz_file.h"

enum { KEEP_DEFAULT = 2 }; /* reference, chapter 9 */

void plan_record_free(struct plan_record *p)
{
    if (!p)
        return;
    tz_free(p->plan.schedule.zone);
    sync_record_free(p->sync);
    free(p);
}

static int64_t read_int(const struct json *spec, const char *name, int64_t absent)
{
    int64_t v;
    return json_int(json_get(spec, name), &v) ? v : absent;
}

static enum concurrency read_concurrency(struct slice text)
{
    return slice_eq(text, SLICE("Forbid"))    ? CONCURRENCY_FORBID
           : slice_eq(text, SLICE("Replace")) ? CONCURRENCY_REPLACE
                                              : CONCURRENCY_ALLOW;
}

/* The zone that stands before the schedule or beside it, else the system's own. */
static enum rc read_zone(const struct item *item, const struct json *spec, struct slice within,
                         struct schedule *s, struct err *e)
{
    const struct json *beside = json_get(spec, "timeZone");
    struct slice zone = json_get_text(item->origin.doc, spec, "timeZone");
    struct err why = ERR_INIT;
    if (zone.n > 0 && within.n > 0)
        problem_error(&item->origin, beside,
                      "schedule names a time zone, too: take one of the two away");
    enum rc rc = tz_load(within.n > 0 ? within : zone, &s->zone, &why);
    if (rc == RC_NOMEM)
        return err_nomem(e);
    if (rc < 0)
        problem_error(&item->origin, within.n > 0 || !beside ? json_get(spec, "schedule") : beside,
                      "%s", why.msg);
    return RC_OK;
}

/* What never comes is a mistake. */
static enum rc read_schedule(const struct item *item, const struct json *spec, struct schedule *s,
                             struct err *e)
{
    struct slice text = json_get_text(item->origin.doc, spec, "schedule");
    struct slice zone = cron_cut_zone(&text);
    struct err why = ERR_INIT;
    int64_t first;
    if (text.n == 0 && zone.n == 0)
        return RC_OK; /* told by the field table */
    if (cron_parse(text, &s->cron, &why) < 0)
        problem_error(&item->origin, json_get(spec, "schedule"), "%s", why.msg);
    else if (!cron_next(&s->cron, NULL, 0, &first))
        problem_error(&item->origin, json_get(spec, "schedule"), "no such day ever comes");
    return read_zone(item, spec, zone, s, e);
}

enum rc plan_read(struct loader *l, const struct item *item, struct err *e)
{
    const struct json *spec = fields_object(item->node, "spec");
    const struct json *of = fields_object(fields_object(spec, "template"), "spec");
    size_t errors = problem_list_errors(l->out->problems);
    AUTO(plan_record_freep) struct plan_record *p = calloc(1, sizeof *p);
    if (!p)
        return err_nomem(e);
    p->plan =
        (struct plan){.ns = item->ns,
                      .name = item->name,
                      .full_name = item->full_name,
                      .keep_succeeded = read_int(spec, "successfulJobsHistoryLimit", KEEP_DEFAULT),
                      .keep_failed = read_int(spec, "failedJobsHistoryLimit", KEEP_DEFAULT)};
    p->plan.schedule = (struct schedule){
        .deadline_s = read_int(spec, "startingDeadlineSeconds", -1),
        .concurrency = read_concurrency(json_get_text(item->origin.doc, spec, "concurrencyPolicy")),
        .suspend = fields_true(spec, "suspend")};
    enum rc rc = read_schedule(item, spec, &p->plan.schedule, e);
    if (rc == RC_OK)
        rc = item_digest(item, spec, SLICE(RESILOG_VERSION), p->plan.digest, e);
    if (rc < 0)
        return rc;
    if (!of && !item->broken)
        problem_warn(&item->origin, spec, "there is no template.spec: the plan runs nothing");
    rc = sync_make(l, item, of, &p->sync, e);
    if (rc != RC_OK || !p->sync || problem_list_errors(l->out->problems) != errors)
        return rc;
    p->plan.sync = p->sync->sync;
    l->out->plans[l->out->n_plans++] = steal(&p);
    return RC_OK;
}
