/* The canonical bytes of an event (docs/FORMAT.md section 1): a fixed header, ten short numbers, eight texts, the
 * body, CRC32C. Keeps nothing. Length, version and CRC stand where every later version must leave
 * them, so that a reader can tell damage from a newer format. What decodes encodes to the same
 * bytes again: a flag that this version does not know is refused, never dropped. Threads: pure
 * functions. */
#include "core/event_codec.h"

#include "core/buf.h"
#include "core/digest.h"
#include "core/le.h"
#include "core/varint.h"

#include <assert.h>
#include <inttypes.h>
#include <stdlib.h>

enum {
    AT_LENGTH = 0,
    AT_VERSION = 4,
    AT_OP = 5,
    AT_CAUSE = 6,
    AT_SOURCE_KIND = 7,
    AT_FLAGS = 8,
    AT_OFFSET = 10,
    AT_TIME = 18,
    AT_WALL = 26,
    HEADER_SIZE = 34,
    TEXTS = 8,
    NUMBERS = 2 + TEXTS, /* epoch, incarnation, the texts' lengths */
    CRC_SIZE = 4,
    ENVELOPE_MIN = AT_VERSION + 1 + CRC_SIZE /* what every version has */
};

/* The texts in the order of their bytes. */
static void texts_of(const struct event *ev, struct slice out[TEXTS])
{
    const struct slice texts[TEXTS] = {ev->source,      ev->key,  ev->version, ev->uid,
                                       ev->api_version, ev->kind, ev->manager, ev->user};
    memcpy(out, texts, sizeof(texts));
}

static void set_texts(struct event *ev, const struct slice texts[TEXTS])
{
    ev->source = texts[0];
    ev->key = texts[1];
    ev->version = texts[2];
    ev->uid = texts[3];
    ev->api_version = texts[4];
    ev->kind = texts[5];
    ev->manager = texts[6];
    ev->user = texts[7];
}

size_t event_encoded_size(const struct event *ev)
{
    struct slice texts[TEXTS];
    texts_of(ev, texts);
    size_t n =
        HEADER_SIZE + varint_size(ev->epoch) + varint_size(ev->incarnation) + ev->body.n + CRC_SIZE;
    for (int i = 0; i < TEXTS; i++)
        n += varint_size(texts[i].n) + texts[i].n;
    return n;
}

static char *put_bytes(char *at, struct slice s)
{
    if (s.n)
        memcpy(at, s.p, s.n);
    return at + s.n;
}

static void put_header(const struct event *ev, size_t size, char *p)
{
    le_put_u32(p + AT_LENGTH, (uint32_t)size);
    p[AT_VERSION] = EVENT_CODEC_VERSION;
    p[AT_OP] = (char)ev->op;
    p[AT_CAUSE] = (char)ev->cause;
    p[AT_SOURCE_KIND] = (char)ev->source_kind;
    le_put_u16(p + AT_FLAGS, 0);
    le_put_u64(p + AT_OFFSET, ev->offset);
    le_put_u64(p + AT_TIME, (uint64_t)ev->time_ns);
    le_put_u64(p + AT_WALL, (uint64_t)ev->wall_ns);
}

enum rc event_encode(const struct event *ev, struct buf *out, struct err *e)
{
    enum rc rc = event_check(ev, e);
    if (rc != RC_OK)
        return rc;
    size_t size = event_encoded_size(ev);
    char *start = buf_extend(out, size);
    if (!start)
        return buf_check(out, "the encoded event", e);

    struct slice texts[TEXTS];
    texts_of(ev, texts);
    put_header(ev, size, start);
    char *at = varint_put(start + HEADER_SIZE, ev->epoch);
    at = varint_put(at, ev->incarnation);
    for (int i = 0; i < TEXTS; i++)
        at = varint_put(at, texts[i].n);
    for (int i = 0; i < TEXTS; i++)
        at = put_bytes(at, texts[i]);
    at = put_bytes(at, ev->body);
    le_put_u32(at, crc32c(0, start, size - CRC_SIZE));
    return RC_OK;
}

/* What holds for every version: enough bytes and a right checksum. Then the version itself. */
static enum rc check_envelope(struct slice in, size_t *ret_size, struct err *e)
{
    if (in.n < ENVELOPE_MIN)
        return err_set(e, RC_CORRUPT, ERR_FATAL, "event: %zu bytes are left, it needs %d at least",
                       in.n, ENVELOPE_MIN);
    size_t size = le_get_u32(in.p + AT_LENGTH);
    if (size < ENVELOPE_MIN || size > in.n)
        return err_set(e, RC_CORRUPT, ERR_FATAL,
                       "event: its length field says %zu, allowed is %d to the %zu bytes present",
                       size, ENVELOPE_MIN, in.n);
    uint32_t found = le_get_u32(in.p + size - CRC_SIZE);
    uint32_t computed = crc32c(0, in.p, size - CRC_SIZE);
    if (found != computed)
        return err_set(e, RC_CORRUPT, ERR_FATAL,
                       "event: CRC32C is %08" PRIx32 ", its bytes give %08" PRIx32, found,
                       computed);
    unsigned version = (uint8_t)in.p[AT_VERSION];
    if (version > EVENT_CODEC_VERSION)
        return err_set(e, RC_UNSUPPORTED, ERR_FATAL,
                       "event: format version %u, this program reads up to %d; use a newer one",
                       version, EVENT_CODEC_VERSION);
    if (version == 0 || size < HEADER_SIZE + NUMBERS + CRC_SIZE)
        return err_set(e, RC_CORRUPT, ERR_FATAL, "event: format version %u with %zu bytes", version,
                       size);
    *ret_size = size;
    return RC_OK;
}

static void get_header(const char *p, struct event *ev)
{
    ev->op = (enum event_op)(uint8_t)p[AT_OP];
    ev->cause = (enum event_cause)(uint8_t)p[AT_CAUSE];
    ev->source_kind = (enum event_source_kind)(uint8_t)p[AT_SOURCE_KIND];
    ev->offset = le_get_u64(p + AT_OFFSET);
    ev->time_ns = (int64_t)le_get_u64(p + AT_TIME);
    ev->wall_ns = (int64_t)le_get_u64(p + AT_WALL);
}

static bool take_bytes(struct slice *in, uint64_t n, struct slice *ret)
{
    if (n > in->n)
        return false;
    *ret = slice_of(in->p, (size_t)n);
    *in = slice_of(in->p + n, in->n - (size_t)n);
    return true;
}

/* Takes numbers, texts and, what is left, the body; false when they do not fit into the whole. */
static bool get_parts(struct slice rest, struct event *ev)
{
    struct slice texts[TEXTS];
    uint64_t lengths[TEXTS];
    if (!varint_take(&rest, &ev->epoch) || !varint_take(&rest, &ev->incarnation))
        return false;
    for (int i = 0; i < TEXTS; i++)
        if (!varint_take(&rest, &lengths[i]))
            return false;
    for (int i = 0; i < TEXTS; i++)
        if (!take_bytes(&rest, lengths[i], &texts[i]))
            return false;
    set_texts(ev, texts);
    ev->body = rest;
    return true;
}

enum rc event_decode(struct slice *in, struct event *ret, struct err *e)
{
    size_t size = 0;
    enum rc rc = check_envelope(*in, &size, e);
    if (rc != RC_OK)
        return rc;
    unsigned flags = le_get_u16(in->p + AT_FLAGS);
    if (flags)
        return err_set(e, RC_UNSUPPORTED, ERR_FATAL,
                       "event: flags %04x are of a newer program; use that one", flags);
    struct event ev = {0};
    get_header(in->p, &ev);
    if (!get_parts(slice_of(in->p + HEADER_SIZE, size - HEADER_SIZE - CRC_SIZE), &ev))
        return err_set(e, RC_CORRUPT, ERR_FATAL,
                       "event %" PRIu64 ": the lengths of its parts do not add up to %zu bytes",
                       ev.offset, size);
    struct err why = ERR_INIT;
    if (event_check(&ev, &why) != RC_OK)
        return err_set(e, RC_CORRUPT, ERR_FATAL, "event %" PRIu64 ": %s", ev.offset, why.msg);
    in->p += size;
    in->n -= size;
    *ret = ev;
    return RC_OK;
}

struct event *event_copy(const struct event *ev)
{
    struct slice texts[TEXTS];
    texts_of(ev, texts);
    size_t n = sizeof(*ev) + ev->body.n;
    for (int i = 0; i < TEXTS; i++)
        n += texts[i].n;
    struct event *copy = malloc(n);
    if (!copy)
        return NULL;
    *copy = *ev;
    char *at = (char *)(copy + 1);
    for (int i = 0; i < TEXTS; i++) {
        char *end = put_bytes(at, texts[i]);
        texts[i] = slice_of(at, texts[i].n);
        at = end;
    }
    put_bytes(at, ev->body);
    set_texts(copy, texts);
    copy->body = slice_of(at, ev->body.n);
    return copy;
}
