/* What each Kubernetes resource needs when it is copied: one const data table, one row a resource. To teach
 * resilog another kind, add a row.
 *
 * A path is a JSON pointer in which a segment "*" stands for every element or member, and a segment that ends in
 * "*" for the members that begin so ("/metadata/annotations/pv.kubernetes.io~1*"). */
#ifndef RESILOG_SINKS_KUBE_RULES_H
#define RESILOG_SINKS_KUBE_RULES_H

#include "core/slice.h"

#include <stddef.h>
#include <stdint.h>

/* What '*' takes. */
enum kube_star { KUBE_STAR_YES, KUBE_STAR_NAME_ONLY, KUBE_STAR_NEVER };

/* Whether a copy may be deleted and created when its source was replaced and the destination refuses the change as
 * immutable. */
enum kube_recreate { KUBE_RECREATE_ASK, KUBE_RECREATE_YES, KUBE_RECREATE_NEVER };

/* An object whose controller is another object. */
enum kube_owned {
    KUBE_OWNED_IF_FREE, /* copied, without its owner, unless the owner's kind is copied too */
    KUBE_OWNED_NEVER
};

/* What a copy does beside being there: bits. */
enum kube_effect {
    KUBE_EFFECT_RUNS = 1,
    KUBE_EFFECT_NETWORK = 2,
    KUBE_EFFECT_DNS = 4,
    KUBE_EFFECT_CLOUD = 8,
    KUBE_EFFECT_ADMISSION = 16
};

/* A condition on a node that a path names. */
enum kube_when {
    KUBE_ALWAYS,
    KUBE_UNLESS_NONE,            /* not the string "None", nor a list that begins with it */
    KUBE_UNLESS_MANUAL_SELECTOR, /* where the object's spec.manualSelector is not true */
    KUBE_UNLESS_CHOSEN,          /* a node port that nobody asked for */
    KUBE_IF_CA_INJECTED,         /* an annotation asks for a bundle of the destination's own */
    KUBE_IF_AGGREGATED,          /* the object has an aggregationRule */
    KUBE_IF_OWN_TOKEN,           /* {"name": "<own name>-token-..."} or -dockercfg- */
    KUBE_IF_TOKEN_MOUNT          /* {"name": "kube-api-access-..."} */
};

/* Members that are never sent. */
struct kube_cut {
    const char *path; /* NULL ends the list */
    enum kube_when when;
};

/* Members of which the destination's live value is sent. Members that are cut from objects need no row: the merge
 * keeps what the destination has. Rows are for lists, which the merge takes as one, and for members that somebody
 * in the destination took over. */
enum kube_retain_how {
    KUBE_RETAIN_MEMBER,   /* the member at path, where the desired object has none */
    KUBE_RETAIN_ELEMENTS, /* those elements of the list at path of which `when` holds */
    KUBE_RETAIN_SCALED    /* the member, where the destination's autoscaler wrote it last */
};
struct kube_retain {
    const char *
        path; /* NULL ends the list; "*" for elements of a list, which are the same where all of `keys` agree */
    enum kube_retain_how how;
    const char *keys[3]; /* NULL-terminated */
    enum kube_when when;
};

struct kube_rule {
    const char *group;    /* "*": any; "*.x": any group that ends in ".x" */
    const char *resource; /* "*": any */
    enum kube_star star;
    enum kube_recreate recreate;
    enum kube_owned owned;
    bool undeletable; /* its deletion would take more with it than the copy; left to a person */
    uint8_t order;    /* the lower first, where there is a choice */
    uint8_t effect;
    const struct kube_cut *cut;       /* beside kube_common_cuts; NULL: none */
    const struct kube_retain *retain; /* NULL: none */
    const char *
        sticky; /* path of a string that stays "None", whatever is sent and answered 200; NULL: none */
    const char *suspend; /* path of the boolean that makes a copy stand still; NULL: none */
    const char *
        service; /* path of references to Services that must have a ready endpoint first; NULL: none */
    const char *why; /* of KUBE_STAR_NEVER: for a person */
};

/* An object that is not copied although its kind is: where a node at path (all wildcards) is a string or boolean
 * that matches value. */
struct kube_skip {
    const char *group, *resource; /* as in struct kube_rule */
    const char *ns;               /* only there; NULL: everywhere */
    const char *path;
    const char *value;  /* NULL: any node at all; may end in "*" */
    const char *unless; /* prefix of names that are copied all the same; NULL: none */
    const char *why;
};

extern const struct kube_rule kube_rules[];
extern const size_t kube_rules_count;
extern const struct kube_skip kube_skips[];
extern const size_t kube_skips_count;
extern const struct kube_cut kube_common_cuts[];
/* Labels that a tool of the source put on a namespace: prefixes; NULL ends the list. */
extern const char *const kube_tool_labels[];

/* The row of a resource; never NULL, as the last row is for all others. */
const struct kube_rule *kube_rule_find(struct slice group, struct slice resource);
/* True if a row for (group, resource) is about this resource. */
bool kube_rule_covers(const char *rule_group, const char *rule_resource, struct slice group,
                      struct slice resource);
/* True if text is the pattern, or begins with what stands before the pattern's final '*'. */
bool kube_glob(const char *pattern, struct slice text);

#endif
