/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* A process that gets to know secrets leaves nothing of its memory to anybody. */
#include "cli/protect.h"

#include "cli/processes.h"

#include <l2tpc.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <unistd.h>

#ifndef MCL_ONFAULT
#define MCL_ONFAULT 4
#endif

/*
 * What the libraries below keep for themselves, such as the key schedules of ESP and the numbers of
 * a private key, stands on the heap: whoever may lock all of it does. The limit goes first, as
 * memory that is asked for once the rights are gone has to be locked, too.
 */
static void lock_all(void)
{
    const struct rlimit none = {.rlim_cur = RLIM_INFINITY, .rlim_max = RLIM_INFINITY};

    if (!SANITIZED && setrlimit(RLIMIT_MEMLOCK, &none) == 0)
        (void)mlockall(MCL_CURRENT | MCL_FUTURE | MCL_ONFAULT);
}

void process_protect(void)
{
    const struct rlimit no_core = {0};

    (void)setrlimit(RLIMIT_CORE, &no_core);
    (void)prctl(PR_SET_DUMPABLE, SANITIZED, 0, 0, 0);
    if (geteuid() == 0)
        lock_all();
    (void)l2tpc_protect_crypto(); /* at first, or once more: what may be locked now is */
}
