/* resilog log verify: walks every segment and says how far the log is sound. */
#include "cli/cli.h"
#include "cli/wire.h"
#include "core/buf.h"
#include "core/digest.h"
#include "io/clock_sys.h"
#include "io/rng_sys.h"
#include "log/segment_check.h"

#include <stdio.h>

static enum rc parse_args(int argc, char **argv, const char **data, const char **source,
                          struct err *e)
{
    const struct option_spec specs[] = {
        {0, "data", NULL, data, NULL},
        {0, "source", NULL, source, NULL},
    };
    struct option_rest none = {NULL, 0, 0};
    enum rc rc = options_parse(argc, argv, specs, sizeof specs / sizeof *specs, &none, e);
    if (rc == RC_OK && (!*data || !**data))
        return err_set(e, RC_INVALID, ERR_FINAL, "which folder? give --data DIR");
    return rc;
}

static void print_summary(const char *name, const struct segment_summary *s, enum rc rc)
{
    const char *result = rc == RC_OK        ? "sound"
                         : rc == RC_CORRUPT ? "DAMAGED"
                                            : "not checked to its end";
    char head[SHA256_HEX_SIZE + 1];
    hex_encode(s->chain, sizeof s->chain, head);
    printf("source:   %s\nsegments: %llu\nevents:   %llu\n", name, (unsigned long long)s->segments,
           (unsigned long long)s->events);
    printf("offsets:  %llu to %llu\nhead:     %s\nresult:   %s\n", (unsigned long long)s->first,
           (unsigned long long)(s->next ? s->next - 1 : 0), head, result);
}

int cmd_log_verify(int argc, char **argv)
{
    const char *data = NULL, *source = NULL;
    struct err e = ERR_INIT;
    if (parse_args(argc, argv, &data, &source, &e) < 0)
        return cli_usage("log verify", &e);
    AUTO(buf_done) struct buf dir = BUF_INIT(DATA_PATH_MAX);
    AUTO(buf_done) struct buf name = BUF_INIT(DATA_PATH_MAX);
    struct segment_summary summary = {0};
    enum rc rc = data_find_log(data, source, &dir, &name, &e);
    if (rc < 0)
        return cli_fail(&e);
    rc = segment_check_folder(dir.p, &summary, &e);
    print_summary(name.p, &summary, rc);
    return rc < 0 ? cli_fail(&e) : cli_finish_output(EXIT_DONE);
}
