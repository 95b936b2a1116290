/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * A filter of system calls for the process that talks to the network: it can use what is open and
 * open nothing more.
 */
#ifndef L2TPC_CLI_SANDBOX_H
#define L2TPC_CLI_SANDBOX_H

#include <stdbool.h>

/* What the C library opens when it is first needed: translations, time zone. With root's rights. */
void sandbox_prepare(void);
/*
 * For every thread and for good: any call that is not on the list ends the process. True also on a
 * kernel or a processor that has no such filter; false with errno.
 */
bool sandbox_close(void);

#endif
