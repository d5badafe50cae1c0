/* getrandom(2). It can only fail for a wrong call or a kernel without it; then the process stops,
 * for going on with numbers that are not random would be worse. The instance holds no state. */
#include "io/rng_sys.h"

#include "core/rng.h"

#include <errno.h>
#include <stdlib.h>
#include <sys/random.h>

static void sys_fill(struct rng *r, void *out, size_t n)
{
    (void)r;
    unsigned char *p = out;
    while (n) {
        ssize_t got = getrandom(p, n, 0);
        if (got < 0 && errno == EINTR)
            continue;
        if (got < 0)
            abort();
        p += got;
        n -= (size_t)got;
    }
}

struct rng *rng_sys(void)
{
    static const struct rng_ops ops = {.fill = sys_fill};
    static const struct rng instance = {.ops = &ops};
    return (struct rng *)&instance; /* nobody writes to it */
}
