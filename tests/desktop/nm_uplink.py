# SPDX-License-Identifier: LGPL-2.1-or-later
"""What is below a tunnel changes, or carries IPv6 beside it: cases of tests/desktop/nm."""
import os
import re
import subprocess
import time

from suite import check

SERVER = "10.99.1.1"
CLEAR = "203.0.113.9"  # nobody; what is sent there in clear is seen at the far end
CLEAR6 = "2001:db8:1::9"
NEAR6 = "2001:db8:99::%x"
HOME6 = "fd00:99::%x"  # the network that a router at home makes up
SEEN = """table inet beside
delete table inet beside
table inet beside {
    counter clear { }
    counter clear6 { }
    chain in { type filter hook prerouting priority -400;
        iif "lan0" ip daddr %s counter name clear
        iif "lan0" ip6 daddr %s counter name clear6
    }
}
""" % (CLEAR, CLEAR6)


class FarEnd:
    """What arrives in clear at the other end of every uplink."""

    def __init__(self, world):
        self.world = world

    def run(self, *args, **more):
        return self.world.call(self.world.lab, "server", *args, **more)

    def __enter__(self):
        out = self.run("nft", "-f", "-", input=SEEN)
        check(out.returncode == 0, out.stderr)
        return self

    def __exit__(self, *_):
        self.run("nft", "delete", "table", "inet", "beside")

    def seen(self, counter):
        out = self.run("nft", "list", "counter", "inet", "beside", counter).stdout
        return int(re.search(r"packets (\d+)", out).group(1))


class OtherUplink:
    """A second card on the same network, without a carrier at first, and its profile."""

    def __init__(self, world):
        self.world = world
        self.client = os.environ["LAB_NS"] + "-nm"
        self.server = os.environ["LAB_NS"] + "-srv"

    def __enter__(self):
        call = self.world.must
        call("ip", "-n", self.client, "link", "add", "eth1", "type", "veth", "peer", "name", "p-other",
             "netns", self.server)
        try:
            call("ip", "-n", self.server, "link", "set", "p-other", "master", "lan0")
            call("ip", "netns", "exec", self.client, "ethtool", "-K", "eth1", "tx-udp-segmentation", "off")
            out = self.world.nmcli("con", "add", "type", "ethernet", "con-name", "other", "ifname", "eth1",
                                   "ipv4.method", "manual", "ipv4.addresses", "10.99.1.241/24",
                                   "ipv4.gateway", SERVER, "ipv4.dns", SERVER, "ipv6.method", "disabled",
                                   "ipv4.route-metric", "101")
            check(out.returncode == 0, out.stderr)
        except BaseException:
            self.__exit__()
            raise
        return self

    def __exit__(self, *_):
        self.carrier("p-nm", "up")
        self.world.nmcli("con", "delete", "other")
        self.world.call("ip", "-n", self.client, "link", "del", "eth1")
        self.world.nmcli("con", "up", "uplink")

    def carrier(self, port, state):
        self.world.must("ip", "-n", self.server, "link", "set", port, state)

    def wait(self, device, state, seconds=15):
        end = time.monotonic() + seconds
        while True:
            out = self.world.nmcli("-t", "-f", "DEVICE,STATE", "device").stdout
            if "%s:%s" % (device, state) in out:
                return
            check(time.monotonic() < end, "%s is not %s: %s" % (device, state, out))
            time.sleep(0.1)


class Noise:
    """Somebody on this computer who sends all the time to where only the tunnel leads."""

    def __init__(self, world):
        self.world = world

    def __enter__(self):
        self.ping = subprocess.Popen(
            [self.world.lab, "exec", "sh", "-c", "echo $$ > /run/noise; exec ping -q -i 0.05 " + CLEAR],
            stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        return self

    def __exit__(self, *_):
        self.world.run("sh", "-c", "kill $(cat /run/noise)")
        self.ping.wait(5)


def back(world, seconds):
    """The seconds until the tunnel carries traffic again."""
    began = time.monotonic()
    while world.run("ping", "-c", "1", "-W", "1", "192.168.30.1").returncode != 0:
        check(time.monotonic() - began < seconds, "no traffic after %d s: %s" % (seconds, world.told()))
        time.sleep(0.1)
    return time.monotonic() - began


def add_cases(suite, world):
    @suite.case()
    def another_uplink():
        """The cable is pulled and another network comes: NetworkManager keeps a persistent connection,
        the tunnel comes back by itself, and nothing leaves in clear meanwhile."""
        with FarEnd(world) as far, OtherUplink(world) as other:
            world.run("ping", "-c", "1", "-W", "0.1", CLEAR)
            check(far.seen("clear") > 0, "the capture sees nothing")
            world.profile("moves", user={"net.l2tpc.kill-switch": "yes"}, vpn={"persistent": "true"})
            world.connect("moves")
            before, service = far.seen("clear"), world.services()
            with Noise(world):
                other.carrier("p-nm", "down")
                other.wait("eth0", "unavailable")
                check("l2tpc-block" in world.run("nft", "list", "tables").stdout, "no table of filters")
                shown = world.nmcli("-t", "-f", "NAME,STATE", "con", "show", "--active").stdout
                check("moves:activated" in shown, "NetworkManager has given it up: " + shown)
                other.carrier("p-other", "up")
                other.wait("eth1", "connected")
                took = back(world, 40)
                check(world.services() == service, "another service: %s" % world.services())
                way = world.run("ip", "route", "get", SERVER, "uid", "0").stdout
                check("dev eth1" in way, "the way to the server: " + way)
            print("    traffic again %.1f s after the other network" % took)
            check(far.seen("clear") == before, "%d packets in clear" % (far.seen("clear") - before))
            world.carries_traffic()
            world.disconnect("moves")
        world.nothing_left()

    @suite.case()
    def ipv6_as_the_profile_says():
        """The tunnel has none: a full one blocks what would go past it, unless its profile keeps it."""
        def sends(far):
            before = far.seen("clear6")
            world.run("ping", "-6", "-c", "2", "-i", "0.2", "-W", "0.3", CLEAR6)
            return far.seen("clear6") - before

        def uplink(*settings):
            for args in (("modify", "uplink") + settings, ("up", "uplink")):
                out = world.nmcli("con", *args)
                check(out.returncode == 0, "the uplink: " + out.stderr)

        with FarEnd(world) as far:
            far.run("sysctl", "-qw", "net.ipv6.conf.lan0.disable_ipv6=0")
            for net in NEAR6, HOME6:
                far.run("ip", "addr", "add", net % 1 + "/64", "dev", "lan0", "nodad")
            uplink("ipv6.method", "manual", "ipv6.addresses", "%s/64,%s/64" % (NEAR6 % 0x240, HOME6 % 0x240),
                   "ipv6.gateway", NEAR6 % 1)
            try:
                end = time.monotonic() + 8  # the kernel looks whether somebody has the address
                while sends(far) == 0:
                    check(time.monotonic() < end, "the capture sees nothing: " + world.state())
                for name, user, ipv4, left in (
                        ("blocks", {}, {}, False), ("keeps", {"net.l2tpc.keep-ipv6": "yes"}, {}, True),
                        ("parts", {}, {"never-default": "true", "route1": "10.98.0.0/24"}, True)):
                    world.profile(name, user=user, ipv4=ipv4)
                    world.connect(name)
                    n = sends(far)
                    near = world.run("ping", "-6", "-c", "1", "-W", "2", HOME6 % 1)
                    world.carries_traffic(fetch=False)
                    world.disconnect(name)
                    check((n > 0) == left, "%s: %d packets have left by IPv6" % (name, n))
                    check(near.returncode == 0, "%s: the local network is out of reach by IPv6" % name)
                    check(sends(far) > 0, "%s: IPv6 is blocked after the end" % name)
            finally:
                uplink("ipv6.method", "disabled", "ipv6.addresses", "", "ipv6.gateway", "")
                for net in NEAR6, HOME6:
                    far.run("ip", "addr", "del", net % 1 + "/64", "dev", "lan0")
        world.nothing_left()
