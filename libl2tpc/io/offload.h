/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Which means the data plane makes use of. In a release all of them, each as far as the kernel has
 * it. In a test build L2TPC_TEST_PLANE names what is left out: "naive" (all of it, and one packet a
 * system call), or "no-tso", "no-gso", "no-gro", "no-coalesce".
 */
#ifndef L2TPC_IO_OFFLOAD_H
#define L2TPC_IO_OFFLOAD_H

#include <stdbool.h>

struct offload {
    bool tso;      /* super-packets from the TUN, cut here */
    bool gso;      /* runs of ESP packets to the kernel as one */
    bool gro;      /* runs of ESP packets from the kernel as one */
    bool coalesce; /* super-packets to the TUN, put together here */
    bool batch;    /* several packets a system call */
};

#define OFFLOAD_ALL ((struct offload){true, true, true, true, true})

#if L2TPC_TEST_HOOKS
struct offload offload_wanted(void);
#else
static inline struct offload offload_wanted(void)
{
    return OFFLOAD_ALL;
}
#endif

#endif
