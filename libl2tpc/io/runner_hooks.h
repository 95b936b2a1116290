/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * What a test build may do to a runner: write keys for tshark, lie about ESP, leak a clear packet.
 * In a release all of it is empty.
 */
#ifndef L2TPC_IO_RUNNER_HOOKS_H
#define L2TPC_IO_RUNNER_HOOKS_H

#include "dial/dial.h"

#if L2TPC_TEST_HOOKS

struct runner_test {
    bool lie;  /* L2TPC_TEST_LIE=esp: the facts name SPIs that are not on the wire */
    bool leak; /* L2TPC_TEST_LIE=clear or kernel: one datagram to UDP 1701 leaves in the clear */
    bool leaked;
    int leak_fd; /* opened at the start: later may be too late */
    struct dial_facts facts;
};

void runner_test_init(struct runner_test *t);
/* L2TPC_TEST_LIFE="IKE-SECONDS ESP-SECONDS ESP-KILOBYTES" */
void runner_test_life(struct dial_config *config);
/* L2TPC_TEST_CRYPTO=openssl, sse, avx2, avx512 or null: who computes ESP, or nobody */
void runner_test_backend(struct crypto *c);
int64_t runner_test_wall(int64_t now); /* L2TPC_TEST_CLOCK instead, when it is set */
/* What is new, before it is used on the wire: an SA may be gone a moment later. */
void runner_test_keys(struct dial *d, const struct inaddr *local, const struct inaddr *remote);
void runner_test_leak(struct runner_test *t, const struct inaddr *remote);
const struct dial_facts *runner_test_facts(struct runner_test *t, const struct dial_facts *facts);

#else

struct runner_test {
    char unused;
};

static inline void runner_test_init(struct runner_test *t)
{
    (void)t;
}

static inline void runner_test_life(struct dial_config *config)
{
    (void)config;
}

static inline void runner_test_backend(struct crypto *c)
{
    (void)c;
}

static inline int64_t runner_test_wall(int64_t now)
{
    return now;
}

static inline void runner_test_keys(const struct dial *d, const struct inaddr *local,
                                    const struct inaddr *remote)
{
    (void)d;
    (void)local;
    (void)remote;
}

static inline void runner_test_leak(struct runner_test *t, const struct inaddr *remote)
{
    (void)t;
    (void)remote;
}

static inline const struct dial_facts *runner_test_facts(struct runner_test *t,
                                                         const struct dial_facts *facts)
{
    (void)t;
    return facts;
}

#endif
#endif
