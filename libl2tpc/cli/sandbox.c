/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "cli/sandbox.h"

#include "cli/broker.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/audit.h>
#include <linux/filter.h>
#include <linux/if_tun.h>
#include <linux/seccomp.h>
#include <malloc.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#if defined(__x86_64__) && defined(__LP64__)
#define ARCH AUDIT_ARCH_X86_64
#elif defined(__aarch64__) && __BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__
#define ARCH AUDIT_ARCH_AARCH64
#endif

#if L2TPC_TEST_HOOKS
/* Opened beforehand, since it cannot be later. */
static void open_keylog(void)
{
    const char *path = getenv("L2TPC_KEYLOG");
    char name[16];
    int fd = path ? open(path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC | O_NOFOLLOW, 0600) : -1;

    if (fd < 0)
        return;
    (void)snprintf(name, sizeof(name), "fd:%d", fd);
    (void)setenv("L2TPC_KEYLOG", name, 1);
}

/* L2TPC_TEST_FORBIDDEN=openat|socket|execve|fork|code: what a hole would try first. */
static void try_forbidden(void)
{
    const char *what = getenv("L2TPC_TEST_FORBIDDEN");

    if (!what)
        return;
    if (strcmp(what, "openat") == 0)
        (void)syscall(SYS_openat, AT_FDCWD, "/dev/null", O_RDONLY);
    else if (strcmp(what, "socket") == 0)
        (void)syscall(SYS_socket, AF_INET, SOCK_DGRAM, 0);
    else if (strcmp(what, "execve") == 0)
        (void)syscall(SYS_execve, "/bin/true", NULL, NULL);
    else if (strcmp(what, "fork") == 0)
        (void)syscall(SYS_clone, 0, NULL, NULL, NULL, NULL);
    else if (strcmp(what, "code") == 0)
        (void)mmap(NULL, 4096, PROT_READ | PROT_EXEC, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
}
#else
static void open_keylog(void)
{
}

static void try_forbidden(void)
{
}
#endif

void sandbox_prepare(void)
{
    tzset();
    (void)gettext("l2tpc"); /* any text: the whole catalogue of this program is read */
    (void)strerror(EPERM);  /* and that of the C library */
    open_keylog();
#ifdef M_ARENA_MAX
    /* A thread's own arena gives memory back only after reading /proc/sys/vm/overcommit_memory:
     * with the filter closed that would be the end. The first arena uses brk() alone. */
    (void)mallopt(M_ARENA_MAX, 1);
#endif
}

#ifdef ARCH

#define CODE_MAX 256
/* Sanitizers make calls of their own, and say so in the kernel's log. */
#define DENY (SANITIZED ? SECCOMP_RET_LOG : SECCOMP_RET_KILL_PROCESS)

struct program {
    struct sock_filter code[CODE_MAX];
    unsigned short n;
};

/* Packets, time, memory, threads that end, and the terminal. */
static const int allowed[] = {
    SYS_read,
    SYS_write,
    SYS_readv,
    SYS_writev,
    SYS_lseek,
    SYS_close,
    SYS_fcntl,
    SYS_recvfrom,
    SYS_recvmsg,
    SYS_recvmmsg,
    SYS_sendto,
    SYS_sendmsg,
    SYS_sendmmsg,
    SYS_accept4,
    SYS_getsockname,
    SYS_getsockopt,
    SYS_setsockopt,
#ifdef SYS_poll
    SYS_poll,
#endif
    SYS_ppoll,
#ifdef SYS_epoll_wait
    SYS_epoll_wait,
#endif
    SYS_epoll_pwait,
    SYS_epoll_ctl,
    SYS_timerfd_settime,
    SYS_clock_gettime,
    SYS_clock_nanosleep,
    SYS_nanosleep,
    SYS_gettimeofday,
    SYS_getrandom,
    SYS_futex,
    SYS_brk,
    SYS_munmap,
    SYS_mremap,
    SYS_madvise,
    SYS_rt_sigprocmask,
    SYS_rt_sigreturn,
    SYS_restart_syscall,
    SYS_sched_yield,
    SYS_sched_getaffinity,
    SYS_set_robust_list,
    SYS_rseq,
    SYS_getpid,
    SYS_gettid,
    SYS_geteuid,
    SYS_wait4,
    SYS_exit,
    SYS_exit_group,
};

/* Is it a TUN still; the line discipline of a terminal, but never its input. */
static const unsigned int ioctls[] = {TUNGETIFF, TCGETS, TCSETS, TCSETSW, TCSETSF, TIOCGWINSZ};

static void put(struct program *p, struct sock_filter line)
{
    if (p->n < CODE_MAX)
        p->code[p->n] = line;
    p->n++; /* beyond the end is seen when all is there */
}

static void put_load(struct program *p, size_t offset)
{
    put(p, (struct sock_filter)BPF_STMT(BPF_LD | BPF_W | BPF_ABS, (uint32_t)offset));
}

static void put_return(struct program *p, uint32_t what)
{
    put(p, (struct sock_filter)BPF_STMT(BPF_RET | BPF_K, what));
}

/* Allowed when the accumulator is this. */
static void put_case(struct program *p, uint32_t value)
{
    put(p, (struct sock_filter)BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, value, 0, 1));
    put_return(p, SECCOMP_RET_ALLOW);
}

/* This call, with these bits of an argument all clear (or, with `needed`, one of them set). */
static void put_bits(struct program *p, int call, unsigned arg, uint32_t bits, bool needed)
{
    put(p, (struct sock_filter)BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, (uint32_t)call, 0, 4));
    put_load(p, offsetof(struct seccomp_data, args) + 8 * arg);
    put(p, (struct sock_filter)BPF_JUMP(BPF_JMP | BPF_JSET | BPF_K, bits, !needed, needed));
    put_return(p, SECCOMP_RET_ALLOW);
    put_return(p, DENY);
}

static void put_ioctl(struct program *p)
{
    const uint8_t n = sizeof(ioctls) / sizeof(ioctls[0]);

    put(p, (struct sock_filter)BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_ioctl, 0,
                                        (uint8_t)(2 + 2 * n)));
    put_load(p, offsetof(struct seccomp_data, args) + 8);
    for (unsigned i = 0; i < n; i++)
        put_case(p, ioctls[i]);
    put_return(p, DENY);
}

static void build(struct program *p)
{
    put_load(p, offsetof(struct seccomp_data, arch));
    put(p, (struct sock_filter)BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, ARCH, 1, 0));
    put_return(p, DENY);
    put_load(p, offsetof(struct seccomp_data, nr)); /* x32's numbers are none of these */
    for (size_t i = 0; i < sizeof(allowed) / sizeof(allowed[0]); i++)
        put_case(p, (uint32_t)allowed[i]);
    put_bits(p, SYS_mmap, 2, PROT_EXEC, false);
    put_bits(p, SYS_mprotect, 2, PROT_EXEC, false);
    put_bits(p, SYS_newfstatat, 3, AT_EMPTY_PATH, true);
    put_ioctl(p);
    put_return(p, DENY);
}

bool sandbox_close(void)
{
    struct program p = {.n = 0};
    struct sock_fprog filter = {.filter = p.code};
    long rc;

    build(&p);
    if (p.n > CODE_MAX) {
        errno = E2BIG;
        return false;
    }
    filter.len = p.n;
    rc = syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, SECCOMP_FILTER_FLAG_TSYNC, &filter);
    if (rc > 0) /* a thread that would not follow */
        errno = EBUSY;
    if (rc != 0)
        return rc < 0 && (errno == ENOSYS || errno == EINVAL);
    try_forbidden();
    return true;
}

#else

bool sandbox_close(void)
{
    return true;
}

#endif
