/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* IPCP with addresses and name servers (RFC 1332, RFC 1877), and a host that answers pings. */
#include "peer_i.h"

#define CONF_REQ 1
#define CONF_ACK 2
#define CONF_NAK 3
#define CONF_REJ 4
#define TERM_REQ 5
#define TERM_ACK 6

enum {
    OPT_ADDRESS = 3,
    OPT_DNS1 = 129,
    OPT_DNS2 = 131,
};

void peer_ipcp_request(struct peer *p, struct tunnel *t, l2tpc_us now)
{
    struct ppp_peer *ppp = &t->ppp;
    uint8_t b[6] = {OPT_ADDRESS, 6};

    if (ppp->ipcp_ours_acked || ppp->ended) {
        ppp->due[DUE_IPCP_REQ] = US_NEVER;
        return;
    }
    if (ppp->ipcp_id == 0)
        ppp->ipcp_id = ppp->id++;
    memcpy(b + 2, p->config.server_ip.bytes, 4);
    ppp->due[DUE_IPCP_REQ] = us_add(now, p->config.flavour == PEER_PLAIN ? US_S(1) : US_S(3));
    if (!peer_silent(p, STAGE_PPP_IP))
        peer_ppp_send(p, t, PROTO_IPCP, CONF_REQ, ppp->ipcp_id, SPAN_ARRAY(b), now);
}

static struct inaddr wanted_value(const struct peer *p, uint8_t type)
{
    if (type == OPT_ADDRESS)
        return peer_bug(p, BUG_IPCP_LOOPBACK) ? inaddr_v4(0x7f000001) : p->config.client_ip;
    if (type == OPT_DNS1)
        return p->config.dns[0];
    if (type == OPT_DNS2)
        return p->config.dns[1];
    return (struct inaddr){0};
}

static void opened(struct ppp_peer *ppp)
{
    ppp->ip_up = ppp->ipcp_ours_acked && ppp->ipcp_theirs_acked;
}

void peer_ipcp_answer(struct peer *p, struct tunnel *t, l2tpc_us now)
{
    struct ppp_peer *ppp = &t->ppp;
    struct span data = span_of(ppp->ipcp_req + 1, ppp->ipcp_req_n - 1), value, nak, rej;
    struct rd r = rd_of(data);
    uint8_t id = ppp->ipcp_req[0], type, length, nak_b[256], rej_b[256];
    struct wr nw = wr_of(nak_b, sizeof(nak_b)), rw = wr_of(rej_b, sizeof(rej_b));

    ppp->due[DUE_IPCP_ANSWER] = US_NEVER;
    while (!rd_end(&r)) {
        struct inaddr want;

        if (!rd_u8(&r, &type) || !rd_u8(&r, &length) || length < 2 ||
            !rd_bytes(&r, length - 2u, &value)) {
            peer_complain(p, "malformed IPCP options");
            return;
        }
        want = wanted_value(p, type);
        if (want.family != 4 || value.n != 4 || peer_bug(p, BUG_IPCP_REJECT_ALL)) {
            wr_u8(&rw, type);
            wr_u8(&rw, length);
            wr_bytes(&rw, value);
        } else if (memcmp(value.p, want.bytes, 4) != 0) {
            wr_u8(&nw, type);
            wr_u8(&nw, length);
            wr_bytes(&nw, span_of(want.bytes, 4));
        }
    }
    if (!wr_finish(&nw, &nak) || !wr_finish(&rw, &rej))
        return;
    if (rej.n || nak.n) {
        ppp->ipcp_theirs_acked = false;
        peer_ppp_send(p, t, PROTO_IPCP, rej.n ? CONF_REJ : CONF_NAK, id, rej.n ? rej : nak, now);
        return;
    }
    ppp->ipcp_theirs_acked = true;
    peer_ppp_send(p, t, PROTO_IPCP, CONF_ACK, id, data, now);
    opened(ppp);
}

void peer_recv_ipcp(struct peer *p, struct tunnel *t, uint8_t code, uint8_t id, struct span data,
                    l2tpc_us now)
{
    struct ppp_peer *ppp = &t->ppp;

    if (!ppp->authenticated) {
        peer_complain(p, "IPCP before the authentication has ended");
        return;
    }
    switch (code) {
    case CONF_REQ:
        if (data.n + 1 > sizeof(ppp->ipcp_req))
            return;
        if (ppp->ipcp_theirs_acked && ppp->ip_up)
            ppp->ip_up = false;
        ppp->ipcp_req[0] = id;
        if (data.n)
            memcpy(ppp->ipcp_req + 1, data.p, data.n);
        ppp->ipcp_req_n = data.n + 1;
        if (p->config.flavour == PEER_SOFTETHER && ppp->due[DUE_IPCP_REQ] != US_NEVER &&
            !ppp->ipcp_id)
            ppp->due[DUE_IPCP_ANSWER] = ppp->due[DUE_IPCP_REQ];
        else
            peer_ipcp_answer(p, t, now);
        break;
    case CONF_ACK:
        if (id != ppp->ipcp_id)
            return;
        ppp->ipcp_ours_acked = true;
        ppp->due[DUE_IPCP_REQ] = US_NEVER;
        opened(ppp);
        break;
    case CONF_NAK:
    case CONF_REJ:
        if (id == ppp->ipcp_id)
            peer_ppp_end(p, t, "address refused", now);
        break;
    case TERM_REQ:
        ppp->ip_up = false;
        peer_ppp_send(p, t, PROTO_IPCP, TERM_ACK, id, SPAN_NONE, now);
        break;
    default:
        break;
    }
}

static uint16_t ip_sum(struct span s)
{
    uint32_t sum = 0;

    for (size_t i = 0; i < s.n; i++)
        sum += i % 2 ? s.p[i] : (uint32_t)s.p[i] << 8;
    while (sum >> 16)
        sum = (sum & 0xffff) + (sum >> 16);
    return (uint16_t)~sum;
}

/* An echo request to anywhere is answered, so that data can be proven. */
void peer_recv_ip(struct peer *p, struct tunnel *t, struct span packet, l2tpc_us now)
{
    uint8_t b[2048];
    size_t head, n;
    uint16_t sum;

    if (!t->ppp.ip_up) {
        /* A server that has just acknowledged may be behind the client by one lost packet. */
        if (!t->ppp.ipcp_theirs_acked)
            peer_complain(p, "IP before IPCP is open");
        return;
    }
    if (packet.n < 20 || packet.n > sizeof(b) || packet.p[0] >> 4 != 4)
        return;
    p->facts.ip_in++;
    if (memcmp(packet.p + 12, p->config.client_ip.bytes, 4) != 0)
        peer_complain(p, "inner source address is not the one we gave");
    head = (size_t)(packet.p[0] & 15) * 4;
    n = (size_t)packet.p[2] << 8 | packet.p[3];
    if (peer_bug(p, BUG_ESP_DELETE_MIDLIFE) && p->facts.ip_in == 3)
        peer_delete_esp(p, now);
    if (head == 20 && n == packet.n && n > 28 && packet.p[9] == 17 && packet.p[22] == 0 &&
        packet.p[23] == 67) {
        peer_recv_dhcp(p, t, packet, now);
        return;
    }
    if (head < 20 || n > packet.n || n < head + 8 || packet.p[9] != 1 || packet.p[head] != 8)
        return;
    if (ip_sum(span_of(packet.p, head)) != 0 || ip_sum(span_of(packet.p + head, n - head)) != 0) {
        peer_complain(p, "inner IP or ICMP checksum");
        return;
    }
    memcpy(b, packet.p, n);
    memcpy(b + 12, packet.p + 16, 4);
    memcpy(b + 16, packet.p + 12, 4);
    b[head] = 0;
    b[head + 2] = b[head + 3] = 0;
    sum = ip_sum(span_of(b + head, n - head));
    b[head + 2] = (uint8_t)(sum >> 8);
    b[head + 3] = (uint8_t)sum;
    p->facts.ip_echoed++;
    peer_ppp_frame(p, t, PROTO_IP, span_of(b, n), now);
}
