# SPDX-License-Identifier: LGPL-2.1-or-later
"""Rows of tests/lab/recovery about this computer: its network, its clocks, other programs, its
processes. The server is SoftEther."""
import os
import re
import signal
import subprocess
import time

import recovering
from dial import Client, same_state
from recovering import (Sentry, Tunnel, cpu_seconds, cut, end_session, in_server, ip, leaves_nothing, mend,
                        row, server_nft, slip)
from suite import Skip, check

HERE = os.path.dirname(os.path.abspath(__file__))


# ---- F13 ----
@row(in_short=True)
def f13_no_network_at_start():
    client = Client()
    ip(client, "link", "set", "eth0", "down")
    everything = "table inet all%d { counter any {}; chain in { type filter hook prerouting priority -310; " \
        "ip saddr %s counter name any; }; }" % (client.n, client.seen)
    server_nft(everything)
    tunnel = Tunnel(client, up=False, traffic=False)
    tunnel.wait_lost(5, "ike.unreachable")
    engine = tunnel.process.pid
    before, began = cpu_seconds(engine), time.monotonic()
    time.sleep(7)
    used = cpu_seconds(engine) - before
    check(tunnel.process.poll() is None, "it did not wait:\n" + tunnel.told())
    check(used <= 0.05, "%.2f s of CPU in %.1f s" % (used, time.monotonic() - began))
    check(len(tunnel.events()) == 1, "%s" % tunnel.events())
    sent = in_server("nft", "list", "counter", "inet", "all%d" % client.n, "any")
    check("packets 0 " in sent, sent)
    ip(client, "link", "set", "eth0", "up")
    ip(client, "route", "replace", "default", "via", "10.99.1.1")
    began = time.monotonic()
    tunnel.wait_for(lambda: any(o.get("stage") == "ike-auth" for o in tunnel.objects), 2.5,
                    "the dial began")
    took = time.monotonic() - began
    tunnel.is_up(15)
    tunnel.works()
    tunnel.end()
    print("    the dial is under way %.1f s after the link; %.2f s of CPU before" % (took, used))


@row()
def f13_ended_while_there_is_no_network():
    client = Client()
    ip(client, "link", "set", "eth0", "down")
    tunnel = Tunnel(client, up=False, traffic=False)
    tunnel.wait_lost(5, "ike.unreachable")
    time.sleep(1)
    began = time.monotonic()
    tunnel.process.send_signal(signal.SIGINT)
    tunnel.process.wait(5)
    took = time.monotonic() - began
    check(took <= 0.5, "it ended after %.1f s" % took)


@row()
def f13_network_gone_for_a_while():
    client = Client()
    before = client.state()
    tunnel = Tunnel(client)
    sentry = Sentry(client)
    ip(client, "link", "set", "eth0", "down")
    tunnel.wait_lost(32, "up.peer-dead")
    time.sleep(15)
    used = cpu_seconds(tunnel.process.pid)
    time.sleep(10)
    used = cpu_seconds(tunnel.process.pid) - used
    check(used <= 0.05, "%.2f s of CPU in 10 s" % used)
    ip(client, "link", "set", "eth0", "up")
    ip(client, "route", "replace", "default", "via", "10.99.1.1")
    began = time.monotonic()
    tunnel.wait_back(10)
    took = time.monotonic() - began
    check(sentry.past() == 0, "%d packets went past" % sentry.past())
    tunnel.works()
    tunnel.end()
    same_state(before, client.state())
    print("    up %.1f s after the link" % took)


# ---- F14, F28: the process stands still, as it does while the computer sleeps ----
@row()
def f14_suspended_and_forgotten():
    """The server has given us up meanwhile, and the network is there at once."""
    client = Client()
    before = client.state()
    tunnel = Tunnel(client)
    sentry = Sentry(client)
    os.kill(tunnel.process.pid, signal.SIGSTOP)
    end_session(client)
    cut(client)  # nobody tells us anything when we wake up
    time.sleep(33)
    mend(client)
    os.kill(tunnel.process.pid, signal.SIGCONT)
    began = time.monotonic()
    tunnel.wait_lost(5, "up.peer-dead", "up.peer-closed")
    noticed = time.monotonic() - began
    tunnel.wait_back(10 - noticed)
    took = time.monotonic() - began
    check(sentry.past() == 0, "%d packets went past" % sentry.past())
    tunnel.works()
    tunnel.end()
    same_state(before, client.state())
    print("    noticed after %.1f s, up after %.1f s" % (noticed, took))


@row()
def f14_suspended_and_moved():
    """Awake on another network, whose link comes up five seconds later."""
    client = Client()
    new = "10.99.1.%d" % (client.n + 100)
    tunnel = Tunnel(client)
    os.kill(tunnel.process.pid, signal.SIGSTOP)
    ip(client, "link", "set", "eth0", "down")
    ip(client, "addr", "del", client.address + "/24", "dev", "eth0")
    ip(client, "addr", "add", new + "/24", "dev", "eth0")
    time.sleep(33)
    os.kill(tunnel.process.pid, signal.SIGCONT)
    time.sleep(5)
    ip(client, "link", "set", "eth0", "up")
    ip(client, "route", "replace", "default", "via", "10.99.1.1")
    began = time.monotonic()
    tunnel.wait_back(10)
    took = time.monotonic() - began
    check(tunnel.status["local"]["address"] == new, "%s" % tunnel.status["local"])
    tunnel.works()
    tunnel.end()
    print("    up %.1f s after the link" % took)


@row(in_short=True)
def f28_stopped_for_20_s():
    """What the server keeps is kept, and no timer makes up for what it has missed."""
    client = Client()
    before = client.state()
    tunnel = Tunnel(client, "--verbose", traffic=False)
    tunnel.works()
    known = len(tunnel.log())
    os.kill(tunnel.process.pid, signal.SIGSTOP)
    time.sleep(20)
    os.kill(tunnel.process.pid, signal.SIGCONT)
    time.sleep(1)
    said = tunnel.log()[known:]
    # The server's questions of 20 s have waited in the socket and are answered; that is no timer's.
    own = re.findall(r"(sent [A-Z][A-Za-z]+ ns.*|send LCP Echo-Request.*|sent R-U.*)", said)
    check(len(own) <= 4, "%d messages in the first second:\n%s" % (len(own), said[:6000]))
    time.sleep(4)
    tunnel.not_lost()
    tunnel.works()
    tunnel.end()
    same_state(before, client.state())
    print("    in the first second: " + ", ".join(own or ["nothing of ours"]))


# ---- F15 ----
CLOCK = r"""
#define _GNU_SOURCE
#include <stdlib.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <time.h>
#include <unistd.h>

/* The wall clock jumps some seconds after the start, as often as CLOCK_JUMPS has numbers. */
static long jump(void)
{
    struct timespec t;
    static long began;
    const char *p = getenv("CLOCK_JUMPS");
    long at, off = 0;

    syscall(SYS_clock_gettime, CLOCK_MONOTONIC, &t);
    if (!began)
        began = t.tv_sec;
    for (at = 4; p && *p && t.tv_sec - began >= at; at += 4) {
        char *end;
        off = strtol(p, &end, 10);
        p = *end ? end + 1 : end;
    }
    return off;
}
int clock_gettime(clockid_t c, struct timespec *t)
{
    int rc = (int)syscall(SYS_clock_gettime, c, t);
    if (rc == 0 && (c == CLOCK_REALTIME || c == CLOCK_REALTIME_COARSE))
        t->tv_sec += jump();
    return rc;
}
time_t time(time_t *out)
{
    struct timespec t;
    clock_gettime(CLOCK_REALTIME, &t);
    if (out)
        *out = t.tv_sec;
    return t.tv_sec;
}
int gettimeofday(struct timeval *v, void *z)
{
    struct timespec t;
    clock_gettime(CLOCK_REALTIME, &t);
    if (v) {
        v->tv_sec = t.tv_sec;
        v->tv_usec = t.tv_nsec / 1000;
    }
    return 0;
}
"""


def clock_shim():
    folder = recovering.bench.folder
    path = os.path.join(folder, "clock.so")
    if not os.path.exists(path):
        with open(os.path.join(folder, "clock.c"), "w") as f:
            f.write(CLOCK)
        subprocess.run(["gcc", "-O2", "-shared", "-fPIC", "-o", path, os.path.join(folder, "clock.c")],
                       check=True)
    return path


@row()
def f15_wall_clock_jumps():
    """A day and ten years, to and fro, under a tunnel that goes on and comes back."""
    jumps = [86400, -86400, 315360000, -315360000, 0]
    client = Client()
    tunnel = Tunnel(client, env={"LD_PRELOAD": clock_shim(), "ASAN_OPTIONS": "verify_asan_link_order=0",
                                 "CLOCK_JUMPS": " ".join(map(str, jumps))})
    for _ in range(11):
        time.sleep(2)
        tunnel.pings(1)
    tunnel.not_lost()
    end_session(client)
    tunnel.wait_back(15)
    tunnel.works()
    tunnel.end()


# ---- F18 ----
@row()
def f18_interface_is_removed():
    """The broker gives another TUN, as the first one is gone."""
    client = Client()
    before = client.state()
    tunnel = Tunnel(client, "--verbose", traffic=False)
    ip(client, "link", "delete", tunnel.first["interface"])
    took = tunnel.wait_lost(1, "up.tun-gone")
    tunnel.wait_back(20)
    tunnel.works()
    tunnel.end()
    same_state(before, client.state())
    print("    noticed after %.2f s" % took)


def damaged(tunnel, *words):
    """Another program does this; within a second it is undone, and the tunnel works."""
    client = tunnel.client
    whole = client.state()
    repaired = tunnel.log().count("made again")
    ip(client, *words)
    began = time.monotonic()
    leaves_nothing(client, whole, 1.3)
    took = time.monotonic() - began
    check(tunnel.log().count("made again") > repaired, "%s was not noticed" % (words,))
    tunnel.not_lost()
    tunnel.pings(3)
    return took


def table_of(client):
    """The number of the table that has the tunnel's routes."""
    for line in ip(client, "-4", "rule").split("\n"):
        if "fwmark" in line:
            return line.split("lookup ")[1].split()[0]
    return "main"


@row(in_short=True)
def f18_interface_is_set_down():
    client = Client()
    before = client.state()
    tunnel = Tunnel(client, "--verbose", traffic=False)
    sentry = Sentry(client)
    took = damaged(tunnel, "link", "set", tunnel.first["interface"], "down")
    check(sentry.past() == 0, "%d packets went past" % sentry.past())
    tunnel.works()
    tunnel.end()
    same_state(before, client.state())
    print("    repaired after %.2f s" % took)


@row()
def f18_address_is_removed():
    client = Client()
    tunnel = Tunnel(client, "--verbose", traffic=False)
    took = damaged(tunnel, "addr", "flush", "dev", tunnel.first["interface"])
    tunnel.works()
    tunnel.end()
    print("    repaired after %.2f s" % took)


@row(in_short=True)
def f18_route_is_replaced():
    client = Client()
    before = client.state()
    tunnel = Tunnel(client, "--verbose", traffic=False)
    table = table_of(client)
    metric = ip(client, "route", "show", "table", table).split("metric ")[1].split()[0]
    took = damaged(tunnel, "route", "replace", "default", "via", "10.99.1.1", "dev", "eth0", "table", table,
                   "metric", metric)
    tunnel.works()
    tunnel.end()
    same_state(before, client.state())
    print("    repaired after %.2f s" % took)


@row()
def f18_rule_is_removed():
    client = Client()
    tunnel = Tunnel(client, "--verbose", traffic=False)
    priority = next(line.split(":")[0] for line in ip(client, "-4", "rule").split("\n")
                    if "fwmark" in line)
    took = damaged(tunnel, "-4", "rule", "del", "priority", priority)
    tunnel.works()
    tunnel.end()
    print("    repaired after %.2f s" % took)


@row()
def f18_rogue_routes_of_dhcp():
    """Two halves of the world, as option 121 could bring them: they are in another table."""
    client = Client()
    tunnel = Tunnel(client, "--verbose", traffic=False)
    sentry = Sentry(client)
    for half in ("0.0.0.0/1", "128.0.0.0/1"):
        ip(client, "route", "add", half, "via", "10.99.1.1", "dev", "eth0")
    time.sleep(1.5)
    slip(client)
    tunnel.not_lost()
    check(sentry.past() == 0, "%d packets went past" % sentry.past())
    for half in ("0.0.0.0/1", "128.0.0.0/1"):
        ip(client, "route", "del", half)
    tunnel.works()
    tunnel.end()


@row()
def f18_taken_away_again():
    """Another program insists: this one does not fight with it."""
    client = Client()
    before = client.state()
    tunnel = Tunnel(client, "--verbose", traffic=False)
    damaged(tunnel, "link", "set", tunnel.first["interface"], "down")
    ip(client, "link", "set", tunnel.first["interface"], "down")
    status = tunnel.wait_end(time.monotonic() - tunnel.began + 8)
    check(status == 1 and (tunnel.error or {}).get("code") == "local.configure",
          "exit status %d, %s" % (status, tunnel.error))
    same_state(before, client.state())


# ---- F19 ----
@row(in_short=True)
def f19_sends_are_refused():
    """Each for some seconds: EPERM by a filter, ENETUNREACH without a route, EMSGSIZE by a small MTU.
    None of it is the end."""
    client = Client()
    tunnel = Tunnel(client)
    filter_on = "table inet no { chain out { type filter hook output priority 0; udp dport { 500, 4500 } " \
        "drop; }; }"

    def nft(text):
        subprocess.run(["ip", "netns", "exec", client.ns, "nft", "-f", "-"], input=text, text=True,
                       check=True)
    nft(filter_on)
    time.sleep(4)
    nft("delete table inet no")
    tunnel.pings(5)
    ip(client, "route", "del", "default")
    ip(client, "route", "replace", "unreachable", "10.99.1.1")
    time.sleep(3)
    ip(client, "route", "del", "unreachable", "10.99.1.1")
    ip(client, "route", "replace", "default", "via", "10.99.1.1")
    tunnel.pings(5)
    ip(client, "link", "set", "eth0", "mtu", "900")
    time.sleep(2)
    client.run("ping", "-c", 2, "-s", 1200, "-i", "0.3", "-W", 1, tunnel.beyond)
    ip(client, "link", "set", "eth0", "mtu", "1500")
    tunnel.pings(5)
    tunnel.not_lost()
    tunnel.works()
    tunnel.end()


@row()
def f19_queue_of_the_interface_is_full():
    """ENOBUFS and EAGAIN are a lost packet each."""
    client = Client()
    tunnel = Tunnel(client)
    out = subprocess.run(["tc", "-n", client.ns, "qdisc", "add", "dev", "eth0", "root", "tbf", "rate", "64kbit",
                          "burst", "1600", "limit", "3000"], capture_output=True, text=True)
    if out.returncode:
        tunnel.end()
        raise Skip("this kernel has no token bucket: " + out.stderr.strip())
    client.run("ping", "-f", "-c", 400, "-s", 1000, "-W", 1, tunnel.beyond)
    subprocess.run(["tc", "-n", client.ns, "qdisc", "del", "dev", "eth0", "root"], check=True)
    tunnel.pings(10)
    tunnel.not_lost()
    tunnel.end()  # of what the queue has dropped the kernel's count is short, and the status says so


@row(by_itself=True)
def f19_server_port_is_closed():
    """ICMP port unreachable to every packet, for a while: it is a hint that the server is gone."""
    client = Client()
    tunnel = Tunnel(client)
    server_nft("table inet shut { chain in { type filter hook input priority -300; ip saddr %s udp dport "
               "{ 500, 4500 } reject with icmp type port-unreachable; }; }" % client.seen)
    time.sleep(8)
    server_nft("delete table inet shut")
    tunnel.pings(10)
    tunnel.not_lost()
    tunnel.works()
    tunnel.end()


# ---- F23, F24 ----
def name_of(pid):
    with open("/proc/%d/comm" % pid) as f:
        return f.read().strip()


def family(pid):
    found = [pid]
    for p in found:
        out = subprocess.run(["pgrep", "-P", str(p)], capture_output=True, text=True).stdout
        found += [int(c) for c in out.split()]
    return found


def engine_and_broker(tunnel):
    all_of = family(tunnel.process.pid)
    broker = [p for p in all_of if name_of(p) == "l2tpc-broker"]
    engine = [p for p in all_of if name_of(p) == "l2tpc"]
    check(len(broker) == 1 and engine, "processes: %s" % [name_of(p) for p in all_of])
    return engine[0], broker[0]


@row(in_short=True)
def f23_engine_is_killed():
    client = Client()
    before = client.state()
    tunnel = Tunnel(client, traffic=False)
    engine, _ = engine_and_broker(tunnel)
    os.kill(engine, signal.SIGKILL)
    leaves_nothing(client, before, 1.3)


@row()
def f23_engine_is_killed_behind_a_kill_switch():
    """What is blocked stays so until the user or the next dial says otherwise."""
    client = Client()
    tunnel = Tunnel(client, "--kill-switch", traffic=False)
    sentry = Sentry(client)
    engine, _ = engine_and_broker(tunnel)
    os.kill(engine, signal.SIGKILL)
    time.sleep(1.3)
    slip(client, lan=True)
    check(sentry.past() == 0, "%d packets went past" % sentry.past())
    tunnel.process.wait(3)
    again = dial_behind_a_crash(client, tunnel, "--kill-switch")
    again.works()
    slip(client, lan=True)
    check(sentry.past() == 0, "%d packets went past" % sentry.past())
    again.end()
    client.run(recovering.bench.l2tpc, "unblock")


@row(in_short=True)
def f24_broker_is_killed():
    client = Client()
    before = client.state()
    tunnel = Tunnel(client, traffic=False)
    _, broker = engine_and_broker(tunnel)
    os.kill(broker, signal.SIGKILL)
    began = time.monotonic()
    tunnel.must_fail("local.broker", began - tunnel.began + 3)
    took = time.monotonic() - began
    check(took <= 1.2, "it ended after %.1f s" % took)
    nowhere(client, tunnel.name)
    same_state(before, client.state())


def nowhere(client, name):
    """The next start puts right what is left; this one goes nowhere."""
    Tunnel(client, "--timeout", "2", server="10.98.0.77", name=name, up=False).wait_end(10)


@row()
def f24_both_are_killed():
    """As when the power fails, but for the kernel."""
    client = Client()
    before = client.state()
    tunnel = Tunnel(client, traffic=False)
    engine, broker = engine_and_broker(tunnel)
    os.kill(broker, signal.SIGSTOP)
    os.kill(engine, signal.SIGKILL)
    os.kill(broker, signal.SIGKILL)
    tunnel.process.wait(5)
    check(client.state() != before, "nothing to clean up: was the tunnel up at all?")
    nowhere(client, tunnel.name)
    same_state(before, client.state())


def dial_behind_a_crash(client, dead, *args):
    """SoftEther holds the tunnel of a dead process for 60 s, and nobody knows its IDs any more. It
    answers PPP in the first tunnel of an address and port alone: the next one has a port of its own."""
    before = dead.status["local"]["port"]
    again = Tunnel(client, *args, name="again", traffic=False)
    port = again.first["local"]["port"]
    check(port not in (before, 4500), "from port %s, before from %s" % (port, before))
    check(again.first["server"]["quirks"], "%s" % again.first["server"])
    return again


@row(in_short=True)
def f24_dials_again_after_a_crash():
    """At once, three times: the server still holds the tunnels of the dead processes."""
    client = Client()
    before = client.state()
    tunnel = Tunnel(client, traffic=False)
    for _ in range(3):
        engine, _ = engine_and_broker(tunnel)
        os.kill(engine, signal.SIGKILL)
        tunnel.process.wait(5)
        leaves_nothing(client, before, 1.3)
        began = time.monotonic()
        tunnel = dial_behind_a_crash(client, tunnel)
        took = time.monotonic() - began
        check(took <= 20, "up after %.1f s" % took)
        print("    up after %.1f s, stages: %s" % (took, ", ".join(
            "%s %.0f ms" % (s["stage"], s["ms"]) for s in tunnel.first["stages"][1:-1])))
        tunnel.works()
    tunnel.end()
    same_state(before, client.state())
