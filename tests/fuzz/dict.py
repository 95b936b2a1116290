#!/usr/bin/python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""Makes a libFuzzer dictionary for a target from the dictionaries of the library (*.def) and the
words of its text formats: tests/fuzz/dict.py TARGET. Nothing for targets without one."""
import os
import re
import sys

TOP = os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "..")
ROW = re.compile(r"^([A-Z0-9_]+)\(([^\"]*?)(?:,\s*\"|\)|$)")
# Macro of a row -> how its number stands on the wire (bytes).
SIZES = {
    "PAYLOAD": 1, "EXCHANGE": 1, "NOTIFY": 2, "ID_TYPE": 1, "ESP_TRANSFORM": 1, "ESP_AUTH": 2,
    "AVP": 2, "MESSAGE": 2, "PPP_PROTOCOL": 2, "PPP_CODE": 1, "CHAP_CODE": 1, "PAP_CODE": 1,
    "LCP_OPTION": 1, "IPCP_OPTION": 1,
}
FILES = {
    "isakmp": ["libl2tpc/ike/v1/isakmp.def"], "exchange": ["libl2tpc/ike/v1/isakmp.def"],
    "ike": ["libl2tpc/ike/v1/isakmp.def"], "scan": ["libl2tpc/ike/v1/isakmp.def"],
    "l2tp": ["libl2tpc/l2tp/avp.def"], "ppp": ["libl2tpc/ppp/option.def"],
    "data": ["libl2tpc/ppp/option.def"],
    "dial": ["libl2tpc/ike/v1/isakmp.def", "libl2tpc/l2tp/avp.def", "libl2tpc/ppp/option.def"],
}
SWAN = ("aes128 aes192 aes256 3des des aes128gcm16 aes256gcm16 md5 sha1 sha256 sha384 sha512 "
        "sha256_96 modp768 modp1024 modp1536 modp2048 modp3072 modp4096 modp6144 modp8192 ecp256 "
        "ecp384 ecp521 x25519 curve25519 prfsha1 prfsha256 null ! - , ;").split()
WORDS = {
    "policy": SWAN + ["strong", "compatible", "legacy"],
    "config": SWAN + ["strong", "compatible", "legacy", "auto", "udp", "esp", "pap", "chap-md5",
                      "mschapv2", "none", "softether-utf8", "port-1701", "no-fragmentation", "no-path-mtu", "ike-quick", "up", "%d",
                      "[", "]", ":500", "::1", ".."],
    "journal": ["l2tpc-journal 1\n", "owner ", "tunnel ", "interface ", "slot ", "tun ", "addr ",
                "route ", "rule ", "rp_filter ", "resolv-conf\n", "resolved ", "end\n", "/32",
                "192.0.2.1", "2001:db8::1"],
    "servers": ["l2tpc-servers 1\n", "server ", "vendor-id ", "no-vendor-id ", "first-vendor-id ",
                "vendor-name ", "first-vendor-name ", "vendor-ids-at-most ", "l2tp-vendor ",
                "l2tp-host ", "l2tp-firmware ", "quirk installs-late\n", "quirk port-1701\n",
                "quirk softether-utf8\n", "suggest --allow pap\n", "note ", "source ", "*\n",
                "XAUTH\n", "FRAGMENTATION\n", "0x0690\n", "# "],
    "psk": ["password", "qwerty", "abcd", "2024", "1234", " ", "P@ssw0rd"],
    "learned": SWAN + ["l2tpc-learned=1\n", "server=", "port=", "ike=", "esp=", "pfs=", "encapsulation=",
                       "inner-port=1701\n", "one-ike-suite=yes\n", "one-esp-suite=no\n",
                       "floor-ike=", "floor-esp=", "auth=psk\n", "peer-id-type=", "peer-id=",
                       "fingerprint=", "address=192.0.2.1\n", "strong", "compatible", "\n"],
    "resolv": ["nameserver ", "search ", "domain ", "options ", "sortlist ", "\t", "\r\n", "#"],
    "exchange": ["SPI!", "ISAKMP-COOKIES!!"],
    "dial": ["SPI!", "ISAKMP-COOKIES!!"],
    "text": ["\\x1b[", "\\", "::ffff:", "192.0.2.1", "fe80::1%"],
}


def quoted(data):
    return '"%s"' % "".join("\\x%02x" % b for b in data)


def number(text):
    try:
        return int(text, 0)
    except ValueError:
        return None


def rows(name):
    for line in open(os.path.join(TOP, name), encoding="utf-8"):
        m = ROW.match(line.strip())
        if not m or m.group(1) not in SIZES:
            continue
        fields = [f.strip() for f in m.group(2).split(",")]
        n = number(fields[1]) if len(fields) > 1 else None
        size = SIZES[m.group(1)]
        if n is not None and n < 1 << 8 * size:
            yield n.to_bytes(size, "big")


def main():
    target = sys.argv[1]
    words = {quoted(w.encode()) for w in WORDS.get(target, [])}
    for name in FILES.get(target, []):
        words.update(quoted(b) for b in rows(name))
    if words:
        print("\n".join(sorted(words)))


main()
