/* Files of the tz database. A name becomes part of a path, so only what can be a zone's name is taken. */
#include "io/tz_file.h"

#include "core/buf.h"
#include "core/scope.h"
#include "core/tz.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define ZONEINFO       "/usr/share/zoneinfo/"
#define LOCALTIME      "/etc/localtime"
#define NAME_MAX_BYTES 64
#define FILE_MAX       (256u << 10)

/* "Area/City": letters, digits, '_', '-', '+', each part beginning with a letter. */
static bool is_zone_name(struct slice name)
{
    bool begins = true;
    for (size_t i = 0; i < name.n; i++) {
        char c = name.p[i];
        bool letter = (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z');
        bool inner = (c >= '0' && c <= '9') || c == '_' || c == '-' || c == '+' || c == '/';
        if (!letter && (begins || !inner))
            return false;
        begins = c == '/';
    }
    return name.n > 0 && name.n <= NAME_MAX_BYTES && !begins;
}

/* Appends the file. Errors: as err_sys, LIMIT. */
static enum rc read_file(const char *path, struct buf *out, struct err *e)
{
    char piece[4096];
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    if (fd < 0)
        return err_sys(e, errno, "%s", path);
    ssize_t n;
    while ((n = read(fd, piece, sizeof piece)) > 0)
        buf_add(out, piece, (size_t)n);
    int sys = errno;
    close(fd);
    return n < 0 ? err_sys(e, sys, "%s", path) : buf_check(out, path, e);
}

static enum rc load(const char *path, struct tz **ret, struct err *e)
{
    AUTO(buf_done) struct buf bytes = BUF_INIT(FILE_MAX);
    enum rc rc = read_file(path, &bytes, e);
    if (rc < 0)
        return rc;
    rc = tz_parse(buf_slice(&bytes), ret, e);
    return rc < 0 ? err_wrap(e, "%s", path) : rc;
}

static enum rc load_own(struct tz **ret, struct err *e)
{
    struct err why = ERR_INIT;
    *ret = NULL;
    enum rc rc = load(LOCALTIME, ret, &why);
    if (rc == RC_OK || rc == RC_NOTFOUND)
        return RC_OK;
    *e = why;
    return rc;
}

enum rc tz_load(struct slice name, struct tz **ret, struct err *e)
{
    char path[sizeof ZONEINFO + NAME_MAX_BYTES];
    struct err why = ERR_INIT;
    bool asked = name.n > 0;
    if (!asked) {
        const char *own = getenv("TZ"); /* NOLINT(concurrency-mt-unsafe): nobody sets it */
        name = slice_str(own && *own == ':' ? own + 1 : own);
        if (!is_zone_name(name))
            return load_own(ret, e);
    }
    if (!is_zone_name(name))
        return err_set(e, RC_INVALID, ERR_FINAL,
                       "\"%.*s\" is no name of a time zone; allowed: names of the tz database, "
                       "\"Europe/Madrid\"",
                       (int)(name.n > 40 ? 40 : name.n), name.p);
    memcpy(path, ZONEINFO, sizeof ZONEINFO - 1);
    memcpy(path + sizeof ZONEINFO - 1, name.p, name.n);
    path[sizeof ZONEINFO - 1 + name.n] = '\0';
    enum rc rc = load(path, ret, &why);
    if (rc < 0 && rc != RC_NOMEM)
        return err_set(
            e, rc, ERR_FINAL,
            "there is no time zone \"%.*s\" here: %.300s; is the package tzdata installed?",
            SLICE_ARG(name), why.msg);
    if (rc < 0)
        *e = why;
    return rc;
}
