/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Wrote every-key.nmconnection and every-key.conf beside it, by the code of others: libnm 1.42.4
 * (nm_keyfile_write) and the export function of network-manager-l2tp 1.20.8, both as in Debian 12.
 * Not part of any build:
 *   gcc plugin_writes.c $(pkg-config --cflags --libs libnm) -o plugin_writes
 *   apt download network-manager-l2tp && dpkg -x network-manager-l2tp_*.deb root
 *   ./plugin_writes root/usr/lib/x86_64-linux-gnu/NetworkManager/libnm-vpn-plugin-l2tp.so .
 */
#include <NetworkManager.h>
#include <stdio.h>
#include <string.h>

static const char *const data[][2] = {
    {"gateway", "vpn.example.com"},
    {"user", "alice"},
    {"domain", "EXAMPLE"},
    {"user-auth-type", "password"},
    {"ephemeral-port", "yes"},
    {"refuse-eap", "yes"},
    {"refuse-pap", "yes"},
    {"refuse-mschap", "yes"},
    {"require-mppe", "yes"},
    {"require-mppe-40", "no"},
    {"require-mppe-128", "yes"},
    {"mppe-stateful", "yes"},
    {"nobsdcomp", "yes"},
    {"nodeflate", "yes"},
    {"no-vj-comp", "yes"},
    {"nopcomp", "yes"},
    {"noaccomp", "yes"},
    {"mru", "1380"},
    {"mtu", "1380"},
    {"lcp-echo-failure", "5"},
    {"lcp-echo-interval", "30"},
    {"unit", "7"},
    {"ipsec-enabled", "yes"},
    {"machine-auth-type", "psk"},
    {"machine-ca", "/etc/ssl/office ca.pem"},
    {"machine-cert", "/etc/ssl/alice.pem"},
    {"machine-key", "/etc/ssl/alice.key"},
    {"ipsec-remote-id", "@gate.example.com"},
    {"ipsec-ike", "aes256-sha2_256-modp2048,aes128-sha1-modp1024!"},
    {"ipsec-esp", "aes256-sha1,aes128-sha1!"},
    {"ipsec-ikelifetime", "28800"},
    {"ipsec-salifetime", "3600"},
    {"ipsec-forceencaps", "yes"},
    {"ipsec-ipcomp", "yes"},
    {"ipsec-pfs", "no"},
    {"password-flags", "0"},
    {"ipsec-psk-flags", "0"},
};

static NMConnection *make(void)
{
    NMConnection *c = nm_simple_connection_new();
    NMSetting *con = nm_setting_connection_new();
    NMSetting *vpn = nm_setting_vpn_new();
    NMSetting *four = nm_setting_ip4_config_new();
    NMSetting *six = nm_setting_ip6_config_new();
    NMIPRoute *route = nm_ip_route_new(AF_INET, "10.20.0.0", 16, NULL, -1, NULL);
    NMIPRoute *other = nm_ip_route_new(AF_INET, "10.30.0.0", 16, "10.20.0.1", 50, NULL);

    g_object_set(con, "id", "Every key; of 1.20", "uuid", "7f1b6a2e-3c1d-4d8e-9a43-0a1d2f4c5b6e",
                 "type", "vpn", NULL);
    g_object_set(vpn, "service-type", "org.freedesktop.NetworkManager.l2tp", "persistent", TRUE,
                 NULL);
    for (gsize i = 0; i < G_N_ELEMENTS(data); i++)
        nm_setting_vpn_add_data_item(NM_SETTING_VPN(vpn), data[i][0], data[i][1]);
    nm_setting_vpn_add_secret(NM_SETTING_VPN(vpn), "password", " won\\der\"land'; ");
    nm_setting_vpn_add_secret(NM_SETTING_VPN(vpn), "ipsec-psk", "Ng7x;4t \\s#QzV9");
    g_object_set(four, "method", "auto", "never-default", TRUE, "ignore-auto-dns", TRUE, NULL);
    nm_setting_ip_config_add_dns(NM_SETTING_IP_CONFIG(four), "10.20.0.53");
    nm_setting_ip_config_add_dns_search(NM_SETTING_IP_CONFIG(four), "example.com");
    nm_setting_ip_config_add_route(NM_SETTING_IP_CONFIG(four), route);
    nm_setting_ip_config_add_route(NM_SETTING_IP_CONFIG(four), other);
    g_object_set(six, "method", "disabled", NULL);
    nm_connection_add_setting(c, con);
    nm_connection_add_setting(c, vpn);
    nm_connection_add_setting(c, four);
    nm_connection_add_setting(c, six);
    return c;
}

int main(int argc, char **argv)
{
    GError *error = NULL;
    NMConnection *c = make();
    NMVpnEditorPlugin *plugin;
    GKeyFile *kf;
    char *path;

    if (argc != 3)
        return 2;
    plugin = nm_vpn_editor_plugin_load(argv[1], NULL, &error);
    kf = plugin ? nm_keyfile_write(c, 0, NULL, NULL, &error) : NULL;
    path = g_build_filename(argv[2], "every-key.nmconnection", NULL);
    if (!kf || !g_key_file_save_to_file(kf, path, &error)) {
        fprintf(stderr, "%s\n", error->message);
        return 1;
    }
    path = g_build_filename(argv[2], "every-key.conf", NULL);
    if (!nm_vpn_editor_plugin_export(plugin, path, c, &error)) {
        fprintf(stderr, "%s\n", error->message);
        return 1;
    }
    return 0;
}
