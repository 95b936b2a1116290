/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* A connection of libnm becomes a profile, and a profile a connection. Nothing is lost either way.
 */
#ifndef L2TPC_NM_EXCHANGE_H
#define L2TPC_NM_EXCHANGE_H

#include <NetworkManager.h>
#include <l2tpc-profile.h>

/* Profiles keep the service of NetworkManager-l2tp, so that they open with either plugin. */
#define EXCHANGE_SERVICE_OURS "org.freedesktop.NetworkManager.l2tpc"
#define EXCHANGE_SERVICE "org.freedesktop.NetworkManager.l2tp"

/* Tables and settings, to be freed by l2tpc_profile_free(); never NULL. */
l2tpc_profile *exchange_profile(NMConnection *connection);

/* A new connection that libnm has normalized, or NULL with the sentence of what is wrong. */
NMConnection *exchange_connection(const l2tpc_profile *profile, GError **error);

/* The VPN and user settings become those of the profile; all others stay. */
void exchange_store(const l2tpc_profile *profile, NMConnection *connection);

/* The first error among notes as a translated sentence, or NULL. Free by g_free(). */
char *exchange_first_error(const GPtrArray *notes);
char *exchange_sentence(const l2tpc_profile_note *note);

#endif
