/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Informational exchanges: notifies, Delete, dead peer detection (RFC 2409 5.7, RFC 3706). */
#include "peer_i.h"

#define NOTIFY_R_U_THERE 36136
#define NOTIFY_R_U_THERE_ACK 36137

/* One payload under a fresh message id, behind its HASH. */
static void send_info(struct peer *p, struct ike_sa *sa, uint8_t type, struct span body)
{
    size_t n = hash_size(sa->suite.hash);
    uint32_t msgid = peer_rand_u32(p) | 1;
    uint8_t id[4] = {(uint8_t)(msgid >> 24), (uint8_t)(msgid >> 16), (uint8_t)(msgid >> 8),
                     (uint8_t)msgid};
    uint8_t h[HASH_MAX], iv[16];
    struct build b;
    struct span out, parts[2];
    size_t at;

    peer_build_start(&b, sa, EXCH_INFO, ISAKMP_E, msgid);
    at = peer_build_hash_room(&b, n);
    peer_build_payload(&b, type, body);
    parts[0] = SPAN_ARRAY(id);
    parts[1] = span_of(b.bytes + at + n, b.w.n - at - n);
    if (b.w.failed || !peer_ike_prf(p, sa->suite.hash, span_of(sa->skeyid_a, n), parts, 2, h))
        return;
    memcpy(b.bytes + at, h, n);
    peer_ike_phase2_iv(p, sa, msgid, iv);
    if (peer_build_seal(p, &b, sa, iv, &out))
        peer_ike_send(p, sa, out);
}

void peer_send_notify(struct peer *p, struct ike_sa *sa, uint8_t protocol, struct span spi,
                      uint16_t type, struct span data)
{
    uint8_t body[64];
    struct wr w = wr_of(body, sizeof(body));
    struct span out;

    wr_u32(&w, 1);
    wr_u8(&w, protocol);
    wr_u8(&w, (uint8_t)spi.n);
    wr_u16(&w, type);
    wr_bytes(&w, spi);
    wr_bytes(&w, data);
    if (wr_finish(&w, &out))
        send_info(p, sa, PL_N, out);
}

void peer_send_clear_notify(struct peer *p, const struct ike_sa *sa, uint16_t type)
{
    uint8_t d[PEER_MESSAGE_MAX + 4] = {0};
    struct build b;
    struct span out;
    struct wr_box box;

    peer_build_start(&b, sa, EXCH_INFO, 0, peer_rand_u32(p) | 1);
    box = peer_build_open(&b, PL_N);
    wr_u32(&b.w, 1);
    wr_u8(&b.w, 1);
    wr_u8(&b.w, 0);
    wr_u16(&b.w, type);
    wr_close(&b.w, box);
    if (!peer_build_done(&b, &out) || out.n > PEER_MESSAGE_MAX)
        return;
    memcpy(d + 4, out.p, out.n);
    peer_send(p, sa->port, &sa->to, sa->port == PEER_UDP500 ? out : span_of(d, out.n + 4));
}

void peer_send_delete_esp(struct peer *p, struct ike_sa *sa, uint32_t spi)
{
    uint8_t body[12] = {0,
                        0,
                        0,
                        1,
                        3,
                        4,
                        0,
                        1,
                        (uint8_t)(spi >> 24),
                        (uint8_t)(spi >> 16),
                        (uint8_t)(spi >> 8),
                        (uint8_t)spi};

    send_info(p, sa, PL_D, SPAN_ARRAY(body));
}

void peer_send_delete_ike(struct peer *p, struct ike_sa *sa)
{
    uint8_t body[24] = {0, 0, 0, 1, 1, 16, 0, 1};

    memcpy(body + 8, sa->cky_i, 8);
    memcpy(body + 16, sa->cky_r, 8);
    send_info(p, sa, PL_D, SPAN_ARRAY(body));
}

static void send_dpd_notify(struct peer *p, struct ike_sa *sa, uint16_t type, uint32_t seq)
{
    uint8_t spi[16],
        data[4] = {(uint8_t)(seq >> 24), (uint8_t)(seq >> 16), (uint8_t)(seq >> 8), (uint8_t)seq};

    memcpy(spi, sa->cky_i, 8);
    memcpy(spi + 8, sa->cky_r, 8);
    peer_send_notify(p, sa, 1, SPAN_ARRAY(spi), type, SPAN_ARRAY(data));
}

void peer_send_dpd(struct peer *p, struct ike_sa *sa)
{
    if (sa->dpd_seq_out == 0)
        sa->dpd_seq_out = peer_rand_u32(p) & 0x7fffffff;
    send_dpd_notify(p, sa, NOTIFY_R_U_THERE, ++sa->dpd_seq_out);
}

static void recv_notify(struct peer *p, struct ike_sa *sa, struct span body)
{
    struct rd r = rd_of(body);
    struct span spi;
    uint32_t doi, seq;
    uint8_t protocol, spi_n;
    uint16_t type;

    if (!rd_u32(&r, &doi) || !rd_u8(&r, &protocol) || !rd_u8(&r, &spi_n) || !rd_u16(&r, &type) ||
        !rd_bytes(&r, spi_n, &spi) || doi != 1) {
        peer_complain(p, "malformed notify");
        return;
    }
    if (type != NOTIFY_R_U_THERE && type != NOTIFY_R_U_THERE_ACK)
        return;
    if (spi.n != 16 || memcmp(spi.p, sa->cky_i, 8) != 0 || memcmp(spi.p + 8, sa->cky_r, 8) != 0 ||
        !rd_u32(&r, &seq) || !rd_end(&r)) {
        peer_complain(p, "DPD notify: cookies or length");
        return;
    }
    if (type == NOTIFY_R_U_THERE) {
        p->facts.dpd_probes++;
        if (seq < sa->dpd_seq_in)
            peer_complain(p, "DPD sequence fell");
        sa->dpd_seq_in = seq;
        send_dpd_notify(p, sa, NOTIFY_R_U_THERE_ACK, seq);
    } else if (seq == sa->dpd_seq_out) {
        p->facts.dpd_answers++;
    } else {
        peer_complain(p, "DPD answer with another sequence");
    }
}

static void delete_esp(struct peer *p, struct ike_sa *sa, uint32_t spi, l2tpc_us now)
{
    struct esp_pair *e = peer_esp_by_spi_out(p, spi);

    if (!e)
        return;
    p->facts.deletes_esp++;
    p->last_pair = *e;
    memset(e, 0, sizeof(*e));
    if (p->config.flavour == PEER_SOFTETHER)
        sa->quick_due = us_add(now, US_S(1)); /* it makes a new pair while the IKE SA lives */
}

static void recv_delete(struct peer *p, struct ike_sa *sa, struct span body, l2tpc_us now)
{
    struct rd r = rd_of(body);
    uint32_t doi, spi;
    uint8_t protocol, spi_n;
    uint16_t n;

    if (!rd_u32(&r, &doi) || !rd_u8(&r, &protocol) || !rd_u8(&r, &spi_n) || !rd_u16(&r, &n) ||
        rd_left(&r) != (size_t)spi_n * n || doi != 1 || (protocol == 3 && spi_n != 4) ||
        (protocol == 1 && spi_n != 16)) {
        peer_complain(p, "malformed Delete");
        return;
    }
    if (protocol == 1) {
        p->facts.deletes_ike++;
        sa->state = IKE_DEAD;
        sa->dead_at = us_add(now, US_S(30));
        return;
    }
    while (rd_u32(&r, &spi))
        delete_esp(p, sa, spi, now);
}

void peer_recv_info(struct peer *p, struct ike_sa *sa, const struct isakmp *m, l2tpc_us now)
{
    uint8_t plain[PEER_MESSAGE_MAX], iv[16], h[HASH_MAX];
    uint8_t id[4] = {(uint8_t)(m->msgid >> 24), (uint8_t)(m->msgid >> 16), (uint8_t)(m->msgid >> 8),
                     (uint8_t)m->msgid};
    size_t n = hash_size(sa->suite.hash);
    struct span parts[2] = {SPAN_ARRAY(id)};
    struct chain c;

    peer_ike_phase2_iv(p, sa, m->msgid, iv);
    if (!peer_ike_decrypt(p, sa, iv, m->body, plain) ||
        !peer_chain_split(span_of(plain, m->body.n), m->next, &c) || c.n == 0 ||
        c.pl[0].type != PL_HASH) {
        peer_complain(p, "Informational: broken chain or no HASH in front");
        return;
    }
    parts[1] = span_of(plain + c.pl[0].whole.n, c.used - c.pl[0].whole.n);
    if (!peer_ike_prf(p, sa->suite.hash, span_of(sa->skeyid_a, n), parts, 2, h) ||
        !span_eq(c.pl[0].body, span_of(h, n))) {
        peer_complain(p, "Informational: HASH does not match");
        return;
    }
    peer_ike_proven(p, sa);
    for (size_t i = 1; i < c.n && sa->state == IKE_UP; i++) {
        if (c.pl[i].type == PL_N)
            recv_notify(p, sa, c.pl[i].body);
        else if (c.pl[i].type == PL_D)
            recv_delete(p, sa, c.pl[i].body, now);
    }
}

void peer_start_quick(struct peer *p, l2tpc_us now)
{
    struct ike_sa *sa = peer_ike_newest(p);

    if (sa)
        peer_quick_start(p, sa, now);
}

void peer_dpd_probe(struct peer *p, l2tpc_us now)
{
    struct ike_sa *sa = peer_ike_newest(p);

    (void)now;
    if (sa)
        peer_send_dpd(p, sa);
}

void peer_delete_esp(struct peer *p, l2tpc_us now)
{
    struct ike_sa *sa = peer_ike_newest(p);
    struct esp_pair *e = peer_esp_newest(p);

    if (!sa || !e)
        return;
    peer_send_delete_esp(p, sa, e->spi_in);
    if (p->config.flavour == PEER_SOFTETHER)
        sa->quick_due = us_add(now, US_S(1));
    p->last_pair = *e;
    memset(e, 0, sizeof(*e));
}

void peer_delete_ike(struct peer *p, l2tpc_us now)
{
    struct ike_sa *sa = peer_ike_newest(p);

    if (!sa)
        return;
    peer_send_delete_ike(p, sa);
    sa->state = IKE_DEAD;
    sa->dead_at = us_add(now, US_S(30));
}
