/* Framing by newline, and the address of a socket in a folder with a path of any length. */
#include "io/line.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>

enum rc line_find(struct slice bytes, struct slice *ret, struct err *e)
{
    const char *end = bytes.n ? memchr(bytes.p, '\n', bytes.n) : NULL;
    size_t n = end ? (size_t)(end - bytes.p) : bytes.n;
    if (n > LINE_BYTES_MAX)
        return err_set(e, RC_LIMIT, ERR_FINAL, "a line of more than %u bytes", LINE_BYTES_MAX);
    if (n > 0 && memchr(bytes.p, '\0', n))
        return err_set(e, RC_INVALID, ERR_FINAL, "a line with a NUL byte");
    if (!end)
        return RC_AGAIN;
    if (n == 0)
        return err_set(e, RC_INVALID, ERR_FINAL, "an empty line");
    if (n + 1 < bytes.n)
        return err_set(e, RC_INVALID, ERR_FINAL, "%zu bytes behind the line", bytes.n - n - 1);
    *ret = slice_of(bytes.p, n);
    return RC_OK;
}

enum rc line_address(const char *dir, const char *name, int *ret_dir, struct sockaddr_un *ret,
                     struct err *e)
{
    int fd = open(dir, O_PATH | O_DIRECTORY | O_CLOEXEC);
    if (fd < 0)
        return err_sys(e, errno, "%s", dir);
    *ret = (struct sockaddr_un){.sun_family = AF_UNIX};
    snprintf(ret->sun_path, sizeof ret->sun_path, "/proc/self/fd/%d/%s", fd, name);
    *ret_dir = fd;
    return RC_OK;
}
