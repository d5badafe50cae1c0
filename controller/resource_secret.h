/* The Secrets that an item names; `at` is where it does. Private to controller/. */
#ifndef RESILOG_CONTROLLER_RESOURCE_SECRET_H
#define RESILOG_CONTROLLER_RESOURCE_SECRET_H

#include <stdbool.h>

struct buf;
struct item;
struct json;
struct loader;

/* False after it was told that no Secret of the namespace can have that name. */
bool secret_check_name(const struct item *item, const struct json *at);
const struct item *secret_find(struct loader *l, const struct item *item, const char *name);
/* Tells that there is none. True if that is no error: offline it may be elsewhere. The advice ends "add it". */
bool secret_is_elsewhere(struct loader *l, const struct item *item, const struct json *at,
                         const char *name, const char *advice);
/* The value of a key; NULL if there is none. */
const struct json *secret_member(const struct item *secret, const char *key);
/* Tells as an error of the item what the Secret lacks, and which keys it has. */
void secret_tell_keys(const struct item *item, const struct json *at, const struct item *secret,
                      const char *lacks);
/* Appends the text of a value, or tells why it has none. out is to be overwritten (input_wipe). */
bool secret_text(const struct item *secret, const struct json *at, struct buf *out);

#endif
