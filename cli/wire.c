/* The composition root. DATA/LOCK is held by `run`; DATA/logs/<hash>/ is the log of one source, DATA/consumers/ holds a
 * checkpoint file for each synchronization. */
#include "cli/wire.h"

#include "cli/names.h"
#include "cli/tree_compare.h"
#include "controller/resource.h"
#include "controller/speaker.h"
#include "core/buf.h"
#include "core/diag.h"
#include "core/digest.h"
#include "core/json.h"
#include "io/http.h"
#include "io/kube.h"
#include "io/zk.h"
#include "log/ckpt.h"
#include "log/folder.h"
#include "log/rlog.h"
#include "producers/producer.h"
#include "sinks/sink.h"
#include "sinks/zk_sink.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#define LOG_HASH_DIGITS 16
#define LOGS_MAX        1024
#define LOCK_TRIES      5
#define LOCK_PAUSE_MS   20

/* ---- The data folder ---- */

struct data_lock {
    struct folder_lock *lock;
};

static enum rc path_in(const char *data, const char *name, struct buf *out, struct err *e)
{
    buf_addf(out, "%s/%s", data, name);
    return buf_check(out, "path", e);
}

static enum rc make_part(const char *data, const char *name, struct err *e)
{
    AUTO(buf_done) struct buf path = BUF_INIT(DATA_PATH_MAX);
    enum rc rc = path_in(data, name, &path, e);
    return rc < 0 ? rc : folder_make(path.p, e);
}

/* A command that asks data_is_locked() holds the lock for an instant: so one refusal is not believed. */
static enum rc take_lock(const char *data, struct folder_lock **ret, struct err *e)
{
    enum rc rc = RC_CONFLICT;
    for (int i = 0; i < LOCK_TRIES && rc == RC_CONFLICT; i++) {
        struct err why = ERR_INIT;
        if (i > 0)
            (void)poll(NULL, 0, LOCK_PAUSE_MS);
        rc = folder_lock_take(data, ret, &why);
        if (rc < 0)
            *e = why;
    }
    return rc;
}

enum rc data_open(const char *data, struct data_lock **ret, struct err *e)
{
    enum rc rc = folder_make(data, e);
    if (rc == RC_OK)
        rc = folder_check(data, e);
    if (rc < 0)
        return rc;
    struct data_lock *l = calloc(1, sizeof *l);
    if (!l)
        return err_nomem(e);
    rc = take_lock(data, &l->lock, e);
    if (rc == RC_OK)
        rc = make_part(data, "logs", e);
    if (rc == RC_OK)
        rc = make_part(data, "consumers", e);
    if (rc < 0) {
        data_close(l);
        return rc;
    }
    *ret = l;
    return RC_OK;
}

void data_close(struct data_lock *l)
{
    if (!l)
        return;
    folder_unlock(l->lock);
    free(l);
}

bool data_is_locked(const char *data)
{
    AUTO(buf_done) struct buf path = BUF_INIT(DATA_PATH_MAX);
    struct err ignored = ERR_INIT;
    if (path_in(data, "LOCK", &path, &ignored) < 0)
        return false;
    int fd = open(path.p, O_RDONLY | O_CLOEXEC);
    if (fd < 0)
        return false;
    bool locked = flock(fd, LOCK_SH | LOCK_NB) < 0 && errno == EWOULDBLOCK;
    close(fd);
    return locked;
}

static enum rc log_path(const char *data, struct slice full_name, struct buf *out, struct err *e)
{
    uint8_t hash[SHA256_SIZE];
    char hex[SHA256_HEX_SIZE + 1];
    sha256(full_name, SLICE_NULL, hash);
    hex_encode(hash, sizeof hash, hex);
    buf_addf(out, "%s/logs/%.*s", data, LOG_HASH_DIGITS, hex);
    return buf_check(out, "path", e);
}

/* ---- What there is to read ---- */

struct log_names {
    char *list[LOGS_MAX];
    size_t n;
    struct err unread; /* rc < 0: of the first log whose name cannot be read; it hides no other */
};

static void log_names_done(struct log_names *names)
{
    for (size_t i = 0; i < names->n; i++)
        free(names->list[i]);
}

static enum rc add_log_name(const char *dir, struct log_names *names, struct err *e)
{
    AUTO(buf_done) struct buf name = BUF_INIT(DATA_PATH_MAX);
    enum rc rc = rlog_lmdb_name(dir, &name, e);
    if (rc == RC_NOTFOUND)
        return RC_OK; /* made a moment ago, still empty */
    if (rc < 0)
        return rc;
    if (names->n == LOGS_MAX)
        return err_set(e, RC_LIMIT, ERR_FINAL, "more than %d logs", LOGS_MAX);
    names->list[names->n] = buf_steal(&name, NULL);
    names->n += names->list[names->n] != NULL;
    return RC_OK;
}

static enum rc list_logs(const char *data, struct log_names *names, struct err *e)
{
    AUTO(buf_done) struct buf logs = BUF_INIT(DATA_PATH_MAX);
    enum rc rc = path_in(data, "logs", &logs, e);
    if (rc < 0)
        return rc;
    DIR *dir = opendir(logs.p);
    if (!dir)
        return err_set(e, errno == ENOENT ? RC_NOTFOUND : RC_IO, ERR_FINAL,
                       "%s: %s; is it the folder that was given to 'run --data'?", logs.p,
                       strerror(errno));
    for (struct dirent *d; rc == RC_OK && (d = readdir(dir));) {
        if (strlen(d->d_name) != LOG_HASH_DIGITS)
            continue;
        AUTO(buf_done) struct buf path = BUF_INIT(DATA_PATH_MAX);
        struct err why = ERR_INIT;
        rc = path_in(logs.p, d->d_name, &path, e);
        if (rc == RC_OK && add_log_name(path.p, names, &why) < 0 && names->unread.rc == RC_OK)
            names->unread = why;
    }
    closedir(dir);
    return rc;
}

static enum rc choose(const struct log_names *names, const char *name, const char *data,
                      const char **ret, struct err *e)
{
    AUTO(buf_done) struct buf all = BUF_INIT(DATA_PATH_MAX);
    const char *found = NULL;
    size_t hits = 0;
    for (size_t i = 0; i < names->n; i++) {
        if (!name || name_is(slice_str(names->list[i]), name)) {
            found = names->list[i];
            hits++;
        }
        buf_addf(&all, "%s%s", i ? ", " : "", names->list[i]);
    }
    *ret = found;
    if (names->unread.rc < 0 && !(name && hits == 1)) {
        *e = names->unread; /* it may be the one that is meant */
        return e->rc;
    }
    if (hits == 1)
        return RC_OK;
    if (names->n == 0)
        return err_set(e, RC_NOTFOUND, ERR_FINAL, "%s holds no log yet", data);
    if (hits == 0)
        return err_set(e, RC_NOTFOUND, ERR_FINAL, "no source \"%s\" in %s; there are: %s", name,
                       data, all.p);
    return err_set(e, RC_INVALID, ERR_FINAL, "%s holds several logs; choose one with --source: %s",
                   data, all.p);
}

enum rc data_find_log(const char *data, const char *name, struct buf *ret_dir, struct buf *ret_name,
                      struct err *e)
{
    AUTO(log_names_done) struct log_names names = {.n = 0};
    const char *chosen;
    enum rc rc = list_logs(data, &names, e);
    if (rc == RC_OK)
        rc = choose(&names, name, data, &chosen, e);
    if (rc != RC_OK)
        return rc;
    buf_add_str(ret_name, chosen);
    rc = buf_check(ret_name, "name", e);
    return rc < 0 ? rc : log_path(data, slice_str(chosen), ret_dir, e);
}

enum rc data_open_log(const char *data, const char *name, const struct env *env,
                      struct buf *ret_name, struct rlog **ret, struct err *e)
{
    AUTO(buf_done) struct buf dir = BUF_INIT(DATA_PATH_MAX);
    size_t before = ret_name->n;
    enum rc rc = data_find_log(data, name, &dir, ret_name, e);
    if (rc < 0)
        return rc;
    struct slice full_name = slice_of(ret_name->p + before, ret_name->n - before);
    struct rlog_lmdb_opts opts = {.dir = dir.p, .name = full_name, .access = RLOG_READ};
    return rlog_lmdb_open(&opts, env, ret, e);
}

static enum rc open_consumers(const char *data, enum ckpt_access access, const struct env *env,
                              struct ckpt **ret, struct err *e)
{
    AUTO(buf_done) struct buf dir = BUF_INIT(DATA_PATH_MAX);
    enum rc rc = path_in(data, "consumers", &dir, e);
    return rc == RC_OK ? ckpt_lmdb_open(dir.p, access, env, ret, e) : rc;
}

enum rc data_change_ckpt(const char *data, const struct env *env, struct ckpt **ret, struct err *e)
{
    return open_consumers(data, CKPT_WRITE, env, ret, e);
}

enum rc data_open_ckpt(const char *data, const struct env *env, struct ckpt **ret, struct err *e)
{
    enum rc rc = open_consumers(data, CKPT_READ, env, ret, e);
    if (rc == RC_NOTFOUND)
        return err_set(e, RC_NOTFOUND, ERR_FINAL,
                       "%s: no checkpoints there; is it the folder that was given to 'run --data'?",
                       data);
    return rc;
}

enum rc data_log_of_sync(const char *data, struct ckpt *ckpt, struct slice consumer,
                         const struct env *env, struct rlog **ret, struct err *e)
{
    AUTO(buf_done) struct buf status = BUF_INIT(CKPT_VALUE_MAX);
    AUTO(buf_done) struct buf name = BUF_INIT(DATA_PATH_MAX);
    AUTO(buf_done) struct buf ignored = BUF_INIT(DATA_PATH_MAX);
    AUTO(json_freep) struct json_doc *doc = NULL;
    struct ckpt_head head;
    *ret = NULL;
    enum rc rc = ckpt_load(ckpt, consumer, &head, NULL, &status, e);
    if (rc == RC_OK && status.n > 0)
        rc = json_parse_view(buf_slice(&status), &doc, e);
    if (rc < 0 || !doc)
        return rc;
    buf_add_slice(&name, json_get_text(doc, json_root(doc), "source"));
    rc = buf_check(&name, "name", e);
    if (rc < 0 || name.n == 0)
        return rc;
    struct err why = ERR_INIT;
    rc = data_open_log(data, name.p, env, &ignored, ret, &why);
    if (rc == RC_NOTFOUND)
        return RC_OK;
    if (rc < 0)
        *e = why;
    return rc;
}

/* ---- Wiring ---- */

static enum rc open_log(void *arg, const struct cluster *source, struct rlog **ret, struct err *e)
{
    struct wire *w = arg;
    AUTO(buf_done) struct buf dir = BUF_INIT(DATA_PATH_MAX);
    enum rc rc = log_path(w->data, slice_str(source->full_name), &dir, e);
    if (rc < 0)
        return rc;
    struct rlog_lmdb_opts opts = {.dir = dir.p,
                                  .name = slice_str(source->full_name),
                                  .access = RLOG_WRITE,
                                  .checker = w->program};
    struct rlog *log = NULL;
    rc = rlog_lmdb_open(&opts, &w->env, &log, e);
    if (rc == RC_OK && diag_says(w->log_env.diag, DIAG_DEBUG))
        rc = rlog_trace_open(log, &w->log_env, &log, e);
    if (rc < 0)
        return err_wrap(e, "log of source %s", source->full_name);
    *ret = log;
    return RC_OK;
}

static enum rc open_ckpt(void *arg, struct ckpt **ret, struct err *e)
{
    struct wire *w = arg;
    struct ckpt *ckpt = NULL;
    enum rc rc = data_change_ckpt(w->data, &w->env, &ckpt, e);
    if (rc == RC_OK && diag_says(w->log_env.diag, DIAG_DEBUG))
        rc = ckpt_trace_open(ckpt, &w->log_env, &ckpt, e);
    if (rc == RC_OK)
        *ret = ckpt;
    return rc;
}

static enum rc open_kube_producer(const struct cluster *source, const struct env *env,
                                  struct producer **ret, struct err *e)
{
    const struct kube_config *c = &source->config;
    struct http *http;
    enum rc rc = http_curl_open(&c->target, env, &http, e);
    return rc == RC_OK ? kube_producer_open(http, c->target.ca_pem, c->ns, env, ret, e) : rc;
}

static enum rc open_zk_producer(const struct cluster *source, const struct env *env,
                                struct producer **ret, struct err *e)
{
    struct zk_producer_opts opts = {.name = source->full_name, .acl = source->acl};
    enum rc rc = zk_wire_open(source->zookeeper, env, &opts.zk, e);
    return rc == RC_OK ? zk_producer_open(&opts, env, ret, e) : rc;
}

static enum rc open_producer(void *arg, const struct cluster *source, const struct env *env,
                             struct producer **ret, struct err *e)
{
    (void)arg;
    enum rc rc = source->zookeeper ? open_zk_producer(source, env, ret, e)
                                   : open_kube_producer(source, env, ret, e);
    return rc < 0 ? err_wrap(e, "source %s", source->full_name) : rc;
}

/* The scopes of the synchronization, so that objects owned by a selected kind are left to their owner. */
static enum rc selected_scopes(const struct sync *sync, struct slice **ret, struct buf *text,
                               struct err *e)
{
    const struct replication *r = &sync->replication;
    AUTO(freep) struct slice *list = calloc(r->n_entries + 1, sizeof *list);
    size_t room = 1;
    for (size_t i = 0; i < r->n_entries; i++)
        room += r->entries[i].group.n + r->entries[i].resource.n + 1;
    buf_init(text, room);
    if (!list || !buf_extend(text, room))
        return err_nomem(e);
    buf_truncate(text, 0);
    for (size_t i = 0; i < r->n_entries; i++) {
        size_t at = text->n;
        buf_addf(text, "%.*s/%.*s", SLICE_ARG(r->entries[i].group),
                 SLICE_ARG(r->entries[i].resource));
        list[i] = slice_of(text->p + at, text->n - at);
    }
    *ret = steal(&list);
    return RC_OK;
}

static enum rc open_kube_sink(const struct sync *sync, const struct identities *who,
                              const struct env *env, struct sink **ret, struct err *e)
{
    AUTO(freep) struct slice *selected = NULL;
    AUTO(buf_done) struct buf text = BUF_INIT(1);
    enum rc rc = selected_scopes(sync, &selected, &text, e);
    if (rc < 0)
        return rc;
    const struct kube_config *c = &sync->destination->config;
    struct kube_sink_opts opts = {.ca_pem = c->target.ca_pem,
                                  .ns = c->ns,
                                  .source = who->source,
                                  .destination = who->destination,
                                  .former = who->former,
                                  .n_former = who->n_former,
                                  .sync = slice_str(sync->full_name),
                                  .selected = selected,
                                  .n_selected = sync->replication.n_entries};
    rc = http_curl_open(&c->target, env, &opts.http, e);
    return rc == RC_OK ? kube_sink_open(&opts, env, ret, e) : rc;
}

static enum rc open_zk_sink(const struct sync *sync, const struct identities *who,
                            const struct env *env, struct sink **ret, struct err *e)
{
    const struct zk_target *target = sync->destination->zookeeper;
    struct zk_sink_opts opts = {.user = target->user,
                                .password = target->password,
                                .name = sync->destination->full_name,
                                .root = sync->replication.entries[0].root,
                                .create_root = sync->tree.create_root,
                                .acl = sync->tree.acl};
    (void)who; /* the sink compares what it reads: the very same node is the very same ensemble */
    enum rc rc = zk_wire_open(target, env, &opts.zk, e);
    return rc == RC_OK ? zk_sink_open(&opts, env, ret, e) : rc;
}

/* The sink of each plugin. */
static const struct {
    const char *plugin;
    enum rc (*open)(const struct sync *sync, const struct identities *who, const struct env *env,
                    struct sink **ret, struct err *e);
} sinks[] = {
    {"kubernetes-objects-to-kubernetes", open_kube_sink},
    {"zookeeper-to-zookeeper-nodes", open_zk_sink},
};

static enum rc open_sink(void *arg, const struct sync *sync, const struct identities *who,
                         const struct env *env, struct sink **ret, struct err *e)
{
    size_t i = 0;
    (void)arg;
    while (i < sizeof sinks / sizeof *sinks && strcmp(sinks[i].plugin, sync->plugin) != 0)
        i++;
    if (i == sizeof sinks / sizeof *sinks)
        return err_set(e, RC_UNSUPPORTED, ERR_FATAL, "there is no sink for plugin %s",
                       sync->plugin);
    enum rc rc = sinks[i].open(sync, who, env, ret, e);
    return rc < 0 ? err_wrap(e, "destination %s", sync->destination->full_name) : rc;
}

enum rc wire_compare(const struct sync *sync, const struct env *env, struct tree_compare **ret,
                     struct err *e)
{
    struct tree_compare_opts opts = {.sync = sync, .clock = env->clock};
    enum rc rc = zk_wire_open(sync->source->zookeeper, env, &opts.source, e);
    if (rc < 0)
        return err_wrap(e, "source %s", sync->source->full_name);
    rc = zk_wire_open(sync->destination->zookeeper, env, &opts.destination, e);
    if (rc == RC_OK)
        return tree_compare_open(&opts, ret, e);
    zk_close(opts.source);
    return err_wrap(e, "destination %s", sync->destination->full_name);
}

enum rc wire_init(struct wire *w, const char *data, const struct env *env, struct err *e)
{
    char path[DATA_PATH_MAX];
    ssize_t n = readlink("/proc/self/exe", path, sizeof path);
    *w = (struct wire){.data = data, .env = *env};
    w->program = n > 0 && (size_t)n < sizeof path ? strndup(path, (size_t)n) : NULL;
    w->wiring = (struct wiring){w, open_log, open_ckpt, open_producer, open_sink};
    if (!w->program)
        return err_set(e, RC_IO, ERR_FATAL, "/proc/self/exe: %s", strerror(errno));
    w->log_env = *env;
    return speaker_bind(env->diag, SPEAKER_LOG, /* source= */ NULL, /* sync= */ NULL,
                        &w->log_env.diag, e);
}

void wire_done(struct wire *w)
{
    free(w->program);
    diag_free(w->log_env.diag);
}
