/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "service/addresses.h"

#include <NetworkManager.h>
#include <stdbool.h>
#include <string.h>

static void add(GVariantBuilder *b, const char *key, GVariant *value)
{
    g_variant_builder_add(b, "{sv}", key, value);
}

/* Network order, as all of NetworkManager's addresses are. */
static GVariant *v4(const l2tpc_address *a)
{
    guint32 word;

    memcpy(&word, a->bytes, sizeof(word));
    return g_variant_new_uint32(word);
}

static GVariant *any(const l2tpc_address *a)
{
    return a->family == 4
               ? v4(a)
               : g_variant_new_fixed_array(G_VARIANT_TYPE_BYTE, a->bytes, sizeof(a->bytes), 1);
}

static bool same(const l2tpc_address *a, const l2tpc_address *b)
{
    return a->family == b->family && memcmp(a->bytes, b->bytes, a->family == 4 ? 4 : 16) == 0;
}

GVariant *addresses_config(const l2tpc_need *ip)
{
    GVariantBuilder b;

    g_variant_builder_init(&b, G_VARIANT_TYPE_VARDICT);
    add(&b, NM_VPN_PLUGIN_CONFIG_TUNDEV, g_variant_new_string(ip->interface_name));
    add(&b, NM_VPN_PLUGIN_CONFIG_EXT_GATEWAY, any(&ip->server));
    if (ip->mtu)
        add(&b, NM_VPN_PLUGIN_CONFIG_MTU, g_variant_new_uint32(ip->mtu));
    add(&b, NM_VPN_PLUGIN_CAN_PERSIST, g_variant_new_boolean(TRUE));
    add(&b, NM_VPN_PLUGIN_CONFIG_HAS_IP4, g_variant_new_boolean(TRUE));
    add(&b, NM_VPN_PLUGIN_CONFIG_HAS_IP6, g_variant_new_boolean(FALSE));
    return g_variant_builder_end(&b);
}

static GVariant *name_servers(const l2tpc_need *ip)
{
    GVariantBuilder b;

    g_variant_builder_init(&b, G_VARIANT_TYPE("au"));
    for (size_t i = 0; i < G_N_ELEMENTS(ip->dns); i++)
        if (ip->dns[i].family == 4)
            g_variant_builder_add_value(&b, v4(&ip->dns[i]));
    return g_variant_builder_end(&b);
}

/* Network, prefix, next hop (none: there is one peer), metric (NetworkManager's own). */
static GVariant *routes(const l2tpc_need *ip)
{
    GVariantBuilder b;

    g_variant_builder_init(&b, G_VARIANT_TYPE("aau"));
    for (guint32 i = 0; i < ip->n_routes; i++) {
        const l2tpc_route *r = &ip->routes[i];
        guint32 word;

        memcpy(&word, r->destination.bytes, sizeof(word));
        g_variant_builder_open(&b, G_VARIANT_TYPE("au"));
        g_variant_builder_add(&b, "u", word);
        g_variant_builder_add(&b, "u", (guint32)r->prefix_len);
        g_variant_builder_add(&b, "u", 0);
        g_variant_builder_add(&b, "u", 0);
        g_variant_builder_close(&b);
    }
    return g_variant_builder_end(&b);
}

static GVariant *domains(const l2tpc_need *ip)
{
    GVariantBuilder b;

    g_variant_builder_init(&b, G_VARIANT_TYPE_STRING_ARRAY);
    for (guint32 i = 0; i < ip->n_domains; i++)
        g_variant_builder_add(&b, "s", ip->domains[i]);
    return g_variant_builder_end(&b);
}

GVariant *addresses_ip4(const l2tpc_need *ip)
{
    static const l2tpc_address nowhere = {.family = 4};
    GVariantBuilder b;

    g_variant_builder_init(&b, G_VARIANT_TYPE_VARDICT);
    add(&b, NM_VPN_PLUGIN_IP4_CONFIG_ADDRESS, v4(&ip->local));
    add(&b, NM_VPN_PLUGIN_IP4_CONFIG_PREFIX, g_variant_new_uint32(32));
    /* A peer that calls itself by its outer address is no peer of this network. */
    if (ip->peer.family == 4 && !same(&ip->peer, &ip->server) && !same(&ip->peer, &nowhere))
        add(&b, NM_VPN_PLUGIN_IP4_CONFIG_PTP, v4(&ip->peer));
    if (ip->dns[0].family == 4 || ip->dns[1].family == 4)
        add(&b, NM_VPN_PLUGIN_IP4_CONFIG_DNS, name_servers(ip));
    if (ip->n_domains > 0)
        add(&b, NM_VPN_PLUGIN_IP4_CONFIG_DOMAINS, domains(ip));
    if (ip->n_routes > 0)
        add(&b, NM_VPN_PLUGIN_IP4_CONFIG_ROUTES, routes(ip));
    return g_variant_builder_end(&b);
}
