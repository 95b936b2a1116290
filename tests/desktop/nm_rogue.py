# SPDX-License-Identifier: LGPL-2.1-or-later
"""A DHCP server on the uplink that sends routes to pull traffic out of the tunnel (RFC 3442): one case
of tests/desktop/nm."""
import os
import re
import shutil
import signal
import subprocess
import time

from nm_world import divided
from suite import Skip, check

SERVER = "10.99.1.1"
TARGETS = ("93.184.216.34", "8.8.8.8", "203.0.113.9")
ROUTES = "0.0.0.0/1,%s,128.0.0.0/1,%s,93.184.216.0/24,%s" % ((SERVER,) * 3)
# At the far end of the uplink, where the rogue would read.
SEEN = """table ip rogue
delete table ip rogue
table ip rogue {
    counter clear { }
    chain in { type filter hook prerouting priority -400; iif "lan0" ip daddr { %s } counter name clear; }
}
""" % ", ".join(TARGETS)


class Rogue:
    """A real DHCP server, and an uplink that believes it."""

    def __init__(self, world):
        self.world = world
        self.dnsmasq = None

    def server(self, *args, **more):
        return self.world.call(self.world.lab, "server", *args, **more)

    def __enter__(self):
        if not shutil.which("dnsmasq"):
            raise Skip("dnsmasq is not installed (tests/packages/desktop)")
        leases = os.path.join(self.world.folder, "leases")
        self.dnsmasq = subprocess.Popen(
            ["ip", "netns", "exec", os.environ["LAB_NS"] + "-srv", "dnsmasq", "-k", "--port=0", "-C",
             "/dev/null", "--user=root", "--pid-file=", "--interface=lan0", "--bind-interfaces",
             "--dhcp-range=10.99.1.230,10.99.1.238,255.255.255.0,2m", "--dhcp-leasefile=" + leases,
             "--dhcp-option=3,%s" % SERVER, "--dhcp-option=121,%s" % ROUTES],
            stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        try:
            self.uplink("ipv4.method", "auto", "ipv4.addresses", "", "ipv4.gateway", "")
            out = self.server("nft", "-f", "-", input=SEEN)
            check(out.returncode == 0, out.stderr)
        except BaseException:
            self.__exit__()
            raise
        return self

    def __exit__(self, *_):
        self.dnsmasq.terminate()
        self.dnsmasq.wait(5)
        self.server("nft", "delete", "table", "ip", "rogue")
        self.uplink("ipv4.method", "manual", "ipv4.addresses", "10.99.1.240/24", "ipv4.gateway", SERVER)

    def uplink(self, *settings, world=None):
        for args in (("modify", "uplink") + settings, ("up", "uplink")):
            out = (world or self.world).nmcli("con", *args)
            check(out.returncode == 0, "the uplink: " + out.stderr)

    def clear(self):
        out = self.server("nft", "list", "counter", "ip", "rogue", "clear").stdout
        return int(re.search(r"packets (\d+)", out).group(1))

    def send(self, world):
        for target in TARGETS:
            world.run("ping", "-c", "1", "-W", "0.1", target)

    def begin(self, world):
        """On a host that believes it: what is not held back leaves in clear, then it is held back."""
        if world is not self.world:
            self.uplink("ipv4.method", "auto", "ipv4.addresses", "", "ipv4.gateway", "", world=world)
        routes = world.run("ip", "route").stdout
        check("0.0.0.0/1 via" in routes and "128.0.0.0/1 via" in routes, "not taken: " + routes)
        before = self.clear()
        self.send(world)
        check(self.clear() >= before + len(TARGETS), "the capture sees nothing")
        world.profile("rogue", user={"net.l2tpc.kill-switch": "yes"})
        world.connect("rogue")

    def cycles(self, world, n, before):
        noise = subprocess.Popen(
            [world.lab, "exec", "sh", "-c", "echo $$ > /run/noise; exec ping -q -i 0.05 " + TARGETS[0]],
            stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
            env=getattr(world, "env", None))
        try:
            for done in range(n):
                self.send(world)
                world.carries_traffic(fetch=False)
                for pid in world.services():
                    world.run("kill", "-%d" % signal.SIGKILL, pid)
                self.send(world)
                world.connect("rogue")
                clear = self.clear()
                check(clear == before, "cycle %d: %d packets in clear" % (done, clear - before))
            for target in TARGETS:
                way = world.run("ip", "route", "get", target).stdout
                check("dev l2tp" in way, "%s leaves outside: %s" % (target, way))
        finally:
            world.run("sh", "-c", "kill $(cat /run/noise)")
            noise.wait(5)


def add_cases(suite, world):
    @suite.case()
    def rogue_dhcp_server():
        """Its routes are in force before the tunnel and take nothing out of it, nor while its service
        is killed and the connection started again."""
        cycles = 500 if os.environ.get("NM_LONG") else 2
        with Rogue(world) as rogue:
            began, before = time.monotonic(), []

            def work(w, n):
                before.append(rogue.clear())
                rogue.cycles(w, n, before[0])

            divided(world, cycles, work, rogue.begin)
            print("    %d cycles in %.0f s, %d packets in clear"
                  % (cycles, time.monotonic() - began, rogue.clear() - before[0]))
            check(rogue.clear() == before[0], "packets in clear")
            world.disconnect("rogue")
        world.nothing_left()
