/* The bound fields of each speaker. The clusters, be they Databases, are said by those that ask them, and by nobody
 * else: so a search for lines with a sourceCluster finds what may be wrong with the source. Keeps nothing. */
#include "controller/speaker.h"

#include "controller/resource.h"

#include <assert.h>

static const struct {
    const char *id, *component;
    bool source, destination; /* asks it */
} speakers[] = {
    [SPEAKER_CONTROLLER] = {"controller", NULL, false, false},
    [SPEAKER_LOG] = {"log", NULL, false, false},
    [SPEAKER_EVENTS_LISTENER] = {"eventslistener", "eventsListener", true, false},
    [SPEAKER_PROCESSOR] = {"processor", "processor", false, false},
    [SPEAKER_SYNCHRONIZER] = {"synchronizer", "synchronizer", false, true},
    [SPEAKER_RECONCILER] = {"reconciler", "reconciler", false, true},
};
static const char *const levels[] = {
    [DIAG_DEBUG] = "debug", [DIAG_INFO] = "info", [DIAG_WARN] = "warn", [DIAG_ERROR] = "error"};

const char *speaker_name(enum speaker who)
{
    return speakers[who].id;
}

const char *speaker_component(enum speaker who)
{
    return speakers[who].component;
}

bool speaker_level(struct slice text, enum diag_level *ret)
{
    for (size_t i = 0; i < sizeof levels / sizeof *levels; i++)
        if (slice_eq(text, slice_str(levels[i]))) {
            *ret = (enum diag_level)i;
            return true;
        }
    return false;
}

void speaker_levels_join(struct speaker_levels *all, const struct speaker_levels *one)
{
    for (int i = 0; i < SPEAKERS; i++) {
        if (one->has[i] && (!all->has[i] || one->of[i] < all->of[i]))
            all->of[i] = one->of[i];
        all->has[i] = all->has[i] || one->has[i];
    }
}

enum rc speaker_bind(struct diag *d, enum speaker who, const struct cluster *source,
                     const struct sync *sync, struct diag **ret, struct err *e)
{
    struct diag_field fields[DIAG_BOUND_MAX];
    size_t n = 0;
    assert(source || !speakers[who].source);
    assert(sync || !speakers[who].destination);
    fields[n++] = DIAG_J(SPEAKER_FIELD, slice_str(speakers[who].id));
    if (sync) {
        fields[n++] = DIAG_J("process.consumerID", slice_str(sync->full_name));
        fields[n++] = DIAG_T("synchronization", slice_str(sync->full_name));
    }
    if (speakers[who].source) {
        fields[n++] = DIAG_J("sourceCluster.name", slice_str(source->name));
        fields[n++] = DIAG_J("sourceCluster.namespace", slice_str(source->ns));
        fields[n++] = DIAG_T("source", slice_str(source->full_name));
    }
    if (speakers[who].destination) {
        fields[n++] = DIAG_J("destinationCluster.name", slice_str(sync->destination->name));
        fields[n++] = DIAG_J("destinationCluster.namespace", slice_str(sync->destination->ns));
    }
    enum rc rc = diag_bind(d, fields, n, ret, e);
    if (rc == RC_OK && sync && sync->levels.has[who])
        diag_set_least(*ret, sync->levels.of[who]);
    return rc;
}
