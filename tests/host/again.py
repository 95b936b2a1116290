# SPDX-License-Identifier: LGPL-2.1-or-later
"""A tunnel that is up: what is asked for a second time, and what somebody else takes away."""
import os
import subprocess
import sys
import time

from world import BLOCK6, FULL, FULL_EXTRA, MARK, SERVER, apply_line, check, check_full

CASES = []


def case(function):
    CASES.append(function)
    return function


@case
def apply_again(w):
    """A second APPLY replaces the first: a changed address, other routes."""
    before = w.state()
    t = w.tool()
    t.ok("tun l2tp0")
    t.ok(apply_line("l2tp0", "a", "10.98.0.2", FULL | BLOCK6, FULL_EXTRA))
    t.ok(apply_line("l2tp0", "a", "10.98.0.3", 0, "route=10.20.0.0/16"))
    addr = w.ip("address", "show", "dev", "l2tp0")
    check("10.98.0.3" in addr and "10.98.0.2" not in addr, addr)
    check(w.read(w.resolv) == w.old_resolv, "old DNS not back")
    w.expect_way("8.8.8.8", "c0")
    t.ok(apply_line("l2tp0", "b", "10.98.0.3", 0, "dns=10.98.0.53"))
    check("10.98.0.53" in w.read(w.resolv), "new DNS")
    t.ok(apply_line("l2tp0", "b", "10.98.0.3", 0, "dns=10.98.0.54"))
    check("10.98.0.54" in w.read(w.resolv) and "10.98.0.53" not in w.read(w.resolv), "other DNS")
    t.ok("release l2tp0")
    w.expect_state(before)
    w.expect_no_journal()


@case
def apply_again_without_a_gap(w):
    """Neither rule, default route nor resolv.conf goes while address and routes change."""
    before = w.state()
    t = w.tool()
    t.ok("tun l2tp0")
    t.ok(apply_line("l2tp0", "a", "10.98.0.2", FULL | BLOCK6, FULL_EXTRA))
    text = os.stat(w.resolv).st_mtime_ns
    monitor = subprocess.Popen(["ip", "-n", w.c, "monitor", "rule", "route"], text=True,
                               stdout=subprocess.PIPE)
    try:
        time.sleep(0.3)
        extra = FULL_EXTRA.replace("10.98.0.1", "10.97.0.1")
        t.ok(apply_line("l2tp0", "a", "10.97.0.2", FULL | BLOCK6, extra + " route=10.20.0.0/16"))
        t.refused(apply_line("l2tp0", "a", SERVER, FULL), "EINVAL")
        check_full(w)
        w.expect_way("10.20.0.1", "l2tp0")
        time.sleep(0.2)
    finally:
        monitor.terminate()
        seen = monitor.communicate(timeout=10)[0]
    gone = [l for l in seen.splitlines() if l.startswith("Deleted") and
            ("default" in l or "lookup" in l)]
    check("10.20.0.0/16" in seen and gone == [], "%s" % gone)
    check(os.stat(w.resolv).st_mtime_ns == text, "resolv.conf was written again")
    t.kill()
    w.tool()
    w.expect_state(before)


@case
def apply_again_with_the_same_peer(w):
    """The address changes and the peer does not, as when a pool gives another one: with the old
    address the kernel would take the new one along, and every route with it. Neither goes."""
    before = w.state()
    t = w.tool()
    t.ok("tun l2tp0")
    t.ok(apply_line("l2tp0", "a", "10.98.0.2", FULL | BLOCK6, FULL_EXTRA + " route=10.20.0.0/16"))
    monitor = subprocess.Popen(["ip", "-n", w.c, "monitor", "rule", "route", "address"], text=True,
                               stdout=subprocess.PIPE)
    try:
        time.sleep(0.3)
        t.ok(apply_line("l2tp0", "a", "10.98.0.3", FULL | BLOCK6,
                        FULL_EXTRA + " route=10.20.0.0/16"))
        addr = w.ip("address", "show", "dev", "l2tp0")
        check("inet 10.98.0.3 peer 10.98.0.1/32" in addr and "10.98.0.2" not in addr and
              "secondary" not in addr, addr)
        check_full(w)
        w.expect_way("10.20.0.1", "l2tp0")
        time.sleep(0.2)
    finally:
        monitor.terminate()
        seen = monitor.communicate(timeout=10)[0]
    gone = [l for l in seen.splitlines() if l.startswith("Deleted") and
            ("default" in l or "lookup" in l or "10.20.0.0/16" in l or "inet 10.98.0.3" in l)]
    check("inet 10.98.0.3" in seen and gone == [], "%s" % gone)
    t.ok("release l2tp0")
    w.expect_state(before)
    w.expect_no_journal()


# A flood that would find every way past the tunnel, until its standard input ends.
FLOOD = """
import select, socket, sys
s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
sent = 0
print("ready", flush=True)
while True:
    for _ in range(20):
        try:
            s.sendto(b"clear", ("203.0.113.9", 9))
            sent += 1
        except OSError:
            pass
    if select.select([sys.stdin], [], [], 0)[0]:
        break
print(sent)
"""
# Counts what comes out of the client's cable for that address, until its standard input ends.
WITNESS = """
import select, socket, sys
s = socket.socket(socket.AF_PACKET, socket.SOCK_RAW, socket.htons(0x0800))
s.bind(("s0", 0))
print("ready", flush=True)
seen = 0
while True:
    ready = select.select([s, sys.stdin], [], [])[0]
    if s in ready:
        seen += s.recv(2048)[30:34] == socket.inet_aton("203.0.113.9")
    elif ready:
        break
print(seen)
"""


def python_in(ns, text):
    process = subprocess.Popen(["ip", "netns", "exec", ns, sys.executable, "-c", text], text=True,
                               stdin=subprocess.PIPE, stdout=subprocess.PIPE)
    check(process.stdout.readline() == "ready\n", "no flood or no witness")
    return process


def flooded(w, change, times):
    """How much of a flood left in clear while change(i) ran so often; it was seen to flow before."""
    witness = python_in(w.s, WITNESS)
    try:
        flood = python_in(w.c, FLOOD)
        try:
            for i in range(times):
                change(i)
        finally:
            sent = int(flood.communicate("end", timeout=20)[0])
    finally:
        time.sleep(0.2)
        seen = int(witness.communicate("end", timeout=20)[0])
    return sent, seen


@case
def apply_again_with_another_peer(w):
    """The same address, another peer: both cannot stand side by side."""
    before = w.state()
    t = w.tool()
    t.ok("tun l2tp0")
    t.ok(apply_line("l2tp0", "a", "10.98.0.2", FULL | BLOCK6, FULL_EXTRA))

    def change(i):
        peer = "10.98.0.1" if i % 2 else "10.97.0.1"
        t.ok(apply_line("l2tp0", "a", "10.98.0.2", FULL | BLOCK6,
                        FULL_EXTRA.replace("10.98.0.1", peer)))
        check("peer " + peer in w.ip("address", "show", "dev", "l2tp0"), peer)

    sent, seen = flooded(w, change, 100)
    check(sent > 1000 and seen == 0, "%d packets sent, %d in clear" % (sent, seen))
    check_full(w)
    check(t.ok("repair l2tp0")["made"] == "0", "something was gone")
    t.ok("release l2tp0")
    w.expect_state(before)
    w.expect_no_journal()
    sent, seen = flooded(w, lambda i: time.sleep(0.1), 1)
    check(seen > 0, "the witness sees nothing without a tunnel either")


@case
def apply_again_with_another_tun(w):
    """Somebody removes the interface; the next one has its name and another number."""
    before = w.state()
    t = w.tool()
    t.ok("tun l2tp0")
    t.ok(apply_line("l2tp0", "a", "10.98.0.2", FULL | BLOCK6, FULL_EXTRA))
    text = os.stat(w.resolv).st_mtime_ns

    def change(_):
        w.ip("link", "del", "l2tp0")
        t.ok("tun l2tp0")
        t.ok(apply_line("l2tp0", "a", "10.98.0.2", FULL | BLOCK6, FULL_EXTRA))

    sent, seen = flooded(w, change, 20)
    check(sent > 1000 and seen == 0, "%d packets sent, %d in clear" % (sent, seen))
    check(os.stat(w.resolv).st_mtime_ns == text, "resolv.conf was written again")
    check_full(w)
    check(t.ok("repair l2tp0")["made"] == "0", "something was gone")
    t.ok("release l2tp0")
    w.expect_state(before)
    w.expect_no_journal()


@case
def full_tunnel_without_its_routes_leaks_nothing(w):
    """Somebody takes the address or the link away, and the routes with it: what went through the
    tunnel finds no way until they are back."""
    before = w.state()
    t = w.tool()
    t.ok("tun l2tp0")
    t.ok(apply_line("l2tp0", "a", "10.98.0.2", FULL | BLOCK6, FULL_EXTRA))
    for damage in (("address", "flush", "dev", "l2tp0"), ("link", "set", "l2tp0", "down"),
                   ("route", "flush", "table", "27698", "dev", "l2tp0")):
        w.ip(*damage)
        check("dev l2tp0" not in w.ip("-4", "route", "show", "table", "27698"), "%s" % (damage,))
        w.expect_way("203.0.113.9", "unreachable")
        w.expect_way(SERVER, "unreachable")
        w.expect_way(SERVER, "c0", MARK)
        w.expect_way("192.168.77.9", "lan0")
        t.ok("repair l2tp0")
        check_full(w)
    check(t.ok("repair l2tp0")["made"] == "0", "nothing was gone")
    w.ip("route", "del", "unreachable", "default", "table", "27698")
    check(t.ok("repair l2tp0")["made"] == "1", "one route was gone")
    check("unreachable default" in w.ip("-4", "route", "show", "table", "27698"), "made again")
    t.ok("release l2tp0")
    w.expect_state(before)
    w.expect_no_journal()
