/* Remarks about the input, gathered while it is read and checked, then put in the order of files
 * and lines. Private to controller/.
 *
 * Adding cannot fail: a lack of memory is sticky and told by problem_list_finish. */
#ifndef RESILOG_CONTROLLER_PROBLEM_LIST_H
#define RESILOG_CONTROLLER_PROBLEM_LIST_H

#include "controller/resource.h"

#include <stddef.h>

struct json;
struct json_doc;
struct problem_list;

/* Of each level so many are kept; one more says how many are not. All are counted. */
#define PROBLEMS_MAX 1000
/* As much of a text of the input is shown. */
#define SHOWN_MAX 64
#define SHOWN(s)  (int)((s).n < SHOWN_MAX ? (s).n : SHOWN_MAX), (s).n ? (s).p : ""

/* A file, or a document in it. */
struct origin {
    struct problem_list *problems;
    const char *file; /* as the user named it */
    size_t order;     /* the place of the file among all */
    struct json_doc *doc;
};

struct problem_list *problem_list_new(void); /* NULL when out of memory */
void problem_list_free(struct problem_list *l);
DEFINE_FREEP(struct problem_list, problem_list_free)

/* A remark about a node of the origin's document, or with NULL about the file. The text must hold
 * nothing secret; it is copied, its control characters become '?'. */
void problem_error(const struct origin *o, const struct json *node, const char *fmt, ...)
    __attribute__((format(printf, 3, 4)));
void problem_warn(const struct origin *o, const struct json *node, const char *fmt, ...)
    __attribute__((format(printf, 3, 4)));
/* A failure as a problem of level PROBLEM_ERROR; NOMEM becomes the list's own. A message that
 * begins "<file>:<line>:<column>: " (core/yaml.h) has its place there. */
void problem_failure(const struct origin *o, const struct json *node, const struct err *why);
/* Memory was short elsewhere: problem_list_finish will say so. */
void problem_list_nomem(struct problem_list *l);

/* How many were added, kept or not. */
size_t problem_list_errors(const struct problem_list *l);
/* Sorts. Nothing may be added after it. Errors: NOMEM. */
MUST_CHECK enum rc problem_list_finish(struct problem_list *l, struct err *e);
const struct problem *problem_list_get(const struct problem_list *l, size_t index);

#endif
