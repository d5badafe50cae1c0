/* A mailbox for one order, under a lock that nobody holds for longer than a copy takes. */
#include "controller/order_board.h"

#include <assert.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

enum board_state { BOARD_FREE, BOARD_GIVEN, BOARD_TAKEN, BOARD_ANSWERED };

struct order_board {
    pthread_mutex_t lock;
    enum board_state state;
    struct order order;
    struct order_answer answer;
    struct order_watcher *watchers;
};

struct order_board *order_board_new(void)
{
    struct order_board *b = calloc(1, sizeof *b);
    if (b)
        pthread_mutex_init(&b->lock, NULL);
    return b;
}

void order_board_free(struct order_board *b)
{
    if (!b)
        return;
    pthread_mutex_destroy(&b->lock);
    free(b);
}

static void go(struct order_board *b, enum board_state to)
{
    static const bool allowed[][4] = {
        [BOARD_FREE] = {[BOARD_GIVEN] = true},
        [BOARD_GIVEN] = {[BOARD_TAKEN] = true, [BOARD_FREE] = true},
        [BOARD_TAKEN] = {[BOARD_ANSWERED] = true},
        [BOARD_ANSWERED] = {[BOARD_FREE] = true},
    };
    assert(allowed[b->state][to]);
    b->state = to;
}

/* True, with the lock held, if that is the state. */
static bool lock_if(struct order_board *b, enum board_state state)
{
    pthread_mutex_lock(&b->lock);
    if (b->state == state)
        return true;
    pthread_mutex_unlock(&b->lock);
    return false;
}

static void unlock_in(struct order_board *b, enum board_state state)
{
    go(b, state);
    pthread_mutex_unlock(&b->lock);
}

enum rc order_board_give(struct order_board *b, const struct order *o, struct err *e)
{
    if (!lock_if(b, BOARD_FREE))
        return err_set(e, RC_CONFLICT, ERR_RETRY, "another order is under way, try again");
    b->order = *o;
    for (struct order_watcher *w = b->watchers; w; w = w->next)
        if (strcmp(w->sync, o->sync) == 0)
            w->wake(w->arg);
    unlock_in(b, BOARD_GIVEN);
    return RC_OK;
}

bool order_board_collect(struct order_board *b, struct order_answer *ret)
{
    if (!lock_if(b, BOARD_ANSWERED))
        return false;
    *ret = b->answer;
    unlock_in(b, BOARD_FREE);
    return true;
}

bool order_board_withdraw(struct order_board *b)
{
    if (!lock_if(b, BOARD_GIVEN))
        return false;
    unlock_in(b, BOARD_FREE);
    return true;
}

void order_board_watch(struct order_board *b, struct order_watcher *w)
{
    pthread_mutex_lock(&b->lock);
    w->next = b->watchers;
    b->watchers = w;
    pthread_mutex_unlock(&b->lock);
}

void order_board_unwatch(struct order_board *b, struct order_watcher *w)
{
    pthread_mutex_lock(&b->lock);
    struct order_watcher **at = &b->watchers;
    while (*at && *at != w)
        at = &(*at)->next;
    if (*at)
        *at = w->next;
    pthread_mutex_unlock(&b->lock);
}

bool order_board_take(struct order_board *b, const char *sync, struct order *ret)
{
    if (!lock_if(b, BOARD_GIVEN))
        return false;
    bool mine = strcmp(b->order.sync, sync) == 0;
    if (mine) {
        *ret = b->order;
        go(b, BOARD_TAKEN);
    }
    pthread_mutex_unlock(&b->lock);
    return mine;
}

void order_board_answer(struct order_board *b, const struct order_answer *answer)
{
    pthread_mutex_lock(&b->lock);
    b->answer = *answer;
    unlock_in(b, BOARD_ANSWERED);
}
