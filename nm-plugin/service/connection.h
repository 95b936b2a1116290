/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* From a connection of NetworkManager's to a profile of ours. */
#ifndef L2TPC_SERVICE_CONNECTION_H
#define L2TPC_SERVICE_CONNECTION_H

#include <NetworkManager.h>
#include <l2tpc-profile.h>
#include <stdbool.h>
#include <sys/types.h>

/* With the secrets that are in it. */
l2tpc_profile *connection_read(NMConnection *connection);
/* The users whose private connection it is, TUNNEL_USERS_MAX at most; none: it is everybody's.
 * False when the first is not known here. */
bool connection_users(NMConnection *connection, uid_t *out, unsigned *out_n);
/* A secret that the connection needs and does not have: its key, or NULL. */
const char *connection_lacks(NMConnection *connection);

#endif
