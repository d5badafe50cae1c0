/* A map from names to how they ended. */
#include "controller/once_board.h"

#include "core/map.h"

#include <pthread.h>
#include <sys/eventfd.h>
#include <unistd.h>

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

enum rc once_board_set(struct once_board *b, const char *full_name, bool succeeded, struct err *e)
{
    pthread_mutex_lock(&b->lock);
    enum rc rc = map_put(b->ended, slice_str(full_name), succeeded ? &b->succeeded : &b->failed, e);
    pthread_mutex_unlock(&b->lock);
    (void)eventfd_write(b->fd, 1); /* it can only be full, and is readable then */
    return rc;
}

int once_board_fd(const struct once_board *b)
{
    return b->fd;
}

enum rc once_board_get(struct once_board *b, const char *full_name, bool *ret_succeeded)
{
    pthread_mutex_lock(&b->lock);
    const char *how = map_get(b->ended, slice_str(full_name));
    pthread_mutex_unlock(&b->lock);
    *ret_succeeded = how == &b->succeeded;
    return how ? RC_OK : RC_AGAIN;
}
