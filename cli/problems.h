/* Tells what the resources' check found. */
#ifndef RESILOG_CLI_PROBLEMS_H
#define RESILOG_CLI_PROBLEMS_H

struct diag;
struct resources;

/* One line each on standard error: "error: livesync.yaml:14:7: spec.plugin: ..." */
void problems_print(const struct resources *r);
/* The same as diagnostics, with place and path as fields of their own in JSON. */
void problems_say(const struct resources *r, struct diag *diag);

#endif
