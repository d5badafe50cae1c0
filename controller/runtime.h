/* Runs everything that the resources ask for: for each source one thread that fills its log, and
 * for each synchronization one thread that empties it into its destination. They share nothing but
 * the log. What fails is closed, told in its status and tried again with back-off; nothing here
 * ends the process. */
#ifndef RESILOG_CONTROLLER_RUNTIME_H
#define RESILOG_CONTROLLER_RUNTIME_H

#include "core/err.h"
#include "core/scope.h"

#include <stdbool.h>
#include <stddef.h>

struct env;
struct order;
struct order_answer;
struct resources;
struct runtime;
struct wiring;

struct runtime_opts {
    struct resources *resources; /* what to begin with; taken, also on failure */
    const struct wiring *wiring; /* borrowed until runtime_stop */
    /* Names ("name" or "namespace/name") that count for RUNTIME_APPROVED_NS: of synchronizations whose pruning is
     * approved, and of KubernetesClusters in whose place another cluster is accepted as the source. */
    const char *const *allow_prune;
    size_t n_allow_prune;
    const char *const *accept_source;
    size_t n_accept_source;
    bool
        only_once; /* nothing but the Synchronizations, and each of them runs, also one that has run before */
};

/* Starts the threads. Errors: INVALID (a name that nothing has, or more than one), NOMEM,
 * UNAVAILABLE (no thread to be had), LIMIT. */
MUST_CHECK enum rc runtime_start(const struct runtime_opts *opts, const struct env *env,
                                 struct runtime **ret, struct err *e);
/* Runs what these resources ask for, and nothing else: a source of which nothing changed, neither its own and its
 * destinations' credentials nor any of its synchronizations, goes on undisturbed; the others are asked to finish and
 * commit (at most RUNTIME_DRAIN_NS), and start anew once they have. Waits for nobody: RC_AGAIN where some have not ended
 * yet. Takes resources; they are what is wanted also after an error, but some may not run then: see runtime_again.
 * Errors: NOMEM, UNAVAILABLE (no thread to be had), LIMIT. */
MUST_CHECK enum rc runtime_apply(struct runtime *r, struct resources *resources, struct err *e);
/* Applies what the last runtime_apply took once more, and so starts what that could not. RC_AGAIN and errors: as
 * runtime_apply. */
MUST_CHECK enum rc runtime_again(struct runtime *r, struct err *e);
/* True if it ends by itself: there is nothing but Synchronizations. */
bool runtime_ends(const struct runtime *r);
/* RC_OK: there is nothing but Synchronizations, and all have run to their end: *ret_succeeded says whether all of them
 * succeeded. RC_AGAIN: something goes on. */
enum rc runtime_ended(struct runtime *r, bool *ret_succeeded);
/* A descriptor that becomes readable when a Synchronization has run to its end; cleared by reading. */
int runtime_ended_fd(const struct runtime *r);
/* Hands an order to the thread of its synchronization, which takes it within seconds unless it failed and is being tried
 * again. Errors: NOTFOUND (no such synchronization), CONFLICT (another order is under way). */
MUST_CHECK enum rc runtime_order(struct runtime *r, const struct order *o, struct err *e);
/* True once it was carried out or refused. */
bool runtime_ordered(struct runtime *r, struct order_answer *ret);
/* True if nobody had taken it: nobody will. */
bool runtime_withdraw(struct runtime *r);
/* Asks all to finish what is in flight (at most RUNTIME_DRAIN_NS) and commit, waits for them and
 * frees all. NULL is allowed. */
void runtime_stop(struct runtime *r);
DEFINE_FREEP(struct runtime, runtime_stop)

#define RUNTIME_DRAIN_NS (10 * 1000000000LL)
/* An approval is meant for what is found at a start, not for whatever a long life brings. */
#define RUNTIME_APPROVED_NS (3600 * 1000000000LL)

#endif
