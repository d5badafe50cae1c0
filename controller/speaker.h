/* Who speaks: diags that say of each line which part of resilog it is of, under the names of the custom resources'
 * components, and with the clusters that this part asks. */
#ifndef RESILOG_CONTROLLER_SPEAKER_H
#define RESILOG_CONTROLLER_SPEAKER_H

#include "core/diag.h"
#include "core/err.h"

#include <stdbool.h>

struct cluster;
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
/* The component of a LiveSynchronization that it is; NULL: none. */
const char *speaker_component(enum speaker who);
/* What "debug", "info", "warn" and "error" mean; false: text is none of them. */
bool speaker_level(struct slice text, enum diag_level *ret);

/* The least levels that a synchronization asks for, of those that speak of it. */
struct speaker_levels {
    bool has[SPEAKERS];
    enum diag_level of[SPEAKERS];
};

/* Adds what another synchronization asks for: of two levels the one that says more. */
void speaker_levels_join(struct speaker_levels *all, const struct speaker_levels *one);

/* Gives a diag of that speaker, to be freed before d. source: of the EVENTS_LISTENER, sync: of the last three; else
 * NULL. Of a sync at the level that it asks for, unless a rule of d says otherwise. Errors: NOMEM. */
MUST_CHECK enum rc speaker_bind(struct diag *d, enum speaker who, const struct cluster *source,
                                const struct sync *sync, struct diag **ret, struct err *e);

#endif
