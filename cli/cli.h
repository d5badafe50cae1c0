/* What all commands share: the command table's shape, options, messages, exit codes. Only cli/ prints, exits
 * and looks at the environment. */
#ifndef RESILOG_CLI_CLI_H
#define RESILOG_CLI_CLI_H

#include "core/err.h"
#include "core/slice.h"

#include <stdbool.h>
#include <stddef.h>

#define EXIT_DONE    0
#define EXIT_FAILED  1
#define EXIT_USAGE   2
#define EXIT_INVALID 3 /* invalid input or missing prerequisite */
#define EXIT_REFUSED 4 /* busy or refused */
#define EXIT_DAMAGED 5 /* damaged log */

struct command {
    const char *name;                  /* "log show" */
    int (*run)(int argc, char **argv); /* argv[0] is the command's last word */
    const char *summary;
    const char *help; /* usage, options, examples */
};

/* One accepted option. A flag sets *flag; one with a value sets *value, or appends to *values where many are
 * allowed. */
struct option_spec {
    char letter;      /* 0: none */
    const char *name; /* long name without dashes */
    bool *flag;
    const char **value;
    struct option_values *values;
};
#define OPTION_VALUES_MAX 64
struct option_values {
    const char *list[OPTION_VALUES_MAX];
    size_t n;
};

/* The words that are no options; the caller gives room for max of them. */
struct option_rest {
    const char **words;
    size_t max, n;
};
/* Parses options in any order ("--name value", "--name=value", "-n value"; "--" ends them); other words go
 * into rest. Values and words borrow argv. Errors: INVALID with a text for the user, which names the nearest
 * option for an unknown one. */
MUST_CHECK enum rc options_parse(int argc, char **argv, const struct option_spec *specs, size_t n,
                                 struct option_rest *rest, struct err *e);

/* The exit code that goes with an error. */
int cli_code(const struct err *e);
/* "s", but "" for 1. */
const char *cli_plural(size_t n);
/* "resilog: <message>" on stderr; returns cli_code. */
int cli_fail(const struct err *e);
/* Usage trouble: the message and where help is. */
int cli_usage(const char *command, const struct err *e);
/* Ends a command that wrote to standard output: EXIT_FAILED with a message when it could not be written (a
 * closed pipe is silent; ferror(stdout) tells of both). */
int cli_finish_output(int code);
/* Waits so long, or until nobody reads standard output any more (a pipe's other end was closed); true then. */
bool cli_reader_is_gone(int timeout_ms);

extern const struct command commands[];
extern const size_t n_commands;

/* The commands, as commands.c describes them to the user; each returns its exit code. */
int cmd_run(int argc, char **argv);
int cmd_status(int argc, char **argv);
int cmd_holds_ls(int argc, char **argv);
int cmd_preimages(int argc, char **argv);
int cmd_holds_show(int argc, char **argv);
int cmd_holds_retry(int argc, char **argv);
int cmd_holds_skip(int argc, char **argv);
int cmd_adopt(int argc, char **argv);
int cmd_log_show(int argc, char **argv);
int cmd_log_verify(int argc, char **argv);
int cmd_verify(int argc, char **argv);
int cmd_validate(int argc, char **argv);
int cmd_version(int argc, char **argv);
/* Hidden: the child that walks a segment before LMDB touches it (log/segment_check.h). */
int cmd_check_segment(int argc, char **argv);

#endif
