/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "cli/sandbox.h"

#include "cli/processes.h"

#include <errno.h>
#include <fcntl.h>
#include <libintl.h>
#include <linux/audit.h>
#include <linux/filter.h>
#include <linux/if_tun.h>
#include <linux/seccomp.h>
#include <malloc.h>
#include <stddef.h>
#include <stdio.h>
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
static void open_for(const char *variable)
{
    const char *path = getenv(variable);
    char name[16];
    int fd = path ? open(path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC | O_NOFOLLOW, 0600) : -1;

    if (fd < 0)
        return;
    (void)snprintf(name, sizeof(name), "fd:%d", fd);
    (void)setenv(variable, name, 1);
}

static void open_keylog(void)
{
    open_for("L2TPC_KEYLOG");
    open_for("L2TPC_RECORD");
}

/* What the C library does by itself when much of a thread's heap is free again. */
static void shrink_heap(void)
{
    void *volatile block[4]; /* not to be left out by the compiler */

    for (unsigned i = 0; i < 4; i++)
        block[i] = malloc(100000);
    for (unsigned i = 4; i-- > 0;)
        free(block[i]);
}

/* L2TPC_TEST_FORBIDDEN=openat|socket|execve|fork|code: what a hole would try first; "heap" is
 * allowed. */
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
    else if (strcmp(what, "heap") == 0)
        shrink_heap();
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
#ifdef M_ARENA_MAX
    /* The heap of another thread looks into /proc before it first shrinks; the main one never. */
    (void)mallopt(M_ARENA_MAX, 1);
#endif
    tzset();
    (void)gettext("l2tpc"); /* any text: the whole catalogue of this program is read */
    (void)strerror(EPERM);  /* and that of the C library */
    open_keylog();
}

#ifdef ARCH

#define CODE_MAX 256
#define COUNT(a) (sizeof(a) / sizeof((a)[0]))
/* Sanitizers make calls of their own, and say so in the kernel's log. */
#define DENY (SANITIZED ? SECCOMP_RET_LOG : SECCOMP_RET_KILL_PROCESS)

struct program {
    struct sock_filter code[CODE_MAX];
    unsigned short n;
};

/* Waiting; the older calls are there on x86 alone, and the C library prefers them. */
#ifdef SYS_poll
#define CALL_POLL SYS_poll
#else
#define CALL_POLL SYS_ppoll
#endif
#ifdef SYS_epoll_wait
#define CALL_EPOLL_WAIT SYS_epoll_wait
#else
#define CALL_EPOLL_WAIT SYS_epoll_pwait
#endif
/* Without a vDSO (User-mode Linux, vdso=0) time() is a call of its own, where there is one;
 * OpenSSL's random numbers ask for it at every use. */
#ifdef SYS_time
#define CALL_TIME SYS_time
#else
#define CALL_TIME SYS_clock_gettime
#endif

/*
 * Of engine and front, which both have channels, timers and memory, and come to an end. With those
 * of `engines` and the four that are looked at more closely the engine has 37.
 */
static const int both[] = {
    CALL_POLL,       /* the broker's reply; the front's descriptors */
    CALL_EPOLL_WAIT, /* the loop */
    SYS_epoll_ctl,   /* a socket or TUN comes or goes */
    SYS_timerfd_settime,
    SYS_read,          /* timerfd, eventfd, TUN; terminal */
    SYS_write,         /* eventfd, TUN; terminal, log */
    SYS_close,         /* sockets of the dial that is over */
    SYS_recvmsg,       /* messages, the broker's descriptors, what ICMP says */
    SYS_sendto,        /* messages: send() */
    SYS_fcntl,         /* what was handed over becomes non-blocking, or is duplicated */
    SYS_clock_gettime, /* where the kernel offers no shorter way */
    CALL_TIME,         /* ... */
    SYS_futex,         /* the locks of the C library and of OpenSSL */
    SYS_brk,           /* memory: this one and the next three */
    SYS_munmap,
    SYS_mremap,
    SYS_madvise,
    SYS_mlock,           /* pages for secrets */
    SYS_getpid,          /* OpenSSL draws no random number that a parent has, too */
    SYS_rt_sigreturn,    /* of signals that somebody else has sent */
    SYS_restart_syscall, /* after a stop */
    SYS_exit_group,
};

static const int engines[] = {
    SYS_recvmmsg,       /* packets, in batches */
    SYS_sendmmsg,       /* ... */
    SYS_sendmsg,        /* ... in runs, and to a socket in place of a TUN */
    SYS_writev,         /* ... to the TUN */
    SYS_getsockname,    /* the port of a socket that was handed over */
    SYS_getsockopt,     /* ... and how much it takes in */
    SYS_setsockopt,     /* ... and the SPIs that it is to take */
    SYS_sched_yield,    /* other programs run once before the loop sleeps */
    SYS_exit,           /* of a data thread, which was there before the filter */
    SYS_rt_sigprocmask, /* ... on its way out */
    SYS_getrandom,
    SYS_getpid, /* OpenSSL's randomness, for elliptic curves: was there a fork? */
};

/* Of the user: callers of the status, the terminal, threads, children. */
static const int fronts[] = {
    SYS_ppoll,       SYS_epoll_pwait,       SYS_readv,           SYS_writev,
    SYS_lseek,       SYS_recvfrom,          SYS_sendmsg,         SYS_accept4,
    SYS_getsockname, SYS_getsockopt,        SYS_setsockopt,      SYS_clock_nanosleep,
    SYS_nanosleep,   SYS_gettimeofday,      SYS_getrandom,       SYS_rt_sigprocmask,
    SYS_sched_yield, SYS_sched_getaffinity, SYS_set_robust_list, SYS_rseq,
    SYS_gettid,      SYS_geteuid,           SYS_wait4,           SYS_exit,
};

/* Is it a TUN still, and what may it leave to us; the line discipline of a terminal, but never its
 * input. */
static const unsigned int engine_ioctls[] = {TUNGETIFF, TUNGETVNETHDRSZ, TUNSETOFFLOAD};
static const unsigned int front_ioctls[] = {TCGETS, TCSETS, TCSETSW, TCSETSF, TIOCGWINSZ};

/* What no module of a token and no resolver needs: other processes, programs, the kernel's own. */
static const int signer_never[] = {
    SYS_execve,
    SYS_execveat,
    SYS_ptrace,
    SYS_process_vm_readv,
    SYS_process_vm_writev,
    SYS_kcmp,
    SYS_pidfd_getfd,
    SYS_mount,
    SYS_umount2,
    SYS_pivot_root,
    SYS_chroot,
    SYS_setns,
    SYS_unshare,
    SYS_open_by_handle_at,
    SYS_bpf,
    SYS_perf_event_open,
    SYS_userfaultfd,
    SYS_io_uring_setup,
    SYS_keyctl,
    SYS_add_key,
    SYS_request_key,
    SYS_init_module,
    SYS_finit_module,
    SYS_delete_module,
    SYS_kexec_load,
    SYS_reboot,
    SYS_swapon,
    SYS_swapoff,
    SYS_acct,
    SYS_quotactl,
    SYS_personality,
    SYS_move_pages,
};

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

static void put_calls(struct program *p, const int *calls, size_t n)
{
    for (size_t i = 0; i < n; i++)
        put_case(p, (uint32_t)calls[i]);
}

static void put_ioctl(struct program *p, const unsigned int *ioctls, uint8_t n)
{
    put(p, (struct sock_filter)BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_ioctl, 0,
                                        (uint8_t)(2 + 2 * n)));
    put_load(p, offsetof(struct seccomp_data, args) + 8);
    for (unsigned i = 0; i < n; i++)
        put_case(p, ioctls[i]);
    put_return(p, DENY);
}

static void put_head(struct program *p, uint32_t otherwise)
{
    put_load(p, offsetof(struct seccomp_data, arch));
    put(p, (struct sock_filter)BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, ARCH, 1, 0));
    put_return(p, otherwise);
    put_load(p, offsetof(struct seccomp_data, nr)); /* x32's numbers are none of these */
}

static void build_closed(struct program *p, bool front)
{
    put_head(p, DENY);
    put_calls(p, both, COUNT(both));
    if (front)
        put_calls(p, fronts, COUNT(fronts));
    else
        put_calls(p, engines, COUNT(engines));
    put_bits(p, SYS_mmap, 2, PROT_EXEC, false);
    put_bits(p, SYS_mprotect, 2, PROT_EXEC, false); /* memory of threads and of secrets */
    put_bits(p, SYS_newfstatat, 3, AT_EMPTY_PATH, true);
    if (front)
        put_ioctl(p, front_ioctls, COUNT(front_ioctls));
    else
        put_ioctl(p, engine_ioctls, COUNT(engine_ioctls));
    put_return(p, DENY);
}

/* Nothing may be typed into the terminal that a descriptor may lead to. */
static void build_open(struct program *p)
{
    const uint32_t fail = SECCOMP_RET_ERRNO | EPERM;

    put_head(p, fail);
    put(p, (struct sock_filter)BPF_JUMP(BPF_JMP | BPF_JGE | BPF_K, 0x40000000, 0, 1)); /* x32 */
    put_return(p, fail);
    for (size_t i = 0; i < COUNT(signer_never); i++) {
        put(p, (struct sock_filter)BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, (uint32_t)signer_never[i], 0,
                                            1));
        put_return(p, fail);
    }
    put(p, (struct sock_filter)BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_ioctl, 0, 3));
    put_load(p, offsetof(struct seccomp_data, args) + 8);
    put(p, (struct sock_filter)BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, TIOCSTI, 0, 1));
    put_return(p, fail);
    put_return(p, SECCOMP_RET_ALLOW);
}

bool sandbox_close(enum sandbox which)
{
    struct program p = {.n = 0};
    struct sock_fprog filter = {.filter = p.code};
    long rc;

    if (which == SANDBOX_SIGNER)
        build_open(&p);
    else
        build_closed(&p, which == SANDBOX_FRONT);
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
    if (which == SANDBOX_ENGINE)
        try_forbidden();
    return true;
}

#else

bool sandbox_close(enum sandbox which)
{
    (void)which;
    return true;
}

#endif
