/* What a bare client does: the ZooKeeper C library, asynchronous with a window of 1,000 calls, or one call at a time.
 *
 *   bench_zk fill SERVERS ROOT NODES BYTES   makes the tree (multi of 100), prints nothing
 *   bench_zk create SERVERS ROOT NODES BYTES asynchronous single creates of the same tree: prints nodes/s
 *   bench_zk getacl SERVERS ROOT NODES       asynchronous getACL of each: prints nodes/s
 *   bench_zk copy FROM TO ROOT NODES         naive copy, one call at a time: prints nodes/s
 *   bench_zk follow FROM TO ROOT RATE SECONDS  sets nodes at FROM and sees them at TO: prints p50, p99, max in ms
 *   bench_zk touch SERVERS ROOT NODES EVERY  sets the data of every EVERY-th node, prints nothing
 *
 * The tree: ROOT, 50 directories below it, NODES leaves of BYTES below these. */
#include <zookeeper/zookeeper.h>

#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

enum {
    DIRS = 50,
    WINDOW = 1000,
    MULTI = 100,
    PATH_BYTES = 512,
    DATA_MAX = 1 << 16,
    FOLLOWED = 1000
};

static void die(const char *what, int rc)
{
    fprintf(stderr, "bench_zk: %s: %s\n", what, zerror(rc));
    exit(1);
}

static void check(const char *what, int rc)
{
    if (rc != ZOK)
        die(what, rc);
}

static double now_s(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

static void ignore(zhandle_t *z, int type, int state, const char *path, void *arg)
{
    (void)z, (void)type, (void)state, (void)path, (void)arg;
}

static zhandle_t *connect_to(const char *servers)
{
    zoo_set_debug_level(ZOO_LOG_LEVEL_ERROR);
    zhandle_t *z = zookeeper_init(servers, ignore, 30000, NULL, NULL, 0);
    for (int i = 0; z && i < 1000 && zoo_state(z) != ZOO_CONNECTED_STATE; i++)
        usleep(10000);
    if (!z || zoo_state(z) != ZOO_CONNECTED_STATE)
        die(servers, ZCONNECTIONLOSS);
    return z;
}

static void leaf(char out[PATH_BYTES], const char *root, int i)
{
    snprintf(out, PATH_BYTES, "%s/d%02d/n%07d", root, i % DIRS, i);
}

/* Incompressible text, another one for each node. */
static void content(char *out, int bytes, int i)
{
    unsigned v = 2166136261u ^ (unsigned)i;
    for (int k = 0; k < bytes; k++) {
        v = v * 1664525u + 1013904223u;
        out[k] = (char)('!' + (v >> 24) % 90);
    }
}

static void create_one(zhandle_t *z, const char *path)
{
    int rc = zoo_create(z, path, "", 0, &ZOO_OPEN_ACL_UNSAFE, 0, NULL, 0);
    if (rc != ZNODEEXISTS)
        check(path, rc);
}

static void create_dirs(zhandle_t *z, const char *root)
{
    char path[PATH_BYTES];
    create_one(z, root);
    for (int i = 0; i < DIRS; i++) {
        snprintf(path, sizeof path, "%s/d%02d", root, i);
        create_one(z, path);
    }
}

/* ---- A window of asynchronous calls ---- */

static atomic_int open_calls, failed_with;

static void one_more(void)
{
    while (atomic_load(&open_calls) >= WINDOW)
        usleep(50);
    atomic_fetch_add(&open_calls, 1);
}

static void wait_all(void)
{
    while (atomic_load(&open_calls) > 0)
        usleep(50);
    check("asynchronous call", atomic_load(&failed_with));
}

static void done(int rc)
{
    if (rc != ZOK)
        atomic_store(&failed_with, rc);
    atomic_fetch_sub(&open_calls, 1);
}

static void created(int rc, const char *name, const void *arg)
{
    (void)name, (void)arg;
    done(rc);
}

static void got_acl(int rc, struct ACL_vector *acl, struct Stat *stat, const void *arg)
{
    (void)acl, (void)stat, (void)arg;
    done(rc);
}

static void was_set(int rc, const struct Stat *stat, const void *arg)
{
    (void)stat, (void)arg;
    done(rc);
}

/* ---- The modes ---- */

static void fill(zhandle_t *z, const char *root, int n, int bytes)
{
    static char paths[MULTI][PATH_BYTES], data[MULTI][DATA_MAX];
    zoo_op_t ops[MULTI];
    zoo_op_result_t results[MULTI];
    create_dirs(z, root);
    for (int i = 0; i < n;) {
        int k = 0;
        for (; k < MULTI && i < n; k++, i++) {
            leaf(paths[k], root, i);
            content(data[k], bytes, i);
            zoo_create_op_init(&ops[k], paths[k], data[k], bytes, &ZOO_OPEN_ACL_UNSAFE, 0, NULL, 0);
        }
        check("multi", zoo_multi(z, k, ops, results));
    }
}

static double create(zhandle_t *z, const char *root, int n, int bytes)
{
    static char data[DATA_MAX];
    char path[PATH_BYTES];
    create_dirs(z, root);
    double begin = now_s();
    for (int i = 0; i < n; i++) {
        leaf(path, root, i);
        content(data, bytes, i);
        one_more();
        check("acreate", zoo_acreate(z, path, data, bytes, &ZOO_OPEN_ACL_UNSAFE, 0, created, NULL));
    }
    wait_all();
    return n / (now_s() - begin);
}

static double getacl(zhandle_t *z, const char *root, int n)
{
    char path[PATH_BYTES];
    double begin = now_s();
    for (int i = 0; i < n; i++) {
        leaf(path, root, i);
        one_more();
        check("aget_acl", zoo_aget_acl(z, path, got_acl, NULL));
    }
    wait_all();
    return n / (now_s() - begin);
}

static void touch(zhandle_t *z, const char *root, int n, int every)
{
    char path[PATH_BYTES];
    for (int i = 0; i < n; i += every) {
        leaf(path, root, i);
        one_more();
        check("aset", zoo_aset(z, path, "touched", 7, -1, was_set, NULL));
    }
    wait_all();
}

static void copy_tree(zhandle_t *from, zhandle_t *to, const char *path)
{
    static char data[DATA_MAX];
    int length = DATA_MAX;
    struct String_vector names = {0, NULL};
    struct Stat stat;
    check(path, zoo_get(from, path, 0, data, &length, &stat));
    int rc = zoo_exists(to, path, 0, &stat);
    if (rc == ZNONODE)
        check(path, zoo_create(to, path, data, length, &ZOO_OPEN_ACL_UNSAFE, 0, NULL, 0));
    else
        check(path, rc);
    check(path, zoo_get_children(from, path, 0, &names));
    for (int i = 0; i < names.count; i++) {
        char child[PATH_BYTES];
        snprintf(child, sizeof child, "%s/%s", path, names.data[i]);
        copy_tree(from, to, child);
    }
    deallocate_String_vector(&names);
}

/* ---- Following ---- */

struct followed {
    zhandle_t *to;
    const char *root;
    pthread_mutex_t lock;
    double *ms;
    int n, cap;
};

struct watched {
    struct followed *f;
    int i;
};

static void look(struct watched *w);

static void seen(int rc, const char *value, int length, const struct Stat *stat, const void *arg)
{
    const struct watched *w = arg;
    double sent;
    char text[64];
    (void)stat;
    if (rc != ZOK || length <= 0 || length >= (int)sizeof text)
        return;
    memcpy(text, value, (size_t)length);
    text[length] = '\0';
    if (sscanf(text, "t%lf", &sent) != 1)
        return;
    pthread_mutex_lock(&w->f->lock);
    if (w->f->n < w->f->cap)
        w->f->ms[w->f->n++] = (now_s() - sent) * 1e3;
    pthread_mutex_unlock(&w->f->lock);
}

static void changed(zhandle_t *z, int type, int state, const char *path, void *arg)
{
    (void)z, (void)state, (void)path;
    if (type == ZOO_CHANGED_EVENT)
        look(arg);
}

static void look(struct watched *w)
{
    char path[PATH_BYTES];
    leaf(path, w->f->root, w->i);
    zoo_awget(w->f->to, path, changed, w, seen, w);
}

static int by_value(const void *a, const void *b)
{
    const double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

static void follow(zhandle_t *from, zhandle_t *to, const char *root, int rate, int seconds)
{
    static struct watched watched[FOLLOWED];
    struct followed f = {.to = to, .root = root, .cap = rate * seconds};
    char path[PATH_BYTES], text[64];
    pthread_mutex_init(&f.lock, NULL);
    f.ms = calloc((size_t)f.cap, sizeof *f.ms);
    for (int i = 0; i < FOLLOWED; i++) {
        watched[i] = (struct watched){&f, i};
        look(&watched[i]);
    }
    usleep(500000);
    double begin = now_s();
    for (int i = 0; i < rate * seconds; i++) {
        double wait = begin + (double)i / rate - now_s();
        if (wait > 0)
            usleep((useconds_t)(wait * 1e6));
        leaf(path, root, i % FOLLOWED);
        int length = snprintf(text, sizeof text, "t%.6f", now_s());
        one_more();
        check("aset", zoo_aset(from, path, text, length, -1, was_set, NULL));
    }
    wait_all();
    sleep(2);
    pthread_mutex_lock(&f.lock);
    qsort(f.ms, (size_t)f.n, sizeof *f.ms, by_value);
    printf("%d of %d seen, p50 %.2f ms, p99 %.2f ms, max %.2f ms\n", f.n, f.cap,
           f.n ? f.ms[f.n / 2] : 0, f.n ? f.ms[f.n * 99 / 100] : 0, f.n ? f.ms[f.n - 1] : 0);
    pthread_mutex_unlock(&f.lock);
}

/* A number of the command line; anything else ends the program. */
static int number(const char *text)
{
    char *end;
    long v = strtol(text, &end, 10);
    if (!*text || *end || v < 0 || v > 100000000) {
        fprintf(stderr, "bench_zk: %s is no number of 0 to 100000000\n", text);
        exit(2);
    }
    return (int)v;
}

int main(int argc, char **argv)
{
    const char *mode = argc > 1 ? argv[1] : "";
    if (strcmp(mode, "fill") == 0 && argc == 6)
        fill(connect_to(argv[2]), argv[3], number(argv[4]), number(argv[5]));
    else if (strcmp(mode, "create") == 0 && argc == 6)
        printf("%.0f\n", create(connect_to(argv[2]), argv[3], number(argv[4]), number(argv[5])));
    else if (strcmp(mode, "getacl") == 0 && argc == 5)
        printf("%.0f\n", getacl(connect_to(argv[2]), argv[3], number(argv[4])));
    else if (strcmp(mode, "touch") == 0 && argc == 6)
        touch(connect_to(argv[2]), argv[3], number(argv[4]), number(argv[5]));
    else if (strcmp(mode, "copy") == 0 && argc == 6) {
        zhandle_t *from = connect_to(argv[2]), *to = connect_to(argv[3]);
        double begin = now_s();
        copy_tree(from, to, argv[4]);
        printf("%.0f\n", number(argv[5]) / (now_s() - begin));
    } else if (strcmp(mode, "follow") == 0 && argc == 7)
        follow(connect_to(argv[2]), connect_to(argv[3]), argv[4], number(argv[5]), number(argv[6]));
    else {
        fprintf(stderr, "bench_zk: see the head of tests/bench/bench_zk.c for its modes\n");
        return 2;
    }
    return 0;
}
