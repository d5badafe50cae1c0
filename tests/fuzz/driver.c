/* Replays corpora through a fuzz target that was not built with libFuzzer: each file of the folders
 * and each file named on the command line is one input, from an exact allocation so that a read
 * behind its end is seen. It fails if there is none. */
#include "core/scope.h"

#include <dirent.h>
#include <limits.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <sys/stat.h>

#define INPUT_MAX (16u << 20)

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);

static void close_file(FILE **f)
{
    if (*f)
        fclose(*f);
}

static void close_folder(DIR **d)
{
    if (*d)
        closedir(*d);
}

static bool replay_file(const char *path, size_t size)
{
    AUTO(close_file) FILE *f = fopen(path, "rb");
    AUTO(freep) uint8_t *data = malloc(size ? size : 1);
    if (!f || !data || size > INPUT_MAX || fread(data, 1, size, f) != size) {
        fprintf(stderr, "%s: cannot be read, or is larger than %u bytes\n", path, INPUT_MAX);
        return false;
    }
    LLVMFuzzerTestOneInput(data, size);
    return true;
}

/* Adds to *count; folders in folders are left out. */
static bool replay(const char *path, bool enter, size_t *count)
{
    struct stat st;
    if (stat(path, &st) != 0) {
        perror(path);
        return false;
    }
    if (!S_ISDIR(st.st_mode)) {
        ++*count;
        return replay_file(path, (size_t)st.st_size);
    }
    AUTO(close_folder) DIR *d = enter ? opendir(path) : NULL;
    if (enter && !d) {
        perror(path);
        return false;
    }
    for (struct dirent *entry; d && (entry = readdir(d)) != NULL;) {
        char name[PATH_MAX];
        int n = snprintf(name, sizeof(name), "%s/%s", path, entry->d_name);
        if (n < 0 || (size_t)n >= sizeof(name) || !replay(name, /* enter= */ false, count))
            return false;
    }
    return true;
}

int main(int argc, char **argv)
{
    size_t count = 0;
    for (int i = 1; i < argc; i++) {
        if (!replay(argv[i], /* enter= */ true, &count))
            return 1;
    }
    printf("%zu inputs\n", count);
    return count ? 0 : 1;
}
