/* Problems as lines, as JSON and as diagnostics. */
#include "cli/problems.h"

#include "controller/resource.h"
#include "core/buf.h"
#include "core/diag.h"
#include "core/json.h"

#include <stdio.h>

#define PROBLEM_TEXT_MAX (16u << 10)

static const char *const levels[] = {[PROBLEM_ERROR] = "error", [PROBLEM_WARNING] = "warning"};

static void add_text(const struct problem *p, struct buf *out)
{
    buf_addf(out, "%s%s%s%s%s", p->where, p->where[0] ? ": " : "", p->path, p->path[0] ? ": " : "",
             p->text);
}

void problem_print(const struct problem *p)
{
    AUTO(buf_done) struct buf text = BUF_INIT(PROBLEM_TEXT_MAX);
    add_text(p, &text);
    fprintf(stderr, "%s: %.*s\n", levels[p->level], SLICE_ARG(buf_slice(&text)));
}

void problem_json(const struct problem *p, struct buf *out)
{
    buf_addf(out, "{\"level\":\"%s\",\"place\":", levels[p->level]);
    json_print_text(slice_str(p->where), out);
    buf_add_str(out, ",\"path\":");
    json_print_text(slice_str(p->path), out);
    buf_add_str(out, ",\"message\":");
    json_print_text(slice_str(p->text), out);
    buf_add_char(out, '}');
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
