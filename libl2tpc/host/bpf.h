/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Classic BPF programs of the observer, made by a small assembler: jumps go to the common ends
 * `accept` and `reject` or to a label, and are resolved when the program is finished. The packet
 * starts at the network header (SOCK_DGRAM).
 */
#ifndef L2TPC_HOST_BPF_H
#define L2TPC_HOST_BPF_H

#include "base/addr.h"

#include <linux/filter.h>

#define BPF_PROGRAM_MAX 160
#define BPF_SPIS_MAX 2

struct bpf_program {
    struct sock_filter insn[BPF_PROGRAM_MAX];
    unsigned short n;
};

/* Which ESP packets: one direction, any of up to two SPIs, raw or in UDP. */
struct bpf_esp {
    bool outgoing;
    struct inaddr server;
    uint32_t spi[BPF_SPIS_MAX]; /* 0: unused */
    uint16_t local_port;        /* of UDP encapsulation; 0: any */
    uint16_t remote_port;
};

/* UDP 1701, GRE and TCP 1723 from or to the server. False when the family is neither 4 nor 6. */
bool bpf_clear(struct bpf_program *out, const struct inaddr *server) MUST_USE;
bool bpf_esp(struct bpf_program *out, const struct bpf_esp *what) MUST_USE;
void bpf_nothing(struct bpf_program *out);

#endif
