/* Opening a log's folder. A writer takes the lock first, then removes what a crash left half made,
 * checks that the segments follow one another, completes a missing seal, and looks at the whole last
 * segment; only then LMDB may touch it. A reader takes no lock and believes nothing: it finds damage
 * where it reads. Crash between any two steps of rolling: a *.tmp is removed here, a sealed last
 * segment gets its successor here. Threads: nobody else knows the log yet. */
#include "log/rlog_lmdb_priv.h"

#include "core/env.h"
#include "log/folder.h"
#include "log/pages.h"
#include "log/segment_check.h"

#include <dirent.h>
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <unistd.h>

static enum rc check_name(const struct rlog_lmdb *l, const struct segment_header *h, struct err *e)
{
    if (h->name_n == l->name_n && memcmp(h->name, l->name, l->name_n) == 0)
        return RC_OK;
    return err_set(e, RC_INVALID, ERR_FATAL, "it is the log of %.*s, not of %.*s", (int)h->name_n,
                   h->name, (int)l->name_n, l->name);
}

/* ---- For writing ---- */

/* A name that ends in .tmp is of a file that was never finished; an index without its segment was left by a trim. */
static bool is_litter(const char *name, const struct offset_list *segments)
{
    size_t n = strlen(name);
    rlog_off first = 0;
    if (n > 4 && strcmp(name + n - 4, ".tmp") == 0)
        return true;
    if (!segment_file_parse(name, 'x', &first))
        return false;
    for (size_t i = 0; i < segments->n; i++) {
        if (segments->p[i] == first)
            return false;
    }
    return true;
}

static enum rc remove_litter(const char *dir, const struct offset_list *segments, struct err *e)
{
    DIR *d = opendir(dir);
    if (!d)
        return err_sys(e, errno, "open the folder %s", dir);
    enum rc rc = RC_OK;
    const struct dirent *entry = NULL;
    while (rc == RC_OK && (entry = readdir(d)) != NULL) {
        if (is_litter(entry->d_name, segments) && unlinkat(dirfd(d), entry->d_name, 0) != 0 &&
            errno != ENOENT)
            rc = err_sys(e, errno, "remove %s", entry->d_name);
    }
    closedir(d);
    return rc;
}

/* Every older segment ends where the next one begins, with the same chains. */
static enum rc check_link(const struct segment_header *h, const struct segment_tail *before,
                          rlog_off first, struct err *e)
{
    if (h->first == first &&
        (!before ||
         (before->next == first && memcmp(&h->before, &before->after, sizeof(h->before)) == 0)))
        return RC_OK;
    return err_set(e, RC_CORRUPT, ERR_FATAL,
                   "the log is damaged, the first bad offset is %" PRIu64
                   ": the segment that begins at %" PRIu64 " does not follow the one before it",
                   before && before->next < first ? before->next : first, first);
}

/* Only possible when the segment was restored from elsewhere or mended: its successor proves that it is complete. */
static enum rc complete_seal(struct rlog_lmdb *l, rlog_off first, const struct segment_tail *tail,
                             struct err *e)
{
    const struct segment_opts opts = {.dir = l->dir};
    struct segment_report report;
    AUTO(segment_writer_closep) struct segment_writer *w = NULL;
    enum rc rc = segment_check_open(l->dir, first, l->checker, NULL, NULL, &report, e);
    if (rc == RC_OK)
        rc = segment_writer_open(&opts, first, &w, e);
    return rc == RC_OK ? segment_writer_seal(w, first, tail, e) : rc;
}

/* The exact first bad offset of a segment that was found damaged. */
static enum rc locate_damage(const struct pages *f, rlog_off first, struct err *e)
{
    struct segment_report report;
    struct err exact = ERR_INIT;
    if (f && segment_check_read(f, first, NULL, NULL, &report, &exact) == RC_CORRUPT) {
        if (e)
            *e = exact;
        return RC_CORRUPT;
    }
    return err_wrap(e, "the log is damaged, the first bad offset is %" PRIu64, first);
}

/* Header and tail of one older segment. */
static enum rc check_older(struct rlog_lmdb *l, rlog_off first, struct segment_tail *tail,
                           bool is_first, struct err *e)
{
    AUTO(pages_closep) struct pages *f = NULL;
    struct segment_header h;
    struct segment_tail end;
    enum rc rc = segment_open_file(l->dir, first, true, &f, e);
    if (rc == RC_OK)
        rc = segment_read_header(f, &h, e);
    if (rc == RC_OK)
        rc = check_name(l, &h, e);
    if (rc == RC_OK)
        rc = segment_read_tail(f, &h, &end, e);
    if (rc == RC_CORRUPT)
        return locate_damage(f, first, e);
    if (rc == RC_OK)
        rc = check_link(&h, is_first ? NULL : tail, first, e);
    if (rc != RC_OK)
        return rc;
    memcpy(l->log_id, h.log_id, SEGMENT_ID_SIZE);
    *tail = end;
    return RC_OK;
}

static enum rc check_all_older(struct rlog_lmdb *l, const struct offset_list *list,
                               struct segment_tail *tail, struct err *e)
{
    for (size_t i = 0; i + 1 < list->n; i++) {
        const struct segment_tail before = *tail;
        enum rc rc = check_older(l, list->p[i], tail, i == 0, e);
        if (rc == RC_OK && !tail->sealed && tail->next == list->p[i + 1])
            rc = complete_seal(l, list->p[i], tail, e);
        if (rc == RC_OK)
            rc = segment_retire(l->dir, list->p[i], e);
        if (rc == RC_OK)
            rc = lmdb_add_segment(l, list->p[i], i > 0 ? &before : NULL, e);
        if (rc != RC_OK)
            return rc;
    }
    return RC_OK;
}

static enum rc index_event(void *arg, const struct event *ev, struct err *e)
{
    return segment_index_add(arg, ev->key, ev->op, e);
}

static enum rc check_last(struct rlog_lmdb *l, const struct segment_tail *before, struct err *e)
{
    struct lmdb_segment *s = l->segments[l->n - 1];
    struct segment_report report;
    AUTO(segment_index_freep) struct segment_index *index = segment_index_new(s->first);
    if (!index)
        return err_nomem(e);
    enum rc rc = segment_check_open(l->dir, s->first, l->checker, index_event, index, &report, e);
    if (rc == RC_OK)
        rc = check_name(l, &report.header, e);
    if (rc == RC_OK)
        rc = check_link(&report.header, before, s->first, e);
    if (rc != RC_OK)
        return rc;
    memcpy(l->log_id, report.header.log_id, SEGMENT_ID_SIZE);
    l->active_since_ns = report.header.created_ns;
    pthread_mutex_lock(&l->lock);
    segment_index_free(s->index);
    s->index = steal(&index);
    l->tail = report.tail;
    pthread_mutex_unlock(&l->lock);
    return RC_OK;
}

enum rc lmdb_check_last(struct rlog_lmdb *l, struct err *e)
{
    return check_last(l, NULL, e);
}

/* What indexes there are. */
static enum rc note_indexes(struct rlog_lmdb *l, struct err *e)
{
    AUTO(offset_list_done) struct offset_list list = {0};
    enum rc rc = segment_list(l->dir, 'x', &list, e);
    for (size_t i = 0, k = 0; rc == RC_OK && i < list.n; i++) {
        while (k < l->n && l->segments[k]->first < list.p[i])
            k++;
        if (k < l->n && l->segments[k]->first == list.p[i])
            l->segments[k]->has_index_file = true;
    }
    return rc;
}

static enum rc load_for_writing(struct rlog_lmdb *l, struct err *e)
{
    AUTO(offset_list_done) struct offset_list list = {0};
    struct segment_tail before = {0};
    enum rc rc = segment_list(l->dir, 's', &list, e);
    if (rc == RC_OK)
        rc = remove_litter(l->dir, &list, e);
    if (rc == RC_OK)
        rc = check_all_older(l, &list, &before, e);
    if (rc == RC_OK && list.n > 0)
        rc = lmdb_add_segment(l, list.p[list.n - 1], list.n > 1 ? &before : NULL, e);
    if (rc == RC_OK && list.n > 0)
        rc = check_last(l, list.n > 1 ? &before : NULL, e);
    return rc == RC_OK ? note_indexes(l, e) : rc;
}

/* Without room the log opens all the same: it can be read, and a trim makes room. The next append says it again. */
static enum rc ready_if_room(struct rlog_lmdb *l, struct err *e)
{
    struct err why = ERR_INIT;
    enum rc rc = lmdb_ready(l, &why);
    if (rc == RC_OK || rc == RC_LIMIT)
        return RC_OK;
    if (e)
        *e = why;
    return rc;
}

static enum rc open_for_writing(struct rlog_lmdb *l, struct err *e)
{
    enum rc rc = folder_make(l->dir, e);
    if (rc == RC_OK)
        rc = folder_check(l->dir, e);
    if (rc == RC_OK)
        rc = folder_lock_take(l->dir, &l->folder, e);
    if (rc == RC_OK) /* what the writer before renamed and could not sync any more */
        rc = folder_sync(l->dir, e);
    l->tail.next = 1;
    rlog_new_id(l->env, l->log_id);
    if (rc == RC_OK)
        rc = load_for_writing(l, e);
    if (rc != RC_OK)
        return rc;
    const struct rlog_clock_now now = rlog_clock_now(l->env->clock, l->tail.time_ns);
    l->believed = rlog_clock_start(&now);
    uint64_t known = folder_lock_epoch(l->dir);
    l->epoch = (known > l->tail.epoch ? known : l->tail.epoch) + 1;
    rc = folder_lock_set(l->folder, l->epoch, e);
    return rc == RC_OK ? ready_if_room(l, e) : rc;
}

/* ---- For reading ---- */

static enum rc check_asset(struct rlog_lmdb *l, struct err *e)
{
    AUTO(pages_closep) struct pages *f = NULL;
    struct segment_header h;
    enum rc rc = segment_open_file(l->dir, l->segments[l->n - 1]->first, false, &f, e);
    if (rc == RC_OK)
        rc = segment_read_header(f, &h, e);
    /* Damage is told by whoever reads there. */
    return rc == RC_OK ? check_name(l, &h, e) : rc == RC_CORRUPT ? RC_OK : rc;
}

static enum rc open_for_reading(struct rlog_lmdb *l, struct err *e)
{
    l->tail.next = 1;
    enum rc rc = folder_check(l->dir, e);
    if (rc == RC_OK)
        rc = lmdb_refresh(l, e);
    return rc == RC_OK && l->n > 0 ? check_asset(l, e) : rc;
}

enum rc lmdb_open_log(struct rlog_lmdb *l, const struct rlog_lmdb_opts *opts, struct err *e)
{
    return opts->access == RLOG_WRITE ? open_for_writing(l, e) : open_for_reading(l, e);
}
