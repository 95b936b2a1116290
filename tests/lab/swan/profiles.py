# SPDX-License-Identifier: LGPL-2.1-or-later
"""What a server is set to: words joined by '+', as libreswan+ike-aes256+esp-gcm+pfs."""
from place import Broken

WORDS = {
    "strongswan": ("daemon", "strongswan"), "libreswan": ("daemon", "libreswan"),
    "ike-any": ("ike", "any"), "ike-aes256": ("ike", "aes256-sha256-modp2048"),
    "ike-aes256-sha1": ("ike", "aes256-sha1-modp2048"),
    "ike-aes128": ("ike", "aes128-sha1-modp1024"), "ike-3des": ("ike", "3des-sha1-modp1024"),
    "ike-aes128-2048": ("ike", "aes128-sha1-modp2048"),
    "ike-3des-2048": ("ike", "3des-sha1-modp2048"),
    "ike-modp4096": ("ike", "aes256-sha512-modp4096"),
    "ike-ecp256": ("ike", "aes128-sha256-ecp256"), "ike-ecp384": ("ike", "aes256-sha1-ecp384"),
    "ike-many": ("ike", "aes256-aes128-sha256-sha1-modp2048-modp1024"),  # strongSwan's spelling
    "esp-any": ("esp", "any"), "esp-aes-sha1": ("esp", "aes128-sha1"),
    "esp-aes256-sha1": ("esp", "aes256-sha1"), "esp-aes-sha256": ("esp", "aes256-sha256"),
    "esp-aes-sha512": ("esp", "aes256-sha512"), "esp-3des": ("esp", "3des-sha1"),
    "esp-gcm": ("esp", "aes128gcm16"), "esp-gcm256": ("esp", "aes256gcm16"),
    "pfs": ("pfs", True), "short": ("life", "short"),
    "life-20": ("life", "20"), "life-bytes": ("life", "bytes"),
    "pap": ("ppp", "pap"), "chap": ("ppp", "chap"), "mschapv2": ("ppp", "mschap-v2"),
    "ipv6cp": ("ipv6cp", True), "mppe": ("mppe", True),
    "l2tp-kernel": ("l2tp", "kernel"), "l2tp-user": ("l2tp", "user"),
    "l2tpns": ("lns", "l2tpns"),
    "l2tp-secret": ("l2tp_secret", True), "keys": ("keys", True),
    "rsa": ("cert", "server"), "rsa-expired": ("cert", "server-expired"),
    "rsa-other-name": ("cert", "server-other"), "rsa-other-ca": ("cert", "server-ca2"),
    "ecdsa": ("cert", "ec256"), "rsa-4096": ("cert", "server-4096"),
    "rsa-sha1": ("cert", "server-sha1"),
    "rsa-common-name": ("cert", "server-cn"), "rsa-uri": ("cert", "uri"),
    "rsa-uri-revoked": ("cert", "uri-revoked"), "rsa-uri-crl": ("cert", "uri-crl"),
    "rsa-uri-evil": ("cert", "uri-evil"),
    "port-1701": ("client_port", "1701"), "sha256-96": ("cut_to_96", True),
    "aggressive": ("aggressive", True),
    "of-group": ("client_id", "@#67726f7570"), "of-name": ("client_id", "@client.lab.test"),
    "of-mail": ("client_id", "alice@lab.test"), "of-dn": ("client_id", "C=CH, O=Lab, CN=alice"),
    "of-cert-name": ("client_id", "@client.example.com"),
    "as-group": ("server_id", "@#6f6666696365"), "as-name": ("server_id", "@vpn.lab.test"),
    "as-dn": ("server_id", "C=CH, O=Lab, CN=gate"),
}
DEFAULTS = dict(daemon="strongswan", ike="any", esp="any", pfs=False, life="long", ppp="mschap-v2",
                ipv6cp=False, mppe=False, l2tp="kernel", lns="xl2tpd",
                l2tp_secret=False, keys=False,
                cert=None, client_port="%any", cut_to_96=False, aggressive=False, client_id=None,
                server_id=None)
ANY = {"ike": ["aes256-sha256-modp2048", "aes256-sha1-modp2048", "aes128-sha1-modp1024",
               "3des-sha1-modp1024"],
       "esp": ["aes128gcm16", "aes256-sha256", "aes256-sha1", "aes128-sha1", "3des-sha1"]}


def parse(text):
    conf = dict(DEFAULTS)
    for word in text.split("+"):
        if word not in WORDS:
            raise Broken("no profile word '%s'; see `lab profiles`" % word)
        key, value = WORDS[word]
        conf[key] = value
    return conf


def proposals(conf, which):
    """The daemon's spelling of its list."""
    value = conf[which]
    names = ANY[which] if value == "any" else [value]
    if conf["daemon"] == "strongswan":
        if which == "esp" and conf["pfs"]:
            names = [n + "-modp2048" for n in names]
        return ",".join(names) + "!"
    if value == "any":
        names = [n for n in names if "modp1024" not in n]  # Debian's build lacks group 2
    return ",".join(n.replace("sha256", "sha2_256").replace("aes128gcm16", "aes_gcm128-null")
                    .replace("aes256gcm16", "aes_gcm256-null").replace("ecp", "dh_ecp")
                    .replace("dh_ecp", "ecp_") for n in names)
