/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "server.h"

#include "esp/esp.h"
#include "wire/wr.h"

#include <string.h>

enum l2tp_type {
    SCCRQ = 1,
    SCCRP = 2,
    STOPCCN = 4,
    HELLO = 6,
    ICRQ = 10,
    ICRP = 11,
    ICCN = 12,
    CDN = 14,
};

#define AVP_TUNNEL 9
#define AVP_SESSION 14

void server_init(struct server *s, bool natt, bool pap)
{
    *s = (struct server){.local = inaddr_v4(0xc6336407), .client = inaddr_v4(0xc0000205)};
    fuzz_env_init(&s->env, 5);
    responder_init(&s->ike, &s->env.env, natt);
    s->pap = pap;
}

void server_free(struct server *s)
{
    responder_free(&s->ike);
    esp_out_free(s->out);
    esp_in_free(s->in);
    msgq_clear(&s->answers);
}

/* ---- sending ---- */
static void queue(struct server *s, enum dial_path path, struct span bytes)
{
    struct msg oldest;

    if (s->mute)
        return;
    if (s->answers.used == MSGQ_SLOTS && msgq_pop(&s->answers, &oldest))
        msg_done(&oldest);
    (void)msgq_push(&s->answers, path, bytes);
}

void server_send_ike(struct server *s, struct span message)
{
    uint8_t marked[4 + IKE_MESSAGE_MAX] = {0};

    if (message.n == 0 || message.n > IKE_MESSAGE_MAX)
        return;
    memcpy(marked + 4, message.p, message.n);
    if (s->ike.natt && message.p[19] & 1)
        queue(s, DIAL_PATH_NATT, span_of(marked, 4 + message.n));
    else
        queue(s, DIAL_PATH_IKE, message);
}

void server_send_udp(struct server *s, struct span payload)
{
    uint8_t *room;
    struct mspan packet;

    if (!s->out)
        return;
    room = malloc(ESP_HEADROOM + payload.n + ESP_TAILROOM);
    FUZZ_REQUIRE(room);
    if (payload.n > 0)
        memcpy(room + ESP_HEADROOM, payload.p, payload.n);
    FUZZ_REQUIRE(esp_seal(s->out, (struct mspan){room + ESP_HEADROOM, payload.n}, &packet) ==
                 ESP_OK);
    queue(s, s->ike.natt ? DIAL_PATH_NATT : DIAL_PATH_ESP, span_ro(packet));
    free(room);
}

static void control(struct server *s, uint16_t session, struct span avps)
{
    uint8_t bytes[FUZZ_STEP_MAX + 32];
    struct wr w = wr_of(bytes, sizeof(bytes));
    struct span out;

    wr_u16(&w, 0xc802);
    wr_u16(&w, (uint16_t)(12 + avps.n));
    wr_u16(&w, s->tunnel);
    wr_u16(&w, session);
    wr_u16(&w, avps.n > 0 ? s->ns++ : s->ns);
    wr_u16(&w, s->nr);
    wr_bytes(&w, avps);
    if (wr_finish(&w, &out))
        server_send_udp(s, out);
}

void server_send_control(struct server *s, struct span avps)
{
    control(s, s->session, avps);
}

void server_send_ppp(struct server *s, struct span frame)
{
    uint8_t bytes[FUZZ_STEP_MAX + 32];
    struct wr w = wr_of(bytes, sizeof(bytes));
    struct span out;

    wr_u16(&w, 0x4002);
    wr_u16(&w, (uint16_t)(8 + frame.n));
    wr_u16(&w, s->tunnel);
    wr_u16(&w, s->session);
    wr_bytes(&w, frame);
    if (wr_finish(&w, &out))
        server_send_udp(s, out);
}

/* ---- L2TP ---- */
static bool avp_u16(struct span avps, uint16_t attribute, uint16_t *out)
{
    struct rd r = rd_of(avps);
    struct rd one;
    uint16_t bits;
    uint16_t vendor;
    uint16_t type;

    while (rd_u16(&r, &bits) && (bits & 1023) >= 6 && rd_sub(&r, (bits & 1023u) - 2u, &one))
        if (rd_u16(&one, &vendor) && rd_u16(&one, &type) && vendor == 0 && type == attribute)
            return rd_u16(&one, out);
    return false;
}

static void avp(struct wr *w, uint16_t type, struct span value)
{
    wr_u16(w, (uint16_t)(0x8000 | (6 + value.n)));
    wr_u16(w, 0);
    wr_u16(w, type);
    wr_bytes(w, value);
}

static void send_sccrp(struct server *s)
{
    uint8_t bytes[128];
    struct wr w = wr_of(bytes, sizeof(bytes));
    struct span out;

    avp(&w, 0, span_of((const uint8_t[]){0, SCCRP}, 2));
    avp(&w, 2, span_of((const uint8_t[]){1, 0}, 2));
    avp(&w, 3, span_of((const uint8_t[]){0, 0, 0, 3}, 4));
    avp(&w, 7, span_str("lns"));
    avp(&w, AVP_TUNNEL, span_of((const uint8_t[]){0x11, 0x11}, 2));
    if (wr_finish(&w, &out))
        control(s, 0, out);
}

static void send_icrp(struct server *s)
{
    uint8_t bytes[64];
    struct wr w = wr_of(bytes, sizeof(bytes));
    struct span out;

    avp(&w, 0, span_of((const uint8_t[]){0, ICRP}, 2));
    avp(&w, AVP_SESSION, span_of((const uint8_t[]){0x22, 0x22}, 2));
    if (wr_finish(&w, &out))
        control(s, s->session, out);
}

static void send_lcp_request(struct server *s)
{
    static const uint8_t plain[] = {0xc0, 0x21, 1, 1, 0, 14, 1, 4, 5, 0x78, 5, 6, 9, 9, 9, 9};
    static const uint8_t pap[] = {0xc0, 0x21, 1, 1, 0, 18, 1, 4, 5,    0x78,
                                  5,    6,    9, 9, 9, 9,  3, 4, 0xc0, 0x23};

    s->link_asked = true;
    server_send_ppp(s, s->pap ? SPAN_ARRAY(pap) : SPAN_ARRAY(plain));
}

static void recv_control(struct server *s, struct rd *r, uint16_t ns)
{
    struct span avps = rd_rest(r);
    uint16_t type = 0;

    if (avps.n == 0 || !avp_u16(avps, 0, &type))
        return;
    if (ns == s->nr)
        s->nr++;
    switch (type) {
    case SCCRQ:
        if (avp_u16(avps, AVP_TUNNEL, &s->tunnel) && s->ns == 0)
            send_sccrp(s);
        break;
    case ICRQ:
        if (avp_u16(avps, AVP_SESSION, &s->session))
            send_icrp(s);
        break;
    case ICCN:
        control(s, 0, SPAN_NONE);
        if (!s->link_asked)
            send_lcp_request(s);
        break;
    default:
        control(s, 0, SPAN_NONE);
        break;
    }
}

/* ---- PPP ---- */
static void reply(struct server *s, uint16_t protocol, uint8_t code, uint8_t id, struct span data)
{
    uint8_t bytes[FUZZ_STEP_MAX];
    struct wr w = wr_of(bytes, sizeof(bytes));
    struct span out;

    wr_u16(&w, protocol);
    wr_u8(&w, code);
    wr_u8(&w, id);
    wr_u16(&w, (uint16_t)(4 + data.n));
    wr_bytes(&w, data);
    if (wr_finish(&w, &out))
        server_send_ppp(s, out);
}

static void begin_ip(struct server *s)
{
    static const uint8_t address[] = {3, 6, 10, 9, 0, 1};

    if (!s->ip_asked)
        reply(s, 0x8021, 1, 7, SPAN_ARRAY(address));
    s->ip_asked = true;
}

/* Nak with what it shall have, where an option still is 0.0.0.0; else Ack. */
static void answer_ipcp(struct server *s, uint8_t id, struct span options)
{
    struct mspan copy = fuzz_copy(options);
    bool unset = false;

    for (size_t i = 0; i + 6 <= copy.n; i += 6) {
        if (copy.p[i + 1] == 6 && memcmp(copy.p + i + 2, (const uint8_t[4]){0}, 4) == 0) {
            memcpy(copy.p + i + 2, (const uint8_t[]){10, 9, 0, 2}, 4);
            unset = true;
        }
    }
    reply(s, 0x8021, unset ? 3 : 2, id, span_ro(copy));
    free(copy.p);
}

static void recv_ppp(struct server *s, struct rd *r)
{
    uint16_t address;
    uint16_t protocol;
    uint16_t length;
    uint8_t code;
    uint8_t id;
    struct span data;

    if (!rd_u16(r, &address) || !rd_u16(r, &protocol) || !rd_u8(r, &code) || !rd_u8(r, &id) ||
        !rd_u16(r, &length) || length < 4 || !rd_bytes(r, length - 4u, &data))
        return;
    if (protocol == 0xc021 && code == 1) {
        if (!s->link_asked)
            send_lcp_request(s);
        reply(s, protocol, 2, id, data);
    } else if (protocol == 0xc021 && code == 2 && !s->pap) {
        begin_ip(s);
    } else if (protocol == 0xc021 && code == 5) {
        reply(s, protocol, 6, id, SPAN_NONE);
    } else if (protocol == 0xc021 && code == 9 && data.n >= 4) {
        reply(s, protocol, 10, id, span_of((const uint8_t[]){9, 9, 9, 9}, 4));
    } else if (protocol == 0xc023 && code == 1) {
        reply(s, protocol, 2, id, span_of((const uint8_t[]){0}, 1));
        begin_ip(s);
    } else if (protocol == 0x8021 && code == 1) {
        answer_ipcp(s, id, data);
    }
}

/* ---- receiving ---- */
static void recv_udp(struct server *s, struct span payload)
{
    struct rd r = rd_of(payload);
    uint16_t flags;
    uint16_t length;
    uint16_t tunnel;
    uint16_t session;
    uint16_t ns;
    uint16_t nr;

    FUZZ_REQUIRE(rd_u16(&r, &flags) && (flags & 0x4002) == 0x4002 && rd_u16(&r, &length) &&
                 length == payload.n && rd_u16(&r, &tunnel) && rd_u16(&r, &session));
    if (!(flags & 0x8000))
        recv_ppp(s, &r);
    else if (rd_u16(&r, &ns) && rd_u16(&r, &nr))
        recv_control(s, &r, ns);
}

static bool recv_esp(struct server *s, struct span packet)
{
    struct rd r = rd_of(packet);
    struct mspan copy;
    struct mspan payload;
    enum esp_verdict v;
    uint32_t spi;

    FUZZ_REQUIRE(rd_u32(&r, &spi) && spi > 255);
    if (!s->in || spi != esp_in_spi(s->in))
        return true; /* of a pair that the script negotiated */
    copy = fuzz_copy(packet);
    v = esp_open(s->in, copy, &payload);
    if (v == ESP_OK) {
        s->opened++;
        recv_udp(s, span_ro(payload));
    }
    free(copy.p);
    return v == ESP_OK;
}

static void recv_ike(struct server *s, struct span message)
{
    bool had_sa = s->ike.has_sa;
    struct mspan answer = responder_answer(&s->ike, message);

    if (!had_sa && s->ike.has_sa) {
        s->out = esp_out_new(fuzz_crypto(), &s->env.env, &s->ike.sa, &s->local, &s->client);
        s->in = esp_in_new(fuzz_crypto(), &s->ike.sa, &s->local, &s->client);
        FUZZ_REQUIRE(s->out && s->in);
    }
    server_send_ike(s, span_ro(answer));
    free(answer.p);
}

bool server_input(struct server *s, enum dial_path path, struct span datagram)
{
    struct rd r = rd_of(datagram);
    uint32_t marker;

    if (path == DIAL_PATH_IKE)
        recv_ike(s, datagram);
    else if (path == DIAL_PATH_ESP)
        return recv_esp(s, datagram);
    else if (datagram.n == 1)
        FUZZ_REQUIRE(datagram.p[0] == 0xff);
    else if (rd_u32(&r, &marker) && marker == 0)
        recv_ike(s, rd_rest(&r));
    else
        return recv_esp(s, datagram);
    return true;
}
