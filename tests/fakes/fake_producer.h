/* A producer that says what the test tells it. A fake that runs out of memory aborts. */
#ifndef RESILOG_TESTS_FAKE_PRODUCER_H
#define RESILOG_TESTS_FAKE_PRODUCER_H

#include "core/event.h"
#include "producers/producer.h"

/* producer_close frees it. */
struct producer *fake_producer_new(void);
/* Its source is a tree of znodes from now on; at first it is Kubernetes. */
void fake_producer_tree(struct producer *p);

/* Queues a copy. */
void fake_producer_say(struct producer *p, const struct event *ev);
/* "@epoch/source" with reason "start" or "regression". */
void fake_producer_identity(struct producer *p, const char *identity, const char *reason);
/* SYNC_BEGIN, SYNC_END, POSITION, GAP of a scope; version may be NULL. */
void fake_producer_own(struct producer *p, enum event_op op, const char *scope,
                       const char *version);
/* PUT or DELETE of an object; uid "u-<key>", body {"v":<version>}. */
void fake_producer_object(struct producer *p, enum event_op op, enum event_cause cause,
                          const char *key, const char *version);
/* Where it was told to look up what the log knows; NULL: nowhere. */
const struct producer_memory *fake_producer_memory(const struct producer *p);
/* The identity that it was told to expect; NULL: none. */
const char *fake_producer_expected(const struct producer *p);
/* Events that were not taken yet. */
size_t fake_producer_waiting(const struct producer *p);
/* The resume position that a scope was added with ("" for a listing), NULL if it is not there; and its
 * version of the API. */
const char *fake_producer_resume(const struct producer *p, const char *scope);
const char *fake_producer_api_version(const struct producer *p, const char *scope);
/* What it serves from now on: "group/resource/version group/resource/version ...", of several versions the preferred one
 * first, "...?" where not all of the group answered. Until the first call nothing is known. */
void fake_producer_serve(struct producer *p, const char *kinds);
void fake_producer_set_status(struct producer *p, const char *scope, enum producer_phase phase,
                              const char *error);

#endif
