/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * A small scripted PPP server with the habits of real ones, and a line between it and the engine
 * that can lose what it is told to. Written from the RFCs and from recordings, not from the engine.
 */
#ifndef TESTS_UNIT_PPP_SERVER_H
#define TESTS_UNIT_PPP_SERVER_H

#include "rig.h"

enum flavour {
    SERVER_PPPD,
    SERVER_SOFTETHER,
    SERVER_WINDOWS
};

#define LINE_MAX 256

struct line_frame {
    l2tpc_us at;
    bool to_server;
    size_t n;
    uint8_t bytes[300];
};

struct server {
    enum flavour flavour;
    enum ppp_auth method;
    const char *password;
    l2tpc_us latency;  /* one way */
    l2tpc_us ip_delay; /* before an IPCP answer */
    l2tpc_us first_at; /* its first Configure-Request, from the start of the dial */
    l2tpc_us wakes_at; /* hears nothing before */
    /* loss: the first `lose` frames of this protocol and code in this direction */
    uint16_t lose_protocol;
    uint8_t lose_code;
    bool lose_to_server;
    unsigned lose, lost;
    unsigned percent; /* and this many of all frames, from `seed` */
    uint64_t seed;
    /* state */
    struct rig *rig;
    unsigned asked; /* index of the authentication option that is asked for */
    uint8_t lcp_id, ipcp_id, chap_id;
    bool lcp_we_acked, lcp_they_acked, ipcp_we_acked, ipcp_they_acked, authenticated;
    bool optional_rejected; /* Windows: the client does not want its extras */
    bool echoed;
    uint8_t challenge[16], success[64];
    size_t n_success;
    l2tpc_us lcp_resend, chap_resend, ipcp_resend;
    uint8_t last_ipcp_id;
    l2tpc_us ipcp_busy_until;
    /* witness */
    unsigned lcp_opened, client_frames, terminated;
    struct line_frame line[LINE_MAX];
    unsigned n_line;
};

void server_init(struct server *s, struct rig *r, enum flavour flavour);
/* Runs both until `event` comes (true) or `to` is past; passwords are answered on the way. */
bool server_run(struct server *s, int event, l2tpc_us to);

#endif
