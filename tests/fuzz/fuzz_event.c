/* Events: whatever decodes encodes to the same bytes again and survives a copy. A mutation nearly always
 * breaks the checksum, so each input is tried as it is and once more with length and checksum made right. */
#include "core/buf.h"
#include "core/digest.h"
#include "core/event_codec.h"
#include "core/le.h"
#include "core/scope.h"

#define CHECK(what)                                                                                \
    do {                                                                                           \
        if (!(what))                                                                               \
            __builtin_trap();                                                                      \
    } while (0)

#define ENVELOPE 9 /* length, version and checksum */

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);

static void check_encodes_to(const struct event *ev, struct slice bytes)
{
    AUTO(buf_done) struct buf out = BUF_INIT(bytes.n);
    struct err e = ERR_INIT;
    CHECK(event_encoded_size(ev) == bytes.n);
    CHECK(event_encode(ev, &out, &e) == RC_OK);
    CHECK(slice_eq(buf_slice(&out), bytes));
}

static void try_all(struct slice in)
{
    for (;;) {
        struct slice before = in;
        struct event ev;
        struct err e = ERR_INIT;
        enum rc rc = event_decode(&in, &ev, &e);
        if (rc != RC_OK) {
            CHECK((rc == RC_CORRUPT || rc == RC_UNSUPPORTED) && e.rc == rc && e.msg[0]);
            CHECK(in.p == before.p && in.n == before.n);
            return;
        }
        struct slice used = slice_of(before.p, before.n - in.n);
        check_encodes_to(&ev, used);
        AUTO(freep) struct event *copy = event_copy(&ev);
        CHECK(copy);
        check_encodes_to(copy, used);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
    try_all(slice_of(data, n));
    if (n < ENVELOPE || n > EVENT_BATCH_BYTES_MAX)
        return 0;
    AUTO(freep) char *fixed = malloc(n);
    CHECK(fixed);
    memcpy(fixed, data, n);
    le_put_u32(fixed, (uint32_t)n);
    le_put_u32(fixed + n - 4, crc32c(0, fixed, n - 4));
    try_all(slice_of(fixed, n));
    return 0;
}
