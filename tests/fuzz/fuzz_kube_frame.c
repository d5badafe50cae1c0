/* Framing: the same stream gives the same objects and the same end, whole or in pieces. The first byte of the
 * input says whether it is a watch or a list and how long the pieces are. */
#include "core/buf.h"
#include "core/json.h"
#include "io/kube_frame.h"

#include <stdint.h>

#define CHECK(what)                                                                                \
    do {                                                                                           \
        if (!(what))                                                                               \
            __builtin_trap();                                                                      \
    } while (0)

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);

/* Notes what came: each object's bytes, and at the end the result. */
static void note(struct buf *seen, enum rc rc, struct slice object)
{
    buf_addf(seen, "%d %zu ", (int)rc, object.n);
    buf_add_slice(seen, object);
}

static void run_watch(struct slice text, size_t piece, struct buf *seen)
{
    AUTO(kube_watch_frames_freep) struct kube_watch_frames *f = kube_watch_frames_new();
    enum rc rc = RC_AGAIN;
    CHECK(f);
    for (size_t at = 0; at < text.n && rc == RC_AGAIN; at += piece) {
        enum kube_watch_type type;
        struct slice object;
        size_t k = text.n - at < piece ? text.n - at : piece, used;
        CHECK(kube_watch_feed(f, slice_of(text.p + at, k), NULL) == RC_OK);
        while ((rc = kube_watch_next(f, &type, &object, NULL)) == RC_OK) {
            CHECK(json_frame(object, &used, NULL) == RC_OK && used == object.n);
            note(seen, (enum rc)type, object);
        }
    }
    note(seen, rc, SLICE_NULL);
    CHECK(rc == RC_AGAIN || rc == RC_CORRUPT);
}

static void run_list(struct slice text, size_t piece, struct buf *seen)
{
    AUTO(kube_list_frames_freep) struct kube_list_frames *f = kube_list_frames_new();
    enum rc rc = RC_AGAIN;
    CHECK(f);
    for (size_t at = 0; at < text.n && rc >= 0; at += piece) {
        struct slice item;
        size_t k = text.n - at < piece ? text.n - at : piece, used;
        CHECK(kube_list_feed(f, slice_of(text.p + at, k), NULL) == RC_OK);
        while ((rc = kube_list_next(f, &item, NULL)) == RC_OK) {
            CHECK(json_frame(item, &used, NULL) == RC_OK && used == item.n);
            note(seen, rc, item);
        }
    }
    note(seen, rc, kube_list_version(f));
    note(seen, rc, kube_list_continue(f));
    CHECK(rc == RC_AGAIN || rc == RC_END || rc == RC_CORRUPT || rc == RC_LIMIT);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
    if (n < 2 || n > 1 << 20)
        return 0;
    struct slice text = slice_of(data + 1, n - 1);
    void (*run)(struct slice, size_t, struct buf *) = data[0] & 1 ? run_list : run_watch;
    AUTO(buf_done) struct buf whole = BUF_INIT(64 << 20);
    AUTO(buf_done) struct buf pieces = BUF_INIT(64 << 20);
    run(text, text.n, &whole);
    run(text, (size_t)(data[0] >> 1) % 64 + 1, &pieces);
    CHECK(slice_eq(buf_slice(&whole), buf_slice(&pieces)));
    return 0;
}
