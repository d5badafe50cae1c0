/* io/secret_file: what is read, what is refused, and what counts as a change. */
#include "io/secret_file.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>

static void put(const char *path, const void *text, size_t n)
{
    FILE *f = fopen(path, "w");
    assert_non_null(f);
    assert_int_equal(fwrite(text, 1, n, f), n);
    assert_int_equal(fclose(f), 0);
}

static int make_file(void **state)
{
    char path[] = "/tmp/resilog-test-XXXXXX";
    int fd = mkstemp(path);
    if (fd < 0)
        return -1;
    close(fd);
    *state = strdup(path);
    return 0;
}

static int remove_file(void **state)
{
    unlink(*state);
    free(*state);
    return 0;
}

static void white_space_at_the_end_is_no_part_of_it(void **state)
{
    const char *path = *state;
    char *text = NULL;
    struct err e;
    put(path, " a\nb \r\n\n", 9);
    assert_int_equal(secret_file_read(path, &text, &e), RC_OK);
    assert_string_equal(text, " a\nb");
    secret_free(text);
    secret_free(NULL);
}

static void what_cannot_be_used_is_told_with_its_path_and_without_its_text(void **state)
{
    const char *path = *state;
    static const struct {
        const char *text;
        size_t n;
        const char *says;
    } rows[] = {{"", 0, "is empty or no text"},
                {" \n", 2, "is empty or no text"},
                {"hunter2\0x", 9, "is empty or no text"}};
    char *text = NULL;
    struct err e = ERR_INIT;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        put(path, rows[i].text, rows[i].n);
        assert_int_equal(secret_file_read(path, &text, &e), RC_INVALID);
        assert_non_null(strstr(e.msg, rows[i].says));
        assert_non_null(strstr(e.msg, path));
        assert_null(strstr(e.msg, "hunter2"));
    }
    unlink(path);
    assert_int_equal(secret_file_read(path, &text, &e), RC_INVALID);
    assert_non_null(strstr(e.msg, ": No such file or directory"));
    assert_int_equal(secret_file_read("/", &text, &e), RC_INVALID);
    assert_non_null(strstr(e.msg, "/: Is a directory"));
    assert_null(text);
}

static void a_file_that_is_too_large_is_refused(void **state)
{
    const char *path = *state;
    char *big = malloc(SECRET_FILE_MAX + 1), *text = NULL;
    struct err e = ERR_INIT;
    assert_non_null(big);
    memset(big, 'a', SECRET_FILE_MAX + 1);
    put(path, big, SECRET_FILE_MAX + 1);
    assert_int_equal(secret_file_read(path, &text, &e), RC_LIMIT);
    free(big);
}

static void another_content_name_or_absence_is_another_state(void **state)
{
    const char *path = *state;
    struct secret_file_state first, now;
    put(path, "a", 1);
    secret_file_look(path, &first);
    secret_file_look(path, &now);
    assert_true(secret_file_same(&first, &now));
    put(path, "ab", 2);
    secret_file_look(path, &now);
    assert_false(secret_file_same(&first, &now));
    unlink(path);
    secret_file_look(path, &now);
    assert_false(secret_file_same(&first, &now));
}

#define WITH_FILE(f) cmocka_unit_test_setup_teardown(f, make_file, remove_file)

int main(void)
{
    const struct CMUnitTest tests[] = {
        WITH_FILE(white_space_at_the_end_is_no_part_of_it),
        WITH_FILE(what_cannot_be_used_is_told_with_its_path_and_without_its_text),
        WITH_FILE(a_file_that_is_too_large_is_refused),
        WITH_FILE(another_content_name_or_absence_is_another_state),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
