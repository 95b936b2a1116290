/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Asks for secrets where the connection is shown, instead of in a window of its own. */
#ifndef L2D_SECRETS_FORM_H
#define L2D_SECRETS_FORM_H

#include "model/secret_request.h"

#include <adwaita.h>

G_BEGIN_DECLS

#define L2D_TYPE_SECRETS_FORM (l2d_secrets_form_get_type())
G_DECLARE_FINAL_TYPE(L2dSecretsForm, l2d_secrets_form, L2D, SECRETS_FORM, AdwBin)

GtkWidget *l2d_secrets_form_new(void);
/* NULL: what was typed is dropped. */
void l2d_secrets_form_set_request(L2dSecretsForm *form, L2dSecretRequest *request);

G_END_DECLS

#endif
