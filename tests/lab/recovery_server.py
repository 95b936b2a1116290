# SPDX-License-Identifier: LGPL-2.1-or-later
"""Rows of tests/lab/recovery about the server and the path to it: SoftEther."""
import json
import os
import re
import subprocess
import threading
import time

import recovering
from dial import BEHIND, GATEWAY, Client, lab, same_state
from recovering import (Sentry, Tunnel, cut, end_session, in_server, ip, mend, row, server_nft, slip)
from suite import check, sabotaged


@row(in_short=True)
def administrator_ends_the_session():
    client = Client()
    before = client.state()
    sentry = Sentry(client)
    slip(client)
    check(sentry.past() >= 3, "the server does not see what goes past")
    tunnel = Tunnel(client)
    counted = sentry.past()
    end_session(client)
    for _ in range(8):
        slip(client, 1)
    tunnel.wait_lost(5, "up.peer-closed")
    took = tunnel.wait_back(15)
    check(sentry.past() == counted, "%d packets went past" % (sentry.past() - counted))
    tunnel.works()
    tunnel.end()
    same_state(before, client.state())
    print("    back after %.1f s" % took)


# ---- F4 ----
def stage_of(tunnel):
    return ([o["stage"] for o in tunnel.objects if o.get("event") == "stage-begin"] or ["none"])[-1]


def hold_behind(client, n):
    """The server hears so many packets of the client from now on, and no more."""
    server_nft("table inet hold%d { chain in { type filter hook input priority -300; ip saddr %s udp "
               "dport { 500, 4500 } numgen inc mod 1000000 >= %d drop; }; }"
               % (client.n, client.seen, n))


@row(by_itself=True)
def f4_server_killed_at_each_stage():
    """In the dial that brings a tunnel back; nothing else dials again."""
    met = set()
    for heard in (0, 1, 2, 3, 5, 6, 8, 9, 11, 14):
        client = Client()
        before = client.state()
        tunnel = Tunnel(client, traffic=False)
        sentry = Sentry(client)
        end_session(client)
        tunnel.wait_lost(5, "up.peer-closed")
        hold_behind(client, heard)
        time.sleep(6.5)  # 4 s until the dial begins, then it is stuck
        stage = stage_of(tunnel)
        met.add(stage)
        lab("crash")
        server_nft("delete table inet hold%d" % client.n)
        time.sleep(5)
        lab("revive")
        took = tunnel.wait_back(20)
        slip(client, 1)
        print("    killed in %-11s (%2d packets heard): back %.1f s after the server, %d of its packets "
              "refused" % (stage, heard, took, sentry.counted("refused")), flush=True)
        check(sentry.past() == 0, "%d packets went past" % sentry.past())
        tunnel.works()
        tunnel.end()
        same_state(before, client.state())
    check(len(met) >= 5, "only these stages were met: %s" % sorted(met))


# ---- F5 ----
@row(by_itself=True)
def f5_server_forgets_everything():
    """It is back at once and knows nothing: what we send is answered by nobody."""
    client = Client()
    before = client.state()
    tunnel = Tunnel(client)
    sentry = Sentry(client)
    lab("crash")
    lab("revive")
    began = time.monotonic()
    tunnel.wait_lost(30, "up.peer-dead")
    noticed = time.monotonic() - began
    slip(client)
    tunnel.wait_back(40 - noticed)
    took = time.monotonic() - began
    check(sentry.past() == 0, "%d packets went past" % sentry.past())
    tunnel.works()
    tunnel.end()
    same_state(before, client.state())
    print("    noticed after %.1f s, back after %.1f s" % (noticed, took))


@row(by_itself=True)
def f5_server_is_killed_and_comes_back():
    client = Client()
    before = client.state()
    tunnel = Tunnel(client)
    lab("crash")
    time.sleep(5)
    lab("revive")
    took = tunnel.wait_back(40)
    tunnel.works()
    tunnel.end()
    same_state(before, client.state())
    print("    back %.1f s after the server" % took)


@row()
def f5_path_is_cut_for_a_minute():
    client = Client()
    before = client.state()
    sentry = Sentry(client)
    tunnel = Tunnel(client)
    counted = sentry.past()
    cut(client)
    began = time.monotonic()
    noticed = tunnel.wait_lost(30, "up.peer-dead")
    for _ in range(4):
        slip(client, 1)
    status = tunnel.fresh_status()
    check(status["state"] == "reconnecting", "the status says " + status["state"])
    time.sleep(max(0.0, 60 - (time.monotonic() - began)))
    mend(client)
    took = tunnel.wait_back(40)
    check(sentry.past() == counted, "%d packets went past" % (sentry.past() - counted))
    tunnel.works()
    tunnel.end()
    same_state(before, client.state())
    print("    noticed after %.1f s, back %.1f s after the path" % (noticed, took))


@row()
def f5_server_still_holds_the_old_tunnel():
    """The path comes back before the server has given up the tunnel that we lost."""
    client = Client()
    tunnel = Tunnel(client, "--verbose")
    cut(client)
    tunnel.wait_lost(30, "up.peer-dead")
    mend(client)
    took = tunnel.wait_back(12)
    check("sent StopCCN for the former tunnel" in tunnel.log(),
          "the old tunnel was not closed:\n" + tunnel.log())
    tunnel.works()
    tunnel.end()
    print("    back %.1f s after the loss was noticed: %s" % (took, ", ".join(
        "%s %.0f ms" % (s["stage"], s["ms"]) for s in tunnel.status["stages"])))


# ---- F6 ----
def deaf_to_esp(client):
    """IKE on 4500 stands behind four zero bytes; everything else there is ESP."""
    rule = "udp %s 4500 udp length > 12 @th,64,32 != 0 drop"
    server_nft("table inet cut%d { chain in { type filter hook input priority -300; ip saddr %s %s; }; "
               "chain out { type filter hook output priority -300; ip daddr %s %s; }; }"
               % (client.n, client.seen, rule % "dport", client.seen, rule % "sport"))


@row()
def f6_half_dead():
    """DPD is answered, ESP is not."""
    client = Client()
    before = client.state()
    tunnel = Tunnel(client)
    sentry = Sentry(client)
    deaf_to_esp(client)
    began = time.monotonic()
    tunnel.wait_lost(31, "up.peer-dead")
    noticed = time.monotonic() - began
    check(noticed <= 30.5, "noticed after %.1f s" % noticed)
    slip(client)
    mend(client)
    tunnel.wait_back(20)
    took = time.monotonic() - began
    check(took <= 45, "back after %.1f s" % took)
    check(sentry.past() == 0, "%d packets went past" % sentry.past())
    tunnel.works()
    tunnel.end()
    same_state(before, client.state())
    print("    noticed after %.1f s, back after %.1f s" % (noticed, took))


# ---- F11 ----
def nat_box(*command, text=None):
    out = subprocess.run(["ip", "netns", "exec", os.environ["LAB_NS"] + "-nat"] + list(command),
                         input=text, text=True, capture_output=True)
    check(out.returncode == 0, "%s: %s" % (command, out.stderr))
    return out.stdout


@row()
def f11_nat_port_changes():
    client = Client(nat=True)
    tunnel = Tunnel(client)
    check(tunnel.first["nat"]["encapsulation"] == "udp", "%s" % tunnel.first["nat"])
    server_nft("table inet p%d { set seen { type inet_service; flags dynamic; }; chain in { type filter "
               "hook prerouting priority -310; ip saddr %s udp dport 4500 add @seen { udp sport }; }; }"
               % (client.n, client.seen))
    # Other ports for what begins now, and what has begun is forgotten.
    nat_box("nft", "-f", "-", text="flush chain ip lab postnat; add rule ip lab postnat oif \"wan\" ip "
            "protocol udp snat to ip saddr map @seen : 30000-31000 random; add rule ip lab postnat oif "
            "\"wan\" snat to ip saddr map @seen")
    nat_box("ip", "link", "set", "wan", "down")
    forget_connections(tunnel)
    nat_box("ip", "link", "set", "wan", "up")
    nat_box("ip", "route", "replace", "default", "via", "10.99.2.1")
    began = time.monotonic()
    tunnel.pings(30)
    took = time.monotonic() - began
    check(took <= 30, "recovered after %.1f s" % took)
    ports = in_server("nft", "list", "set", "inet", "p%d" % client.n, "seen")
    check("," in ports, "the port did not change: " + ports)
    tunnel.works()
    tunnel.end()
    print("    recovered after %.1f s, %d dials" % (took, 1 + len(tunnel.events())))


def forget_connections(tunnel):
    """Without a tool: what is tracked runs out at once. An entry gets the new time by a packet of its
    own, and lives until none has come for that long."""
    names = ["net.netfilter.nf_conntrack_udp_timeout", "net.netfilter.nf_conntrack_udp_timeout_stream"]
    old = [nat_box("sysctl", "-n", n).strip() for n in names]
    for n in names:
        nat_box("sysctl", "-qw", n + "=1")
    time.sleep(1.2)  # a ping every 0.5 s
    tunnel.quiet()
    time.sleep(3)
    for n, v in zip(names, old):
        nat_box("sysctl", "-qw", "%s=%s" % (n, v))


@row()
def f11_nat_forgets_the_idle():
    """After 30 s without a packet, as many boxes do: our keepalives come before that."""
    client = Client(nat=True)
    nat_box("sysctl", "-qw", "net.netfilter.nf_conntrack_udp_timeout=30",
            "net.netfilter.nf_conntrack_udp_timeout_stream=30")
    tunnel = Tunnel(client, traffic=False)
    tunnel.works()
    time.sleep(65)
    tunnel.not_lost()
    tunnel.pings(3)
    tunnel.end()


# ---- F12 ----
def move(client, old, new):
    for words in (["addr", "del", old + "/24", "dev", "eth0"],
                  ["addr", "add", new + "/24", "dev", "eth0"],
                  ["route", "replace", "default", "via", "10.99.1.1"]):
        ip(client, *words)


@row(in_short=True)
def f12_address_changes():
    """Another network: the old address is gone, nobody could say goodbye from it."""
    client = Client()
    new = "10.99.1.%d" % (client.n + 100)
    tunnel = Tunnel(client, "--verbose")
    sentry = Sentry(client, new)
    move(client, client.address, new)
    began = time.monotonic()
    slip(client)
    tunnel.wait_lost(5, "up.network-changed")
    tunnel.wait_back(15)
    took = time.monotonic() - began
    check(tunnel.status["local"]["address"] == new, "%s" % tunnel.status["local"])
    check(sentry.past() == 0, "%d packets went past" % sentry.past())
    tunnel.works()
    tunnel.end()
    print("    up %.1f s after the change" % took)


@row()
def f12_link_flaps():
    """Ten times in a minute: at most one dial at a time, and the tunnel is there in the end."""
    client = Client()
    before = client.state()
    tunnel = Tunnel(client)
    sentry = Sentry(client)
    for _ in range(10):
        ip(client, "link", "set", "eth0", "down")
        time.sleep(2)
        ip(client, "link", "set", "eth0", "up")
        ip(client, "route", "replace", "default", "via", "10.99.1.1")
        time.sleep(4)
    tunnel.pings(20)
    begun = [o["stage"] for o in tunnel.objects if o.get("event") == "stage-begin"]
    dials = begun.count("ike-phase1")
    check(dials <= 11, "%d dials" % dials)
    check(sentry.past() == 0, "%d packets went past" % sentry.past())
    tunnel.works()
    tunnel.end()
    same_state(before, client.state())
    print("    %d dials in all" % dials)


@row()
def nothing_relevant_changes():
    client = Client()
    tunnel = Tunnel(client, traffic=False)
    for _ in range(3):
        ip(client, "link", "add", "other", "type", "veth", "peer", "name", "far")
        ip(client, "addr", "add", "198.51.100.7/24", "dev", "other")
        ip(client, "link", "set", "other", "up")
        time.sleep(1.3)
        ip(client, "link", "del", "other")
    tunnel.not_lost()
    tunnel.works()
    tunnel.end()


# ---- what only a person can cure, and the end by a person ----
@row()
def disconnect_while_reconnecting():
    client = Client()
    before = client.state()
    tunnel = Tunnel(client, traffic=False)
    end_session(client)
    tunnel.wait_lost(10)
    cut(client)
    time.sleep(1)
    began = time.monotonic()
    out = tunnel.ctl("disconnect", tunnel.name)
    took = time.monotonic() - began
    check(out.returncode == 0 and took < 1, "l2tpc disconnect: %.1f s, %s" % (took, out.stderr))
    code = tunnel.wait_end(time.monotonic() - tunnel.began + 2)
    check(code == 0, "exit status %d:\n%s" % (code, tunnel.told()))
    check(tunnel.status["state"] == "down" and not tunnel.error, "%s" % tunnel.error)
    same_state(before, client.state())
    mend(client)


@row()
def password_changed_meanwhile():
    client = Client()
    before = client.state()
    lab("admin", "UserCreate", "bob%d" % client.n, "/GROUP:none", "/REALNAME:none", "/NOTE:none")
    lab("admin", "UserPasswordSet", "bob%d" % client.n, "/PASSWORD:first")
    tunnel = Tunnel(client, user="bob%d" % client.n, password="first", traffic=False)
    lab("admin", "UserPasswordSet", "bob%d" % client.n, "/PASSWORD:second")
    end_session(client)
    tunnel.must_fail("ppp.auth.failed", time.monotonic() - tunnel.began + 20)
    check(len(tunnel.events()) == 1, "it tried %d times" % len(tunnel.events()))
    same_state(before, client.state())


@row(in_short=True)
def kill_switch_stays():
    client = Client()
    before = client.state()
    sentry = Sentry(client)
    tunnel = Tunnel(client, "--kill-switch", traffic=False)
    counted = sentry.past()
    end_session(client)
    tunnel.wait_lost(10)
    cut(client)
    for _ in range(5):
        slip(client, 1, lan=True)
    mend(client)
    tunnel.wait_back(20)
    tunnel.works()
    check(sentry.past() == counted, "%d packets went past" % (sentry.past() - counted))
    tunnel.end()
    same_state(before, client.state())


# ---- F16 ----
class Names:
    """A resolver in the client's namespace whose answer changes; without one it is silent."""

    def __init__(self, client):
        self.file = os.path.join(recovering.bench.folder, "names-%d" % client.n)
        self.client = client
        here = os.path.dirname(os.path.abspath(__file__))
        self.process = recovering.bench.spawn(
            client.command("python3", os.path.join(here, "names.py"), self.file))
        time.sleep(0.5)

    def say(self, *addresses):
        with open(self.file + ".new", "w") as f:
            f.write(" ".join(addresses))
        os.replace(self.file + ".new", self.file)


@row()
def f16_all_addresses_are_tried():
    """Two that nobody has come first."""
    client = Client()
    names = Names(client)
    names.say("10.98.0.71", "10.98.0.72", "10.99.1.1")
    cut_unused(client)
    tunnel = Tunnel(client, server="vpn.example", traffic=False)
    took = tunnel.first["stages"]
    check(tunnel.first["server"]["address"] == "10.99.1.1", "%s" % tunnel.first["server"])
    waited = time.monotonic() - tunnel.began
    check(waited <= 14, "up after %.1f s" % waited)
    tunnel.works()
    tunnel.end()
    print("    up after %.1f s (%d stages)" % (waited, len(took)))


def cut_unused(client):
    server_nft("table inet unused%d { chain in { type filter hook prerouting priority -310; ip saddr %s "
               "ip daddr { 10.98.0.71, 10.98.0.72 } drop; }; }" % (client.n, client.seen))


class Run:
    """`l2tpc run` in the client's namespace: one process that may look names up at any time."""

    def __init__(self, client, server):
        self.client, self.objects = client, []
        folder = os.path.join(recovering.bench.folder, "run-%d" % client.n)
        os.makedirs(folder)
        for what, text in (("psk", "labpsk123"), ("password", "wonderland")):
            with open(os.path.join(folder, what), "w") as f:
                f.write(text + "\n")
        self.process = subprocess.Popen(client.command(
            recovering.bench.l2tpc, "run", "--server", server, "--user", "alice", "--psk-file",
            os.path.join(folder, "psk"), "--password-file", os.path.join(folder, "password"),
            "--reconnect", "off" if sabotaged() else "on", "--no-memory", "--json", "--", "ping", "-q",
            "-i", "0.5", GATEWAY), stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE, text=True)
        recovering.bench.remember(self.process)
        threading.Thread(target=self.read, daemon=True).start()

    def read(self):
        for line in self.process.stderr:
            try:
                self.objects.append(json.loads(line))
            except ValueError:
                pass

    def wait(self, event, times, seconds, stage=None):
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            found = [o for o in self.objects
                     if o.get("event") == event and stage in (None, o.get("stage"))]
            if len(found) >= times:
                return
            time.sleep(0.1)
        check(False, "no %s within %.0f s: %s" % (event, seconds, self.objects[-30:]))


@row(by_itself=True)
def f16_name_changes_its_address():
    """The server moves: it forgets everything, its old address is dead, the name says another."""
    client = Client()
    names = Names(client)
    names.say("10.99.1.1")
    server_nft("table ip alias%d { chain in { type nat hook prerouting priority -100; ip saddr %s ip "
               "daddr 10.98.0.9 dnat to 10.99.1.1; }; chain same { type nat hook input priority 100; }; }"
               % (client.n, client.seen))
    run = Run(client, "vpn.example")
    run.wait("stage-begin", 1, 30, "up")
    names.say("10.98.0.9")
    lab("crash")
    server_nft("table inet gone%d { chain in { type filter hook prerouting priority -310; ip saddr %s ip "
               "daddr 10.99.1.1 udp dport { 500, 4500 } drop; }; }" % (client.n, client.seen))
    lab("revive")
    began = time.monotonic()
    run.wait("reconnecting", 1, 32)
    noticed = time.monotonic() - began
    # What runs inside has no rights over its network any more: another inner address ends it there.
    run.wait("stage-end", 2, 20, "ppp-auth")
    took = time.monotonic() - began
    run.process.terminate()
    run.process.wait(10)
    print("    noticed after %.1f s, logged in at the other address after %.1f s" % (noticed, took))


@row()
def f16_resolver_dies():
    """It is inside the tunnel that is lost, as it were: the address that was good is kept."""
    client = Client()
    names = Names(client)
    names.say("10.99.1.1")
    tunnel = Tunnel(client, server="vpn.example", traffic=False)
    names.process.kill()
    names.process.wait()
    end_session(client)
    tunnel.wait_lost(5, "up.peer-closed")
    took = tunnel.wait_back(15)
    tunnel.works()
    tunnel.end()
    print("    back after %.1f s" % took)


# ---- F17 ----
def hole(client, longest):
    """The path loses what is longer, both ways, and no router tells of it."""
    server_nft("table inet hole%d { chain in { type filter hook prerouting priority -400; ip saddr %s ip "
               "length > %d counter drop; }; chain out { type filter hook postrouting priority 400; ip "
               "daddr %s ip length > %d counter drop; }; }"
               % (client.n, client.seen, longest, client.seen, longest))


def swallowed(client):
    """How many packets were too long for the hole."""
    said = in_server("nft", "-j", "list", "table", "inet", "hole%d" % client.n)
    return sum(int(n) for n in re.findall(r'"packets": (\d+)', said))


def way_with_a_hole(longest, *args):
    client = Client()
    hole(client, longest)
    tunnel = Tunnel(client, *args, traffic=False)
    began = time.monotonic()
    while True:
        status = tunnel.fresh_status()["ppp"]
        if status["mtu_origin"] == "path" or time.monotonic() > began + 25:
            break
        time.sleep(0.2)
    took = time.monotonic() - began
    check(status["mtu_origin"] == "path", "the MTU comes from the " + status["mtu_origin"])
    check(longest - 120 <= status["mtu"] < longest - 60, "the MTU is %d on a way of %d bytes"
          % (status["mtu"], longest))
    device = client.run("ip", "-o", "link", "show", "dev", tunnel.fresh_status()["interface"]).stdout
    check(" mtu %d " % status["mtu"] in device, "the interface: " + device)
    before = swallowed(client)
    check(before >= 3, "only %d packets were too long" % before)
    out = client.run("curl", "-sS", "-m", 20, "-o", "/dev/null", "-w", "%{size_download}", BEHIND + "4M")
    check(out.stdout == "4194304", "fetch of 4 MiB: %s %s" % (out.stdout, out.stderr))
    check(swallowed(client) == before, "%d packets of the fetch were too long"
          % (swallowed(client) - before))
    tunnel.end()
    print("    a way of %d bytes: MTU %d after %.1f s" % (longest, status["mtu"], took))


@row(in_short=True)
def f17_way_that_loses_long_packets():
    way_with_a_hole(1280)


@row()
def f17_way_of_576_bytes():
    way_with_a_hole(576)


@row()
def f17_way_that_loses_long_packets_of_protocol_50():
    way_with_a_hole(1280, "--encapsulation", "esp")


# ---- F26 ----
@row()
def f26_same_profile_twice():
    client = Client()
    tunnel = Tunnel(client, traffic=False)
    again = Tunnel(client, name=tunnel.name, traffic=False, up=False)
    again.must_fail("local.already-up", 10)
    tunnel.not_lost()
    tunnel.works()
    tunnel.end()


@row()
def f26_two_profiles_one_server():
    client = Client()
    before = client.state()
    one = Tunnel(client, "--no-default-route", "--no-dns", "--interface", "one0", name="one",
                 traffic=False)
    two = Tunnel(client, "--no-default-route", "--no-dns", "--interface", "two0", name="two",
                 traffic=False)
    check(one.first["local"]["port"] != two.first["local"]["port"] or
          one.first["l2tp"]["tunnel_id"] != two.first["l2tp"]["tunnel_id"], "one and the same")
    check(not sabotaged(), "sabotage")
    for t in (one, two):
        out = client.run("ping", "-c", 2, "-i", "0.3", "-W", 3, "-I", t.first["interface"],
                         "192.168.30.1")
        check(out.returncode == 0, "through %s: %s" % (t.first["interface"], out.stdout))
    one.end()
    two.not_lost()
    two.end()
    same_state(before, client.state())


# ---- F27 ----
HOLDER = """
import socket, time
held = []
for port in (500, 4500, 1701):
    s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    s.bind(("0.0.0.0", port))
    held.append(s)
time.sleep(600)
"""


@row()
def f27_ports_are_busy():
    client = Client()
    before = client.state()
    holder = recovering.bench.spawn(client.command("python3", "-c", HOLDER))
    time.sleep(0.7)
    tunnel = Tunnel(client, "--verbose", traffic=False)
    local = tunnel.first["local"]
    check(local["port"] not in (500, 4500), "%s" % local)
    check(tunnel.first["nat"]["encapsulation"] == "udp", "%s" % tunnel.first["nat"])
    told = [o for o in tunnel.objects if o.get("code") == "local.port-busy"]
    named = re.search(r"500, 4500: python3 \(process (\d+)", str(told))
    check(len(told) == 1 and named, "nobody is named: %s\n%s" % (told, tunnel.told()))
    with open("/proc/%s/cmdline" % named.group(1)) as f:
        check(HOLDER in f.read(), "somebody else is named: %s" % told)
    tunnel.works()
    tunnel.end()
    holder.kill()
    holder.wait()
    time.sleep(0.3)
    same_state(before, client.state())
    print("    from port %d" % local["port"])

