/* Folders: making, locking, the record in LOCK. */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>

#include "log/folder.h"
#include "tests/conformance/temp_dir.h"

#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

static int setup(void **state)
{
    *state = temp_dir_new();
    return 0;
}

static int teardown(void **state)
{
    temp_dir_free(*state);
    return 0;
}

static void a_folder_is_made_for_its_owner_alone(void **state)
{
    char path[256];
    struct stat st;
    struct err e = ERR_INIT;
    snprintf(path, sizeof(path), "%s/new", (char *)*state);
    assert_int_equal(folder_make(path, &e), RC_OK);
    assert_int_equal(stat(path, &st), 0);
    assert_int_equal(st.st_mode & 0777, 0700);
    assert_int_equal(folder_make(path, &e), RC_OK); /* it may be there */
    assert_int_equal(folder_check(path, &e), RC_OK);
    assert_int_equal(folder_sync(path, &e), RC_OK);
    assert_true(folder_room(path) > 0);
}

static void what_is_no_folder_is_refused(void **state)
{
    char path[256];
    struct err e = ERR_INIT;
    snprintf(path, sizeof(path), "%s/file", (char *)*state);
    close(open(path, O_CREAT | O_WRONLY, 0600));
    assert_int_equal(folder_make(path, &e), RC_INVALID);
    assert_int_equal(folder_make("/nonexistent/a", &e), RC_NOTFOUND);
    assert_int_equal(folder_check("/nonexistent", &e), RC_NOTFOUND);
    assert_int_equal(folder_sync("/nonexistent", &e), RC_NOTFOUND);
    assert_true(folder_room("/nonexistent") == UINT64_MAX);
}

static void network_file_systems_are_known_by_their_magic(void **state)
{
    /* From linux/magic.h, and the makers' own headers. */
    static const uint32_t network[] = {
        0x6969 /* NFS */,        0x517B /* SMB */,          0xFF534D42 /* CIFS */,
        0xFE534D42 /* SMB2 */,   0x5346414F /* AFS */,      0x6B414653 /* kAFS */,
        0x73757245 /* Coda */,   0x00C36400 /* Ceph */,     0x01021997 /* 9P */,
        0x65735546 /* FUSE */,   0x0BD00BD0 /* Lustre */,   0x01161970 /* GFS2 */,
        0x7461636F /* OCFS2 */,  0x47504653 /* GPFS */,     0x19830326 /* BeeGFS */,
        0x564C /* NCP */,        0x20030528 /* OrangeFS */, 0xAAD7AAEA /* PanFS */,
        0xBEEFDEAD /* SNFS */,   0x61636673 /* ACFS */,     0x013111A8 /* IBRIX */,
        0x786F4256 /* vboxsf */, 0xBACBACBC /* HGFS */,     0x7C7C6673 /* prl_fs */,
    };
    static const uint32_t local[] = {
        0xEF53 /* ext2, ext3, ext4 */, 0x58465342 /* XFS */,
        0x9123683E /* btrfs */,        0x01021994 /* tmpfs */,
        0x794C7630 /* overlay */,      0x2FC12FC1 /* ZFS */,
        0xF2F52010 /* F2FS */,         0x858458F6 /* ramfs */,
        0xCA451A4E /* bcachefs */,     0,
    };
    (void)state;
    for (size_t i = 0; i < sizeof(network) / sizeof(network[0]); i++)
        assert_non_null(folder_network_name(network[i]));
    for (size_t i = 0; i < sizeof(local) / sizeof(local[0]); i++)
        assert_null(folder_network_name(local[i]));
    assert_string_equal(folder_network_name(0x6969), "NFS");
    assert_string_equal(folder_network_name(0xFF534D42), "CIFS");
}

static void a_second_lock_is_refused_and_names_the_holder(void **state)
{
    struct folder_lock *first = NULL, *second = NULL;
    struct err e = ERR_INIT;
    assert_int_equal(folder_lock_take(*state, &first, &e), RC_OK);
    assert_int_equal(folder_lock_take(*state, &second, &e), RC_CONFLICT);
    assert_int_equal(e.retry, ERR_FATAL);
    assert_int_equal(folder_lock_set(first, 5, &e), RC_OK);
    assert_int_equal(folder_lock_take(*state, &second, &e), RC_CONFLICT);
    char pid[32];
    snprintf(pid, sizeof(pid), "process %d ", (int)getpid());
    assert_non_null(strstr(e.msg, pid));
    assert_null(second);
    folder_unlock(first);
    assert_int_equal(folder_lock_take(*state, &second, &e), RC_OK);
    folder_unlock(second);
    folder_unlock(NULL);
}

static void a_lock_holds_against_other_processes(void **state)
{
    AUTO(folder_unlockp) struct folder_lock *l = NULL;
    struct err e = ERR_INIT;
    assert_int_equal(folder_lock_take(*state, &l, &e), RC_OK);
    pid_t pid = fork();
    if (pid == 0) {
        struct folder_lock *other = NULL;
        _exit(folder_lock_take(*state, &other, &e) == RC_CONFLICT ? 0 : 1);
    }
    int status = 1;
    assert_int_equal(waitpid(pid, &status, 0), pid);
    assert_int_equal(status, 0);
}

static void the_epoch_outlives_the_lock_and_damage_is_absence(void **state)
{
    struct err e = ERR_INIT;
    assert_int_equal(folder_lock_epoch(*state), 0);
    {
        AUTO(folder_unlockp) struct folder_lock *l = NULL;
        assert_int_equal(folder_lock_take(*state, &l, &e), RC_OK);
        assert_int_equal(folder_lock_epoch(*state), 0);
        assert_int_equal(folder_lock_set(l, 1ull << 40, &e), RC_OK);
        assert_true(folder_lock_epoch(*state) == 1ull << 40);
    }
    assert_true(folder_lock_epoch(*state) == 1ull << 40);
    char path[256];
    snprintf(path, sizeof(path), "%s/LOCK", (char *)*state);
    for (int bit = 0; bit < 32 * 8; bit++) {
        char byte = 0;
        int fd = open(path, O_RDWR);
        assert_int_equal(pread(fd, &byte, 1, bit / 8), 1);
        byte = (char)(byte ^ (1 << bit % 8));
        assert_int_equal(pwrite(fd, &byte, 1, bit / 8), 1);
        assert_int_equal(folder_lock_epoch(*state), 0);
        byte = (char)(byte ^ (1 << bit % 8));
        assert_int_equal(pwrite(fd, &byte, 1, bit / 8), 1);
        close(fd);
    }
    assert_true(folder_lock_epoch(*state) == 1ull << 40);
}

static void a_removed_lock_file_is_a_conflict(void **state)
{
    AUTO(folder_unlockp) struct folder_lock *l = NULL;
    struct err e = ERR_INIT;
    char path[256];
    assert_int_equal(folder_lock_take(*state, &l, &e), RC_OK);
    assert_int_equal(folder_lock_check(l, &e), RC_OK);
    snprintf(path, sizeof(path), "%s/LOCK", (char *)*state);
    assert_int_equal(unlink(path), 0);
    assert_int_equal(folder_lock_check(l, &e), RC_CONFLICT);
}

#define CASE(f) cmocka_unit_test_setup_teardown(f, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        CASE(a_folder_is_made_for_its_owner_alone),
        CASE(what_is_no_folder_is_refused),
        cmocka_unit_test(network_file_systems_are_known_by_their_magic),
        CASE(a_second_lock_is_refused_and_names_the_holder),
        CASE(a_lock_holds_against_other_processes),
        CASE(the_epoch_outlives_the_lock_and_damage_is_absence),
        CASE(a_removed_lock_file_is_a_conflict),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
