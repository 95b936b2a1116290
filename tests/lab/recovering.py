# SPDX-License-Identifier: LGPL-2.1-or-later
"""What the rows of tests/lab/recovery share: a tunnel that comes back, who counts what passes beside
it, and the register of the rows."""
import os
import shutil
import subprocess
import tempfile
import time

from dial import Dial, BEHIND, GATEWAY, lab, same_state
from suite import Suite, check, sabotaged

suite = Suite("recovery")
bench = None
short, alone, guests = set(), set(), set()
BEYOND = "203.0.113.5"  # nobody's; reached through the tunnel or not at all


class Bench:
    """The binary, the folder, and every process that was started."""

    def __init__(self):
        self.folder = tempfile.mkdtemp(prefix="l2tpc-recovery-")
        self.processes = []
        self.l2tpc = None

    def remember(self, process):
        self.processes.append(process)

    def spawn(self, command, **how):
        p = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=how.pop("out", subprocess.DEVNULL),
                             stderr=subprocess.DEVNULL, **how)
        self.remember(p)
        return p

    def reap(self):
        """What a row that failed has left behind is in nobody's way."""
        for p in self.processes:
            if p.poll() is None:
                p.kill()
                p.wait()
        self.processes = []

    def close(self):
        self.reap()
        shutil.rmtree(self.folder, ignore_errors=True)


def open_bench():
    global bench
    bench = Bench()
    return bench


def row(in_short=False, by_itself=False, guest=False):
    """A row; `by_itself`: it ends the server, or is judged by the clock; `guest`: it needs the
    servers in User-mode Linux."""
    def add(function):
        suite.case()(function)
        name = suite.cases[-1][0]
        for wanted, where in ((in_short, short), (by_itself, alone), (guest, guests)):
            if wanted:
                where.add(name)
        return function
    return add


def in_server(*command, text=None, must=True):
    out = subprocess.run(["ip", "netns", "exec", os.environ["LAB_NS"] + "-srv"] + list(command),
                         input=text, text=True, capture_output=True)
    check(not must or out.returncode == 0, "%s: %s" % (command, out.stderr))
    return out.stdout


def server_nft(text):
    in_server("nft", "-f", "-", text=text)


class Sentry:
    """Counts at the server what comes from a client and is neither IKE nor ESP. Nor is it an answer of
    the kernel's, "port unreachable", to what a server sends to a socket that a dial has closed: that
    stands apart, as it repeats the server's own packet and nothing of the client's."""

    def __init__(self, client, *addresses):
        self.table = "s%d" % client.n
        mine = "ip saddr { %s }" % ", ".join((client.seen,) + addresses)
        server_nft("table inet %s { counter past {}; counter refused {}; chain in { type filter hook "
                   "prerouting priority -300; %s udp dport { 500, 4500 } accept; %s meta l4proto esp "
                   "accept; %s icmp type destination-unreachable icmp code port-unreachable @th,136,8 17 "
                   "@th,224,16 { 500, 4500 } counter name refused accept; %s counter name past; }; }"
                   % (self.table, mine, mine, mine, mine))

    def counted(self, name):
        out = in_server("nft", "list", "counter", "inet", self.table, name)
        return int(out.split("packets ")[1].split()[0])

    def past(self):
        return self.counted("past")


def slip(client, times=3, lan=False):
    """What any program might send into the world. The LAN is open without a kill switch."""
    places = "%s/443 %s/53" % (BEYOND, BEYOND) + (" 10.99.1.1/9 10.99.1.1/53" if lan else "")
    client.run("bash", "-c", "for i in $(seq %d); do for to in %s; do echo hidden > /dev/udp/$to; done; "
               "done 2> /dev/null; true" % (times, places))


class Tunnel(Dial):
    """A dial that comes back, what it says about that, and traffic that goes on through it."""

    def __init__(self, client, *args, traffic=True, up=True, beyond=GATEWAY, behind=BEHIND, **how):
        # Sabotage: the tunnel is not to come back.
        Dial.__init__(self, bench, client, "--reconnect", "off" if sabotaged() else "on", *args, **how)
        self.beyond, self.behind = beyond, behind
        self.pinger = None
        self.want_traffic = traffic
        if up:
            self.is_up()

    def is_up(self, seconds=45):
        self.first = self.wait_up(seconds)
        self.pings()
        if self.want_traffic:
            self.pinger = bench.spawn(self.client.command("ping", "-i", "0.5", "-q", self.beyond))

    def events(self):
        return [o for o in self.objects if o.get("event") == "reconnecting"]

    def wait_for(self, what, seconds, text):
        end = time.monotonic() + seconds
        with self.changed:
            while not what() and time.monotonic() < end:
                if self.process.poll() is not None and not self.reader.is_alive():
                    break
                self.changed.wait(0.1)
        check(what(), "%s not within %.0f s:\n%s" % (text, seconds, self.told()))

    def wait_lost(self, seconds, *codes, times=1):
        began = time.monotonic()
        self.wait_for(lambda: len(self.events()) >= times, seconds, "the loss was noticed")
        lost = self.events()[times - 1]
        check(not codes or lost["code"] in codes, "lost because of %s" % lost)
        return time.monotonic() - began

    def wait_back(self, seconds, times=1):
        began = time.monotonic()
        self.wait_for(lambda: len([o for o in self.objects if o.get("state") == "up"]) > times,
                      seconds, "it came back")
        check(self.status["recovery"]["reconnects"] == times, "%s" % self.status["recovery"])
        check(self.status["interface"] == self.first["interface"], "another interface")
        return time.monotonic() - began

    def not_lost(self):
        check(self.process.poll() is None and not self.events(), "it was lost:\n" + self.told())

    def pings(self, seconds=45):
        """SecureNAT goes on for up to 30 s with the MAC of whoever had the address before."""
        end = time.monotonic() + seconds
        while True:
            ping = self.client.run("ping", "-c", 2, "-i", "0.3", "-W", 2, self.beyond)
            if ping.returncode == 0:
                return
            check(time.monotonic() < end, "ping through the tunnel from %s, at first %s: %s%s"
                  % (self.status["ppp"]["local_ip"], self.first["ppp"]["local_ip"],
                     ping.stdout[-300:], self.told()))

    def works(self):
        self.pings()
        out = self.client.run("curl", "-sS", "-m", 10, self.behind)
        check(out.returncode == 0 and out.stdout, "fetch through the tunnel: " + out.stderr)
        self.is_sealed()
        status = self.fresh_status()
        check(status["state"] == "up" and status["is_l2tp_in_ipsec"] is True,
              "%s: %s" % (status["state"], status["evidence"]))

    def is_sealed(self):
        """What dials again has neither rights nor an open filter of system calls."""
        with open("/proc/%d/status" % self.process.pid) as f:
            text = f.read()
        check("Seccomp:\t2" in text and "CapEff:\t0000000000000000" in text, text)

    def log(self):
        with open(self.stderr_path, errors="replace") as f:
            return f.read()

    def end(self):
        self.quiet()
        return self.stop()

    def quiet(self):
        if self.pinger:
            self.pinger.kill()
            self.pinger.wait()
            self.pinger = None


def end_session(client):
    """The server's administrator ends it."""
    for line in lab("sessions").split("\n"):
        if "client=" + client.seen + " " in line + " ":
            lab("admin", "SessionDisconnect", line.split()[0].split("=", 1)[1])


def cut(client, what=""):
    """Both ways: what the server sends would keep the tunnel alive."""
    server_nft("table inet cut%d { chain in { type filter hook input priority -300; ip saddr %s %s drop; "
               "}; chain out { type filter hook output priority -300; ip daddr %s %s drop; }; }"
               % (client.n, client.seen, what, client.seen, what))


def mend(client):
    server_nft("delete table inet cut%d" % client.n)


def ip(client, *words, must=True):
    out = subprocess.run(["ip", "-n", client.ns] + [str(w) for w in words], capture_output=True,
                         text=True)
    check(not must or out.returncode == 0, "ip %s: %s" % (" ".join(map(str, words)), out.stderr))
    return out.stdout


def leaves_nothing(client, before, seconds=0.0):
    """Everything is as it was, within so long."""
    end = time.monotonic() + seconds
    while client.state() != before and time.monotonic() < end:
        time.sleep(0.05)
    same_state(before, client.state())


def cpu_seconds(pid):
    with open("/proc/%d/stat" % pid) as f:
        fields = f.read().rsplit(")", 1)[1].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")
