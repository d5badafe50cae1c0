/* What the members of a group are told about their source, and what they ask of its thread; safe from any thread. */
#ifndef RESILOG_CONTROLLER_SOURCE_BOARD_H
#define RESILOG_CONTROLLER_SOURCE_BOARD_H

#include "controller/status.h"
#include "core/event.h"
#include "core/scope.h"

struct map;
struct source_board;

/* wake is called, from any thread, when something is asked. NULL when out of memory. */
struct source_board *source_board_new(void (*wake)(void *arg), void *arg);
void source_board_free(struct source_board *b);
DEFINE_FREEP(struct source_board, source_board_free)
void source_board_set(struct source_board *b, const struct source_report *report);
void source_board_get(struct source_board *b, struct source_report *ret);

/* Asks for a listing of the source that begins from now on; gives its number. */
uint64_t source_board_ask(struct source_board *b);
/* The highest number that was asked for; 0: none. */
uint64_t source_board_asked(struct source_board *b);
/* A listing that began after that number was asked for is in the log, which ends before `head`. unread, which is taken:
 * what it could not read, as texts by the scopes' names. */
void source_board_answer(struct source_board *b, uint64_t number, rlog_off head,
                         struct map *unread);
/* True once that listing, or a later one, is in the log. */
bool source_board_listed(struct source_board *b, uint64_t number, rlog_off *ret_head);
/* What the listing that was answered last could not read of the scope that has this node; empty: it has read all. */
void source_board_unread(struct source_board *b, struct slice root, char *ret, size_t size);

#endif
