/* What a run leaves behind even when the process dies in it: where it was, what failed, its last lines, what it has
 * seen. It lies in memory that the parent process shares. */
#ifndef RESILOG_TESTS_SIM_BOARD_H
#define RESILOG_TESTS_SIM_BOARD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define BOARD_LINES 50
#define BOARD_LINE  400

/* Situations that the seeds must have met: one that none of them met is a hole in the simulation. */
enum sight {
    SIGHT_CRASH,          /* of us, between two steps */
    SIGHT_DRAIN,          /* we stopped in order */
    SIGHT_TAKEOVER,       /* a second writer took the log from a living one */
    SIGHT_FENCED,         /* and the old one was told */
    SIGHT_APPEND_LOST,    /* crash before an append took effect */
    SIGHT_APPEND_UNHEARD, /* crash after it did, before its answer */
    SIGHT_APPEND_NO_ROOM, /* LIMIT */
    SIGHT_COMMIT_LOST,    /* of a checkpoint */
    SIGHT_COMMIT_UNHEARD,
    SIGHT_SOURCE_RESTART,
    SIGHT_DESTINATION_RESTART,
    SIGHT_COMPACTION,
    SIGHT_DOWN,
    SIGHT_REFUSED, /* faults of the API servers, as fake_kube.h has them: */
    SIGHT_REQUEST_LOST,
    SIGHT_REPLY_LOST,
    SIGHT_THROTTLED,
    SIGHT_ERROR,
    SIGHT_ERROR_DONE,
    SIGHT_NONSENSE,
    SIGHT_GONE,
    SIGHT_DELAY,
    SIGHT_BODY_CUT,
    SIGHT_WATCH_DROP,
    SIGHT_WATCH_CUT,
    SIGHT_SLOW_BOOKMARK,
    SIGHT_GAP, /* in the log */
    SIGHT_RELIST,
    SIGHT_INFERRED_DELETE,
    SIGHT_OBSERVED_DELETE,
    SIGHT_CREATED, /* in the destination, by us */
    SIGHT_UPDATED,
    SIGHT_DELETED,
    SIGHT_REPLACED, /* created under a name that a copy had before */
    SIGHT_ADOPTED,
    SIGHT_RESTORED, /* made again after somebody took it away */
    SIGHT_REMOVED,  /* it had left the selection */
    SIGHT_FROZEN,   /* at the end: */
    SIGHT_HELD_PRUNE,
    SIGHT_HELD_NOT_OURS,
    SIGHT_HELD_PATCH,
    SIGHT_HELD_RECREATE,
    SIGHT_HELD_FORBIDDEN,
    SIGHT_LARGE,
    SIGHTS
};

struct board {
    bool trace;    /* lines are wanted */
    bool aloud;    /* and are printed at once */
    uint64_t seed; /* of the run that is under way */
    uint64_t done; /* runs that ended well */
    bool failed;
    char failure[1200];
    uint64_t sights[SIGHTS];
    size_t n_lines; /* ever written */
    char lines[BOARD_LINES][BOARD_LINE];
};

/* "held-prune". */
const char *sight_name(enum sight s);
/* Keeps one line among the last BOARD_LINES; does nothing where no trace is wanted. */
void board_line(struct board *b, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
/* The first failure of a run stays. */
void board_fail(struct board *b, const char *property, const char *fmt, ...)
    __attribute__((format(printf, 3, 4)));
void board_print_lines(const struct board *b);

#endif
