/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* net.l2tpc.Service1: tunnels for users where there is no NetworkManager. */
#ifndef L2TPC_SERVICE_STANDALONE_H
#define L2TPC_SERVICE_STANDALONE_H

#include "service/starter.h"

#include <glib.h>

/* Serves until nothing has been asked and no tunnel has run for `idle_s` seconds. An exit status.
 */
int standalone_run(struct starter *starter, guint idle_s, gboolean verbose);

#endif
