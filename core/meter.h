/* The metrics registry: named counters and gauges with labels, safe from any thread, printed as Prometheus
 * text 0.0.4. */
#ifndef RESILOG_CORE_METER_H
#define RESILOG_CORE_METER_H

#include "core/err.h"

#include <stdint.h>

struct buf;
struct meter;
struct meter_value;

enum meter_type { METER_COUNTER, METER_GAUGE };

struct meter *meter_new(void); /* NULL when out of memory */
void meter_free(struct meter *m);

/* The value of name{labels}, made on first use; lives as long as the meter. labels is the text between the
 * braces, `sync="a",kind="b"`, "" for none; names match [a-z_][a-z0-9_]* and begin with "resilog_". help and
 * type of a name are fixed by its first use. NULL (a silent no-op for the calls below) when m is NULL or out
 * of memory. */
struct meter_value *meter_get(struct meter *m, enum meter_type type, const char *name,
                              const char *help, const char *labels);
void meter_add(struct meter_value *v, int64_t delta);
void meter_set(struct meter_value *v, int64_t value);
int64_t meter_read(const struct meter_value *v);

/* Adds all metrics, sorted by name and labels. */
void meter_print(struct meter *m, struct buf *out);

#endif
