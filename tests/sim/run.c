/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "run.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Nothing of L2TP may be readable on the wire: port 1701 is never used, and no packet looks so. */
static bool watch(void *ctx, const struct simlink_packet *k)
{
    struct run *r = ctx;

    r->clear += k->port == PEER_CLEAR1701;
    if (r->pcap)
        sim_pcap_packet(r->pcap, k);
    if (r->log)
        printf("    %8.3f ms %3u %s %-4s %4zu bytes fate %d\n", (double)k->at / 1000.0, k->number,
               k->dir == SIMLINK_TO_PEER ? "->" : "<-",
               k->port == PEER_UDP500    ? "500"
               : k->port == PEER_UDP4500 ? "4500"
                                         : "esp",
               k->bytes.n, (int)k->fate);
    return false;
}

struct run *run_new(void)
{
    struct run *r = calloc(1, sizeof(*r));

    if (!r)
        abort();
    r->peer = (struct peer_config){.psk = "a shared secret",
                                   .user = "alice",
                                   .password = "wonderland",
                                   .local = {.addr = inaddr_v4(0xc6336402), .port = 500},
                                   .client_ip = inaddr_v4(0x0a630010),
                                   .server_ip = inaddr_v4(0x0a630001),
                                   .dns = {inaddr_v4(0x0a630001), inaddr_v4(0x0a630002)}};
    r->client = (struct engines_config){.policy = "legacy",
                                        .psk = "a shared secret",
                                        .user = "alice",
                                        .password = "wonderland",
                                        .auth = PPP_AUTH_MSCHAPV2,
                                        .inner_port = 34567,
                                        .local = {.addr = inaddr_v4(0x0a000002), .port = 500},
                                        .remote = r->peer.local};
    r->link =
        (struct simlink_config){.seed = 1, .latency = US_MS(20), .hook = watch, .hook_ctx = r};
    r->log = getenv("L2TPC_SIM_WIRE") != NULL;
    return r;
}

bool run_open(struct run *r, uint64_t seed)
{
    sim_env_init(&r->env, "peer", seed ^ 0x5eed);
    r->link.seed = seed;
    if (getenv("L2TPC_SIM_PCAP"))
        r->pcap = sim_pcap_open(getenv("L2TPC_SIM_PCAP"));
    r->crypto = crypto_new();
    r->sim.peer = peer_new(&r->peer, &r->env.env, r->crypto);
    r->sim.link = simlink_new(&r->link);
    r->sim.peer_addr = r->peer.local;
    r->sim.peer_natt_port = 4500;
    if (!engines_init(&r->engines, &r->client, seed))
        return false;
    r->sim.client = engines_client(&r->engines);
    engines_start(&r->engines, 0);
    return true;
}

/* One tshark option a line; the peer's keys, so that the client's are checked too. */
static void write_keys(struct run *r)
{
    char path[512];
    FILE *f;

    snprintf(path, sizeof(path), "%s.keys", getenv("L2TPC_SIM_PCAP"));
    f = fopen(path, "we");
    if (!f)
        return;
    peer_write_keys(r->sim.peer, f);
    fclose(f);
}

void run_free(struct run *r)
{
    if (r->pcap)
        write_keys(r);
    sim_pcap_close(r->pcap);
    engines_wipe(&r->engines);
    peer_free(r->sim.peer);
    simlink_free(r->sim.link);
    crypto_free(r->crypto);
    free(r);
}

bool run_try(struct run *r, uint64_t seed, l2tpc_us limit)
{
    if (!run_open(r, seed))
        return false;
    r->engines.goal = GOAL_PING;
    return sim_run(&r->sim, limit) && !r->engines.failed && r->clear == 0;
}

bool run_dial(struct run *r, uint64_t seed, l2tpc_us limit)
{
    if (run_try(r, seed, limit))
        return true;
    printf("    seed %llu at %.3f s: failed %d (%s at %s), clear %u, peer: %s\n",
           (unsigned long long)seed, (double)r->sim.now / 1e6, r->engines.failed,
           failure_code(r->engines.failure.id), stage_name(r->engines.failure.stage), r->clear,
           peer_facts(r->sim.peer)->complaint);
    return false;
}
