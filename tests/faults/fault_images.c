/* Builds crash images from recorded writes, and looks at each: it opens and holds what was acknowledged before the
 * crash. Recorded are one clean run, and runs that were killed before each sync in turn and then started again: what
 * the first life had not made durable, the second one relies on.
 *
 * Model of a disk: what was written since the last sync of a file may be there wholly, in part (any 512-byte sectors)
 * or not at all, in any order; an O_DSYNC write is there when it returned. Names: of the creates, renames and
 * removals since the last sync of their folder a first part is there, or any of them; a folder is a name, too.
 * Arguments: libfault.so and the scenario. */
#include "core/rng.h"
#include "core/scope.h"
#include "tests/faults/fault_place.h"
#include "tests/faults/fault_record.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#define IMAGES      700 /* of a clean run; RESILOG_CRASH_IMAGES: another number */
#define IMAGES_LIFE 15  /* of each run in two lives */
#define LIVES_MIN   20  /* so many syncs there are at least to be killed before */
#define REMOVED     -1  /* in place of a file */
#define FOLDER      -2
#define FILES_MAX   256
#define OPS_MAX     4096
#define SECTOR      512
#define PATH_SIZE   256
#define FILE_BYTES  (4u << 20)

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
    int file; /* or REMOVED, FOLDER */
};

struct names {
    struct name p[FILES_MAX];
    int n;
};

struct disk {
    struct op ops[OPS_MAX];
    size_t n_ops, second_life; /* where it begins */
    struct file files[FILES_MAX];
    int n_files;
    struct names live;             /* as the program sees them */
    struct names durable;          /* as the disk holds them */
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

/* The second life begins behind the first `first_n` bytes. */
static void parse(struct disk *d, const char *p, size_t n, size_t first_n)
{
    const char *begin = p;
    d->n_ops = 0;
    while (n > 0 && d->n_ops < OPS_MAX) {
        if ((size_t)(p - begin) <= first_n)
            d->second_life = d->n_ops;
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

static struct name *name_of(struct names *names, const char *path, uint32_t n)
{
    for (int i = 0; i < names->n; i++) {
        if (strlen(names->p[i].path) == n && memcmp(names->p[i].path, path, n) == 0)
            return &names->p[i];
    }
    if (names->n == FILES_MAX || n >= PATH_SIZE)
        abort();
    struct name *added = &names->p[names->n++];
    memcpy(added->path, path, n);
    added->path[n] = '\0';
    added->file = REMOVED;
    return added;
}

/* The file that an operation names is known since its step. */
static void apply_name(struct names *names, const struct op *o)
{
    int file = (int)o->r.offset;
    if (o->r.type == FAULT_RENAME) {
        name_of(names, o->path, o->r.path_n)->file = REMOVED;
        name_of(names, o->second, o->r.second_n)->file = file;
    } else {
        name_of(names, o->path, o->r.path_n)->file = file;
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
            apply_name(&d->durable, o);
        else
            d->names_pending[kept++] = d->names_pending[i];
    }
    d->n_names_pending = kept;
}

static int make_file(struct disk *d, uint64_t inode)
{
    if (d->n_files == FILES_MAX)
        abort();
    struct file *f = &d->files[d->n_files];
    f->inode = inode;
    f->n = f->n_pending = 0;
    if (!f->bytes)
        f->bytes = malloc(FILE_BYTES);
    if (!f->bytes)
        abort();
    memset(f->bytes, 0, FILE_BYTES);
    return d->n_files++;
}

static void step_name(struct disk *d, size_t i)
{
    struct op *o = &d->ops[i];
    int file = REMOVED;
    if (o->r.type == FAULT_CREATE)
        file = make_file(d, o->r.inode);
    else if (o->r.type == FAULT_MKDIR)
        file = FOLDER;
    else if (o->r.type == FAULT_RENAME)
        file = name_of(&d->live, o->path, o->r.path_n)->file;
    o->r.offset = (uint64_t)(int64_t)file;
    apply_name(&d->live, o);
    d->names_pending[d->n_names_pending++] = i;
}

static void step(struct disk *d, size_t i)
{
    struct op *o = &d->ops[i];
    switch ((enum fault_type)o->r.type) {
    case FAULT_CREATE:
    case FAULT_MKDIR:
    case FAULT_RENAME:
    case FAULT_UNLINK:
        step_name(d, i);
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
        fault_hear(&d->told, o->r.kind, o->r.offset);
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

static void crash_names(struct disk *d)
{
    bool in_order = chance(d, 2);
    size_t first = (size_t)chance(d, d->n_names_pending + 1);
    for (size_t i = 0; i < d->n_names_pending; i++) {
        if (in_order ? i < first : chance(d, 2))
            apply_name(&d->durable, &d->ops[d->names_pending[i]]);
    }
}

static void crash(struct disk *d, size_t at)
{
    d->n_files = d->live.n = d->durable.n = 0;
    d->n_names_pending = 0;
    d->told = (struct fault_told){0};
    for (size_t i = 0; i < at; i++)
        step(d, i);
    for (int i = 0; i < d->n_files; i++)
        crash_file(d, &d->files[i]);
    if (at < d->n_ops)
        crash_in_write(d, at);
    crash_names(d);
}

/* What lies in a folder whose own name was lost is lost. */
static void write_image(const struct disk *d, const char *from, const char *to)
{
    char path[PATH_SIZE * 2];
    for (int i = 0; i < d->durable.n; i++) {
        const struct name *name = &d->durable.p[i];
        snprintf(path, sizeof(path), "%s%s", to, name->path + strlen(from));
        if (name->file == FOLDER && mkdir(path, 0700) != 0)
            abort();
    }
    for (int i = 0; i < d->durable.n; i++) {
        const struct name *name = &d->durable.p[i];
        if (name->file < 0)
            continue;
        const struct file *f = &d->files[name->file];
        snprintf(path, sizeof(path), "%s%s", to, name->path + strlen(from));
        int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC, 0600);
        if (fd < 0 && errno == ENOENT)
            continue;
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
    const char *bad = fault_check(place, &d->told, what);
    if (bad)
        printf("FAILED: image %u, crash before operation %zu of %zu: %s; it is kept in %s\n", image,
               at, d->n_ops, bad, place);
    if (!bad)
        fault_place_free(place);
    else
        free(place);
    return !bad;
}

/* ---- Runs ---- */

/* The records of one run, or of one killed before its n-th sync (0: not) and one more in the same place. */
struct recorded {
    char *place; /* where it ran; the records name it */
    char *bytes;
    size_t n, first_n;
    bool killed;
    const char *bad; /* what was wrong with the runs */
};

static struct recorded record(char **argv, unsigned kill_at)
{
    struct recorded r = {.place = fault_place_new()};
    char *records = fault_place_new(), file[PATH_SIZE], nth[16];
    snprintf(file, sizeof(file), "%s/records", records);
    snprintf(nth, sizeof(nth), "%u", kill_at);
    struct fault_run run = {
        .library = argv[1], .scenario = argv[2], .dir = r.place, .record = file};
    struct fault_run killed = run;
    killed.call = "fsync";
    killed.nth = nth;
    killed.kind = "KILL";
    if (kill_at > 0) {
        r.killed = !fault_run(&killed).finished;
        free(read_file(file, &r.first_n));
    }
    if (kill_at == 0 || r.killed) {
        struct fault_told told = fault_run(&run);
        bool all = told.event == FAULT_EVENTS || (r.killed && told.event == 0); /* none were left */
        if (!told.finished || told.wrong[0] || !all)
            r.bad = "the scenario does not pass without a fault";
    }
    r.bytes = read_file(file, &r.n);
    fault_place_free(records);
    return r;
}

static void recorded_done(struct recorded *r)
{
    free(r->bytes);
    fault_place_free(r->place);
}

static unsigned images_wanted(void)
{
    const char *text = getenv("RESILOG_CRASH_IMAGES");
    return text ? (unsigned)strtoul(text, NULL, 10) : IMAGES;
}

/* Crashes of one clean run: before each operation once, then at random. */
static bool one_life(struct disk *d, char **argv, unsigned *images)
{
    unsigned wanted = images_wanted();
    struct recorded r = record(argv, 0);
    bool ok = !r.bad;
    if (ok)
        parse(d, r.bytes, r.n, 0);
    for (unsigned i = 0; ok && i < wanted; i++, ++*images)
        ok = look(d, r.place, i <= d->n_ops ? i : (size_t)chance(d, d->n_ops + 1), i);
    printf("%u images of %zu operations\n", *images, d->n_ops);
    if (r.bad)
        printf("FAILED: %s\n", r.bad);
    recorded_done(&r);
    return ok;
}

/* Crashes in the second life of runs that were killed. */
static bool two_lives(struct disk *d, char **argv, unsigned *images)
{
    bool ok = true;
    unsigned lives = 0;
    for (bool killed = true; ok && killed; lives += killed) {
        struct recorded r = record(argv, lives + 1);
        killed = r.killed;
        ok = !r.bad;
        if (ok && killed)
            parse(d, r.bytes, r.n, r.first_n);
        for (unsigned i = 0; ok && killed && i < IMAGES_LIFE; i++, ++*images) {
            size_t at = d->second_life + (size_t)chance(d, d->n_ops - d->second_life + 1);
            ok = look(d, r.place, at, *images);
        }
        if (!ok)
            printf("FAILED: killed before sync number %u%s%s\n", lives + 1, r.bad ? ": " : "",
                   r.bad ? r.bad : "");
        recorded_done(&r);
    }
    printf("%u runs in two lives\n", lives);
    return ok && lives >= LIVES_MIN;
}

int main(int argc, char **argv)
{
    if (argc != 3)
        return 2;
    struct disk *d = calloc(1, sizeof(*d));
    if (!d)
        return 2;
    rng_seeded_init(&d->rng, 20);
    unsigned images = 0;
    bool ok = one_life(d, argv, &images) && two_lives(d, argv, &images);
    printf("%u images, %u writes lost, %u torn\n", images, d->lost, d->torn);
    for (int i = 0; i < FILES_MAX; i++)
        free(d->files[i].bytes);
    free(d);
    return ok ? 0 : 1;
}
