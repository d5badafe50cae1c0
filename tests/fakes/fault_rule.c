/* The countdown of the fault decorators. Threads: one; nothing is guarded. */
#include "tests/fakes/fault_rule.h"

bool fault_counter_fails(struct fault_counter *c)
{
    c->calls++;
    if (c->rule.rc == RC_OK)
        return false;
    if (c->rule.pass > 0) {
        c->rule.pass--;
        return false;
    }
    return true;
}

enum rc fault_counter_fail(struct fault_counter *c, struct err *e)
{
    const struct fault_rule rule = c->rule;
    if (rule.times > 0 && --c->rule.times == 0)
        c->rule = (struct fault_rule){.rc = RC_OK};
    return err_set(e, rule.rc, rule.retry, "a fault was injected");
}
