/* Znodes: their paths, their texts in the log, and the body as JSON.
 *
 * Printing goes member by member in one fixed order without white space, so equal nodes give equal bytes. Reading goes
 * by the JSON tree: members that are unknown are passed over, what is missing or of the wrong type is refused. The read
 * node borrows from its document, which keeps the tree, the decoded base64 and the ACL's array. Pure; no text of an
 * error holds data of a node. */
#include "core/znode.h"

#include "core/buf.h"
#include "core/digest.h"
#include "core/json_priv.h"

#include <inttypes.h>

/* ---- Paths ---- */

/* The character's number; n is how many bytes it has, from json_utf8_len. */
static uint32_t decode(const unsigned char *p, size_t n)
{
    static const unsigned char lead[] = {0, 0x7f, 0x1f, 0x0f, 0x07};
    uint32_t c = p[0] & lead[n];
    for (size_t i = 1; i < n; i++)
        c = c << 6 | (p[i] & 0x3f);
    return c;
}

/* Servers look at UTF-16 units, so that what needs two of them counts as surrogates. */
static const char *why_not_character(uint32_t c)
{
    if (c == 0)
        return "holds a NUL character";
    if (c <= 0x1f || (c >= 0x7f && c <= 0x9f))
        return "holds a control character";
    if ((c >= 0xd800 && c <= 0xf8ff) || c >= 0xfff0)
        return "holds a character that ZooKeeper does not take (U+D800 to U+F8FF, from U+FFF0 on)";
    return NULL;
}

static const char *why_not_segment(struct slice s)
{
    if (s.n == 0)
        return "has an empty segment";
    if (slice_eq(s, SLICE(".")) || slice_eq(s, SLICE("..")))
        return "has a segment . or ..";
    const unsigned char *p = (const unsigned char *)s.p, *end = p + s.n;
    while (p < end) {
        size_t n = json_utf8_len(p, end);
        const char *why = n ? why_not_character(decode(p, n)) : "is not UTF-8";
        if (why)
            return why;
        p += n;
    }
    return NULL;
}

static const char *why_not_path(struct slice path)
{
    if (path.n == 0)
        return "is empty";
    if (path.p[0] != '/')
        return "does not begin with /";
    if (path.n > ZNODE_PATH_MAX)
        return "is longer than 4096 bytes";
    if (path.n == 1)
        return NULL;
    if (path.p[path.n - 1] == '/')
        return "ends in /";
    const char *why = NULL;
    for (struct slice rest = slice_of(path.p + 1, path.n - 1); rest.n && !why;)
        why = why_not_segment(slice_cut(rest, '/', &rest));
    return why;
}

bool znode_is_path(struct slice path, const char **ret_why)
{
    const char *why = why_not_path(path);
    if (why && ret_why)
        *ret_why = why;
    return !why;
}

struct slice znode_parent(struct slice path)
{
    if (path.n <= 1)
        return SLICE_NULL;
    size_t n = path.n - 1;
    while (n > 0 && path.p[n] != '/')
        n--;
    return slice_of(path.p, n ? n : 1);
}

bool znode_is_within(struct slice path, struct slice root)
{
    if (!slice_starts(path, root))
        return false;
    return path.n == root.n || root.n == 1 || path.p[root.n] == '/';
}

/* ---- Version and uid ---- */

/* Servers count in 32 bits that wrap: twice the creations minus the children there are. */
int64_t znode_sequence(const struct znode_stat *stat)
{
    return ((uint32_t)stat->cversion + (uint32_t)stat->num_children) / 2;
}

void znode_print_version(const struct znode *n, struct buf *out)
{
    buf_add_hex(out, (uint64_t)n->stat.mzxid);
    buf_add_char(out, '-');
    if (n->has_acl)
        buf_add_hex(out, (uint32_t)n->stat.aversion);
    else
        buf_add_char(out, 'x');
    buf_add_char(out, '-');
    buf_add_hex(out, (uint64_t)znode_sequence(&n->stat));
}

static bool is_hex(struct slice s, size_t max)
{
    size_t good = 0;
    while (good < s.n && s.p[good] && strchr("0123456789abcdef", s.p[good]))
        good++;
    return s.n > 0 && s.n <= max && good == s.n;
}

int64_t znode_version_zxid(struct slice version)
{
    struct slice rest;
    struct slice zxid = slice_cut(version, '-', &rest);
    struct slice aversion = slice_cut(rest, '-', &rest);
    if (!is_hex(zxid, 16) || !is_hex(rest, 16) ||
        !(is_hex(aversion, 8) || slice_eq(aversion, SLICE("x"))))
        return -1;
    uint64_t v = 0;
    for (size_t i = 0; i < zxid.n; i++)
        v = v << 4 | (unsigned)(zxid.p[i] <= '9' ? zxid.p[i] - '0' : zxid.p[i] - 'a' + 10);
    return v <= INT64_MAX ? (int64_t)v : -1;
}

void znode_print_uid(const struct znode *n, struct buf *out)
{
    buf_add_hex(out, (uint64_t)n->stat.czxid);
}

/* ---- The body's members ---- */

struct stat_member {
    const char *name;
    bool wide; /* 64 bits, else 32 */
    size_t at;
};
#define WIDE(name, member)                                                                         \
    {                                                                                              \
        name, true, offsetof(struct znode_stat, member)                                            \
    }
#define NARROW(name, member)                                                                       \
    {                                                                                              \
        name, false, offsetof(struct znode_stat, member)                                           \
    }
static const struct stat_member stat_members[] = {
    WIDE("czxid", czxid),
    WIDE("mzxid", mzxid),
    WIDE("pzxid", pzxid),
    WIDE("ctime", ctime),
    WIDE("mtime", mtime),
    NARROW("version", version),
    NARROW("cversion", cversion),
    NARROW("aversion", aversion),
    WIDE("ephemeralOwner", ephemeral_owner),
    NARROW("dataLength", data_length),
    NARROW("numChildren", num_children),
};
#define STAT_MEMBERS (sizeof(stat_members) / sizeof(*stat_members))

/* In the order in which ZooKeeper's own tools write them. */
static const struct {
    char letter;
    enum znode_perm perm;
} perm_letters[] = {{'c', ZNODE_CREATE},
                    {'d', ZNODE_DELETE},
                    {'r', ZNODE_READ},
                    {'w', ZNODE_WRITE},
                    {'a', ZNODE_ADMIN}};
#define PERM_LETTERS (sizeof(perm_letters) / sizeof(*perm_letters))

/* ---- Printing ---- */

static bool is_readable(struct slice text)
{
    const unsigned char *p = (const unsigned char *)text.p, *end = p + text.n;
    while (p < end) {
        size_t n = json_utf8_len(p, end);
        uint32_t c = n ? decode(p, n) : 0;
        bool space = c == '\t' || c == '\n' || c == '\r';
        if ((c < 0x20 && !space) || (c >= 0x7f && c <= 0x9f))
            return false;
        p += n;
    }
    return true;
}

static void print_data(struct slice data, struct buf *out)
{
    if (data.n == 0 || is_readable(data)) {
        buf_add_str(out, "\"text\":");
        json_print_text(data, out);
    } else {
        buf_add_str(out, "\"base64\":\"");
        base64_encode(data, out);
        buf_add_char(out, '"');
    }
    buf_add_char(out, ',');
}

/* As letters; as a number where a server gave what has none. */
static void print_perms(uint32_t perms, struct buf *out)
{
    if (perms & ~(uint32_t)ZNODE_ALL) {
        buf_addf(out, "%" PRIu32, perms);
        return;
    }
    buf_add_char(out, '"');
    for (size_t i = 0; i < PERM_LETTERS; i++)
        if (perms & perm_letters[i].perm)
            buf_add_char(out, perm_letters[i].letter);
    buf_add_char(out, '"');
}

static void print_acl(const struct znode *n, struct buf *out)
{
    buf_add_str(out, "\"acl\":[");
    for (size_t i = 0; i < n->n_acl; i++) {
        buf_add_str(out, i ? ",{\"perms\":" : "{\"perms\":");
        print_perms(n->acl[i].perms, out);
        buf_add_str(out, ",\"scheme\":");
        json_print_text(n->acl[i].scheme, out);
        buf_add_str(out, ",\"id\":");
        json_print_text(n->acl[i].id, out);
        buf_add_char(out, '}');
    }
    buf_add_str(out, "],");
}

static void print_stat(const struct znode_stat *stat, struct buf *out)
{
    buf_add_str(out, "\"stat\":");
    for (size_t i = 0; i < STAT_MEMBERS; i++) {
        const char *at = (const char *)stat + stat_members[i].at;
        int64_t wide = 0;
        int32_t narrow = 0;
        if (stat_members[i].wide)
            memcpy(&wide, at, sizeof(wide));
        else
            memcpy(&narrow, at, sizeof(narrow));
        buf_add_str(out, i ? ",\"" : "{\"");
        buf_add_str(out, stat_members[i].name);
        buf_add_str(out, "\":");
        buf_add_decimal(out, wide + narrow);
    }
    buf_add_char(out, '}');
}

void znode_print(const struct znode *n, struct buf *out)
{
    buf_add_char(out, '{');
    if (!n->null_data)
        print_data(n->data, out);
    if (n->has_acl)
        print_acl(n, out);
    print_stat(&n->stat, out);
    buf_add_char(out, '}');
}

/* ---- Reading ---- */

struct znode_doc {
    struct json_doc *json;
    struct buf bytes; /* what was base64 */
    struct znode_acl *acl;
    struct znode node;
};

/* Inside of a string each quote has a backslash before it, so these bytes are a member and its value. */
bool znode_is_surely_persistent(struct slice body)
{
    const struct slice member = SLICE("\"ephemeralOwner\":0");
    const char *at = body.n ? memmem(body.p, body.n, member.p, member.n) : NULL;
    const char *after = at ? at + member.n : NULL;
    return after && after < body.p + body.n && (*after == ',' || *after == '}');
}

static enum rc bad(const char *what, struct err *e)
{
    return err_set(e, RC_INVALID, ERR_FINAL, "a znode's body: %s", what);
}

static enum rc read_data(struct znode_doc *doc, struct err *e)
{
    const struct json *root = json_root(doc->json);
    const struct json *text = json_get(root, "text"), *base64 = json_get(root, "base64");
    if (text && base64)
        return bad("has both text and base64; at most one of them is allowed", e);
    doc->node.null_data = !text && !base64;
    if (doc->node.null_data)
        return RC_OK;
    if (!json_is(text ? text : base64, JSON_STRING))
        return bad("text and base64 must be strings", e);
    if (text) {
        doc->node.data = json_text(doc->json, text);
        return RC_OK;
    }
    struct slice encoded = json_text(doc->json, base64);
    buf_init(&doc->bytes, encoded.n);
    if (base64_decode(encoded, &doc->bytes, e) != RC_OK)
        return e ? err_wrap(e, "a znode's body") : RC_INVALID;
    doc->node.data = buf_slice(&doc->bytes);
    return RC_OK;
}

static bool read_letter(char c, uint32_t *perms)
{
    for (size_t i = 0; i < PERM_LETTERS; i++) {
        if (perm_letters[i].letter != c || (*perms & perm_letters[i].perm))
            continue;
        *perms |= perm_letters[i].perm;
        return true;
    }
    return false;
}

static bool read_perms(struct json_doc *json, const struct json *from, uint32_t *ret)
{
    int64_t number;
    if (json_int(from, &number)) {
        *ret = (uint32_t)number;
        return number >= 0 && number <= UINT32_MAX;
    }
    struct slice letters = json_text(json, from);
    *ret = 0;
    for (size_t i = 0; i < letters.n; i++)
        if (!read_letter(letters.p[i], ret))
            return false;
    return json_is(from, JSON_STRING);
}

static enum rc read_acl(struct znode_doc *doc, struct err *e)
{
    const struct json *acl = json_get(json_root(doc->json), "acl");
    doc->node.has_acl = acl != NULL;
    if (!acl)
        return RC_OK;
    if (!json_is(acl, JSON_ARRAY))
        return bad("acl must be an array", e);
    doc->acl = calloc(acl->count + 1, sizeof(*doc->acl));
    if (!doc->acl)
        return err_nomem(e);
    doc->node.acl = doc->acl;
    for (const struct json *at = acl->first; at; at = at->next) {
        struct znode_acl *entry = &doc->acl[doc->node.n_acl++];
        const struct json *scheme = json_get(at, "scheme"), *id = json_get(at, "id");
        if (!read_perms(doc->json, json_get(at, "perms"), &entry->perms))
            return bad("an entry of acl has no perms of the letters c, d, r, w, a", e);
        if (!json_is(scheme, JSON_STRING) || !json_is(id, JSON_STRING))
            return bad("scheme and id of an entry of acl must be strings", e);
        entry->scheme = json_text(doc->json, scheme);
        entry->id = json_text(doc->json, id);
    }
    return RC_OK;
}

static enum rc read_stat(struct znode_doc *doc, struct err *e)
{
    const struct json *stat = json_get(json_root(doc->json), "stat");
    for (size_t i = 0; i < STAT_MEMBERS; i++) {
        const struct stat_member *m = &stat_members[i];
        char *at = (char *)&doc->node.stat + m->at;
        int64_t wide;
        if (!json_int(json_get(stat, m->name), &wide) ||
            (!m->wide && (wide < INT32_MIN || wide > INT32_MAX)))
            return err_set(e, RC_INVALID, ERR_FINAL,
                           "a znode's body: stat.%s is missing or no integer of %d bits", m->name,
                           m->wide ? 64 : 32);
        int32_t narrow = (int32_t)wide;
        if (m->wide)
            memcpy(at, &wide, sizeof(wide));
        else
            memcpy(at, &narrow, sizeof(narrow));
    }
    return RC_OK;
}

static enum rc read_body(struct znode_doc *doc, struct slice body, struct err *e)
{
    enum rc rc = json_parse(body, &doc->json, e);
    if (rc != RC_OK)
        return e ? err_wrap(e, "a znode's body") : rc;
    if (!json_is(json_root(doc->json), JSON_OBJECT))
        return bad("is not a JSON object", e);
    rc = read_data(doc, e);
    if (rc == RC_OK)
        rc = read_acl(doc, e);
    return rc == RC_OK ? read_stat(doc, e) : rc;
}

enum rc znode_parse(struct slice body, struct znode_doc **ret, struct err *e)
{
    AUTO(znode_doc_freep) struct znode_doc *doc = calloc(1, sizeof(*doc));
    if (!doc)
        return err_nomem(e);
    enum rc rc = read_body(doc, body, e);
    if (rc == RC_OK)
        *ret = steal(&doc);
    return rc;
}

const struct znode *znode_of(const struct znode_doc *doc)
{
    return &doc->node;
}

void znode_doc_free(struct znode_doc *doc)
{
    if (!doc)
        return;
    json_free(doc->json);
    buf_done(&doc->bytes);
    free(doc->acl);
    free(doc);
}

/* ---- Comparing ---- */

bool znode_same_data(const struct znode *a, const struct znode *b)
{
    return a->null_data == b->null_data && (a->null_data || slice_eq(a->data, b->data));
}

static bool same_entry(const struct znode_acl *a, const struct znode_acl *b)
{
    return a->perms == b->perms && slice_eq(a->scheme, b->scheme) && slice_eq(a->id, b->id);
}

/* Every entry of a is in b; looked for at its own place first, for mostly it is there. */
static bool has_all(const struct znode *a, const struct znode *b)
{
    for (size_t i = 0; i < a->n_acl; i++) {
        size_t k = 0;
        while (k < b->n_acl && !same_entry(&a->acl[i], &b->acl[(i + k) % b->n_acl]))
            k++;
        if (k == b->n_acl)
            return false;
    }
    return true;
}

bool znode_acl_is_masked(const struct znode_acl *acl, size_t n)
{
    for (size_t i = 0; i < n; i++)
        if (slice_eq(acl[i].scheme, SLICE("digest")) && slice_ends(acl[i].id, SLICE(":x")))
            return true;
    return false;
}

bool znode_same_acl(const struct znode *a, const struct znode *b)
{
    return a->has_acl == b->has_acl && has_all(a, b) && has_all(b, a);
}
