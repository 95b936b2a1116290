# SPDX-License-Identifier: LGPL-2.1-or-later
"""What the server says about a dial: its kernel's SAs, the logs of its daemons, its links."""
import re
import time

import guest
from place import SERVER
from suite import check

XFRM = {"AES-CBC": "cbc(aes)", "3DES-CBC": "cbc(des3_ede)", "AES-GCM": "rfc4106(gcm(aes))"}


def kernel_agrees(status, seen):
    """The server's kernel has exactly our pair, with our algorithms, in transport mode."""
    esp = status["esp"]
    sas = {sa["spi"]: sa for sa in guest.security_associations()}
    for name, src in (("spi_in", SERVER), ("spi_out", seen)):
        spi = int(str(esp[name]), 0)
        sa = sas.get(spi)
        check(sa, "the server's kernel has no SA 0x%08x (%s), only %s"
              % (spi, name, ["0x%08x" % s for s in sas]))
        check(sa["src"] == src and sa["mode"] == "transport", "%s: %s" % (name, sa))
        cipher = re.match(r"(3DES-CBC|AES-[A-Z]+)", esp["encryption"]).group(1)
        got = sa.get("enc") or sa.get("aead")
        check(got and got[0] == XFRM[cipher], "%s: the server's cipher is %s, ours %s"
              % (name, got, esp["encryption"]))
        wrapped = status["nat"]["encapsulation"] == "udp"
        check((sa["encap"] == "espinudp") == wrapped, "%s: encap %s, ours %s"
              % (name, sa["encap"], status["nat"]["encapsulation"]))


def l2tpns_agrees(status, method, user, log):
    l2tp, ppp = status["l2tp"], status["ppp"]
    check("New session (%d/%d)" % (l2tp["tunnel_id"], l2tp["session_id"]) in log,
          "l2tpns knows no session %d/%d:\n%s" % (l2tp["tunnel_id"], l2tp["session_id"], log[-600:]))
    check("%s User %s authentication allowed" % (method.split("-")[0], user) in log and ppp["auth"] == method,
          "authenticated with %s:\n%s" % (ppp["auth"], log[-600:]))
    check("Login by %s at %s from" % (user, ppp["local_ip"]) in log,
          "no login of %s at %s:\n%s" % (user, ppp["local_ip"], log[-600:]))


def daemons_agree(status, method, user="alice"):
    l2tp, ppp = status["l2tp"], status["ppp"]
    if guest.log("l2tpns.log"):
        return l2tpns_agrees(status, method, user, guest.log("l2tpns.log"))
    log = guest.log("xl2tpd.log")
    call = re.search(r"Call established with \S+, PID: \d+, Local: %d, Remote: %d, Serial"
                     % (l2tp["peer_session_id"], l2tp["session_id"]), log)
    check(call, "xl2tpd knows no call local %s remote %s:\n%s"
          % (l2tp["peer_session_id"], l2tp["session_id"], log[-600:]))
    check(re.search(r"Local: %d, Remote: %d" % (l2tp["peer_tunnel_id"], l2tp["tunnel_id"]), log),
          "xl2tpd knows no tunnel local %s remote %s" % (l2tp["peer_tunnel_id"], l2tp["tunnel_id"]))
    check(ppp["auth"] == method, "authenticated with %s, not %s" % (ppp["auth"], method))
    peers = guest.run("ip -4 -o addr show | grep ' ppp'")[1]
    check("peer %s/32" % ppp["local_ip"] in peers, "no ppp interface towards %s:\n%s"
          % (ppp["local_ip"], peers))
    check('"%s"' % user in guest.log("pppd.log"), "pppd's log does not name " + user)


def server_let_go(status):
    """After a polite end nothing of the dial is left on the server."""
    spis = [int(str(status["esp"][n]), 0) for n in ("spi_in", "spi_out")]
    end = time.monotonic() + 15  # pppd takes its time to go on a busy machine
    while True:
        left = [sa for sa in guest.security_associations() if sa["spi"] in spis]
        links = guest.run("ip -o link show type ppp")[1]
        if not left and not links.strip():
            return
        check(time.monotonic() < end, "left on the server: %s %s" % (left, links))
        time.sleep(0.1)


def strongswan_has_no_sa():
    """Who is not trusted is told so: it had believed that phase 1 was complete."""
    end = time.monotonic() + 3
    while True:
        said = guest.run("ipsec status")[1]
        if "(0 up, 0 connecting)" in said:
            break
        check(time.monotonic() < end, "left on the server: " + said)
        time.sleep(0.1)
    check("received DELETE for IKE_SA" in guest.log("charon.log"), guest.log("charon.log")[-600:])
