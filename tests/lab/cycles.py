# SPDX-License-Identifier: LGPL-2.1-or-later
"""The kill switch over many dials with the real server of the live suite: taps on every interface of
the client but the tunnel, and programs that send everywhere all the time."""
import json
import os
import random
import signal
import subprocess
import time

import divided
from suite import Failed, check, sabotaged

HERE = os.path.dirname(os.path.abspath(__file__))
LAN = "192.168.78.9"
# The server serves nobody twice from where a dial was killed half way, for a minute.
ADDRESSES = ["10.99.1.%d" % n for n in range(100, 240)]
WAYS = ["10.99.1.1,9", "10.99.1.1,53", "10.99.1.1,1701", "10.99.1.1,80,tcp", "8.8.8.8,53",
        "9.9.9.9,443,tcp", "2001:db8:99::1,443", "2001:db8:99::1,53,tcp", LAN + ",53",
        "eth0@10.99.1.1,9", "lan0@9.9.9.9,443"]


class Watched:
    """A client of the lab with IPv6 and a LAN, its sender and its taps."""

    def __init__(self, bench, client):
        self.bench, self.client = bench, client
        for words in ("link add lan0 type veth peer name lan1", "link set lan0 up", "link set lan1 up",
                      "addr add 192.168.78.1/24 dev lan0", "addr add 2001:db8:5::1/64 dev lan0 nodad",
                      "-6 route add default via 2001:db8:5::9 dev lan0"):
            subprocess.run(["ip", "-n", client.ns] + words.split(), check=True)
        for host in (LAN, "9.9.9.9", "2001:db8:5::9"):
            subprocess.run(["ip", "-n", client.ns, "neigh", "replace", host, "lladdr",
                            "02:00:00:00:00:09", "dev", "lan0", "nud", "permanent"], check=True)
        inside = ["ip", "netns", "exec", client.ns, "python3"]
        self.tap = subprocess.Popen(inside + [HERE + "/leak_tap.py", "10.99.1.1", ",".join(ADDRESSES),
                                              "+eth0", "+lan0"], stdin=subprocess.PIPE,
                                    stdout=subprocess.PIPE, text=True)
        bench.remember(self.tap)
        check(self.tap.stdout.readline() == "ready\n", "no tap")
        self.sender = subprocess.Popen(inside + [HERE + "/leak_sender.py", "10"] + WAYS)
        bench.remember(self.sender)
        self.tunnel = 0

    def seen(self):
        self.tap.stdin.write("\n")
        self.tap.stdin.flush()
        got = json.loads(self.tap.stdout.readline())
        check(got["lost"] == 0, "the tap lost %d packets" % got["lost"])
        self.tunnel += got["count"].pop("tunnel", 0)
        return got["count"], got["samples"]

    def leaks(self):
        time.sleep(1)
        got, _ = self.seen()
        check(set(got) == {"+eth0", "+lan0"}, "it does not leak by both wires without a block, so "
              "this case cannot fail: %s" % got)

    def quiet(self, when):
        got, samples = self.seen()
        check(not got, "%s: in clear: %s\n%s" % (when, got, "\n".join(samples)))

    def end(self):
        for p in (self.sender, self.tap):
            p.kill()
            p.wait()


class Cycle:
    def __init__(self, live, client):
        self.live, self.client, self.dial = live, client, None
        self.random = random.Random(20261122)

    def move(self, to):
        for words in ("addr flush dev eth0 scope global", "addr add %s/24 dev eth0" % to,
                      "route replace default via 10.99.1.1"):
            subprocess.run(["ip", "-n", self.client.ns, "-4"] + words.split(), check=True)
        self.client.seen = to

    def up(self):
        self.dial = self.live.Dial(self.live.bench, self.client, "--kill-switch")
        self.dial.wait_up(40)
        return divided.processes_of(self.dial)

    def by_user(self):
        self.up()
        self.dial.stop()

    def by_death_of_engine(self):
        os.kill(self.up()["engine"], signal.SIGKILL)

    def by_death_of_broker(self):
        os.kill(self.up()["broker"], signal.SIGKILL)

    def by_server(self):
        self.up()
        self.live.end_session(self.client)

    def by_loss_of_tun(self):
        self.up()
        subprocess.run(["ip", "-n", self.client.ns, "link", "del", "l2tp0"], check=True)

    def by_death_on_the_way(self):
        self.dial = self.live.Dial(self.live.bench, self.client, "--kill-switch")
        time.sleep(self.random.uniform(0.2, 1.2))
        for p in divided.descendants(self.dial.process.pid):
            os.kill(p, signal.SIGKILL)

    def one(self, kind):
        getattr(self, kind)()
        try:
            self.dial.process.wait(25)
        except subprocess.TimeoutExpired:
            raise Failed("it does not end:\n" + self.dial.told())
        try:
            self.live.end_session(self.client)
        except Failed as e:
            if "Object not found" not in str(e):  # it has gone since it was listed
                raise


def cases(live):
    @live.suite.case()
    def kill_switch_over_many_cycles():
        """L2TPC_LONG=1: 200 of them."""
        n = 200 if os.environ.get("L2TPC_LONG") else 6
        client = live.Client()
        w = Watched(live.bench, client)
        kinds = sorted(k for k in dir(Cycle) if k.startswith("by_"))
        try:
            cycle = Cycle(live, client)
            cycle.move(ADDRESSES[-1])
            w.leaks()
            # A dial that goes nowhere and is killed leaves its block: nobody's end lifts that one.
            keeper = live.Dial(live.bench, client, "--kill-switch", server="10.99.1.250", name="keeper")
            while "hold-keeper" not in client.run("nft", "list", "ruleset").stdout:
                check(keeper.process.poll() is None, keeper.told())
            for p in divided.descendants(keeper.process.pid):
                os.kill(p, signal.SIGKILL)
            keeper.process.wait(10)
            w.seen()
            began = time.monotonic()
            for i in range(n):
                cycle.move(ADDRESSES[i % len(ADDRESSES)])
                cycle.one(kinds[i % len(kinds)])
                if sabotaged() and i == 1:
                    client.run("nft", "delete", "table", "inet", "l2tpc-block")
                    time.sleep(0.1)
                w.quiet("cycle %d, %s" % (i, kinds[i % len(kinds)]))
            print("    %d cycles in %.0f s, %d packets of tunnels, 0 in clear"
                  % (n, time.monotonic() - began, w.tunnel))
            check(w.tunnel > 20 * n, "only %d packets of tunnels" % w.tunnel)
            client.run(live.bench.l2tpc, "unblock")
            w.leaks()
        finally:
            w.end()
