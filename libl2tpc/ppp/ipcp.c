/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* IPCP: an address (RFC 1332) and name servers (RFC 1877) for us, an address for the peer. */
#include "ppp/engine.h"
#include "wire/rd.h"

static const uint8_t dns_options[2] = {IPCP_DNS1, IPCP_DNS2};

void ipcp_init(struct ppp *p)
{
    cp_init(&p->ipcp.cp, &ipcp_ops, p);
    p->ipcp.address = inaddr_to_v4(&p->config.want_ip);
    p->ipcp.ask_address = true;
    p->ipcp.ask_dns[0] = p->ipcp.ask_dns[1] = p->config.want_dns;
}

void ipcp_start(struct ppp *p)
{
    if (p->ipcp.cp.state == CP_INITIAL)
        (void)cp_event(&p->ipcp.cp, CP_OPEN);
    (void)cp_event(&p->ipcp.cp, CP_UP);
}

/* A host's address: not 0/8, loopback, multicast or reserved (hostile.md H73). */
static bool is_usable(uint32_t address)
{
    uint32_t net = address >> 24;

    return net != 0 && net != 127 && net < 224;
}

static void fail_address(struct ppp *p, enum failure_id id, uint32_t address)
{
    char text[ADDR_TEXT_MAX];
    struct inaddr a = inaddr_v4(address);

    ppp_fail_value(p, id, inaddr_text(&a, text));
}

static void put_address(struct wr *w, uint8_t type, uint32_t address)
{
    wr_u8(w, type);
    wr_u8(w, 6);
    wr_u32(w, address);
}

static void ipcp_build(struct ppp *p, struct wr *w)
{
    if (p->ipcp.ask_address)
        put_address(w, IPCP_ADDRESS, p->ipcp.address);
    for (size_t i = 0; i < 2; i++)
        if (p->ipcp.ask_dns[i])
            put_address(w, dns_options[i], p->ipcp.dns[i]);
}

static enum cp_opinion ipcp_judge_reject(struct ppp *p, struct span value)
{
    (void)p;
    (void)value;
    return CP_REJECT;
}

/* A peer that asks us for an address gets none: we have none to give. */
static enum cp_opinion ipcp_judge_address(struct ppp *p, struct span value)
{
    struct rd r = rd_of(value);
    uint32_t address;

    if (!rd_u32(&r, &address) || !is_usable(address))
        return CP_REJECT;
    p->ipcp.offered = address;
    return CP_ACK;
}

static const struct {
    uint8_t type;
    uint8_t length;
    enum cp_opinion (*judge)(struct ppp *p, struct span value);
} rows[] = {
#define IPCP_OPTION(id, number, name, length, judge) {number, length, ipcp_judge_##judge},
#include "ppp/option.def"
};

static enum cp_opinion ipcp_judge(struct ppp *p, uint8_t type, struct span value, struct wr *w_nak)
{
    (void)w_nak;
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        if (rows[i].type != type)
            continue;
        if (rows[i].length != 0 && rows[i].length != value.n + 2)
            return CP_REJECT;
        return rows[i].judge(p, value);
    }
    return CP_REJECT;
}

static void ipcp_begin(struct ppp *p)
{
    p->ipcp.offered = 0;
}

static void ipcp_accept(struct ppp *p)
{
    p->ipcp.peer = p->ipcp.offered;
}

static void ipcp_naked(struct ppp *p, uint8_t type, struct span value)
{
    struct rd r = rd_of(value);
    uint32_t address;

    if (!rd_u32(&r, &address) || !rd_end(&r))
        return;
    if (type == IPCP_ADDRESS) {
        if (is_usable(address))
            p->ipcp.address = address;
        else
            fail_address(p, FAILURE_PPP_IP_BAD_ADDRESS, address);
        return;
    }
    for (size_t i = 0; i < 2; i++) {
        if (dns_options[i] != type)
            continue;
        p->ipcp.dns[i] = is_usable(address) ? address : 0;
        p->ipcp.ask_dns[i] = p->ipcp.dns[i] != 0;
    }
}

static void ipcp_rejected(struct ppp *p, uint8_t type)
{
    if (type == IPCP_ADDRESS)
        ppp_fail_value(p, FAILURE_PPP_IP_REFUSED, "the server rejects the option IP-Address");
    for (size_t i = 0; i < 2; i++)
        if (dns_options[i] == type)
            p->ipcp.ask_dns[i] = false;
}

static struct inaddr given(uint32_t address)
{
    return address ? inaddr_v4(address) : (struct inaddr){0};
}

static void ipcp_up(struct ppp *p)
{
    struct ppp_facts *f = &p->facts;
    struct ppp_facts before = *f;
    struct inaddr dns[2];
    bool same;

    if (!is_usable(p->ipcp.address)) {
        fail_address(p, FAILURE_PPP_IP_BAD_ADDRESS, p->ipcp.address);
        return;
    }
    f->local_ip = given(p->ipcp.address);
    f->peer_ip = given(p->ipcp.peer);
    for (size_t i = 0; i < 2; i++) {
        dns[i] = given(p->ipcp.ask_dns[i] && is_usable(p->ipcp.dns[i]) ? p->ipcp.dns[i] : 0);
        f->dns[i] = dns[i];
    }
    same = inaddr_eq(&f->local_ip, &before.local_ip) && inaddr_eq(&f->peer_ip, &before.peer_ip) &&
           inaddr_eq(&f->dns[0], &before.dns[0]) && inaddr_eq(&f->dns[1], &before.dns[1]);
    f->ip_up = true;
    ppp_event(p, p->ipcp.was_up && !same ? PPP_EVENT_IP_CHANGED : PPP_EVENT_IP_UP);
    p->ipcp.was_up = true;
    env_log(p->config.env, LOG_LEVEL_INFO, "ppp", "IPCP is up");
    echo_start(p);
}

static void ipcp_down(struct ppp *p)
{
    p->facts.ip_up = false;
    if (p->ending || p->phase == PHASE_CLOSING)
        return;
    if (p->facts.lcp_up && !ppp_reopened(p))
        return;
    ppp_event(p, PPP_EVENT_IP_DOWN);
}

static void ipcp_finished(struct ppp *p)
{
    ppp_fail(p,
             failure_timeout(FAILURE_PPP_IP_TIMEOUT, cp_waits_for(&p->ipcp.cp), p->ipcp.cp.sends));
}

static void ipcp_disagreed(struct ppp *p, const char *what)
{
    ppp_fail_value(p, FAILURE_PPP_IP_REFUSED, what);
}

static void ipcp_terminated(struct ppp *p, struct span text)
{
    struct failure f = failure_make(FAILURE_PPP_IP_REFUSED);

    if (p->was_up) {
        ppp_terminated(p, text);
        return;
    }
    failure_set_value(&f, text.n > 0 ? text : span_str("the server ended IPCP"));
    ppp_fail(p, f);
}

const struct cp_ops ipcp_ops = {
    .protocol = PROTO_IPCP,
    .name = "IPCP",
    .build = ipcp_build,
    .begin = ipcp_begin,
    .judge = ipcp_judge,
    .accept = ipcp_accept,
    .naked = ipcp_naked,
    .rejected = ipcp_rejected,
    .up = ipcp_up,
    .down = ipcp_down,
    .finished = ipcp_finished,
    .disagreed = ipcp_disagreed,
    .terminated = ipcp_terminated,
};
