/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* A stored connection, as the list shows it. Its settings stay with the back end. */
#ifndef L2D_PROFILE_H
#define L2D_PROFILE_H

#include "model/tunnel.h"

G_BEGIN_DECLS

#define L2D_TYPE_PROFILE (l2d_profile_get_type())
G_DECLARE_FINAL_TYPE(L2dProfile, l2d_profile, L2D, PROFILE, GObject)

/* Properties: "uuid", "name", "server", "user" (texts, never NULL), "tunnel" (L2dTunnel or NULL),
 * "stored" (FALSE: somebody runs it who has not stored it, such as the command line). Signal
 * "changed": any of them, or the tunnel's snapshot. */
L2dProfile *l2d_profile_new(const char *uuid, const char *name, const char *server,
                            const char *user);
const char *l2d_profile_get_uuid(L2dProfile *profile);
const char *l2d_profile_get_name(L2dProfile *profile);
const char *l2d_profile_get_server(L2dProfile *profile);
const char *l2d_profile_get_user(L2dProfile *profile);
gboolean l2d_profile_is_stored(L2dProfile *profile);
void l2d_profile_set_stored(L2dProfile *profile, gboolean stored);
void l2d_profile_set_texts(L2dProfile *profile, const char *name, const char *server,
                           const char *user);
L2dTunnel *l2d_profile_get_tunnel(L2dProfile *profile);
void l2d_profile_set_tunnel(L2dProfile *profile, L2dTunnel *tunnel);
/* OFF without a tunnel. */
L2dState l2d_profile_get_state(L2dProfile *profile);
/* On, or on its way there: what the switch shows. */
gboolean l2d_profile_is_wanted(L2dProfile *profile);

G_END_DECLS

#endif
