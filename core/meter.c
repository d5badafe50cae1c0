/* The metrics registry: a map of names to families, each a map of label texts to values. The lock
 * guards the maps; the values are atomic, so counting takes no lock and works while another thread
 * prints. Nothing is ever removed: a value lives as long as the meter. */
#include "core/meter.h"

#include "core/buf.h"
#include "core/map.h"

#include <assert.h>
#include <inttypes.h>
#include <pthread.h>
#include <stdatomic.h>

struct meter {
    pthread_mutex_t lock;
    struct map *families;
};

struct family {
    enum meter_type type;
    char *help;
    struct map *values;
};

struct meter_value {
    _Atomic int64_t number;
};

static void family_free(void *p)
{
    struct family *f = p;
    if (!f)
        return;
    map_free(f->values);
    free(f->help);
    free(f);
}

static struct family *family_new(enum meter_type type, const char *help)
{
    struct family *f = calloc(1, sizeof *f);
    if (!f)
        return NULL;
    f->type = type;
    f->help = strdup(help);
    f->values = map_new(free);
    if (!f->help || !f->values) {
        family_free(f);
        return NULL;
    }
    return f;
}

struct meter *meter_new(void)
{
    struct meter *m = calloc(1, sizeof *m);
    if (!m)
        return NULL;
    m->families = map_new(family_free);
    if (!m->families || pthread_mutex_init(&m->lock, NULL)) {
        map_free(m->families);
        free(m);
        return NULL;
    }
    return m;
}

void meter_free(struct meter *m)
{
    if (!m)
        return;
    pthread_mutex_destroy(&m->lock);
    map_free(m->families);
    free(m);
}

static bool name_ok(const char *name)
{
    return strncmp(name, "resilog_", 8) == 0 &&
           name[strspn(name, "abcdefghijklmnopqrstuvwxyz0123456789_")] == '\0';
}

/* Finds or makes; the caller holds the lock. NULL when out of memory. */
static struct meter_value *get_locked(struct meter *m, enum meter_type type, const char *name,
                                      const char *help, const char *labels)
{
    struct family *f = map_get(m->families, slice_str(name));
    if (!f) {
        f = family_new(type, help);
        if (!f || map_put(m->families, slice_str(name), f, NULL))
            return NULL;
    }
    struct meter_value *v = map_get(f->values, slice_str(labels));
    if (v)
        return v;
    v = calloc(1, sizeof *v);
    if (!v || map_put(f->values, slice_str(labels), v, NULL))
        return NULL;
    return v;
}

struct meter_value *meter_get(struct meter *m, enum meter_type type, const char *name,
                              const char *help, const char *labels)
{
    assert(name_ok(name));
    if (!m)
        return NULL;
    pthread_mutex_lock(&m->lock);
    struct meter_value *v = get_locked(m, type, name, help, labels);
    pthread_mutex_unlock(&m->lock);
    return v;
}

void meter_add(struct meter_value *v, int64_t delta)
{
    if (v)
        atomic_fetch_add_explicit(&v->number, delta, memory_order_relaxed);
}

void meter_set(struct meter_value *v, int64_t value)
{
    if (v)
        atomic_store_explicit(&v->number, value, memory_order_relaxed);
}

int64_t meter_read(const struct meter_value *v)
{
    return v ? atomic_load_explicit(&v->number, memory_order_relaxed) : 0;
}

static void print_help(const char *help, struct buf *out)
{
    for (; *help; help++) {
        if (*help == '\\')
            buf_add_str(out, "\\\\");
        else if (*help == '\n')
            buf_add_str(out, "\\n");
        else
            buf_add_char(out, *help);
    }
}

static void print_family(struct slice name, const struct family *f, struct buf *out)
{
    buf_addf(out, "# HELP %.*s ", SLICE_ARG(name));
    print_help(f->help, out);
    buf_addf(out, "\n# TYPE %.*s %s\n", SLICE_ARG(name),
             f->type == METER_COUNTER ? "counter" : "gauge");
    struct map_entry at = {.key = SLICE_NULL};
    for (bool after = false; map_seek(f->values, at.key, after, &at); after = true) {
        buf_add_slice(out, name);
        if (at.key.n)
            buf_addf(out, "{%.*s}", SLICE_ARG(at.key));
        buf_addf(out, " %" PRId64 "\n", meter_read(at.value));
    }
}

void meter_print(struct meter *m, struct buf *out)
{
    if (!m)
        return;
    pthread_mutex_lock(&m->lock);
    struct map_entry at = {.key = SLICE_NULL};
    for (bool after = false; map_seek(m->families, at.key, after, &at); after = true)
        print_family(at.key, at.value, out);
    pthread_mutex_unlock(&m->lock);
}
