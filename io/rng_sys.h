/* The operating system's entropy. */
#ifndef RESILOG_IO_RNG_SYS_H
#define RESILOG_IO_RNG_SYS_H

struct rng;

/* One constant instance for all; nothing to free. Safe from any thread. */
struct rng *rng_sys(void);

#endif
