/* resilog version */
#include "cli/cli.h"

#include <stdio.h>

int cmd_version(int argc, char **argv)
{
    (void)argv;
    if (argc > 1) {
        struct err e = ERR_INIT;
        err_set(&e, RC_INVALID, ERR_FINAL, "version takes no arguments");
        return cli_usage("version", &e);
    }
    printf("resilog %s\n", RESILOG_VERSION);
    return cli_finish_output(EXIT_DONE);
}
