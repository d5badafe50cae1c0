/* cli/cmd_preimages: what is printed of the kept objects of one key; the rest is for the end-to-end tests. */
#include "cli/cli.h"

#include "core/buf.h"
#include "core/compress.h"
#include "core/env.h"
#include "flow/pump_preimage.h"
#include "io/clock_sys.h"
#include "io/rng_sys.h"
#include "log/ckpt.h"
#include "sinks/kube_record.h"
#include "tests/conformance/temp_dir.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#define KEY "/configmaps/n/a"

static void keep(struct ckpt *ckpt, struct slice consumer, struct slice body)
{
    struct compressor *c = compressor_new();
    AUTO(buf_done) struct buf record = BUF_INIT(1 << 20), row = BUF_INIT(1 << 20);
    struct err e = ERR_INIT;
    const struct kube_record r = {.flags = KUBE_RECORD_PREIMAGE, .uid = SLICE("u")};
    assert_int_equal(kube_record_encode(&r, body, c, &record, &e), RC_OK);
    compressor_free(c);
    preimage_encode(&(struct preimage){.offset = 7, .sink = buf_slice(&record)}, &row);
    const struct ckpt_row what = {CKPT_APPLIED, SLICE(PREIMAGE_PREFIX KEY), buf_slice(&row)};
    const struct ckpt_commit commit = {.head = {1, 9}, .rows = &what, .n_rows = 1};
    assert_int_equal(ckpt_commit(ckpt, consumer, &commit, &e), RC_OK);
}

static int set_up(void **state)
{
    struct env env = {clock_sys(), rng_sys(), NULL, NULL};
    char *root = temp_dir_new(), path[300];
    struct ckpt *ckpt = NULL;
    struct err e = ERR_INIT;
    snprintf(path, sizeof path, "%s/consumers", root);
    assert_int_equal(mkdir(path, 0700), 0);
    assert_int_equal(ckpt_lmdb_open(path, CKPT_WRITE, &env, &ckpt, &e), RC_OK);
    keep(ckpt, SLICE("east/copies"), SLICE("{\"data\":{\"v\":\"1\"}}"));
    keep(ckpt, SLICE("west/copies"), SLICE("{\"data\":{\"v\":\"2\"}}"));
    ckpt_close(ckpt);
    *state = root;
    return 0;
}

static int tear_down(void **state)
{
    temp_dir_free(*state);
    return 0;
}

static void assert_prints(char *root, const char *format, const char *wanted)
{
    char path[300], got[4096] = "";
    char *argv[] = {(char[]){"preimages"}, (char[]){"--data"}, root, (char[]){"copies"},
                    (char[]){KEY},         (char[]){"-o"},     NULL, NULL};
    argv[6] = strdup(format);
    snprintf(path, sizeof path, "%s/output", root);
    fflush(stdout);
    int saved = dup(STDOUT_FILENO), file = open(path, O_CREAT | O_TRUNC | O_RDWR | O_CLOEXEC, 0600);
    assert_true(saved >= 0 && file >= 0 && dup2(file, STDOUT_FILENO) == STDOUT_FILENO);
    int code = cmd_preimages(7, argv);
    fflush(stdout);
    assert_true(dup2(saved, STDOUT_FILENO) == STDOUT_FILENO);
    assert_true(pread(file, got, sizeof got - 1, 0) >= 0);
    close(saved);
    close(file);
    free(argv[6]);
    assert_int_equal(code, EXIT_DONE);
    assert_string_equal(got, wanted);
}

static void objects_of_two_synchronizations_of_that_name_are_documents_of_their_own(void **state)
{
    assert_prints(*state, "yaml", "data:\n  v: \"1\"\n---\ndata:\n  v: \"2\"\n");
    assert_prints(*state, "json", "{\"data\":{\"v\":\"1\"}}\n{\"data\":{\"v\":\"2\"}}\n");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(
            objects_of_two_synchronizations_of_that_name_are_documents_of_their_own, set_up,
            tear_down),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
