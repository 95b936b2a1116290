/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* LCP: our two options, the peer's, and the packets of the link itself (RFC 1661 section 5). */
#include "ppp/engine.h"
#include "wire/rd.h"

#include <string.h>

#define LCP_FIRST_ID 1 /* cp_init() begins with 0 */

bool lcp_new_magic(struct ppp *p)
{
    uint32_t magic;

    if (!env_rand_u32(p->config.env, &magic)) {
        ppp_fail(p, failure_make(FAILURE_LOCAL_RANDOM));
        return false;
    }
    p->lcp.magic = magic ? magic : 1;
    return true;
}

void lcp_init(struct ppp *p)
{
    cp_init(&p->lcp.cp, &lcp_ops, p);
    p->lcp.mru = p->config.mru;
}

static void lcp_build(struct ppp *p, struct wr *w)
{
    if (p->lcp.mru != 0) {
        wr_u8(w, LCP_MRU);
        wr_u8(w, 4);
        wr_u16(w, p->lcp.mru);
    }
    if (p->lcp.magic != 0) {
        wr_u8(w, LCP_MAGIC);
        wr_u8(w, 6);
        wr_u32(w, p->lcp.magic);
    }
}

static void lcp_begin(struct ppp *p)
{
    p->lcp.offered = (struct lcp_peer){.mru = PPP_MRU_DEFAULT};
}

static void lcp_accept(struct ppp *p)
{
    p->lcp.agreed = p->lcp.offered;
}

static void lcp_naked(struct ppp *p, uint8_t type, struct span value)
{
    struct rd r = rd_of(value);
    uint16_t mru;

    if (type == LCP_MAGIC) {
        (void)lcp_new_magic(p);
    } else if (type == LCP_MRU && rd_u16(&r, &mru)) {
        if (mru >= PPP_MRU_MIN && mru <= PPP_MRU_MAX)
            p->lcp.mru = mru;
    }
}

static void lcp_rejected(struct ppp *p, uint8_t type)
{
    if (type == LCP_MRU)
        p->lcp.mru = 0;
    else if (type == LCP_MAGIC)
        p->lcp.magic = 0;
}

static void lcp_up(struct ppp *p)
{
    p->facts.mru = p->lcp.mru ? p->lcp.mru : PPP_MRU_DEFAULT;
    p->facts.peer_mru = p->lcp.agreed.mru;
    p->facts.pfc = p->lcp.agreed.pfc;
    p->facts.lcp_up = true;
    ppp_lcp_up(p);
}

static void lcp_down(struct ppp *p)
{
    p->facts.lcp_up = false;
    p->facts.peer_mru = PPP_MRU_DEFAULT;
    ppp_lcp_down(p);
}

static void lcp_finished(struct ppp *p)
{
    if (p->phase == PHASE_CLOSING)
        ppp_closed(p);
    else
        ppp_fail(p, failure_timeout(FAILURE_PPP_LCP_NO_ANSWER, cp_waits_for(&p->lcp.cp),
                                    p->lcp.cp.sends));
}

static void lcp_disagreed(struct ppp *p, const char *what)
{
    if (p->lcp.refused[0])
        ppp_fail_value(p, FAILURE_PPP_AUTH_WEAK, p->lcp.refused);
    else
        ppp_fail_value(p, FAILURE_PPP_LCP_FAILED, what);
}

static enum verdict recv_protocol_reject(struct ppp *p, struct span raw)
{
    struct rd r = rd_of(raw);
    uint16_t protocol;

    /* 5.7: in any other state silently discarded. */
    if (p->lcp.cp.state != CP_OPENED || !rd_u16(&r, &protocol))
        return VERDICT_DROP;
    if (protocol == PROTO_LCP) {
        ppp_fail_value(p, FAILURE_PPP_LCP_FAILED, "Protocol-Reject of LCP");
    } else if (protocol == PROTO_IPCP && p->ipcp.cp.state > CP_STARTING) {
        ppp_fail_value(p, FAILURE_PPP_IP_REFUSED, "Protocol-Reject of IPCP");
    } else if (p->phase == PHASE_AUTHENTICATE && p->auth->method &&
               protocol == p->auth->method->protocol) {
        struct failure f = failure_make(FAILURE_PPP_AUTH_FAILED);

        failure_set_peer_text(&f, span_str("Protocol-Reject"));
        ppp_fail(p, f);
    } else {
        return cp_event(&p->lcp.cp, CP_RXJ_PLUS) ? VERDICT_OK : VERDICT_DROP;
    }
    return VERDICT_FATAL;
}

static enum verdict lcp_extra(struct ppp *p, uint8_t code, uint8_t id, struct span raw)
{
    if (code == CODE_PROTOCOL_REJECT)
        return recv_protocol_reject(p, raw);
    if (p->lcp.cp.state != CP_OPENED) {
        if (code == CODE_ECHO_REQUEST)
            p->facts.early_echoes++;
        return VERDICT_DROP;
    }
    (void)cp_event(&p->lcp.cp, CP_RXR);
    if (code == CODE_ECHO_REQUEST)
        echo_recv_request(p, id, raw);
    else if (code == CODE_ECHO_REPLY)
        echo_recv_reply(p, id, raw);
    return VERDICT_OK;
}

/*
 * The first Configure-Request of a peer tells that it is there now, and that it may have missed
 * ours: repeat it, if nothing has come of it yet. Before our Ack, because a peer that opens first
 * would take the repetition for a new start.
 */
enum verdict lcp_input(struct ppp *p, struct span packet)
{
    struct cp *cp = &p->lcp.cp;
    struct rd r = rd_of(packet);
    uint8_t code;

    p->lcp.heard = true;
    if (!p->lcp.repeated && rd_u8(&r, &code) && code == CODE_CONFIGURE_REQUEST) {
        p->lcp.repeated = true;
        if (cp->state == CP_REQ_SENT && cp->id == LCP_FIRST_ID)
            cp_resend_request(cp);
    }
    return cp_input(cp, packet);
}

/* At most one reject a second, of any kind, whatever the peer sends (hostile.md H61). */
static bool reject_is_due(struct ppp *p)
{
    if (p->now < p->lcp.reject_at)
        return false;
    p->lcp.reject_at = us_add(p->now, PPP_REJECT_GAP);
    p->lcp.reject_id++;
    return true;
}

void lcp_send_code_reject(struct ppp *p, const struct cp *cp, struct span packet)
{
    size_t cap = ppp_body_cap(p);

    if (reject_is_due(p))
        ppp_send(p, cp->ops->protocol, CODE_CODE_REJECT, p->lcp.reject_id,
                 span_of(packet.p, packet.n < cap ? packet.n : cap));
}

void lcp_send_protocol_reject(struct ppp *p, uint16_t protocol, struct span info)
{
    uint8_t room[PPP_MRU_MAX];
    struct wr w = wr_of(room, ppp_body_cap(p));
    struct span body;

    if (p->lcp.cp.state != CP_OPENED || !reject_is_due(p))
        return;
    wr_u16(&w, protocol);
    wr_bytes(&w, span_of(info.p, info.n < w.cap - w.n ? info.n : w.cap - w.n));
    if (!wr_finish(&w, &body))
        return;
    p->facts.protocol_rejects++;
    ppp_send(p, PROTO_LCP, CODE_PROTOCOL_REJECT, p->lcp.reject_id, body);
}

const struct cp_ops lcp_ops = {
    .protocol = PROTO_LCP,
    .name = "LCP",
    .is_lcp = true,
    .build = lcp_build,
    .begin = lcp_begin,
    .judge = lcp_judge,
    .accept = lcp_accept,
    .naked = lcp_naked,
    .rejected = lcp_rejected,
    .up = lcp_up,
    .down = lcp_down,
    .finished = lcp_finished,
    .disagreed = lcp_disagreed,
    .terminated = ppp_terminated,
    .extra = lcp_extra,
};
