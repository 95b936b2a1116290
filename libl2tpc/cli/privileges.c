/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What talks to the network has no rights: not root's, and not those of whoever became root. */
#include "cli/processes.h"

#include <errno.h>
#include <grp.h>
#include <linux/capability.h>
#include <pwd.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <unistd.h>

/*
 * A user of its own for each process, by its number: no other process runs as this user, no file
 * belongs to it. The numbers are in the range that the systemd project lists as used by nobody
 * (0x70000000 to 0x7fffffff), and process numbers end at 2^22.
 */
#define USER_BASE 0x7c320000u
#define NOBODY 65534u

static bool become(uid_t user)
{
    return setresgid(user, user, user) == 0 && setresuid(user, user, user) == 0;
}

static void drop_bounding_set(void)
{
    for (unsigned long cap = 0; cap <= 63; cap++)
        (void)prctl(PR_CAPBSET_DROP, cap, 0, 0, 0); /* EINVAL behind the kernel's last one */
}

static bool drop_capabilities(void)
{
    struct __user_cap_header_struct header = {.version = _LINUX_CAPABILITY_VERSION_3};
    const struct __user_cap_data_struct none[2] = {{0}};

    return syscall(SYS_capset, &header, none) == 0;
}

/* Whatever user it is by now: nothing comes back, and nobody looks into this process. */
static bool give_up(void)
{
    const struct rlimit no_core = {0};

    return drop_capabilities() && prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0 &&
           prctl(PR_SET_DUMPABLE, SANITIZED, 0, 0, 0) == 0 && setrlimit(RLIMIT_CORE, &no_core) == 0;
}

bool privileges_drop(void)
{
    uid_t user = USER_BASE + (uid_t)getpid();

    drop_bounding_set();
    (void)prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_CLEAR_ALL, 0, 0, 0);
    if (setgroups(0, NULL) != 0 && errno != EPERM) /* EPERM: a user namespace may forbid it */
        return false;
    /* A user namespace may know but few users, or this one alone. */
    if (!become(user) && (errno != EINVAL || (!become(NOBODY) && errno != EINVAL)))
        return false;
    if (!give_up())
        return false;
    errno = EPERM;
    return geteuid() == 0 || (setuid(0) != 0 && setgid(0) != 0);
}

uid_t privileges_owner(void)
{
    const char *text = getenv("SUDO_UID");
    char *end;
    unsigned long n;

    if (geteuid() != 0 || !text || text[0] < '0' || text[0] > '9')
        return geteuid();
    errno = 0;
    n = strtoul(text, &end, 10);
    return errno == 0 && *end == '\0' && n < USER_BASE ? (uid_t)n : 0;
}

/* What it would find after a log-in; sudo has left root's there. */
static void be_at_home(const struct passwd *pw)
{
    char dir[64];

    (void)snprintf(dir, sizeof(dir), "/run/user/%u", (unsigned)pw->pw_uid);
    (void)setenv("HOME", pw->pw_dir, 1);
    (void)setenv("USER", pw->pw_name, 1);
    (void)setenv("LOGNAME", pw->pw_name, 1);
    (void)setenv("XDG_RUNTIME_DIR", dir, 1);
    (void)unsetenv("XDG_CONFIG_HOME");
}

bool privileges_drop_to(uid_t user)
{
    const struct passwd *pw = user != 0 ? getpwuid(user) : NULL;

    if (user != 0 && !pw)
        return false;
    drop_bounding_set();
    (void)prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_CLEAR_ALL, 0, 0, 0);
    if (pw) {
        be_at_home(pw);
        if (initgroups(pw->pw_name, pw->pw_gid) != 0 ||
            setresgid(pw->pw_gid, pw->pw_gid, pw->pw_gid) != 0 || setresuid(user, user, user) != 0)
            return false;
    }
    if (!give_up())
        return false;
    errno = EPERM;
    return user == 0 || setuid(0) != 0;
}
