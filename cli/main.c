/* The program: finds the command in one table and runs it. */
#include "cli/cli.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#define WORDS_MAX 2

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

/* How many words of argv the command's name takes; 0 if it is another one. */
static int match(const struct command *c, int argc, char **argv)
{
    char text[128] = "";
    size_t n = 0;
    for (int words = 1; words <= WORDS_MAX && words < argc; words++) {
        n += (size_t)snprintf(text + n, sizeof text - n, "%s%s", n ? " " : "", argv[words]);
        if (n >= sizeof text)
            return 0;
        if (strcmp(text, c->name) == 0)
            return words;
    }
    return 0;
}

static bool asks_help(int argc, char **argv)
{
    for (int i = 1; i < argc; i++)
        if (strcmp(argv[i], "--help") == 0 || strcmp(argv[i], "-h") == 0)
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
    if (strcmp(argv[1], "--help") == 0 || strcmp(argv[1], "-h") == 0 ||
        strcmp(argv[1], "help") == 0)
        return print_help();
    if (strcmp(argv[1], "--version") == 0)
        return cmd_version(argc - 1, argv + 1);
    for (size_t i = 0; i < n_commands; i++) {
        int words = match(&commands[i], argc, argv);
        if (words == 0)
            continue;
        if (commands[i].help && asks_help(argc - words, argv + words)) {
            fputs(commands[i].help, stdout);
            return cli_finish_output(EXIT_DONE);
        }
        return commands[i].run(argc - words, argv + words);
    }
    fprintf(stderr, "resilog: unknown command \"%s%s%s\"\nSee 'resilog --help'.\n", argv[1],
            argc > 2 && strcmp(argv[1], "log") == 0 ? " " : "",
            argc > 2 && strcmp(argv[1], "log") == 0 ? argv[2] : "");
    return EXIT_USAGE;
}
