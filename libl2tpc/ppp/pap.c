/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* PAP (RFC 1334). The password travels as it is: only ever inside verified ESP. */
#include "ppp/engine.h"
#include "wire/rd.h"

void pap_password(struct ppp *p, struct span password)
{
    struct auth *a = p->auth;
    struct span user = span_str(p->config.user);
    struct wr w = wr_of(a->response, sizeof(a->response));
    struct wr_box box;
    struct span packet;

    if (password.n > 255) {
        ppp_fail_value(p, FAILURE_LOCAL_SECRET, "a password for PAP has at most 255 bytes");
        return;
    }
    wr_u8(&w, PAP_AUTHENTICATE_REQUEST);
    wr_u8(&w, ++a->pap_id);
    box = wr_open(&w, 2);
    wr_u8(&w, (uint8_t)user.n);
    wr_bytes(&w, user);
    wr_u8(&w, (uint8_t)password.n);
    wr_bytes(&w, password);
    wr_close(&w, box);
    if (!wr_finish(&w, &packet))
        return;
    a->n_response = packet.n;
    auth_sent(p);
}

/* The message and its length are optional, and some servers get the length wrong. */
static struct span message_of(struct span body)
{
    struct rd r = rd_of(body);
    struct span text;
    uint8_t n;

    if (!rd_u8(&r, &n))
        return SPAN_NONE;
    return rd_bytes(&r, n, &text) ? text : rd_rest(&r);
}

enum verdict pap_input(struct ppp *p, struct span packet)
{
    struct rd r = rd_of(packet);
    struct span body;
    uint8_t code;
    uint8_t id;
    uint16_t length;

    if (!rd_u8(&r, &code) || !rd_u8(&r, &id) || !rd_u16(&r, &length) || length < 4 ||
        !rd_bytes(&r, length - 4u, &body))
        return VERDICT_DROP;
    if (!p->auth->answered || id != p->auth->pap_id)
        return VERDICT_DROP;
    if (code == PAP_AUTHENTICATE_ACK) {
        auth_succeeded(p);
        return VERDICT_OK;
    }
    if (code != PAP_AUTHENTICATE_NAK)
        return VERDICT_DROP;
    auth_refused(p, message_of(body));
    return VERDICT_FATAL;
}
