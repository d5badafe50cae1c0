/* Finds and reads the files. Their text is overwritten as soon as it is parsed: it may hold
 * credentials. What is wrong with a file is a problem, so that the others are still checked. */
#include "controller/resource_priv.h"
#include "core/buf.h"
#include "core/digest.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

void input_wipe(struct buf *b)
{
    if (b->p)
        explicit_bzero(b->p, b->n);
    buf_done(b);
}

void inputs_done(struct inputs *in)
{
    for (size_t i = 0; i < in->n; i++) {
        yaml_file_done(&in->list[i].yaml);
        free(in->list[i].file);
    }
    free(in->list);
    *in = (struct inputs){0};
}

/* ---- One file ---- */

static enum rc read_all(int fd, const char *path, struct buf *out, struct err *e)
{
    char piece[16 << 10];
    enum rc rc = RC_OK;
    ssize_t n;
    while (rc == RC_OK && (n = read(fd, piece, sizeof piece)) != 0) {
        if (n < 0)
            rc = errno == EINTR ? RC_OK : err_sys(e, errno, "%s", path);
        else if (out->n + (size_t)n > YAML_TEXT_MAX)
            rc = err_set(e, RC_LIMIT, ERR_FINAL, "%s: larger than the %u bytes that are allowed",
                         path, YAML_TEXT_MAX);
        else
            buf_add(out, piece, (size_t)n);
    }
    explicit_bzero(piece, sizeof piece);
    return rc == RC_OK ? buf_check(out, path, e) : rc;
}

enum rc input_text(const char *path, struct buf *out, struct err *e)
{
    if (strcmp(path, "-") == 0)
        return read_all(STDIN_FILENO, path, out, e);
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0)
        return err_sys(e, errno, "%s", path);
    enum rc rc = read_all(fd, path, out, e);
    close(fd);
    return rc;
}

static void read_input(struct input *in, struct origin *o)
{
    AUTO(input_wipe) struct buf text = BUF_INIT(YAML_TEXT_MAX);
    struct err why = ERR_INIT;
    o->file = in->file;
    enum rc rc = input_text(in->file, &text, &why);
    if (rc == RC_OK)
        rc = yaml_parse(buf_slice(&text), in->file, &in->yaml, &why);
    if (rc != RC_OK)
        problem_failure(o, NULL, &why);
    else if (in->yaml.n == 0 && in->asked)
        problem_error(o, NULL, "no resource in this file: it is empty or only comments");
    else if (in->yaml.n == 0)
        problem_warn(o, NULL, "no resource in this file: it is empty or only comments");
}

/* ---- Which files ---- */

static enum rc add(struct inputs *all, const char *folder, const char *file, struct err *e)
{
    if (all->n == all->cap) {
        size_t cap = all->cap ? 2 * all->cap : 8;
        struct input *list = realloc(all->list, cap * sizeof *list);
        if (!list)
            return err_nomem(e);
        all->list = list;
        all->cap = cap;
    }
    struct input in = {.asked = !folder};
    bool slash = folder && folder[0] && folder[strlen(folder) - 1] == '/';
    if (asprintf(&in.file, "%s%s%s", folder ? folder : "", folder && !slash ? "/" : "", file) < 0)
        return err_nomem(e);
    all->list[all->n++] = in;
    return RC_OK;
}

static int is_manifest(const struct dirent *d)
{
    struct slice name = slice_str(d->d_name);
    return slice_ends(name, SLICE(".yaml")) || slice_ends(name, SLICE(".yml")) ||
           slice_ends(name, SLICE(".json"));
}

static int by_bytes(const struct dirent **a, const struct dirent **b)
{
    return strcmp((*a)->d_name, (*b)->d_name);
}

static bool is_folder(const char *path)
{
    struct stat st;
    return stat(path, &st) == 0 && S_ISDIR(st.st_mode);
}

static enum rc add_folder(struct inputs *all, const char *folder, struct origin *o, struct err *e)
{
    struct dirent **found = NULL;
    struct err why = ERR_INIT;
    size_t before = all->n;
    enum rc rc = RC_OK;
    o->file = folder;
    int n = scandir(folder, &found, is_manifest, by_bytes);
    if (n < 0) {
        err_sys(&why, errno, "%s", folder);
        problem_failure(o, NULL, &why);
        return RC_OK;
    }
    for (int i = 0; i < n; i++) {
        if (rc == RC_OK)
            rc = add(all, folder, found[i]->d_name, e);
        free(found[i]);
        if (rc == RC_OK && is_folder(all->list[all->n - 1].file))
            free(all->list[--all->n].file);
    }
    free(found);
    if (rc == RC_OK && all->n == before)
        problem_error(o, NULL, "no *.yaml, *.yml or *.json file in this folder");
    return rc;
}

static enum rc find_all(const struct resources_opts *opts, struct problem_list *problems,
                        struct inputs *all, struct err *e)
{
    struct origin o = {.problems = problems};
    enum rc rc = RC_OK;
    for (size_t i = 0; i < opts->n_files && rc == RC_OK; i++) {
        const char *path = opts->files[i];
        o.order = all->n;
        rc = is_folder(path) ? add_folder(all, path, &o, e) : add(all, NULL, path, e);
    }
    return rc;
}

enum rc inputs_read(const struct resources_opts *opts, struct problem_list *problems,
                    struct inputs *ret, struct err *e)
{
    AUTO(inputs_done) struct inputs all = {0};
    struct origin o = {.problems = problems};
    enum rc rc = find_all(opts, problems, &all, e);
    if (rc != RC_OK)
        return rc;
    for (size_t i = 0; i < all.n; i++) {
        o.order = i;
        read_input(&all.list[i], &o);
    }
    *ret = all;
    all = (struct inputs){0};
    return RC_OK;
}

/* ---- Changes ---- */

/* What tells two states of a file apart without reading it. */
static void add_state(const char *path, struct sha256 *sha)
{
    struct stat st = {0};
    if (strcmp(path, "-") != 0 && stat(path, &st) != 0)
        st = (struct stat){0};
    const int64_t state[] = {(int64_t)st.st_dev,          (int64_t)st.st_ino,
                             (int64_t)st.st_size,         (int64_t)st.st_mtim.tv_sec,
                             (int64_t)st.st_mtim.tv_nsec, (int64_t)st.st_ctim.tv_sec,
                             (int64_t)st.st_ctim.tv_nsec};
    sha256_add(sha, slice_of(path, strlen(path) + 1));
    sha256_add(sha, slice_of((const char *)state, sizeof state));
}

static const char *kubeconfig_file(const char *option)
{
    const char *file = strchr(option, '=');
    return file ? file + 1 : "";
}

static void free_problems(struct problem_list **list)
{
    problem_list_free(*list);
}

static void free_sha(struct sha256 **sha)
{
    sha256_free(*sha);
}

enum rc resources_signature(const struct resources_opts *opts, uint8_t ret[RESOURCE_DIGEST],
                            struct err *e)
{
    AUTO(inputs_done) struct inputs all = {0};
    AUTO(free_problems) struct problem_list *ignored = problem_list_new();
    AUTO(free_sha) struct sha256 *sha = sha256_new();
    if (!ignored || !sha)
        return err_nomem(e);
    enum rc rc = find_all(opts, ignored, &all, e);
    if (rc != RC_OK)
        return rc;
    sha256_start(sha);
    for (size_t i = 0; i < all.n; i++)
        add_state(all.list[i].file, sha);
    for (size_t i = 0; i < opts->n_kubeconfigs; i++)
        add_state(kubeconfig_file(opts->kubeconfigs[i]), sha);
    sha256_finish(sha, ret);
    return RC_OK;
}

static bool is_rereadable(const char *path)
{
    struct stat st;
    return strcmp(path, "-") != 0 && (stat(path, &st) != 0 || S_ISREG(st.st_mode));
}

enum rc resources_rereadable(const struct resources_opts *opts, bool *ret, struct err *e)
{
    AUTO(inputs_done) struct inputs all = {0};
    AUTO(free_problems) struct problem_list *ignored = problem_list_new();
    bool all_are = true;
    if (!ignored)
        return err_nomem(e);
    enum rc rc = find_all(opts, ignored, &all, e);
    if (rc != RC_OK)
        return rc;
    for (size_t i = 0; i < all.n; i++)
        all_are = all_are && is_rereadable(all.list[i].file);
    for (size_t i = 0; i < opts->n_kubeconfigs; i++)
        all_are = all_are && is_rereadable(kubeconfig_file(opts->kubeconfigs[i]));
    *ret = all_are;
    return RC_OK;
}
