/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Openers of what leads out of the process, used when the caller hands in no descriptors. All are
 * non-blocking and close-on-exec. They return a descriptor, or -1 with the failure filled in.
 */
#ifndef L2TPC_IO_PORTS_H
#define L2TPC_IO_PORTS_H

#include "base/addr.h"
#include "base/failure.h"

#define PORT_IKE 500
#define PORT_NATT 4500
#define TUN_NAME_MAX 16 /* with the NUL */

struct port_options {
    bool has_mark;
    uint32_t mark; /* SO_MARK, for routing rules that keep the outer packets out of the tunnel */
    /* Who may not mark sockets may have somebody who makes marked ones, in any thread; or NULL. */
    int (*open_socket)(void *user, uint8_t family, bool stream); /* non-blocking, or -1 */
    void *open_user;
};

/*
 * Unconnected UDP socket on the wildcard address: on `port` if it is free and we may, otherwise on
 * any (out_port tells). It fragments rather than drop what is too large for the path (DF off).
 */
int port_open_udp(uint8_t family, uint16_t port, const struct port_options *options,
                  uint16_t *out_port, struct failure *out_failure);
/* Raw protocol 50. Input carries the IP header on IPv4, none on IPv6. Needs CAP_NET_RAW. */
int port_open_esp(uint8_t family, const struct port_options *options, struct failure *out_failure);
/* From now on datagrams of one flow and length may come as one (UDP_GRO); false: never. */
bool port_join_runs(int fd);
/* Options that the hub needs, on a descriptor of whatever origin; best effort. */
void port_prepare(int fd, uint8_t family);
/* What leaves from now on does so in one piece (DF), whatever the kernel knows of the path; or not.
 */
void port_set_whole(int fd, uint8_t family, bool whole);
/* Lets only ESP with these SPIs (host order) through, in the kernel; none at all: everything. */
bool port_filter_esp(int fd, uint8_t family, const uint32_t *spis, unsigned n_spis);
/* `name` is exact ("l2tp0"), a pattern ("l2tp%d"), or NULL for the latter. Layer 3, no header. */
int port_open_tun(const char *name, char out_name[TUN_NAME_MAX], struct failure *out_failure);

/* A second descriptor of the same TUN, so that it outlives the first; -1 when there is none. */
int port_keep(int fd);
void port_close(int fd); /* -1 is fine */

/*
 * The local address that packets to `remote` would leave from now, and (unless NULL) through which
 * interface, 0 when unknown. False, with errno, without a route.
 */
bool io_route_to(const struct endpoint *remote, const struct port_options *options,
                 struct inaddr *out_local, int *out_ifindex) MUST_USE;
/* The MTU of the way to `remote`, as far as the kernel knows it; 0 when it does not. */
unsigned io_mtu_to(const struct endpoint *remote, const struct port_options *options);

#endif
