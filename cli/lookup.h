/* Which command the user's words mean. */
#ifndef RESILOG_CLI_LOOKUP_H
#define RESILOG_CLI_LOOKUP_H

#include <stdbool.h>

struct buf;
struct command;

/* The command that the words behind argv[0] begin with, and how many of them name it; NULL: none. */
const struct command *lookup_command(int argc, char **argv, int *ret_words);
/* Appends why the words behind argv[0] (there is one) name no command: what is below the first, or what is most like
 * them. */
void lookup_explain(int argc, char **argv, struct buf *out);
/* Appends a line with name and summary for each command whose first word of two is that one; false: there are none. */
bool lookup_group(const char *word, struct buf *out);

#endif
