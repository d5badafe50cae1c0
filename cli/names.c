/* Names, collected before anything else is asked of the store. */
#include "cli/names.h"

#include "cli/cli.h"
#include "core/scope.h"
#include "log/ckpt.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct names {
    char *list[NAMES_MAX];
    size_t n;
};

static void names_free(struct names *n)
{
    for (size_t i = 0; n && i < n->n; i++)
        free(n->list[i]);
    free(n);
}
DEFINE_FREEP(struct names, names_free)

static enum rc add_name(void *arg, struct slice consumer, struct err *e)
{
    struct names *names = arg;
    if (names->n == NAMES_MAX)
        return err_set(e, RC_LIMIT, ERR_FINAL, "more than %d synchronizations", NAMES_MAX);
    names->list[names->n] = strndup(consumer.p, consumer.n);
    return names->list[names->n++] ? RC_OK : err_nomem(e);
}

/* Tells a failure; code is what was to be returned so far. */
static int tell(const struct err *e, int code)
{
    int mine = cli_fail(e);
    if (e->rc == RC_CORRUPT)
        fprintf(stderr, "resilog: a damaged checkpoint may be removed while 'run' is not running: "
                        "its synchronization then begins with a full comparison\n");
    return code == EXIT_DONE ? mine : code;
}

int names_each(struct ckpt *ckpt, const char *wanted, names_fn *fn, void *arg, size_t *ret_meant)
{
    AUTO(names_freep) struct names *names = calloc(1, sizeof *names);
    struct err e = ERR_INIT;
    int code = EXIT_DONE;
    *ret_meant = 0;
    if (!names)
        return err_nomem(&e), cli_fail(&e);
    if (ckpt_list(ckpt, add_name, names, &e) < 0)
        code = tell(&e, code);
    for (size_t i = 0; i < names->n; i++) {
        struct slice consumer = slice_str(names->list[i]);
        struct err why = ERR_INIT;
        if (wanted && !name_is(consumer, wanted))
            continue;
        ++*ret_meant;
        if (fn(arg, consumer, &why) < 0) {
            err_wrap(&why, "%s", names->list[i]);
            code = tell(&why, code);
        }
    }
    return code;
}

bool name_is(struct slice consumer, const char *wanted)
{
    struct slice name;
    (void)slice_cut(consumer, '/', &name);
    return slice_eq(slice_str(wanted), consumer) || slice_eq(slice_str(wanted), name);
}
