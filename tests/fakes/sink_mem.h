/* A destination in memory and a sink onto it that answers as the test says.
 *
 * The destination outlives the sinks on it, as a cluster does: to crash, close the pump and the sink and open
 * new ones. What a sink was told and has not done yet is lost then. The fake checks what every sink may rely
 * on (it aborts where the pump breaks that): at most one item of a key in flight, borrowed memory alive until
 * the result, items given only once. A fake that runs out of memory aborts. */
#ifndef RESILOG_TESTS_SINK_MEM_H
#define RESILOG_TESTS_SINK_MEM_H

#include "core/event.h"
#include "core/scope.h"
#include "sinks/sink.h"

struct dest_mem;

/* An empty destination. */
struct dest_mem *dest_mem_new(void);
void dest_mem_free(struct dest_mem *d); /* after its sinks are closed */
DEFINE_FREEP(struct dest_mem, dest_mem_free)

/* The object's body, or p == NULL; lives until the next write. */
struct slice dest_mem_get(const struct dest_mem *d, const char *key);
size_t dest_mem_count(const struct dest_mem *d);
/* An object with our mark that nobody remembers: what a lost data folder leaves behind. */
void dest_mem_leave(struct dest_mem *d, const char *key, const char *body);

/* Somebody else changes the object (body NULL: deletes it); the sink sees that its record is no longer true. */
void dest_mem_touch(struct dest_mem *d, const char *key, const char *body);

/* What was written, in order. Writes that would change nothing are not sent. */
struct dest_mem_write {
    enum sink_op op;
    rlog_off offset; /* of the event; 0: a delete that the pump made up */
    bool observed;
    const char *key, *body; /* alive as long as d */
};
size_t dest_mem_writes(const struct dest_mem *d);
struct dest_mem_write dest_mem_write_at(const struct dest_mem *d, size_t index);
/* How often an older event of a key was written over a newer one (I4: never), over all crashes. */
size_t dest_mem_disorder(const struct dest_mem *d);

/* How items of a key are answered from now on; the object changes only with SINK_DONE. */
struct sink_script {
    enum sink_outcome outcome;
    const char *cls, *reason; /* NULL: some text */
    const char *dependency;   /* NULL: none */
    unsigned times;           /* then done again; 0: until another script is set */
    int64_t retry_after_ns;   /* 0: none */
    const char
        *preimage; /* not copied; to be kept, and an item that brings it is done; NULL: none */
};
/* script NULL: done again. The texts are copied. */
void dest_mem_script(struct dest_mem *d, const char *key, const struct sink_script *script);
/* Results come so much later from now on. */
void dest_mem_delay(struct dest_mem *d, int64_t ns);
/* Most items in flight; beyond it AGAIN. 0: none at all. At first without limit. */
void dest_mem_window(struct dest_mem *d, size_t items);
/* Writes stay in the sink until it is flushed, and are lost with it. */
void dest_mem_cache(struct dest_mem *d, bool on);
void dest_mem_fatal(struct dest_mem *d, bool on);
/* Scans of this scope fail so from now on; NULL: of none. */
void dest_mem_deny_scan(struct dest_mem *d, const char *scope, enum rc rc);
/* It bears no marks, as a tree of znodes: a scan of a scope, which is a root's path then, gives all that is there, without
 * body. */
void dest_mem_tree(struct dest_mem *d);
/* Which destination it says it is; at first it does not tell. */
void dest_mem_identity(struct dest_mem *d, const char *identity);
/* How often each key was submitted. */
size_t dest_mem_submits(const struct dest_mem *d, const char *key);

/* What the item submitted last said of its history; the borrowed members are not to be looked at. */
struct sink_item dest_mem_last(const struct dest_mem *d);
/* And which policy the put submitted last had about what is not ours. */
enum sink_adopt dest_mem_last_adopt(const struct dest_mem *d);

/* Borrows d and env. */
struct sink *sink_mem_open(struct dest_mem *d, const struct env *env);

#endif
