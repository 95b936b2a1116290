/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The dialog's own window, for agents that have none. */
#ifndef L2TPC_NM_WINDOW_H
#define L2TPC_NM_WINDOW_H

#include "asked.h"

/* Asks for what is to be asked, three at a time. FALSE: given up, or no display. */
gboolean window_ask(const char *title, const char *message, struct asked *a, gsize n);

#endif
