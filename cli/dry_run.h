/* `resilog run --once --dry-run`: what the Synchronizations would do, without doing it. */
#ifndef RESILOG_CLI_DRY_RUN_H
#define RESILOG_CLI_DRY_RUN_H

#include <stddef.h>

struct env;
struct resources;

/* Prints on standard output, for each Synchronization, what a run would do now. Writes nothing anywhere. data: the data
 * folder, NULL or one that is not there: nothing was copied before. Approved are deletions of those that allow_prune
 * names. The exit code: EXIT_DONE, or that of the first failure, after all others were looked at. */
int dry_run(const struct resources *resources, const char *data, const char *const *allow_prune,
            size_t n_allow_prune, const struct env *env);

#endif
