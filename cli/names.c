/* Names, collected before anything else is asked of the store. */
#include "cli/names.h"

#include "log/ckpt.h"

#include <stdlib.h>
#include <string.h>

static enum rc add_name(void *arg, struct slice consumer, struct err *e)
{
    struct names *names = arg;
    if (names->n == NAMES_MAX)
        return err_set(e, RC_LIMIT, ERR_FINAL, "more than %d synchronizations", NAMES_MAX);
    names->list[names->n] = strndup(consumer.p, consumer.n);
    return names->list[names->n++] ? RC_OK : err_nomem(e);
}

enum rc names_of_consumers(struct ckpt *ckpt, struct names **ret, struct err *e)
{
    AUTO(names_freep) struct names *names = calloc(1, sizeof *names);
    if (!names)
        return err_nomem(e);
    enum rc rc = ckpt_list(ckpt, add_name, names, e);
    if (rc == RC_OK)
        *ret = steal(&names);
    return rc;
}

void names_free(struct names *n)
{
    for (size_t i = 0; n && i < n->n; i++)
        free(n->list[i]);
    free(n);
}

bool name_is(struct slice consumer, const char *wanted)
{
    struct slice name;
    (void)slice_cut(consumer, '/', &name);
    return slice_eq(slice_str(wanted), consumer) || slice_eq(slice_str(wanted), name);
}
