/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Rules of hostile.md that show in a whole dial only. */
#include "check.h"
#include "world.h"

#include <string.h>

static const uint8_t marker[4];

/* The ISAKMP message in a packet of the link; empty when there is none. */
static struct span ike_of(const struct simlink_packet *k)
{
    if (k->port == PEER_UDP500)
        return k->bytes;
    if (k->port == PEER_UDP4500 && k->bytes.n >= 4 + 28 && memcmp(k->bytes.p, marker, 4) == 0)
        return span_of(k->bytes.p + 4, k->bytes.n - 4);
    return SPAN_NONE;
}

/* ---- message 5 to somebody who does not know the key ---- */
struct messages {
    uint8_t bytes[16][512];
    size_t n[16];
    unsigned count, sends, aggressive;
};

static bool count_mm5(void *ctx, const struct simlink_packet *k)
{
    struct messages *m = ctx;
    struct span ike = ike_of(k);

    if (k->dir != SIMLINK_TO_PEER || ike.n < 28)
        return false;
    m->aggressive += ike.p[18] == 4;
    if (ike.p[18] != 2 || !(ike.p[19] & 1))
        return false;
    m->sends++;
    for (unsigned i = 0; i < m->count; i++)
        if (m->n[i] == ike.n && memcmp(m->bytes[i], ike.p, ike.n) == 0)
            return false;
    if (m->count < 16 && ike.n <= 512) {
        memcpy(m->bytes[m->count], ike.p, ike.n);
        m->n[m->count++] = ike.n;
    }
    return false;
}

/* Each message 5 is one more hash to search offline: three for a dial, whatever it tries. */
TEST(c13_at_most_three_message_5_for_a_fake_responder)
{
    for (unsigned i = 0; i < 4; i++) {
        struct messages m = {.count = 0};
        struct world_config c;
        struct world *w;

        world_config_default(&c);
        c.peer.psk = "what a stranger would guess";
        c.peer.flavour = i & 1 ? PEER_PPPD : PEER_PLAIN;
        c.dial.encapsulation = i & 2 ? ENCAPSULATION_ESP : ENCAPSULATION_AUTO;
        c.link.hook = count_mm5;
        c.link.hook_ctx = &m;
        w = world_new(&c);
        CHECK(world_until(w, world_is_down, US_S(300)));
        CHECK(w->failed && !w->up);
        world_run(w, US_S(600)); /* nobody dials again by himself */
        CHECK(m.count >= 1 && m.count <= 3);
        CHECK(m.sends > m.count);
        CHECK_INT(m.aggressive, 0);
        CHECK_INT(w->needs[DIAL_NEED_PASSWORD], 0);
        world_free(w);
    }
}

/* ---- a server that would have aggressive mode only ---- */
static bool refuse_main_mode(void *ctx, const struct simlink_packet *k)
{
    struct messages *m = ctx;
    struct span ike = ike_of(k);

    if (k->dir == SIMLINK_TO_CLIENT)
        return true;
    m->aggressive += ike.n >= 28 && ike.p[18] == 4;
    if (m->count == 0 && ike.n >= 28) {
        memcpy(m->bytes[0], ike.p, 28);
        m->count = 1;
    }
    return true;
}

TEST(c14_no_aggressive_packet_without_consent)
{
    static const uint8_t types[] = {7, 14, 29}; /* INVALID-EXCHANGE-TYPE and its like */

    for (size_t i = 0; i < sizeof(types); i++) {
        uint8_t notify[40] = {[16] = 11, [17] = 0x10, [18] = 5, [23] = 1, [27] = 40};
        struct messages m = {.count = 0};
        struct endpoint from;
        struct world_config c;
        struct world *w;

        world_config_default(&c);
        c.link.hook = refuse_main_mode;
        c.link.hook_ctx = &m;
        w = world_new(&c);
        from = w->config.peer.local;
        world_run(w, US_MS(100));
        CHECK_INT(m.count, 1);
        memcpy(notify, m.bytes[0], 8);
        notify[31] = 12;
        notify[35] = 1;
        notify[36] = 1;
        notify[39] = types[i];
        (void)dial_input(w->dial, DIAL_PATH_IKE, &from, (struct mspan){notify, sizeof(notify)},
                         w->sim.now);
        CHECK(world_until(w, world_is_down, US_S(300)));
        CHECK_STR(failure_code(w->failure.id),
                  types[i] == 14 ? "ike.no-proposal" : "ike.aggressive-only");
        world_run(w, US_S(60));
        CHECK_INT(m.aggressive, 0);
        world_free(w);
    }
}

/* ---- what the socket of port 4500 brings ---- */
struct kept {
    uint8_t bytes[2048];
    size_t n;
    bool esp;
};

/* Keeps the next packet of the kind for itself. */
static bool keep(void *ctx, const struct simlink_packet *k)
{
    struct kept *kept = ctx;
    bool esp = k->port == PEER_UDP4500 && k->bytes.n > 8 && memcmp(k->bytes.p, marker, 4) != 0;

    if (k->dir != SIMLINK_TO_CLIENT || kept->n > 0 || k->bytes.n > sizeof(kept->bytes) ||
        (kept->esp ? !esp : ike_of(k).n == 0))
        return false;
    memcpy(kept->bytes, k->bytes.p, k->bytes.n);
    kept->n = k->bytes.n;
    return true;
}

static enum verdict give(struct world *w, enum dial_path path, uint16_t port, const uint8_t *p,
                         size_t n)
{
    struct endpoint from = {.addr = w->config.peer.local.addr, .port = port};
    uint8_t copy[2048];

    memcpy(copy, p, n);
    return dial_input(w->dial, path, &from, (struct mspan){copy, n}, w->sim.now);
}

static struct world *up_world(struct world_config *c, struct kept *kept, bool esp)
{
    struct world *w;

    world_config_default(c);
    w = world_new(c);
    if (!world_dial(w, US_S(30)))
        return NULL;
    world_run(w, US_S(1));
    *kept = (struct kept){.esp = esp};
    simlink_config(w->sim.link)->hook = keep;
    simlink_config(w->sim.link)->hook_ctx = kept;
    return w;
}

TEST(h01_marker_and_less_than_a_header)
{
    struct world_config c;
    struct kept kept;
    struct world *w = up_world(&c, &kept, false);
    uint8_t bytes[64];
    l2tpc_us deadline;
    uint64_t sent;

    CHECK(w);
    deadline = dial_deadline(w->dial);
    sent = dial_facts(w->dial)->ike->sent;
    for (unsigned fill = 0; fill < 256; fill += 51) {
        memset(bytes, (int)fill, sizeof(bytes));
        memset(bytes, 0, 4);
        for (size_t n = 0; n < 32; n++)
            CHECK_INT(give(w, DIAL_PATH_NATT, 4500, bytes, n), VERDICT_DROP);
        for (size_t n = 0; n < 28; n++)
            CHECK_INT(give(w, DIAL_PATH_IKE, 500, bytes, n), VERDICT_DROP);
    }
    CHECK_INT(dial_deadline(w->dial), deadline);
    CHECK_INT(dial_facts(w->dial)->ike->sent, sent);
    world_free(w);
}

/* One byte 0xff: dropped, not answered, and no sign of life (RFC 3948 4). */
TEST(h37_keepalives_of_the_server)
{
    l2tpc_us dead[2];

    for (unsigned with = 0; with < 2; with++) {
        static const uint8_t ff = 0xff;
        struct world_config c;
        struct kept kept;
        struct world *w = up_world(&c, &kept, false);
        uint64_t sent;
        l2tpc_us t0;

        CHECK(w);
        peer_silence(w->sim.peer, STAGE_IKE_PHASE1);
        sent = dial_facts(w->dial)->ike->sent;
        t0 = w->sim.now;
        CHECK_INT(give(w, DIAL_PATH_NATT, 4500, &ff, 1), VERDICT_DROP);
        CHECK_INT(dial_facts(w->dial)->ike->sent, sent);
        while (!w->failed && w->sim.now < t0 + US_S(120)) {
            if (with)
                CHECK_INT(give(w, DIAL_PATH_NATT, 4500, &ff, 1), VERDICT_DROP);
            (void)world_ping(w);
            world_run(w, US_MS(500));
        }
        CHECK_STR(failure_code(w->failure.id), "up.peer-dead");
        dead[with] = w->failed_at - t0;
        world_free(w);
    }
    CHECK_INT(dead[1], dead[0]);
}

TEST(h38_what_is_neither_esp_nor_ike)
{
    struct world_config c;
    struct kept kept;
    struct world *w = up_world(&c, &kept, true);
    uint64_t before;
    uint8_t bytes[64];
    l2tpc_us deadline;

    CHECK(w);
    before = dial_facts(w->dial)->esp_in.packets;
    deadline = dial_deadline(w->dial);
    for (unsigned v = 0; v < 256; v++) {
        memset(bytes, (int)v, sizeof(bytes));
        for (size_t n = 0; n < 4; n++) /* 1 to 3 bytes */
            CHECK_INT(give(w, DIAL_PATH_NATT, 4500, bytes, n), VERDICT_DROP);
        for (size_t n = 4; n < sizeof(bytes); n++) /* no SPI of ours; 0 is the marker */
            CHECK_INT(give(w, DIAL_PATH_NATT, 4500, bytes, n), VERDICT_DROP);
    }
    CHECK_INT(dial_deadline(w->dial), deadline);
    /* Raw ESP where encapsulation was agreed on; the same packet is good where it belongs. */
    CHECK(world_ping(w));
    world_run(w, US_MS(200));
    CHECK(kept.n > 8);
    CHECK_INT(give(w, DIAL_PATH_ESP, 0, kept.bytes, kept.n), VERDICT_DROP);
    CHECK_INT(give(w, DIAL_PATH_IKE, 500, kept.bytes, kept.n), VERDICT_DROP);
    CHECK_INT(dial_facts(w->dial)->esp_in.packets, before);
    CHECK_INT(give(w, DIAL_PATH_NATT, 4500, kept.bytes, kept.n), VERDICT_OK);
    CHECK_INT(dial_facts(w->dial)->esp_in.packets, before + 1);
    world_free(w);
}

/* IKE on port 500 after the float; the same message is good on 4500. */
TEST(h38_ike_on_500_after_the_float)
{
    struct world_config c;
    struct kept kept;
    struct world *w = up_world(&c, &kept, false);
    uint64_t sent;

    CHECK(w);
    CHECK(dial_facts(w->dial)->ike->floated);
    peer_dpd_probe(w->sim.peer, w->sim.now);
    world_run(w, US_MS(100));
    CHECK(kept.n > 32);
    sent = dial_facts(w->dial)->ike->sent;
    CHECK_INT(give(w, DIAL_PATH_IKE, 500, kept.bytes + 4, kept.n - 4), VERDICT_DROP);
    CHECK_INT(give(w, DIAL_PATH_IKE, 500, kept.bytes, kept.n), VERDICT_DROP);
    CHECK_INT(dial_facts(w->dial)->ike->sent, sent);
    CHECK_INT(give(w, DIAL_PATH_NATT, 4500, kept.bytes, kept.n), VERDICT_OK);
    CHECK_INT(dial_facts(w->dial)->ike->sent, sent + 1);
    world_free(w);
}

/* The other way round: encapsulated ESP where raw ESP was agreed on. */
TEST(h38_encapsulated_esp_on_a_raw_pair)
{
    struct kept kept = {.n = 0};
    struct world_config c;
    struct world *w;

    world_config_default(&c);
    c.dial.encapsulation = ENCAPSULATION_ESP;
    w = world_new(&c);
    CHECK(world_dial(w, US_S(30)));
    memset(kept.bytes, 0x11, 64);
    {
        uint32_t spi = dial_facts(w->dial)->spi_in;
        uint64_t counted = dial_facts(w->dial)->esp_in.malformed;

        for (unsigned i = 0; i < 4; i++)
            kept.bytes[i] = (uint8_t)(spi >> (24 - 8 * i));
        CHECK_INT(give(w, DIAL_PATH_NATT, 4500, kept.bytes, 64), VERDICT_DROP);
        CHECK_INT(dial_facts(w->dial)->esp_in.malformed, counted);
        CHECK_INT(dial_facts(w->dial)->esp_in.bad_icv, 0);
    }
    world_free(w);
}

/* ---- Deletes: how fast what was taken is made anew ---- */
TEST(h31_new_quick_mode_within_a_second_unless_the_tunnel_ends)
{
    for (unsigned ends = 0; ends < 2; ends++) {
        struct world_config c;
        struct kept kept;
        struct world *w = up_world(&c, &kept, true);
        uint32_t spi;

        CHECK(w);
        kept.n = 1; /* nothing is kept back */
        spi = dial_facts(w->dial)->spi_out;
        if (ends)
            peer_stopccn(w->sim.peer, 6, 0, "shutting down", w->sim.now);
        peer_delete_esp(w->sim.peer, w->sim.now);
        world_run(w, US_MS(30));
        CHECK(!world_ping(w) || ends == 0); /* the old pair is not used in the same tick */
        world_run(w, US_S(1));
        CHECK_INT(dial_facts(w->dial)->sa_pairs, ends ? 1 : 2);
        CHECK(ends || dial_facts(w->dial)->spi_out != spi);
        world_free(w);
    }
}
