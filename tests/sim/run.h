/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* One dial of the engines: configuration, engines, link and peer, in the order they are filled in.
 */
#ifndef TESTS_SIM_RUN_H
#define TESTS_SIM_RUN_H

#include "engines.h"
#include "pcap.h"

struct run {
    struct peer_config peer;
    struct engines_config client;
    struct simlink_config link;
    struct sim sim;
    struct sim_env env;
    struct crypto *crypto;
    struct engines engines;
    unsigned clear;
    bool log;
    struct sim_pcap *pcap;
};

/*
 * Working defaults on both sides; change them before run_open(). L2TPC_SIM_WIRE=1 shows packets,
 * L2TPC_SIM_PCAP=FILE writes the last dial, with its keys as tshark options in FILE.keys.
 */
struct run *run_new(void);
bool run_open(struct run *r, uint64_t seed) MUST_USE;
void run_free(struct run *r);
/* To the first answered ping; run_dial() shows why not. */
bool run_try(struct run *r, uint64_t seed, l2tpc_us limit) MUST_USE;
bool run_dial(struct run *r, uint64_t seed, l2tpc_us limit) MUST_USE;

#define DIAL(r)                                                                                    \
    do {                                                                                           \
        CHECK(run_dial((r), 1, US_S(60)));                                                         \
        CHECK_STR(peer_facts((r)->sim.peer)->complaint, "");                                       \
    } while (0)

#endif
