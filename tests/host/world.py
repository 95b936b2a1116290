# SPDX-License-Identifier: LGPL-2.1-or-later
"""The world of one case: two network namespaces, a private run directory, resolv.conf and bus, and
the driver processes in it."""
import ctypes
import os
import re
import select
import shutil
import signal
import subprocess
import tempfile

MARK = 0x6c32
SERVER = "198.51.100.1"


class Failure(Exception):
    pass


class Skip(Exception):
    pass


def check(condition, text):
    if not condition:
        raise Failure(text)


def run(*args, **kw):
    done = subprocess.run(args, capture_output=True, text=True, timeout=20, **kw)
    if done.returncode != 0:
        raise Failure("%s: %s" % (" ".join(args), done.stderr.strip()))
    return done.stdout


class Tool:
    """One host-tool process in a namespace; every command answers with one line."""

    def __init__(self, command, env=None):
        self.process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                                        text=True, bufsize=1, env=env)

    def ask(self, line):
        self.process.stdin.write(line + "\n")
        self.process.stdin.flush()
        if not select.select([self.process.stdout], [], [], 15)[0]:
            raise Failure("no answer to: " + line)
        return self.process.stdout.readline().strip()

    def ok(self, line):
        answer = self.ask(line)
        check(answer.startswith("ok"), "%s -> %s" % (line, answer))
        return dict(w.split("=", 1) for w in answer.split()[1:] if "=" in w)

    def refused(self, line, *words):
        answer = self.ask(line)
        check(answer.startswith("error") and all(w in answer for w in words),
              "%s -> %s, expected error %s" % (line, answer, " ".join(words)))

    def kill(self):
        self.process.send_signal(signal.SIGKILL)
        self.process.wait(10)

    def end(self):
        if self.process.poll() is None:
            self.process.stdin.close()
            try:
                self.process.wait(10)
            except subprocess.TimeoutExpired:
                self.kill()
        return self.process.returncode


def steal(pid, fd):
    """A duplicate of another process's descriptor (pidfd_getfd)."""
    pidfd = os.pidfd_open(pid)
    taken = ctypes.CDLL(None, use_errno=True).syscall(438, pidfd, fd, 0)
    os.close(pidfd)
    check(taken >= 0, "pidfd_getfd: errno %d" % ctypes.get_errno())
    return taken


class World:
    def __init__(self, tool):
        self.tool_path = tool
        self.dir = tempfile.mkdtemp(prefix="host-")
        os.chmod(self.dir, 0o755)
        self.run_dir = os.path.join(self.dir, "run")
        self.resolv = os.path.join(self.dir, "resolv.conf")
        self.old_resolv = ("# mine\nnameserver 192.0.2.53\nsearch lan.example\noptions edns0\n" +
                           "# " + "x" * 300 + "\n")
        self.write(self.resolv, self.old_resolv)
        self.c = "host-%d-c" % os.getpid()
        self.s = "host-%d-s" % os.getpid()
        self.tools = []
        self.mounts = []
        self.daemons = []
        # No case may reach the computer's own bus.
        self.state_dir = os.path.join(self.dir, "var", "state")
        self.env = dict(os.environ, HOST_TOOL_STATE_DIR=self.state_dir, DBUS_SYSTEM_BUS_ADDRESS="unix:path=%s/bus" % self.dir)

    def set_up(self):
        for ns in (self.c, self.s):
            run("ip", "netns", "add", ns)
            run("ip", "-n", ns, "link", "set", "lo", "up")
        run("ip", "-n", self.c, "link", "add", "c0", "type", "veth", "peer", "name", "s0", "netns",
            self.s)
        for ns, dev, last in ((self.c, "c0", "2"), (self.s, "s0", "1")):
            run("ip", "-n", ns, "address", "add", "198.51.100.%s/24" % last, "dev", dev)
            run("ip", "-n", ns, "address", "add", "2001:db8:1::%s/64" % last, "dev", dev, "nodad")
            run("ip", "-n", ns, "link", "set", dev, "up")
        self.ip("route", "add", "default", "via", SERVER)
        self.ip("-6", "route", "add", "default", "via", "2001:db8:1::1")
        self.ip("link", "add", "lan0", "type", "veth", "peer", "name", "lan1", "netns", self.s)
        run("ip", "-n", self.s, "link", "set", "lan1", "up")
        self.ip("address", "add", "192.168.77.1/24", "dev", "lan0")
        self.ip("address", "add", "fd77::1/64", "dev", "lan0", "nodad")
        self.ip("link", "set", "lan0", "up")

    def tear_down(self):
        for tool in self.tools:
            tool.end()
        for daemon in self.daemons:
            daemon.kill()
            daemon.wait(10)
            daemon.stdout.close()
        for path in self.mounts:
            subprocess.run(["umount", path], capture_output=True, timeout=20)
        for ns in (self.c, self.s):
            subprocess.run(["ip", "netns", "del", ns], capture_output=True, timeout=20)
        shutil.rmtree(self.dir, ignore_errors=True)

    @staticmethod
    def write(path, text):
        with open(path, "w") as f:
            f.write(text)

    @staticmethod
    def read(path):
        with open(path) as f:
            return f.read()

    def ip(self, *args):
        return run("ip", "-n", self.c, *args)

    def in_client(self, *args):
        return run("ip", "netns", "exec", self.c, *args)

    def sysctl(self, name, value=None):
        if value is None:
            return self.in_client("sysctl", "-n", name).strip()
        return self.in_client("sysctl", "-qw", "%s=%s" % (name, value))

    def tool(self, new=True, prefix=(), dns="1", run_dir=None):
        tool = Tool(["ip", "netns", "exec", self.c, *prefix, self.tool_path], self.env)
        self.tools.append(tool)
        if new:
            tool.recovery = tool.ok("new %s %s %s" % (run_dir or self.run_dir, self.resolv, dns))
        return tool

    def daemon(self, *command):
        """A background program that says one line when it is ready."""
        # Unbuffered, so that select() sees every line that is left.
        daemon = subprocess.Popen(command, stdout=subprocess.PIPE, bufsize=0, env=self.env,
                                  stderr=subprocess.DEVNULL)
        self.daemons.append(daemon)
        check(select.select([daemon.stdout], [], [], 10)[0] and daemon.stdout.readline(),
              command[0] + " does not start")
        return daemon

    def resolved(self, *args):
        fake = os.path.join(os.path.dirname(self.tool_path), "fake-resolved")
        if not os.path.exists(fake) or not shutil.which("dbus-daemon"):
            raise Skip("no fake-resolved or no dbus-daemon")
        config = self.dir + "/bus.conf"
        self.write(config, "<busconfig><listen>unix:path=%s/bus</listen>"
                   "<auth>EXTERNAL</auth><policy context='default'><allow own='*'/>"
                   "<allow send_destination='*'/><allow receive_sender='*'/></policy>"
                   "</busconfig>" % self.dir)
        self.daemon("dbus-daemon", "--config-file=" + config, "--nofork", "--print-address")
        return self.daemon(fake, *args)

    def way(self, to, mark=0):
        args = ["mark", hex(mark)] if mark else []
        done = subprocess.run(["ip", "-n", self.c, "route", "get", to, *args], timeout=20,
                              capture_output=True, text=True)
        found = re.search(r" dev (\S+)", done.stdout)
        if done.returncode != 0 or "unreachable" in done.stdout:
            return "unreachable"
        return found.group(1) if found else "?"

    def expect_way(self, to, dev, mark=0):
        got = self.way(to, mark)
        check(got == dev, "%s with mark %x leaves by %s, not %s" % (to, mark, got, dev))

    def state(self):
        """All that a tunnel may change, but for interfaces named l2tp*."""
        lines = []
        for family in ("-4", "-6"):
            lines += self.ip(family, "rule").splitlines()
            lines += self.ip(family, "route", "show", "table", "all").splitlines()
        lines = [l for l in lines if " l2tp" not in l and "dev lo" not in l and
                 "fe80::" not in l.split("dev")[0]]
        for dev in ("all", "default", "c0", "lan0"):
            lines.append(dev + self.sysctl("net.ipv4.conf.%s.rp_filter" % dev))
        lines.append(self.read(self.resolv) if os.path.exists(self.resolv) else "absent")
        return [re.sub(r" expires \S+", "", l) for l in lines]

    def expect_state(self, before):
        now = self.state()
        check(now == before, "left over: %s; missing: %s" % (
            [l for l in now if l not in before], [l for l in before if l not in now]))

    def expect_no_journal(self):
        left = os.listdir(self.run_dir)
        check(left == [], "left in the run directory: %s" % left)


def told(daemon, n):
    lines = []
    for _ in range(n):
        check(select.select([daemon.stdout], [], [], 5)[0], "only told: %s" % lines)
        lines.append(daemon.stdout.readline().decode().strip())
    return lines


FULL, BLOCK6, PEER, TRUST, ROUTING_ONLY = 1, 2, 4, 8, 16


def apply_line(dev, name, local, flags=0, extra=""):
    return "apply if=%s name=%s local=%s server=%s flags=%d %s" % (dev, name, local, SERVER, flags,
                                                                    extra)


FULL_EXTRA = "peer=10.98.0.1 mtu=1380 dns=10.98.0.53 search=corp.example"


def check_full(w, dev="l2tp0"):
    w.expect_way("203.0.113.9", dev)
    w.expect_way("10.98.0.53", dev)
    w.expect_way(SERVER, dev)
    w.expect_way(SERVER, "c0", MARK)
    w.expect_way("203.0.113.9", "c0", MARK)
    w.expect_way("192.168.77.9", "lan0")
    w.expect_way("2001:db8:99::1", "unreachable")
    w.expect_way("2001:db8:1::1", "unreachable")
    w.expect_way("2001:db8:99::1", "c0", MARK)
    w.expect_way("fd77::9", "lan0")
