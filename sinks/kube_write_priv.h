/* The inside of struct kube_write, shared by kube_write.c, kube_update.c and kube_result.c. */
#ifndef RESILOG_SINKS_KUBE_WRITE_PRIV_H
#define RESILOG_SINKS_KUBE_WRITE_PRIV_H

#include "core/buf.h"
#include "core/key.h"
#include "io/kube.h"
#include "sinks/kube_record.h"
#include "sinks/kube_write.h"
#include "sinks/sink.h"

struct json_doc;
struct kube_rule;

enum kube_next {
    KUBE_DO_GET,
    KUBE_DO_POST,
    KUBE_DO_PUT,
    KUBE_DO_TAKE_OVER, /* a PUT that makes what our plain writes own be owned by our applies */
    KUBE_DO_APPLY,
    KUBE_DO_DELETE,
    KUBE_DO_NAMESPACE,
    KUBE_DO_SERVICE, /* is an endpoint of a Service ready that it has called */
    KUBE_DO_NOTHING
};

struct kube_write {
    const struct kube_dest *dest;
    struct sink_item item;
    struct key key;
    struct kube_gvr gvr;
    const struct kube_rule *rule;
    enum kube_next next;
    unsigned conflicts;
    const char *failing; /* what it says when the request that was answered last fails */
    bool made_namespace; /* tried once */
    bool recreate;       /* the DELETE is the first half of a replacement */
    bool taken_over;     /* tried once */

    bool doubt; /* a write of this item, or of one before that has no record, may have been done */
    bool has_old; /* a usable record */
    struct kube_record old;

    /* Of a put: what the destination shall have. */
    struct buf desired;
    uint8_t desired_hash[KUBE_HASH_SIZE];
    struct buf origin_cluster, origin_uid; /* the first of all copies */
    bool origin_here;                      /* it lives in the destination itself */
    struct buf services;                   /* that it has called (sinks/kube_service.h) */
    size_t services_ready;                 /* bytes of it about which there is nothing to ask */
    enum kube_next after;                  /* of SERVICE: what is to be sent then */

    /* Of the destination's object, as last seen. */
    struct buf live_uid, live_version;
    bool marked;   /* it bears our valid mark */
    bool owned;    /* it does, or will with the PUT to come */
    bool adopted;  /* it was there before us */
    bool replaced; /* the source's object is another one than it was copied from */

    struct buf path, body; /* of the request */
    bool done;
    struct sink_result result;
    enum kube_class refused; /* of a result that is a refusal: which; else KUBE_OK */
    struct buf dependency, record, preimage;
};

/* ---- kube_result.c: ends of the way ---- */
/* Each ends the write; cls is a constant, the text one for a person. */
void kube_write_end(struct kube_write *w, enum sink_outcome outcome, const char *cls,
                    const char *fmt, ...) __attribute__((format(printf, 4, 5)));
/* HELD, WAITING or, for what is no decision of the destination, RC_AGAIN. */
enum rc kube_write_refused(struct kube_write *w, const struct kube_answer *a, const char *doing);
/* HELD: the destination answers, but neither yes nor no. */
void kube_write_unserved(struct kube_write *w, const struct kube_answer *a, const char *doing);
/* DONE with the record of the destination's object as in `answer` (its whole text). Errors: INVALID (no object),
 * LIMIT, NOMEM. */
enum rc kube_write_applied(struct kube_write *w, struct slice answer, uint32_t created,
                           struct err *e);
/* A record without a version of the destination's object: an echo was seen. Its uid is the origin's, or that of the
 * copy which the old record tells of. */
enum rc kube_write_remember(struct kube_write *w, struct err *e);
/* The record is to be forgotten. */
void kube_write_forget(struct kube_write *w);

/* ---- kube_update.c: what a look at the destination's object decides ---- */
/* Sets next, or ends the write. Errors: INVALID (answer is no object), LIMIT, NOMEM. */
enum rc kube_write_seen(struct kube_write *w, struct slice answer, struct err *e);
enum rc kube_write_missing(struct kube_write *w);
/* True if the answer to an update shows that the destination kept a member that it never changes: it says 200 all the
 * same. Errors: those of json_parse_view. */
MUST_CHECK enum rc kube_write_kept(const struct kube_write *w, struct slice answer, bool *ret,
                                   struct err *e);
/* The destination refused a PUT because a field cannot change, or kept that field. */
enum rc kube_write_immutable(struct kube_write *w, const struct kube_answer *a);
/* True if the object is a Secret: no free text about it leaves the sink. */
bool kube_write_secret(const struct kube_write *w);

#endif
