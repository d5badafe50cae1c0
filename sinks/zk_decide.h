/* What the ZooKeeper sink decides about one node: may it be touched, what is to be written next, what does an error
 * mean. Pure: tables and sums over plain data. */
#ifndef RESILOG_SINKS_ZK_DECIDE_H
#define RESILOG_SINKS_ZK_DECIDE_H

#include "sinks/sink.h"

/* What is known of the item and of the destination's node, once that was looked at. */
enum zk_fact {
    ZK_FACT_PUT = 1,
    ZK_FACT_OBSERVED = 2,    /* of a delete: it was seen */
    ZK_FACT_EXISTS = 4,      /* the destination has a node of that path */
    ZK_FACT_OURS = 8,        /* and that is the one of the record, or one that we made just now */
    ZK_FACT_ADOPTED = 16,    /* the record says that it was there before us */
    ZK_FACT_SAME = 32,       /* data and ACL are as wanted */
    ZK_FACT_SOURCE = 64,     /* it is the source's very own node */
    ZK_FACT_NEVER = 128,     /* adopt: never */
    ZK_FACT_ALWAYS = 256,    /* adopt: always */
    ZK_FACT_PRESERVED = 512, /* the item's pre-image is of that state */
    ZK_FACT_UNSURE = 1024    /* the record may not tell of our last write */
};

enum zk_claim_what {
    ZK_CLAIM_WRITE,    /* write what differs */
    ZK_CLAIM_ADOPT,    /* the same; it is ours from then on */
    ZK_CLAIM_PRESERVE, /* hand out the pre-image */
    ZK_CLAIM_DELETE,
    ZK_CLAIM_END,    /* with the outcome */
    ZK_CLAIM_FORGET, /* the same, and the record is of no use any more */
    ZK_CLAIM_STOP    /* the sink is not to go on */
};
struct zk_claim {
    enum zk_claim_what what;
    enum sink_outcome outcome;
    const char *cls, *reason; /* of END, FORGET, PRESERVE and STOP */
};
/* May the node be touched: facts are of enum zk_fact. */
const struct zk_claim *zk_decide_claim(unsigned facts);

/* A put that may write: how the destination's node compares with the wanted one. */
struct zk_compared {
    bool exists, same_data, same_acl;
    bool can_write;   /* the node's present ACL, as far as it is known, lets us set data */
    bool within;      /* the wanted ACL grants nothing more than the present one */
    bool provisional; /* the present ACL is the wanted one and our own id's entry */
    bool has_id;      /* there is such an id */
    bool can_set;     /* the wanted ACL lets us set data */
    bool can_go_on;   /* and this: create and delete children */
    bool settled;     /* the children that were to come have come */
    int64_t missing;  /* so many children more has the source's node; not below 0 */
    int64_t to_come;  /* so many children may be to come, whatever is to go */
    int64_t gap;      /* so many more were ever created there; below 0: the destination is ahead */
};
enum zk_next {
    ZK_NEXT_CREATE,
    ZK_NEXT_SET_DATA,
    ZK_NEXT_SET_ACL,
    ZK_NEXT_SET_PROVISIONAL, /* the wanted ACL with our own id's entry, which the wanted one follows */
    ZK_NEXT_ALIGN,           /* raise the sequence by zk_decide_align() */
    ZK_NEXT_WAIT_SEQUENCE, /* for children, whose creation raises it */
    ZK_NEXT_WAIT_ACL,      /* for children, which could not be made with the wanted ACL */
    ZK_NEXT_NOTHING
};
enum zk_next zk_decide_next(const struct zk_compared *c);
/* By how much: never above what the children that may come leave of the gap. */
int64_t zk_decide_align(const struct zk_compared *c);

/* What an error says that answers a request about one node. */
enum zk_remedy {
    ZK_REMEDY_LOOK,     /* somebody else changed it: look again */
    ZK_REMEDY_PARENT,   /* its parent is missing */
    ZK_REMEDY_CHILDREN, /* it has children yet */
    ZK_REMEDY_REFUSED,
    ZK_REMEDY_LATER /* nobody decided */
};
struct zk_refusal {
    int error;
    enum zk_remedy remedy;
    const char *cls, *reason;
};
/* Never NULL; of an error that is not known the last row. making: the request was a CREATE. */
const struct zk_refusal *zk_decide_refusal(int error, bool making);

#endif
