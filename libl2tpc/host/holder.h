/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Who has a UDP port of this computer. */
#ifndef L2TPC_HOST_HOLDER_H
#define L2TPC_HOST_HOLDER_H

#include "base/span.h"

#include <sys/types.h>

/* Names are as their owners wrote them, in what can be printed; "": not known. */
struct holder {
    uid_t uid;   /* of the socket */
    pid_t pid;   /* 0: nobody that we may look into, or that is here */
    bool likely; /* it may not be looked into, but it is known to use such ports */
    char name[20];
    char unit[64]; /* systemd's */
};

/* By the kernel's list of sockets, then by /proc. False: nobody there. */
bool holder_find(uint8_t family, uint16_t port, struct holder *out) MUST_USE;
/* "charon (process 812, strongswan.service)", "uid 1000". */
void holder_text(const struct holder *h, char *out, size_t size);

#endif
