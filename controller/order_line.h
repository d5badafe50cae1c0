/* Orders and their answers as lines of JSON, for the control socket. An order: {"order":"retry" ("skip", "adopt", "look"),
 * "sync":"ns/name","key":"/configmaps/ns/a"}, key empty for all. An answer: {"result":"ok","n":1,"atRest":false}, or
 * {"result":"conflict","n":0,"atRest":false,"message":"..."} with the name of an enum rc. Members that are not known are passed over. */
#ifndef RESILOG_CONTROLLER_ORDER_LINE_H
#define RESILOG_CONTROLLER_ORDER_LINE_H

#include "core/err.h"
#include "core/slice.h"

struct buf;
struct order;
struct order_answer;

/* Appends the line, without a newline. */
void order_print(const struct order *o, struct buf *out);
/* Errors: INVALID (no order; unknown, or of a text that is too long), NOMEM. */
MUST_CHECK enum rc order_parse(struct slice line, struct order *ret, struct err *e);
/* The same of an answer. */
void order_answer_print(const struct order_answer *a, struct buf *out);
/* Errors: INVALID (no answer), NOMEM. */
MUST_CHECK enum rc order_answer_parse(struct slice line, struct order_answer *ret, struct err *e);

#endif
