/* The commands of zk_tool for many nodes: transactions, and a tree as lines of JSON. */
#include "core/buf.h"
#include "core/json.h"
#include "core/map.h"
#include "tests/e2e/zk_tool.h"

#include <inttypes.h>
#include <stdio.h>

enum {
    BATCH = 200, /* parts of a transaction, nodes of a read */
    NAME_MAX_BYTES = 5000,
    LINE_MAX = 8 << 20
};

static const struct znode_acl OPEN[] = {
    {.perms = ZNODE_ALL, .scheme = SLICE("world"), .id = SLICE("anyone")}};

long zk_tool_count(const struct zk_tool *t, int i)
{
    long n = i < t->argc ? strtol(t->argv[i], NULL, 10) : 0;
    if (n <= 0)
        zk_tool_fail(2, "a count is missing");
    return n;
}

const char *zk_tool_path(const struct zk_tool *t, int i)
{
    if (i >= t->argc || t->argv[i][0] != '/')
        zk_tool_fail(2, "a path is missing, which begins with '/'");
    return strcmp(t->argv[i], "/") != 0 ? t->argv[i] : "";
}

static void take_answer(struct zk_tool *t)
{
    uint64_t tag;
    const struct zk_result *r = zk_tool_answer(t, &tag);
    if (r->error != ZK_OK)
        zk_tool_fail(1, "transaction %" PRIu64 ": %s", tag, zk_error_name(r->error));
}

/* The children from `first` on, n of them, in one transaction; true if it is on its way. */
static bool send_children(struct zk_tool *t, const char *below, long first, size_t n,
                          struct slice data)
{
    struct zk_call *parts = calloc(n, sizeof *parts);
    char *names = malloc(n * NAME_MAX_BYTES);
    if (!parts || !names)
        zk_tool_fail(3, "out of memory");
    for (size_t i = 0; i < n; i++) {
        char *name = names + i * NAME_MAX_BYTES;
        snprintf(name, NAME_MAX_BYTES, "%s/n%07ld", below, first + (long)i);
        parts[i] = (struct zk_call){
            .op = ZK_CREATE, .path = slice_str(name), .data = data, .acl = OPEN, .n_acl = 1};
    }
    bool sent = zk_tool_send(t, &(struct zk_call){.op = ZK_MULTI, .parts = parts, .n_parts = n},
                             (uint64_t)first);
    free(parts);
    free(names);
    return sent;
}

void zk_tool_multi(struct zk_tool *t)
{
    long n = zk_tool_count(t, 0);
    send_children(t, zk_tool_path(t, 1), 0, (size_t)n, SLICE("multi"));
    take_answer(t);
}

void zk_tool_bulk(struct zk_tool *t)
{
    long n = zk_tool_count(t, 0), size = t->argc > 2 ? zk_tool_count(t, 2) : 20, open = 0;
    char *data = malloc((size_t)size);
    if (!data)
        zk_tool_fail(3, "out of memory");
    memset(data, 'x', (size_t)size);
    long batch = BATCH * size > 400000 ? 400000 / size + 1 : BATCH;
    for (long first = 0; first < n || open;) {
        long k = n - first < batch ? n - first : batch;
        if (k > 0 &&
            send_children(t, zk_tool_path(t, 1), first, (size_t)k, slice_of(data, (size_t)size))) {
            first += k;
            open++;
        } else {
            take_answer(t);
            open--;
        }
    }
    free(data);
}

void zk_tool_raise(struct zk_tool *t)
{
    char name[NAME_MAX_BYTES];
    snprintf(name, sizeof name, "%s/raise", zk_tool_path(t, 1));
    const struct zk_call pair[] = {
        {.op = ZK_CREATE, .path = slice_str(name), .null_data = true, .acl = OPEN, .n_acl = 1},
        {.op = ZK_DELETE, .path = slice_str(name), .version = -1}};
    for (long n = zk_tool_count(t, 0); n > 0; n--) {
        zk_tool_send(t, &(struct zk_call){.op = ZK_MULTI, .parts = pair, .n_parts = 2}, 0);
        take_answer(t);
    }
}

/* ---- dump ---- */

/* The tree, read level by level: the nodes of which nothing is known yet, and those that have their line. */
struct walk {
    struct zk_tool *t;
    struct map *todo, *lines;
};

struct node {
    struct slice path; /* in todo */
    struct buf line;
};

static bool is_text(struct slice s)
{
    for (size_t i = 0; i < s.n; i++)
        if (s.p[i] < ' ' || s.p[i] > '~')
            return false;
    return true;
}

static void add_data(struct buf *line, const struct zk_result *r)
{
    if (r->null_data)
        return;
    buf_add_str(line, is_text(r->data) ? ",\"text\":" : ",\"hex\":\"");
    if (is_text(r->data)) {
        json_print_text(r->data, line);
        return;
    }
    for (size_t i = 0; i < r->data.n; i++)
        buf_addf(line, "%02x", (unsigned)(unsigned char)r->data.p[i]);
    buf_add_char(line, '"');
}

static void add_stat(struct buf *line, const struct znode_stat *s)
{
    buf_addf(line,
             ",\"czxid\":%" PRId64 ",\"mzxid\":%" PRId64 ",\"pzxid\":%" PRId64 ",\"ctime\":%" PRId64
             ",\"mtime\":%" PRId64
             ",\"version\":%d,\"cversion\":%d,\"aversion\":%d,\"owner\":%" PRId64
             ",\"length\":%d,\"children\":%d,\"next\":%" PRId64,
             s->czxid, s->mzxid, s->pzxid, s->ctime, s->mtime, s->version, s->cversion, s->aversion,
             s->ephemeral_owner, s->data_length, s->num_children,
             ((int64_t)s->cversion + s->num_children) / 2);
}

static void add_acl(struct buf *line, const struct zk_result *r)
{
    char perms[ZK_TOOL_PERMS];
    buf_add_str(line, ",\"acl\":[");
    for (size_t i = 0; i < r->n_acl; i++) {
        buf_addf(line, "%s\"%s:%.*s:%.*s\"", i ? "," : "", zk_tool_perms(r->acl[i].perms, perms),
                 SLICE_ARG(r->acl[i].scheme), SLICE_ARG(r->acl[i].id));
    }
    buf_add_char(line, ']');
}

static void map_add(struct map *m, struct slice key, char *value)
{
    struct err e;
    if (!value || map_put(m, key, value, &e) != RC_OK)
        zk_tool_fail(3, "out of memory");
}

static void add_children(struct walk *w, struct slice parent, const struct zk_result *r)
{
    for (size_t i = 0; i < r->n_children; i++) {
        AUTO(buf_done) struct buf path = BUF_INIT(NAME_MAX_BYTES);
        buf_add_slice(&path, parent.n > 1 ? parent : SLICE_NULL);
        buf_add_char(&path, '/');
        buf_add_slice(&path, r->children[i]);
        map_add(w->todo, buf_slice(&path), strdup(""));
    }
}

/* Data, stat and children of all, in one read. */
static void read_nodes(struct walk *w, struct node *nodes, size_t n)
{
    struct zk_call parts[2 * BATCH];
    uint64_t tag;
    for (size_t i = 0; i < n; i++) {
        parts[2 * i] = (struct zk_call){.op = ZK_GET_DATA, .path = nodes[i].path};
        parts[2 * i + 1] = (struct zk_call){.op = ZK_GET_CHILDREN, .path = nodes[i].path};
    }
    zk_tool_send(w->t, &(struct zk_call){.op = ZK_MULTI_READ, .parts = parts, .n_parts = 2 * n}, 0);
    const struct zk_result *r = zk_tool_answer(w->t, &tag);
    for (size_t i = 0; i < n && r->n_parts; i++) {
        const struct zk_result *data = &r->parts[2 * i];
        buf_init(&nodes[i].line, LINE_MAX);
        buf_add_str(&nodes[i].line, "{\"path\":");
        json_print_text(nodes[i].path, &nodes[i].line);
        if (data->error != ZK_OK) {
            buf_addf(&nodes[i].line, ",\"error\":\"%s\"", zk_error_name(data->error));
            continue;
        }
        add_data(&nodes[i].line, data);
        add_stat(&nodes[i].line, &data->stat);
        add_children(w, nodes[i].path, &r->parts[2 * i + 1]);
    }
}

static void read_acls(struct walk *w, struct node *nodes, size_t n)
{
    for (size_t i = 0; i < n; i++)
        zk_tool_send(w->t, &(struct zk_call){.op = ZK_GET_ACL, .path = nodes[i].path}, i);
    for (size_t i = 0; i < n; i++) {
        uint64_t tag;
        const struct zk_result *r = zk_tool_answer(w->t, &tag);
        if (r->error == ZK_OK)
            add_acl(&nodes[tag].line, r);
    }
}

/* Reads some of what is to be done, and moves it to the lines. */
static void read_batch(struct walk *w)
{
    struct node nodes[BATCH] = {0};
    struct map_entry entry;
    size_t n = 0;
    struct slice from = SLICE_NULL;
    while (n < BATCH && map_seek(w->todo, from, n > 0, &entry))
        from = nodes[n++].path = entry.key;
    read_nodes(w, nodes, n);
    read_acls(w, nodes, n);
    for (size_t i = 0; i < n; i++) {
        buf_add_char(&nodes[i].line, '}');
        map_add(w->lines, nodes[i].path, buf_steal(&nodes[i].line, NULL));
        map_delete(w->todo, nodes[i].path);
    }
}

void zk_tool_dump(struct zk_tool *t)
{
    struct walk w = {.t = t, .todo = map_new(free), .lines = map_new(free)};
    const char *root = zk_tool_path(t, 0);
    struct map_entry line;
    if (!w.todo || !w.lines)
        zk_tool_fail(3, "out of memory");
    map_add(w.todo, slice_str(*root ? root : "/"), strdup(""));
    while (map_count(w.todo))
        read_batch(&w);
    for (bool any = map_seek(w.lines, SLICE_NULL, false, &line); any;
         any = map_seek(w.lines, line.key, true, &line))
        puts(line.value);
    map_free(w.todo);
    map_free(w.lines);
}
