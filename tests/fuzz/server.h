/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * A whole server, just honest enough to bring a dial up: the IKE responder, ESP, one L2TP tunnel
 * with one call, PPP. It also seals whatever a target wants to say under the real keys.
 */
#ifndef TESTS_FUZZ_SERVER_H
#define TESTS_FUZZ_SERVER_H

#include "responder.h"

#include "base/queue.h"
#include "dial/dial.h"

#define SERVER_TUNNEL 0x1111
#define SERVER_SESSION 0x2222

struct server {
    struct fuzz_env env;
    struct responder ike;
    struct inaddr local, client;
    bool pap;
    struct esp_out *out;
    struct esp_in *in;
    uint16_t tunnel, session; /* the client's */
    uint16_t ns, nr;
    bool link_asked; /* our LCP Configure-Request went out */
    bool ip_asked;
    bool mute;           /* what it has to say is swallowed */
    struct msgq answers; /* tag: enum dial_path; as on the wire */
    unsigned opened;     /* ESP packets of the client */
};

void server_init(struct server *s, bool natt, bool pap);
void server_free(struct server *s);
/* A datagram of the client; answers are queued. False: ESP under our SA that does not open. */
bool server_input(struct server *s, enum dial_path path, struct span datagram);
/* Each queues one packet; nothing happens while there is no SA. */
void server_send_udp(struct server *s, struct span payload);
/* An L2TP control message: the header is written here, `avps` are taken as they are. */
void server_send_control(struct server *s, struct span avps);
/* A PPP frame in the session. */
void server_send_ppp(struct server *s, struct span frame);
/* An IKE message, with the marker where one is due. */
void server_send_ike(struct server *s, struct span message);

#endif
