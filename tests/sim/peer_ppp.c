/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* PPP framing and LCP of the server (RFC 1661). */
#include "peer_i.h"

enum {
    CONF_REQ = 1,
    CONF_ACK = 2,
    CONF_NAK = 3,
    CONF_REJ = 4,
    TERM_REQ = 5,
    TERM_ACK = 6,
    CODE_REJ = 7,
    PROTO_REJ = 8,
    ECHO_REQ = 9,
    ECHO_REP = 10,
    DISCARD = 11,
};
enum {
    OPT_MRU = 1,
    OPT_ACCM = 2,
    OPT_AUTH = 3,
    OPT_MAGIC = 5,
    OPT_PFC = 7,
    OPT_ACFC = 8,
    OPT_MRRU = 17,
    OPT_ENDPOINT = 19,
};
#define SENDS_MAX 10

static bool lcp_open(const struct ppp_peer *ppp)
{
    return ppp->lcp_ours_acked && ppp->lcp_theirs_acked;
}

void peer_ppp_frame(struct peer *p, struct tunnel *t, uint16_t protocol, struct span info,
                    l2tpc_us now)
{
    const struct ppp_peer *ppp = &t->ppp;
    bool squeeze = p->config.flavour == PEER_PPPD && protocol != PROTO_LCP && lcp_open(ppp);
    uint8_t b[4096];
    struct wr w = wr_of(b, sizeof(b));
    struct span out;

    if (!(squeeze && ppp->client_acfc))
        wr_u16(&w, 0xff03);
    if (squeeze && ppp->client_pfc && protocol < 0x100)
        wr_u8(&w, (uint8_t)protocol);
    else
        wr_u16(&w, protocol);
    wr_bytes(&w, info);
    if (wr_finish(&w, &out))
        peer_l2tp_send_ppp(p, t, out, now);
}

void peer_ppp_send(struct peer *p, struct tunnel *t, uint16_t protocol, uint8_t code, uint8_t id,
                   struct span data, l2tpc_us now)
{
    uint8_t b[2048];
    struct wr w = wr_of(b, sizeof(b));
    struct wr_box box;
    struct span out;

    if (code == CONF_ACK && peer_bug(p, BUG_LCP_ACK_WRONG_ID) && id < 0x80) {
        uint8_t foreign = id ^ 0xc0;

        peer_ppp_send(p, t, protocol, code, foreign, data, now);
    }
    wr_u8(&w, code);
    wr_u8(&w, id);
    box = wr_open(&w, 2);
    wr_bytes(&w, data);
    wr_close(&w, box);
    if (wr_finish(&w, &out))
        peer_ppp_frame(p, t, protocol, out, now);
}

static bool wants(const struct ppp_peer *ppp, unsigned option)
{
    return (ppp->lcp_options >> option & 1) != 0;
}

static enum peer_auth method(const struct peer *p, const struct ppp_peer *ppp)
{
    return peer_bug(p, BUG_LCP_INSIST_PAP) ? PEER_AUTH_PAP : p->config.auth[ppp->auth_at];
}

static void write_auth(const struct peer *p, const struct ppp_peer *ppp, struct wr *w)
{
    enum peer_auth m = method(p, ppp);
    bool chap = m == PEER_AUTH_CHAP_MD5 || m == PEER_AUTH_MSCHAPV2;

    if (m == PEER_AUTH_NONE)
        return;
    wr_u8(w, OPT_AUTH);
    wr_u8(w, chap ? 5 : 4);
    wr_u16(w, chap ? PROTO_CHAP : m == PEER_AUTH_PAP ? PROTO_PAP : PROTO_EAP);
    if (chap)
        wr_u8(w, m == PEER_AUTH_MSCHAPV2 ? 0x81 : 5);
}

static void send_lcp_req(struct peer *p, struct tunnel *t, l2tpc_us now)
{
    struct ppp_peer *ppp = &t->ppp;
    uint8_t b[128];
    struct wr w = wr_of(b, sizeof(b));
    struct span out;

    if (wants(ppp, OPT_MRU))
        wr_u32(&w, (uint32_t)OPT_MRU << 24 | 4 << 16 | 1400);
    if (wants(ppp, OPT_ACCM)) {
        wr_u16(&w, OPT_ACCM << 8 | 6);
        wr_u32(&w, 0);
    }
    write_auth(p, ppp, &w);
    if (wants(ppp, OPT_MAGIC)) {
        wr_u16(&w, OPT_MAGIC << 8 | 6);
        wr_u32(&w, ppp->magic);
    }
    if (wants(ppp, OPT_PFC))
        wr_u16(&w, OPT_PFC << 8 | 2);
    if (wants(ppp, OPT_ACFC))
        wr_u16(&w, OPT_ACFC << 8 | 2);
    if (wants(ppp, OPT_MRRU))
        wr_u32(&w, (uint32_t)OPT_MRRU << 24 | 4 << 16 | 1614);
    if (wants(ppp, OPT_ENDPOINT)) {
        wr_u16(&w, OPT_ENDPOINT << 8 | 9);
        wr_u8(&w, 3);
        wr_bytes(&w, span_of("\x02\x00\x00\x00\x00\x01", 6));
    }
    if (!wr_finish(&w, &out) || ppp->sends++ == SENDS_MAX) {
        ppp->due[DUE_LCP_REQ] = US_NEVER;
        return;
    }
    ppp->due[DUE_LCP_REQ] = us_add(now, p->config.flavour == PEER_PLAIN ? US_S(1) : US_S(3));
    if (!peer_silent(p, STAGE_PPP_LCP))
        peer_ppp_send(p, t, PROTO_LCP, CONF_REQ, ppp->lcp_id, out, now);
}

/* A changed request has a new id. */
static void lcp_ask_again(struct peer *p, struct tunnel *t, l2tpc_us now)
{
    t->ppp.lcp_id = t->ppp.id++;
    t->ppp.sends = 0;
    send_lcp_req(p, t, now);
}

void peer_ppp_begin(struct peer *p, struct tunnel *t, l2tpc_us now)
{
    struct ppp_peer *ppp = &t->ppp;
    enum peer_flavour f = p->config.flavour;

    memset(ppp, 0, sizeof(*ppp));
    for (size_t i = 0; i < DUE_KINDS; i++)
        ppp->due[i] = US_NEVER;
    ppp->on = true;
    ppp->magic = peer_rand_u32(p);
    if (f != PEER_SOFTETHER)
        ppp->lcp_options = 1u << OPT_MAGIC | 1u << OPT_MRU;
    if (f == PEER_PPPD || f == PEER_WINDOWS)
        ppp->lcp_options |= 1u << OPT_ACCM | 1u << OPT_PFC | 1u << OPT_ACFC;
    if (f == PEER_WINDOWS)
        ppp->lcp_options |= 1u << OPT_MRRU | 1u << OPT_ENDPOINT;
    if (p->config.echo)
        ppp->due[DUE_ECHO] = us_add(now, p->config.echo);
    ppp->lcp_id = ppp->id++;
    if (f == PEER_PPPD) { /* pppd is started by the call */
        ppp->attached_at = us_add(now, US_MS(70));
        ppp->due[DUE_LCP_REQ] = ppp->attached_at;
        return;
    }
    send_lcp_req(p, t, now);
    if (f == PEER_SOFTETHER)
        ppp->due[DUE_ECHO] = us_add(now, US_MS(1));
}

void peer_ppp_end(struct peer *p, struct tunnel *t, const char *text, l2tpc_us now)
{
    t->ppp.ended = true;
    t->ppp.ip_up = false;
    peer_ppp_send(p, t, PROTO_LCP, TERM_REQ, t->ppp.id++, span_str(text), now);
}

static void lcp_opened(struct peer *p, struct tunnel *t, l2tpc_us now)
{
    static const uint8_t early[20] = {0x45, 0, 0, 20, 0, 0, 0, 0, 64, 253, 0, 0, 10, 0, 0, 1, 10};
    static const uint8_t ccp[4] = {CONF_REQ, 1, 0, 4};
    struct ppp_peer *ppp = &t->ppp;

    ppp->due[DUE_LCP_REQ] = US_NEVER;
    if (peer_bug(p, BUG_PPP_EARLY_IP))
        peer_ppp_frame(p, t, PROTO_IP, SPAN_ARRAY(early), now);
    if (peer_bug(p, BUG_PPP_UNKNOWN_PROTOCOLS)) {
        peer_ppp_frame(p, t, 0x80fd, SPAN_ARRAY(ccp), now);
        peer_ppp_frame(p, t, 0x4321, SPAN_ARRAY(ccp), now);
    }
    if (!ppp->auth_begun) {
        ppp->auth_begun = true;
        peer_auth_begin(p, t, now);
    }
}

static bool next_option(struct peer *p, struct rd *r, uint8_t *type, struct span *whole)
{
    const uint8_t *start = r->rest.p;
    uint8_t length;

    if (rd_end(r))
        return false;
    if (!rd_u8(r, type) || !rd_u8(r, &length) || length < 2 || !rd_skip(r, length - 2u)) {
        peer_complain(p, "malformed option list");
        return false;
    }
    *whole = span_of(start, length);
    return true;
}

static bool lcp_takes(const struct peer *p, uint8_t type, struct span whole)
{
    if (type == OPT_MRU)
        return whole.n == 4;
    if (p->config.flavour == PEER_SOFTETHER)
        return false;
    return ((type == OPT_ACCM || type == OPT_MAGIC) && whole.n == 6) ||
           ((type == OPT_PFC || type == OPT_ACFC) && whole.n == 2);
}

static void reopen(struct peer *p, struct tunnel *t, l2tpc_us now)
{
    struct ppp_peer *ppp = &t->ppp;

    ppp->lcp_ours_acked = ppp->lcp_theirs_acked = ppp->authenticated = ppp->auth_begun = false;
    ppp->ipcp_ours_acked = ppp->ipcp_theirs_acked = ppp->ip_up = false;
    ppp->due[DUE_AUTH] = ppp->due[DUE_IPCP_REQ] = ppp->due[DUE_IPCP_ANSWER] = US_NEVER;
    lcp_ask_again(p, t, now);
}

static void recv_lcp_req(struct peer *p, struct tunnel *t, uint8_t id, struct span data,
                         l2tpc_us now)
{
    struct ppp_peer *ppp = &t->ppp;
    struct rd r = rd_of(data);
    uint8_t rej[256], type;
    struct wr w = wr_of(rej, sizeof(rej));
    struct span whole, out;
    bool pfc = false, acfc = false;

    if (lcp_open(ppp))
        reopen(p, t, now);
    while (next_option(p, &r, &type, &whole)) {
        if (!lcp_takes(p, type, whole))
            wr_bytes(&w, whole);
        pfc |= type == OPT_PFC;
        acfc |= type == OPT_ACFC;
        if (type == OPT_MAGIC && whole.n == 6 && peer_bug(p, BUG_LCP_MAGIC_MIRROR)) {
            uint32_t magic = (uint32_t)whole.p[2] << 24 | (uint32_t)whole.p[3] << 16 |
                             (uint32_t)whole.p[4] << 8 | whole.p[5];

            if (magic != ppp->magic) {
                ppp->magic = magic;
                lcp_ask_again(p, t, now);
            }
        }
    }
    if (!wr_finish(&w, &out))
        return;
    if (out.n) {
        peer_ppp_send(p, t, PROTO_LCP, CONF_REJ, id, out, now);
        return;
    }
    if (peer_bug(p, BUG_LCP_NAK_LOOP)) {
        uint16_t mru = (uint16_t)(1000 + ppp->naks++ % 2 * 100);
        uint8_t nak[4] = {OPT_MRU, 4, (uint8_t)(mru >> 8), (uint8_t)mru};

        peer_ppp_send(p, t, PROTO_LCP, CONF_NAK, id, SPAN_ARRAY(nak), now);
        return;
    }
    ppp->client_pfc = pfc;
    ppp->client_acfc = acfc;
    ppp->lcp_theirs_acked = true;
    peer_ppp_send(p, t, PROTO_LCP, CONF_ACK, id, data, now);
    if (lcp_open(ppp))
        lcp_opened(p, t, now);
}

static unsigned asked_method(struct span whole)
{
    if (whole.n >= 4 && whole.p[2] == 0xc0 && whole.p[3] == 0x23)
        return PEER_AUTH_PAP;
    if (whole.n >= 5 && whole.p[2] == 0xc2 && whole.p[3] == 0x23)
        return whole.p[4] == 0x81 ? PEER_AUTH_MSCHAPV2
               : whole.p[4] == 5  ? PEER_AUTH_CHAP_MD5
                                  : PEER_AUTH_NONE;
    return PEER_AUTH_NONE;
}

/* SoftEther goes down its list whatever was asked for; others take what they also allow. */
static void auth_naked(struct peer *p, struct tunnel *t, struct span whole, l2tpc_us now)
{
    struct ppp_peer *ppp = &t->ppp;

    if (p->config.flavour == PEER_SOFTETHER) {
        if (ppp->auth_at + 1 < p->config.n_auth)
            ppp->auth_at++;
        else
            peer_ppp_end(p, t, "authentication", now);
        return;
    }
    for (unsigned i = 0; i < p->config.n_auth; i++)
        if ((unsigned)p->config.auth[i] == asked_method(whole))
            ppp->auth_at = i;
    if (++ppp->naks > 10)
        peer_ppp_end(p, t, "peer refused to authenticate", now);
}

static void recv_lcp_answer(struct peer *p, struct tunnel *t, uint8_t code, uint8_t id,
                            struct span data, l2tpc_us now)
{
    struct ppp_peer *ppp = &t->ppp;
    struct rd r = rd_of(data);
    struct span whole;
    uint8_t type;

    if (id != ppp->lcp_id || ppp->lcp_ours_acked)
        return;
    if (code == CONF_ACK) {
        if (method(p, ppp) == PEER_AUTH_EAP) {
            peer_complain(p, "EAP was acknowledged");
            peer_ppp_end(p, t, "EAP", now);
            return;
        }
        ppp->lcp_ours_acked = true;
        ppp->due[DUE_LCP_REQ] = US_NEVER;
        if (lcp_open(ppp))
            lcp_opened(p, t, now);
        return;
    }
    while (next_option(p, &r, &type, &whole) && !ppp->ended) {
        if (type == OPT_AUTH && code == CONF_REJ)
            peer_ppp_end(p, t, "peer refused to authenticate", now);
        else if (type == OPT_AUTH)
            auth_naked(p, t, whole, now);
        else if (code == CONF_REJ && type < 32)
            ppp->lcp_options &= ~(1u << type);
    }
    if (!ppp->ended)
        lcp_ask_again(p, t, now);
}

static void recv_echo(struct peer *p, struct tunnel *t, uint8_t id, struct span data, l2tpc_us now)
{
    uint8_t b[2048];

    if (data.n < 4 || data.n > sizeof(b) || !lcp_open(&t->ppp))
        return;
    if (p->config.longest_echo && data.n + 4 > p->config.longest_echo)
        return;
    p->facts.longest_echo = data.n + 4 > p->facts.longest_echo ? data.n + 4 : p->facts.longest_echo;
    memcpy(b, data.p, data.n);
    memset(b, 0, 4);
    if (wants(&t->ppp, OPT_MAGIC)) {
        b[0] = (uint8_t)(t->ppp.magic >> 24);
        b[1] = (uint8_t)(t->ppp.magic >> 16);
        b[2] = (uint8_t)(t->ppp.magic >> 8);
        b[3] = (uint8_t)t->ppp.magic;
    }
    peer_ppp_send(p, t, PROTO_LCP, ECHO_REP, id, span_of(b, data.n), now);
}

static void recv_lcp(struct peer *p, struct tunnel *t, uint8_t code, uint8_t id, struct span data,
                     l2tpc_us now)
{
    struct ppp_peer *ppp = &t->ppp;

    switch (code) {
    case CONF_REQ:
        recv_lcp_req(p, t, id, data, now);
        break;
    case CONF_ACK:
    case CONF_NAK:
    case CONF_REJ:
        recv_lcp_answer(p, t, code, id, data, now);
        break;
    case TERM_REQ:
        p->facts.terminates++;
        ppp->ended = true;
        ppp->ip_up = false;
        peer_ppp_send(p, t, PROTO_LCP, TERM_ACK, id, SPAN_NONE, now);
        if (p->config.flavour == PEER_PPPD)
            peer_l2tp_send_cdn(p, t, 1, 0, NULL, now);
        break;
    case ECHO_REQ:
        recv_echo(p, t, id, data, now);
        break;
    case ECHO_REP:
        p->facts.lcp_echo_replies += id == ppp->echo_id;
        break;
    case PROTO_REJ:
        p->facts.protocol_rejects++;
        break;
    case CODE_REJ:
        peer_complain(p, "Code-Reject");
        break;
    default:
        break;
    }
}

/* Protocol and information field; our client always sends FF 03 and two bytes of protocol. */
static bool read_frame(struct peer *p, struct span frame, uint16_t *protocol, struct span *info)
{
    struct rd r = rd_of(frame);
    uint16_t head;

    if (!rd_u16(&r, &head) || head != 0xff03 || !rd_u16(&r, protocol)) {
        peer_complain(p, "PPP frame of %zu bytes without FF 03", frame.n);
        return false;
    }
    *info = rd_rest(&r);
    return true;
}

static void recv_unknown(struct peer *p, struct tunnel *t, uint16_t protocol, struct span info,
                         l2tpc_us now)
{
    uint8_t b[258] = {(uint8_t)(protocol >> 8), (uint8_t)protocol};
    size_t n = info.n < 256 ? info.n : 256;

    if (!lcp_open(&t->ppp))
        return;
    memcpy(b + 2, info.p, n);
    peer_ppp_send(p, t, PROTO_LCP, PROTO_REJ, t->ppp.id++, span_of(b, 2 + n), now);
}

static void recv_packet(struct peer *p, struct tunnel *t, uint16_t protocol, struct span info,
                        l2tpc_us now)
{
    struct rd r = rd_of(info);
    uint8_t code, id;
    uint16_t length;
    struct span data;

    if (!rd_u8(&r, &code) || !rd_u8(&r, &id) || !rd_u16(&r, &length) || length < 4 ||
        !rd_bytes(&r, length - 4u, &data)) {
        peer_complain(p, "malformed PPP packet of protocol %04x", protocol);
        return;
    }
    if (protocol == PROTO_LCP && !peer_silent(p, STAGE_PPP_LCP))
        recv_lcp(p, t, code, id, data, now);
    else if (!lcp_open(&t->ppp))
        return;
    else if (protocol == PROTO_PAP && !peer_silent(p, STAGE_PPP_AUTH))
        peer_recv_pap(p, t, code, id, data, now);
    else if (protocol == PROTO_CHAP && !peer_silent(p, STAGE_PPP_AUTH))
        peer_recv_chap(p, t, code, id, data, now);
    else if (protocol == PROTO_IPCP && !peer_silent(p, STAGE_PPP_IP))
        peer_recv_ipcp(p, t, code, id, data, now);
}

void peer_ppp_input(struct peer *p, struct tunnel *t, struct span frame, l2tpc_us now)
{
    uint16_t protocol;
    struct span info;

    if (!t->ppp.on || now < t->ppp.attached_at || !read_frame(p, frame, &protocol, &info))
        return;
    switch (protocol) {
    case PROTO_IP:
        peer_recv_ip(p, t, info, now);
        break;
    case PROTO_LCP:
    case PROTO_PAP:
    case PROTO_CHAP:
    case PROTO_IPCP:
        if (!t->ppp.ended || protocol == PROTO_LCP)
            recv_packet(p, t, protocol, info, now);
        break;
    default:
        recv_unknown(p, t, protocol, info, now);
        break;
    }
}

static void send_echo(struct peer *p, struct tunnel *t, l2tpc_us now)
{
    uint8_t b[16] = {0};

    if (wants(&t->ppp, OPT_MAGIC)) {
        b[0] = (uint8_t)(t->ppp.magic >> 24);
        b[1] = (uint8_t)(t->ppp.magic >> 16);
        b[2] = (uint8_t)(t->ppp.magic >> 8);
        b[3] = (uint8_t)t->ppp.magic;
    }
    t->ppp.echo_id = t->ppp.id++;
    peer_ppp_send(p, t, PROTO_LCP, ECHO_REQ, t->ppp.echo_id, SPAN_ARRAY(b), now);
}

void peer_ppp_timer(struct peer *p, struct tunnel *t, l2tpc_us now)
{
    struct ppp_peer *ppp = &t->ppp;

    if (ppp->due[DUE_LCP_REQ] <= now && !ppp->ended)
        send_lcp_req(p, t, now);
    if (ppp->due[DUE_AUTH] <= now)
        peer_auth_challenge(p, t, now);
    if (ppp->due[DUE_IPCP_REQ] <= now)
        peer_ipcp_request(p, t, now);
    if (ppp->due[DUE_IPCP_ANSWER] <= now)
        peer_ipcp_answer(p, t, now);
    if (ppp->due[DUE_ECHO] <= now) {
        ppp->due[DUE_ECHO] = p->config.echo ? us_add(now, p->config.echo) : US_NEVER;
        if (!peer_silent(p, STAGE_UP) && (lcp_open(ppp) || p->config.flavour == PEER_SOFTETHER))
            send_echo(p, t, now);
    }
}

l2tpc_us peer_ppp_deadline(const struct ppp_peer *ppp)
{
    l2tpc_us d = US_NEVER;

    for (size_t i = 0; i < DUE_KINDS; i++)
        d = us_min(d, ppp->due[i]);
    return d;
}

void peer_terminate(struct peer *p, const char *text, l2tpc_us now)
{
    struct tunnel *t = peer_tunnel_newest(p);

    if (t && t->ppp.on)
        peer_ppp_end(p, t, text ? text : "", now);
}

void peer_lcp_echo(struct peer *p, l2tpc_us now)
{
    struct tunnel *t = peer_tunnel_newest(p);

    if (t && t->ppp.on)
        send_echo(p, t, now);
}

void peer_lcp_reopen(struct peer *p, l2tpc_us now)
{
    struct tunnel *t = peer_tunnel_newest(p);

    if (t && t->ppp.on)
        reopen(p, t, now);
}

void peer_send_ip(struct peer *p, struct span packet, l2tpc_us now)
{
    struct tunnel *t = peer_tunnel_newest(p);

    if (t && t->ppp.on)
        peer_ppp_frame(p, t, PROTO_IP, packet, now);
}
