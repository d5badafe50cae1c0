/* A map from names to how they ended. */
#include "controller/once_board.h"

#include "controller/resource.h"
#include "core/buf.h"
#include "core/map.h"

#include <pthread.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>

#define NAME_MAX_BYTES 4096u

struct once_board {
    pthread_mutex_t lock;
    struct map *ended; /* full name -> &succeeded or &failed */
    char succeeded, failed;
    int fd;
};

struct once_board *once_board_new(void)
{
    AUTO(freep) struct once_board *b = calloc(1, sizeof *b);
    if (!b)
        return NULL;
    b->fd = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
    if (b->fd < 0)
        return NULL;
    b->ended = map_new(NULL);
    if (!b->ended) {
        close(b->fd);
        return NULL;
    }
    pthread_mutex_init(&b->lock, NULL);
    return steal(&b);
}

void once_board_free(struct once_board *b)
{
    if (!b)
        return;
    close(b->fd);
    map_free(b->ended);
    pthread_mutex_destroy(&b->lock);
    free(b);
}

/* Its name and what it says: an edited one has not run. */
static enum rc key_of(const struct sync *sync, struct buf *out, struct err *e)
{
    buf_add(out, sync->full_name, strlen(sync->full_name) + 1);
    buf_add(out, sync->digest, sizeof sync->digest);
    return buf_check(out, "the name of a synchronization", e);
}

enum rc once_board_set(struct once_board *b, const struct sync *sync, bool succeeded, struct err *e)
{
    AUTO(buf_done) struct buf key = BUF_INIT(NAME_MAX_BYTES);
    enum rc rc = key_of(sync, &key, e);
    if (rc < 0)
        return rc;
    pthread_mutex_lock(&b->lock);
    rc = map_put(b->ended, buf_slice(&key), succeeded ? &b->succeeded : &b->failed, e);
    pthread_mutex_unlock(&b->lock);
    (void)eventfd_write(b->fd, 1); /* it can only be full, and is readable then */
    return rc;
}

int once_board_fd(const struct once_board *b)
{
    return b->fd;
}

enum rc once_board_get(struct once_board *b, const struct sync *sync, bool *ret_succeeded)
{
    AUTO(buf_done) struct buf key = BUF_INIT(NAME_MAX_BYTES);
    struct err ignored = ERR_INIT;
    *ret_succeeded = false;
    if (key_of(sync, &key, &ignored) < 0)
        return RC_AGAIN;
    pthread_mutex_lock(&b->lock);
    const char *how = map_get(b->ended, buf_slice(&key));
    pthread_mutex_unlock(&b->lock);
    *ret_succeeded = how == &b->succeeded;
    return how ? RC_OK : RC_AGAIN;
}
