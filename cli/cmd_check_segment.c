/* The hidden command that the log starts as a child process, so that a damaged file can kill only the child. */
#include "cli/cli.h"
#include "log/segment_check.h"

#include <stdio.h>

int cmd_check_segment(int argc, char **argv)
{
    if (argc != 2) {
        fprintf(stderr, "resilog: __check-segment takes one file\n");
        return EXIT_USAGE;
    }
    return segment_check_main(argv[1]);
}
