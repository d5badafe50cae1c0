/* validate --live for a Database. */
#ifndef RESILOG_CLI_LIVE_TREE_H
#define RESILOG_CLI_LIVE_TREE_H

struct cluster;
struct resources;

/* Asks the Database whether it lets every synchronization that uses it do what that needs, and says on standard error
 * what is missing. Waits at most 10 s. Gives an exit code. */
int live_check_tree(const struct resources *resources, const struct cluster *cluster);

#endif
