/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Names for what passes by, and the invariants that need to look inside. */
#include "world.h"

#include "dial/internal.h"
#include "ike/v1/engine.h"
#include "l2tp/engine.h"
#include "ppp/engine.h"
#include "wire/rd.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

void world_violation(struct world *w, const char *fmt, ...)
{
    va_list ap;

    if (w->violations++ > 0)
        return;
    va_start(ap, fmt);
    vsnprintf(w->violation, sizeof(w->violation), fmt, ap);
    va_end(ap);
}

void world_line_add(struct world *w, enum world_kind kind, const char *text)
{
    struct world_line *l;

    if (w->n_lines == WORLD_LINES)
        return;
    l = &w->line[w->n_lines++];
    l->at = w->sim.now;
    l->kind = kind;
    snprintf(l->text, sizeof(l->text), "%s", text);
}

static void name_ike(struct span m, char out[44])
{
    static const uint8_t zero[8];

    if (m.n < 28) {
        snprintf(out, 44, "keepalive");
        return;
    }
    switch (m.p[18]) {
    case 2:
        snprintf(out, 44, "main%s%s", memcmp(m.p + 8, zero, 8) == 0 ? " first" : "",
                 m.p[19] & 1 ? " enc" : "");
        break;
    case 5:
        snprintf(out, 44, "info");
        break;
    case 32:
        snprintf(out, 44, "quick");
        break;
    default:
        snprintf(out, 44, "exchange %u", m.p[18]);
        break;
    }
}

static void name_l2tp(struct span m, char out[44])
{
    static const char *const name[] = {
        [1] = "SCCRQ", [2] = "SCCRP", [3] = "SCCCN", [4] = "StopCCN", [6] = "HELLO", [10] = "ICRQ",
        [11] = "ICRP", [12] = "ICCN", [14] = "CDN",  [15] = "WEN",    [16] = "SLI"};
    struct rd r = rd_of(m);
    uint16_t type;

    if (m.n <= 12) {
        snprintf(out, 44, "ZLB");
    } else if (rd_skip(&r, 18) && rd_u16(&r, &type) && type < ARRAY_LEN(name) && name[type]) {
        snprintf(out, 44, "%s", name[type]);
    } else {
        snprintf(out, 44, "L2TP ?");
    }
}

static void name_ppp(struct span m, char out[44])
{
    static const char *const cp[] = {"?",       "Request",     "Ack",       "Nak",
                                     "Reject",  "Terminate",   "TermAck",   "CodeRej",
                                     "ProtRej", "EchoRequest", "EchoReply", "Discard"};
    static const char *const chap[] = {"?", "Challenge", "Response", "Success", "Failure"};
    static const char *const pap[] = {"?", "Request", "Ack", "Nak"};
    struct rd r = rd_of(m), ahead = r;
    uint16_t protocol = 0, head;
    uint8_t code = 0;

    if (rd_u16(&ahead, &head) && head == 0xff03)
        r = ahead;
    if (!rd_u16(&r, &protocol) || !rd_u8(&r, &code)) {
        snprintf(out, 44, "PPP ?");
        return;
    }
    if (protocol == 0xc021)
        snprintf(out, 44, "LCP %s", code < ARRAY_LEN(cp) ? cp[code] : "?");
    else if (protocol == 0x8021)
        snprintf(out, 44, "IPCP %s", code < ARRAY_LEN(cp) ? cp[code] : "?");
    else if (protocol == 0xc223)
        snprintf(out, 44, "CHAP %s", code < ARRAY_LEN(chap) ? chap[code] : "?");
    else if (protocol == 0xc023)
        snprintf(out, 44, "PAP %s", code < ARRAY_LEN(pap) ? pap[code] : "?");
    else
        snprintf(out, 44, "PPP %04x", protocol);
}

static struct span head_of(const struct msgq *q)
{
    return span_of(q->slot[q->head].bytes, q->slot[q->head].n);
}

void world_watch_heads(struct world *w, struct world_heads *out)
{
    struct dial *d = w->dial;

    memset(out, 0, sizeof(*out));
    if (d->ike && (out->ike = d->ike->out.used) > 0)
        name_ike(head_of(&d->ike->out), out->ike_text);
    if (d->l2tp && (out->l2tp = d->l2tp->out.used) > 0)
        name_l2tp(head_of(&d->l2tp->out), out->l2tp_text);
    if (d->ppp && (out->ppp = d->ppp->out.used) > 0)
        name_ppp(head_of(&d->ppp->out), out->ppp_text);
}

void world_watch_popped(struct world *w, const struct world_heads *before)
{
    struct dial *d = w->dial;

    if (d->ike && d->ike->out.used < before->ike)
        world_line_add(w, LINE_OUT, before->ike_text);
    if (d->l2tp && d->l2tp->out.used < before->l2tp)
        world_line_add(w, LINE_OUT, before->l2tp_text);
    if (d->ppp && d->ppp->out.used < before->ppp)
        world_line_add(w, LINE_OUT, before->ppp_text);
}

void world_watch_arrival(struct world *w, enum data_kind kind, struct span inner)
{
    char text[44];

    if (kind == DATA_CONTROL)
        name_l2tp(inner, text);
    else if (kind == DATA_PPP)
        name_ppp(inner, text);
    else if (kind == DATA_DHCP)
        snprintf(text, sizeof(text), "DHCP");
    else if (kind == DATA_IP)
        snprintf(text, sizeof(text), "IP");
    else
        snprintf(text, sizeof(text), "nothing");
    world_line_add(w, LINE_IN, text);
}

void world_watch_ike(struct world *w, struct span message)
{
    char text[44];

    name_ike(message, text);
    world_line_add(w, LINE_IN, text);
}

void world_watch_peer(struct world *w)
{
    const struct peer_facts *f = peer_facts(w->sim.peer);

    for (unsigned i = w->seen.terminates; i < f->terminates; i++)
        world_line_add(w, LINE_PEER, "Terminate");
    for (unsigned i = w->seen.cdns; i < f->cdns; i++)
        world_line_add(w, LINE_PEER, "CDN");
    for (unsigned i = w->seen.stopccns; i < f->stopccns; i++)
        world_line_add(w, LINE_PEER, "StopCCN");
    for (unsigned i = w->seen.deletes_esp; i < f->deletes_esp; i++)
        world_line_add(w, LINE_PEER, "Delete ESP");
    for (unsigned i = w->seen.deletes_ike; i < f->deletes_ike; i++)
        world_line_add(w, LINE_PEER, "Delete IKE");
    for (unsigned i = w->seen.quick_modes; i < f->quick_modes; i++)
        world_line_add(w, LINE_PEER, "quick mode");
    w->seen = *f;
}

void world_watch_queues(struct world *w)
{
    const struct dial *d = w->dial;

    if (d->events.overflow || d->ip.overflow)
        world_violation(w, "a queue of the dial overflowed");
    if (d->ike && (d->ike->out.overflow || d->ike->events.overflow))
        world_violation(w, "a queue of IKE overflowed");
    if (d->l2tp && (d->l2tp->out.overflow || d->l2tp->events.overflow))
        world_violation(w, "a queue of L2TP overflowed");
    if (d->ppp && (d->ppp->out.overflow || d->ppp->events.overflow))
        world_violation(w, "a queue of PPP overflowed");
}
