/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The root half of a service. It is forked before the first thread and before any bus is there,
 * waits for orders, and forks signer, engine and broker of one tunnel for each. The service itself
 * can then give up root, and threads and forks never meet.
 */
#ifndef L2TPC_SERVICE_STARTER_H
#define L2TPC_SERVICE_STARTER_H

#include "service/order.h"

struct starter {
    int fd;
    unsigned patience_ms; /* with its first word; 0: what is usual */
};

/* Before any thread. False with errno. */
bool starter_open(struct starter *s);
void starter_close(struct starter *s);

enum report_kind {
    REPORT_STARTED = 1, /* the three descriptors come along */
    REPORT_REFUSED = 2, /* code, value */
    REPORT_CRASHED = 3, /* value: which process and why; after everything else */
};

/* What the starter tells of one tunnel. When the other end is closed, all is undone. */
struct report {
    int kind;
    char code[48];
    char value[256];
    int engine_fd, signer_fd, broker_fd;
};

/* A non-blocking descriptor for reports of this tunnel, or -1. */
int starter_order(struct starter *s, const struct order *order);
/* 1: a report; 0: nothing yet; -1: the end. */
int starter_report(int fd, struct report *out);

#endif
