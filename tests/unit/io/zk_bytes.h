/* Bytes of the protocol as a person writes them down. */
#ifndef RESILOG_TESTS_UNIT_IO_ZK_BYTES_H
#define RESILOG_TESTS_UNIT_IO_ZK_BYTES_H

#include "core/slice.h"

#define ZK_BYTES_MAX 4096

/* A node's Stat with the numbers 0x101 to 0x104, 5 to 7, 0x108, 9, 10, 0x10b in the order of its fields. */
#define ZK_STAT                                                                                    \
    "0000000000000101 0000000000000102 0000000000000103 0000000000000104 00000005 00000006"        \
    "00000007 0000000000000108 00000009 0000000a 000000000000010b"

/* From pairs of hex digits and 'quoted' characters; blanks mean nothing. out holds ZK_BYTES_MAX bytes; the test fails
 * where that is not enough. */
struct slice zk_bytes(const char *text, char *out);
/* The same as a frame: behind its length. */
struct slice zk_frame(const char *text, char *out);

#endif
