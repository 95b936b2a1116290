/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* DNS: systemd-resolved over D-Bus, or resolv.conf in place. */
#ifndef L2TPC_HOST_RESOLVER_H
#define L2TPC_HOST_RESOLVER_H

#include "host/host.h"

/* 1 when systemd-resolved owns its name on the system bus, else 0. */
int resolved_present(void);
int resolved_set(uint32_t ifindex, const l2tpc_host_apply_ip *q);
int resolved_revert(uint32_t ifindex);

/* The new resolv.conf: the tunnel's servers (IPv4 first), the old ones behind them for a split
 * tunnel, the profile's search domains before the old ones, and the other old lines. */
bool resolv_compose(const l2tpc_host_apply_ip *q, struct span old, char *out, size_t cap,
                    size_t *out_n) MUST_USE;

/* Saves the old and the new bytes in the run directory; nothing is changed yet. */
int resolv_prepare(const l2tpc_host *h, int dir, const l2tpc_host_apply_ip *q);
/* True when the saved old bytes would give the saved new ones again. */
bool resolv_same(int dir, const l2tpc_host_apply_ip *q);
/* Writes the prepared bytes. In place: the file may be a bind mount or a link. */
int resolv_write(const l2tpc_host *h, int dir, const char *tunnel);
/* Puts the old bytes back unless somebody else wrote to the file meanwhile (`out_foreign`), and
 * removes the saved ones. When a later tunnel saved our bytes as its old ones, ours take their
 * place there. */
int resolv_restore(const l2tpc_host *h, int dir, const char *tunnel, bool *out_foreign);
/* Removes what resolv_prepare() saved. */
void resolv_forget(int dir, const char *tunnel);

#endif
