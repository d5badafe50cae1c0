/* The canonical bytes of an event (docs/FORMAT.md section 1): a fixed header, eight texts, the
 * body, CRC32C. Keeps nothing. Length, version and CRC stand where every later version must leave
 * them, so that a reader can tell damage from a newer format. What decodes encodes to the same
 * bytes again: a flag that this version does not know is refused, never dropped. Threads: pure
 * functions. */
#include "core/event_codec.h"

#include "core/buf.h"
#include "core/digest.h"
#include "core/le.h"

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
    AT_BODY_LENGTH = 12,
    AT_OFFSET = 16,
    AT_EPOCH = 24,
    AT_TIME = 32,
    AT_INCARNATION = 40,
    AT_WALL = 48,
    AT_TEXT_LENGTHS = 56,
    TEXTS = 8,
    HEADER_SIZE = AT_TEXT_LENGTHS + 2 * TEXTS,
    CRC_SIZE = 4,
    ENVELOPE_MIN = AT_VERSION + 1 + CRC_SIZE /* what every version has */
};

static_assert(EVENT_TEXT_MAX <= UINT16_MAX, "a text's length is a u16");

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
    size_t n = HEADER_SIZE + ev->body.n + CRC_SIZE;
    for (int i = 0; i < TEXTS; i++)
        n += texts[i].n;
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
    le_put_u32(p + AT_FLAGS, 0);
    le_put_u32(p + AT_BODY_LENGTH, (uint32_t)ev->body.n);
    le_put_u64(p + AT_OFFSET, ev->offset);
    le_put_u64(p + AT_EPOCH, ev->epoch);
    le_put_u64(p + AT_TIME, (uint64_t)ev->time_ns);
    le_put_u64(p + AT_INCARNATION, ev->incarnation);
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
    char *at = start + HEADER_SIZE;
    for (int i = 0; i < TEXTS; i++) {
        le_put_u16(start + AT_TEXT_LENGTHS + 2 * i, (uint16_t)texts[i].n);
        at = put_bytes(at, texts[i]);
    }
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
    if (version == 0 || size < HEADER_SIZE + CRC_SIZE)
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
    ev->epoch = le_get_u64(p + AT_EPOCH);
    ev->time_ns = (int64_t)le_get_u64(p + AT_TIME);
    ev->incarnation = le_get_u64(p + AT_INCARNATION);
    ev->wall_ns = (int64_t)le_get_u64(p + AT_WALL);
}

/* Cuts texts and body; false when the lengths do not add up to the whole. */
static bool get_slices(const char *p, size_t size, struct event *ev)
{
    struct slice texts[TEXTS];
    size_t at = HEADER_SIZE;
    for (int i = 0; i < TEXTS; i++) {
        texts[i] = slice_of(p + at, le_get_u16(p + AT_TEXT_LENGTHS + 2 * i));
        at += texts[i].n;
    }
    size_t body = le_get_u32(p + AT_BODY_LENGTH);
    if (at + body + CRC_SIZE != size)
        return false;
    set_texts(ev, texts);
    ev->body = slice_of(p + at, body);
    return true;
}

enum rc event_decode(struct slice *in, struct event *ret, struct err *e)
{
    size_t size = 0;
    enum rc rc = check_envelope(*in, &size, e);
    if (rc != RC_OK)
        return rc;
    uint32_t flags = le_get_u32(in->p + AT_FLAGS);
    if (flags)
        return err_set(e, RC_UNSUPPORTED, ERR_FATAL,
                       "event: flags %08" PRIx32 " are of a newer program; use that one", flags);
    struct event ev = {0};
    get_header(in->p, &ev);
    if (!get_slices(in->p, size, &ev))
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
