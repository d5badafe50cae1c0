/* The option --log-level. */
#include "cli/log_levels.h"

#include "core/buf.h"

static enum rc parse_level(struct slice text, enum diag_level *ret, struct err *e)
{
    if (speaker_level(text, ret))
        return RC_OK;
    return err_set(e, RC_INVALID, ERR_FINAL,
                   "--log-level: \"%.*s\" is no level: debug, info, warn or error",
                   SLICE_ARG(text));
}

static enum rc unknown_component(struct slice text, struct err *e)
{
    AUTO(buf_done) struct buf all = BUF_INIT(1024);
    for (int i = 0; i < SPEAKERS; i++)
        buf_addf(&all, "%s%s", i ? ", " : "", speaker_name((enum speaker)i));
    return err_set(e, RC_INVALID, ERR_FINAL,
                   "--log-level: there is no component \"%.*s\"; there are %s", SLICE_ARG(text),
                   all.n ? all.p : "");
}

static enum rc parse_one(const char *value, struct log_levels *l, struct err *e)
{
    struct slice level, name = slice_cut(slice_str(value), '=', &level);
    if (!strchr(value, '=')) {
        l->said = true;
        return parse_level(name, &l->least, e);
    }
    for (int i = 0; i < SPEAKERS; i++)
        if (slice_eq(name, slice_str(speaker_name((enum speaker)i)))) {
            l->has[i] = true;
            return parse_level(level, &l->of[i], e);
        }
    return unknown_component(name, e);
}

enum rc log_levels_parse(const struct option_values *given, struct log_levels *ret, struct err *e)
{
    struct log_levels l = {.least = DIAG_INFO};
    for (size_t i = 0; i < given->n; i++) {
        enum rc rc = parse_one(given->list[i], &l, e);
        if (rc != RC_OK)
            return rc;
    }
    *ret = l;
    return RC_OK;
}

void log_levels_apply(const struct log_levels *levels, struct diag *d)
{
    for (int i = 0; i < SPEAKERS; i++)
        if (levels->has[i] || levels->said)
            diag_rule(d, SPEAKER_FIELD, speaker_name((enum speaker)i),
                      levels->has[i] ? levels->of[i] : levels->least);
}
