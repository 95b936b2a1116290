# SPDX-License-Identifier: LGPL-2.1-or-later
"""Driving l2tpc against the lab: clients of their own, a dial as an object, what a dial may leave."""
import itertools
import json
import os
import re
import signal
import subprocess
import threading
import time

from suite import Failed, check, sabotaged
import judge as judging

HERE = os.path.dirname(os.path.abspath(__file__))
TOP = os.path.dirname(os.path.dirname(HERE))
SERVER = "10.99.1.1"
BEHIND = "http://10.98.0.1/"
GATEWAY = "192.168.30.1"


def lab(*args, timeout=90, must=True):
    out = subprocess.run([os.path.join(HERE, "softether")] + [str(a) for a in args],
                         capture_output=True, text=True, errors="replace", timeout=timeout,
                         stdin=subprocess.DEVNULL)
    if must and out.returncode != 0:
        raise Failed("softether %s: %s" % (" ".join(map(str, args)),
                                           (out.stderr or out.stdout).strip()))
    return out.stdout


def catalogue():
    """failure code -> (stage name, exit status), from the two tables of the library."""
    base = os.path.join(TOP, "libl2tpc", "base")
    with open(os.path.join(base, "stage.def")) as f:
        stages = {i: (n, int(s)) for i, n, s in
                  re.findall(r'^STAGE\((\w+), "([^"]+)", (\d+)', f.read(), re.M)}
    with open(os.path.join(base, "failure.def")) as f:
        text = re.sub(r"\s+", " ", f.read())
    return {c: stages[s] for c, s in re.findall(r'FAILURE\(\w+, "([^"]+)", (\w+),', text)}


class Client:
    """A namespace with an address that no dial has used; behind the NAT when asked."""
    numbers = itertools.count(3)
    guard = threading.Lock()

    def __init__(self, nat=False, seen=None):
        with Client.guard:
            self.n = next(Client.numbers)
        self.nat = nat
        self.address = "10.99.3.%d" % self.n if nat else "10.99.1.%d" % self.n
        self.seen = "10.99.2.%d" % (seen or self.n) if nat else self.address
        if nat:
            lab("natclient", self.n, seen or self.n)
        else:
            lab("client", self.n)
        self.ns = "%s-%s%d" % (os.environ.get("LAB_NS", "l2tpc"), "n" if nat else "c", self.n)
        self.run_dir = os.path.join(os.environ.get("LAB_WORK", "/tmp/l2tpc-lab"),
                                    os.environ.get("LAB_NS", "l2tpc"), "run-" + self.ns)

    def command(self, *args):
        return [os.path.join(HERE, "softether"), "natrun" if self.nat else "run", "-c",
                str(self.n)] + [str(a) for a in args]

    def run(self, *args, timeout=30):
        return subprocess.run(self.command(*args), capture_output=True, text=True,
                              errors="replace", timeout=timeout, stdin=subprocess.DEVNULL)

    def state(self):
        """What a dial could leave behind: rules, routes, addresses, links, DNS, filters, files."""
        text = ""
        for cmd in ("ip -4 rule", "ip -6 rule", "ip -4 route show table all",
                    "ip -6 route show table all", "ip -br link", "ip -4 -br addr",
                    "nft list ruleset", "cat /etc/resolv.conf"):
            out = subprocess.run(["ip", "netns", "exec", self.ns] + cmd.split(),
                                 capture_output=True, text=True)
            text += "# %s\n%s" % (cmd, re.sub(r"( (expires|metric) \S+)|@if\d+", "", out.stdout))
        files = []
        for root, _, names in os.walk(self.run_dir):
            # An empty file to lock stays: removing it would race with the next one who locks it.
            files += [f for f in (os.path.join(root, n) for n in names)
                      if os.path.basename(f) != "lock" or os.path.getsize(f) > 0]
        pids = subprocess.run(["ip", "netns", "pids", self.ns], capture_output=True, text=True)
        return text + "# files under /run\n%s\n# processes\n%s" % ("\n".join(sorted(files)),
                                                                 pids.stdout)


def same_state(before, after):
    gone = [b for b in before.split("\n") if b not in after.split("\n")]
    new = [a for a in after.split("\n") if a not in before.split("\n")]
    check(not gone and not new, "\n".join(["gone: " + g for g in gone] + ["left: " + n for n in new]))


class Dial:
    """One `l2tpc connect --json` in a client's namespace."""

    def __init__(self, bench, client, *args, user="alice", password="wonderland",
                 psk="labpsk123", server=SERVER, name=None, env=None, default_route=True,
                 memory=None):
        """`memory`: the folder that keeps what was learned; without one nothing is."""
        self.bench, self.client = bench, client
        self.name = name or "t%d" % client.n
        self.objects, self.lines, self.status, self.error = [], [], {}, None
        self.changed = threading.Condition()
        self.folder = os.path.join(bench.folder, "%s-%s" % (client.ns, self.name))
        os.makedirs(self.folder, exist_ok=True)
        self.keylog = os.path.join(self.folder, "keys.jsonl")
        # The process that has the keys is a user without any right.
        for path, mode in ((bench.folder, 0o711), (self.folder, 0o711), (self.keylog, 0o622)):
            if path == self.keylog:
                open(path, "a").close()
            os.chmod(path, mode)
        for what, text in (("psk", psk or ""), ("password", password)):
            with open(os.open(os.path.join(self.folder, what), os.O_WRONLY | os.O_CREAT | os.O_TRUNC,
                              0o600), "w") as f:
                f.write(text + "\n")
        more = [] if default_route else ["--no-default-route"]
        more += [] if memory else ["--no-memory"]
        env = dict(env or {}, **({"L2TPC_STATE_DIR": memory} if memory else {}))
        if "--reconnect" not in args:  # a loss is to be seen as one
            more += ["--reconnect", "off"]
        # Tokens of the lab are root's, also when root came by sudo.
        cmd = ["env", "-u", "SUDO_UID", "L2TPC_KEYLOG=" + self.keylog] + \
            ["%s=%s" % e for e in (env or {}).items()] + \
            [bench.l2tpc, "connect", "--server", server, "--user", user,
             "--password-file", os.path.join(self.folder, "password"),
             "--name", self.name, "--json"] + more + list(args)
        if psk is not None:  # None: the arguments bring a certificate
            cmd += ["--psk-file", os.path.join(self.folder, "psk")]
        self.stderr_path = os.path.join(self.folder, "stderr")
        self.began = time.monotonic()
        with open(self.stderr_path, "w") as err:
            self.process = subprocess.Popen(client.command(*cmd), stdout=subprocess.PIPE,
                                            stderr=err, stdin=subprocess.DEVNULL, text=True,
                                            errors="replace")
        bench.remember(self.process)
        self.reader = threading.Thread(target=self.read, daemon=True)
        self.reader.start()

    def read(self):
        for line in self.process.stdout:
            with self.changed:
                self.lines.append(line.rstrip("\n"))
                try:
                    o = json.loads(line)
                except ValueError:
                    o = None
                if isinstance(o, dict):
                    self.take(o)
                self.changed.notify_all()
        with self.changed:
            self.changed.notify_all()

    def take(self, o):
        self.objects.append(o)
        inner = o.get("status") if isinstance(o.get("status"), dict) else o
        if "state" in inner:
            self.status = inner
        if isinstance(inner.get("error"), dict):
            self.error = inner["error"]

    def told(self):
        with open(self.stderr_path, errors="replace") as f:
            err = f.read().strip()
        return "\n".join(["  " + t for t in self.lines[-12:] + err.split("\n")[-25:] if t])

    def wait_up(self, seconds=20):
        end = time.monotonic() + seconds
        with self.changed:
            while self.status.get("state") != "up" and time.monotonic() < end:
                if self.process.poll() is not None and not self.reader.is_alive():
                    break
                self.changed.wait(0.1)
        check(self.status.get("state") == "up", "not up after %.1f s:\n%s"
              % (time.monotonic() - self.began, self.told()))
        return self.status

    def wait_end(self, seconds):
        try:
            code = self.process.wait(max(0.1, seconds - (time.monotonic() - self.began)))
        except subprocess.TimeoutExpired:
            self.process.kill()
            raise Failed("still running after %d s:\n%s" % (seconds, self.told()))
        self.took = time.monotonic() - self.began
        self.reader.join(5)
        self.sane()
        return code

    def sane(self):
        """A sanitizer's report is a failure, whatever the exit status says."""
        told = self.told()
        check("Sanitizer" not in told and "runtime error" not in told, told)

    def stop(self, how=signal.SIGINT, seconds=12):
        """End it politely; it must say so with exit status 0."""
        start = time.monotonic()
        self.process.send_signal(how)
        try:
            code = self.process.wait(seconds)
        except subprocess.TimeoutExpired:
            self.process.kill()
            raise Failed("did not end within %d s:\n%s" % (seconds, self.told()))
        self.reader.join(5)
        self.sane()
        check(code == 0, "exit status %d after a polite end:\n%s" % (code, self.told()))
        return time.monotonic() - start

    def ctl(self, verb, *args):
        return self.client.run(self.bench.l2tpc, verb, *args)

    def fresh_status(self):
        out = self.ctl("status", self.name, "--json")
        try:
            o = json.loads(out.stdout.strip().split("\n")[-1])
        except (ValueError, IndexError):
            raise Failed("l2tpc status %s --json said: %s%s" % (self.name, out.stdout, out.stderr))
        if isinstance(o, list):
            o = o[0] if o else {}
        return o.get("status") if isinstance(o.get("status"), dict) else o

    def must_fail(self, code, seconds):
        """It ends by itself, in time, with this code, its stage and its exit status."""
        status = self.wait_end(seconds)
        codes = code if isinstance(code, tuple) else (code,)
        got = (self.error or {}).get("code")
        check(got in codes, "error code %s, not %s (exit status %d after %.1f s):\n%s"
              % (got, " or ".join(codes), status, self.took, self.told()))
        stage, exit_status = catalogue()[got]
        if got.startswith("local.") and got != "local.timeout":
            exit_status = 1  # this computer's own trouble is no stage's fault
        check(self.error.get("stage") == stage, "stage %s, not %s" % (self.error.get("stage"),
                                                                     stage))
        check(status == exit_status, "exit status %d, not %d" % (status, exit_status))
        for key in ("message", "hint"):
            check(self.error.get(key), "the error has no %s" % key)


class Capture:
    def __init__(self, bench, address):
        self.file = os.path.join(bench.folder, address + ".pcapng")
        self.address = address
        lab("capture", "start", self.file, "host " + address)

    def judge(self, dials, **how):
        lab("capture", "stop", self.file)
        keys = []
        for d in dials:
            check(os.path.exists(d.keylog) and os.path.getsize(d.keylog), "no key log was written (L2TPC_KEYLOG): is this a "
                  "build with -Dtest_hooks=true?")
            keys += judging.load_keys(d.keylog)
        if sabotaged():
            keys = [dict(k, cipher_key="0" * len(k["cipher_key"])) if "cipher_key" in k else k
                    for k in keys]
        v = judging.judge(self.file, keys, client=self.address, **how)
        check(not v.problems, "the judge says:\n" + "\n".join(v.problems[:12]))
        return v
