/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What the server has assigned, in NetworkManager's words. */
#ifndef L2TPC_SERVICE_ADDRESSES_H
#define L2TPC_SERVICE_ADDRESSES_H

#include <glib.h>
#include <l2tpc.h>

/* Both floating: a{sv} of Config and Ip4Config. */
GVariant *addresses_config(const l2tpc_need *ip);
GVariant *addresses_ip4(const l2tpc_need *ip);

#endif
