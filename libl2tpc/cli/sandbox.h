/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Filters of system calls, one for each process that needs no root: engine and front can use what
 * is open and open nothing more; the signer, whose modules open what they like, gets at no other
 * process and starts no program.
 */
#ifndef L2TPC_CLI_SANDBOX_H
#define L2TPC_CLI_SANDBOX_H

#include <stdbool.h>

enum sandbox {
    SANDBOX_ENGINE,
    SANDBOX_FRONT,
    SANDBOX_SIGNER,
};

/* What the C library opens when it is first needed: translations, time zone. With root's rights. */
void sandbox_prepare(void);
/*
 * For every thread and for good. In engine and front a call that is not on the list ends the
 * process, in the signer one on the list fails. True also on a kernel or a processor that has no
 * such filter; false with errno.
 */
bool sandbox_close(enum sandbox which);

/*
 * fence.c: for a signer that stays user 0, while it has its rights: from here on no writing but to
 * the stores of tokens, no service that obeys root, no signal to others. True also where root may
 * not do that to itself.
 */
bool fence_root(void);
/* Test builds try it; the others believe it. */
bool fence_holds(void);

#endif
