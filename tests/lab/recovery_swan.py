# SPDX-License-Identifier: LGPL-2.1-or-later
"""Rows of tests/lab/recovery with strongSwan and Libreswan in User-mode Linux, for what SoftEther
cannot do: SAs that go one by one, a half-dead server, a long round trip."""
import os
import shutil
import subprocess
import time

import dial as dialing
import guest
import image
import place
import recovering
import renewals
import router
from dial import same_state
from place import INSIDE, SERVER, Broken, ns
from recovering import Tunnel, ip, row
from suite import Failed, Skip, check

BEHIND = "http://%s/" % INSIDE
PROFILES = {"strongswan": "strongswan+ike-aes256+esp-aes-sha1",
            "libreswan": "libreswan+ike-aes256-sha1+esp-aes256-sha1"}
state = {"profile": None}


def start(_):
    for tool in ("linux.uml", "mmdebstrap", "mkfs.ext4", "gcc"):
        if not shutil.which(tool):
            raise Skip("%s is not installed" % tool)
    try:
        image.build()
    except Broken as e:
        raise Failed(str(e))


def stop():
    place.stop()
    router.down()
    shutil.rmtree(place.WORK, ignore_errors=True)


def reach(daemon):
    """A server that is up; a new one when the last row has left it in pieces."""
    if state["profile"] != daemon or guest.run("ipsec status > /dev/null")[0] != 0:
        seconds = guest.boot(PROFILES[daemon])
        print("    %s: ready after %.1f s" % (daemon, seconds))
    state["profile"] = daemon
    router.rules()


class Client(dialing.Client):
    def __init__(self, n=1):
        self.n = n
        router.client(n)
        self.ns = ns(router.client_name(n))
        self.address = self.seen = place.CLIENT % (10 + n)
        self.run_dir = os.path.join(place.WORK, "run-" + self.ns)

    def command(self, *args):
        return ["ip", "netns", "exec", self.ns, "unshare", "-m", "--propagation", "private", "bash",
                "-c", 'mount -n --bind "$0" /run && exec "$@"', self.run_dir] + [str(a) for a in args]


class Sentry:
    """Counts at the router what comes from the clients and is neither IKE nor ESP."""

    def __init__(self):
        self.nft("add table inet sentry; delete table inet sentry; table inet sentry { counter past {}; "
                 "chain in { type filter hook prerouting priority -300; iifname \"lan\" udp dport "
                 "{ 500, 4500 } accept; iifname \"lan\" meta l4proto esp accept; iifname \"lan\" meta "
                 "nfproto ipv4 counter name past; }; }")

    @staticmethod
    def nft(text):
        out = subprocess.run(["ip", "netns", "exec", ns("rt"), "nft", "-f", "-"], input=text, text=True,
                             capture_output=True)
        check(out.returncode == 0, out.stderr)

    def past(self):
        out = subprocess.run(["ip", "netns", "exec", ns("rt"), "nft", "list", "counter", "inet", "sentry",
                              "past"], capture_output=True, text=True).stdout
        return int(out.split("packets ")[1].split()[0])


def tunnel_of(client, *args, **more):
    return Tunnel(client, *args, user="alice", password="Alice-pw-1", psk=place.PSK, server=SERVER,
                  beyond=INSIDE, behind=BEHIND, **more)


def both(function):
    """The row with each of the two daemons."""
    for daemon in PROFILES:
        def one(d=daemon):
            reach(d)
            try:
                function(d)
            finally:
                router.rules()
        one.__name__ = function.__name__ + "_" + daemon
        row(guest=True)(one)
    return function


def in_guest(script, timeout=40):
    rc, out = guest.run(script, timeout)
    check(rc == 0, "in the guest: " + out)
    return out


RESTART = {
    "strongswan": "ipsec stop > /dev/null 2>&1; ipsec start > /dev/null 2>&1\n"
                  "for i in $(seq 100); do ipsec status > /dev/null 2>&1 && break; sleep 0.05; done\n",
    "libreswan": "/usr/libexec/ipsec/pluto --config /etc/ipsec.conf > /dev/null 2>&1\n"
                 "for i in $(seq 100); do [ -S /run/pluto/pluto.ctl ] && break; sleep 0.05; done\n"
                 "ipsec addconn --autoall --config /etc/ipsec.conf > /dev/null 2>&1\n"}
KILL = "for p in starter charon pluto xl2tpd pppd; do pkill -9 -x $p; done; sleep 0.3\n" \
    "rm -f /run/pluto/* /var/run/charon.* /var/run/starter.*; ip xfrm state flush; ip xfrm policy flush\n" \
    "true\n"
L2TP = "xl2tpd -D -p /run/xl2tpd.pid -C /run/xl2tpd/l2tp-control > /mnt/share/xl2tpd.log 2>&1 &\n" \
    "for i in $(seq 100); do [ -e /run/xl2tpd/l2tp-control ] && break; sleep 0.05; done\n"


@both
def f5_server_restarts_with(daemon):
    """Every daemon is killed, the kernel forgets, all of it is back five seconds later."""
    client = Client()
    before = client.state()
    tunnel = tunnel_of(client)
    sentry = Sentry()
    in_guest(KILL)
    began = time.monotonic()
    time.sleep(5)
    in_guest(RESTART[daemon] + L2TP)
    back = time.monotonic()
    tunnel.wait_lost(31 - (time.monotonic() - began))
    noticed = time.monotonic() - began
    tunnel.wait_back(40 - noticed)
    took = time.monotonic() - began
    check(sentry.past() == 0, "%d packets went past" % sentry.past())
    tunnel.works()
    tunnel.end()
    same_state(before, client.state())
    print("    noticed after %.1f s, back after %.1f s (%.1f s behind the server)"
          % (noticed, took, took - (back - began)))


@both
def f6_half_dead_with(daemon):
    """The kernel drops ESP, the IKE daemon answers DPD."""
    client = Client()
    tunnel = tunnel_of(client)
    sentry = Sentry()
    deaf = "add table inet deaf; table inet deaf { chain f { type filter hook forward priority -10; meta " \
        "l4proto esp drop; udp dport 4500 udp length > 12 @th,64,32 != 0 drop; udp sport 4500 udp length " \
        "> 12 @th,64,32 != 0 drop; }; }"
    Sentry.nft(deaf)
    began = time.monotonic()
    tunnel.wait_lost(31, "up.peer-dead")
    noticed = time.monotonic() - began
    Sentry.nft("delete table inet deaf")
    tunnel.wait_back(15)
    check(sentry.past() == 0, "%d packets went past" % sentry.past())
    tunnel.works()
    tunnel.end()
    check(noticed <= 30.5, "noticed after %.1f s" % noticed)
    print("    noticed after %.1f s" % noticed)


def numbered(tunnel, seconds):
    """A stream of numbered packets both ways, and what of it was missing."""
    path = renewals.program(recovering.bench.folder)
    renewals.serve(path)
    t = renewals.Tunnel(recovering.bench, tunnel, path, 8000)
    t.start(seconds + 60)
    return t


def lost_of(stream):
    found = stream.result()
    lost, text = renewals.lines_about(stream, found)
    print("    " + text)
    return lost


@both
def f7_only_the_esp_pair_is_deleted_with(daemon):
    """A new quick mode within a second, and not more is lost than was under way without a pair."""
    client = Client()
    tunnel = tunnel_of(client, "--verbose", traffic=False)
    stream = numbered(tunnel, 12)
    time.sleep(3)
    if daemon == "strongswan":
        out = in_guest("ipsec statusall | grep -o 'l2tp{[0-9]*}' | tail -n 1")
        in_guest("ipsec down '%s' > /dev/null; true" % out.strip())
    else:
        out = in_guest("ipsec whack --showstates | grep -o '#[0-9]*: \"l2tp\".*STATE_QUICK[A-Z_0-9]*' | "
                       "tail -n 1 | grep -o '^#[0-9]*'")
        in_guest("ipsec whack --deletestate %s > /dev/null; true" % out.strip().lstrip("#"))
    time.sleep(5)
    lost = lost_of(stream)
    gap = lost / 2 / renewals.RATE  # it counts both directions
    tunnel.not_lost()
    check(0 < gap <= 1, "%d packets lost" % lost)
    tunnel.works()
    tunnel.end()
    print("    without a pair for %.2f s" % gap)


@both
def f7_everything_is_deleted_with(daemon):
    """By the administrator: the IKE SA goes, and both daemons delete its pair with it. (One without
    its pair, which neither does, is a scenario: life_ike_sa_deleted in tests/scenario.)"""
    client = Client()
    before = client.state()
    tunnel = tunnel_of(client)
    sentry = Sentry()
    if daemon == "strongswan":
        in_guest("ipsec down l2tp > /dev/null; true")
    else:
        in_guest("ipsec whack --name l2tp --terminate > /dev/null; ipsec whack --showstates | grep -o "
                 "'^#[0-9]*' | tr -d '#' | xargs -r -n 1 ipsec whack --deletestate > /dev/null; true")
    began = time.monotonic()
    tunnel.wait_lost(8, "up.peer-closed")
    tunnel.wait_back(15)
    took = time.monotonic() - began
    check(sentry.past() == 0, "%d packets went past" % sentry.past())
    tunnel.works()
    tunnel.end()
    same_state(before, client.state())
    print("    back after %.1f s" % took)


@row(guest=True)
def f8_keys_are_renewed_under_traffic():
    """By seconds and by bytes, make before break; tests/lab/interop has a hundred of each."""
    reach("strongswan")
    client = Client()
    tunnel = tunnel_of(client, "--verbose", traffic=False, env={"L2TPC_TEST_LIFE": "20 20 1024"})
    path = renewals.program(recovering.bench.folder)
    renewals.serve(path)
    stream = renewals.Tunnel(recovering.bench, tunnel, path, 60000)
    stream.start(100)
    time.sleep(42)
    pairs = tunnel.log().count("ESP pair ") - 1
    phases = tunnel.log().count("phase 1 was renewed")
    lost = lost_of(stream)
    check(pairs >= 2 and phases >= 1, "%d renewals of pairs, %d of phase 1" % (pairs, phases))
    check(lost == 0, "%d packets lost" % lost)
    tunnel.not_lost()
    tunnel.end()


@row(guest=True)
def f12_roaming_at_80_ms():
    reach("strongswan")
    client = Client()
    guest.delay(40)
    try:
        tunnel = tunnel_of(client)
        sentry = Sentry()
        new = place.CLIENT % 99
        for words in (["addr", "del", client.address + "/24", "dev", "eth0"],
                      ["addr", "add", new + "/24", "dev", "eth0"],
                      ["route", "replace", "default", "via", place.LAN]):
            ip(client, *words)
        began = time.monotonic()
        tunnel.wait_lost(5, "up.network-changed")
        tunnel.wait_back(8)
        took = time.monotonic() - began
        check(tunnel.status["local"]["address"] == new, "%s" % tunnel.status["local"])
        check(sentry.past() == 0, "%d packets went past" % sentry.past())
        tunnel.works()
        tunnel.end()
        check(took <= 5, "up %.1f s after the change" % took)
        print("    up %.1f s after the change" % took)
    finally:
        guest.delay(0)
        for words in (["addr", "flush", "dev", "eth0"],
                      ["addr", "add", client.address + "/24", "dev", "eth0"],
                      ["route", "replace", "default", "via", place.LAN]):
            ip(client, *words, must=False)
