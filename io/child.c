/* One child process behind a pipe and a pidfd. It has ended when the pidfd says so: what it started may hold the pipe
 * for longer. Only it and its group are ever signalled. */
#include "io/child.h"

#include "core/buf.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <stdio.h>
#include <sys/pidfd.h>
#include <sys/wait.h>
#include <unistd.h>

extern char **environ;

struct child {
    int pid; /* -1: not there or reaped */
    int exit_fd, out_fd;
    int status;
    struct buf output;
    int64_t begun_ns, within_ns;
};

/* ---- starting ---- */

static bool names_same(const char *a, const char *b)
{
    size_t n = strcspn(a, "=");
    return strncmp(a, b, n) == 0 && b[n] == '=';
}

static bool is_given(const char *const *given, const char *entry)
{
    while (given && *given && !names_same(*given, entry))
        given++;
    return given && *given;
}

/* The environment of the child: pointers only. NULL when out of memory. */
static char **join_env(const char *const *given)
{
    size_t n = 0, all = 0;
    while (environ[all])
        all++;
    for (size_t i = 0; given && given[i]; i++)
        all++;
    char **out = calloc(all + 1, sizeof *out);
    for (size_t i = 0; out && given && given[i]; i++)
        out[n++] = (char *)(uintptr_t)given[i];
    for (size_t i = 0; out && environ[i]; i++)
        if (!is_given(given, environ[i]))
            out[n++] = environ[i];
    return out;
}

/* Gives 0 or an errno. */
static int set_up(posix_spawn_file_actions_t *files, posix_spawnattr_t *attr, int out)
{
    sigset_t none, pipe;
    sigemptyset(&none);
    sigemptyset(&pipe);
    sigaddset(&pipe, SIGPIPE); /* which this process ignores */
    short flags = POSIX_SPAWN_SETPGROUP | POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF;
    int bad = posix_spawn_file_actions_addopen(files, STDIN_FILENO, "/dev/null", O_RDONLY, 0);
    bad = bad ? bad : posix_spawn_file_actions_adddup2(files, out, STDOUT_FILENO);
    bad = bad ? bad
              : posix_spawn_file_actions_addopen(files, STDERR_FILENO, "/dev/null", O_WRONLY, 0);
    bad = bad ? bad : posix_spawn_file_actions_addclosefrom_np(files, STDERR_FILENO + 1);
    bad = bad ? bad : posix_spawnattr_setpgroup(attr, 0);
    bad = bad ? bad : posix_spawnattr_setsigmask(attr, &none);
    bad = bad ? bad : posix_spawnattr_setsigdefault(attr, &pipe);
    return bad ? bad : posix_spawnattr_setflags(attr, flags);
}

/* Gives 0 or an errno. */
static int spawn(struct child *c, const char *const *argv, char **env, int out)
{
    posix_spawn_file_actions_t files;
    posix_spawnattr_t attr;
    int bad = posix_spawn_file_actions_init(&files);
    if (bad)
        return bad;
    bad = posix_spawnattr_init(&attr);
    if (!bad) {
        bad = set_up(&files, &attr, out);
        bad = bad ? bad
                  : posix_spawnp(&c->pid, argv[0], &files, &attr, (char *const *)(uintptr_t)argv,
                                 env);
        posix_spawnattr_destroy(&attr);
    }
    posix_spawn_file_actions_destroy(&files);
    c->pid = bad ? -1 : c->pid;
    return bad;
}

static int open_all(struct child *c, const struct child_opts *opts)
{
    int ends[2];
    AUTO(freep) char **env = join_env(opts->env);
    if (!env)
        return ENOMEM;
    if (pipe2(ends, O_CLOEXEC) != 0)
        return errno;
    c->out_fd = ends[0];
    int bad = fcntl(ends[0], F_SETFL, O_NONBLOCK) == 0 ? spawn(c, opts->argv, env, ends[1]) : errno;
    close(ends[1]);
    if (bad)
        return bad;
    c->exit_fd = pidfd_open(c->pid, 0);
    return c->exit_fd < 0 ? errno : 0;
}

enum rc child_start(const struct child_opts *opts, int64_t now_ns, struct child **ret,
                    struct err *e)
{
    AUTO(child_closep) struct child *c = calloc(1, sizeof *c);
    if (!c)
        return err_nomem(e);
    *c = (struct child){.pid = -1, .exit_fd = -1, .out_fd = -1};
    c->begun_ns = now_ns;
    c->within_ns = opts->within_ns;
    buf_init(&c->output, opts->output_max);
    int bad = open_all(c, opts);
    if (bad == ENOMEM)
        return err_nomem(e);
    if (bad)
        return err_set(e, RC_INVALID, ERR_RETRY, "cannot be started: %s", strerrordesc_np(bad));
    *ret = steal(&c);
    return RC_OK;
}

/* ---- while it runs ---- */

/* Until it is reaped here the group's number is nobody else's. */
static void end_group(struct child *c)
{
    kill(-c->pid, SIGKILL);
    while (waitpid(c->pid, &c->status, 0) < 0 && errno == EINTR)
        continue;
    c->pid = -1;
}

/* Takes what there is to read; closes the pipe at its end. */
static void take_output(struct child *c)
{
    char piece[4096];
    ssize_t n = 0;
    while (c->out_fd >= 0 && !c->output.bad && (n = read(c->out_fd, piece, sizeof piece)) > 0)
        buf_add(&c->output, piece, (size_t)n);
    explicit_bzero(piece, sizeof piece);
    if (c->out_fd >= 0 && n == 0 && !c->output.bad) {
        close(c->out_fd);
        c->out_fd = -1;
    }
}

/* True once it ended; it is reaped then, and what it left running in its group is ended. */
static bool reap(struct child *c)
{
    siginfo_t ended = {0};
    if (c->pid >= 0 && waitid(P_PID, (id_t)c->pid, &ended, WEXITED | WNOHANG | WNOWAIT) == 0 &&
        ended.si_pid == c->pid)
        end_group(c);
    return c->pid < 0;
}

static enum rc explain_end(const struct child *c, struct err *e)
{
    if (WIFEXITED(c->status) && WEXITSTATUS(c->status) == 0)
        return RC_OK;
    if (WIFEXITED(c->status))
        return err_set(e, RC_INVALID, ERR_RETRY, "ended with exit code %d", WEXITSTATUS(c->status));
    return err_set(e, RC_INVALID, ERR_RETRY, "was ended by signal %d", WTERMSIG(c->status));
}

enum rc child_step(struct child *c, int64_t now_ns, struct err *e)
{
    bool ended = reap(c); /* before reading: what it wrote is all there then */
    take_output(c);
    if (c->output.bad == RC_NOMEM)
        return err_nomem(e);
    if (c->output.bad)
        return err_set(e, RC_INVALID, ERR_RETRY, "wrote more than %zu bytes", c->output.max);
    if (ended)
        return explain_end(c, e);
    if (now_ns >= child_due(c))
        return err_set(e, RC_INVALID, ERR_RETRY, "did not end within %.3g s",
                       (double)c->within_ns / 1e9);
    return RC_AGAIN;
}

struct slice child_output(const struct child *c)
{
    return buf_slice(&c->output);
}

size_t child_poll(const struct child *c, struct pollfd out[CHILD_FDS])
{
    size_t n = 0;
    out[n++] = (struct pollfd){.fd = c->exit_fd, .events = POLLIN};
    if (c->out_fd >= 0)
        out[n++] = (struct pollfd){.fd = c->out_fd, .events = POLLIN};
    return n;
}

int64_t child_due(const struct child *c)
{
    return c->begun_ns + c->within_ns;
}

void child_close(struct child *c)
{
    if (!c)
        return;
    if (c->pid >= 0)
        end_group(c);
    if (c->exit_fd >= 0)
        close(c->exit_fd);
    if (c->out_fd >= 0)
        close(c->out_fd);
    if (c->output.p)
        explicit_bzero(c->output.p, c->output.n);
    buf_done(&c->output);
    free(c);
}
