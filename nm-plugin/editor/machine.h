/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What this computer proves itself by, and the user's password: everything secret of the editor. */
#ifndef L2TPC_NM_MACHINE_H
#define L2TPC_NM_MACHINE_H

#include "form.h"

#include <NetworkManager.h>

struct machine {
    struct form *form;
    NMSettingVpn *flags; /* where libnma keeps the flags of the secrets; our own */
    GtkWidget *password, *psk, *certificate, *ca;
    GtkWidget *psk_part, *certificate_part, *psk_verdict, *certificate_verdict, *check, *kind;
    guint pending; /* the clinic looks when nobody has typed for a moment */
};

/* `fresh`: a new profile, whose secrets the user's keyring shall keep. */
int machine_add_password(struct machine *m, GtkWidget *grid, int row, gboolean fresh);
int machine_add(struct machine *m, GtkWidget *grid, int row, gboolean fresh);
void machine_init(struct machine *m, struct form *form, NMConnection *connection);
/* Puts the flags into the profile, and takes secrets out of it that are not to be saved. */
void machine_store(const struct machine *m, l2tpc_profile *profile);
void machine_clear(struct machine *m);

#endif
