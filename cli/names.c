/* Names, collected before anything else is asked of the store. */
#include "cli/names.h"

#include "cli/cli.h"
#include "core/buf.h"
#include "core/scope.h"
#include "log/ckpt.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define SHOWN_MAX 2048

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

struct search {
    const char *wanted;
    struct buf *found;
    struct buf all, meant; /* for a message */
    size_t hits;
};

static void add_shown(struct buf *out, struct slice name)
{
    if (out->n < SHOWN_MAX / 2)
        buf_addf(out, "%s%.*s", out->n ? ", " : "", SLICE_ARG(name));
}

static enum rc search_name(void *arg, struct slice consumer, struct err *e)
{
    struct search *s = arg;
    (void)e;
    add_shown(&s->all, consumer);
    if (!name_is(consumer, s->wanted))
        return RC_OK;
    add_shown(&s->meant, consumer);
    if (s->hits++ == 0)
        buf_add_slice(s->found, consumer);
    return RC_OK;
}

enum rc names_one(struct ckpt *ckpt, const char *wanted, struct buf *ret, struct err *e)
{
    struct search s = {wanted, ret, BUF_INIT(SHOWN_MAX), BUF_INIT(SHOWN_MAX), 0};
    struct err why = ERR_INIT;
    enum rc rc = ckpt_list(ckpt, search_name, &s, &why);
    if (s.hits > 1)
        rc = err_set(e, RC_INVALID, ERR_FINAL, "\"%s\" may be %.*s: write the namespace, too",
                     wanted, SLICE_ARG(buf_slice(&s.meant)));
    else if (s.hits == 1)
        rc = buf_check(ret, "name", e);
    else if (rc < 0)
        *e = why;
    else
        rc = err_set(e, RC_NOTFOUND, ERR_FINAL, "no synchronization \"%s\"; there are: %.*s",
                     wanted, SLICE_ARG(s.all.n ? buf_slice(&s.all) : SLICE("none")));
    buf_done(&s.all);
    buf_done(&s.meant);
    return rc;
}

bool name_is(struct slice consumer, const char *wanted)
{
    struct slice name;
    (void)slice_cut(consumer, '/', &name);
    return slice_eq(slice_str(wanted), consumer) || slice_eq(slice_str(wanted), name);
}
