#!/usr/bin/env python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""keylog.py RECORD: the keys of a recorded dial as the lines of a key log (see judge.py).
RECORD is the .keys.json or .jsonl file that lies beside a recorded capture."""
import json
import sys

CIPHERS = {"cbc(aes)": "AES-CBC", "cbc(des3_ede)": "3DES-CBC", "rfc4106(gcm(aes))": "AES-GCM"}
INTEGRITY = {("hmac(sha1)", "96"): "HMAC-SHA1-96", ("hmac(md5)", "96"): "HMAC-MD5-96",
             ("hmac(sha256)", "128"): "HMAC-SHA2-256-128"}
KEY_BYTES = {"aes128": ("AES-CBC", 16), "aes192": ("AES-CBC", 24), "aes256": ("AES-CBC", 32),
             "3des": ("3DES-CBC", 24), "des": ("DES-CBC", 8)}
HASHES = {"sha1": "HMAC-SHA1-96", "md5": "HMAC-MD5-96"}


def from_keys(d):
    for cookie, key in zip(d["initiator_cookies"], d["ikev1_ka"]):
        yield {"kind": "ike", "cookie_i": cookie, "cookie_r": "", "key": key}
    for e in d["esp"]:
        yield {"kind": "esp", "src": e["src"], "dst": e["dst"], "spi": e["spi"],
               "cipher": CIPHERS[e["enc"]["alg"]], "cipher_key": e["enc"]["key"],
               "integ": INTEGRITY[(e["auth-trunc"]["alg"], e["auth-trunc"]["bits"])],
               "integ_key": e["auth-trunc"]["key"]}


def from_trace(lines, client="10.99.1.3", server="10.99.1.1"):
    cookie_i = cookie_r = ""
    for d in lines:
        if d["layer"] == "ike" and "hex" in d:
            cookie_i = cookie_i or d["hex"][:16]
            if d["hex"][16:32] != "0" * 16:
                cookie_r = cookie_r or d["hex"][16:32]
        elif d["layer"] == "keys" and d["what"] == "phase1":
            yield {"kind": "ike", "cookie_i": cookie_i, "cookie_r": cookie_r,
                   "key": d["parsed"].get("ka") or d["parsed"]["skeyid_e"]}
        elif d["layer"] == "keys" and d["what"] == "phase2":
            k = d["parsed"]
            cipher, n = KEY_BYTES[k["enc"]]
            for src, dst, way in ((server, client, "in"), (client, server, "out")):
                mat = k["keymat_" + way]
                yield {"kind": "esp", "src": src, "dst": dst, "spi": "0x" + k["spi_" + way],
                       "cipher": cipher, "cipher_key": mat[:2 * n], "integ": HASHES[k["auth"]],
                       "integ_key": mat[2 * n:]}


def main():
    with open(sys.argv[1]) as f:
        text = f.read()
    if sys.argv[1].endswith(".jsonl"):
        keys = from_trace((json.loads(line) for line in text.split("\n") if line), *sys.argv[2:4])
    else:
        keys = from_keys(json.loads(text))
    for k in keys:
        print(json.dumps(k))


main()
