/* Pages kept from one look-up to the next. A page has one place, by its number; whoever comes later takes it. Keeps
 * copies, so nothing in it points into anybody's row. Failure modes: without memory it keeps less. Threads: its
 * owner's. */
#include "log/pages_priv.h"

#include <stdlib.h>
#include <string.h>

#define PLACES 64u

struct place {
    uint64_t number; /* of the page; 0: none, for that is a meta page */
    char *page;
};

struct pages_cache {
    struct place places[PLACES];
};

struct pages_cache *pages_cache_new(void)
{
    return calloc(1, sizeof(struct pages_cache));
}

void pages_cache_free(struct pages_cache *cache)
{
    if (!cache)
        return;
    for (unsigned i = 0; i < PLACES; i++)
        free(cache->places[i].page);
    free(cache);
}

void pages_cache_clear(struct pages_cache *cache)
{
    for (unsigned i = 0; i < PLACES; i++)
        cache->places[i].number = 0;
}

static void keep(struct place *place, uint64_t number, const char *page, size_t size)
{
    place->number = 0;
    if (!place->page)
        place->page = malloc(size);
    if (!place->page)
        return;
    memcpy(place->page, page, size);
    place->number = number;
}

enum rc pages_load_cached(const struct pages *f, struct pages_cache *cache, uint64_t number,
                          unsigned kind, char *page, struct err *e)
{
    struct place *place = cache ? &cache->places[number % PLACES] : NULL;
    if (place && number > 0 && place->number == number && pages_page_kind(place->page) == kind) {
        memcpy(page, place->page, f->size);
        return RC_OK;
    }
    enum rc rc = pages_load(f, number, kind, page, e);
    if (rc == RC_OK && place)
        keep(place, number, page, f->size);
    return rc;
}
