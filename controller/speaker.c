/* The bound fields of each speaker. The clusters, be they Databases, are said by those that ask them, and by nobody
 * else: so a search for lines with a sourceCluster finds what may be wrong with the source. Keeps nothing. */
#include "controller/speaker.h"

#include "controller/resource.h"
#include "core/diag.h"

#include <assert.h>

static const struct {
    const char *id;
    bool source, destination; /* asks it */
} speakers[] = {
    [SPEAKER_CONTROLLER] = {"controller", false, false},
    [SPEAKER_LOG] = {"log", false, false},
    [SPEAKER_EVENTS_LISTENER] = {"eventslistener", true, false},
    [SPEAKER_PROCESSOR] = {"processor", false, false},
    [SPEAKER_SYNCHRONIZER] = {"synchronizer", false, true},
    [SPEAKER_RECONCILER] = {"reconciler", false, true},
};

const char *speaker_name(enum speaker who)
{
    return speakers[who].id;
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
    return diag_bind(d, fields, n, ret, e);
}
