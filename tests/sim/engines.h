/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The four engines wired straight through, with no dial engine: what proves engines and peer
 * against each other. No ladder, no pipelining beyond what the engines do by themselves.
 */
#ifndef TESTS_SIM_ENGINES_H
#define TESTS_SIM_ENGINES_H

#include "esp/esp.h"
#include "ike/ike.h"
#include "ike/policy.h"
#include "l2tp/data.h"
#include "l2tp/l2tp.h"
#include "ppp/ppp.h"
#include "sim.h"

#define ENGINES_PAIRS 8

enum engines_goal {
    GOAL_SA,
    GOAL_IP,
    GOAL_PING,
    GOAL_CLOSED,
    GOAL_FAILED,
    GOAL_DEAD,
};

struct engines_config {
    const char *policy, *psk, *user, *password, *tunnel_secret;
    const char *ike_suites, *esp_suites; /* swan spelling, instead of the policy's */
    enum encapsulation encapsulation;
    enum dh_group pfs;
    unsigned auth; /* enum ppp_auth */
    uint16_t inner_port;
    bool no_dpd, utf8_bytes;
    struct endpoint local, remote;
};

struct engines_wire {
    enum peer_port port;
    struct endpoint from, to;
    struct msg m;
};

struct engines {
    struct engines_config config;
    struct sim_env env;
    struct crypto *crypto;
    struct ike *ike;
    struct l2tp *l2tp;
    struct ppp *ppp;
    struct {
        struct esp_out *out;
        struct esp_in *in;
        uint32_t spi_out;
        bool udp, deleted;
    } pair[ENGINES_PAIRS];
    unsigned n_pairs;
    struct engines_wire queue[64];
    unsigned queue_head, queue_used;
    enum engines_goal goal;
    bool l2tp_started, ppp_started, ip_up, closed, failed, dead;
    unsigned replies, esp_opened, esp_refused;
    struct failure failure;
    l2tpc_us ping_due;        /* pings are repeated each second until one is answered */
    l2tpc_us at[STAGE_COUNT]; /* when each stage was reached */
};

bool engines_init(struct engines *e, const struct engines_config *config, uint64_t seed) MUST_USE;
void engines_wipe(struct engines *e);
void engines_start(struct engines *e, l2tpc_us now);
void engines_ping(struct engines *e, uint16_t sequence, l2tpc_us now);
void engines_close_ppp(struct engines *e, l2tpc_us now);
struct sim_client engines_client(struct engines *e);

#endif
