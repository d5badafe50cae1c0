/* One lock around a few words. */
#include "controller/source_board.h"

#include "core/map.h"
#include "flow/scope.h"

#include <pthread.h>
#include <stdio.h>

struct source_board {
    pthread_mutex_t lock;
    void (*wake)(void *arg);
    void *arg;
    struct source_report report;
    uint64_t asked, answered;
    rlog_off head;
    struct map *unread; /* scope -> text; NULL: nothing was answered yet */
};

struct source_board *source_board_new(void (*wake)(void *arg), void *arg)
{
    struct source_board *b = calloc(1, sizeof *b);
    if (!b)
        return NULL;
    pthread_mutex_init(&b->lock, NULL);
    b->wake = wake;
    b->arg = arg;
    return b;
}

void source_board_free(struct source_board *b)
{
    if (!b)
        return;
    pthread_mutex_destroy(&b->lock);
    map_free(b->unread);
    free(b);
}

void source_board_set(struct source_board *b, const struct source_report *report)
{
    pthread_mutex_lock(&b->lock);
    b->report = *report;
    pthread_mutex_unlock(&b->lock);
}

void source_board_get(struct source_board *b, struct source_report *ret)
{
    pthread_mutex_lock(&b->lock);
    *ret = b->report;
    pthread_mutex_unlock(&b->lock);
}

uint64_t source_board_ask(struct source_board *b)
{
    pthread_mutex_lock(&b->lock);
    uint64_t number = ++b->asked;
    pthread_mutex_unlock(&b->lock);
    b->wake(b->arg);
    return number;
}

uint64_t source_board_asked(struct source_board *b)
{
    pthread_mutex_lock(&b->lock);
    uint64_t asked = b->asked;
    pthread_mutex_unlock(&b->lock);
    return asked;
}

void source_board_answer(struct source_board *b, uint64_t number, rlog_off head, struct map *unread)
{
    pthread_mutex_lock(&b->lock);
    b->answered = number;
    b->head = head;
    map_free(b->unread);
    b->unread = unread;
    pthread_mutex_unlock(&b->lock);
}

bool source_board_listed(struct source_board *b, uint64_t number, rlog_off *ret_head)
{
    pthread_mutex_lock(&b->lock);
    bool listed = b->answered >= number;
    *ret_head = b->head;
    pthread_mutex_unlock(&b->lock);
    return listed;
}

void source_board_unread(struct source_board *b, struct slice root, char *ret, size_t size)
{
    pthread_mutex_lock(&b->lock);
    const char *text = b->unread ? scope_find(b->unread, root, /* tree= */ true) : NULL;
    snprintf(ret, size, "%s", text ? text : "");
    pthread_mutex_unlock(&b->lock);
}
