/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What a file of others is, by what stands in it: desktops try every plugin with every file. */
#include "profile/internal.h"

#include <string.h>

/* A line that begins so. */
static const struct {
    const char *line, *what;
} lines_of[] = {
    {"#org.freedesktop.NetworkManager.", N_("a file of another NetworkManager plugin")},
    {"<ca>", N_("an OpenVPN configuration")},
    {"dev tun", N_("an OpenVPN configuration")},
    {"dev tap", N_("an OpenVPN configuration")},
    {"remote-cert-tls", N_("an OpenVPN configuration")},
    {"[OpenVPN", N_("an OpenVPN configuration")},
    {"auth-user-pass", N_("an OpenVPN configuration")},
    {"tls-client", N_("an OpenVPN configuration")},
    {"secret static.key", N_("an OpenVPN configuration")},
    {"IPSec gateway", N_("a vpnc configuration")},
    {"IPSec ID", N_("a vpnc configuration")},
    {"[openconnect]", N_("an OpenConnect configuration")},
    {"enc_GroupPwd", N_("a Cisco VPN client's profile")},
    {"GroupName=", N_("a Cisco VPN client's profile")},
    {"connections {", N_("a configuration of strongSwan's swanctl")},
    {"charon {", N_("a configuration of strongSwan")},
    {"remote anonymous", N_("a configuration of racoon")},
    {"sainfo ", N_("a configuration of racoon")},
    {"[lns ", N_("the configuration of an L2TP server")},
    {"pptp ", N_("a PPTP configuration")},
    {"pty \"pptp", N_("a PPTP configuration")},
    {"-----BEGIN OPENSSH", N_("a key for SSH")},
    {"-----BEGIN", N_("a certificate or a key")},
    {"[NetDev]", N_("a configuration of systemd-networkd")},
    {"config vpn", N_("a configuration of a FortiGate")},
    {"set vpn ", N_("a configuration of VyOS or EdgeOS")},
    {"conn ", N_("an IPsec configuration")},
    {"#!/", N_("a script")},
    {"host = ", N_("a configuration of openfortivpn")},
    {"nameserver ", N_("a resolver configuration")},
};

/* The kind of an XML file by its first element. */
static const struct {
    const char *element, *what;
} elements[] = {
    {"<AnyConnectProfile", N_("a Cisco AnyConnect profile")},
    {"<VPNProfile", N_("a Windows VPN profile in XML")},
    {"<forticlient", N_("a FortiClient configuration")},
    {"<svg", N_("a picture")},
    {"<html", N_("a web page")},
    {"<!DOCTYPE html", N_("a web page")},
    {"<WLANProfile", N_("a wireless network's profile")},
};

static const char *foreign_xml(const char *text)
{
    for (gsize i = 0; i < G_N_ELEMENTS(elements); i++)
        if (contains_ci(text, elements[i].element))
            return elements[i].what;
    return N_("another XML file");
}

static const char *foreign_json(const char *text)
{
    if (strstr(text, "ikev2-eap") || strstr(text, "ikev2-cert") || strstr(text, "ikev2-byod"))
        return N_("a strongSwan profile for IKEv2");
    return N_("another JSON file");
}

const char *foreign_text(const char *text)
{
    gsize skip = strspn(text, " \t\r\n");

    if (text[skip] == '<' && !text_has_line(text, "remote "))
        return foreign_xml(text);
    if (text[skip] == '{')
        return foreign_json(text);
    if (text_has_line(text, "[Interface]") && text_has_line(text, "PrivateKey"))
        return N_("a WireGuard configuration");
    if (text_has_line(text, "[Peer]") && text_has_line(text, "PublicKey"))
        return N_("a WireGuard configuration");
    if (text_has_line(text, "client") && text_has_line(text, "remote "))
        return N_("an OpenVPN configuration");
    for (gsize i = 0; i < G_N_ELEMENTS(lines_of); i++)
        if (text_has_line(text, lines_of[i].line))
            return lines_of[i].what;
    if (text_has_line(text, "config interface") || text_has_line(text, "/interface"))
        return N_("a router's configuration without an L2TP client");
    return NULL;
}
