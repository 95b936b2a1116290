/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* A descriptor that is readable while something waits: how a session wakes its owner's main loop.
 */
#ifndef L2TPC_IO_NOTIFY_H
#define L2TPC_IO_NOTIFY_H

int notify_open(void); /* -1 with errno */
void notify_set(int fd);
void notify_clear(int fd);
void notify_close(int fd); /* -1 is fine */
/* Sleeps until any descriptor that a loop hands out is readable. */
void notify_wait(int fd);

#endif
