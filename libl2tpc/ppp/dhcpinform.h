/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * DHCPINFORM behind IPCP (RFC 2131 3.4 and 4.4.3): routes, search domains and name servers that a
 * server has for its clients and that IPCP has no words for. Windows RRAS relays it, SoftEther's
 * SecureNAT answers it; nobody else notices. Sent a few times, then it is over: nothing depends on
 * an answer.
 *
 * Whoever is in the network behind the server may answer. So an answer adds networks to what goes
 * through the tunnel, within bounds, and can do nothing else.
 */
#ifndef L2TPC_PPP_DHCPINFORM_H
#define L2TPC_PPP_DHCPINFORM_H

#include "base/addr.h"
#include "base/clock.h"
#include "base/env.h"
#include "base/limits.h"
#include "base/queue.h"
#include "base/verdict.h"

struct dhcp_route {
    uint32_t destination; /* host order, no bits behind the prefix */
    uint8_t prefix_len;
};

/* What one answer gives; also what is left of it when some of it was refused. */
struct dhcp_answer {
    struct inaddr server; /* who says that it answers (option 54), or its packet's source */
    struct dhcp_route route[DHCPINFORM_ROUTES_MAX];
    unsigned n_routes;
    unsigned n_refused; /* routes that no server may push, or beyond the bound */
    struct inaddr dns[2];
    char domain[DHCPINFORM_DOMAINS_MAX][DHCPINFORM_DOMAIN_MAX];
    unsigned n_domains;
};

/* What an answer has to fit to. */
struct dhcp_question {
    uint32_t xid;
    uint8_t chaddr[6];
    struct inaddr local; /* ours, from IPCP */
    struct inaddr outer; /* the server's address outside of the tunnel */
};

/* False, and nothing written, for a packet that is no answer to the question. */
bool dhcp_answer_read(struct span ip_packet, const struct dhcp_question *question,
                      struct dhcp_answer *out) MUST_USE;
/* An IPv4/UDP packet from port 67 to port 68, not a fragment: for the data path, which looks at
 * every packet while an answer is waited for. */
bool dhcp_answer_may_be(struct span ip_packet) MUST_USE;

enum dhcpinform_state {
    DHCPINFORM_ASKED,
    DHCPINFORM_ANSWERED,
    DHCPINFORM_SILENT, /* nobody has answered: most servers do not know it */
};

struct dhcpinform_facts {
    enum dhcpinform_state state;
    unsigned sent;
    uint64_t foreign; /* packets that looked like an answer and were none */
    struct dhcp_answer answer;
};

struct dhcpinform;

/* `env` outlives it; NULL without memory or randomness. */
struct dhcpinform *dhcpinform_new(const struct env *env, const struct inaddr *local,
                                  const struct inaddr *outer);
void dhcpinform_free(struct dhcpinform *d);
void dhcpinform_start(struct dhcpinform *d, l2tpc_us now);
/* OK: `facts` hold the answer now. */
enum verdict dhcpinform_input(struct dhcpinform *d, struct span ip_packet, l2tpc_us now);
void dhcpinform_timer(struct dhcpinform *d, l2tpc_us now);
l2tpc_us dhcpinform_deadline(const struct dhcpinform *d);
/* The next IP packet to send into the tunnel. */
bool dhcpinform_pop_out(struct dhcpinform *d, struct msg *out) MUST_USE;
/* True while an answer is waited for. */
bool dhcpinform_waits(const struct dhcpinform *d);
const struct dhcpinform_facts *dhcpinform_facts(const struct dhcpinform *d);

/* The network that Windows guesses from an address by its class (RFC 791 3.2); false for one that
 * has none. */
bool dhcp_class_route(const struct inaddr *local, struct dhcp_route *out) MUST_USE;

#endif
