/* Who speaks: diags that say of each line which part of resilog it is of, under the names of the custom resources'
 * components, and with the clusters that this part asks. */
#ifndef RESILOG_CONTROLLER_SPEAKER_H
#define RESILOG_CONTROLLER_SPEAKER_H

#include "core/err.h"

struct cluster;
struct diag;
struct sync;

enum speaker {
    SPEAKER_CONTROLLER,
    SPEAKER_LOG,
    SPEAKER_EVENTS_LISTENER, /* producer and ingest of a source */
    SPEAKER_PROCESSOR,       /* the pump of a synchronization */
    SPEAKER_SYNCHRONIZER,    /* its sink */
    SPEAKER_RECONCILER,      /* its pump where it compares the destination as a whole */
    SPEAKERS
};
/* What it has in the field SPEAKER_FIELD of each line. */
const char *speaker_name(enum speaker who);
#define SPEAKER_FIELD "process.id"

/* Gives a diag of that speaker, to be freed before d. source: of the EVENTS_LISTENER, sync: of the last three; else
 * NULL. Errors: NOMEM. */
MUST_CHECK enum rc speaker_bind(struct diag *d, enum speaker who, const struct cluster *source,
                                const struct sync *sync, struct diag **ret, struct err *e);

#endif
