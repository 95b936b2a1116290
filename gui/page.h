/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The page of one connection: what it is doing in large letters, the button that changes that, and
 * beneath it what belongs to the state: questions, stages, what went wrong, the proof and details.
 */
#ifndef L2D_PAGE_H
#define L2D_PAGE_H

#include "model/profile.h"
#include "model/secret_request.h"

#include <adwaita.h>

G_BEGIN_DECLS

#define L2D_TYPE_PAGE (l2d_page_get_type())
G_DECLARE_FINAL_TYPE(L2dPage, l2d_page, L2D, PAGE, AdwBin)

/* Signal "changed": what it shows is another, or of another kind. */
GtkWidget *l2d_page_new(void);
void l2d_page_set_profile(L2dPage *page, L2dProfile *profile); /* or NULL */
L2dProfile *l2d_page_get_profile(L2dPage *page);
/* Asks when this profile is shown, now or later. */
void l2d_page_ask(L2dPage *page, L2dProfile *profile, L2dSecretRequest *request);

G_END_DECLS

#endif
