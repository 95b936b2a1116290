# SPDX-License-Identifier: LGPL-2.1-or-later
"""The table of suites: each row is a whole dial per way through the network, judged on the wire."""
from suite import check

# name, server's profile, our --ike, --esp and policy, what the status must say of IKE and of ESP
AES256_2048 = "AES-CBC-256 SHA2-256 MODP2048"
STRONGSWAN = [
    ("aes256-sha256-modp2048", "ike-aes256+esp-aes-sha1", [], AES256_2048,
     "AES-CBC-128 HMAC-SHA1-96"),
    ("aes128-sha1-modp1024", "ike-aes128+esp-aes-sha1", ["--policy", "legacy"],
     "AES-CBC-128 SHA1 MODP1024", "AES-CBC-128 HMAC-SHA1-96"),
    ("3des-sha1-modp1024", "ike-3des+esp-3des", ["--policy", "legacy"],
     "3DES-CBC SHA1 MODP1024", "3DES-CBC HMAC-SHA1-96"),
    ("aes256-sha1-ecp384", "ike-ecp384+esp-aes256-sha1", ["--ike", "aes256-sha1-ecp384"],
     "AES-CBC-256 SHA1 ECP384", "AES-CBC-256 HMAC-SHA1-96"),
    ("aes128gcm16", "ike-aes256+esp-gcm", [], AES256_2048, "AES-GCM-128 AEAD"),
    ("aes256gcm16", "ike-aes256+esp-gcm256", [], AES256_2048, "AES-GCM-256 AEAD"),
]
# Debian's build has no modp1024.
LIBRESWAN = [
    ("aes256-sha256-modp2048", "ike-aes256+esp-aes-sha1", [], AES256_2048,
     "AES-CBC-128 HMAC-SHA1-96"),
    ("aes128-sha1-modp2048", "ike-aes128-2048+esp-aes-sha1", [],
     "AES-CBC-128 SHA1 MODP2048", "AES-CBC-128 HMAC-SHA1-96"),
    ("3des-sha1-modp2048", "ike-3des-2048+esp-3des", [],
     "3DES-CBC SHA1 MODP2048", "3DES-CBC HMAC-SHA1-96"),
    ("aes256-sha1-ecp384", "ike-ecp384+esp-aes256-sha1", ["--ike", "aes256-sha1-ecp384"],
     "AES-CBC-256 SHA1 ECP384", "AES-CBC-256 HMAC-SHA1-96"),
    ("aes128gcm16", "ike-aes256+esp-gcm", [], AES256_2048, "AES-GCM-128 AEAD"),
    ("aes256gcm16", "ike-aes256+esp-gcm256", [], AES256_2048, "AES-GCM-256 AEAD"),
]
# suffix, arguments, NAT, encapsulation that must come of it
WAYS = [("", [], False, "udp"), ("-nat", [], True, "udp"),
        ("-esp", ["--encapsulation", "esp"], False, "esp")]
CREDENTIALS = [("rsa", "rsa", "client", "rsa"), ("ecdsa", "ecdsa", "ec256", "ecdsa-256")]


def agreed(status, ike, esp):
    got = "%(encryption)s %(integrity)s %(group)s" % status["ike"]
    check(got == ike, "phase 1 is %s, not %s" % (got, ike))
    got = "%(encryption)s %(integrity)s" % status["esp"]
    check(got == esp, "phase 2 is %s, not %s" % (got, esp))


def add(case, whole_dial, with_certificate):
    def suite_row(name, profile, args, way, ike, esp):
        _, more, nat, encapsulation = way

        def row():
            agreed(whole_dial(*(args + more), nat=nat, encapsulation=encapsulation, traffic=False),
                   ike, esp)
        case(profile, name=name)(row)

    def certificate_row(name, profile, way, credential, auth):
        _, more, nat, encapsulation = way

        def row():
            status = whole_dial(*with_certificate(*more, name=credential), psk=None, nat=nat,
                                encapsulation=encapsulation, traffic=False)
            check(status["ike"]["auth"] == auth, "ike.auth is %r" % status["ike"]["auth"])
        case(profile, name=name)(row)

    for daemon, rows in (("strongswan", STRONGSWAN), ("libreswan", LIBRESWAN)):
        for name, profile, args, ike, esp in rows:
            for way in WAYS:
                suite_row("%s-%s%s" % (daemon, name, way[0]), "%s+%s" % (daemon, profile), args,
                          way, ike, esp)
        for name, word, credential, auth in CREDENTIALS:
            if daemon == "libreswan" and name == "ecdsa":
                continue  # its IKEv1 knows signatures by RSA alone
            for way in WAYS:
                certificate_row("%s-%s%s" % (daemon, name, way[0]),
                                "%s+ike-aes256+esp-aes-sha1+%s" % (daemon, word), way, credential,
                                auth)
