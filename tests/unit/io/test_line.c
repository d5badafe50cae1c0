/* io/line: where a line ends, and a socket's address in a folder with a long path. */
#include "io/line.h"

#include "core/buf.h"
#include "core/scope.h"
#include "tests/conformance/temp_dir.h"

#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

static void a_line_is_found_once_its_end_is_there(void **state)
{
    (void)state;
    static const struct {
        struct slice bytes;
        enum rc rc;
        const char *line;
    } rows[] = {
        {{"", 0}, RC_AGAIN, NULL},       {{"abc", 3}, RC_AGAIN, NULL},
        {{"abc\n", 4}, RC_OK, "abc"},    {{"\n", 1}, RC_INVALID, NULL},
        {{"a\nb", 3}, RC_INVALID, NULL}, {{"a\n\n", 3}, RC_INVALID, NULL},
        {{"a\0b", 3}, RC_INVALID, NULL}, {{"a\0\n", 3}, RC_INVALID, NULL},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct slice line = SLICE_NULL;
        struct err e = ERR_INIT;
        assert_int_equal(line_find(rows[i].bytes, &line, &e), rows[i].rc);
        if (rows[i].rc == RC_OK)
            assert_true(slice_eq(line, slice_str(rows[i].line)));
        assert_true(rows[i].rc >= 0 || e.msg[0]);
    }
}

static void a_line_has_a_most(void **state)
{
    (void)state;
    AUTO(buf_done) struct buf text = BUF_INIT(2 * LINE_BYTES_MAX);
    struct slice line;
    struct err e = ERR_INIT;
    char *p = buf_extend(&text, LINE_BYTES_MAX);
    memset(p, 'x', LINE_BYTES_MAX);
    assert_int_equal(line_find(buf_slice(&text), &line, &e), RC_AGAIN);
    buf_add_char(&text, '\n');
    assert_int_equal(line_find(buf_slice(&text), &line, &e), RC_OK);
    assert_int_equal(line.n, LINE_BYTES_MAX);
    text.p[LINE_BYTES_MAX] = 'x';
    assert_int_equal(line_find(buf_slice(&text), &line, &e), RC_LIMIT);
    buf_add_char(&text, '\n');
    assert_int_equal(line_find(buf_slice(&text), &line, &e), RC_LIMIT);
}

static void an_address_reaches_a_folder_with_a_long_path(void **state)
{
    (void)state;
    char *root = temp_dir_new();
    char dir[600], file_path[700];
    struct sockaddr_un address;
    struct err e = ERR_INIT;
    int fd;
    snprintf(dir, sizeof dir, "%s/%0200d", root, 1);
    assert_int_equal(mkdir(dir, 0700), 0);
    assert_int_equal(line_address(dir, "x.sock", &fd, &address, &e), RC_OK);
    FILE *file = fopen(address.sun_path, "w");
    assert_non_null(file);
    fclose(file);
    close(fd);
    snprintf(file_path, sizeof file_path, "%s/x.sock", dir);
    assert_int_equal(access(file_path, F_OK), 0);
    assert_int_equal(line_address(file_path, "x", &fd, &address, &e), RC_IO); /* no folder */
    snprintf(file_path, sizeof file_path, "%s/none", dir);
    assert_int_equal(line_address(file_path, "x", &fd, &address, &e), RC_NOTFOUND);
    temp_dir_free(root);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_line_is_found_once_its_end_is_there),
        cmocka_unit_test(a_line_has_a_most),
        cmocka_unit_test(an_address_reaches_a_folder_with_a_long_path),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
