/* Problems as lines. */
#include "cli/problems.h"

#include "controller/resource.h"
#include "core/buf.h"
#include "core/diag.h"

#include <stdio.h>

#define PROBLEM_TEXT_MAX (16u << 10)

static void add_text(const struct problem *p, struct buf *out)
{
    buf_addf(out, "%s: %s%s%s", p->where, p->path, p->path[0] ? ": " : "", p->text);
}

void problems_print(const struct resources *r)
{
    const struct problem *p;
    for (size_t i = 0; (p = resources_problem(r, i)); i++) {
        AUTO(buf_done) struct buf text = BUF_INIT(PROBLEM_TEXT_MAX);
        add_text(p, &text);
        fprintf(stderr, "%s: %.*s\n", p->level == PROBLEM_ERROR ? "error" : "warning",
                SLICE_ARG(buf_slice(&text)));
    }
}

void problems_say(const struct resources *r, struct diag *diag)
{
    const struct problem *p;
    for (size_t i = 0; (p = resources_problem(r, i)); i++) {
        AUTO(buf_done) struct buf text = BUF_INIT(PROBLEM_TEXT_MAX);
        add_text(p, &text);
        DIAG(diag, p->level == PROBLEM_ERROR ? DIAG_ERROR : DIAG_WARN, text.n ? text.p : p->text,
             DIAG_J("resource.place", slice_str(p->where)),
             DIAG_J("resource.path", slice_str(p->path)));
    }
}
