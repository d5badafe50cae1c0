/* The ZooKeeper sink's record: whatever the bytes are, they are refused, or they are a record that is written as the
 * same bytes again, or of an older version and then read as the same again. With a right checksum the bytes before it are reached too. */
#include "core/buf.h"
#include "core/digest.h"
#include "core/le.h"
#include "core/scope.h"
#include "sinks/zk_record.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void try(struct slice bytes)
{
    AUTO(buf_done) struct buf again = BUF_INIT(ZK_RECORD_MAX);
    struct zk_record r;
    struct err e = ERR_INIT;
    if (zk_record_decode(bytes, &r, &e) != RC_OK) {
        assert(e.msg[0]);
        return;
    }
    enum rc rc = zk_record_encode(&r, &again, &e);
    assert(rc == RC_OK);
    if (bytes.p[4] == 1) {
        struct zk_record same;
        rc = zk_record_decode(buf_slice(&again), &same, &e);
        assert(rc == RC_OK && same.ctime == 0 && same.flags == r.flags);
        assert(same.czxid == r.czxid && slice_eq(same.body, r.body));
    } else {
        assert(slice_eq(buf_slice(&again), bytes));
    }
    (void)rc;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    try(slice_of(data, size));
    if (size < 4)
        return 0;
    char *fixed = malloc(size);
    assert(fixed);
    memcpy(fixed, data, size);
    le_put_u32(fixed + size - 4, crc32c(0, fixed, size - 4));
    try(slice_of(fixed, size));
    free(fixed);
    return 0;
}
