/* Cursors and the file that keeps one between two calls. */
#include "cli/log_cursor.h"

#include "core/buf.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

void log_cursor_print(struct slice source, rlog_off last, struct buf *out)
{
    buf_addf(out, "%.*s@%" PRIu64, SLICE_ARG(source), last);
}

static bool parse_offset(struct slice text, rlog_off *ret)
{
    rlog_off n = 0;
    for (size_t i = 0; i < text.n; i++)
        if (text.p[i] < '0' || text.p[i] > '9' || __builtin_mul_overflow(n, 10u, &n) ||
            __builtin_add_overflow(n, (rlog_off)(text.p[i] - '0'), &n))
            return false;
    *ret = n;
    return text.n > 0;
}

enum rc log_cursor_parse(struct slice text, struct slice source, rlog_off next, rlog_off *ret,
                         struct err *e)
{
    const char *at = text.n ? memrchr(text.p, '@', text.n) : NULL;
    size_t n = at ? (size_t)(at - text.p) : 0;
    rlog_off last;
    if (!at || !parse_offset(slice_of(at + 1, text.n - n - 1), &last))
        return err_set(e, RC_INVALID, ERR_FINAL,
                       "\"%.*s\" is no cursor; one looks like %.*s@1234 and comes from "
                       "--show-cursor",
                       (int)(text.n < 200 ? text.n : 200), text.p, SLICE_ARG(source));
    if (!slice_eq(slice_of(text.p, n), source))
        return err_set(e, RC_INVALID, ERR_FINAL, "the cursor is of source %.*s, the log of %.*s",
                       (int)(n < 200 ? n : 200), text.p, SLICE_ARG(source));
    if (last >= next)
        return err_set(e, RC_INVALID, ERR_FINAL,
                       "the cursor stands at offset %" PRIu64 ", the log ends at %" PRIu64
                       ": it is not the log that the cursor comes from",
                       last, next - 1);
    *ret = last;
    return RC_OK;
}

enum rc log_cursor_load(const char *path, struct buf *out, struct err *e)
{
    char text[LOG_CURSOR_MAX];
    FILE *f = fopen(path, "re");
    if (!f)
        return errno == ENOENT ? RC_OK : err_sys(e, errno, "open %s", path);
    size_t n = fread(text, 1, sizeof text, f);
    bool failed = ferror(f);
    fclose(f);
    if (failed)
        return err_sys(e, EIO, "read %s", path);
    while (n > 0 && (text[n - 1] == '\n' || text[n - 1] == '\r'))
        n--;
    buf_add(out, text, n);
    return buf_check(out, path, e);
}

enum rc log_cursor_save(const char *path, struct slice text, struct err *e)
{
    char tmp[LOG_CURSOR_MAX];
    int n = snprintf(tmp, sizeof tmp, "%s.tmp", path);
    if (n < 0 || (size_t)n >= sizeof tmp)
        return err_set(e, RC_LIMIT, ERR_FINAL, "the file's name is too long: %.100s", path);
    FILE *f = fopen(tmp, "we");
    if (!f)
        return err_sys(e, errno, "open %s", tmp);
    bool written = fprintf(f, "%.*s\n", SLICE_ARG(text)) > 0;
    written = fclose(f) == 0 && written;
    if (written && rename(tmp, path) == 0)
        return RC_OK;
    int failed = errno;
    remove(tmp);
    return err_sys(e, failed, "write %s", path);
}
