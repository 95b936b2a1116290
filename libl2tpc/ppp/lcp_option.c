/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What we think of each LCP option of the peer (RFC 1661 section 6, hostile.md H66, H68). */
#include "ppp/engine.h"
#include "wire/rd.h"

#include <stdio.h>
#include <string.h>

static const struct ppp_method methods[] = {
#define PPP_METHOD(auth, protocol, algorithm, name) {auth, protocol, algorithm, name},
#include "ppp/option.def"
};

static enum cp_opinion lcp_judge_accept(struct ppp *p, struct span value, struct wr *w_nak)
{
    (void)p;
    (void)value;
    (void)w_nak;
    return CP_ACK;
}

static enum cp_opinion lcp_judge_reject(struct ppp *p, struct span value, struct wr *w_nak)
{
    (void)p;
    (void)value;
    (void)w_nak;
    return CP_REJECT;
}

static enum cp_opinion lcp_judge_mru(struct ppp *p, struct span value, struct wr *w_nak)
{
    struct rd r = rd_of(value);
    uint16_t mru;

    if (!rd_u16(&r, &mru))
        return CP_REJECT;
    if (mru >= PPP_MRU_MIN && mru <= PPP_MRU_MAX) {
        p->lcp.offered.mru = mru;
        return CP_ACK;
    }
    wr_u8(w_nak, LCP_MRU);
    wr_u8(w_nak, 4);
    wr_u16(w_nak, PPP_MRU_DEFAULT);
    return CP_NAK;
}

static enum cp_opinion lcp_judge_magic(struct ppp *p, struct span value, struct wr *w_nak)
{
    struct rd r = rd_of(value);
    uint32_t magic;

    if (!rd_u32(&r, &magic))
        return CP_REJECT;
    if (magic != 0 && magic == p->lcp.magic) {
        ppp_fail(p, failure_make(FAILURE_PPP_LCP_LOOPBACK));
        return CP_REJECT;
    }
    if (magic != 0)
        return CP_ACK;
    /* 6.4: zero is illegal. Any other number but ours will do. */
    wr_u8(w_nak, LCP_MAGIC);
    wr_u8(w_nak, 6);
    wr_u32(w_nak, ~p->lcp.magic ? ~p->lcp.magic : 1);
    return CP_NAK;
}

static enum cp_opinion lcp_judge_pfc(struct ppp *p, struct span value, struct wr *w_nak)
{
    (void)value;
    (void)w_nak;
    p->lcp.offered.pfc = true;
    return CP_ACK;
}

static const struct ppp_method *find_method(struct span value)
{
    struct rd r = rd_of(value);
    uint16_t protocol;
    uint8_t algorithm = 0;

    if (!rd_u16(&r, &protocol))
        return NULL;
    if (protocol == PROTO_CHAP && !rd_u8(&r, &algorithm))
        return NULL;
    for (size_t i = 0; i < ARRAY_LEN(methods); i++)
        if (methods[i].protocol == protocol && methods[i].algorithm == algorithm)
            return &methods[i];
    return NULL;
}

/* The n-th allowed method, strongest first, beginning again at the end; NULL when none is. */
static const struct ppp_method *suggestion(const struct ppp *p, unsigned n)
{
    const struct ppp_method *allowed[ARRAY_LEN(methods)];
    unsigned count = 0;

    for (size_t i = 0; i < ARRAY_LEN(methods); i++)
        if (methods[i].auth & p->config.auth)
            allowed[count++] = &methods[i];
    return count > 0 ? allowed[n % count] : NULL;
}

static void remember_refused(struct ppp *p, const struct ppp_method *m, struct span value)
{
    struct rd r = rd_of(value);
    uint16_t protocol = 0;

    if (!m && !rd_u16(&r, &protocol))
        protocol = 0;
    if (m)
        (void)snprintf(p->lcp.refused, sizeof(p->lcp.refused), "%s", m->name);
    else
        (void)snprintf(p->lcp.refused, sizeof(p->lcp.refused), "0x%04x", protocol);
}

/*
 * A method that the profile does not allow is answered with one that it does: the strongest twice,
 * then the next one. A peer that comes back once more after all Naks and the Reject insists.
 */
static enum cp_opinion lcp_judge_auth(struct ppp *p, struct span value, struct wr *w_nak)
{
    struct lcp *lcp = &p->lcp;
    const struct ppp_method *m = find_method(value);
    const struct ppp_method *better;
    unsigned n;

    if (m && (m->auth & p->config.auth)) {
        lcp->offered.method = m;
        lcp->refused[0] = '\0';
        return CP_ACK;
    }
    remember_refused(p, m, value);
    if (lcp->auth_rejected) {
        if (!lcp->cp.repeated)
            ppp_fail_value(p, FAILURE_PPP_AUTH_WEAK, lcp->refused);
        return CP_REJECT;
    }
    /* A repetition has lost our last Nak: the same again. */
    n = lcp->cp.repeated && lcp->cp.naks > 0 ? lcp->cp.naks - 1 : lcp->cp.naks;
    better = suggestion(p, n / 2);
    if (!better || n >= PPP_NAKS_MAX) {
        lcp->auth_rejected = true;
        return CP_REJECT;
    }
    wr_u8(w_nak, LCP_AUTH);
    wr_u8(w_nak, better->protocol == PROTO_CHAP ? 5 : 4);
    wr_u16(w_nak, better->protocol);
    if (better->protocol == PROTO_CHAP)
        wr_u8(w_nak, better->algorithm);
    return CP_NAK;
}

static const struct {
    uint8_t type;
    uint8_t length;
    enum cp_opinion (*judge)(struct ppp *p, struct span value, struct wr *w_nak);
} rows[] = {
#define LCP_OPTION(id, number, name, length, judge) {number, length, lcp_judge_##judge},
#include "ppp/option.def"
};

enum cp_opinion lcp_judge(struct ppp *p, uint8_t type, struct span value, struct wr *w_nak)
{
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        if (rows[i].type != type)
            continue;
        if (rows[i].length != 0 && rows[i].length != value.n + 2)
            return CP_REJECT;
        return rows[i].judge(p, value, w_nak);
    }
    return CP_REJECT;
}
