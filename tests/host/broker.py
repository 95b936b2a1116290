# SPDX-License-Identifier: LGPL-2.1-or-later
"""The broker: what it hands over, what it refuses, and what is left when either side is killed."""
import os
import signal
import socket
import subprocess
import time

from world import MARK, SERVER, Skip, check, run, steal

FULL, DNS, TRUST, BLOCK, BLOCK_LAN, LOOKUPS = 1, 2, 4, 8, 16, 32
LOOKUPS_ASKED = 2  # of a block
IP_FULL, IP_BLOCK6, IP_TRUST = 1, 2, 8
ALL = 0x27ffe
NOT_ALLOWED = "EACCES 2"
CASES = []


def case(function):
    CASES.append(function)
    return function


def open_broker(w, flags=FULL | DNS, allow=ALL, sockets=8, interface="l2tp%d", routes=()):
    t = w.tool(new=False)
    t.broker = int(t.ok("broker %s %s a %s %d %d %d %s" % (
        w.run_dir, w.resolv, interface, flags, allow, sockets, " ".join(routes)))["pid"])
    return t


def gone(pid):
    """No such process, or one that nobody has waited for yet."""
    try:
        with open("/proc/%d/stat" % pid) as f:
            return f.read().rsplit(")", 1)[1].split()[0] == "Z"
    except OSError:
        return True


def within_a_second(condition, text):
    end = time.monotonic() + 1
    while not condition():
        check(time.monotonic() < end, text)
        time.sleep(0.02)


def apply(name="a", dev="l2tp0", flags=IP_FULL | IP_BLOCK6, extra="dns=10.98.0.53"):
    return "apply if=%s name=%s local=10.98.0.2 peer=10.98.0.1 server=%s mtu=1380 flags=%d %s" % (
        dev, name, SERVER, flags, extra)


@case
def broker_hands_over_descriptors(w):
    t = open_broker(w)
    before = os.listdir("/proc/%d/fd" % t.broker)
    given = [t.ok("udp 4 500"), t.ok("udp 4 4500"), t.ok("esp 4"), t.ok("tun l2tp%d 1400")]
    check(given[0]["port"] == "500" and given[3]["name"] == "l2tp0", str(given))
    for o in given[:3]:
        fd = steal(t.process.pid, int(o["fd"]))
        check(not os.get_blocking(fd), "it blocks")
        with socket.socket(fileno=fd) as taken:
            check(taken.getsockopt(socket.SOL_SOCKET, 36) == MARK, "the mark is not on it")
            check(taken.getsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF) >= 4 << 20, "its buffer")
    after = os.listdir("/proc/%d/fd" % t.broker)
    # Its own netlink socket may have come.
    check(len(after) <= len(before) + 1, "the broker keeps %s, had %s" % (after, before))
    way = t.ok("way2 " + SERVER)
    check(way["via"] == "c0" and way["source"] == "198.51.100.2" and way["mtu"] == "1500", str(way))
    w.ip("route", "add", SERVER, "dev", "c0", "mtu", "1280")
    check(t.ok("way2 " + SERVER)["mtu"] == "1280", "the route's MTU is not told")


def tunnel_up(w, t):
    t.ok("udp 4 500")
    t.ok("tun l2tp%d 1400")
    t.ok(apply())
    w.expect_way("203.0.113.9", "l2tp0")
    check("nameserver 10.98.0.53" in w.read(w.resolv), w.read(w.resolv))
    check(os.listdir(w.run_dir) != [], "no journal")


def restored(w, before):
    return w.state() == before and os.listdir(w.run_dir) == []


@case
def broker_undoes_all_when_the_other_side_is_killed(w):
    before = w.state()
    t = open_broker(w)
    tunnel_up(w, t)
    check(w.state() != before, "nothing to undo")
    t.kill()
    within_a_second(lambda: restored(w, before), "not undone within a second")
    within_a_second(lambda: gone(t.broker), "the broker lives on")
    w.expect_state(before)


@case
def broker_undoes_all_at_the_end_of_file(w):
    before = w.state()
    t = open_broker(w)
    tunnel_up(w, t)
    t.end()
    within_a_second(lambda: restored(w, before), "not undone within a second")
    within_a_second(lambda: gone(t.broker), "the broker lives on")


@case
def broker_is_killed(w):
    before = w.state()
    t = open_broker(w)
    tunnel_up(w, t)
    os.kill(t.broker, signal.SIGKILL)
    within_a_second(lambda: gone(t.broker), "it lives")
    t.refused("udp 4 0", "EPIPE 19")
    t.refused("release l2tp0", "EPIPE 19")
    t.end()
    check(w.state() != before, "nothing to recover")
    again = w.tool()
    check(again.recovery["recovered"] == "1", str(again.recovery))
    w.expect_state(before)


@case
def broker_recovers_before_it_serves(w):
    before = w.state()
    t = open_broker(w)
    tunnel_up(w, t)
    os.kill(t.broker, signal.SIGKILL)
    t.end()
    open_broker(w)
    w.expect_state(before)


@case
def broker_refuses_foreign_names(w):
    t = open_broker(w, flags=FULL | DNS | BLOCK)
    t.refused(apply(), NOT_ALLOWED, "interface")  # there is no TUN yet
    for name in ("l2tp0", "vpn%d", "lan0"):
        t.refused("tun " + name, NOT_ALLOWED, "interface")
    t.ok("tun l2tp%d")
    t.refused("tun l2tp%d", NOT_ALLOWED, "second TUN")
    t.refused(apply(name="b"), NOT_ALLOWED, "tunnel name")
    t.refused(apply(dev="lan0"), NOT_ALLOWED, "interface")
    t.refused(apply(dev="l2tp1"), NOT_ALLOWED, "interface")
    t.refused("release lan0", NOT_ALLOWED)
    t.refused("block b - - 0", NOT_ALLOWED, "tunnel name")
    t.refused("block a lan0 - 0", NOT_ALLOWED, "interface")
    t.refused("block a - - 1", NOT_ALLOWED, "local network")
    t.refused("block a - - 2", NOT_ALLOWED, "lookups")
    t.refused("unblock b", NOT_ALLOWED, "tunnel name")
    t.refused("unblock -", NOT_ALLOWED, "tunnel name")
    check(os.listdir(w.run_dir) == [] if os.path.exists(w.run_dir) else True, "a journal")


@case
def broker_refuses_what_the_profile_did_not_ask_for(w):
    before = w.state()
    t = open_broker(w, flags=0, routes=("10.20.0.0/16", "203.0.113.77/24"))
    t.ok("tun l2tp%d")
    t.refused(apply(extra=""), NOT_ALLOWED, "default route")
    t.refused(apply(flags=IP_BLOCK6, extra=""), NOT_ALLOWED, "default route")
    t.refused(apply(flags=IP_TRUST, extra=""), NOT_ALLOWED, "routes of others")
    t.refused(apply(flags=0), NOT_ALLOWED, "dns")
    t.refused(apply(flags=0, extra="search=x.example"), NOT_ALLOWED, "dns")
    for route in ("10.20.0.0/15", "10.20.0.0/17", "10.21.0.0/16", "0.0.0.0/0", "0.0.0.0/1",
                  "::/0", "10.20.0.0/255"):
        t.refused(apply(flags=0, extra="route=10.20.0.0/16 route=" + route), NOT_ALLOWED, "route")
    t.refused("block a - - 0", NOT_ALLOWED, "kill switch")
    t.refused("unblock a", NOT_ALLOWED, "kill switch")
    w.expect_state(before)
    t.ok(apply(flags=0, extra="route=10.20.9.9/16 route=203.0.113.0/24"))
    w.expect_way("203.0.113.9", "l2tp0")
    w.expect_way("8.8.8.8", "c0")


@case
def broker_counts_sockets_and_types(w):
    t = open_broker(w, sockets=2, allow=ALL & ~(1 << 6))
    t.refused("udp 4 53", "EACCES 2 port")
    t.refused("udp 4 0 1", "EACCES 2 mark")
    t.ok("udp 4 500")
    t.ok("esp 4")
    t.refused("udp 4 0", NOT_ALLOWED, "sockets")
    t.refused("esp 4", NOT_ALLOWED, "sockets")
    t.refused("observe 1 " + SERVER, NOT_ALLOWED, "type")


@case
def broker_survives_garbage(w):
    t = open_broker(w)
    fds = len(os.listdir("/proc/%d/fd" % t.broker))
    for n in (1, 3, 4, 8, 100, 2500, 4000):
        t.refused("garbage %d 0 1" % n, "EINVAL 1")
    for kind in (0, 15, 31):
        t.refused("garbage 0 0 %d" % kind, "error")
    t.refused("garbage 0 0 32", "EINVAL 1")
    t.refused("garbage 0 0 4294967295", "EINVAL 1")
    t.refused("garbage 0 7 14", "EINVAL 1")
    for kind in range(1, 12):
        t.refused("garbage 0 0 %d" % kind, "error")
    t.ok("garbage 0 0 14 fd")
    t.refused("garbage 9 0 14 fd", "EINVAL 1")
    now = len(os.listdir("/proc/%d/fd" % t.broker))
    check(now <= fds + 1, "%d descriptors, not %d" % (now, fds))
    check(t.ok("udp 4 500")["port"] == "500", "it does not serve any more")


@case
def broker_leaves_the_kill_switch(w):
    if subprocess.run(["nft", "--version"], capture_output=True).returncode != 0:
        raise Skip("no nft")
    t = open_broker(w, flags=FULL | DNS | BLOCK)
    t.ok("block a - - 0")
    t.kill()
    within_a_second(lambda: gone(t.broker), "the broker lives on")
    table = run("ip", "netns", "exec", w.c, "nft", "list", "tables")
    check("l2tpc-block" in table, "the kill switch went with the process: " + table)
    t = open_broker(w, flags=FULL | DNS | BLOCK)
    t.ok("unblock a")
    check("l2tpc-block" not in run("ip", "netns", "exec", w.c, "nft", "list", "tables"), "still there")


@case
def broker_grants_what_the_kill_switch_may_let_out(w):
    t = open_broker(w, flags=BLOCK | LOOKUPS)
    t.ok("block a - - %d" % LOOKUPS_ASKED)
    t.refused("block a - - 2 1000", NOT_ALLOWED, "asker")
    t.refused("block a - - 3", NOT_ALLOWED, "local network")
    t.ok("unblock a")


@case
def broker_gives_a_second_tun_when_the_first_is_gone(w):
    """Somebody removes the interface under a living tunnel; the next dial gets another, once."""
    before = w.state()
    t = open_broker(w)
    tunnel_up(w, t)
    t.refused("tun l2tp%d", NOT_ALLOWED, "second TUN")
    w.ip("link", "set", "l2tp0", "down")
    t.refused("tun l2tp%d", NOT_ALLOWED, "second TUN")  # down is not gone
    w.ip("link", "set", "l2tp0", "name", "other0")
    w.ip("link", "del", "other0")
    t.ok("release l2tp0")
    t.ok("tun l2tp%d 1400")
    t.refused("tun l2tp%d", NOT_ALLOWED, "second TUN")
    t.ok(apply())
    w.expect_way("203.0.113.9", "l2tp0")
    t.kill()
    within_a_second(lambda: restored(w, before), "not undone within a second")
USERS = 1 << 14 | 1 << 11  # a greeting, and the kill switch's lifting


def open_doors(w, flags=FULL | DNS | BLOCK):
    t = w.tool(new=False)
    t.broker = int(t.ok("doors %s %s a %d %d %d" % (w.run_dir, w.resolv, flags, USERS,
                                                    ALL & ~(1 << 11)))["pid"])
    return t


@case
def broker_gives_each_door_its_own(w):
    """Who has the tunnel cannot lift the kill switch; who may lift it gets no socket."""
    if subprocess.run(["nft", "--version"], capture_output=True).returncode != 0:
        raise Skip("no nft")
    t = open_doors(w)
    tunnel_up(w, t)
    t.ok("block a l2tp0 - 0")
    t.refused("unblock a", NOT_ALLOWED, "type")
    t.ok("door 0")
    t.refused("udp 4 0", NOT_ALLOWED, "type")
    t.refused(apply(), NOT_ALLOWED, "type")
    t.refused("tun l2tp%d", NOT_ALLOWED, "type")
    t.ok("unblock a")
    table = run("ip", "netns", "exec", w.c, "nft", "list", "tables")
    check("l2tpc-block" not in table, "still there: " + table)


@case
def broker_undoes_what_a_closed_door_had(w):
    before = w.state()
    t = open_doors(w)
    tunnel_up(w, t)
    # Its TUN is this process's and goes with it; routes, rules and DNS are the broker's to undo.
    t.ok("shut 1")
    within_a_second(lambda: os.listdir(w.run_dir) == [], "the journal is still there")
    check("10.98.0.53" not in w.read(w.resolv), w.read(w.resolv))
    check(not gone(t.broker), "the broker went with a door that is not the last")
    t.refused("udp 4 0", NOT_ALLOWED, "type")  # it serves the other one
    t.ok("shut 0")
    within_a_second(lambda: gone(t.broker), "the broker lives on")
    t.end()
    w.expect_state(before)


@case
def broker_waits_for_nobody_who_does_not_read(w):
    t = open_doors(w)
    sent = int(t.ok("stuff 100000")["sent"])
    check(0 < sent < 100000, "it took %d requests without a reader" % sent)
    t.ok("door 0")
    begun = time.monotonic()
    t.refused("udp 4 0", NOT_ALLOWED, "type")
    check(time.monotonic() - begun < 1, "the other door waited")
    check(not gone(t.broker), "the broker is gone")


@case
def broker_opens_tcp_past_the_kill_switch(w):
    """For CAs; an unmarked connection does not leave, and who has no permission gets none."""
    if subprocess.run(["nft", "--version"], capture_output=True).returncode != 0:
        raise Skip("no nft")
    t = open_broker(w, flags=FULL | DNS | BLOCK | LOOKUPS, allow=ALL | 1 << 16)
    t.ok("block a - - %d" % LOOKUPS_ASKED)
    fd = steal(t.process.pid, int(t.ok("tcp 4")["fd"]))
    check(not os.get_blocking(fd), "it blocks")
    with socket.socket(fileno=fd) as taken:
        check(taken.type == socket.SOCK_STREAM, str(taken))
        check(taken.getsockopt(socket.SOL_SOCKET, 36) == MARK, "the mark is not on it")
    rules = run("ip", "netns", "exec", w.c, "nft", "list", "table", "inet", "l2tpc-block")
    check(any("mark 0x" in x and "tcp accept" in x for x in rules.split("\n")), rules)
    t.refused("tcp 5", "error")
    t.ok("unblock a")
    other = open_broker(w)
    other.refused("tcp 4", NOT_ALLOWED, "type")
