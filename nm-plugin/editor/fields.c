/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What the advanced part of the editor shows, page by page. */
#include "form.h"

#include <glib/gi18n-lib.h>

#define DATA L2TPC_PROFILE_DATA
#define USER L2TPC_PROFILE_USER
#define ALLOW "net.l2tpc.allow"
#define QUIRKS "net.l2tpc.quirks"

const struct field field_gateway = {FIELD_TEXT,
                                    DATA,
                                    "gateway",
                                    N_("Ser_ver"),
                                    N_("Host name or address of the server"),
                                    NULL,
                                    N_("vpn.example.com")};
const struct field field_user = {FIELD_TEXT, DATA, "user", N_("_User name"), NULL, NULL, NULL};

static const struct field_choice policies[] = {
    {"strong", N_("Strong: nothing that is known to be weak")},
    {"compatible", N_("Compatible: what most servers take")},
    {"legacy", N_("Legacy: old servers too, with groups that can be broken")},
    {"custom", N_("Custom: the proposals below")},
    {NULL, N_("As NetworkManager-l2tp does it")},
    {NULL, NULL},
};
static const struct field_choice encapsulations[] = {
    {NULL, N_("Automatic")},
    {"udp", N_("Always in UDP")},
    {"esp", N_("Never in UDP")},
    {NULL, NULL},
};
static const struct field_choice modes[] = {
    {NULL, N_("Main mode")},
    {"aggressive", N_("Aggressive mode (the key can be guessed off line)")},
    {NULL, NULL},
};
static const struct field_choice revocations[] = {
    {NULL, N_("Refuse what is known to be revoked")},
    {"hard", N_("Refuse what cannot be asked about, too")},
    {"off", N_("Do not ask")},
    {NULL, NULL},
};

static const struct field encryption[] = {
    {FIELD_CHOICE, USER, "net.l2tpc.policy", N_("Al_gorithms"),
     N_("What may be offered to the server, strongest first"), policies, NULL},
    {FIELD_TEXT, DATA, "ipsec-ike", N_("Phase _1"),
     N_("IKE proposals, for example aes256-sha256-modp2048,aes128-sha1-modp1024"), NULL,
     "aes256-sha256-modp2048"},
    {FIELD_TEXT, DATA, "ipsec-esp", N_("Phase _2"),
     N_("ESP proposals, for example aes256-sha256,aes128-sha1; a group behind them asks for "
        "perfect "
        "forward secrecy"),
     NULL, "aes256-sha256"},
    {FIELD_CHOICE, USER, "net.l2tpc.encapsulation", N_("E_ncapsulation"),
     N_("ESP in UDP passes routers with address translation; a firewall may want one or the other"),
     encapsulations, NULL},
    {FIELD_CHOICE, USER, "net.l2tpc.ike-mode", N_("Phase 1 _mode"), NULL, modes, NULL},
    {FIELD_WORD, USER, ALLOW, N_("I accept that the pre-shared key can be _guessed off line"),
     N_("Aggressive mode needs this consent"), NULL, "aggressive"},
    {FIELD_CHOICE, USER, "net.l2tpc.revocation", N_("_Revocation"),
     N_("Whether the server's certificate was withdrawn by its CA"), revocations, NULL},
    {FIELD_FLAG, DATA, "ipsec-enabled", N_("Encrypt with _IPsec (required)"),
     N_("L2TP without IPsec is never dialed: everybody on the way could read everything"), NULL,
     NULL},
};

static const struct field identities[] = {
    {FIELD_TEXT, DATA, "ipsec-remote-id", N_("Server's _identity"),
     N_("What the server must call itself; empty: anything with a pre-shared key, its name with a "
        "certificate"),
     NULL, N_("@gate.example.com or an address")},
    {FIELD_TEXT, USER, "net.l2tpc.server-id", N_("Server's identity of any _kind"),
     N_("Also keyid:, a mail address or a distinguished name"), NULL, NULL},
    {FIELD_TEXT, DATA, "ipsec-group-name", N_("_Group name"),
     N_("What we call ourselves, with a pre-shared key; macOS and iOS call it group name"), NULL,
     NULL},
    {FIELD_TEXT, USER, "net.l2tpc.local-id", N_("_Our identity of any kind"),
     N_("keyid:Sales, @laptop.example.com, a mail address or a distinguished name"), NULL, NULL},
    {FIELD_TEXT, DATA, "ipsec-gateway-id", N_("Server's identity (o_ld key)"),
     N_("The name that old profiles have for it; it goes first"), NULL, NULL},
    {FIELD_WORD, USER, ALLOW,
     N_("The server's certificate may carry its name in the old place (C_N)"), NULL, NULL,
     "cn-name"},
    {FIELD_WORD, USER, ALLOW, N_("The server's certificate may be signed over _SHA-1"), NULL, NULL,
     "sha1-chain"},
};

static const struct field login[] = {
    {FIELD_TEXT, DATA, "domain", N_("NT _domain"),
     N_("Is put in front of the user name: DOMAIN\\user"), NULL, NULL},
    {FIELD_LOGIN, DATA, "refuse-mschapv2", N_("MS-CHAP_v2"), N_("The server proves itself as well"),
     NULL, "mschapv2"},
    {FIELD_LOGIN, DATA, "refuse-chap", N_("_CHAP"), N_("With MD5"), NULL, "chap-md5"},
    {FIELD_LOGIN, DATA, "refuse-pap", N_("_PAP (the server gets the password itself)"),
     N_("Cisco Meraki and servers with LDAP need it. IPsec encrypts it on the way"), NULL, "pap"},
    {FIELD_WORD, USER, ALLOW, N_("Accept a server that wants no _login"), NULL, NULL, "none"},
};

static const struct field traffic[] = {
    {FIELD_FLAG, USER, "net.l2tpc.kill-switch", N_("_Kill switch: let nothing past the tunnel"),
     N_("Holds while the tunnel is away, until you disconnect"), NULL, NULL},
    {FIELD_FLAG, USER, "net.l2tpc.allow-lan", N_("but private networks _nearby"),
     N_("Printers and the like stay reachable"), NULL, NULL},
    {FIELD_FLAG, USER, "net.l2tpc.keep-ipv6", N_("Let IPv_6 go past the tunnel"),
     N_("Otherwise IPv6 is blocked while everything goes through the tunnel"), NULL, NULL},
    {FIELD_ON, USER, "net.l2tpc.reconnect", N_("_Reconnect when the tunnel is lost"), NULL, NULL,
     NULL},
    {FIELD_TEXT, USER, "net.l2tpc.timeout", N_("Give u_p after"),
     N_("Seconds for the whole dial, 1 to 3600"), NULL, N_("Automatic (seconds)")},
    {FIELD_TEXT, DATA, "mru", N_("Largest packet _received (MRU)"), N_("128 to 16384 bytes"), NULL,
     "1400"},
    {FIELD_TEXT, DATA, "mtu", N_("Largest packet _sent (MTU)"),
     N_("l2tpc finds it out by itself; NetworkManager-l2tp needs it"), NULL, "1400"},
};

static const struct field server[] = {
    {FIELD_WORD, USER, QUIRKS, N_("_SoftEther with a password in UTF-8"), NULL, NULL,
     "softether-utf8"},
    {FIELD_WORD, USER, QUIRKS, N_("L2TP must come from port _1701"), NULL, NULL, "port-1701"},
    {FIELD_WORD, USER, QUIRKS, N_("No _fragmentation of IKE messages"), NULL, NULL,
     "no-fragmentation"},
    {FIELD_WORD, USER, QUIRKS, N_("SHA-256 cut to _96 bits (old Linux kernels, Sophos UTM)"), NULL,
     NULL, "sha256-96"},
    {FIELD_WORD, USER, QUIRKS, N_("Do not look for the path's M_TU"), NULL, NULL, "no-path-mtu"},
    {FIELD_FLAG, DATA, "ipsec-forceencaps",
     N_("Force UDP _encapsulation (key of NetworkManager-l2tp)"), NULL, NULL, NULL},
};

static const struct field others[] = {
    {FIELD_FLAG, DATA, "ipsec-ikev2", N_("IKEv_2 (not spoken here)"), NULL, NULL, NULL},
    {FIELD_FLAG, DATA, "ipsec-pfs", N_("Perfect forward _secrecy"), NULL, NULL, NULL},
    {FIELD_FLAG, DATA, "ipsec-ipcomp", N_("IP _compression"), NULL, NULL, NULL},
    {FIELD_TEXT, DATA, "ipsec-ikelifetime", N_("Phase _1 lifetime"), N_("Seconds"), NULL, NULL},
    {FIELD_TEXT, DATA, "ipsec-salifetime", N_("Phase _2 lifetime"), N_("Seconds"), NULL, NULL},
    {FIELD_TEXT, DATA, "lcp-echo-interval", N_("Echo _interval"), N_("Seconds between LCP echoes"),
     NULL, NULL},
    {FIELD_TEXT, DATA, "lcp-echo-failure", N_("Echo _failures"),
     N_("Unanswered LCP echoes until the tunnel is given up"), NULL, NULL},
    {FIELD_TEXT, DATA, "xl2tpd-max-retries", N_("L2TP _retries"), NULL, NULL, NULL},
    {FIELD_TEXT, DATA, "ipcp-peer-ip", N_("Server's address _inside"),
     N_("Is suggested to the server"), NULL, NULL},
    {FIELD_TEXT, DATA, "mrru", N_("_Multilink MRRU"), NULL, NULL, NULL},
    {FIELD_TEXT, DATA, "unit", N_("Interface _unit"), N_("The number N of pppN"), NULL, NULL},
    {FIELD_FLAG, DATA, "ephemeral-port", N_("Random L2TP source _port"), NULL, NULL, NULL},
    {FIELD_FLAG, DATA, "require-mppe", N_("Require MPP_E"), NULL, NULL, NULL},
    {FIELD_FLAG, DATA, "require-mppe-40", N_("Require MPPE with _40 bits"), NULL, NULL, NULL},
    {FIELD_FLAG, DATA, "require-mppe-128", N_("Require MPPE with 12_8 bits"), NULL, NULL, NULL},
    {FIELD_FLAG, DATA, "mppe-stateful", N_("Stateful MPPE"), NULL, NULL, NULL},
    {FIELD_FLAG, DATA, "refuse-eap", N_("Refuse EAP"), NULL, NULL, NULL},
    {FIELD_FLAG, DATA, "refuse-mschap", N_("Refuse MS-CHAP"), NULL, NULL, NULL},
    {FIELD_FLAG, DATA, "nobsdcomp", N_("No _BSD compression"), NULL, NULL, NULL},
    {FIELD_FLAG, DATA, "nodeflate", N_("No _Deflate compression"), NULL, NULL, NULL},
    {FIELD_FLAG, DATA, "no-vj-comp", N_("No Van _Jacobson header compression"), NULL, NULL, NULL},
    {FIELD_FLAG, DATA, "nopcomp", N_("No protocol field compression"), NULL, NULL, NULL},
    {FIELD_FLAG, DATA, "noaccomp", N_("No _address field compression"), NULL, NULL, NULL},
    {FIELD_TEXT, DATA, "user-ca", N_("EAP-TLS C_A"), NULL, NULL, NULL},
    {FIELD_TEXT, DATA, "user-cert", N_("EAP-TLS certi_ficate"), NULL, NULL, NULL},
    {FIELD_TEXT, DATA, "user-key", N_("EAP-TLS _key"), NULL, NULL, NULL},
};

#define PAGE(title, introduction, fields)                                                          \
    {                                                                                              \
        title, introduction, fields, G_N_ELEMENTS(fields)                                          \
    }

const struct field_page field_pages[] = {
    PAGE(N_("Encryption"), NULL, encryption),
    PAGE(N_("Identities"), N_("Who the server must be, and who we say we are. Mostly empty."),
         identities),
    PAGE(N_("Login"), N_("The strongest way to log in that the server takes is used."), login),
    PAGE(N_("Traffic"), NULL, traffic),
    PAGE(N_("Server"), N_("What some servers need. l2tpc finds most of it out by itself."), server),
    PAGE(N_("Other clients"),
         N_("l2tpc does without these settings. They are kept for NetworkManager-l2tp, which may "
            "open this profile, too."),
         others),
};
const gsize field_pages_n = G_N_ELEMENTS(field_pages);
