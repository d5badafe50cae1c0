/* zk_model SERVER MINOR STEPS SEED: whether the modelled ensemble answers as that real server of version 3.MINOR does.
 *
 * The same random requests of three users (nobody, alice, and super with the password super) go to both, one after the
 * other, and all that can be compared must be equal: errors, data, ACLs, stats, zxids as counted from the first request,
 * and the changes that two of the users are told. Times are not compared. Ends with 0; 1: the first difference is on
 * stdout; 2: wrong usage or no answer. The server must be empty below /model, and used by nobody else meanwhile. */
#include "core/buf.h"
#include "core/clock.h"
#include "core/env.h"
#include "core/rng.h"
#include "io/clock_sys.h"
#include "io/zk.h"
#include "tests/fakes/fake_clock.h"
#include "tests/fakes/fake_zk.h"

#include <inttypes.h>
#include <stdio.h>

#define COUNT(array) (sizeof(array) / sizeof(*(array)))
#define ALICE        "alice:V55/p2T0OpjQ+low3NVAH4aLvm0=" /* base64 of SHA-1 of alice:pw */
#define ANSWER_NS    (20 * NS_PER_S)
#define PARTS        5
#define ENTRIES      3

enum { NOBODY, ALICE_USER, SUPER, USERS };
enum { WATCHERS = 2 }; /* the first users */

struct side {
    struct zk *users[USERS];
    int64_t base; /* the zxid from which on is counted */
    struct buf said;
};

struct request {
    struct zk_call call, parts[PARTS];
    struct znode_acl acl[PARTS + 1][ENTRIES];
};

static _Noreturn void give_up(const char *what)
{
    fprintf(stderr, "zk_model: %s\n", what);
    exit(2);
}

static struct zk_event next_event(struct zk *z)
{
    struct zk_event ev = {0};
    struct err e = ERR_INIT;
    int64_t end = clock_boot_ns(clock_sys()) + ANSWER_NS;
    for (;;) {
        enum rc rc = zk_take(z, &ev, &e);
        if (rc == RC_OK && ev.kind == ZK_LOST)
            give_up(ev.err.msg);
        if (rc == RC_OK)
            return ev;
        if (clock_boot_ns(clock_sys()) > end)
            give_up("no answer within 20 s");
        if (rc != RC_AGAIN || zk_wait(z, -1, NS_PER_S, &e) != RC_OK)
            give_up(e.msg);
    }
}

/* ---- What is compared ---- */

static int64_t counted(int64_t zxid, int64_t base)
{
    return zxid ? zxid - base : 0;
}

static void say_stat(struct buf *out, const struct znode_stat *s, int64_t base)
{
    buf_addf(out, " %" PRId64 "/%" PRId64 "/%" PRId64, counted(s->czxid, base),
             counted(s->mzxid, base), counted(s->pzxid, base));
    buf_addf(out, " v%d c%d a%d e%" PRId64 " d%d n%d", s->version, s->cversion, s->aversion,
             s->ephemeral_owner, s->data_length, s->num_children);
}

static int by_bytes(const void *a, const void *b)
{
    return slice_cmp(*(const struct slice *)a, *(const struct slice *)b);
}

static void say_children(struct buf *out, const struct zk_result *r)
{
    struct slice names[32];
    if (r->n_children > COUNT(names))
        give_up("more children than there can be");
    for (size_t i = 0; i < r->n_children; i++)
        names[i] = r->children[i];
    qsort(names, r->n_children, sizeof(*names), by_bytes);
    for (size_t i = 0; i < r->n_children; i++)
        buf_addf(out, " %.*s", SLICE_ARG(names[i]));
}

static void say_one(struct buf *out, const struct zk_result *r, int64_t base)
{
    buf_addf(out, "%d %s'%.*s'", r->error, r->null_data ? "null" : "", SLICE_ARG(r->data));
    say_stat(out, &r->stat, base);
    say_children(out, r);
    for (size_t i = 0; i < r->n_acl; i++)
        buf_addf(out, " %u:%.*s:%.*s", r->acl[i].perms, SLICE_ARG(r->acl[i].scheme),
                 SLICE_ARG(r->acl[i].id));
}

static void ask(struct side *s, int user, const struct zk_call *c)
{
    struct err e = ERR_INIT;
    if (zk_call(s->users[user], c, /* tag= */ 1, &e) != RC_OK)
        give_up(e.rc ? e.msg : "no request can be sent");
    struct zk_event ev;
    while ((ev = next_event(s->users[user])).kind != ZK_ANSWER)
        if (ev.kind == ZK_CHANGED)
            buf_addf(&s->said, "changed %.*s\n", SLICE_ARG(ev.path));
    if (ev.err.rc != RC_OK)
        give_up(ev.err.msg);
    buf_addf(&s->said, "zxid %" PRId64 ": ", counted(ev.zxid, s->base));
    say_one(&s->said, ev.result, s->base);
    for (size_t i = 0; i < ev.result->n_parts; i++) {
        buf_add_str(&s->said, "\n  ");
        say_one(&s->said, &ev.result->parts[i], s->base);
    }
    buf_add_char(&s->said, '\n');
}

/* Whatever users were told until now. */
static void ask_watchers(struct side *s)
{
    static const struct zk_call sync = {.op = ZK_SYNC, .path = SLICE("/model")};
    for (int user = 0; user < WATCHERS; user++)
        ask(s, user, &sync);
}

/* ---- Random requests ---- */

static const struct znode_acl OPEN_ACL = {ZNODE_ALL, SLICE("world"), SLICE("anyone")};

static struct znode_acl random_entry(struct rng *r)
{
    static const struct znode_acl entries[] = {
        {ZNODE_READ, SLICE("world"), SLICE("anyone")},
        {ZNODE_ADMIN, SLICE("world"), SLICE("anyone")},
        {0, SLICE("world"), SLICE("anyone")},
        {ZNODE_ALL, SLICE("digest"), SLICE(ALICE)},
        {ZNODE_READ | ZNODE_CREATE, SLICE("digest"), SLICE(ALICE)},
        {ZNODE_ALL, SLICE("digest"), SLICE("bob:hash")},
        {ZNODE_ALL, SLICE("auth"), SLICE("")},
        {ZNODE_ALL, SLICE("auth"), SLICE("x")},
        {ZNODE_ALL, SLICE("ip"), SLICE("127.0.0.1")},
        {ZNODE_ALL, SLICE("ip"), SLICE("10.0.0.1")},
        {ZNODE_ALL, SLICE("world"), SLICE("you")},
        {ZNODE_ALL, SLICE("digest"), SLICE("no colon")},
        {ZNODE_ALL, SLICE("sasl"), SLICE("x")},
        {ZNODE_ALL, SLICE("unknown"), SLICE("x")},
    };
    return rng_below(r, 2) ? OPEN_ACL : entries[rng_below(r, COUNT(entries))];
}

static void fill(struct rng *r, enum zk_op op, struct zk_call *c, struct znode_acl *acl)
{
    static const char *const paths[] = {
        "/model",       "/model/a", "/model/b",    "/model/a/x", "/model/a/y",      "/model/b/x",
        "/model/a/x/z", "/model/c", "/model/a//b", "/model/..",  "/model/zookeeper"};
    *c = (struct zk_call){.op = op, .path = slice_str(paths[rng_below(r, COUNT(paths))])};
    c->version = rng_below(r, 3) ? -1 : (int32_t)rng_below(r, 3);
    c->null_data = !rng_below(r, 6);
    if (!c->null_data && rng_below(r, 2))
        c->data = SLICE("abc");
    c->acl = acl;
    c->n_acl = rng_below(r, 8) ? 1 + rng_below(r, ENTRIES) : 0;
    for (size_t i = 0; i < c->n_acl; i++)
        acl[i] = random_entry(r);
}

static void random_request(struct rng *r, struct request *ret)
{
    static const enum zk_op ops[] = {ZK_CREATE,   ZK_CREATE,   ZK_CREATE,       ZK_CREATE,
                                     ZK_DELETE,   ZK_SET_DATA, ZK_SET_DATA,     ZK_SET_ACL,
                                     ZK_GET_DATA, ZK_GET_DATA, ZK_EXISTS,       ZK_GET_CHILDREN,
                                     ZK_GET_ACL,  ZK_GET_ACL,  ZK_GET_CHILDREN, ZK_SYNC,
                                     ZK_WHO_AM_I, ZK_MULTI,    ZK_MULTI,        ZK_MULTI_READ};
    static const enum zk_op writes[] = {ZK_CREATE, ZK_CREATE, ZK_DELETE, ZK_SET_DATA, ZK_CHECK};
    static const enum zk_op reads[] = {ZK_GET_DATA, ZK_GET_CHILDREN};
    enum zk_op op = ops[rng_below(r, COUNT(ops))];
    fill(r, op, &ret->call, ret->acl[PARTS]);
    if (op != ZK_MULTI && op != ZK_MULTI_READ)
        return;
    ret->call = (struct zk_call){.op = op, .parts = ret->parts, .n_parts = 1 + rng_below(r, PARTS)};
    for (size_t i = 0; i < ret->call.n_parts; i++) {
        enum zk_op part = op == ZK_MULTI ? writes[rng_below(r, COUNT(writes))]
                                         : reads[rng_below(r, COUNT(reads))];
        fill(r, part, &ret->parts[i], ret->acl[i]);
    }
}

/* ---- Both sides ---- */

static void begin(struct side *s)
{
    const struct zk_call make = {
        .op = ZK_CREATE, .path = SLICE("/model"), .null_data = true, .acl = &OPEN_ACL, .n_acl = 1};
    const struct zk_call watch = {.op = ZK_ADD_WATCH, .path = SLICE("/model")};
    struct err e = ERR_INIT;
    buf_init(&s->said, 1u << 20);
    for (int user = 0; user < USERS; user++)
        while (next_event(s->users[user]).kind != ZK_CONNECTED)
            ;
    if (zk_call(s->users[NOBODY], &make, /* tag= */ 1, &e) != RC_OK)
        give_up("no request can be sent");
    struct zk_event ev = next_event(s->users[NOBODY]);
    if (ev.err.rc != RC_OK || ev.result->error != ZK_OK)
        give_up("/model cannot be made: is it there already?");
    s->base = ev.result->stat.czxid;
    for (int user = 0; user < WATCHERS; user++)
        ask(s, user, &watch);
}

static void open_real(struct side *s, const char *server, const struct env *env)
{
    static const char *const names[] = {NULL, "alice", "super"};
    static const char *const passwords[] = {NULL, "pw", "super"};
    struct err e = ERR_INIT;
    for (int user = 0; user < USERS; user++) {
        struct zk_target target = {
            .servers = &server, .n_servers = 1, .user = names[user], .password = passwords[user]};
        if (zk_wire_open(&target, env, &s->users[user], &e) != RC_OK)
            give_up(e.msg);
    }
}

static void open_model(struct side *s, struct fake_zk *w)
{
    static const char *const names[] = {NULL, ALICE, "super"};
    for (int user = 0; user < USERS; user++)
        fake_zk_connect(w, names[user], &s->users[user]);
}

/* True if all that was said until the end is equal. */
static bool compare(struct side *real, struct side *model, struct rng *r, long steps)
{
    bool same = true;
    for (long i = 0; i < steps && same; i++) {
        struct request request;
        struct side *sides[] = {real, model};
        int user = (int)rng_below(r, USERS);
        random_request(r, &request);
        for (size_t k = 0; k < COUNT(sides); k++) {
            buf_reset(&sides[k]->said);
            ask(sides[k], user, &request.call);
            ask_watchers(sides[k]);
        }
        same = slice_eq(buf_slice(&real->said), buf_slice(&model->said));
        if (!same)
            printf("step %ld: user %d, op %d of %.*s\n--- the server\n%s--- the model\n%s", i, user,
                   (int)request.call.op, SLICE_ARG(request.call.path), real->said.p, model->said.p);
        for (size_t k = 0; k < request.call.n_parts && !same; k++)
            printf("part %zu: op %d of %.*s\n", k, (int)request.parts[k].op,
                   SLICE_ARG(request.parts[k].path));
    }
    return same;
}

static void end(struct side *s)
{
    for (int user = 0; user < USERS; user++)
        zk_close(s->users[user]);
    buf_done(&s->said);
}

int main(int argc, char **argv)
{
    if (argc != 5)
        give_up("usage: zk_model SERVER MINOR STEPS SEED");
    struct fake_clock clock;
    struct rng_seeded back_off, requests;
    struct side real = {0}, model = {0};
    rng_seeded_init(&back_off, 1);
    rng_seeded_init(&requests, strtoull(argv[4], NULL, 10));
    fake_clock_init(&clock, NS_PER_S);
    struct fake_zk *w = fake_zk_new(&clock.clock);
    fake_zk_set_minor(w, (unsigned)strtoul(argv[2], NULL, 10));
    open_real(&real, argv[1], &(struct env){.clock = clock_sys(), .rng = &back_off.rng});
    open_model(&model, w);
    begin(&real);
    begin(&model);
    bool same = compare(&real, &model, &requests.rng, strtol(argv[3], NULL, 10));
    end(&real);
    end(&model);
    fake_zk_free(w);
    return same ? 0 : 1;
}
