/* The board: a ring of lines and the first failure. No pointers, so that it works in shared memory. */
#include "tests/sim/board.h"

#include <stdarg.h>
#include <stdio.h>

const char *sight_name(enum sight s)
{
    static const char *const names[SIGHTS] = {
        [SIGHT_CRASH] = "crash",
        [SIGHT_DRAIN] = "drain",
        [SIGHT_TAKEOVER] = "takeover",
        [SIGHT_FENCED] = "fenced",
        [SIGHT_APPEND_LOST] = "append-lost",
        [SIGHT_APPEND_UNHEARD] = "append-unheard",
        [SIGHT_APPEND_NO_ROOM] = "append-no-room",
        [SIGHT_COMMIT_LOST] = "commit-lost",
        [SIGHT_COMMIT_UNHEARD] = "commit-unheard",
        [SIGHT_SOURCE_RESTART] = "source-restart",
        [SIGHT_DESTINATION_RESTART] = "destination-restart",
        [SIGHT_COMPACTION] = "compaction",
        [SIGHT_DOWN] = "server-down",
        [SIGHT_REFUSED] = "refused",
        [SIGHT_REQUEST_LOST] = "request-lost",
        [SIGHT_REPLY_LOST] = "reply-lost",
        [SIGHT_THROTTLED] = "429",
        [SIGHT_ERROR] = "500",
        [SIGHT_ERROR_DONE] = "500-done",
        [SIGHT_NONSENSE] = "nonsense",
        [SIGHT_GONE] = "410",
        [SIGHT_DELAY] = "delay",
        [SIGHT_BODY_CUT] = "body-cut",
        [SIGHT_WATCH_DROP] = "watch-drop",
        [SIGHT_WATCH_CUT] = "watch-cut",
        [SIGHT_SLOW_BOOKMARK] = "slow-bookmark",
        [SIGHT_GAP] = "gap",
        [SIGHT_RELIST] = "relist",
        [SIGHT_INFERRED_DELETE] = "inferred-delete",
        [SIGHT_OBSERVED_DELETE] = "observed-delete",
        [SIGHT_CREATED] = "created",
        [SIGHT_UPDATED] = "updated",
        [SIGHT_DELETED] = "deleted",
        [SIGHT_REPLACED] = "replaced",
        [SIGHT_ADOPTED] = "adopted",
        [SIGHT_RESTORED] = "restored",
        [SIGHT_REMOVED] = "removed",
        [SIGHT_FROZEN] = "frozen",
        [SIGHT_HELD_PRUNE] = "held-prune",
        [SIGHT_HELD_NOT_OURS] = "held-not-ours",
        [SIGHT_HELD_PATCH] = "held-patch",
        [SIGHT_HELD_RECREATE] = "held-recreate",
        [SIGHT_HELD_FORBIDDEN] = "held-forbidden",
        [SIGHT_LARGE] = "large-body",
    };
    return names[s];
}

void board_line(struct board *b, const char *fmt, ...)
{
    va_list args;
    if (!b->trace)
        return;
    char *line = b->lines[b->n_lines++ % BOARD_LINES];
    va_start(args, fmt);
    vsnprintf(line, BOARD_LINE, fmt, args);
    va_end(args);
    if (b->aloud)
        fprintf(stderr, "%s\n", line);
}

void board_fail(struct board *b, const char *property, const char *fmt, ...)
{
    va_list args;
    if (b->failed)
        return;
    b->failed = true;
    int n = snprintf(b->failure, sizeof b->failure, "%s: ", property);
    va_start(args, fmt);
    vsnprintf(b->failure + n, sizeof b->failure - (size_t)n, fmt, args);
    va_end(args);
    board_line(b, "FAILED %s", b->failure);
}

void board_print_lines(const struct board *b)
{
    size_t first = b->n_lines > BOARD_LINES ? b->n_lines - BOARD_LINES : 0;
    for (size_t i = first; i < b->n_lines; i++)
        fprintf(stderr, "  %s\n", b->lines[i % BOARD_LINES]);
}
