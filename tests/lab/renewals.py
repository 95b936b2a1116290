# SPDX-License-Identifier: LGPL-2.1-or-later
"""Renewal of keys under traffic against real servers: several tunnels at once, each with a stream of
numbered packets in both directions and a TCP transfer; not one packet may be missing."""
import contextlib
import json
import os
import shutil
import signal
import subprocess
import time

import guest
import place
import router
from place import INSIDE, WAN
from suite import Failed, check, sabotaged
from witness import kernel_agrees

HERE = os.path.dirname(os.path.abspath(__file__))
PORT = 40777  # of no protocol that tshark knows: it would put TCP together and lose sight of ESP
RATE = int(os.environ.get("STREAM_RATE", "100"))  # packets per second, tunnel and direction
DROPS = "grep -v '\t0$' /proc/net/xfrm_stat; ip -s link show dev eth0; grep Udp: /proc/net/snmp"


def program(folder):
    path = os.path.join(folder, "stream")
    if not os.path.exists(path):
        place.sh(["gcc", "-O2", "-Wall", "-o", path, os.path.join(HERE, "stream.c")])
    return path


def serve(path):
    shutil.copy(path, os.path.join(place.SHARE, "stream"))
    rc, out = guest.run("pidof stream > /dev/null || "
                        "setsid /mnt/share/stream serve %d > /mnt/share/stream.log 2>&1 &" % PORT)
    check(rc == 0, "stream in the guest: " + out)


BURDEN = """setsid sh -c 'while [ -e /run/burden ]; do
    for d in %s; do kill -STOP $(pidof %s); sleep $d; kill -CONT $(pidof %s); sleep 3; done
done' > /dev/null 2>&1 &
for i in 1 2 3; do setsid sh -c 'while [ -e /run/burden ]; do :; done' > /dev/null 2>&1 & done"""


class Burdened:
    """A server whose daemon stands still for a while again and again, on a machine that has three
    other things to do: it answers late, and its kernel uses new keys before it has told us."""

    def __init__(self, daemon, pauses="0.3 1 4.5"):
        self.start = BURDEN % (pauses, daemon, daemon)
        self.daemon = daemon

    def __enter__(self):
        rc, out = guest.run("touch /run/burden\n" + self.start)
        check(rc == 0, "no burden: " + out)

    def __exit__(self, *_):
        guest.run("rm -f /run/burden; sleep 5; kill -CONT $(pidof %s)" % self.daemon)


def drops():
    """Where the machines on the way count what they lost."""
    return guest.run(DROPS)[1] + place.sh(["ip", "-n", place.ns("rt"), "-s", "link", "show", "wan"])


class Tunnel:
    """A dial with its stream; `tcp` is in bytes per second."""

    def __init__(self, bench, dialed, path, tcp):
        self.dial, self.tcp, self.bench, self.path = dialed, tcp, bench, path
        self.stream = None

    def start(self, seconds):
        self.dial.client.run("ping", "-c", 3, "-i", "0.3", "-W", 3, INSIDE)
        self.stream = subprocess.Popen(
            self.dial.client.command(self.path, "run", INSIDE, PORT, RATE, seconds, self.tcp),
            stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
        self.bench.remember(self.stream)

    def result(self):
        self.stream.send_signal(signal.SIGINT)
        try:
            out = self.stream.communicate(timeout=40)[0]
            return json.loads(out.strip().split("\n")[-1])
        except (subprocess.TimeoutExpired, ValueError):
            raise Failed("the stream of %s told nothing:\n%s" % (self.dial.name, self.dial.told()))

    def renewals(self):
        """(phase 2, phase 1 of ours, phase 1 of the server's), as far as the dial's log tells."""
        with open(self.dial.stderr_path, errors="replace") as f:
            log = f.read()
        peer = log.count("phase 1 was renewed by the server")
        return log.count("ESP pair ") - 1, log.count("phase 1 was renewed") - peer, peer


def lines_about(tunnel, found):
    """One line per tunnel; what was lost in it, with the places."""
    up, down, tcp = found["up"], found["down"], found["tcp"]
    lost = up["sent"] - up["received"] + down["sent"] - down["received"]
    text = "%s: up %d of %d, down %d of %d, TCP %d kB, renewed %s" % (
        tunnel.dial.name, up["received"], up["sent"], down["received"], down["sent"],
        tcp["received"] // 1000, "%d / %d+%d" % tuple(max(0, k) for k in tunnel.renewals()))
    for way in ("lost_up", "lost_down"):
        if found[way]:
            text += "\n      %s: %s" % (way, ", ".join(
                "%d at %.2f" % (p["seq"], p["at"]) for p in found[way]))
    return lost, text


def finish(tunnels, before):
    """Ends the streams and says what they counted; nothing may be missing."""
    results = [(t, t.result()) for t in tunnels]
    told = [lines_about(t, r) for t, r in results]
    for _, text in told:
        print("    " + text)
    lost = sum(k for k, _ in told)
    print("    %d of %d packets lost" % (lost, sum(r["up"]["sent"] + r["down"]["sent"]
                                                   for _, r in results)))
    check(all(r["reported"] for _, r in results), "the server's end did not report")
    check(lost == 0 and not sabotaged(), "%d packets lost\nbefore: %s\nafter: %s"
          % (lost, before, drops()))
    check(all(r["tcp"]["same"] for _, r in results), "TCP brought other bytes")


def hold(bench, dials, seconds, tcp=8000):
    """Traffic through tunnels that are up, for so long."""
    path = program(bench.folder)
    serve(path)
    tunnels = [Tunnel(bench, d, path, tcp) for d in dials]
    before = drops()
    for t in tunnels:
        t.start(seconds + 60)
    time.sleep(seconds)
    finish(tunnels, before)


def until_renewed(tunnels, pairs, phases, end):
    while True:
        time.sleep(1)
        all_of = [t.renewals() for t in tunnels]
        got = sum(a[0] for a in all_of), sum(a[1] + a[2] for a in all_of)
        if got[0] >= pairs and got[1] >= phases:
            return got, all_of
        for t in tunnels:
            check(t.dial.process.poll() is None, "%s ended:\n%s" % (t.dial.name, t.dial.told()))
        check(time.monotonic() < end, "only %d renewals of ESP pairs and %d of phase 1 in time" % got)


def under_traffic(bench, dial_one, n, pairs, phases, limit, tcp=8000, began_by=None, burden=None):
    """Runs n tunnels until there were so many renewals of ESP pairs and of phase 1 in all."""
    path = program(bench.folder)
    serve(path)
    tunnels = []
    for i in range(n):
        # One after the other: strongSwan takes no more than five half-open IKE SAs of one address.
        tunnels.append(Tunnel(bench, dial_one(i + 1), path, tcp))
        tunnels[-1].dial.wait_up(60)
        tunnels[-1].start(limit + 60)
    began = time.monotonic()
    before = drops()
    with burden or contextlib.nullcontext():
        got, all_of = until_renewed(tunnels, pairs, phases, began + limit)
    print("    %d tunnels, %.0f s, %d renewals of ESP pairs, %d of phase 1 (%d by the server)"
          % (n, time.monotonic() - began, got[0], got[1], sum(a[2] for a in all_of)))
    finish(tunnels, before)
    if began_by == "server":  # on a busy machine it may be late, and we do not wait for it
        check(sum(a[1] for a in all_of) * 10 <= sum(a[2] for a in all_of), "we began")
    return [t.dial for t in tunnels]


def end(dials):
    for d in dials:
        d.stop()
    router.rules()


def cases(lab):
    """The rows of the suite; `lab` is the suite's own module."""
    def renew(n=8, pairs=100, phases=10, limit=330, life=None, nat=True, tcp=8000, **more):
        # Lifetimes in a test build's L2TPC_TEST_LIFE: seconds of IKE and ESP, kilobytes of ESP.
        router.rules(nat=nat)
        for i in range(n):
            router.client(i + 1)  # before there is traffic
        capture = lab.Capture()

        def one(i):
            return lab.dial(lab.Client(i), "--verbose",
                            env={"L2TPC_TEST_LIFE": life} if life else None)
        dials = under_traffic(lab.bench, one, n, pairs, phases, limit, tcp, **more)
        end(dials)
        capture.judge(dials, client=WAN if nat else None)

    @lab.case("strongswan+ike-aes256+esp-aes-sha1", in_short=True)
    def rekey_under_traffic():
        """Both phases, by seconds and by bytes, in the short form."""
        renew(n=2, pairs=4, phases=2, limit=60, life="20 3600 1024", tcp=150000)

    # Libreswan's daemon does all of IKE in one thread, so that fewer tunnels keep it from being late;
    # its clients behind one NAT share a connection that it takes down with the first of them.
    for daemon, processes, hidden, tunnels in (("strongswan", "charon", True, 8),
                                               ("libreswan", "pluto", False, 4)):
        def by_client(nat=hidden, n=tunnels):
            renew(n=n, life="20 20 0", nat=nat)

        def by_server(nat=hidden, n=tunnels):
            # What Libreswan begins on port 500 makes us begin.
            renew(n=n, began_by="server" if nat else None, nat=nat)

        def by_bytes(nat=hidden, n=tunnels):
            # The faster, the sooner a pair is full when the server is slow to answer.
            renew(n=n, life="28800 3600 1024", tcp=200000 if nat else 60000, phases=0, nat=nat,
                  limit=600)
        def by_bytes_burdened(n=tunnels, process=processes):
            renew(n=n, life="28800 3600 1024", tcp=60000, phases=0, nat=False, limit=600,
                  burden=Burdened(process))
        profile = daemon + "+ike-aes256+esp-aes-sha1"
        lab.case(profile, name="rekey-100-by-client-" + daemon)(by_client)
        lab.case(profile + "+life-20", name="rekey-100-by-server-" + daemon)(by_server)
        lab.case(profile, name="rekey-100-by-bytes-" + daemon)(by_bytes)
        lab.case(profile, name="rekey-100-by-bytes-burdened-" + daemon)(by_bytes_burdened)
        lab.case(profile, name="two-clients-behind-one-nat-for-a-minute-" + daemon)(
            lambda: two_for_a_minute(lab))
    lab.case("strongswan+ike-aes256+esp-aes-sha1+life-bytes",
             name="rekey-100-by-server-bytes-strongswan")(
        lambda: renew(tcp=200000, phases=0, began_by="server"))


def two_for_a_minute(lab):
    """Both dial at the same time; then not one packet of either may be missing."""
    router.rules(nat=True)
    capture = lab.Capture()
    dials = [lab.dial(lab.Client(1)), lab.dial(lab.Client(2), user="bob", password="Bob-pw-2")]
    for d in dials:
        lab.proven(d.wait_up(40), "udp")
    hold(lab.bench, dials, 60)
    for d in dials:
        kernel_agrees(d.fresh_status(), WAN)
    end(dials)
    capture.judge(dials, client=WAN)
