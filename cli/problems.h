/* Tells what the resources' check found. */
#ifndef RESILOG_CLI_PROBLEMS_H
#define RESILOG_CLI_PROBLEMS_H

struct buf;
struct diag;
struct problem;
struct resources;

/* One line on standard error: "error: livesync.yaml:14:7: spec.plugin: ..." */
void problem_print(const struct problem *p);
/* Adds {"level":"error","place":"livesync.yaml:14:7","path":"spec.plugin","message":"..."} to out. */
void problem_json(const struct problem *p, struct buf *out);
/* All of them as diagnostics, with place and path as fields of their own in JSON. */
void problems_say(const struct resources *r, struct diag *diag);

#endif
