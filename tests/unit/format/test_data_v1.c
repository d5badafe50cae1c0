/* A data folder as the first version of the formats has it: it must be opened, verified and read by every later
 * version of resilog, and be written to. The files of v1/ are never made anew; a format's next version gets a folder of
 * its own. They were made on x86-64 by
 *     build/dev/tests/format_data_v1 make tests/unit/format/v1
 * and each is one zstd frame, so that `zstd -d` shows it. LMDB's files are of one byte order, word and page size
 * (docs/FORMAT.md section 3): hosts with others skip the test. */
#include "tests/unit/format/golden.h"

#include "core/compress.h"
#include "core/env.h"
#include "core/event_iter.h"
#include "core/rng.h"
#include "flow/pump_rows.h"
#include "log/rlog.h"
#include "log/segment_check.h"
#include "sinks/kube_record.h"
#include "tests/conformance/temp_dir.h"
#include "tests/fakes/fake_clock.h"

#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#define LOG_NAME  SLICE("default/asset")
#define CONSUMER  SLICE("default/sync")
#define LOG_DIR   "logs/df0f6cf725820e42"
#define CKPT_FILE "consumers/bba93db5633d4e37.mdb"
#define BEGIN_NS  (1700000000 * NS_PER_S)
#define FILE_MOST (1u << 20)
#define SKIPPED   77

static const struct {
    const char *name;
    mode_t mode;
    size_t size; /* unpacked */
} files[] = {
    {LOG_DIR "/LOCK", 0600, 32},
    {LOG_DIR "/s-00000000000000000001.mdb", 0400, 32768},
    {LOG_DIR "/x-00000000000000000001.mdb", 0400, 12288},
    {LOG_DIR "/s-00000000000000000008.mdb", 0600, 32768},
    {CKPT_FILE, 0600, 20480},
};
#define N_FILES (sizeof files / sizeof *files)

#define OWN(op_, key_, version_, body_)                                                            \
    {                                                                                              \
        .op = op_, .cause = CAUSE_SELF, .key = SLICE(key_), .version = SLICE(version_),            \
        .body = SLICE(body_)                                                                       \
    }
#define OBJECT(op_, cause_, name_, version_, body_)                                                \
    {                                                                                              \
        .op = op_, .cause = cause_, .key = SLICE("/configmaps/ns/" name_),                         \
        .version = SLICE(version_), .uid = SLICE("uid-" name_), .api_version = SLICE("v1"),        \
        .kind = SLICE("ConfigMap"), .manager = SLICE("kubectl"), .body = SLICE(body_)              \
    }

/* Each in an append of its own; the segment ends behind the seventh. */
static const struct event events[] = {
    OWN(EVENT_EPOCH, "@epoch/source", "", "{\"identity\":\"uid-source\",\"incarnation\":1}"),
    OWN(EVENT_KIND, "@kind//configmaps", "",
        "{\"version\":\"v1\",\"kind\":\"ConfigMap\",\"singular\":\"configmap\","
        "\"shortNames\":\"cm\",\"namespaced\":true}"),
    OWN(EVENT_SYNC_BEGIN, "@sync//configmaps", "", ""),
    OBJECT(EVENT_PUT, CAUSE_LIST, "a", "5", "{\"data\":{\"k\":\"v\"}}"),
    OBJECT(
        EVENT_PUT, CAUSE_LIST, "b", "6",
        "{\"data\":{\"long\":\"aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa\"}}"),
    OWN(EVENT_SYNC_END, "@sync//configmaps", "7", "{\"listed\":2,\"changed\":2,\"deleted\":0}"),
    OWN(EVENT_POSITION, "@position//configmaps", "7", ""),
    OBJECT(EVENT_DELETE, CAUSE_WATCH, "b", "8", "{\"data\":{}}"),
    OWN(EVENT_GAP, "@gap//configmaps", "8",
        "{\"severity\":\"possible\",\"reason\":\"expired\",\"after\":\"8\"}"),
    OWN(EVENT_POSITION, "@position//configmaps", "9", ""),
};
#define N_EVENTS (sizeof events / sizeof *events)

/* The event chain behind the last of them (docs/FORMAT.md section 1): no byte of any may be read otherwise. */
#define CHAIN "d0817cb76d4caeefe3f27b9973b3e5cf25be5eaad17ab2aa7e6eee06f9de63a6"

static const struct kube_record record = {.flags = KUBE_RECORD_CREATED,
                                          .generation = 4,
                                          .uid = {"uid-copy", 8},
                                          .version = {"33", 2},
                                          .source_uid = {"uid-a", 5},
                                          .desired_hash = {1},
                                          .answer_hash = {2}};
#define DESIRED SLICE("{\"data\":{\"k\":\"v\"},\"metadata\":{\"name\":\"a\",\"namespace\":\"ns\"}}")

static const struct hold hold = {.offset = 5,
                                 .attempts = 3,
                                 .since_ns = BEGIN_NS,
                                 .cls = "invalid",
                                 .reason = "the destination refused it",
                                 .dependency = "/namespaces//ns"};
static const uint8_t digest[REPLICATION_DIGEST] = {7, 7, 7};
static const struct ckpt_head head = {.generation = 2, .offset = 9};
#define STATUS SLICE("{\"phase\":\"Synced\"}")

struct world {
    char *root;
    const char *fixtures;
    struct fake_clock clock;
    struct rng_seeded rng;
    struct env env;
    char log_dir[256], ckpt_dir[256];
};

static struct world *world_new(const char *fixtures)
{
    struct world *w = calloc(1, sizeof *w);
    assert_non_null(w);
    w->root = temp_dir_new();
    w->fixtures = fixtures;
    fake_clock_init(&w->clock, BEGIN_NS);
    rng_seeded_init(&w->rng, 1);
    w->env = (struct env){.clock = &w->clock.clock, .rng = &w->rng.rng};
    snprintf(w->log_dir, sizeof w->log_dir, "%s/%s", w->root, LOG_DIR);
    snprintf(w->ckpt_dir, sizeof w->ckpt_dir, "%s/consumers", w->root);
    char logs[256];
    snprintf(logs, sizeof logs, "%s/logs", w->root);
    assert_int_equal(mkdir(logs, 0700), 0);
    return w;
}

static void world_free(struct world *w)
{
    temp_dir_free(w->root);
    free(w);
}

static void must(enum rc rc, const struct err *e)
{
    if (rc != RC_OK)
        fail_msg("rc %d: %s", (int)rc, e->msg);
}

static struct rlog *open_log(struct world *w, enum rlog_access access)
{
    const struct rlog_lmdb_opts opts = {.dir = w->log_dir,
                                        .name = LOG_NAME,
                                        .access = access,
                                        .segment_bytes = 1u << 20,
                                        .segment_events = 7};
    struct rlog *l = NULL;
    struct err e = ERR_INIT;
    must(rlog_lmdb_open(&opts, &w->env, &l, &e), &e);
    return l;
}

static struct ckpt *open_ckpt(struct world *w, enum ckpt_access access)
{
    struct ckpt *c = NULL;
    struct err e = ERR_INIT;
    must(ckpt_lmdb_open(w->ckpt_dir, access, &w->env, &c, &e), &e);
    return c;
}

/* What all events share. */
static struct event event_at(size_t i)
{
    struct event ev = events[i];
    ev.incarnation = 1;
    ev.source_kind = SOURCE_KUBERNETES;
    ev.source = SLICE("uid-source");
    ev.wall_ns = BEGIN_NS + (int64_t)i * NS_PER_S;
    return ev;
}

/* ---- Files ---- */

static void read_file(const char *path, struct buf *out)
{
    AUTO(freep) char *bytes = malloc(FILE_MOST);
    int fd = open(path, O_RDONLY);
    if (fd < 0 || !bytes)
        fail_msg("%s cannot be read", path);
    ssize_t n = read(fd, bytes, FILE_MOST);
    assert_true(n >= 0 && n < (ssize_t)FILE_MOST);
    buf_add(out, bytes, (size_t)n);
    close(fd);
}

static void write_file(const char *path, struct slice bytes, mode_t mode)
{
    int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC, mode);
    if (fd < 0)
        fail_msg("%s cannot be written", path);
    assert_int_equal(write(fd, bytes.p, bytes.n), bytes.n);
    close(fd);
}

static void fixture_path(const struct world *w, size_t i, char out[512])
{
    snprintf(out, 512, "%s/%s.zst", w->fixtures, strrchr(files[i].name, '/') + 1);
}

static int unpack(void **state)
{
    struct world *w = world_new(*state);
    struct compressor *c = compressor_new();
    assert_non_null(c);
    assert_int_equal(mkdir(w->log_dir, 0700), 0);
    assert_int_equal(mkdir(w->ckpt_dir, 0700), 0);
    for (size_t i = 0; i < N_FILES; i++) {
        AUTO(buf_done) struct buf stored = BUF_INIT(FILE_MOST), raw = BUF_INIT(FILE_MOST);
        struct err e = ERR_INIT;
        char from[512], to[512];
        fixture_path(w, i, from);
        snprintf(to, sizeof to, "%s/%s", w->root, files[i].name);
        read_file(from, &stored);
        must(decompress(c, buf_slice(&stored), files[i].size, &raw, &e), &e);
        write_file(to, buf_slice(&raw), files[i].mode);
    }
    compressor_free(c);
    *state = w;
    return 0;
}

static int clean_up(void **state)
{
    world_free(*state);
    return 0;
}

/* ---- Reading ---- */

static void assert_text(struct slice found, struct slice expected)
{
    if (!slice_eq(found, expected))
        fail_msg("found \"%.*s\", expected \"%.*s\"", SLICE_ARG(found), SLICE_ARG(expected));
}

static void assert_event(const struct event *ev, size_t i)
{
    const struct event x = event_at(i);
    assert_int_equal(ev->offset, i + 1);
    assert_int_equal(ev->epoch, 1);
    assert_int_equal(ev->incarnation, x.incarnation);
    assert_int_equal(ev->time_ns, x.wall_ns);
    assert_int_equal(ev->wall_ns, x.wall_ns);
    assert_int_equal(ev->op, x.op);
    assert_int_equal(ev->cause, x.cause);
    assert_int_equal(ev->source_kind, x.source_kind);
    assert_text(ev->source, x.source);
    assert_text(ev->key, x.key);
    assert_text(ev->version, x.version);
    assert_text(ev->uid, x.uid);
    assert_text(ev->api_version, x.api_version);
    assert_text(ev->kind, x.kind);
    assert_text(ev->manager, x.manager);
    assert_text(ev->user, x.user);
    assert_text(ev->body, x.body);
}

static void assert_log(struct rlog *l)
{
    const struct rlog_range range = {.from = 1, .until = N_EVENTS + 1, .all_keys = true};
    AUTO(event_iter_freep) struct event_iter *it = NULL;
    const struct event *ev = NULL;
    struct err e = ERR_INIT;
    must(rlog_cursor(l, &range, &it, &e), &e);
    for (size_t i = 0; i < N_EVENTS; i++) {
        must(event_iter_next(it, &ev, &e), &e);
        assert_event(ev, i);
    }
    assert_int_equal(event_iter_next(it, &ev, &e), RC_END);
}

static void the_log_is_read_event_by_event(void **state)
{
    AUTO(rlog_closep) struct rlog *l = open_log(*state, RLOG_READ);
    struct rlog_bounds bounds;
    struct err e = ERR_INIT;
    must(rlog_bounds(l, &bounds, &e), &e);
    assert_int_equal(bounds.first, 1);
    assert_int_equal(bounds.next, N_EVENTS + 1);
    assert_int_equal(bounds.epoch, 1);
    assert_golden(slice_of(bounds.chain, sizeof bounds.chain), CHAIN);
    assert_log(l);
}

static void the_log_is_verified(void **state)
{
    struct world *w = *state;
    AUTO(buf_done) struct buf name = BUF_INIT(1024);
    struct segment_summary s;
    struct err e = ERR_INIT;
    must(rlog_lmdb_name(w->log_dir, &name, &e), &e);
    assert_text(buf_slice(&name), LOG_NAME);
    must(segment_check_folder(w->log_dir, &s, &e), &e);
    assert_int_equal(s.segments, 2);
    assert_int_equal(s.events, N_EVENTS);
    assert_golden(slice_of(s.chain, sizeof s.chain), CHAIN);
}

static void the_last_event_of_a_key_is_found(void **state)
{
    AUTO(rlog_closep) struct rlog *l = open_log(*state, RLOG_READ);
    AUTO(rlog_found_done) struct rlog_found a = {0};
    AUTO(rlog_found_done) struct rlog_found b = {0};
    AUTO(rlog_found_done) struct rlog_found older = {0};
    struct err e = ERR_INIT;
    must(rlog_last(l, SLICE("/configmaps/ns/a"), 0, &a, &e), &e);
    assert_event(&a.event, 3);
    must(rlog_last(l, SLICE("/configmaps/ns/b"), 0, &b, &e), &e);
    assert_event(&b.event, 7);
    must(rlog_last(l, SLICE("/configmaps/ns/b"), 8, &older, &e), &e);
    assert_event(&older.event, 4);
}

static void assert_record(struct slice bytes)
{
    AUTO(buf_done) struct buf desired = BUF_INIT(4096);
    struct compressor *c = compressor_new();
    struct kube_record r;
    struct err e = ERR_INIT;
    must(kube_record_decode(bytes, &r, &e), &e);
    must(kube_record_desired(&r, c, &desired, &e), &e);
    compressor_free(c);
    assert_int_equal(r.flags, record.flags);
    assert_int_equal(r.generation, record.generation);
    assert_text(r.uid, record.uid);
    assert_text(r.version, record.version);
    assert_text(r.source_uid, record.source_uid);
    assert_memory_equal(r.desired_hash, record.desired_hash, KUBE_HASH_SIZE);
    assert_memory_equal(r.answer_hash, record.answer_hash, KUBE_HASH_SIZE);
    assert_text(buf_slice(&desired), DESIRED);
}

static void the_checkpoint_is_read_row_by_row(void **state)
{
    AUTO(ckpt_closep) struct ckpt *c = open_ckpt(*state, CKPT_READ);
    AUTO(rows_freep) struct rows *rows = NULL;
    AUTO(buf_done) struct buf status = BUF_INIT(1024);
    struct ckpt_head found;
    struct applied applied;
    uint8_t sync[REPLICATION_DIGEST];
    struct err e = ERR_INIT;
    must(ckpt_load(c, CONSUMER, &found, NULL, &status, &e), &e);
    assert_int_equal(found.generation, head.generation);
    assert_int_equal(found.offset, head.offset);
    assert_text(buf_slice(&status), STATUS);
    must(rows_open(c, CONSUMER, &rows, &e), &e);
    const struct hold *h = rows_hold(rows, SLICE("/configmaps/ns/b"));
    assert_non_null(h);
    assert_true(h->offset == hold.offset && h->attempts == hold.attempts && !h->waiting);
    assert_true(h->since_ns == hold.since_ns);
    assert_string_equal(h->cls, hold.cls);
    assert_string_equal(h->reason, hold.reason);
    assert_string_equal(h->dependency, hold.dependency);
    must(rows_applied(rows, SLICE("/configmaps/ns/a"), &applied, &e), &e);
    assert_int_equal(applied.state, APPLIED_SYNCED);
    assert_int_equal(applied.offset, 4);
    assert_record(applied.record);
    must(rows_digest(rows, sync, &e), &e);
    assert_memory_equal(sync, digest, sizeof sync);
}

static void a_writer_goes_on_behind_it(void **state)
{
    struct world *w = *state;
    AUTO(rlog_closep) struct rlog *l = open_log(w, RLOG_WRITE);
    AUTO(ckpt_closep) struct ckpt *c = open_ckpt(w, CKPT_WRITE);
    const struct event more = event_at(0);
    const struct ckpt_commit commit = {.head = {2, N_EVENTS}};
    struct ckpt_head found;
    struct err e = ERR_INIT;
    must(rlog_append(l, &more, 1, N_EVENTS + 1, NULL, &e), &e);
    assert_log(l);
    must(ckpt_commit(c, CONSUMER, &commit, &e), &e);
    must(ckpt_load(c, CONSUMER, &found, NULL, NULL, &e), &e);
    assert_int_equal(found.offset, N_EVENTS);
}

/* ---- Making ---- */

static void make_log(struct world *w)
{
    AUTO(rlog_closep) struct rlog *l = open_log(w, RLOG_WRITE);
    struct err e = ERR_INIT;
    for (size_t i = 0; i < N_EVENTS; i++) {
        const struct event ev = event_at(i);
        must(rlog_append(l, &ev, 1, i + 1, NULL, &e), &e);
        fake_clock_advance(&w->clock, NS_PER_S);
    }
    while (rlog_maintain(l, &e) == RC_OK)
        ;
}

static void make_checkpoint(struct world *w)
{
    AUTO(ckpt_closep) struct ckpt *c = open_ckpt(w, CKPT_WRITE);
    AUTO(rows_freep) struct rows *rows = NULL;
    AUTO(buf_done) struct buf bytes = BUF_INIT(KUBE_RECORD_MAX);
    struct compressor *compressor = compressor_new();
    struct err e = ERR_INIT;
    must(kube_record_encode(&record, DESIRED, compressor, &bytes, &e), &e);
    compressor_free(compressor);
    const struct applied applied = {APPLIED_SYNCED, 4, buf_slice(&bytes)};
    must(rows_open(c, CONSUMER, &rows, &e), &e);
    must(rows_set_applied(rows, SLICE("/configmaps/ns/a"), &applied, &e), &e);
    must(rows_set_hold(rows, SLICE("/configmaps/ns/b"), &hold, &e), &e);
    must(rows_set_digest(rows, digest, &e), &e);
    must(rows_commit(rows, &head, STATUS, &e), &e);
}

static void pack(const struct world *w)
{
    struct compressor *c = compressor_new();
    for (size_t i = 0; i < N_FILES; i++) {
        AUTO(buf_done) struct buf raw = BUF_INIT(FILE_MOST), stored = BUF_INIT(FILE_MOST);
        struct err e = ERR_INIT;
        char from[512], to[512];
        snprintf(from, sizeof from, "%s/%s", w->root, files[i].name);
        fixture_path(w, i, to);
        read_file(from, &raw);
        must(compress(c, buf_slice(&raw), &stored, &e), &e);
        write_file(to, buf_slice(&stored), 0644);
        printf("%s: %zu bytes\n", files[i].name, raw.n);
    }
    compressor_free(c);
}

static void make(void **state)
{
    struct world *w = world_new(*state);
    make_log(w);
    make_checkpoint(w);
    pack(w);
    world_free(w);
}

/* ---- */

static const char *other_host(void)
{
    const uint16_t one = 1;
    uint8_t low;
    memcpy(&low, &one, 1);
    return !low                            ? "the other byte order"
           : sizeof(void *) != 8           ? "another word size"
           : sysconf(_SC_PAGESIZE) != 4096 ? "another page size"
                                           : NULL;
}

/* test_data_v1 [make] FOLDER */
int main(int argc, char **argv)
{
    void *folder = argc > 1 ? argv[argc - 1] : NULL;
    const struct CMUnitTest making[] = {cmocka_unit_test_prestate(make, folder)};
#define CASE(f) cmocka_unit_test_prestate_setup_teardown(f, unpack, clean_up, folder)
    const struct CMUnitTest tests[] = {
        CASE(the_log_is_read_event_by_event),   CASE(the_log_is_verified),
        CASE(the_last_event_of_a_key_is_found), CASE(the_checkpoint_is_read_row_by_row),
        CASE(a_writer_goes_on_behind_it),
    };
    if (argc < 2)
        return 2;
    if (argc == 3 && strcmp(argv[1], "make") == 0)
        return cmocka_run_group_tests(making, NULL, NULL);
    if (other_host()) {
        printf("skipped: the LMDB files of the folder are of hosts with %s\n", other_host());
        return SKIPPED;
    }
    return cmocka_run_group_tests(tests, NULL, NULL);
}
