/* Appends of incompressible 1 KiB bodies, all hashing on, beside raw pwrite + fdatasync, bare LMDB writing the same bytes as
 * one value, and bare LMDB whose writer also puts each body through SHA-256 once; they take turns, so that a noisy machine
 * hurts all of them. Prints records per second (upper median of the rounds) and ratios.
 *
 * Usage: bench_append DIR [ROUNDS [COMMITS]] */
#include "core/digest.h"
#include "core/env.h"
#include "core/event.h"
#include "core/rng.h"
#include "io/clock_sys.h"
#include "io/rng_sys.h"
#include "log/rlog.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <lmdb.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#define BODY         1024u
#define BATCH_MOST   1000u
#define ROUNDS_MOST  50u
#define COMMITS_MOST 1000u /* at 1000 bodies each, a quarter of MAP_SIZE */
#define PATH_SIZE    4096
#define MAP_SIZE     ((size_t)4 << 30)

static char *bodies; /* BATCH_MOST bodies, one behind the other */

static void fail(const char *what, const char *why)
{
    fprintf(stderr, "bench_append: %s: %s\n", what, why);
    exit(1);
}

static double now_s(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

/* ---- The candidates: each writes `commits` batches of `batch` bodies and returns the seconds that took ---- */

static double run_raw(const char *path, unsigned batch, unsigned commits)
{
    int fd = open(path, O_CREAT | O_TRUNC | O_WRONLY, 0600);
    if (fd < 0)
        fail(path, strerror(errno));
    double begin = now_s();
    for (unsigned i = 0; i < commits; i++) {
        size_t n = (size_t)batch * BODY;
        if (pwrite(fd, bodies, n, (off_t)(i * n)) != (ssize_t)n || fdatasync(fd) < 0)
            fail(path, strerror(errno));
    }
    double took = now_s() - begin;
    close(fd);
    return took;
}

static void lmdb(int rc)
{
    if (rc)
        fail("LMDB", mdb_strerror(rc));
}

/* As a chain of hashes needs it: one body after another, each with the hash before it. */
static void hash_bodies(struct sha256 *sha, unsigned batch)
{
    static uint8_t head[SHA256_SIZE];
    for (unsigned i = 0; sha && i < batch; i++) {
        sha256_start(sha);
        sha256_add(sha, slice_of((const char *)head, sizeof head));
        sha256_add(sha, slice_of(bodies + (size_t)i * BODY, BODY));
        sha256_finish(sha, head);
    }
}

static double time_lmdb(const char *path, unsigned batch, unsigned commits, struct sha256 *sha)
{
    MDB_env *env;
    MDB_dbi dbi;
    lmdb(mdb_env_create(&env));
    lmdb(mdb_env_set_mapsize(env, MAP_SIZE));
    lmdb(mdb_env_open(env, path, MDB_NOSUBDIR, 0600));
    double begin = now_s();
    for (unsigned i = 0; i < commits; i++) {
        MDB_txn *txn;
        unsigned char name[8];
        for (int b = 0; b < 8; b++)
            name[b] = (unsigned char)((uint64_t)i >> (8 * (7 - b)));
        MDB_val key = {sizeof name, name}, value = {(size_t)batch * BODY, bodies};
        hash_bodies(sha, batch);
        lmdb(mdb_txn_begin(env, NULL, 0, &txn));
        lmdb(mdb_dbi_open(txn, NULL, 0, &dbi));
        lmdb(mdb_put(txn, dbi, &key, &value, MDB_APPEND));
        lmdb(mdb_txn_commit(txn));
    }
    double took = now_s() - begin;
    mdb_env_close(env);
    return took;
}

static double run_lmdb(const char *path, unsigned batch, unsigned commits)
{
    return time_lmdb(path, batch, commits, NULL);
}

static double run_lmdb_hashed(const char *path, unsigned batch, unsigned commits)
{
    struct sha256 *sha = sha256_new();
    if (!sha)
        fail("SHA-256", strerror(ENOMEM));
    double took = time_lmdb(path, batch, commits, sha);
    sha256_free(sha);
    return took;
}

static double run_rlog(const char *path, unsigned batch, unsigned commits)
{
    static struct event events[BATCH_MOST];
    static char keys[BATCH_MOST][64];
    struct err e = ERR_INIT;
    struct env env = {clock_sys(), rng_sys(), NULL, NULL};
    struct rlog_lmdb_opts opts = {.dir = path, .name = SLICE("bench/source"), .access = RLOG_WRITE};
    struct rlog *log = NULL;
    if (rlog_lmdb_open(&opts, &env, &log, &e) < 0)
        fail(path, e.msg);
    for (unsigned i = 0; i < batch; i++) {
        int n = snprintf(keys[i], sizeof keys[i], "/configmaps/bench/object-%u", i);
        events[i] = (struct event){.op = EVENT_PUT,
                                   .cause = CAUSE_WATCH,
                                   .source_kind = SOURCE_KUBERNETES,
                                   .incarnation = 1,
                                   .wall_ns = 1,
                                   .key = slice_of(keys[i], (size_t)n),
                                   .version = SLICE("12345"),
                                   .body = slice_of(bodies + (size_t)i * BODY, BODY)};
    }
    double begin = now_s();
    for (unsigned i = 0; i < commits; i++) {
        rlog_off first;
        if (rlog_append(log, events, batch, RLOG_ANY, &first, &e) < 0)
            fail("append", e.msg);
    }
    double took = now_s() - begin;
    rlog_close(log);
    return took;
}

/* ---- Rounds ---- */

static int by_size(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

static double median(double *list, unsigned n)
{
    qsort(list, n, sizeof *list, by_size);
    return list[n / 2];
}

typedef double run_fn(const char *path, unsigned batch, unsigned commits);

/* Of all segments in a folder. */
static uint64_t bytes_of(const char *path)
{
    uint64_t bytes = 0;
    DIR *dir = opendir(path);
    struct stat s;
    for (const struct dirent *d; dir && (d = readdir(dir));)
        if (strncmp(d->d_name, "s-", 2) == 0 && fstatat(dirfd(dir), d->d_name, &s, 0) == 0)
            bytes += (uint64_t)s.st_size;
    if (dir)
        closedir(dir);
    return bytes;
}

static void remove_tree(const char *path)
{
    char command[PATH_SIZE + 16];
    int n = snprintf(command, sizeof command, "rm -rf '%s'", path);
    if (n < 0 || (size_t)n >= sizeof command || strchr(path, '\'') || system(command) != 0)
        fail(path, "cannot be removed");
}

static void bench(const char *dir, unsigned batch, unsigned rounds, unsigned commits)
{
    enum { RAW, LMDB, HASHED, OURS, RUNS };
    static run_fn *const runs[RUNS] = {run_raw, run_lmdb, run_lmdb_hashed, run_rlog};
    double rates[RUNS][ROUNDS_MOST], mid[RUNS];
    uint64_t file = 0;
    for (unsigned r = 0; r < rounds; r++)
        for (unsigned i = 0; i < RUNS; i++) {
            char path[PATH_SIZE], lock[PATH_SIZE + 16];
            snprintf(path, sizeof path, "%s/bench-%u", dir, i);
            double took = runs[i](path, batch, commits);
            rates[i][r] = (double)batch * commits / took;
            if (i == OURS)
                file = bytes_of(path);
            remove_tree(path);
            snprintf(lock, sizeof lock, "%s-lock", path);
            (void)unlink(lock);
        }
    for (unsigned i = 0; i < RUNS; i++)
        mid[i] = median(rates[i], rounds);
    printf("batch %4u: raw %9.0f/s  LMDB %9.0f/s  LMDB+SHA-256 %9.0f/s  resilog %9.0f/s  "
           "resilog/LMDB %.2f  resilog/LMDB+SHA-256 %.2f  resilog/raw %.2f  file/payload %.3f\n",
           batch, mid[RAW], mid[LMDB], mid[HASHED], mid[OURS], mid[OURS] / mid[LMDB],
           mid[OURS] / mid[HASHED], mid[OURS] / mid[RAW],
           (double)file / ((double)batch * commits * BODY));
}

/* A number from 1 to most; 0 if text is none. */
static unsigned number(const char *text, unsigned most)
{
    char *end;
    errno = 0;
    unsigned long n = strtoul(text, &end, 10);
    return errno || *end || n > most ? 0 : (unsigned)n;
}

int main(int argc, char **argv)
{
    unsigned rounds = argc > 2 ? number(argv[2], ROUNDS_MOST) : 7;
    unsigned commits = argc > 3 ? number(argv[3], COMMITS_MOST) : 100;
    if (argc < 2 || rounds == 0 || commits == 0) {
        fprintf(stderr, "usage: bench_append DIR [ROUNDS [COMMITS]]\n");
        return 2;
    }
    bodies = malloc((size_t)BATCH_MOST * BODY);
    if (!bodies)
        fail("memory", strerror(ENOMEM));
    struct rng_seeded rng;
    rng_seeded_init(&rng, 1);
    rng.rng.ops->fill(&rng.rng, bodies, (size_t)BATCH_MOST * BODY);
    bench(argv[1], 100, rounds, commits);
    bench(argv[1], 1000, rounds, commits);
    free(bodies);
    return 0;
}
