#!/usr/bin/env python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""judge.py [--expect up|ike-quick] [--polite] [--client ADDRESS] CAPTURE KEYLOG

An independent reading of what went over the wire: tshark, with the keys that a test build wrote to
L2TPC_KEYLOG, must find no cleartext L2TP or PPTP, nothing malformed, every encrypted IKE message
readable, every ESP packet authentic, and inside them the life of an L2TP connection.

A key log is one JSON object a line:
  {"kind":"ike","cookie_i":"hex","cookie_r":"hex","key":"hex"}
  {"kind":"esp","src":"ip","dst":"ip","spi":"0x...","cipher":"AES-CBC","cipher_key":"hex",
   "integ":"HMAC-SHA1-96","integ_key":"hex"}
"""
import collections
import hashlib
import json
import os
import subprocess
import sys
import tempfile

import nat

CIPHERS = {
    "AES-CBC": "AES-CBC [RFC3602]",
    "3DES-CBC": "TripleDES-CBC [RFC2451]",
    "DES-CBC": "DES-CBC [RFC2405]",
    "AES-GCM": "AES-GCM with 16 octet ICV [RFC4106]",
    "AES-GCM-16": "AES-GCM with 16 octet ICV [RFC4106]",
}
INTEGRITY = {
    "HMAC-MD5-96": "HMAC-MD5-96 [RFC2403]",
    "HMAC-SHA1-96": "HMAC-SHA-1-96 [RFC2404]",
    "HMAC-SHA2-256-96": "HMAC-SHA-256-96 [draft-ietf-ipsec-ciph-sha-256-00]",
    "HMAC-SHA2-256-128": "HMAC-SHA-256-128 [RFC4868]",
    "HMAC-SHA2-384-192": "HMAC-SHA-384-192 [RFC4868]",
    "HMAC-SHA2-512-256": "HMAC-SHA-512-256 [RFC4868]",
}
FIELDS = ["frame.number", "frame.time_epoch", "frame.protocols", "ip.src", "ip.dst", "ipv6.src",
          "ipv6.dst", "udp.port", "isakmp.exchangetype", "isakmp.flag_e", "isakmp.typepayload",
          "isakmp.ispi", "isakmp.delete.protoid", "isakmp.notify.msgtype", "esp.spi",
          "esp.icv_good", "esp.icv_bad", "l2tp.type", "l2tp.avp.message_type", "ppp.protocol",
          "ppp.code", "chap.code", "pap.code", "udp.payload", "_ws.malformed",
          "_ws.col.Info"]
PATIENCE = 600  # seconds for one reading: half a million packets take minutes on a busy machine
CLEAR = "l2tp or gre or udp.port == 1701 or tcp.port == 1723"

MAIN, AGGRESSIVE, QUICK, INFO = "2", "4", "32", "5"
P_SA, P_ID, P_HASH, P_SIG, P_DELETE, P_FRAGMENT = "1", "5", "8", "9", "12", "132"
SCCRQ, SCCRP, SCCCN, STOPCCN, ICRQ, ICRP, ICCN, CDN = "1", "2", "3", "4", "10", "11", "12", "14"
LCP, IPCP, CHAP, PAP, IPV4 = "0xc021", "0x8021", "0xc223", "0xc023", "0x0021"
CONF_REQ, CONF_ACK, TERM_REQ = "1", "2", "5"


class Unreadable(Exception):
    """tshark could not do its part; the text says why."""


def load_keys(path):
    with open(path) as f:
        return [json.loads(line) for line in f if line.strip()]


def options(keys):
    opts = ["-o", "esp.enable_encryption_decode:TRUE", "-o",
            "esp.enable_authentication_check:TRUE", "-o", "tcp.desegment_tcp_streams:FALSE"]
    for k in {json.dumps(k, sort_keys=True): k for k in keys}.values():
        if k["kind"] == "ike":
            opts += ["-o", "uat:ikev1_decryption_table:%s,%s" % (k["cookie_i"], k["key"])]
        elif k["kind"] == "esp":
            cipher, integ = CIPHERS[k["cipher"]], k.get("integ") or "NULL"
            opts += ["-o", 'uat:esp_sa:"%s","*","*","0x%08x","%s","0x%s","%s","%s"' % (
                "IPv6" if ":" in k["dst"] else "IPv4", int(k["spi"], 16), cipher, k["cipher_key"],
                INTEGRITY.get(integ, "NULL"),
                "0x" + k["integ_key"] if integ in INTEGRITY else "")]
    return opts


def tshark(*args):
    env = dict(os.environ, HOME=tempfile.gettempdir(), LC_ALL="C.UTF-8")
    try:
        out = subprocess.run(["tshark", "-n"] + list(args), capture_output=True, text=True,
                             errors="replace", timeout=PATIENCE, env=env)
    except FileNotFoundError:
        raise Unreadable("tshark is not installed")
    if out.returncode != 0:
        raise Unreadable("tshark: " + out.stderr.strip()[-400:])
    return out.stdout


def read(capture, keys, want=None):
    args = ["-r", capture, "-T", "fields", "-E", "separator=/t", "-E", "occurrence=a"]
    if keys:  # whose guesses at random user data end in errors that hide the ICV's result
        args += ["--disable-protocol", "tcp"]
    for f in FIELDS:
        args += ["-e", f]
    if want:
        args += ["-Y", want]
    packets = []
    for line in tshark(*args, *(options(keys) if keys else [])).split("\n"):
        if line:
            row = (line.split("\t") + [""] * len(FIELDS))[:len(FIELDS)]
            packets.append(dict(zip(FIELDS, row)))
    return packets


def without_repeats(capture, folder):
    """A repeated IKE message would be read with the wrong IV; the copy keeps the first of each."""
    seen, repeats = set(), []
    for p in read(capture, None, "isakmp"):
        mark = (outer(p, "src"), hashlib.sha256(p["udp.payload"].encode()).digest())
        if mark in seen:
            repeats.append(p["frame.number"])
        seen.add(mark)
    if not repeats:
        return capture
    copy = os.path.join(folder, "once.pcapng")
    tshark("-r", capture, "-w", copy, "-Y", "not (frame.number in {%s})" % ",".join(repeats))
    return copy


def thinned(capture, folder, first):
    """All of IKE, the first packets, and one in 16 of the others."""
    copy = os.path.join(folder, "thin.pcapng")
    tshark("-r", capture, "-w", copy, "-Y",
           "isakmp or frame.number <= %d or frame.number %% 16 == 0" % first)
    return copy


def outer(p, side):
    return (p["ip." + side] or p["ipv6." + side]).split(",")[0]


def values(p, field):
    return [v for v in p[field].split(",") if v]


class Verdict:
    def __init__(self):
        self.problems = []
        self.steps = []     # (who, what), in the order of the wire
        self.counts = collections.Counter()

    def problem(self, p, text):
        where = "packet %s, %s > %s: " % (p["frame.number"], outer(p, "src"), outer(p, "dst")) \
            if p else ""
        self.problems.append(where + text)

    def first(self, who, what, after=-1):
        for n, step in enumerate(self.steps):
            if n > after and step == (who, what):
                return n
        return None

    def must_see(self, *steps):
        for who, what in steps:
            if self.first(who, what) is None:
                self.problems.append("the %s's %s was not seen" % (who, what))

    def must_order(self, *steps):
        at = -1
        for who, what in steps:
            n = self.first(who, what, at)
            if n is None:
                self.problems.append("the %s's %s was not seen%s" % (
                    who, what, " after " + self.steps[at][1] if at >= 0 else ""))
                return
            at = n


def cookies(p):
    return {c.replace(":", "") for c in values(p, "isakmp.ispi")}


def of_a_dial_before(packets, keys):
    """Initiator cookies that the server alone still uses: who went away without a word is asked for
    by the server for a while. One packet of the client's own, and the keys must open it."""
    known = {k["cookie_i"] for k in keys if k["kind"] == "ike"}
    ours = [p for p in packets if cookies(p) & known]
    server = {outer(p, "dst") for p in ours[:1]}
    used = collections.defaultdict(set)
    for p in packets:
        for cookie in cookies(p):
            used[cookie].add(outer(p, "src"))
    return {c for c, senders in used.items() if c not in known and senders == server}


def judge_isakmp(v, p, who):
    # Message 2 of aggressive mode proves the server in clear.
    if set(values(p, "isakmp.exchangetype")) == {AGGRESSIVE} and \
            {P_SA, P_ID, P_HASH} <= set(values(p, "isakmp.typepayload")):
        v.steps.append((who, "aggressive-mode-auth"))
    # A reassembled message is read behind its last fragment, whose own header comes first.
    if not {"1", "True"} & set(values(p, "isakmp.flag_e")):
        return
    v.counts["ike_encrypted"] += 1
    types, exchange = values(p, "isakmp.typepayload"), values(p, "isakmp.exchangetype")[-1]
    types = [t for t in types if t != P_FRAGMENT]
    first = {MAIN: P_ID, AGGRESSIVE: P_HASH, QUICK: P_HASH, INFO: P_HASH}.get(exchange)
    if not types or first is None or types[0] != first:
        v.problem(p, "an IKE message that the keys do not open (exchange %s, payloads %s)"
                  % (exchange, ",".join(types) or "none"))
        return
    v.counts["ike_opened"] += 1
    if exchange == MAIN:
        if P_HASH not in types and P_SIG not in types:
            v.problem(p, "main mode ends without HASH or SIG")
        v.steps.append((who, "main-mode-auth"))
    elif exchange == AGGRESSIVE:
        v.steps.append((who, "aggressive-mode-auth"))
    elif exchange == QUICK:
        v.steps.append((who, "quick-mode-sa" if P_SA in types else "quick-mode-3"))
    elif P_DELETE in types:
        for proto in values(p, "isakmp.delete.protoid"):
            v.steps.append((who, {"1": "delete-ike", "3": "delete-esp"}.get(proto, "delete")))


def judge_esp(v, p, who, keys):
    v.counts["esp"] += 1
    spi = int(values(p, "esp.spi")[0], 16)
    if spi not in keys:
        v.problem(p, "ESP with SPI 0x%08x, which is not in the key log" % spi)
        return
    inside = p["frame.protocols"].split(":esp", 1)[1]
    good, bad = values(p, "esp.icv_good"), values(p, "esp.icv_bad")
    # AES-GCM: tshark 4.0 opens it and reports the ICV in the same fields.
    if (bad and bad[0] not in ("0", "False")) or (good and good[0] in ("0", "False")):
        v.problem(p, "ESP with a wrong ICV")
        return
    if not good and not keys[spi]["cipher"].startswith("AES-GCM"):
        v.problem(p, "ESP whose ICV was not checked")
        return
    if not inside.startswith(":udp:l2tp"):
        v.problem(p, "ESP that holds %s, not L2TP" % (inside.lstrip(":") or "nothing readable"))
        return
    v.counts["esp_opened"] += 1
    names = {SCCRQ: "SCCRQ", SCCRP: "SCCRP", SCCCN: "SCCCN", STOPCCN: "StopCCN", ICRQ: "ICRQ",
             ICRP: "ICRP", ICCN: "ICCN", CDN: "CDN"}
    for t in values(p, "l2tp.avp.message_type"):
        v.steps.append((who, names.get(t, "l2tp-" + t)))
    for proto in values(p, "ppp.protocol")[:1]:
        code = (values(p, "ppp.code") + values(p, "chap.code") + values(p, "pap.code") + [""])[0]
        layer = {LCP: "LCP", IPCP: "IPCP", CHAP: "CHAP", PAP: "PAP", IPV4: "IPv4"}.get(proto, proto)
        what = {CONF_REQ: "Configure-Request", CONF_ACK: "Configure-Ack",
                TERM_REQ: "Terminate-Request"}.get(code, code)
        v.steps.append((who, layer if layer in ("CHAP", "PAP", "IPv4") else
                        "%s %s" % (layer, what)))


def judge(capture, keylog, client=None, expect="up", polite=False, thin=None):
    """Everything that is wrong with a capture, and what was seen in it. Whether anything is in the
    clear is asked of every packet, also when only a part of a large capture is opened."""
    v = Verdict()
    keys = keylog if isinstance(keylog, list) else load_keys(keylog)
    spis = {int(k["spi"], 16): k for k in keys if k["kind"] == "esp"}
    only = "(ip.addr == %s) and " % client if client else ""
    for p in read(capture, None, only + "(%s)" % CLEAR):
        v.problem(p, "L2TP or PPTP in the clear: %s" % p["frame.protocols"])
    with tempfile.TemporaryDirectory() as folder:
        capture = nat.untranslated(capture, folder, tshark)
        if thin and os.path.getsize(capture) > thin * 200:
            capture = thinned(capture, folder, thin)
        packets = read(without_repeats(capture, folder), keys,
                       only + "(isakmp or esp or udpencap or _ws.malformed)")
    strangers = of_a_dial_before(packets, keys)
    initiator = next((outer(p, "src") for p in packets if cookies(p) - strangers), None)
    for p in packets:
        who = "client" if outer(p, "src") == (client or initiator) else "server"
        if p["_ws.malformed"]:
            v.problem(p, "malformed: %s" % p["_ws.col.Info"])
        if p["esp.spi"]:
            judge_esp(v, p, who, spis)
        elif cookies(p) & strangers:
            v.counts["ike_of_before"] += 1
        elif p["isakmp.exchangetype"] and not p["_ws.malformed"]:
            v.counts["ike"] += 1
            judge_isakmp(v, p, who)
    both = ("client", "server")
    mode = "aggressive-mode-auth" if v.first("client", "aggressive-mode-auth") is not None \
        else "main-mode-auth"
    v.must_see(*[(w, mode) for w in both], *[(w, "quick-mode-sa") for w in both])
    if expect == "up":
        v.must_order(("client", "SCCRQ"), ("server", "SCCRP"), ("client", "SCCCN"))
        v.must_order(("client", "SCCCN"), ("client", "ICRQ"), ("server", "ICRP"),
                     ("client", "ICCN"))
        v.must_see(*[(w, s) for w in both for s in
                     ("LCP Configure-Request", "LCP Configure-Ack", "IPCP Configure-Request",
                      "IPCP Configure-Ack")])
        if v.first("client", "CHAP") is None and v.first("client", "PAP") is None:
            v.problems.append("no PPP authentication was seen")
    elif expect == "ike-quick" and any(s[1] == "SCCRQ" for s in v.steps):
        v.problems.append("L2TP began although the dial was to end after quick mode")
    if polite and expect == "up":
        v.must_order(("client", "LCP Terminate-Request"), ("client", "CDN"), ("client", "StopCCN"),
                     ("client", "delete-esp"), ("client", "delete-ike"))
    elif polite:
        v.must_order(("client", "delete-esp"), ("client", "delete-ike"))
    return v


def main(argv):
    expect, polite, client, files = "up", False, None, []
    args = iter(argv)
    for a in args:
        if a == "--expect":
            expect = next(args)
        elif a == "--client":
            client = next(args)
        elif a == "--polite":
            polite = True
        else:
            files.append(a)
    if len(files) != 2:
        sys.stderr.write(__doc__)
        return 2
    try:
        v = judge(files[0], files[1], client, expect, polite)
    except Unreadable as e:
        print("judge: %s" % e)
        return 2
    for text in v.problems:
        print("judge: " + text)
    print("judge: %d IKE messages, %d of %d encrypted ones opened; %d of %d ESP packets opened"
          % (v.counts["ike"], v.counts["ike_opened"], v.counts["ike_encrypted"],
             v.counts["esp_opened"], v.counts["esp"]))
    return 1 if v.problems else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
