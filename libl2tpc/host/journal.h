/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The journal: one text file per tunnel, <run_dir>/<tunnel>.journal, written whole before the first
 * change. One key and its values a line, in the order in which the changes are made:
 *   l2tpc-journal 1
 *   owner PID START                    start: clock ticks since boot, from /proc/PID/stat
 *   tunnel NAME
 *   interface NAME INDEX
 *   slot N
 *   tun INDEX NAME
 *   addr INDEX ADDRESS
 *   route TABLE PREFIX/LEN INDEX       index 0: unreachable
 *   rule PRIORITY TABLE MARK PREFIX/LEN   mark 0: "to PREFIX lookup TABLE suppress_prefixlength 0",
 *                                      else "not fwmark MARK lookup TABLE"
 *   rp_filter INTERFACE OLD NEW
 *   resolv-conf
 *   resolved INDEX
 *   end
 */
#ifndef L2TPC_HOST_JOURNAL_H
#define L2TPC_HOST_JOURNAL_H

#include "host/host.h"

#define JOURNAL_MAX 32768
#define RESOLV_OLD ".resolv-old" /* suffixes of the saved resolv.conf and of what replaced it */
#define RESOLV_NEW ".resolv-new"
#define RUN_FILE_MAX 65536 /* of a saved resolv.conf */

/* Text of a plan; false when it does not fit. */
bool journal_format(const struct plan *plan, char *out, size_t cap, size_t *out_n) MUST_USE;
/* Takes what can be read and notes in `whole` whether that was everything. */
void journal_parse(struct plan *out, struct span text);

/* The run directory, made when missing; a descriptor or a negative errno value. Refuses one that
 * others may write to. */
int run_dir_open(const char *path);
/* Excludes the other processes that change the journals; close the descriptor to unlock. */
int run_dir_lock(int dir);
/* Whole or not at all, on disk before it returns. */
int run_file_write(int dir, const char *name, struct span bytes);
/* The same through a file of that name, which goes away. */
int run_file_replace(int dir, const char *tmp, const char *name, struct span bytes);
/* Up to `cap` bytes; the count or a negative errno value (-EFBIG when longer). */
ssize_t run_file_read(int dir, const char *name, uint8_t *out, size_t cap);

int journal_write(int dir, const struct plan *plan);
int journal_read(int dir, const char *tunnel, struct plan *out);
int journal_remove(int dir, const char *tunnel);
/* Calls `each` with the tunnel name of every journal until it returns non-zero. */
int journal_each(int dir, int (*each)(void *ctx, const char *tunnel), void *ctx);

/* Removes half-written files, and saved ones without a journal. Only under the lock. */
void run_dir_sweep(int dir);

int owner_self(pid_t *out_pid, uint64_t *out_start);
bool owner_alive(const struct plan *plan);

#endif
