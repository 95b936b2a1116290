/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * A token of root's own is used by user 0, as its store belongs to nobody else. Without any
 * capability that user still owns root's files, may talk to every service that obeys root, and may
 * signal root's processes. So it gets a view of the files of its own, in which all is read-only but
 * the stores, and neither those services nor root's other secrets are there; Landlock takes the
 * signals.
 */
#include "cli/sandbox.h"

#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

/* The kernel's own, of which headers may know but a part. */
#define CALL_OPEN_TREE 428
#define CALL_MOVE_MOUNT 429
#define CALL_MOUNT_SETATTR 442
#define CALL_LANDLOCK_CREATE 444
#define CALL_LANDLOCK_RESTRICT 446
#define TREE_CLONE 1u      /* OPEN_TREE_CLONE */
#define WHOLE_TREE 0x8000u /* AT_RECURSIVE */
#define FROM_FD 4u         /* MOVE_MOUNT_F_EMPTY_PATH */
#define READ_ONLY 1u       /* MOUNT_ATTR_RDONLY */
#define ABI_QUESTION 1u    /* LANDLOCK_CREATE_RULESET_VERSION */
#define ABI_WITH_SCOPES 6
#define SCOPE_ABSTRACT_AND_SIGNAL 3u

#define PATH_MAX_HERE 256

struct place {
    const char *path;
    bool at_home;
};

/* Stores of soft tokens, and what is anybody's. Readers and TPMs are devices, which a read-only
 * mount does not keep from being written to. */
static const struct place stores[] = {
    {"/var/lib/softhsm", false},
    {"/var/lib/opencryptoki", false},
    {"/var/lib/tpm2_pkcs11", false},
    {".config/softhsm2", true},
    {".local/share/softhsm2", true},
    {".tpm2_pkcs11", true},
    {".pki/nssdb", true},
    {"/tmp", false},
    {"/var/tmp", false},
    {"/dev/shm", false},
};

/* Of /run: the daemon of card readers, and who looks names up. Not the bus, no manager of services
 * or of containers. */
static const char *const services[] = {
    "/run/pcscd",        "/run/systemd/resolve",
    "/run/resolvconf",   "/run/NetworkManager/resolv.conf",
    "/run/nscd",         "/run/lock",
    "/run/opencryptoki",
};

static const struct place hidden[] = {
    {"/etc/shadow", false}, {"/etc/shadow-", false}, {"/etc/gshadow", false},
    {"/etc/ssh", false},    {".ssh", true},          {".gnupg", true},
};

#define COUNT(a) (sizeof(a) / sizeof((a)[0]))

static const char *path_of(const struct place *p, char out[PATH_MAX_HERE])
{
    const char *home = getenv("HOME");

    if (!p->at_home)
        return p->path;
    if (!home || home[0] != '/' ||
        (size_t)snprintf(out, PATH_MAX_HERE, "%s/%s", home, p->path) >= PATH_MAX_HERE)
        return NULL;
    return out;
}

static int take_tree(const char *path)
{
    return (int)syscall(CALL_OPEN_TREE, AT_FDCWD, path, TREE_CLONE | O_CLOEXEC | WHOLE_TREE);
}

static bool put_tree(int fd, const char *path)
{
    bool ok = syscall(CALL_MOVE_MOUNT, fd, "", AT_FDCWD, path, FROM_FD) == 0;

    close(fd);
    return ok;
}

/* The place for a mount, and what leads to it. */
static bool make_place(const char *path, bool is_dir)
{
    char part[PATH_MAX_HERE];
    int fd;

    for (const char *p = strchr(path + 1, '/'); p; p = strchr(p + 1, '/')) {
        (void)snprintf(part, sizeof(part), "%.*s", (int)(p - path), path);
        if (mkdir(part, 0755) != 0 && errno != EEXIST)
            return false;
    }
    if (is_dir)
        return mkdir(path, 0755) == 0 || errno == EEXIST;
    fd = open(path, O_CREAT | O_WRONLY | O_CLOEXEC, 0644);
    if (fd >= 0)
        close(fd);
    return fd >= 0;
}

/* /run, with nothing in it but what is needed. */
static bool thin_out_services(void)
{
    int tree[COUNT(services)];
    struct stat st[COUNT(services)];
    bool ok = true;

    for (size_t i = 0; i < COUNT(services); i++)
        tree[i] = stat(services[i], &st[i]) == 0 ? take_tree(services[i]) : -1;
    if (mount("none", "/run", "tmpfs", MS_NOSUID | MS_NODEV, "size=64k,mode=755") != 0)
        ok = false;
    for (size_t i = 0; i < COUNT(services); i++) {
        if (tree[i] < 0)
            continue;
        if (ok && make_place(services[i], S_ISDIR(st[i].st_mode)))
            ok = put_tree(tree[i], services[i]);
        else
            close(tree[i]);
    }
    return ok;
}

static bool hide(void)
{
    char room[PATH_MAX_HERE];
    struct stat st;
    bool ok = true;

    for (size_t i = 0; i < COUNT(hidden) && ok; i++) {
        const char *path = path_of(&hidden[i], room);

        if (!path || stat(path, &st) != 0)
            continue;
        ok = S_ISDIR(st.st_mode)
                 ? mount("none", path, "tmpfs", MS_NOSUID | MS_NODEV, "size=4k,mode=700") == 0
                 : mount("/dev/null", path, NULL, MS_BIND, NULL) == 0;
    }
    return ok;
}

static bool make_read_only(void)
{
    struct {
        uint64_t set, clear, propagation, user_namespace;
    } attr = {.set = READ_ONLY};
    int tree[COUNT(stores)];
    char room[PATH_MAX_HERE];
    bool ok;

    for (size_t i = 0; i < COUNT(stores); i++) {
        const char *path = path_of(&stores[i], room);

        tree[i] = path ? take_tree(path) : -1;
    }
    ok = syscall(CALL_MOUNT_SETATTR, AT_FDCWD, "/", WHOLE_TREE, &attr, sizeof(attr)) == 0;
    for (size_t i = 0; i < COUNT(stores); i++)
        if (tree[i] >= 0)
            ok = put_tree(tree[i], path_of(&stores[i], room)) && ok;
    return ok;
}

/* Whom it may signal, and the sockets that have no place among the files. */
static bool keep_to_itself(void)
{
    const struct {
        uint64_t files, net, scoped;
    } rules = {.scoped = SCOPE_ABSTRACT_AND_SIGNAL};
    long abi = syscall(CALL_LANDLOCK_CREATE, NULL, 0ul, ABI_QUESTION);
    int fd;
    bool ok;

    if (abi < ABI_WITH_SCOPES)
        return true;
    fd = (int)syscall(CALL_LANDLOCK_CREATE, &rules, sizeof(rules), 0u);
    ok = fd >= 0 && prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0 &&
         syscall(CALL_LANDLOCK_RESTRICT, fd, 0u) == 0;
    if (fd >= 0)
        close(fd);
    return ok;
}

bool fence_root(void)
{
    if (geteuid() != 0)
        return true;
    /* In a container root may have no right to do this, nor one to misuse; a service's unit may
     * have taken it. What needs no right is done all the same. */
    if (unshare(CLONE_NEWNS) != 0)
        return (errno == EPERM || errno == ENOSYS) && keep_to_itself();
    return mount("none", "/", NULL, MS_REC | MS_PRIVATE, NULL) == 0 && thin_out_services() &&
           hide() && make_read_only() && keep_to_itself();
}

#if L2TPC_TEST_HOOKS
static bool can_write(const char *path, int flags)
{
    int fd = open(path, O_WRONLY | O_CLOEXEC | flags, 0600);

    if (fd >= 0)
        close(fd);
    return fd >= 0;
}

static bool can_read(const char *path)
{
    char byte;
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    bool ok = fd >= 0 && read(fd, &byte, 1) == 1;

    if (fd >= 0)
        close(fd);
    return ok;
}

/* L2TPC_TEST_FORBIDDEN=root: what user 0 would be made to do first. Nothing of it may work. */
bool fence_holds(void)
{
    const char *what = getenv("L2TPC_TEST_FORBIDDEN");

    if (!what || strcmp(what, "root") != 0)
        return true;
    return !can_write("/etc/passwd", 0) && !can_write("/etc/l2tpc-test", O_CREAT) &&
           !can_write("/run/l2tpc-test", O_CREAT) &&
           !can_write("/proc/sys/kernel/core_pattern", 0) && !can_read("/etc/shadow") &&
           chmod("/etc/passwd", 0644) != 0 && chown("/etc/passwd", 0, 0) != 0 &&
           rename("/etc/passwd", "/etc/passwd.l2tpc") != 0 && kill(getppid(), 0) != 0 &&
           access("/run/dbus", F_OK) != 0 && access("/run/systemd/private", F_OK) != 0 &&
           umount2("/run", MNT_DETACH) != 0 && unshare(CLONE_NEWNS) != 0 &&
           execl("/bin/true", "true", (char *)NULL) != 0 && can_write("/dev/null", 0) &&
           can_read("/etc/passwd");
}
#else
bool fence_holds(void)
{
    return true;
}
#endif
