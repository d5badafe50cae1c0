/* Files of credentials. What a buffer leaves behind when it grows is not overwritten. */
#include "io/secret_file.h"

#include "core/buf.h"
#include "core/scope.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

static void wipe(struct buf *b)
{
    if (b->p)
        explicit_bzero(b->p, b->n);
    buf_done(b);
}

static enum rc failed(const char *path, int sys, struct err *e)
{
    return err_set(e, RC_INVALID, ERR_RETRY, "%.256s: %s", path, strerrordesc_np(sys));
}

static enum rc read_all(const char *path, struct buf *out, struct err *e)
{
    char piece[4096];
    /* A pipe's end would be waited for. */
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    if (fd < 0)
        return failed(path, errno, e);
    ssize_t n;
    while ((n = read(fd, piece, sizeof piece)) > 0)
        buf_add(out, piece, (size_t)n);
    int sys = errno;
    explicit_bzero(piece, sizeof piece);
    close(fd);
    return n < 0 ? failed(path, sys, e) : buf_check(out, path, e);
}

enum rc secret_file_read(const char *path, char **ret, struct err *e)
{
    AUTO(wipe) struct buf text = BUF_INIT(SECRET_FILE_MAX);
    enum rc rc = read_all(path, &text, e);
    if (rc != RC_OK)
        return rc;
    while (text.n && strchr(" \t\r\n", text.p[text.n - 1]))
        text.p[--text.n] = 0;
    if (!text.n || memchr(text.p, 0, text.n))
        return err_set(e, RC_INVALID, ERR_RETRY, "%.256s is empty or no text", path);
    *ret = buf_steal(&text, NULL);
    return RC_OK;
}

bool secret_is_pem(struct slice text)
{
    return text.n && memmem(text.p, text.n, "-----BEGIN ", 11) && !memchr(text.p, 0, text.n);
}

void secret_free(char *text)
{
    if (text)
        explicit_bzero(text, strlen(text));
    free(text);
}

void secret_file_look(const char *path, struct secret_file_state *ret)
{
    struct stat st = {0};
    if (stat(path, &st) != 0)
        st = (struct stat){0};
    *ret = (struct secret_file_state){{(int64_t)st.st_dev, (int64_t)st.st_ino, (int64_t)st.st_size,
                                       (int64_t)st.st_mtim.tv_sec, (int64_t)st.st_mtim.tv_nsec,
                                       (int64_t)st.st_ctim.tv_sec, (int64_t)st.st_ctim.tv_nsec}};
}

bool secret_file_same(const struct secret_file_state *a, const struct secret_file_state *b)
{
    return memcmp(a, b, sizeof *a) == 0;
}
