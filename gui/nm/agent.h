/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * NetworkManager asks us for the secrets of L2TP connections, and for no others: those of other
 * services are left to the desktop's own agent. They are looked for in the keyring and asked for in
 * the window.
 */
#ifndef L2D_NM_AGENT_H
#define L2D_NM_AGENT_H

#include "model/backend.h"

#include <NetworkManager.h>
#include <nm-secret-agent-old.h>

G_BEGIN_DECLS

G_DEFINE_AUTOPTR_CLEANUP_FUNC(NMSecretAgentOld, g_object_unref)
#define L2D_TYPE_NM_AGENT (l2d_nm_agent_get_type())
G_DECLARE_FINAL_TYPE(L2dNmAgent, l2d_nm_agent, L2D, NM_AGENT, NMSecretAgentOld)

/* Registers with NetworkManager, now or whenever it comes. Holds no reference to the back end. */
L2dNmAgent *l2d_nm_agent_new(L2dBackend *backend);

/* Is it one of ours? */
gboolean l2d_nm_is_ours(NMConnection *connection);

G_END_DECLS

#endif
