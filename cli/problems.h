/* Prints what the resources' check found. */
#ifndef RESILOG_CLI_PROBLEMS_H
#define RESILOG_CLI_PROBLEMS_H

struct resources;

/* One line each on standard error: "error: livesync.yaml:14:7: spec.plugin: ..." */
void problems_print(const struct resources *r);

#endif
