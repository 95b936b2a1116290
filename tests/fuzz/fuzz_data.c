/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The data path behind ESP: UDP payloads that the peer sealed, so that the L2TP header, the PPP
 * header and the inner IP packet are reached; and IP packets on their way out. First byte: what is
 * open. The L2TP ids are put right for three steps of four.
 */
#include "fuzz.h"

#include "dial/data_path.h"
#include "l2tp/data.h"
#include "ppp/ppp.h"

#include <string.h>

#define TUNNEL 0x1111
#define SESSION 0x2222

struct world {
    struct fuzz_env env;
    struct data_path path;
    struct esp_out *peer_out;
    struct esp_in *peer_in;
};

static const struct inaddr client = {4, {192, 0, 2, 5}};
static const struct inaddr server = {4, {198, 51, 100, 7}};

static void make_sa(struct world *w, struct sa_pair *sa, uint32_t spi)
{
    *sa = (struct sa_pair){.suite = {CIPHER_AES_GCM, 128, HASH_NONE, false},
                           .udp_encapsulated = true,
                           .local_port = 1701,
                           .remote_port = 1701,
                           .lifetime_s = 600};
    sa->in.spi = spi;
    sa->out.spi = spi + 1;
    sa->in.cipher_key_len = sa->out.cipher_key_len = 20;
    FUZZ_REQUIRE(env_rand(&w->env.env, sa->in.cipher_key, 20));
    FUZZ_REQUIRE(env_rand(&w->env.env, sa->out.cipher_key, 20));
}

static void install(struct world *w, uint32_t spi, l2tpc_us now)
{
    struct sa_pair sa;
    struct sa_pair mirror;
    struct data_pair *p;

    make_sa(w, &sa, spi);
    mirror = sa;
    mirror.in = sa.out;
    mirror.out = sa.in;
    p = data_install(&w->path, fuzz_crypto(), &w->env.env, &sa, &client, &server, now);
    if (!p)
        return;
    p->ready = true;
    data_switch(&w->path, p, now);
    esp_out_free(w->peer_out);
    esp_in_free(w->peer_in);
    w->peer_out = esp_out_new(fuzz_crypto(), &w->env.env, &mirror, &server, &client);
    w->peer_in = esp_in_new(fuzz_crypto(), &mirror, &server, &client);
    FUZZ_REQUIRE(w->peer_out && w->peer_in);
}

static void check_inside(struct mspan whole, struct mspan part)
{
    FUZZ_REQUIRE(part.p >= whole.p && part.n <= whole.n);
    FUZZ_REQUIRE(part.p + part.n <= whole.p + whole.n);
}

static void check_ip(struct mspan ip)
{
    FUZZ_REQUIRE(ip.n >= 20);
    if (ip.p[0] >> 4 == 4)
        FUZZ_REQUIRE(((size_t)ip.p[2] << 8 | ip.p[3]) == ip.n && (ip.p[0] & 15u) * 4u <= ip.n);
    else
        FUZZ_REQUIRE(ip.p[0] >> 4 == 6 && ip.n == 40 + ((size_t)ip.p[4] << 8 | ip.p[5]));
}

static void open_packet(struct world *w, struct mspan packet)
{
    struct mspan inner = {NULL, 0};
    enum data_kind kind = data_open(&w->path, packet, &inner);

    if (kind == DATA_NOTHING)
        return;
    check_inside(packet, inner);
    if (kind == DATA_IP) {
        FUZZ_REQUIRE(w->path.now.ip_open && w->path.now.call_up);
        check_ip(inner);
    } else if (kind == DATA_PPP) {
        FUZZ_REQUIRE(w->path.now.call_up);
    }
}

static void recv_sealed(struct world *w, struct mspan payload, bool right_ids)
{
    uint8_t *room = malloc(ESP_HEADROOM + payload.n + ESP_TAILROOM);
    struct mspan inner = {room + ESP_HEADROOM, payload.n};
    struct mspan packet;

    FUZZ_REQUIRE(room);
    if (right_ids && payload.n >= 8) {
        size_t at = payload.p[0] & 0x40 ? 4 : 2;

        payload.p[1] = 2;
        memcpy(payload.p + at, (const uint8_t[]){0x11, 0x11, 0x22, 0x22}, 4);
        if (at == 4) {
            payload.p[2] = (uint8_t)(payload.n >> 8);
            payload.p[3] = (uint8_t)payload.n;
        }
    }
    if (payload.n > 0)
        memcpy(inner.p, payload.p, payload.n);
    FUZZ_REQUIRE(esp_seal(w->peer_out, inner, &packet) == ESP_OK);
    packet = fuzz_copy(span_ro(packet));
    open_packet(w, packet);
    free(packet.p);
    free(room);
}

/* What leaves must be ESP that the peer opens, with the same IP packet inside. */
static void send_ip(struct world *w, struct mspan ip)
{
    uint8_t *room = malloc(DATA_HEADROOM + ip.n + DATA_TAILROOM);
    struct mspan packet;
    struct mspan inner;
    /* Numbered when the server numbers: Ns and Nr behind the L2TP header. */
    size_t headers = 12 + (data_is_sequenced(&w->path) ? 4 : 0);
    bool sent;

    FUZZ_REQUIRE(room);
    if (ip.n > 0)
        memcpy(room + DATA_HEADROOM, ip.p, ip.n);
    sent = data_seal_ip(&w->path, (struct mspan){room + DATA_HEADROOM, ip.n}, &packet);
    FUZZ_REQUIRE(!sent || (w->path.now.ip_open && w->path.now.call_up && w->path.now.out));
    if (sent) {
        FUZZ_REQUIRE(packet.p >= room &&
                     packet.p + packet.n <= room + DATA_HEADROOM + ip.n + DATA_TAILROOM);
        FUZZ_REQUIRE(esp_open(w->peer_in, packet, &inner) == ESP_OK);
        FUZZ_REQUIRE(inner.n == ip.n + headers && memcmp(inner.p + headers, ip.p, ip.n) == 0);
    }
    free(room);
}

static void header_only(struct mspan message)
{
    struct l2tp_data d;
    struct mspan info;
    uint16_t protocol;
    bool control;

    if (l2tp_classify(span_ro(message), &control) && !control && l2tp_data_read(message, &d))
        check_inside(message, d.payload);
    for (unsigned pfc = 0; pfc < 2; pfc++)
        if (ppp_frame_read(message, pfc, &protocol, &info))
            check_inside(message, info);
}

static void one_step(struct world *w, const struct fuzz_step *s, l2tpc_us *now)
{
    switch (s->op & 7) {
    case 0:
        open_packet(w, s->bytes);
        break;
    case 1:
    case 2:
    case 3:
        recv_sealed(w, s->bytes, true);
        break;
    case 4:
        recv_sealed(w, s->bytes, false);
        break;
    case 5:
        send_ip(w, s->bytes);
        break;
    case 6:
        header_only(s->bytes);
        break;
    case 7:
        *now += US_S(s->bytes.n);
        if (s->op & 8)
            install(w, 0x5000 + 16u * s->op, *now);
        else
            (void)data_expire(&w->path, *now);
        if (!w->path.now.out)
            install(w, 0x9000, *now);
        break;
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct rd r = rd_of(span_of(data, size));
    struct world w = {
        .path = {.now = {.tunnel_id = TUNNEL, .session_id = SESSION, .peer_tunnel_id = 3}}};
    struct fuzz_step s;
    l2tpc_us now = 0;
    uint8_t how;

    if (!rd_u8(&r, &how))
        return 0;
    fuzz_env_init(&w.env, 3);
    w.path.now.call_up = !(how & 1);
    w.path.now.ip_open = !(how & 2);
    install(&w, 0x4000, now);
    FUZZ_REQUIRE(w.peer_out);
    for (unsigned i = 0; i < FUZZ_STEPS_MAX && fuzz_step_next(&r, &s); i++) {
        one_step(&w, &s, &now);
        fuzz_step_done(&s);
    }
    data_clear(&w.path);
    esp_out_free(w.peer_out);
    esp_in_free(w.peer_in);
    return 0;
}
