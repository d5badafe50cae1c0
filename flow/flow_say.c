/* What the log knows of an object, for a line about it. Keeps nothing; what cannot be read is left out: no line may
 * stop the flow. */
#include "flow/flow_say.h"

#include "core/diag_object.h"
#include "core/event_codec.h"
#include "log/rlog.h"

struct event *flow_before(struct rlog *log, const struct event *ev)
{
    AUTO(rlog_found_done) struct rlog_found found = {0};
    struct err ignored = ERR_INIT;
    if (ev->offset == 0 || rlog_last(log, ev->key, ev->offset, &found, &ignored) != RC_OK)
        return NULL;
    found.event.body = SLICE_NULL;
    return event_copy(&found.event);
}

void flow_say(struct diag *d, struct rlog *log, const struct event *ev,
              const struct flow_line *line)
{
    if (!diag_says(d, line->level))
        return;
    AUTO(rlog_found_done) struct rlog_found found = {0};
    struct err ignored = ERR_INIT;
    if (ev->body.n == 0 && ev->offset > 0 &&
        rlog_last(log, ev->key, ev->offset + 1, &found, &ignored) == RC_OK)
        ev = &found.event;
    AUTO(freep) struct event *before = flow_before(log, ev);
    diag_say_object(d, line->level, line->msg,
                    &(struct diag_object){
                        .event = ev, .before = before, .more = line->more, .n_more = line->n_more});
}
