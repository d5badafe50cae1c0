/* The inside of the properties, shared by property*.c. */
#ifndef RESILOG_TESTS_SIM_PROPERTY_PRIV_H
#define RESILOG_TESTS_SIM_PROPERTY_PRIV_H

#include "core/buf.h"
#include "core/json.h"
#include "core/map.h"
#include "log/rlog.h"
#include "sinks/kube_mark.h"
#include "tests/sim/property.h"
#include "tests/sim/us.h"
#include "tests/sim/world.h"

#define PROPERTY_TEXT 64

/* What was last seen of one key of the destination. */
struct copy {
    bool live, marked, adopted, deleting;
    bool taken;   /* not live: somebody else deleted it */
    bool left;    /* not live, or terminating: removed because it had left the selection */
    uint64_t seq; /* the highest ever, also of objects that are gone; 0: none with a number */
    int64_t version;
    char uid[PROPERTY_TEXT], origin[PROPERTY_TEXT]; /* origin: uid of the source's object */
    char other[PROPERTY_TEXT];                      /* another writer's annotation */
    unsigned look;                                  /* the last walk that met it */
};

/* What the log says of one scope. */
struct scope_history {
    int64_t position;
    bool complete, gap, listing;
};

/* What the log says of one key. */
struct key_history {
    int64_t version;
    enum event_op op;
};

struct property {
    struct kube_writer me;
    /* the log */
    rlog_off *batches; /* ends of acknowledged appends that were not looked at yet */
    size_t n_batches, cap_batches;
    rlog_off acknowledged; /* the log's end as acknowledged last */
    uint8_t chain[32];     /* at that end */
    rlog_off seen;         /* events below were looked at */
    struct map *scopes;    /* scope -> struct scope_history */
    struct map *keys;      /* key -> struct key_history */
    /* the checkpoint */
    rlog_off committed;
    /* the destination */
    struct map *copies; /* key -> struct copy */
    int64_t destination_version;
    unsigned look;
};

/* The value of a key, made of that size and zeroed where there is none; owned by the map, which frees with free. */
void *property_entry(struct map *m, struct slice key, size_t size);
/* A resourceVersion as a number; 0 if it is none. */
int64_t property_number(struct slice text);

/* property_log.c */
void property_look_log(struct world *w);
/* property_commit.c */
void property_look_commit(struct world *w);

/* True if the log tells of the end of the source's object with that uid: a delete of it, or another one in
 * its place. */
bool property_end_is_logged(struct world *w, struct slice key, struct slice uid);
/* True if the object's labels, and those of its namespace as the log has them below `at` (0: at its end), are
 * selected. */
bool property_selected(struct world *w, struct slice key, struct slice object, rlog_off at);
/* True if an object in that state was, or may have been at some time, outside the selection. */
bool property_may_leave(struct world *w, struct slice key, struct slice object);
/* The canonical projection of a source's object (as_source: patched first) or of a copy; false: there is none. */
bool property_project(struct world *w, struct slice key, struct slice object, bool as_source,
                      struct buf *out);

#endif
