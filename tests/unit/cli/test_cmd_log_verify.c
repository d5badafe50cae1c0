/* cli/cmd_log_verify: what it calls sound, damaged, and neither. */
#include "tests/unit/log/log_world.h"

#include "cli/cli.h"
#include "core/digest.h"

#include <stdlib.h>
#include <string.h>

/* A data folder with a log of three segments. */
static int set_up(void **state)
{
    uint8_t hash[SHA256_SIZE];
    char hex[SHA256_HEX_SIZE + 1];
    assert_int_equal(log_world_setup(state), 0);
    struct log_world *w = *state;
    sha256(w->opts.name, SLICE_NULL, hash);
    hex_encode(hash, sizeof hash, hex);
    snprintf(w->dir, sizeof w->dir, "%s/logs", w->root);
    assert_int_equal(mkdir(w->dir, 0700), 0);
    snprintf(w->dir, sizeof w->dir, "%s/logs/%.16s", w->root, hex);
    struct rlog *log = log_open(w, RLOG_WRITE);
    for (rlog_off at = 1; at <= 20; at++)
        log_append(log, at);
    rlog_close(log);
    return 0;
}

/* Runs the command and compares its exit code and the last line of its output. */
static void assert_ends(const struct log_world *w, int code, const char *result)
{
    char path[300], line[300] = "", command[] = "verify", option[] = "--data";
    char *argv[] = {command, option, w->root, NULL};
    snprintf(path, sizeof path, "%s/output", w->root);
    fflush(stdout);
    int saved = dup(STDOUT_FILENO), file = open(path, O_CREAT | O_TRUNC | O_RDWR | O_CLOEXEC, 0600);
    assert_true(saved >= 0 && file >= 0 && dup2(file, STDOUT_FILENO) == STDOUT_FILENO);
    close(file);
    int got = cmd_log_verify(3, argv);
    fflush(stdout);
    assert_true(dup2(saved, STDOUT_FILENO) == STDOUT_FILENO);
    close(saved);
    FILE *output = fopen(path, "re");
    assert_non_null(output);
    while (fgets(line, sizeof line, output))
        ;
    fclose(output);
    assert_int_equal(got, code);
    assert_string_equal(line, result);
}

static void segment_path(const struct log_world *w, unsigned first, char path[400])
{
    snprintf(path, 400, "%s/s-%020u.mdb", w->dir, first);
}

static void only_what_was_found_wrong_is_called_damaged(void **state)
{
    struct log_world *w = *state;
    char path[400], aside[400];
    segment_path(w, 9, path);
    segment_path(w, 999, aside);
    aside[strlen(aside) - 1] = 'x';
    assert_ends(w, EXIT_DONE, "result:   sound\n");
    assert_int_equal(rename(path, aside), 0);
    assert_int_equal(symlink(path, path), 0); /* cannot be opened, whoever asks */
    assert_ends(w, EXIT_FAILED, "result:   not checked to its end\n");
    assert_int_equal(unlink(path), 0);
    assert_ends(w, EXIT_DAMAGED, "result:   DAMAGED\n");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(only_what_was_found_wrong_is_called_damaged, set_up,
                                        log_world_teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
