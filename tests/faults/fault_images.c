/* Builds crash images from the recorded writes of one clean run, and looks at each: it opens and holds what was
 * acknowledged before the crash.
 *
 * Model of a disk: what was written since the last sync of a file may be there wholly, in part (any 512-byte sectors)
 * or not at all, in any order; an O_DSYNC write is there when it returned. Names: of the creates, renames and
 * removals since the last sync of their folder a first part is there. Arguments: libfault.so and the scenario. */
#include "core/rng.h"
#include "core/scope.h"
#include "tests/faults/fault_place.h"
#include "tests/faults/fault_record.h"

#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#define IMAGES     1200
#define FILES_MAX  256
#define OPS_MAX    4096
#define SECTOR     512
#define PATH_SIZE  256
#define FILE_BYTES (4u << 20)

struct op {
    struct fault_record r;
    const char *path, *second, *bytes;
};

struct file {
    uint64_t inode;          /* of the newest file with this number */
    size_t pending[OPS_MAX]; /* operations since its last sync */
    size_t n_pending;
    char *bytes;
    size_t n;
};

struct name {
    char path[PATH_SIZE];
    int file; /* -1: removed */
};

struct disk {
    struct op ops[OPS_MAX];
    size_t n_ops;
    struct file files[FILES_MAX];
    int n_files;
    struct name names[FILES_MAX];
    int n_names;
    size_t names_pending[OPS_MAX]; /* operations on names since the last sync of their folder */
    size_t n_names_pending;
    struct rng_seeded rng;
    struct fault_told told;
    unsigned lost, torn; /* for the report */
};

/* ---- The records ---- */

static char *read_file(const char *path, size_t *ret_n)
{
    struct stat st;
    int fd = open(path, O_RDONLY);
    if (fd < 0 || fstat(fd, &st) != 0)
        abort();
    char *p = malloc((size_t)st.st_size + 1);
    if (!p || read(fd, p, (size_t)st.st_size) != st.st_size)
        abort();
    close(fd);
    *ret_n = (size_t)st.st_size;
    return p;
}

static void parse(struct disk *d, const char *p, size_t n)
{
    while (n > 0 && d->n_ops < OPS_MAX) {
        struct op *o = &d->ops[d->n_ops++];
        memcpy(&o->r, p, sizeof(o->r));
        o->path = p + sizeof(o->r);
        o->second = o->path + o->r.path_n;
        o->bytes = o->second + o->r.second_n;
        size_t bytes = o->r.type == FAULT_WRITE || o->r.type == FAULT_WRITE_SYNC ? o->r.n : 0;
        size_t size = sizeof(o->r) + o->r.path_n + o->r.second_n + bytes;
        p += size;
        n -= size;
    }
    if (n > 0)
        abort();
}

/* ---- The disk ---- */

static struct file *file_of(struct disk *d, uint64_t inode)
{
    for (int i = d->n_files - 1; i >= 0; i--) {
        if (d->files[i].inode == inode)
            return &d->files[i];
    }
    abort();
}

static void put_bytes(struct file *f, uint64_t at, const char *p, size_t n)
{
    if (at + n > FILE_BYTES)
        abort();
    memcpy(f->bytes + at, p, n);
    if (at + n > f->n)
        f->n = at + n;
}

static void apply_to_file(struct file *f, const struct op *o)
{
    if (o->r.type == FAULT_TRUNCATE)
        f->n = o->r.offset;
    else
        put_bytes(f, o->r.offset, o->bytes, o->r.n);
}

static void apply_pending(struct disk *d, struct file *f)
{
    for (size_t i = 0; i < f->n_pending; i++)
        apply_to_file(f, &d->ops[f->pending[i]]);
    f->n_pending = 0;
}

static struct name *name_of(struct disk *d, const char *path, uint32_t n)
{
    for (int i = 0; i < d->n_names; i++) {
        if (strlen(d->names[i].path) == n && memcmp(d->names[i].path, path, n) == 0)
            return &d->names[i];
    }
    if (d->n_names == FILES_MAX || n >= PATH_SIZE)
        abort();
    struct name *added = &d->names[d->n_names++];
    memcpy(added->path, path, n);
    added->path[n] = '\0';
    added->file = -1;
    return added;
}

/* A create names the file that it made: the first one not named so far. */
static void apply_name(struct disk *d, const struct op *o)
{
    struct name *name = name_of(d, o->path, o->r.path_n);
    if (o->r.type == FAULT_CREATE) {
        name->file = (int)o->r.offset;
    } else if (o->r.type == FAULT_UNLINK) {
        name->file = -1;
    } else {
        int file = name->file;
        name->file = -1;
        name_of(d, o->second, o->r.second_n)->file = file;
    }
}

static bool is_in(const struct op *o, const char *dir, uint32_t n)
{
    return o->r.path_n > n && memcmp(o->path, dir, n) == 0 && o->path[n] == '/' &&
           !memchr(o->path + n + 1, '/', o->r.path_n - n - 1);
}

static void sync_names(struct disk *d, const struct op *sync)
{
    size_t kept = 0;
    for (size_t i = 0; i < d->n_names_pending; i++) {
        struct op *o = &d->ops[d->names_pending[i]];
        if (is_in(o, sync->path, sync->r.path_n))
            apply_name(d, o);
        else
            d->names_pending[kept++] = d->names_pending[i];
    }
    d->n_names_pending = kept;
}

static void make_file(struct disk *d, struct op *o)
{
    if (d->n_files == FILES_MAX)
        abort();
    struct file *f = &d->files[d->n_files];
    f->inode = o->r.inode;
    f->n = f->n_pending = 0;
    if (!f->bytes)
        f->bytes = malloc(FILE_BYTES);
    if (!f->bytes)
        abort();
    memset(f->bytes, 0, FILE_BYTES);
    o->r.offset = (uint64_t)d->n_files++;
}

static void step(struct disk *d, size_t i)
{
    struct op *o = &d->ops[i];
    switch ((enum fault_type)o->r.type) {
    case FAULT_CREATE:
        make_file(d, o);
        d->names_pending[d->n_names_pending++] = i;
        break;
    case FAULT_RENAME:
    case FAULT_UNLINK:
        d->names_pending[d->n_names_pending++] = i;
        break;
    case FAULT_WRITE:
    case FAULT_TRUNCATE: {
        struct file *f = file_of(d, o->r.inode);
        f->pending[f->n_pending++] = i;
        break;
    }
    case FAULT_WRITE_SYNC:
        apply_to_file(file_of(d, o->r.inode), o);
        break;
    case FAULT_SYNC:
        apply_pending(d, file_of(d, o->r.inode));
        break;
    case FAULT_SYNC_DIR:
        sync_names(d, o);
        break;
    case FAULT_MARK:
        if (o->r.kind == 1)
            d->told.event = o->r.offset;
        else
            d->told.checkpoint = o->r.offset;
        break;
    }
}

/* ---- The crash ---- */

static uint64_t chance(struct disk *d, uint64_t bound)
{
    return rng_below(&d->rng.rng, bound);
}

/* Any of its sectors, each aligned in the file; sometimes only whole pages. */
static void tear(struct disk *d, struct file *f, const struct op *o)
{
    uint64_t unit = chance(d, 2) ? SECTOR : 4096;
    d->torn++;
    for (uint64_t at = o->r.offset, end = at + o->r.n; at < end;) {
        uint64_t next = (at / unit + 1) * unit < end ? (at / unit + 1) * unit : end;
        if (chance(d, 2))
            put_bytes(f, at, o->bytes + (at - o->r.offset), (size_t)(next - at));
        at = next;
    }
}

static void crash_file(struct disk *d, struct file *f)
{
    uint64_t mood = chance(d, 4); /* all lost, all there, or mixed */
    for (size_t i = 0; i < f->n_pending; i++) {
        const struct op *o = &d->ops[f->pending[i]];
        uint64_t fate = mood < 2 ? mood : chance(d, 3);
        if (fate == 0)
            d->lost++;
        else if (fate == 1 || o->r.type == FAULT_TRUNCATE)
            apply_to_file(f, o);
        else
            tear(d, f, o);
    }
}

/* A write that was cut off by the crash may have reached the disk in part, even an O_DSYNC one. A sector is written
 * wholly or not, as LMDB needs for its meta page, which lies in one. */
static void crash_in_write(struct disk *d, size_t i)
{
    struct op *o = &d->ops[i];
    if ((o->r.type == FAULT_WRITE || o->r.type == FAULT_WRITE_SYNC) && chance(d, 2))
        tear(d, file_of(d, o->r.inode), o);
}

static void crash(struct disk *d, size_t at)
{
    d->n_files = d->n_names = 0;
    d->n_names_pending = 0;
    d->told = (struct fault_told){0};
    for (size_t i = 0; i < at; i++)
        step(d, i);
    for (int i = 0; i < d->n_files; i++)
        crash_file(d, &d->files[i]);
    if (at < d->n_ops)
        crash_in_write(d, at);
    size_t names = (size_t)chance(d, d->n_names_pending + 1);
    for (size_t i = 0; i < names; i++)
        apply_name(d, &d->ops[d->names_pending[i]]);
}

static void write_image(const struct disk *d, const char *from, const char *to)
{
    char path[PATH_SIZE * 2];
    snprintf(path, sizeof(path), "%s/log", to);
    mkdir(path, 0700);
    snprintf(path, sizeof(path), "%s/consumers", to);
    mkdir(path, 0700);
    for (int i = 0; i < d->n_names; i++) {
        if (d->names[i].file < 0)
            continue;
        const struct file *f = &d->files[d->names[i].file];
        snprintf(path, sizeof(path), "%s%s", to, d->names[i].path + strlen(from));
        int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC, 0600);
        if (fd < 0 || write(fd, f->bytes, f->n) != (ssize_t)f->n)
            abort();
        close(fd);
    }
}

static bool look(struct disk *d, const char *from, size_t at, unsigned image)
{
    char what[512];
    char *place = fault_place_new();
    crash(d, at);
    write_image(d, from, place);
    const char *bad = fault_check(place, &d->told, true, what);
    if (bad)
        printf("FAILED: image %u, crash before operation %zu of %zu: %s; it is kept in %s\n", image,
               at, d->n_ops, bad, place);
    if (!bad)
        fault_place_free(place);
    else
        free(place);
    return !bad;
}

int main(int argc, char **argv)
{
    if (argc != 3)
        return 2;
    char *place = fault_place_new(), *records = fault_place_new();
    char file[PATH_SIZE];
    snprintf(file, sizeof(file), "%s/records", records);
    const struct fault_run run = {
        .library = argv[1], .scenario = argv[2], .dir = place, .record = file};
    struct fault_told told = fault_run(&run);
    if (!told.finished || told.event != FAULT_EVENTS) {
        printf("FAILED: the scenario does not pass without a fault\n");
        return 1;
    }
    struct disk *d = calloc(1, sizeof(*d));
    size_t n = 0;
    char *bytes = read_file(file, &n);
    if (!d)
        abort();
    rng_seeded_init(&d->rng, 20);
    parse(d, bytes, n);
    bool ok = true;
    unsigned images = 0;
    /* Each operation once, then at random. */
    for (; ok && images < IMAGES; images++)
        ok = look(d, place, images <= d->n_ops ? images : (size_t)chance(d, d->n_ops + 1), images);
    printf("%u images of %zu operations, %u writes lost, %u torn\n", images, d->n_ops, d->lost,
           d->torn);
    for (int i = 0; i < FILES_MAX; i++)
        free(d->files[i].bytes);
    free(d);
    free(bytes);
    fault_place_free(place);
    fault_place_free(records);
    return ok && images >= 1000 ? 0 : 1;
}
