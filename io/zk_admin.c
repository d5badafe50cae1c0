/* A server that runs answers 200, also where it says an error: a member of the object then. Other statuses come from
 * what is in front of it (Jetty, a proxy), or from a server that is not the one that was meant. A redirect is not
 * followed: it would carry the credentials elsewhere. Keeps nothing. */
#include "io/zk_admin.h"

#include "core/buf.h"
#include "core/clock.h"
#include "core/json.h"
#include "io/http_url.h"
#include "io/said.h"

#include <stdio.h>
#include <stdlib.h>

#define COMMAND    SLICE("/commands/srvr")
#define WITHIN_NS  (ZK_ADMIN_WITHIN_S * NS_PER_S)
#define HEADER_MAX (64u << 10)
#define TYPE_MAX   64

/* ---- Asking ---- */

static void wipe(struct buf *b)
{
    if (b->p)
        explicit_bzero(b->p, b->cap);
    buf_done(b);
}

/* What 3.9 reads, of the commands that need rights; srvr needs none, and servers before 3.9 do not look at it. */
static enum rc authorization(const struct zk_admin_target *t, struct buf *out, struct err *e)
{
    struct http_url u;
    if (!t->user)
        return RC_OK;
    enum rc rc = http_url_parse(t->url, &u, e);
    if (rc == RC_OK && !u.tls)
        return err_set(e, RC_INVALID, ERR_FINAL,
                       "username and password are sent over https alone: everybody on the way "
                       "could read them");
    if (rc != RC_OK)
        return rc;
    buf_addf(out, "Authorization: digest %s:%s", t->user, t->password);
    return buf_check(out, "username and password", e);
}

enum rc zk_admin_open(const struct zk_admin_target *target, const struct env *env,
                      struct http **ret, struct err *e)
{
    AUTO(wipe) struct buf line = BUF_INIT(HEADER_MAX);
    enum rc rc = authorization(target, &line, e);
    if (rc != RC_OK)
        return rc;
    const char *const headers[] = {line.p, NULL};
    const struct http_target t = {
        .url = target->url,
        .ca_pem = target->ca_pem,
        .cert_pem = target->cert_pem,
        .key_pem = target->key_pem,
        .headers = headers,
        .trust_advice = "put the authority that signed it into ca.crt of the Secret that "
                        "secretName names",
        .name_advice = "set host to a name that the certificate holds",
    };
    return http_curl_open(&t, env, ret, e);
}

enum rc zk_admin_start(struct http *h, http_id *ret_id, struct err *e)
{
    const struct http_request r = {.method = HTTP_GET,
                                   .path = COMMAND,
                                   .body_max = ZK_ADMIN_BODY_MAX,
                                   .headers_within_ns = WITHIN_NS,
                                   .total_ns = WITHIN_NS};
    return http_start(h, &r, ret_id, e);
}

/* ---- The answer ---- */

/* "3.8.0" of "3.8.0-<commit>, built on <date>". */
static bool read_version(struct slice text, struct zk_admin_facts *f)
{
    size_t n = 0;
    char *end;
    while (n < text.n && n < sizeof f->version - 1 &&
           ((text.p[n] >= '0' && text.p[n] <= '9') || text.p[n] == '.'))
        n++;
    said_copy(f->version, sizeof f->version, slice_of(text.p, n));
    unsigned long major = strtoul(f->version, &end, 10);
    unsigned long minor = *end == '.' ? strtoul(end + 1, &end, 10) : 0;
    f->major = (unsigned)major;
    f->minor = (unsigned)minor;
    return n > 0 && f->version[0] != '.' && major <= UINT16_MAX && minor <= UINT16_MAX;
}

/* The first member that is not what every version says; NULL: all are. */
static const char *read_facts(struct json_doc *d, struct zk_admin_facts *f)
{
    const struct json *root = json_root(d), *error = json_get(root, "error");
    const struct json *read_only = json_get(root, "read_only");
    const struct json *state = json_dig(root, "server_stats", "server_state", NULL);
    if (json_is(error, JSON_STRING)) {
        struct slice text = json_text(d, error);
        said_copy(f->error, sizeof f->error, text.n ? text : SLICE("an error without a text"));
        return NULL;
    }
    if (error && !json_is(error, JSON_NULL))
        return "error";
    if (!read_version(json_get_text(d, root, "version"), f))
        return "version";
    if (!json_is(read_only, JSON_TRUE) && !json_is(read_only, JSON_FALSE))
        return "read_only";
    if (!json_is(state, JSON_STRING) || json_text(d, state).n == 0)
        return "server_stats.server_state";
    f->read_only = json_is(read_only, JSON_TRUE);
    said_copy(f->state, sizeof f->state, json_text(d, state));
    return NULL;
}

static enum rc is_strange(const struct http_event *done, const char *what, struct err *e)
{
    char type[TYPE_MAX];
    said_copy(type, sizeof type, done->content_type);
    return err_set(e, RC_INVALID, ERR_RETRY,
                   "the answer (HTTP %d, %s) is no AdminServer's: %s; check host and port: is it "
                   "admin.serverPort of a ZooKeeper server?",
                   done->status, type[0] ? type : "of no type", what);
}

static enum rc read_body(const struct http_event *done, struct zk_admin_facts *f, struct err *e)
{
    AUTO(json_freep) struct json_doc *d = NULL;
    char what[96];
    struct err why = ERR_INIT;
    enum rc rc = json_parse_view(done->data, &d, &why);
    if (rc == RC_NOMEM)
        return err_nomem(e);
    if (rc != RC_OK || !json_is(json_root(d), JSON_OBJECT))
        return is_strange(done, "it is no JSON object", e);
    const char *bad = read_facts(d, f);
    if (!bad)
        return RC_OK;
    snprintf(what, sizeof what, "its member %s is not there or of another type", bad);
    return is_strange(done, what, e);
}

/* ---- Refusals ---- */

/* The first row that fits; a code below 100 is that of a whole hundred. */
static const struct refusal {
    int code;
    enum rc rc;
    const char *text;
} REFUSALS[] = {
    {401, RC_DENIED,
     "it refuses us; give username and password, or a client certificate, in a "
     "Secret that secretName names (they are sent over https alone)"},
    {403, RC_DENIED,
     "it forbids the command srvr to us; allow it there, or let secretName name a "
     "Secret of somebody who may"},
    {404, RC_NOTFOUND,
     "there is no /commands/srvr; check host and port, and that "
     "admin.commandURL of the server is /commands"},
    {429, RC_UNAVAILABLE, "it is asked too often; try again later"},
    {3, RC_INVALID,
     "it sends us elsewhere, which is not followed; name the server itself, and "
     "protocol https where it wants that"},
    {5, RC_UNAVAILABLE, "it failed; its log says why"},
};

static enum rc refused(const struct http_event *done, struct err *e)
{
    for (size_t i = 0; i < sizeof REFUSALS / sizeof *REFUSALS; i++) {
        const struct refusal *r = &REFUSALS[i];
        if (r->code == done->status || r->code == done->status / 100)
            return err_set(e, r->rc, ERR_RETRY, "HTTP %d: %s", done->status, r->text);
    }
    return is_strange(done, "that answers 200", e);
}

/* What libcurl's door says has the URL in it; DENIED and EXPIRED say what to do. */
static enum rc not_answered(const struct err *why, struct err *e)
{
    if (why->rc == RC_UNAVAILABLE)
        return err_set(e, why->rc, why->retry,
                       "%.300s; check protocol, host and port, and that the server runs with "
                       "admin.enableServer=true",
                       why->msg);
    if (why->rc == RC_LIMIT)
        return err_set(e, why->rc, why->retry,
                       "%.300s, which no AdminServer's is; check host and port", why->msg);
    return err_set(e, why->rc, why->retry, "%s", why->msg);
}

enum rc zk_admin_read(const struct http_event *done, struct zk_admin_facts *ret, struct err *e)
{
    struct zk_admin_facts f = {.error = ""};
    struct err ignored = ERR_INIT;
    if (done->err.rc != RC_OK)
        return not_answered(&done->err, e);
    enum rc rc = RC_OK;
    if (done->status == 200)
        rc = read_body(done, &f, e);
    else if (done->status < 500 || read_body(done, &f, &ignored) != RC_OK || !f.error[0])
        rc = refused(done, e); /* a server that says its error by 500 and a member is heard, too */
    if (rc == RC_OK)
        *ret = f;
    return rc;
}
