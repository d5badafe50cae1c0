/* In which members two states of an object differ, for a person: names, never values. */
#ifndef RESILOG_SINKS_KUBE_DIFFER_H
#define RESILOG_SINKS_KUBE_DIFFER_H

struct buf;
struct json_doc;

#define KUBE_DIFFER_MAX 5 /* members that are named */

/* Appends the members as JSON pointers, "/data/a, /spec/replicas and 3 more": objects are looked into, lists and
 * objects of very many members are taken whole. Nothing where none differs. */
void kube_differ(struct json_doc *a, struct json_doc *b, struct buf *out);

#endif
