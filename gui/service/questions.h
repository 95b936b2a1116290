/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The service asks for the secrets of a dial that we have begun, one after the other. What the user
 * wants to be kept goes into the profile once the connection is up, so that nothing wrong is kept.
 */
#ifndef L2D_SERVICE_QUESTIONS_H
#define L2D_SERVICE_QUESTIONS_H

#include "model/backend.h"

/* Of the signal SecretsNeeded. `keeps`: the user may have it kept in this profile. */
void l2d_service_question(L2dBackend *backend, GDBusConnection *bus, L2dProfile *profile,
                          GVariant *parameters, gboolean keeps);
/* Whoever asked is gone, or has what it needs. */
void l2d_service_forget(L2dProfile *profile);
/* Called for every change of a profile. */
void l2d_service_keep(GDBusConnection *bus, L2dProfile *profile);

#endif
