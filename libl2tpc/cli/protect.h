/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef L2TPC_CLI_PROTECT_H
#define L2TPC_CLI_PROTECT_H

/* Before the first secret is read: no core dump, no debugger, nothing swapped out. What it locks is
 * locked in this process alone: a child does it anew. */
void process_protect(void);

#endif
