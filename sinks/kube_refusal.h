/* Why an API server refused an object, in words that a person may read: fields and rules, never a value. */
#ifndef RESILOG_SINKS_KUBE_REFUSAL_H
#define RESILOG_SINKS_KUBE_REFUSAL_H

#include "core/slice.h"

struct kube_verdict;

/* Writes a sentence of at most size - 1 bytes. body is the answer. A server repeats the refused value in its
 * message, so of a validation's answer only the fields' names and the rules are taken; of a secret object no free
 * text at all. */
void kube_refusal_text(const struct kube_verdict *v, struct slice body, bool secret, char *out,
                       size_t size);

#endif
