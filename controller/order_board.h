/* Where an order about the holds of a synchronization waits for the synchronization's thread, and its answer for whoever
 * gave it. One order at a time. Safe from any thread. */
#ifndef RESILOG_CONTROLLER_ORDER_BOARD_H
#define RESILOG_CONTROLLER_ORDER_BOARD_H

#include "core/err.h"
#include "core/key.h"
#include "core/scope.h"
#include "flow/hold_order.h"
#include "log/ckpt.h"

#include <stdbool.h>

struct order {
    enum hold_act act;
    char sync[CKPT_NAME_MAX + 1]; /* full name */
    char key[KEY_MAX + 1];        /* empty: of all */
};

struct order_answer {
    size_t n;     /* how many holds it concerned */
    bool at_rest; /* nobody pumps: what is to be tried waits until somebody does */
    struct err e; /* rc RC_OK: it was carried out, durably */
};

struct order_board;
struct order_board *order_board_new(void); /* NULL when out of memory */
void order_board_free(struct order_board *b);
DEFINE_FREEP(struct order_board, order_board_free)

/* ---- Of whoever gives orders ---- */
/* Copies the order. Errors: CONFLICT (RETRY; another one is under way). */
MUST_CHECK enum rc order_board_give(struct order_board *b, const struct order *o, struct err *e);
/* True once it was answered; the board is free then. */
bool order_board_collect(struct order_board *b, struct order_answer *ret);
/* True if nobody had taken it: the board is free then, and nobody will. */
bool order_board_withdraw(struct order_board *b);

/* ---- Of a synchronization's thread ---- */
/* Who is to be woken, from any thread, when there is an order for its synchronization. wake must not call the board. */
struct order_watcher {
    const char *sync; /* full name */
    void (*wake)(void *arg);
    void *arg;
    struct order_watcher *next; /* the board's */
};
/* The board borrows w until order_board_unwatch, which does nothing to one that does not watch. */
void order_board_watch(struct order_board *b, struct order_watcher *w);
void order_board_unwatch(struct order_board *b, struct order_watcher *w);
/* True if there is an order for this one (full name): it must be answered. */
bool order_board_take(struct order_board *b, const char *sync, struct order *ret);
void order_board_answer(struct order_board *b, const struct order_answer *answer);

#endif
