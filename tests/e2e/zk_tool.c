/* zk_tool [-t SECONDS] [-f] [-u USER:PASSWORD] [-a CA] [-c CERTIFICATE -k KEY] SERVER[,SERVER...] COMMAND ...
 *   create PATH [DATA [ACL]]   a persistent node; without DATA its data is null; DATA @FILE is that file's bytes
 *   set PATH DATA [VERSION]    get PATH   delete PATH [VERSION]   ls PATH   acl PATH
 *   setacl PATH ACL            an ACL is PERMS:SCHEME:ID[,...], PERMS of the letters cdrwa
 *   multi N PATH               N children in one transaction
 *   bulk N PATH [BYTES]        N children in transactions of 200, many at once
 *   raise N PATH               raises the number that its next sequential child gets by N
 *   churn N PATH SEED [RATE]   N random changes below PATH, so many a second; a session that is lost is followed by another
 *   watch N PATH               says "watching", then each path that changed at PATH and below, N of them
 *   sessions N                 says "connected" or "lost: ..." as sessions begin and end, until N have begun
 *   dump PATH                  each node as one line of JSON, in the order of their paths
 *   whoami                     as whom the server sees us: SCHEME:ID, one a line
 * Ends with 0; 1: the server refused, stderr says why; 2: wrong usage; 3: no session, or no answer within the time (20 s).
 * What may be over soon is tried again until then, but with -f. */
#include "core/clock.h"
#include "core/env.h"
#include "io/clock_sys.h"
#include "io/rng_sys.h"
#include "io/secret_file.h"
#include "tests/e2e/zk_tool.h"

#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <unistd.h>

#define USUAL_SECONDS 20
#define DATA_MAX      (2u << 20)
#define ACL_MAX       32

void zk_tool_fail(int status, const char *fmt, ...)
{
    va_list args;
    va_start(args, fmt);
    fputs("zk_tool: ", stderr);
    vfprintf(stderr, fmt, args);
    va_end(args);
    fputc('\n', stderr);
    exit(status);
}

struct zk_event zk_tool_next(struct zk_tool *t)
{
    struct zk_event ev = {0};
    struct err e = ERR_INIT;
    for (;;) {
        enum rc rc = zk_take(t->zk, &ev, &e);
        int64_t left = t->deadline_ns - clock_boot_ns(clock_sys());
        if (rc == RC_OK && ev.kind == ZK_LOST)
            t->lost = ev.err;
        if (rc == RC_OK)
            return ev;
        if (left <= 0)
            zk_tool_fail(3, "no answer within the time%s%s", t->lost.rc ? ": " : "", t->lost.msg);
        if (rc != RC_AGAIN || zk_wait(t->zk, -1, left, &e) != RC_OK)
            zk_tool_fail(3, "%s", e.msg);
    }
}

struct zk_event zk_tool_await(struct zk_tool *t, enum zk_event_kind kind)
{
    for (;;) {
        struct zk_event ev = zk_tool_next(t);
        bool again = kind == ZK_CONNECTED && ev.err.rc == RC_UNAVAILABLE && !t->fast;
        if (ev.kind == ZK_LOST && !again)
            zk_tool_fail(3, "%s", ev.err.msg);
        if (ev.kind == kind)
            return ev;
    }
}

bool zk_tool_send(struct zk_tool *t, const struct zk_call *c, uint64_t tag)
{
    struct err e = ERR_INIT;
    enum rc rc = zk_call(t->zk, c, tag, &e);
    if (rc < 0)
        zk_tool_fail(1, "%s", e.msg);
    return rc == RC_OK;
}

const struct zk_result *zk_tool_answer(struct zk_tool *t, uint64_t *ret_tag)
{
    struct zk_event ev = zk_tool_await(t, ZK_ANSWER);
    if (ev.err.rc != RC_OK)
        zk_tool_fail(3, "%s", ev.err.msg);
    *ret_tag = ev.tag;
    return ev.result;
}

/* The one call, and its result; ends the program where the server refuses. */
static const struct zk_result *ask(struct zk_tool *t, const struct zk_call *c)
{
    uint64_t tag;
    zk_tool_send(t, c, 0);
    const struct zk_result *r = zk_tool_answer(t, &tag);
    if (r->error != ZK_OK)
        zk_tool_fail(1, "%.*s: %s", SLICE_ARG(c->path), zk_error_name(r->error));
    return r;
}

/* ---- arguments ---- */

static const char *argument(const struct zk_tool *t, int i)
{
    return i < t->argc ? t->argv[i] : NULL;
}

static struct slice path_argument(const struct zk_tool *t, int i)
{
    const char *path = argument(t, i);
    if (!path || path[0] != '/')
        zk_tool_fail(2, "a path is missing, which begins with '/'");
    return slice_str(path);
}

static long number_argument(const struct zk_tool *t, int i, long otherwise)
{
    const char *text = argument(t, i);
    char *end;
    if (!text)
        return otherwise;
    long v = strtol(text, &end, 10);
    if (*end || end == text)
        zk_tool_fail(2, "\"%s\" is no number", text);
    return v;
}

static struct slice data_argument(const struct zk_tool *t, int i)
{
    const char *text = argument(t, i);
    if (!text)
        zk_tool_fail(2, "the data are missing");
    if (text[0] != '@')
        return slice_str(text);
    FILE *f = fopen(text + 1, "rb");
    char *data = malloc(DATA_MAX);
    if (!f || !data)
        zk_tool_fail(2, "%s cannot be read", text + 1);
    size_t n = fread(data, 1, DATA_MAX, f);
    fclose(f);
    return slice_of(data, n); /* until the program ends */
}

static const char LETTERS[] = "rwcda"; /* in the order of enum znode_perm's bits */

static uint32_t perms_of(struct slice letters)
{
    uint32_t perms = 0;
    for (size_t i = 0; i < letters.n; i++) {
        const char *at = strchr(LETTERS, letters.p[i]);
        if (!at)
            zk_tool_fail(2, "'%c' is no permission", letters.p[i]);
        perms |= 1u << (at - LETTERS);
    }
    return perms;
}

/* Of "perms:scheme:id,..."; an entry without a further ':' ends at its ','. */
static size_t acl_argument(const struct zk_tool *t, int i, struct znode_acl *acl)
{
    const char *text = argument(t, i);
    struct slice rest = slice_str(text ? text : "cdrwa:world:anyone"), id;
    size_t n = 0;
    while (rest.n) {
        struct slice entry = slice_cut(rest, ',', &rest);
        if (n == ACL_MAX)
            zk_tool_fail(2, "too many ACL entries");
        acl[n].perms = perms_of(slice_cut(entry, ':', &id));
        acl[n].scheme = slice_cut(id, ':', &acl[n].id);
        n++;
    }
    return n;
}

/* ---- commands for one node ---- */

static void do_create(struct zk_tool *t)
{
    struct znode_acl acl[ACL_MAX];
    bool null = !argument(t, 1);
    struct zk_call c = {.op = ZK_CREATE,
                        .path = path_argument(t, 0),
                        .null_data = null,
                        .data = null ? SLICE_NULL : data_argument(t, 1),
                        .acl = acl,
                        .n_acl = acl_argument(t, 2, acl)};
    ask(t, &c);
}

static void do_set(struct zk_tool *t)
{
    ask(t, &(struct zk_call){.op = ZK_SET_DATA,
                             .path = path_argument(t, 0),
                             .data = data_argument(t, 1),
                             .version = (int32_t)number_argument(t, 2, -1)});
}

static void do_get(struct zk_tool *t)
{
    const struct zk_result *r =
        ask(t, &(struct zk_call){.op = ZK_GET_DATA, .path = path_argument(t, 0)});
    fwrite(r->data.p, 1, r->data.n, stdout);
}

static void do_delete(struct zk_tool *t)
{
    ask(t, &(struct zk_call){.op = ZK_DELETE,
                             .path = path_argument(t, 0),
                             .version = (int32_t)number_argument(t, 1, -1)});
}

static void do_ls(struct zk_tool *t)
{
    const struct zk_result *r =
        ask(t, &(struct zk_call){.op = ZK_GET_CHILDREN, .path = path_argument(t, 0)});
    for (size_t i = 0; i < r->n_children; i++)
        printf("%.*s\n", SLICE_ARG(r->children[i]));
}

const char *zk_tool_perms(uint32_t perms, char *out)
{
    size_t n = 0;
    for (unsigned bit = 0; LETTERS[bit]; bit++)
        if (perms & 1u << bit)
            out[n++] = LETTERS[bit];
    out[n] = 0;
    return out;
}

static void do_acl(struct zk_tool *t)
{
    char perms[ZK_TOOL_PERMS];
    const struct zk_result *r =
        ask(t, &(struct zk_call){.op = ZK_GET_ACL, .path = path_argument(t, 0)});
    for (size_t i = 0; i < r->n_acl; i++)
        printf("%s:%.*s:%.*s\n", zk_tool_perms(r->acl[i].perms, perms), SLICE_ARG(r->acl[i].scheme),
               SLICE_ARG(r->acl[i].id));
}

static void do_setacl(struct zk_tool *t)
{
    struct znode_acl acl[ACL_MAX];
    if (!argument(t, 1))
        zk_tool_fail(2, "the ACL is missing");
    ask(t, &(struct zk_call){.op = ZK_SET_ACL,
                             .path = path_argument(t, 0),
                             .version = -1,
                             .acl = acl,
                             .n_acl = acl_argument(t, 1, acl)});
}

static void do_whoami(struct zk_tool *t)
{
    const struct zk_result *r = ask(t, &(struct zk_call){.op = ZK_WHO_AM_I});
    for (size_t i = 0; i < r->n_acl; i++)
        printf("%.*s:%.*s\n", SLICE_ARG(r->acl[i].scheme), SLICE_ARG(r->acl[i].id));
}

/* ---- events ---- */

static void say(const char *fmt, ...) __attribute__((format(printf, 1, 2)));
static void say(const char *fmt, ...)
{
    va_list args;
    va_start(args, fmt);
    vprintf(fmt, args);
    va_end(args);
    putchar('\n');
    fflush(stdout);
}

static void do_watch(struct zk_tool *t)
{
    long n = number_argument(t, 0, 1);
    ask(t, &(struct zk_call){.op = ZK_ADD_WATCH, .path = path_argument(t, 1)});
    say("watching");
    for (; n > 0; n--) {
        struct slice path = zk_tool_await(t, ZK_CHANGED).path;
        say("%.*s", SLICE_ARG(path));
    }
}

static void do_sessions(struct zk_tool *t)
{
    say("connected");
    for (long n = number_argument(t, 0, 1); n > 1;) {
        struct zk_event ev = zk_tool_next(t);
        if (ev.kind == ZK_CONNECTED) {
            say("connected");
            n--;
        } else if (ev.kind == ZK_LOST)
            say("lost: %s", ev.err.msg);
    }
}

/* ---- the program ---- */

static const struct {
    const char *name;
    void (*run)(struct zk_tool *t);
} COMMANDS[] = {{"create", do_create},
                {"set", do_set},
                {"get", do_get},
                {"delete", do_delete},
                {"ls", do_ls},
                {"acl", do_acl},
                {"setacl", do_setacl},
                {"multi", zk_tool_multi},
                {"bulk", zk_tool_bulk},
                {"raise", zk_tool_raise},
                {"watch", do_watch},
                {"sessions", do_sessions},
                {"churn", zk_tool_churn},
                {"dump", zk_tool_dump},
                {"whoami", do_whoami}};

static const char *read_pem(const char *path)
{
    char *text = NULL;
    struct err e;
    if (secret_file_read(path, &text, &e) != RC_OK)
        zk_tool_fail(2, "%s", e.msg);
    return text; /* until the program ends */
}

static void set_login(struct zk_target *target, char *login)
{
    char *colon = strchr(login, ':');
    if (!colon)
        zk_tool_fail(2, "-u wants USER:PASSWORD");
    *colon = 0;
    target->user = login;
    target->password = colon + 1;
}

static void read_options(int argc, char **argv, struct zk_tool *t, struct zk_target *target)
{
    long seconds = USUAL_SECONDS;
    for (int o; (o = getopt(argc, argv, "+t:fu:a:c:k:")) != -1;) {
        if (o == 't')
            seconds = strtol(optarg, NULL, 10);
        else if (o == 'f')
            t->fast = true;
        else if (o == 'u')
            set_login(target, optarg);
        else if (o == 'a')
            target->ca_pem = read_pem(optarg);
        else if (o == 'c')
            target->cert_pem = read_pem(optarg);
        else if (o == 'k')
            target->key_pem = read_pem(optarg);
        else
            exit(2);
    }
    t->deadline_ns = clock_boot_ns(clock_sys()) + seconds * NS_PER_S;
}

static void run(struct zk_tool *t, const char *command)
{
    for (size_t i = 0; i < sizeof COMMANDS / sizeof *COMMANDS; i++)
        if (!strcmp(COMMANDS[i].name, command)) {
            zk_tool_await(t, ZK_CONNECTED);
            COMMANDS[i].run(t);
            return;
        }
    zk_tool_fail(2, "there is no command %s", command);
}

int main(int argc, char **argv)
{
    const char *servers[ZK_SERVERS_MAX];
    struct zk_target target = {.servers = servers};
    struct env env = {.clock = clock_sys(), .rng = rng_sys()};
    struct err e = ERR_INIT;
    struct zk_tool t = {.lost = ERR_INIT};
    signal(SIGPIPE, SIG_IGN);
    read_options(argc, argv, &t, &target);
    if (argc - optind < 2)
        zk_tool_fail(2, "usage: zk_tool [OPTION...] SERVER[,SERVER...] COMMAND ...");
    char *list = argv[optind];
    for (char *s; target.n_servers < ZK_SERVERS_MAX && (s = strsep(&list, ","));)
        servers[target.n_servers++] = s;
    if (zk_wire_open(&target, &env, &t.zk, &e) != RC_OK)
        zk_tool_fail(2, "%s", e.msg);
    t.argc = argc - optind - 2;
    t.argv = argv + optind + 2;
    run(&t, argv[optind + 1]);
    zk_close(t.zk);
    return 0;
}
