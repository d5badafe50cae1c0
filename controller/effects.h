/* What the copies of a synchronization do in the destination beside being there: run, be reached, change a name
 * service, cost money, decide about requests. A person is told at every start and by `resilog validate`, until
 * "effects: allow" says that it is wanted. */
#ifndef RESILOG_CONTROLLER_EFFECTS_H
#define RESILOG_CONTROLLER_EFFECTS_H

struct buf;
struct sync;

/* Appends the selected kinds that have an effect: "apps/deployments (runs), services (network, dns, cloud)".
 * Nothing for kinds whose entry allows effects, and for kinds that arrive suspended. Of `*` what the table of rules
 * knows by name. */
void effects_print(const struct sync *sync, struct buf *out);

#endif
