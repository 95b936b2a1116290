# SPDX-License-Identifier: LGPL-2.1-or-later
"""The namespaces: clients on a LAN, and the router between them and the server, which translates
addresses, blocks and loses packets as it is told. The guest's two network cards are taps in the
router's namespace: `wan`, and `manage` for commands."""
import os
import shutil

from place import (CLIENT, CLIENTS, CLIENTS_MAX, INSIDE, LAN, MANAGE_HOST, WAN, WORK, Broken, ns, sh, write)


def ip(where, *args):
    return sh(["ip", "-n", ns(where)] + list(args))


def client_name(n):
    return "c%d" % n


def namespace(where, ipv6):
    sh(["ip", "netns", "add", ns(where)])
    ip(where, "link", "set", "lo", "up")
    sh(["ip", "netns", "exec", ns(where), "sysctl", "-qw",
        "net.ipv6.conf.all.disable_ipv6=%d" % (not ipv6)], check=False)


def client(n):
    """A client on the LAN, unless it is there."""
    where, port = client_name(n), "port%d" % n
    if os.path.exists("/run/netns/" + ns(where)):
        return
    namespace(where, ipv6=True)
    write("/etc/netns/%s/resolv.conf" % ns(where), "nameserver 127.0.0.1\n")
    os.makedirs(os.path.join(WORK, "run-" + ns(where)), exist_ok=True)
    sh(["ip", "link", "add", "eth0", "netns", ns(where), "type", "veth", "peer", "name", port,
        "netns", ns("rt")])
    ip("rt", "link", "set", port, "master", "lan", "up")
    # The kernel cuts what leaves in runs, so that captures see packets.
    sh(["ip", "netns", "exec", ns(where), "ethtool", "-K", "eth0", "tx-udp-segmentation", "off"])
    ip(where, "link", "set", "eth0", "addrgenmode", "none")
    ip(where, "addr", "add", CLIENT % (10 + n) + "/24", "dev", "eth0")
    ip(where, "link", "set", "eth0", "up")
    ip(where, "route", "add", "default", "via", LAN)


def up():
    down()
    namespace("rt", ipv6=False)
    # Without an address of its own it takes the lowest of its ports', anew with every client, and
    # packets that are under way to the one before are lost.
    ip("rt", "link", "add", "lan", "address", "02:4c:54:00:01:01", "type", "bridge",
       "forward_delay", "0")
    ip("rt", "addr", "add", LAN + "/24", "dev", "lan")
    ip("rt", "link", "set", "lan", "up")
    for n in range(1, CLIENTS + 1):
        client(n)
    for tap, address in (("wan", WAN), ("manage", MANAGE_HOST)):
        ip("rt", "tuntap", "add", "dev", tap, "mode", "tap")
        ip("rt", "addr", "add", address + "/24", "dev", tap)
        # On a busy machine the guest stands still for a second now and then (measured: 1.2 s); what
        # comes meanwhile waits here, as 500 packets would not be enough.
        ip("rt", "link", "set", tap, "txqueuelen", "20000", "up")
    sh(["ip", "netns", "exec", ns("rt"), "sysctl", "-qw", "net.ipv4.ip_forward=1",
        "net.ipv4.conf.all.rp_filter=0", "net.ipv4.conf.all.send_redirects=0"])
    rules()


def rules(nat=False, block=(), loss=0.0):
    """What the router does from now on; connections that it tracked are forgotten."""
    text = ["flush ruleset", "table ip lab {",
            "chain forwards { type filter hook forward priority 0; policy accept;",
            # Nothing of the tunnel's inside may pass outside of it.
            "ip daddr %s counter drop" % INSIDE]
    pieces = []
    for what in block:
        if what == "esp":
            text += ["meta l4proto 50 counter drop"]
        elif what == "fragments":
            pieces = ["chain pieces { type filter hook prerouting priority -450; policy accept;",
                      # Before connection tracking puts them together again.
                      "ip frag-off & 0x3fff != 0 counter drop", "}"]
        elif what in ("500", "4500"):
            text += ["udp dport %s counter drop" % what, "udp sport %s counter drop" % what]
        else:
            raise Broken("cannot block '%s': 500, 4500, esp or fragments" % what)
    if loss:
        text += ["numgen random mod 100000 < %d counter drop" % int(loss * 1000)]
    text += ["}"]
    if nat:
        text += ["chain hides { type nat hook postrouting priority 100; oifname \"wan\" masquerade; }"]
    text += pieces
    path = os.path.join(WORK, "router.nft")
    write(path, "\n".join(text + ["}"]) + "\n")
    sh(["ip", "netns", "exec", ns("rt"), "nft", "-f", path])


def down():
    for where in [client_name(n) for n in range(1, CLIENTS_MAX + 1)] + ["rt"]:
        if not os.path.exists("/run/netns/" + ns(where)):
            continue
        for pid in sh(["ip", "netns", "pids", ns(where)], check=False).split():
            sh(["kill", "-9", pid], check=False)
        sh(["ip", "netns", "del", ns(where)], check=False)
        shutil.rmtree("/etc/netns/" + ns(where), ignore_errors=True)
    try:
        os.rmdir("/etc/netns")
    except OSError:
        pass
