/* The owner and origin annotations: printing, reading, judging.
 *
 * Keeps nothing. A mark that is malformed or of another format version is as good as none: that protects the
 * object from us, never the other way round. */
#include "sinks/kube_mark.h"

#include "core/buf.h"
#include "core/digest.h"
#include "core/json.h"
#include "core/key.h"

#define FORMAT        SLICE("v1")
#define ADOPTED       SLICE("adopted")
#define MARK_TEXT_MAX (2 * KEY_MAX)

enum rc kube_sync_id(struct slice source, struct slice sync, char ret[KUBE_SYNC_ID_SIZE + 1],
                     struct err *e)
{
    AUTO(buf_done) struct buf text = BUF_INIT(MARK_TEXT_MAX);
    buf_add_slice(&text, source);
    buf_add_char(&text, '/');
    buf_add_slice(&text, sync);
    enum rc rc = buf_check(&text, "the names of source and synchronization", e);
    if (rc != RC_OK)
        return rc;
    uint8_t digest[SHA256_SIZE];
    sha256(buf_slice(&text), SLICE_NULL, digest);
    hex_encode(digest, KUBE_SYNC_ID_SIZE / 2, ret);
    return RC_OK;
}

static bool is_ours(const struct kube_writer *me, struct slice sync_id)
{
    for (size_t i = 0; i < me->n_former; i++)
        if (slice_eq(sync_id, slice_str(me->former[i])))
            return true;
    return slice_eq(sync_id, slice_str(me->sync_id));
}

static void read_owner(struct slice text, const struct kube_writer *me, struct slice key,
                       struct kube_marks *ret)
{
    if (!slice_eq(slice_cut(text, ' ', &text), FORMAT))
        return;
    struct slice destination = slice_cut(text, ' ', &text);
    struct slice sync_id = slice_cut(text, ' ', &text);
    /* A name may hold spaces, so the key is compared, not split off. */
    if (!slice_eq(destination, me->destination) || sync_id.n != KUBE_SYNC_ID_SIZE ||
        !slice_starts(text, key))
        return;
    struct slice rest = slice_of(text.p + key.n, text.n - key.n);
    bool adopted =
        rest.n > 0 && rest.p[0] == ' ' && slice_eq(slice_of(rest.p + 1, rest.n - 1), ADOPTED);
    if (rest.n > 0 && !adopted)
        return;
    bool ours = is_ours(me, sync_id);
    ret->claim = ours ? KUBE_OURS : KUBE_FOREIGN;
    ret->adopted = ours && adopted;
    ret->sync_id = ours ? SLICE_NULL : sync_id;
}

static void read_origin(struct slice text, struct kube_marks *ret)
{
    if (!slice_eq(slice_cut(text, ' ', &text), FORMAT))
        return;
    struct slice cluster = slice_cut(text, ' ', &text);
    if (cluster.n == 0 || text.n == 0 || memchr(text.p, ' ', text.n))
        return;
    ret->origin_cluster = cluster;
    ret->origin_uid = text;
}

void kube_marks_read(struct json_doc *d, const struct json *object, const struct kube_writer *me,
                     struct slice key, struct kube_marks *ret)
{
    const struct json *annotations = json_dig(object, "metadata", "annotations", NULL);
    *ret = (struct kube_marks){.claim = KUBE_UNMARKED};
    read_owner(json_get_text(d, annotations, KUBE_OWNER_MARK), me, key, ret);
    read_origin(json_get_text(d, annotations, KUBE_ORIGIN_MARK), ret);
}

/* The annotations of the object at the root, made where there are none. */
static enum rc annotations_of(struct json_doc *d, struct json **ret, struct err *e)
{
    struct json *metadata = json_get(json_root(d), "metadata");
    if (!json_is(metadata, JSON_OBJECT))
        return err_set(e, RC_INVALID, ERR_FINAL, "object without metadata");
    struct json *found = json_get(metadata, "annotations"), *made;
    if (json_is(found, JSON_OBJECT)) {
        *ret = found;
        return RC_OK;
    }
    enum rc rc = json_value(d, SLICE("{}"), &made, e);
    if (rc == RC_OK)
        rc = json_set(d, metadata, SLICE("annotations"), made, e);
    if (rc == RC_OK)
        *ret = made;
    return rc;
}

static enum rc annotate(struct json_doc *d, const char *name, const struct buf *text,
                        bool *ret_changed, struct err *e)
{
    struct json *annotations, *value;
    enum rc rc = buf_check(text, name, e);
    if (rc == RC_OK)
        rc = annotations_of(d, &annotations, e);
    if (rc != RC_OK)
        return rc;
    const struct json *now = json_get(annotations, name);
    if (json_is(now, JSON_STRING) && slice_eq(json_text(d, now), buf_slice(text)))
        return RC_OK;
    rc = json_value_text(d, buf_slice(text), &value, e);
    if (rc == RC_OK)
        rc = json_set(d, annotations, slice_str(name), value, e);
    if (rc == RC_OK)
        *ret_changed = true;
    return rc;
}

enum rc kube_marks_set(struct json_doc *d, const struct kube_writer *me, struct slice key,
                       const struct kube_marks *marks, bool *ret_changed, struct err *e)
{
    AUTO(buf_done) struct buf owner = BUF_INIT(MARK_TEXT_MAX);
    AUTO(buf_done) struct buf origin = BUF_INIT(MARK_TEXT_MAX);
    bool changed = false;
    buf_addf(&owner, "v1 %.*s %s %.*s%s", SLICE_ARG(me->destination), me->sync_id, SLICE_ARG(key),
             marks->adopted ? " adopted" : "");
    buf_addf(&origin, "v1 %.*s %.*s", SLICE_ARG(marks->origin_cluster),
             SLICE_ARG(marks->origin_uid));
    enum rc rc = annotate(d, KUBE_OWNER_MARK, &owner, &changed, e);
    if (rc == RC_OK && marks->origin_cluster.n > 0)
        rc = annotate(d, KUBE_ORIGIN_MARK, &origin, &changed, e);
    if (rc == RC_OK)
        *ret_changed = changed;
    return rc;
}
