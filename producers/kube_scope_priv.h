/* A scope's inside, shared by producers/kube_scope*.c. */
#ifndef RESILOG_PRODUCERS_KUBE_SCOPE_PRIV_H
#define RESILOG_PRODUCERS_KUBE_SCOPE_PRIV_H

#include "core/backoff.h"
#include "core/buf.h"
#include "core/diag.h"
#include "core/event.h"
#include "core/key.h"
#include "io/kube.h"
#include "producers/kube_scope.h"

struct kube_list_frames;
struct kube_verdict;
struct kube_watch_frames;

#define SCOPE_TEXT_MAX (2 * KEY_MAX)
#define PAGE_DEFAULT   500u

enum activity { IDLE, LISTING, WATCHING };

struct kube_scope {
    struct kube_scope_world *world;
    char *text; /* "group/resource[/ns]" */
    struct kube_gvr gvr;
    struct slice ns;
    char *api_version;   /* "apps/v1", as it is followed */
    char *asked_version; /* version part as asked for; "" for the preferred one */
    char *kind;
    bool known; /* discovery found it */
    bool needs_list;
    bool ever_listed; /* in this life, or it had a position to resume from */
    uint64_t vetted;  /* up to which world->lost its version is known to be one of the past */
    uint64_t asked;   /* world->verified when the request under way was sent */
    bool looking;     /* LISTING only to learn where the source stands */

    enum activity activity;
    http_id request;
    bool answered; /* 200 came */
    int64_t started_ns;
    size_t frames; /* got in this watch */
    struct kube_list_frames *list;
    struct kube_watch_frames *watch;
    struct buf trouble; /* body of an answer that is not 200 */
    int status;
    int64_t retry_after_ns;
    struct buf cont;      /* continue token of the next page */
    struct buf version;   /* where to go on */
    unsigned page;        /* objects to ask for at once */
    bool has_place;       /* among the listings that may run at once; kept from page to page */
    bool begun;           /* SYNC_BEGIN was queued */
    struct buf said_kind; /* body of the last @kind event */

    enum producer_phase phase;
    char error[320];
    struct backoff backoff;
    struct backoff denied;
    int64_t due_ns;
};

/* ---- kube_scope_request.c: one line of diagnostics about the scope; error may be NULL ---- */
void kube_scope_say(const struct kube_scope *s, enum diag_level level, const char *msg,
                    const char *error);

/* ---- kube_scope_event.c: what a scope says; each queues one event. Errors: NOMEM, LIMIT ---- */
MUST_CHECK enum rc kube_scope_queue_own(struct kube_scope *s, enum event_op op, const char *prefix,
                                        struct slice version, struct slice body, struct err *e);
MUST_CHECK enum rc kube_scope_queue_gap(struct kube_scope *s, const char *reason, struct err *e);
/* An object; one that was watched moves the version to go on from. Errors also: INVALID. */
MUST_CHECK enum rc kube_scope_queue_object(struct kube_scope *s, struct slice bytes,
                                           enum event_op op, enum event_cause cause, struct err *e);
/* The @kind event, unless the last one said the same. */
MUST_CHECK enum rc kube_scope_queue_kind(struct kube_scope *s, const struct kube_resource *r,
                                         struct err *e);

/* ---- kube_scope_request.c: the request under way and its failures. Errors: NOMEM ---- */
MUST_CHECK enum rc kube_scope_start_list(struct kube_scope *s, struct err *e);
/* Asks where the source stands. A watch from a version that it does not have yet (etcd restored from a backup) is not
 * refused: it stays silent until the source gets there, and what it does meanwhile would be missed. */
MUST_CHECK enum rc kube_scope_start_look(struct kube_scope *s, struct err *e);
MUST_CHECK enum rc kube_scope_start_watch(struct kube_scope *s, struct err *e);
void kube_scope_stop(struct kube_scope *s); /* ends it, and frees what was read of it */
void kube_scope_wait(struct kube_scope *s, struct backoff *how, int64_t at_least_ns);
void kube_scope_leave_listing(
    struct kube_scope *s); /* it is complete, or given up: its place is free */
/* True if the watch delivered something or lasted: no reason to wait before the next one. */
bool kube_scope_watch_was_useful(const struct kube_scope *s);
/* What a failed request means for the scope: ends it and plans the next. */
MUST_CHECK enum rc kube_scope_judge(struct kube_scope *s, const struct kube_verdict *v,
                                    struct err *e);
MUST_CHECK enum rc kube_scope_judge_failure(struct kube_scope *s, const struct err *failure,
                                            struct err *e);
/* A frame that cannot be read: what it said is lost. */
MUST_CHECK enum rc kube_scope_lost_frame(struct kube_scope *s, const struct err *why,
                                         struct err *e);

/* ---- kube_scope_list.c and kube_scope_watch.c: what an answer holds. Errors: NOMEM ---- */
MUST_CHECK enum rc kube_scope_begin_listing(struct kube_scope *s, struct err *e);
MUST_CHECK enum rc kube_scope_read_items(struct kube_scope *s, struct err *e);
MUST_CHECK enum rc kube_scope_end_page(struct kube_scope *s, struct err *e);
MUST_CHECK enum rc kube_scope_read_frames(struct kube_scope *s, struct err *e);
void kube_scope_end_watch(struct kube_scope *s);

#endif
