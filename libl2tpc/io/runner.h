/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Drives one dial: gives it sockets, datagrams and time, sends what it says, and runs its data
 * plane. Name look-ups and sockets it serves itself; everything else goes to its owner.
 */
#ifndef L2TPC_IO_RUNNER_H
#define L2TPC_IO_RUNNER_H

#include "dial/dial.h"
#include "io/hub.h"
#include "io/loop.h"

struct runner_route {
    struct inaddr local;
    int ifindex;
    unsigned mtu; /* 0: unknown */
};

struct runner_hooks {
    void *user;
    /*
     * Every event of the dial but the needs RESOLVE and SOCKETS. DOWN comes after the last datagram
     * has left; the runner may be freed from then on, but not inside the hook.
     */
    void (*event)(void *user, const struct dial_event *e, l2tpc_us now);
    /* A socket of the owner's for this path, or -1: the library opens one. */
    int (*open_socket)(void *user, enum dial_path path, uint8_t family, uint16_t port);
    /* The way to the server: 1 when `out` is filled in, 0 to ask the kernel here, or a negative
     * errno value. */
    int (*route)(void *user, const struct endpoint *remote, struct runner_route *out);
    /* The server's name is looked up by somebody else, who calls runner_answer_resolve(), later;
     * false, or no hook: by a thread of the library's. */
    bool (*resolve)(void *user, uint32_t need);
};

struct runner;

struct runner *runner_new(struct loop *loop, struct hub *hub, const struct port_options *ports,
                          const struct dial_config *config, const struct runner_hooks *hooks);
void runner_free(struct runner *r);
void runner_start(struct runner *r, l2tpc_us now);
void runner_stop(struct runner *r, l2tpc_us now);  /* politely; DOWN follows */
bool runner_rekey(struct runner *r, l2tpc_us now); /* as dial_rekey() */
/* False when the need is no longer open. */
bool runner_answer_secret(struct runner *r, uint32_t need, const struct span *secret, l2tpc_us now);
/* fd < 0: the failure says why; otherwise the runner owns it. */
void runner_answer_tun(struct runner *r, uint32_t need, int fd, const struct failure *failure,
                       l2tpc_us now);
/* Of the resolve hook; n 0: the failure says why. */
void runner_answer_resolve(struct runner *r, uint32_t need, const struct inaddr *addresses,
                           unsigned n, const struct failure *failure, l2tpc_us now);
/* NULL: the key could not sign. */
void runner_answer_sign(struct runner *r, uint32_t need, const struct span *signature,
                        l2tpc_us now);
/* What CERT_STATUS asks about. */
const struct ike_peer_cert *runner_peer_cert(const struct runner *r);
/* Where the name led before: used in place of RESOLVE, or (`ask`) behind what asking brings, and
 * alone when that is nothing, or takes too long. */
void runner_know_address(struct runner *r, const struct inaddr *address, bool ask);
/*
 * The way that packets to `remote` would take now. Who may not mark a socket has an owner who can
 * be asked. False with errno.
 */
bool runner_find_way(struct runner *r, const struct endpoint *remote, struct runner_route *out);
/* The owner knows the way; whoever needs that can open nothing for a name either. */
bool runner_way_told(const struct runner *r);
/* Ends it now, whatever still waits for an answer: DOWN comes from inside. */
void runner_end(struct runner *r, l2tpc_us now);
/* Addresses that are tried behind the one of runner_know_address(), or when a look-up fails. */
void runner_know_others(struct runner *r, const struct inaddr *addresses, unsigned n);
/* As dial_addresses(). */
unsigned runner_addresses(const struct runner *r, struct inaddr out[DIAL_ADDRESSES_MAX]);
/* Whether this computer has any way out, as runner_find_way() sees it. */
bool runner_has_network(struct runner *r);
/* As dial_former(). */
unsigned runner_former(const struct runner *r, struct l2tp_former out[L2TP_FORMER_MAX]);
/* Ends the dial with a failure of its owner's. */
void runner_fail(struct runner *r, const struct failure *failure, l2tpc_us now);
/* Before the start: the certificate that authenticates instead of a pre-shared key. */
void runner_set_credential(struct runner *r, const struct ike_credential *credential);
void runner_answer_done(struct runner *r, uint32_t need, const struct failure *failure,
                        l2tpc_us now);
const struct dial_facts *runner_facts(struct runner *r);
/* What is worth keeping of the server; false before the dial is up. */
bool runner_learned(const struct runner *r, struct learned *out) MUST_USE;
/* Where ESP goes now; the port counts under UDP encapsulation. */
const struct endpoint *runner_peer(const struct runner *r);
/* The interface that leads to the server, 0 before it is known. */
int runner_outer_ifindex(const struct runner *r);
/* The wall clock as RFC 3339 text in UTC, for people only. */
void runner_wall_clock(char out[32]);
/* The same in seconds since 1970, for the dates of certificates. */
int64_t runner_wall_seconds(void);

#endif
