/* A pager for a person at a terminal, as git and journalctl start one. */
#ifndef RESILOG_CLI_PAGER_H
#define RESILOG_CLI_PAGER_H

#include <stdbool.h>

/* True if what goes to standard output may be coloured: a terminal, no NO_COLOR, TERM not "dumb". To be asked before
 * pager_start. */
bool pager_may_colour(void);
/* Starts RESILOG_PAGER, else PAGER, else `less` (with LESS=FRX unless that is set) behind standard output, if that is a
 * terminal; an empty name or `cat` means none. Without one, output goes on as it is. Returns its process, 0: none. */
int pager_start(void);
/* Ends the output and waits until the person has read it. */
void pager_end(int process);

#endif
