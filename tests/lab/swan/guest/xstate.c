/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* User-mode Linux hands 2696 bytes of extended registers to PTRACE_SETREGSET. A processor with AMX
 * has 11008 and its kernel refuses less, so that the guest's init dies at once. Preloaded into
 * linux.uml, this fills up the rest with what the process has. */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <stdarg.h>
#include <string.h>
#include <sys/ptrace.h>
#include <sys/types.h>
#include <sys/uio.h>

#define X86_XSTATE ((void *)0x202)

static long (*next)(enum __ptrace_request, pid_t, void *, void *);
static char whole[65536] __attribute__((aligned(64))); /* not on the guest kernel's small stack */

__attribute__((constructor)) static void find_next(void)
{
    next = (long (*)(enum __ptrace_request, pid_t, void *, void *))dlsym(RTLD_NEXT, "ptrace");
}

long ptrace(enum __ptrace_request request, ...)
{
    struct iovec all = {whole, sizeof(whole)};
    const struct iovec *part;
    va_list ap;
    pid_t pid;
    void *addr;
    void *data;

    va_start(ap, request);
    pid = va_arg(ap, pid_t);
    addr = va_arg(ap, void *);
    data = va_arg(ap, void *);
    va_end(ap);
    part = data;
    if (request != PTRACE_SETREGSET || addr != X86_XSTATE ||
        next(PTRACE_GETREGSET, pid, addr, &all) != 0 || part->iov_len >= all.iov_len)
        return next(request, pid, addr, data);
    memcpy(whole, part->iov_base, part->iov_len);
    return next(request, pid, addr, &all);
}
