/* Folders made with mkdtemp. Depth is small, so plain recursion walks them. */
#include "tests/conformance/temp_dir.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define PATH_SIZE 512

static void must(bool ok, const char *what, const char *path)
{
    if (ok)
        return;
    fprintf(stderr, "%s %s: %s\n", what, path, strerror(errno));
    abort();
}

char *temp_dir_new(void)
{
    char *path = strdup("/tmp/resilog-test-XXXXXX");
    must(path && mkdtemp(path), "mkdtemp", "/tmp/resilog-test-XXXXXX");
    return path;
}

/* Calls fn for each entry's path. */
static void each_entry(const char *dir, void (*fn)(const char *path, const char *name, void *arg),
                       void *arg)
{
    DIR *d = opendir(dir);
    must(d, "opendir", dir);
    for (struct dirent *entry = readdir(d); entry; entry = readdir(d)) {
        if (!strcmp(entry->d_name, ".") || !strcmp(entry->d_name, ".."))
            continue;
        char path[PATH_SIZE];
        int n = snprintf(path, sizeof(path), "%s/%s", dir, entry->d_name);
        must(n > 0 && n < PATH_SIZE, "path too long", dir);
        fn(path, entry->d_name, arg);
    }
    closedir(d);
}

static void copy_file(const char *from, const char *to, mode_t mode)
{
    int in = open(from, O_RDONLY | O_CLOEXEC);
    must(in >= 0, "open", from);
    int out = open(to, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, mode);
    must(out >= 0, "create", to);
    static char block[1 << 16];
    ssize_t n = 0;
    while ((n = read(in, block, sizeof(block))) > 0)
        must(write(out, block, (size_t)n) == n, "write", to);
    must(n == 0, "read", from);
    must(close(in) == 0 && close(out) == 0, "close", to);
}

static void copy_entry(const char *path, const char *name, void *arg)
{
    char to[PATH_SIZE];
    struct stat st;
    int n = snprintf(to, sizeof(to), "%s/%s", (const char *)arg, name);
    must(n > 0 && n < PATH_SIZE, "path too long", arg);
    must(lstat(path, &st) == 0, "stat", path);
    if (S_ISREG(st.st_mode))
        copy_file(path, to, st.st_mode & 0777);
    if (!S_ISDIR(st.st_mode))
        return;
    must(mkdir(to, st.st_mode & 0777) == 0, "mkdir", to);
    each_entry(path, copy_entry, to);
}

char *temp_dir_copy(const char *from)
{
    char *to = temp_dir_new();
    each_entry(from, copy_entry, to);
    return to;
}

static void remove_entry(const char *path, const char *name, void *arg)
{
    struct stat st;
    (void)name;
    must(lstat(path, &st) == 0, "stat", path);
    if (S_ISDIR(st.st_mode))
        each_entry(path, remove_entry, arg);
    must(remove(path) == 0, "remove", path);
}

void temp_dir_free(char *path)
{
    if (!path)
        return;
    each_entry(path, remove_entry, NULL);
    must(rmdir(path) == 0, "rmdir", path);
    free(path);
}
