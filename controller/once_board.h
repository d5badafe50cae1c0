/* Which Synchronizations have run to their end in this process's life, and how; safe from any thread. */
#ifndef RESILOG_CONTROLLER_ONCE_BOARD_H
#define RESILOG_CONTROLLER_ONCE_BOARD_H

#include "core/err.h"
#include "core/scope.h"

#include <stdbool.h>
#include <stddef.h>

struct once_board;
struct sync;

struct once_board *once_board_new(void); /* NULL when out of memory or of descriptors */
void once_board_free(struct once_board *b);
DEFINE_FREEP(struct once_board, once_board_free)
/* The latest result of a synchronization counts, as long as its spec is the same. Errors: NOMEM, LIMIT. */
MUST_CHECK enum rc once_board_set(struct once_board *b, const struct sync *sync, bool succeeded,
                                  struct err *e);
/* A descriptor that becomes readable when a result is set; whoever waits for it clears it by reading. */
int once_board_fd(const struct once_board *b);
/* RC_OK: *ret_succeeded; RC_AGAIN: not over yet. */
enum rc once_board_get(struct once_board *b, const struct sync *sync, bool *ret_succeeded);

#endif
