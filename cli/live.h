/* `resilog validate --live`: asks the API servers whether the credentials may do what the synchronizations need. */
#ifndef RESILOG_CLI_LIVE_H
#define RESILOG_CLI_LIVE_H

struct resources;

/* Says on standard error how each cluster and AdminServer answers, and prints on standard output, for each that lacks something, a
 * ClusterRole with what is missing. The exit code: EXIT_DONE where nothing is missing, EXIT_INVALID where something is;
 * where a cluster does not tell, that of the failure, after all others were asked. */
int live_check(const struct resources *resources);

#endif
