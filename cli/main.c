/* The program: finds the command in one table and runs it. */
#include "cli/cli.h"
#include "cli/lookup.h"
#include "core/buf.h"
#include "core/scope.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

static int print_help(void)
{
    printf("resilog records every change of a Kubernetes cluster in an append-only log and replays "
           "it into other clusters.\n\n"
           "Usage: resilog COMMAND [OPTIONS]\n\nCommands:\n");
    for (size_t i = 0; i < n_commands; i++)
        if (commands[i].summary)
            printf("  %-12s %s\n", commands[i].name, commands[i].summary);
    printf("\n'resilog COMMAND --help' shows the options. Data goes to standard output, messages "
           "to standard error.\n"
           "Exit codes: 0 done, 1 failed, 2 usage, 3 invalid input or missing prerequisite, 4 busy "
           "or refused, 5 damaged log.\n");
    return cli_finish_output(EXIT_DONE);
}

static int explain(int argc, char **argv)
{
    AUTO(buf_done) struct buf why = BUF_INIT(16u << 10);
    lookup_explain(argc, argv, &why);
    fprintf(stderr, "resilog: %.*s\nSee 'resilog --help'.\n", SLICE_ARG(buf_slice(&why)));
    return EXIT_USAGE;
}

static bool is_help(const char *word)
{
    return strcmp(word, "--help") == 0 || strcmp(word, "-h") == 0;
}

/* Of "log" alone: what there is below it. */
static int print_help_of_group(int argc, char **argv)
{
    AUTO(buf_done) struct buf lines = BUF_INIT(16u << 10);
    bool alone = argc == 2 || is_help(argv[2]);
    if (!alone || !lookup_group(argv[1], &lines))
        return explain(argc, argv);
    printf("Commands:\n%.*s\n'resilog COMMAND --help' shows the options.\n",
           SLICE_ARG(buf_slice(&lines)));
    return cli_finish_output(EXIT_DONE);
}

/* What stands behind `help`. */
static int print_help_of(int argc, char **argv)
{
    int words;
    const struct command *c = lookup_command(argc, argv, &words);
    if (!c || !c->help)
        return print_help_of_group(argc, argv);
    fputs(c->help, stdout);
    return cli_finish_output(EXIT_DONE);
}

static bool asks_help(int argc, char **argv)
{
    for (int i = 1; i < argc; i++)
        if (is_help(argv[i]))
            return true;
    return false;
}

/* Takes the place of a standard descriptor that was closed, so that no file of the data folder gets its number and is
 * written to as standard error. Opened the wrong way round: to use it stays the failure that it was. */
static bool fill_descriptors(void)
{
    for (int fd = STDIN_FILENO; fd <= STDERR_FILENO; fd++)
        if (fcntl(fd, F_GETFD) < 0 &&
            open("/dev/null", fd == STDIN_FILENO ? O_WRONLY : O_RDONLY) != fd)
            return false;
    return true;
}

int main(int argc, char **argv)
{
    if (!fill_descriptors()) {
        fprintf(stderr, "resilog: /dev/null: %s\n", strerror(errno));
        return EXIT_FAILED;
    }
    /* A pipe that nobody reads any more is an error of the write, not the end of the process. */
    signal(SIGPIPE, SIG_IGN);
    if (argc < 2)
        return print_help(), EXIT_USAGE;
    if (is_help(argv[1]) || strcmp(argv[1], "help") == 0)
        return argc > 2 ? print_help_of(argc - 1, argv + 1) : print_help();
    if (strcmp(argv[1], "--version") == 0)
        return cmd_version(argc - 1, argv + 1);
    int words;
    const struct command *c = lookup_command(argc, argv, &words);
    if (!c)
        return argc > 2 && is_help(argv[2]) ? print_help_of(argc, argv) : explain(argc, argv);
    if (c->help && asks_help(argc - words, argv + words))
        return print_help_of(argc, argv);
    return c->run(argc - words, argv + words);
}
