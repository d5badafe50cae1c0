/* Problems as lines for a person. */
#include "cli/problems.h"

#include "controller/resource.h"

#include <stdio.h>

void problems_print(const struct resources *r)
{
    const struct problem *p;
    for (size_t i = 0; (p = resources_problem(r, i)); i++)
        fprintf(stderr, "%s: %s: %s%s%s\n", p->level == PROBLEM_ERROR ? "error" : "warning",
                p->where, p->path, p->path[0] ? ": " : "", p->text);
}
