/* The two annotations by which copies know whose they are (DESIGN section 7, "Marks").
 *
 *   sync.resilog.io/owner:  v1 <destination cluster uid> <sync id> <group>/<resource>/<ns>/<name> [adopted]
 *   sync.resilog.io/origin: v1 <first cluster uid> <object uid>
 *
 * An owner mark holds only where every part is true of the object that carries it: a copy of a copy, made by any
 * other tool, is nobody's. "adopted" says that the object was there before us: it is deleted only when the
 * source's deletion was seen. */
#ifndef RESILOG_SINKS_KUBE_MARK_H
#define RESILOG_SINKS_KUBE_MARK_H

#include "core/err.h"
#include "core/slice.h"

struct json;
struct json_doc;

#define KUBE_OWNER_MARK   "sync.resilog.io/owner"
#define KUBE_ORIGIN_MARK  "sync.resilog.io/origin"
#define KUBE_SYNC_ID_SIZE 16
#define KUBE_FORMER_MAX   8

/* Who writes where. */
struct kube_writer {
    struct slice destination;            /* uid of the destination cluster */
    char sync_id[KUBE_SYNC_ID_SIZE + 1]; /* of the synchronization */
    /* And what it was while other clusters were its source: such a mark is ours, and replaced by the next write. */
    char former[KUBE_FORMER_MAX][KUBE_SYNC_ID_SIZE + 1];
    size_t n_former;
};

enum kube_claim {
    KUBE_UNMARKED, /* no owner mark, or one that does not hold */
    KUBE_OURS,
    KUBE_FOREIGN /* another synchronization's mark, and it holds */
};

struct kube_marks {
    enum kube_claim claim;
    bool adopted;                            /* of OURS */
    struct slice sync_id;                    /* of FOREIGN */
    struct slice origin_cluster, origin_uid; /* empty where there is no (valid) origin mark */
};

/* The first 16 hex digits of SHA-256("<source>/<sync>"); sync is "namespace/name". Errors: LIMIT, NOMEM. */
MUST_CHECK enum rc kube_sync_id(struct slice source, struct slice sync,
                                char ret[KUBE_SYNC_ID_SIZE + 1], struct err *e);

/* Reads the marks of an object with that key; slices live as long as the document. */
void kube_marks_read(struct json_doc *d, const struct json *object, const struct kube_writer *me,
                     struct slice key, struct kube_marks *ret);
/* Puts marks on the object at the document's root: ours and, where origin_cluster is not empty, the origin;
 * *ret_changed tells whether a byte changed.. Errors: INVALID (an object without metadata), LIMIT, NOMEM. */
MUST_CHECK enum rc kube_marks_set(struct json_doc *d, const struct kube_writer *me,
                                  struct slice key, const struct kube_marks *marks,
                                  bool *ret_changed, struct err *e);

#endif
