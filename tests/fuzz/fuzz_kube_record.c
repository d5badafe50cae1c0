/* The Kubernetes sink's record: whatever the bytes are, they are refused, or they are a record whose base can be
 * asked for. With a mask of the checksum the bytes behind it are reached too. */
#include "core/buf.h"
#include "core/compress.h"
#include "core/digest.h"
#include "core/le.h"
#include "core/scope.h"
#include "sinks/kube_record.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void try(struct slice bytes)
{
    AUTO(buf_done) struct buf desired = BUF_INIT(KUBE_RECORD_BODY_MAX);
    struct kube_record r;
    struct err e = ERR_INIT;
    if (kube_record_decode(bytes, &r, &e) != RC_OK) {
        assert(e.msg[0]);
        return;
    }
    struct compressor *c = compressor_new();
    assert(c);
    enum rc rc = kube_record_desired(&r, c, &desired, &e);
    assert(rc != RC_OK || desired.n == r.raw_size);
    compressor_free(c);
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
