/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* data/servers.quirks, put into the library by libl2tpc/dial/embed.py. */
#ifndef L2TPC_DIAL_SERVERS_BUILTIN_H
#define L2TPC_DIAL_SERVERS_BUILTIN_H

#include <stddef.h>

extern const char servers_builtin[];
extern const size_t servers_builtin_n;

#endif
