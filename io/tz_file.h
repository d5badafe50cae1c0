/* The system's tz database (package tzdata). */
#ifndef RESILOG_IO_TZ_FILE_H
#define RESILOG_IO_TZ_FILE_H

#include "core/err.h"
#include "core/slice.h"

struct tz;

/* The zone of that name ("Europe/Madrid", "UTC"); of the empty name the system's own: that of the environment's TZ,
 * else of /etc/localtime, else *ret is NULL, which is UTC. Errors: NOTFOUND (no such zone, or no tzdata), INVALID (no
 * name of a zone; a damaged file), IO, NOMEM. */
MUST_CHECK enum rc tz_load(struct slice name, struct tz **ret, struct err *e);

#endif
