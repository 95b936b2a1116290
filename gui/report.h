/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * What a stranger needs to help: the failure, where it broke, the status and the log, without
 * names, addresses and identities, which have numbers in their place. Secrets are in none of it
 * anyway.
 */
#ifndef L2D_REPORT_H
#define L2D_REPORT_H

#include "model/profile.h"

#include <gio/gio.h>

/* Of the tunnel's last dial; to be freed. `diagnosis`: its text, or "". */
char *l2d_report_new(L2dProfile *profile, const char *diagnosis);

#endif
