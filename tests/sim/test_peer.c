/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The peer's own building blocks against published and recorded values, and the link. */
#include "check.h"
#include "link.h"
#include "peer_i.h"

#include <stdlib.h>

struct fixture {
    struct sim_env env;
    struct crypto *crypto;
    struct peer *peer;
};

static bool fixture_open(struct fixture *f, struct peer_config config)
{
    sim_env_init(&f->env, "peer", 1);
    config.local = (struct endpoint){.addr = inaddr_v4(0xc6336402), .port = 500};
    f->crypto = crypto_new();
    f->peer = f->crypto ? peer_new(&config, &f->env.env, f->crypto) : NULL;
    return f->peer != NULL;
}

static void fixture_close(struct fixture *f)
{
    peer_free(f->peer);
    crypto_free(f->crypto);
}

/* RFC 2759 9.2. */
TEST(peer_mschapv2_rfc2759)
{
    uint8_t auth[16], other[16], response[24];
    char proof[43];
    struct crypto *c = crypto_new();

    CHECK(c);
    check_hex(auth, sizeof(auth), "5B5D7C7D7B3F2F3E3C2C602132262628");
    check_hex(other, sizeof(other), "21402324255E262A28295F2B3A337C7E");
    CHECK(peer_mschapv2_response(c, span_str("clientPass"), false, span_str("User"), auth, other,
                                 response, proof));
    CHECK_HEX(response, sizeof(response), "82309ECD8D708B5EA08FAA3981CD83544233114A3D85D6DF");
    CHECK_STR(proof, "S=407A5589115FD0D6209F510FE9C04566932CDA56");
    crypto_free(c);
}

/* Recorded from SoftEther VPN Server 5.01. */
TEST(peer_mschapv2_recorded)
{
    uint8_t auth[16], other[16], response[24];
    char proof[43];
    struct crypto *c = crypto_new();

    CHECK(c);
    check_hex(auth, sizeof(auth), "5d5a48bf2c78d037adddf2b20cabbadb");
    check_hex(other, sizeof(other), "888b42ff7653009111919183e4fce89b");
    CHECK(peer_mschapv2_response(c, span_str("wonderland"), true, span_str("alice"), auth, other,
                                 response, proof));
    CHECK_HEX(response, sizeof(response), "41e7c5b3555bf1b05f89509259fdcb4bb8eb94980ef8671a");
    CHECK_STR(proof, "S=6282C1BFD1DB75F4BA1CAFFEB47AB9F018F6CBCA");
    crypto_free(c);
}

/* Values computed with Python's hashlib from RFC 2661 4.3 and 4.4.3. */
TEST(peer_avp_hidden_and_challenge)
{
    static const char host[] = "a host name of more than sixteen bytes";
    uint8_t vector[16], hidden[64], out[64], buffer[128];
    struct fixture f;
    struct wr w = wr_of(buffer, sizeof(buffer));
    struct span made;
    size_t n, hidden_n;

    CHECK(fixture_open(&f, (struct peer_config){.psk = "x", .tunnel_secret = "hush"}));
    for (size_t i = 0; i < sizeof(vector); i++)
        vector[i] = (uint8_t)i;
    hidden_n = check_hex(hidden, sizeof(hidden), "34b1bafa1ba5d36bd4");
    CHECK(peer_avp_unhide(f.peer, 9, SPAN_ARRAY(vector), span_of(hidden, hidden_n), out, &n));
    CHECK_HEX(out, n, "1234");
    hidden_n = check_hex(hidden, sizeof(hidden),
                         "ae9a5347c76a16ea967d37ba776743a23928da3bf1b1d42dddd0902d29e58abe3825"
                         "93eacd1507897c311bbf");
    CHECK(peer_avp_unhide(f.peer, 7, SPAN_ARRAY(vector), span_of(hidden, hidden_n), out, &n));
    CHECK_MEM(out, n, host, strlen(host));
    CHECK(peer_avp_put_hidden(f.peer, &w, 7, span_str(host), SPAN_ARRAY(vector)));
    CHECK(wr_finish(&w, &made));
    CHECK(peer_avp_unhide(f.peer, 7, SPAN_ARRAY(vector), span_of(made.p + 6, made.n - 6), out, &n));
    CHECK_MEM(out, n, host, strlen(host));
    CHECK(peer_avp_challenge_response(f.peer, 2, SPAN_ARRAY(vector), out));
    CHECK_HEX(out, 16, "2f5365a84d4371333fd69e2c5e24fbd1");
    fixture_close(&f);
}

/* A client's packet, recorded with its keys on its way to SoftEther: SCCCN. */
TEST(peer_esp_opens_recorded_packet)
{
    struct endpoint from = {.addr = inaddr_v4(0x0a630103), .port = 4500};
    struct fixture f;
    struct esp_pair *e;
    uint8_t packet[256];
    size_t n;

    CHECK(fixture_open(&f, (struct peer_config){.psk = "x"}));
    e = &f.peer->esp[0];
    *e =
        (struct esp_pair){.used = true,
                          .udp = true,
                          .nat = true,
                          .to = from,
                          .client_port = 1701,
                          .spi_in = 0x6ce6831d,
                          .suite = {.cipher = CIPHER_AES_CBC, .key_bits = 256, .integ = HASH_SHA1}};
    check_hex(e->key_in, sizeof(e->key_in),
              "5ff3497e5430f7c097e034dd428b777ab83620e6f83035066ccdd775d4581c74361883cb"
              "b5d14d2ae705de8c0ca674527b1ff447");
    n = check_hex(packet, sizeof(packet),
                  "6ce6831d000000020025cc0b3256634c14f313ace1ef9449572b19247c76a27dc9238741"
                  "fd466988308315fa64f1a524b2953bd55a02a7d42faa5370d2d412abf6e48868");
    packet[n - 1] ^= 1;
    peer_input(f.peer, PEER_UDP4500, &from, span_of(packet, n), 0);
    CHECK_INT(peer_facts(f.peer)->esp_bad, 1);
    packet[n - 1] ^= 1;
    peer_input(f.peer, PEER_UDP4500, &from, span_of(packet, n), 0);
    CHECK_INT(peer_facts(f.peer)->esp_in, 1);
    CHECK_INT(peer_facts(f.peer)->esp_bad, 1);
    CHECK_INT(peer_facts(f.peer)->complaints, 0);
    peer_input(f.peer, PEER_UDP4500, &from, span_of(packet, n), 0);
    CHECK_INT(peer_facts(f.peer)->esp_replayed, 1);
    fixture_close(&f);
}

/* "draft-ietf-ipsec-nat-t-ike-03" and "RFC 3947" are the texts behind the vendor ids. */
TEST(peer_answers_message_1)
{
    static const char message_1[] =
        "0102030405060708 0000000000000000 01100200 00000000 00000068"
        "0d000038 00000001 00000001 0000002c 01010001 00000024 01010000"
        "8001 0007 800e 0100 8002 0004 8004 000e 8003 0001 800b 0001 800c 7080"
        "00000014 4a131c81070358455c5728f20e95452f";
    struct endpoint from = {.addr = inaddr_v4(0x0a630103), .port = 500}, to;
    enum peer_port port;
    struct fixture f;
    uint8_t b[256];
    struct msg m;
    size_t n = check_hex(b, sizeof(b), message_1);

    CHECK_INT(n, 0x68);
    CHECK(
        fixture_open(&f, (struct peer_config){.psk = "x", .natt = PEER_NATT_RFC, .no_dpd = true}));
    peer_input(f.peer, PEER_UDP500, &from, span_of(b, n), 0);
    CHECK_STR(peer_facts(f.peer)->complaint, "");
    CHECK(peer_pop_out(f.peer, &port, &to, &m));
    CHECK_INT(port, PEER_UDP500);
    CHECK(endpoint_eq(&to, &from));
    CHECK_MEM(m.bytes, 8, b, 8);
    CHECK_INT(m.n, n);
    CHECK_MEM(m.bytes + 28, m.n - 28, b + 28, n - 28); /* the offer and the vendor id come back */
    msg_done(&m);
    peer_input(f.peer, PEER_UDP500, &from, span_of(b, n), 0);
    CHECK(peer_pop_out(f.peer, &port, &to, &m)); /* a repeated message 1: the same answer */
    CHECK_INT(peer_facts(f.peer)->main_modes, 1);
    msg_done(&m);
    fixture_close(&f);
}

TEST(peer_counts_clear_l2tp)
{
    struct endpoint from = {.addr = inaddr_v4(0x0a630103), .port = 1701}, to;
    enum peer_port port;
    struct fixture f;
    struct msg m;

    CHECK(fixture_open(&f, (struct peer_config){.psk = "x"}));
    peer_input(f.peer, PEER_CLEAR1701, &from, span_of("\xc8\x02", 2), 0);
    CHECK_INT(peer_facts(f.peer)->clear_1701, 1);
    CHECK_INT(peer_facts(f.peer)->complaints, 1);
    CHECK(!peer_pop_out(f.peer, &port, &to, &m));
    fixture_close(&f);
}

/* No input may crash it or make it answer more than it got. */
TEST(peer_survives_noise)
{
    struct endpoint from = {.addr = inaddr_v4(0x0a630103), .port = 500}, to;
    struct sim_rand r = {.state = 7};
    enum peer_port port;
    struct fixture f;
    struct msg m;

    CHECK(fixture_open(&f, (struct peer_config){.psk = "x"}));
    for (unsigned i = 0; i < 20000; i++) {
        uint8_t b[300];
        size_t n = sim_rand_below(&r, sizeof(b)), answers = 0;

        for (size_t k = 0; k < n; k++)
            b[k] = (uint8_t)sim_rand_next(&r);
        if (n > 28 && i % 2) { /* a header that is taken, then noise */
            memset(b + 8, 0, 20);
            b[16] = 1;
            b[17] = 0x10;
            b[18] = 2;
            b[26] = (uint8_t)(n >> 8);
            b[27] = (uint8_t)n;
        }
        peer_input(f.peer, (enum peer_port)(i % 3), &from, span_of(b, n), i);
        for (; peer_pop_out(f.peer, &port, &to, &m); answers++)
            msg_done(&m);
        CHECK(answers <= 1);
    }
    fixture_close(&f);
}

/* ---- the link ---- */

static const struct endpoint here = {.addr = {.family = 4, .bytes = {10, 0, 0, 2}}, .port = 500};
static const struct endpoint there = {.addr = {.family = 4, .bytes = {10, 0, 0, 1}}, .port = 500};

static unsigned deliver_all(struct simlink *l, l2tpc_us now, uint64_t *order)
{
    enum simlink_dir dir;
    enum peer_port port;
    struct endpoint from, to;
    struct msg m;
    unsigned n = 0;

    while (simlink_pop(l, now, &dir, &port, &from, &to, &m)) {
        for (size_t i = 0; i < m.n; i++)
            *order = (*order ^ m.bytes[i]) * 1099511628211u;
        n++;
        msg_done(&m);
    }
    return n;
}

static uint64_t link_run(uint64_t seed, unsigned *delivered)
{
    struct simlink_config config = {.seed = seed,
                                    .latency = US_MS(10),
                                    .jitter = US_MS(5),
                                    .loss = 1500,
                                    .duplicate = 500,
                                    .reorder = 1000,
                                    .corrupt = 300};
    struct simlink *l = simlink_new(&config);
    uint64_t order = 1;

    *delivered = 0;
    for (unsigned i = 0; i < 1000; i++) {
        uint8_t b[8] = {(uint8_t)i, (uint8_t)(i >> 8)};

        simlink_send(l, SIMLINK_TO_PEER, PEER_UDP500, &here, &there, SPAN_ARRAY(b), US_MS(i));
        *delivered += deliver_all(l, US_MS(i), &order);
    }
    *delivered += deliver_all(l, US_S(10), &order);
    order ^= simlink_stats(l)->trace;
    simlink_free(l);
    return order;
}

TEST(link_same_seed_same_trace)
{
    unsigned a, b, c;
    uint64_t first = link_run(42, &a);

    CHECK(first == link_run(42, &b));
    CHECK_INT(a, b);
    CHECK(first != link_run(43, &c));
    CHECK(a > 800 && a < 980); /* 15 % lost, 5 % of the rest twice */
}

TEST(link_drops_exact_packets)
{
    struct simlink_config config = {.seed = 1, .drop_mask = {0x12}};
    struct simlink *l = simlink_new(&config);
    uint64_t order = 0;

    simlink_config(l)->drop_run.on = true;
    simlink_config(l)->drop_run.dir = SIMLINK_TO_PEER;
    simlink_config(l)->drop_run.first = 6;
    simlink_config(l)->drop_run.count = 3;
    for (unsigned i = 0; i < 10; i++)
        simlink_send(l, SIMLINK_TO_PEER, PEER_UDP500, &here, &there, span_of("x", 1), i);
    CHECK_INT(deliver_all(l, 10, &order), 5);
    CHECK_INT(simlink_stats(l)->dropped, 5);
    simlink_free(l);
}

TEST(link_nat_and_blocked_ports)
{
    struct simlink_config config = {.seed = 1, .nat = true, .nat_addr = inaddr_v4(0xc0000201)};
    struct simlink *l = simlink_new(&config);
    struct endpoint from, to, seen;
    enum simlink_dir dir;
    enum peer_port port;
    struct msg m;

    simlink_send(l, SIMLINK_TO_PEER, PEER_UDP500, &here, &there, span_of("a", 1), 0);
    CHECK(simlink_pop(l, 0, &dir, &port, &seen, &to, &m));
    msg_done(&m);
    CHECK(inaddr_eq(&seen.addr, &config.nat_addr) && seen.port != 500);
    simlink_send(l, SIMLINK_TO_CLIENT, PEER_UDP500, &there, &seen, span_of("b", 1), 0);
    CHECK(simlink_pop(l, 0, &dir, &port, &from, &to, &m));
    msg_done(&m);
    CHECK(endpoint_eq(&to, &here));
    simlink_send(l, SIMLINK_TO_PEER, PEER_RAWESP, &here, &there, span_of("c", 1), 0);
    CHECK(!simlink_pop(l, 0, &dir, &port, &from, &to, &m));
    simlink_rebind(l);
    simlink_send(l, SIMLINK_TO_PEER, PEER_UDP500, &here, &there, span_of("d", 1), 0);
    CHECK(simlink_pop(l, 0, &dir, &port, &from, &to, &m));
    msg_done(&m);
    CHECK(from.port != seen.port);
    simlink_config(l)->blocked[PEER_UDP500][SIMLINK_TO_PEER] = true;
    simlink_send(l, SIMLINK_TO_PEER, PEER_UDP500, &here, &there, span_of("e", 1), 0);
    CHECK(!simlink_pop(l, 0, &dir, &port, &from, &to, &m));
    CHECK_INT(simlink_stats(l)->blocked, 2);
    simlink_free(l);
}
