# SPDX-License-Identifier: LGPL-2.1-or-later
"""One lab for the cases of tests/desktop/nm: a SoftEther server and a NetworkManager beside it."""
import concurrent.futures
import contextlib
import os
import re
import subprocess
import time
import uuid

from suite import Failed, Skip, check, sabotaged

HERE = os.path.dirname(os.path.abspath(__file__))
TOP = os.path.dirname(os.path.dirname(HERE))
SOFTETHER = os.path.join(TOP, "tests", "lab", "softether")
SERVER = "10.99.1.1"
GATEWAY = "192.168.30.1"
BEHIND = "http://10.98.0.1/"
SERVICE = "org.freedesktop.NetworkManager.l2tp"

# nmcli --ask on a terminal; each word answers one question.
ON_TERMINAL = r"""
import os, pty, re, signal, sys, time
signal.alarm(40)
pid, fd = pty.fork()
if pid == 0:
    os.execvp(sys.argv[1], sys.argv[1:sys.argv.index("--answers")])
answers, seen = sys.argv[sys.argv.index("--answers") + 1:], 0
text = b""
try:
    while True:
        text += os.read(fd, 4096)
        if answers and re.search(rb"(?i)(password|psk|certpass)[^\n]*: ?", text[seen:]):
            time.sleep(.1)
            seen = len(text)
            os.write(fd, b"\x15" + answers.pop(0).encode() + b"\n")  # nmcli types the old one first
except OSError:
    pass
sys.stdout.write(text.decode(errors="replace"))
sys.exit(os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]))
"""


class World:
    def __init__(self):
        self.lab = os.path.join(HERE, "nm-lab")
        self.build = os.environ.get("NM_BUILD") and os.path.abspath(os.environ["NM_BUILD"])
        self.folder = "%s/%s-nm" % (os.environ["LAB_WORK"], os.environ["LAB_NS"])
        self.mark = 0
        self.before = None

    def call(self, *args, timeout=60, **more):
        more.setdefault("stdin", subprocess.DEVNULL)
        if "input" in more:
            del more["stdin"]
        return subprocess.run([str(a) for a in args], capture_output=True, text=True,
                              errors="replace", timeout=timeout, **more)

    def must(self, *args, timeout=60):
        out = self.call(*args, timeout=timeout)
        if out.returncode != 0:
            raise Failed("%s: %s" % (" ".join(map(str, args)), (out.stderr or out.stdout).strip()))
        return out.stdout

    def run(self, *args, timeout=60, **more):
        """As root where NetworkManager runs."""
        return self.call(self.lab, "exec", *args, timeout=timeout, **more)

    def nmcli(self, *args, timeout=80):
        return self.run("nmcli", *args, timeout=timeout)

    # ---- the lab ----

    def ours(self):
        """The build folder; the suite's own unless NM_BUILD names one."""
        if not self.build:
            script = ". tests/lib/builds.sh; build_variant clang >&2 && build_dir clang"
            out = self.call("bash", "-c", script, timeout=600, cwd=TOP)
            if out.returncode != 0:
                raise Failed("the build failed: " + out.stderr[-2000:])
            self.build = out.stdout.strip()
        return self.build

    def up(self):
        """None, or why no case can run."""
        if os.geteuid() != 0:
            return Skip("needs root")
        try:
            build = self.ours()
            if not os.path.exists(os.path.join(build, "nm-plugin", "data", "nm-l2tpc-service.name")):
                return Skip("built without libnm")
            self.must(SOFTETHER, "up", timeout=90)
            self.must(self.lab, "up")
            if not sabotaged():  # NetworkManager then knows of no such service
                self.must(self.lab, "install", build)
            self.before = self.state()
        except Failed as e:
            return e
        return None

    def down(self):
        if os.environ.get("LAB_KEEP"):
            return
        self.call(self.lab, "down")
        self.call(SOFTETHER, "down")

    def guarded(self, function, why):
        def guarded():
            if why:
                raise why
            self.mark += len(self.log())
            try:
                function()
            finally:
                self.tidy()
        return guarded

    def log(self):
        """What NetworkManager and its services have said since the case began."""
        with open(os.path.join(self.folder, "log", "nm.log"), errors="replace") as f:
            return f.read()[self.mark:]

    def state(self):
        """What a tunnel could leave behind."""
        text = ""
        for cmd in ("ip -4 rule", "ip -6 rule", "ip -4 route show table all",
                    "ip -br link", "ip -4 -br addr", "nft list ruleset", "cat /etc/resolv.conf"):
            out = self.run(*cmd.split())
            text += "# %s\n%s" % (cmd, re.sub(r"( (expires|metric) \S+)|@if\d+", "", out.stdout))
        ours = [p for p in self.run("ps", "-eo", "comm=").stdout.split() if "l2tpc" in p]
        return text + "# processes\n%s\n" % "\n".join(ours)

    def nothing_left(self, seconds=3.0, but=""):
        """The host is as it was, within that time."""
        end = time.monotonic() + seconds
        while True:
            now = self.state()
            new = [n for n in now.split("\n") if n not in self.before.split("\n")
                   and not (but and re.search(but, n))]
            gone = [b for b in self.before.split("\n") if b not in now.split("\n")]
            if not new and not gone:
                return
            if time.monotonic() > end:
                raise Failed("\n".join(["left: " + n for n in new] + ["gone: " + g for g in gone]))
            time.sleep(0.1)

    def tidy(self):
        out = self.run("nmcli", "-t", "-f", "UUID,TYPE", "con", "show")
        for line in out.stdout.split():
            if line.endswith(":vpn"):
                self.run("nmcli", "con", "delete", line.split(":")[0])
        self.run("nft", "delete", "table", "inet", "l2tpc-block")

    # ---- profiles ----

    def profile(self, name, data=None, secrets=None, user=None, ipv4=None, connection=None,
                vpn=None):
        """A keyfile as NetworkManager-l2tp's users have it; None takes a key out."""
        items = {"gateway": SERVER, "user": "alice", "ipsec-enabled": "yes", "password-flags": "0",
                 "ipsec-psk-flags": "0", "service-type": SERVICE}
        items.update(data or {})
        items.update(vpn or {})
        kept = {"password": "wonderland", "ipsec-psk": "labpsk123"}
        kept.update(secrets or {})
        boxes = {"connection": {"id": name, "uuid": str(uuid.uuid4()), "type": "vpn",
                                "autoconnect": "false", **(connection or {})},
                 "vpn": items, "vpn-secrets": kept, "user": user or {},
                 "ipv4": {"method": "auto", **(ipv4 or {})}, "ipv6": {"method": "disabled"}}
        text = "".join("[%s]\n%s\n" % (box, "".join("%s=%s\n" % (k, v) for k, v in rows.items()
                                                   if v is not None))
                       for box, rows in boxes.items() if rows)
        path = "/etc/NetworkManager/system-connections/%s.nmconnection" % name
        out = self.run("sh", "-c", "umask 077; cat > '%s'; nmcli con load '%s'" % (path, path),
                       input=text)
        check(out.returncode == 0 and "Could not" not in out.stderr, "load: " + out.stderr)
        return boxes["connection"]["uuid"]

    def connect(self, name, *args, must=True, timeout=80):
        out = self.nmcli("con", "up", name, *args, timeout=timeout)
        if must and out.returncode != 0:
            raise Failed("nmcli con up %s: %s%s\n%s" % (name, out.stdout, out.stderr, self.told()))
        return out

    def ask(self, *args, answers=()):
        return self.run("python3", "-c", ON_TERMINAL, "nmcli", "--ask", *args, "--answers", *answers,
                        timeout=90)

    def disconnect(self, name):
        out = self.nmcli("con", "down", name)
        check(out.returncode == 0, "nmcli con down: " + out.stderr)

    def told(self):
        return "\n".join(line for line in self.log().split("\n") if "Message" in line)[-1500:]

    # ---- what is seen ----

    def services(self):
        """Process ids of running services."""
        out = self.run("ps", "-eo", "pid=,comm=").stdout
        return [line.split()[0] for line in out.split("\n") if "nm-l2tpc-serv" in line]

    def tuns(self):
        return re.findall(r"^(l2tp\d+)", self.run("ip", "-br", "link").stdout, re.M)

    def carries_traffic(self, through=None, fetch=True):
        ping = self.run("ping", "-c", "2", "-i", "0.2", "-W", "3",
                        *(["-I", through] if through else []), GATEWAY)
        check(ping.returncode == 0, "ping through the tunnel: " + ping.stdout[-300:] + ping.stderr)
        if fetch:
            out = self.run("curl", "-sS", "-m", "10", BEHIND)
            check("behind the VPN server" in out.stdout, "fetch through the tunnel: " + out.stderr)

    def watch_packets(self):
        self.run("nft", "-f", "-", input="""table inet seen
delete table inet seen
table inet seen {
    counter ike_out { }
    chain out { type filter hook output priority -400; oif "eth0" udp dport { 500, 4500, 1701 } counter name ike_out
        oif "eth0" ip protocol esp counter name ike_out
    }
}
""")

    def watched_packets(self):
        out = self.run("nft", "list", "counter", "inet", "seen", "ike_out").stdout
        self.run("nft", "delete", "table", "inet", "seen")
        m = re.search(r"packets (\d+)", out)
        return int(m.group(1)) if m else -1


class Neighbour(World):
    """One more host with a NetworkManager, beside the same server."""

    def __init__(self, world, n):
        super().__init__()
        self.build, self.n = world.ours(), n
        self.folder = "%s/%s-n%d" % (os.environ["LAB_WORK"], os.environ["LAB_NS"], n)
        self.env = dict(os.environ, NML_TAG="n%d" % n)

    def call(self, *args, **more):
        return super().call(*args, env=self.env, **more)

    def __enter__(self):
        try:
            self.must(self.lab, "up", str(220 + self.n))
            self.must(self.lab, "install", self.build)
            self.before = self.state()
        except BaseException:
            self.__exit__()
            raise
        return self

    def __exit__(self, *_):
        self.call(self.lab, "down")


def divided(world, cycles, work, begin=None):
    """work(world, its part of the cycles) on several hosts at once, if there are many: most of a cycle is
    waiting for the server. begin(world) comes first, on one after another."""
    hosts = 5 if cycles >= 50 else 1
    with contextlib.ExitStack() as stack:
        worlds = [world] + [stack.enter_context(Neighbour(world, n)) for n in range(1, hosts)]
        for w in worlds if begin else ():
            begin(w)
        with concurrent.futures.ThreadPoolExecutor(hosts) as pool:
            for done in [pool.submit(work, w, cycles // hosts) for w in worlds]:
                done.result()
