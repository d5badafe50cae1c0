/* What commands say when they end: the message and the exit code that goes with it. */
#include "cli/cli.h"

#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

int cli_code(const struct err *e)
{
    switch (e->rc) {
    case RC_INVALID:
    case RC_NOTFOUND:
    case RC_UNSUPPORTED:
        return EXIT_INVALID;
    case RC_CONFLICT:
        return EXIT_REFUSED;
    case RC_CORRUPT:
        return EXIT_DAMAGED;
    default:
        return EXIT_FAILED;
    }
}

int cli_fail(const struct err *e)
{
    fprintf(stderr, "resilog: %s\n", e->msg);
    return cli_code(e);
}

const char *cli_plural(size_t n)
{
    return n == 1 ? "" : "s";
}

int cli_usage(const char *command, const struct err *e)
{
    fprintf(stderr, "resilog: %s\nSee 'resilog %s --help'.\n", e->msg, command);
    return EXIT_USAGE;
}

bool cli_reader_is_gone(int timeout_ms)
{
    struct pollfd fd = {.fd = STDOUT_FILENO}; /* only errors are reported */
    return poll(&fd, 1, timeout_ms) > 0;
}

int cli_finish_output(int code)
{
    errno = 0;
    if (fflush(stdout) == 0 && !ferror(stdout))
        return code;
    int failed = errno; /* 0: an earlier write failed, and its errno is gone */
    if (cli_reader_is_gone(0))
        return code;
    fprintf(stderr, "resilog: standard output: %s\n",
            failed ? strerror(failed) : "not everything could be written");
    return EXIT_FAILED;
}
