/* The pager is a child whose standard input becomes our standard output. */
#include "cli/pager.h"

#include "core/scope.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

extern char **environ;

static bool is_terminal(void)
{
    return isatty(STDOUT_FILENO);
}

bool pager_may_colour(void)
{
    const char *no = getenv("NO_COLOR"), *term = getenv("TERM");
    return is_terminal() && (!no || !*no) && term && strcmp(term, "dumb") != 0;
}

#define DEFAULT_PAGER "less"

/* True if PATH has that program. */
static bool is_there(const char *program)
{
    char path[4096];
    const char *at = getenv("PATH");
    while (at && *at) {
        size_t n = strcspn(at, ":");
        int size = snprintf(path, sizeof path, "%.*s/%s", (int)n, at, program);
        if (size > 0 && (size_t)size < sizeof path && access(path, X_OK) == 0)
            return true;
        at += n + (at[n] == ':');
    }
    return false;
}

/* What the user asked for is taken as it is; what nobody asked for only where it is there. */
static const char *command(void)
{
    const char *name = getenv("RESILOG_PAGER");
    if (!name)
        name = getenv("PAGER");
    if (!name && is_there(DEFAULT_PAGER))
        name = DEFAULT_PAGER;
    return name ? name : "";
}

/* Through the shell, because PAGER may have options. */
static int spawn(const char *name, int from)
{
    posix_spawn_file_actions_t actions;
    pid_t pid = 0;
    char shell[] = "sh", option[] = "-c";
    AUTO(freep) char *command_line = strdup(name);
    char *const argv[] = {shell, option, command_line, NULL};
    if (!command_line || posix_spawn_file_actions_init(&actions) != 0)
        return 0;
    setenv("LESS", "FRX", 0); /* one screen at once, colours, the screen stays */
    if (posix_spawn_file_actions_adddup2(&actions, from, STDIN_FILENO) != 0 ||
        posix_spawn(&pid, "/bin/sh", &actions, NULL, argv, environ) != 0)
        pid = 0;
    posix_spawn_file_actions_destroy(&actions);
    return pid;
}

int pager_start(void)
{
    const char *name = command();
    int ends[2];
    if (!is_terminal() || !*name || strcmp(name, "cat") == 0 || pipe2(ends, O_CLOEXEC) != 0)
        return 0;
    int pid = spawn(name, ends[0]);
    if (pid > 0) {
        (void)dup2(ends[1], STDOUT_FILENO);
        (void)signal(SIGINT, SIG_IGN); /* the pager's now; when it ends, writing to it fails */
    }
    close(ends[0]);
    close(ends[1]);
    return pid;
}

void pager_end(int process)
{
    if (process <= 0)
        return;
    (void)fflush(stdout);
    int none = open("/dev/null", O_WRONLY | O_CLOEXEC);
    if (none >= 0)
        (void)dup2(none, STDOUT_FILENO); /* the pager sees the end */
    if (none >= 0)
        close(none);
    while (waitpid(process, NULL, 0) < 0 && errno == EINTR)
        ;
}
