# SPDX-License-Identifier: LGPL-2.1-or-later
"""A computer with three networks, programs that send everywhere, and taps at the far end of every
wire: the world in which nothing may leave in clear. Our own peer is the server."""
import json
import os
import re
import select
import shutil
import signal
import subprocess
import tempfile
import time

from suite import Failed, Skip, check

HERE = os.path.dirname(os.path.abspath(__file__))
TOP = os.path.dirname(os.path.dirname(HERE))
SERVER, CLIENT, MOVED = "198.51.100.1", "198.51.100.2", "198.51.100.3"
LAN, PUBLIC = "192.168.77.9", "203.0.113.254"
DESTINATIONS = [
    "8.8.8.8,53", "8.8.8.8,53,tcp", "9.9.9.9,443", "140.82.1.1,443,tcp",  # either half of the world
    "203.0.113.9,443", "203.0.113.9,80,tcp", "192.0.2.53,53",             # a public LAN; a second DNS
    SERVER + ",9", SERVER + ",53", SERVER + ",1701", SERVER + ",80,tcp",  # the server itself
    LAN + ",53", LAN + ",9", "192.168.77.255,9",
    "2001:db8:99::1,443", "2001:db8:99::1,443,tcp", "2606:4700::1111,53", "2001:db8:1::1,9",
    "fd77::9,53", "2001:db8:7::9,9"]
BOUND = ["outer@9.9.9.9,443", "outer@2606:4700::1111,53", "lan0@8.8.8.8,53", "pub0@203.0.113.9,443",
         "pub0@2001:db8:7::9,9", "outer@%s,1701" % SERVER]
PSK, USER, PASSWORD = "Ng7x4tQzV9kWc2RfpM5bY8sD", "alice", "wonderland"


def tool(*args, must=True, **how):
    out = subprocess.run(args, capture_output=True, text=True, timeout=30, **how)
    if must and out.returncode != 0:
        raise Failed("%s: %s" % (" ".join(args), out.stderr.strip()))
    return out.stdout


def programs(build):
    """l2tpc and sim-peerd of the plain build of tests, or of the folder LEAKS_BUILD."""
    if not build:
        out = subprocess.run(["bash", "-c", ". tests/lib/builds.sh && build_variant clang && "
                              "build_dir clang"], cwd=TOP, capture_output=True, text=True)
        check(out.returncode == 0, "the build failed:\n" + out.stdout + out.stderr)
        build = out.stdout.strip().splitlines()[-1]
    found = {n: os.path.join(build, p) for n, p in (
        ("l2tpc", "libl2tpc/cli/l2tpc"), ("sim-peerd", "tests/sim/sim-peerd"),
        ("host-tool", "tests/unit/host/host-tool"))}
    for path in found.values():
        check(os.access(path, os.X_OK), "no " + path)
    return found


class World:
    made = 0

    def __init__(self, found):
        World.made += 1
        base = "%s-leaks-%d-%d" % (os.environ.get("LAB_NS", "l2tpc"), os.getpid(), World.made)
        self.found, self.c, self.s = found, base + "-c", base + "-s"
        self.dir = tempfile.mkdtemp(prefix="l2tpc-leaks-")
        os.chmod(self.dir, 0o755)
        self.processes = []
        self.env = dict(os.environ, L2TPC_RUN_DIR=self.dir + "/run", LC_ALL="C.UTF-8",
                        L2TPC_STATE_DIR=self.dir + "/state",
                        DBUS_SYSTEM_BUS_ADDRESS="unix:path=/nonexistent")
        self.address = CLIENT
        self.tunnelled = 0  # packets that the peer got out of tunnels

    def write(self, name, text, mode=0o600):
        path = os.path.join(self.dir, name)
        with open(path, "w") as f:
            f.write(text)
        os.chmod(path, mode)
        return path

    def spawn(self, *command, **how):
        p = subprocess.Popen(command, env=self.env, text=True, **how)
        self.processes.append(p)
        return p

    def ip(self, *args, must=True):
        return tool("ip", "-n", self.c, *args, must=must)

    def link(self, name, far, v4, v6, gateway4, gateway6):
        self.ip("link", "add", name, "type", "veth", "peer", "name", far, "netns", self.s)
        for ns, dev, addresses in ((self.c, name, (v4, v6)), (self.s, far, (gateway4, gateway6))):
            tool("ip", "-n", ns, "addr", "add", addresses[0], "dev", dev)
            tool("ip", "-n", ns, "addr", "add", addresses[1], "dev", dev, "nodad")
            tool("ip", "-n", ns, "link", "set", dev, "up")

    def everybody_is_here(self, dev, far):
        """The whole world answers on this wire: a packet which is let out also arrives."""
        mac = tool("ip", "netns", "exec", self.s, "cat", "/sys/class/net/%s/address" % far).strip()
        for text in DESTINATIONS:
            host = text.split(",")[0]
            if not host.startswith(("192.168.", "fd77:")):
                self.ip("neigh", "replace", host, "lladdr", mac, "dev", dev, "nud", "permanent")

    def uplink(self):
        """What a flap of the link takes away."""
        self.ip("route", "replace", "default", "via", SERVER)
        self.ip("-6", "addr", "replace", "2001:db8:1::2/64", "dev", "outer", "nodad")
        self.ip("-6", "route", "replace", "default", "via", "2001:db8:1::1")

    def move(self):
        """To another address of the same network, and back with the next call."""
        self.ip("addr", "del", self.address + "/24", "dev", "outer")
        self.address = MOVED if self.address == CLIENT else CLIENT
        self.ip("addr", "add", self.address + "/24", "dev", "outer")
        self.uplink()

    def __enter__(self):
        for ns in (self.c, self.s):
            tool("ip", "netns", "add", ns)
            tool("ip", "-n", ns, "link", "set", "lo", "up")
            # Nobody waits for addresses that are in doubt, or it would look as if nothing leaked.
            tool("ip", "netns", "exec", ns, "sysctl", "-qw", "net.ipv6.conf.default.accept_dad=0")
        self.link("outer", "far-outer", CLIENT + "/24", "2001:db8:1::2/64", SERVER + "/24",
                  "2001:db8:1::1/64")
        self.link("lan0", "far-lan", "192.168.77.1/24", "fd77::1/64", LAN + "/24", "fd77::9/64")
        self.link("pub0", "far-pub", "203.0.113.1/24", "2001:db8:7::1/64", PUBLIC + "/24",
                  "2001:db8:7::9/64")
        tool("ip", "-n", self.s, "addr", "add", "203.0.113.9/24", "dev", "far-pub")
        self.everybody_is_here("lan0", "far-lan")  # for who binds to the device and has no gateway
        self.uplink()
        self.write("psk", PSK + "\n")
        self.write("password", PASSWORD + "\n")
        resolv = self.write("resolv.conf", "nameserver 192.0.2.53\nnameserver %s\n"
                            "options timeout:1 attempts:1\n" % LAN, 0o644)
        # One process keeps the mounts; everything else of this computer joins it.
        self.keeper = self.spawn("ip", "netns", "exec", self.c, "sh", "-c",
                                 "mount --bind %s /etc/resolv.conf && echo up && exec sleep 36000"
                                 % resolv, stdout=subprocess.PIPE)
        check(self.keeper.stdout.readline() == "up\n", "no mounts")
        self.tap = self.spawn("ip", "netns", "exec", self.s, "python3", HERE + "/leak_tap.py", SERVER,
                              "%s,%s" % (CLIENT, MOVED), "far-outer", "far-lan", "far-pub",
                              stdin=subprocess.PIPE, stdout=subprocess.PIPE)
        check(self.tap.stdout.readline() == "ready\n", "no tap")
        return self

    def __exit__(self, *_):
        for p in self.processes:
            if p.poll() is None:
                p.kill()
            p.wait()
            for f in (p.stdin, p.stdout):
                if f:
                    f.close()
        for ns in (self.c, self.s):
            for pid in tool("ip", "netns", "pids", ns, must=False).split():
                os.kill(int(pid), signal.SIGKILL)
            tool("ip", "netns", "del", ns, must=False)
        shutil.rmtree(self.dir, ignore_errors=True)

    def inside(self, *command, **how):
        return self.spawn("nsenter", "-t", str(self.keeper.pid), "-n", "-m", *command, **how)

    def run(self, *command):
        return tool("nsenter", "-t", str(self.keeper.pid), "-n", "-m", *command, env=self.env,
                    must=False)

    def sender(self, pause=4, bound=True):
        return self.inside("python3", HERE + "/leak_sender.py", str(pause), *DESTINATIONS,
                           *(BOUND if bound else ()))

    def seen(self):
        """What came in clear since the last time, a number a wire."""
        self.tap.stdin.write("\n")
        self.tap.stdin.flush()
        check(select.select([self.tap.stdout], [], [], 30)[0], "the tap hangs")
        got = json.loads(self.tap.stdout.readline())
        check(got["lost"] == 0, "the tap lost %d packets" % got["lost"])
        self.samples = got["samples"]
        self.last_tunnel = got["count"].pop("tunnel", 0)
        return got["count"]

    def leaks(self, *wires):
        """It is seen when packets leave: the tap sees each of these wires."""
        end = time.monotonic() + 5
        got = {}
        while set(wires) - set(got) and time.monotonic() < end:
            time.sleep(0.05)
            for k, n in self.seen().items():
                got[k] = got.get(k, 0) + n
        check(not set(wires) - set(got), "nothing leaks by %s, so this case cannot fail"
              % (set(wires) - set(got)))

    def settled(self):
        """What waits for a neighbour's address has passed the filter already: not even a block that
        comes now keeps it in."""
        end = time.monotonic() + 5
        while True:
            waiting = self.ip("neigh", "show", "nud", "incomplete")
            if not waiting:
                return
            check(time.monotonic() < end, "these neighbours do not answer: " + waiting)
            time.sleep(0.05)

    def wait_blocked(self):
        end = time.monotonic() + 5
        while "l2tpc-block" not in self.run("nft", "list", "tables"):
            check(time.monotonic() < end, "no block")

    def quiet(self, when):
        got = self.seen()
        check(not got, "%s: in clear: %s\n%s" % (when, got, "\n".join(self.samples)))

    def peer(self, *options):
        p = self.spawn("ip", "netns", "exec", self.s, self.found["sim-peerd"], SERVER, "600", *options,
                       stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)
        end = time.monotonic() + 5
        while time.monotonic() < end:  # 500, in the words of /proc/net/udp
            with open("/proc/%d/net/udp" % p.pid) as f:
                if "016433C6:01F4" in f.read():
                    return p
            check(p.poll() is None, "sim-peerd ended")
            time.sleep(0.002)
        raise Failed("sim-peerd does not listen")

    def end_peer(self, p):
        """Its facts count as those of a server that somebody stopped."""
        p.send_signal(signal.SIGTERM)
        found = re.search(r"^ip_in (\d+)", p.communicate(timeout=10)[0], re.M)
        self.tunnelled += int(found.group(1)) if found else 0

    def forget(self, p):
        """Without this, long runs would keep them all."""
        self.processes.remove(p)
        for f in (p.stdin, p.stdout):
            if f:
                f.close()


def gone(pid):
    """No such process, or one that nobody has waited for yet."""
    try:
        with open("/proc/%d/stat" % pid) as f:
            return f.read().rsplit(")", 1)[1].split()[0] == "Z"
    except OSError:
        return True


class Dial:
    def __init__(self, world, *options, kill_switch=True):
        words = ["connect", "--server", SERVER, "--user", USER, "--name", "t", "--json",
                 "--psk-file", world.dir + "/psk", "--password-file", world.dir + "/password"]
        if "--reconnect" not in options:  # a loss is to be seen as one
            words += ["--reconnect", "off"]
        self.world = world
        self.process = world.inside(world.found["l2tpc"], *words,
                                    *(["--kill-switch"] if kill_switch else []), *options,
                                    stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)
        os.set_blocking(self.process.stdout.fileno(), False)
        self.text = ""
        self.brokers = set()

    @property
    def engine(self):
        return self.process.pid

    @property
    def broker(self):
        with open("/proc/%d/task/%d/children" % (self.engine, self.engine)) as f:
            found = [int(p) for p in f.read().split()]
        self.brokers.update(found)
        return found[0] if found else None

    def wait(self, needle='"state":"up"', seconds=15, times=1):
        end = time.monotonic() + seconds
        while self.text.count(needle) < times:
            left = end - time.monotonic()
            check(left > 0, "no %s:\n%s" % (needle, self.text[-2000:]))
            if select.select([self.process.stdout], [], [], left)[0]:
                check(self.take(), "it ended before %s:\n%s" % (needle, self.text[-2000:]))
        check(self.broker, "it has no broker")
        return self

    def take(self):
        try:
            more = os.read(self.process.stdout.fileno(), 65536).decode()
        except BlockingIOError:
            return ""
        self.text += more
        return more

    def kill(self, *who):
        for pid in who:
            try:
                os.kill(pid, signal.SIGKILL)
            except (ProcessLookupError, TypeError):
                pass

    def end(self, sig=None, seconds=15):
        if sig:
            self.process.send_signal(sig)
        end = time.monotonic() + seconds
        while self.process.poll() is None:  # whoever cannot say its line does not end
            check(time.monotonic() < end, "it does not end:\n" + self.text[-2000:])
            self.take()
            time.sleep(0.002)
        self.take()
        while not all(gone(b) for b in self.brokers):
            check(time.monotonic() < end, "the broker does not end")
            time.sleep(0.002)
        self.world.forget(self.process)


def missing():
    if os.geteuid() != 0:
        raise Skip("network namespaces need root")
    for name in ("ip", "nsenter", "nft"):
        if not shutil.which(name):
            raise Skip(name + " is not installed")
    if not os.path.exists("/dev/net/tun"):
        raise Skip("this machine has no /dev/net/tun")
