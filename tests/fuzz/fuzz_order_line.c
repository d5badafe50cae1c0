/* What comes over the control socket: bytes are a line or are refused with a reason; a line is an order or an answer, and
 * then comes back as it was, or is refused with a reason. */
#include "controller/order_board.h"
#include "controller/order_line.h"
#include "core/buf.h"
#include "io/line.h"

#include <stdint.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);

static void require(bool ok)
{
    if (!ok)
        __builtin_trap();
}

static void check_order(struct slice line)
{
    AUTO(buf_done) struct buf back = BUF_INIT(1u << 20);
    static struct order first, second;
    struct err e = ERR_INIT;
    enum rc rc = order_parse(line, &first, &e);
    if (rc != RC_OK) {
        require(rc == RC_INVALID && e.msg[0]);
        return;
    }
    order_print(&first, &back);
    require(order_parse(buf_slice(&back), &second, &e) == RC_OK);
    require(first.act == second.act && strcmp(first.sync, second.sync) == 0 &&
            strcmp(first.key, second.key) == 0);
}

static void check_answer(struct slice line)
{
    AUTO(buf_done) struct buf back = BUF_INIT(1u << 20);
    struct order_answer first, second;
    struct err e = ERR_INIT;
    enum rc rc = order_answer_parse(line, &first, &e);
    if (rc != RC_OK) {
        require(rc == RC_INVALID && e.msg[0]);
        return;
    }
    order_answer_print(&first, &back);
    require(order_answer_parse(buf_slice(&back), &second, &e) == RC_OK);
    require(first.n == second.n && first.e.rc == second.e.rc &&
            strcmp(first.e.msg, second.e.msg) == 0);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
    struct slice line = SLICE_NULL;
    struct err e = ERR_INIT;
    enum rc rc = line_find(slice_of((const char *)data, n), &line, &e);
    if (rc == RC_AGAIN)
        require(n <= LINE_BYTES_MAX);
    if (rc < 0)
        require((rc == RC_INVALID || rc == RC_LIMIT) && e.msg[0]);
    if (rc != RC_OK)
        return 0;
    require(line.n + 1 == n);
    check_order(line);
    check_answer(line);
    return 0;
}
