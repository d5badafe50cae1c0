/* A folder of its own for a test, under /tmp. All three abort the test on failure. */
#ifndef RESILOG_TESTS_TEMP_DIR_H
#define RESILOG_TESTS_TEMP_DIR_H

/* A new empty folder; the caller frees the path. */
char *temp_dir_new(void);
/* A copy of a folder with all in it, made as a crash would find it: file by file, while others may
 * have it open. The caller frees the path. */
char *temp_dir_copy(const char *from);
/* Deletes the folder with all in it, and frees the path. */
void temp_dir_free(char *path);

#endif
