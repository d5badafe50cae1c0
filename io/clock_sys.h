/* The operating system's clock. */
#ifndef RESILOG_IO_CLOCK_SYS_H
#define RESILOG_IO_CLOCK_SYS_H

struct clock;

/* One constant instance for all; nothing to free. Safe from any thread. */
struct clock *clock_sys(void);

#endif
