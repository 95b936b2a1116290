/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The pre-shared key's strength and the certificates' state, as sentences under what was chosen. */
#ifndef L2TPC_NM_CLINIC_H
#define L2TPC_NM_CLINIC_H

#include "toolkit.h"

/* Fills a box made by tk_column(). `psk` as in a profile: plain, or 0s and base64. */
void clinic_show_psk(GtkWidget *box, const char *psk);

/* Paths or pkcs11: URIs; NULL or "" when there is none. A token is asked only when `ask_token`. */
void clinic_show_certificate(GtkWidget *box, const char *certificate, const char *key,
                             const char *ca, const char *passphrase, gboolean ask_token);

#endif
