# SPDX-License-Identifier: LGPL-2.1-or-later
"""The world of the command's tests: a client and a server namespace, one run of l2tpc, a dial that
goes on, and what neither may leave behind."""
import json
import os
import shutil
import signal
import subprocess
import tempfile
import time

from suite import Failed, Skip, check, sabotaged

HERE = os.path.dirname(os.path.abspath(__file__))
TOP = os.path.dirname(os.path.dirname(HERE))
CLIENT, SERVER, SECOND, SILENT = "198.51.100.100", "198.51.100.1", "198.51.100.2", "198.51.100.9"
NOBODY = 65534
PSK, USER, PASSWORD = "Ng7x4tQzV9kWc2RfpM5bY8sD", "alice", "wonderland"
PATIENCE = float(os.environ.get("L2TPC_PATIENCE", "2")) / 2  # on two idle cores it is 1
PREPARE = """mount --bind {folder}/resolv.conf /etc/resolv.conf || exit 99
mount -t tmpfs -o mode=755 none /usr/local/share || exit 99
if [ -e {folder}/de.mo ]; then
    mkdir -p /usr/local/share/locale/de/LC_MESSAGES
    cp {folder}/de.mo /usr/local/share/locale/de/LC_MESSAGES/l2tpc.mo
fi
{before}
exec {user} "$@" {redirect}
"""
LOOK = """ip -4 rule; ip -6 rule; ip -4 route show table all; ip -6 route show table all
ip -br link; ip -4 -br addr; nft list ruleset 2> /dev/null"""


def tool(*args, must=True):
    out = subprocess.run(args, capture_output=True, text=True, errors="replace", timeout=30,
                         stdin=subprocess.DEVNULL)
    if must and out.returncode != 0:
        raise Failed("%s: %s" % (" ".join(args), out.stderr.strip()))
    return out.stdout


def sane(text):
    """A sanitizer's report is a failure, whatever the exit status says."""
    check("Sanitizer" not in text and "runtime error" not in text, text)


def objects(text):
    """Every line of the output, which must be one JSON object each."""
    try:
        return [json.loads(line) for line in text.splitlines()]
    except ValueError as e:
        raise Failed("not JSON: %s\n%s" % (e, text))


class Bench:
    def __init__(self):
        self.folder = self.run_dir = None
        self.client, self.server = ("cli-%d-%s" % (os.getpid(), side) for side in "cs")
        self.processes = []
        self.with_net = False

    def write(self, name, content, mode=0o600):
        path = os.path.join(self.folder, name)
        with open(path, "wb") as f:
            f.write(content if isinstance(content, bytes) else content.encode())
        os.chmod(path, mode)
        return path

    def build(self):
        """The programs, copied to where every user can run them."""
        script = ". tests/lib/builds.sh; build_variant sanitize && build_dir sanitize"
        build = os.environ.get("CLI_BUILD")
        self.folder = tempfile.mkdtemp(prefix="l2tpc-cli-")
        os.chmod(self.folder, 0o755)
        self.run_dir = os.path.join(self.folder, "run")
        if not build:
            out = subprocess.run(["bash", "-c", script], cwd=TOP, capture_output=True, text=True)
            if out.returncode != 0:
                raise Failed("the sanitize build failed\n" + out.stdout + out.stderr)
            build = out.stdout.strip().splitlines()[-1]
        self.bin = os.path.join(self.folder, "bin")
        os.mkdir(self.bin)
        wanted = ("l2tpc", "sim-peerd", "libl2tpc.so.0", "libl2tpc-host.so.0",
                  "libl2tpc-profile.so.0")
        for root, _, names in os.walk(build):
            for n in names:
                if n in wanted:
                    shutil.copy(os.path.join(root, n), self.bin)
        missing = [w for w in wanted if not os.path.exists(os.path.join(self.bin, w))]
        check(not missing, "the build has no %s" % ", ".join(missing))
        self.l2tpc = os.path.join(self.bin, "l2tpc")
        self.peerd = os.path.join(self.bin, "sim-peerd")
        self.write("resolv.conf", "nameserver 127.0.0.1\n", 0o644)  # refuses at once
        self.write("psk", PSK + "\n")
        self.write("password", PASSWORD + "\n")
        if shutil.which("msgfmt"):
            tool("msgfmt", "-o", os.path.join(self.folder, "de.mo"),
                 os.path.join(TOP, "po", "de.po"))

    def net(self):
        if self.with_net:
            return
        if os.geteuid() != 0:
            raise Skip("needs root, for namespaces of its own")
        for ns in (self.client, self.server):
            tool("ip", "netns", "add", ns)
            tool("ip", "-n", ns, "link", "set", "lo", "up")
        tool("ip", "-n", self.client, "link", "add", "outer", "type", "veth", "peer", "name",
             "outer", "netns", self.server)
        for ns, addresses in ((self.client, (CLIENT,)), (self.server, (SERVER, SECOND))):
            tool("ip", "netns", "exec", ns, "sysctl", "-qw", "net.ipv6.conf.all.disable_ipv6=1")
            for a in addresses:
                tool("ip", "-n", ns, "addr", "add", a + "/24", "dev", "outer")
            tool("ip", "-n", ns, "link", "set", "outer", "up")
        tool("ip", "-n", self.client, "route", "add", "default", "via", SERVER)
        # A neighbour that is not there: what is sent to it vanishes, and nobody says so.
        tool("ip", "-n", self.client, "neigh", "add", SILENT, "lladdr", "02:00:00:00:00:99", "dev",
             "outer", "nud", "permanent")
        self.with_net = True

    def environment(self, extra=None):
        env = {"PATH": os.environ["PATH"], "LC_ALL": "C.UTF-8", "LD_LIBRARY_PATH": self.bin,
               "L2TPC_STATE_DIR": self.folder + "/state",
               "L2TPC_RUN_DIR": self.run_dir, "DBUS_SYSTEM_BUS_ADDRESS": "unix:path=/nonexistent",
               "ASAN_OPTIONS": "detect_leaks=1", "UBSAN_OPTIONS": "print_stacktrace=1"}
        env.update(extra or {})
        return {k: v for k, v in env.items() if v is not None}

    def command(self, args, user=None, redirect="", before=""):
        self.net()
        become = "setpriv --reuid %d --regid %d --clear-groups" % (user, user) if user else ""
        script = PREPARE.format(folder=self.folder, user=become, redirect=redirect, before=before)
        return ["ip", "netns", "exec", self.client, "sh", "-c", script, "sh", self.l2tpc] + \
            [os.fsencode(a) if isinstance(a, str) else a for a in args]

    def spawn(self, command, **how):
        p = subprocess.Popen(command, **how)
        self.processes.append(p)
        return p

    def state(self):
        """What a run could leave: rules, routes, links, addresses, DNS, files, processes."""
        self.net()
        text = tool("ip", "netns", "exec", self.client, "sh", "-c", LOOK)
        with open(os.path.join(self.folder, "resolv.conf")) as f:
            text += f.read()
        for root, _, names in os.walk(self.run_dir):
            # An empty file to lock stays: removing it would race with the next one who locks it.
            text += "".join("file %s\n" % n for n in sorted(names)
                            if n != "lock" or os.path.getsize(os.path.join(root, n)))
        return text + "processes %s\n" % tool("ip", "netns", "pids", self.client).split()

    def run(self, *args, env=None, input=None, timeout=20, **how):
        """One run to its end: (exit status, stdout, stderr)."""
        stdin = {"input": input} if input is not None else {"stdin": how.pop("stdin",
                                                                             subprocess.DEVNULL)}
        fds = how.pop("pass_fds", ())
        try:
            out = subprocess.run(self.command(args, **how), capture_output=True, timeout=timeout,
                                 env=self.environment(env), pass_fds=fds, **stdin)
        except subprocess.TimeoutExpired:
            shutil.rmtree(self.run_dir, ignore_errors=True)  # it was killed: no case but this
            raise Failed("still running after %d s: %s" % (timeout, args))
        err = out.stderr.decode(errors="replace")
        sane(err)
        return out.returncode, out.stdout.decode(errors="replace"), err

    def peer(self, address=SERVER, *options):
        p = self.spawn(["ip", "netns", "exec", self.server, self.peerd, address, "60"] +
                       list(options), env=self.environment(), stdout=subprocess.DEVNULL,
                       stderr=subprocess.PIPE, text=True)
        end = time.monotonic() + 5
        while time.monotonic() < end:
            seen = tool("ip", "netns", "exec", self.server, "cat", "/proc/net/udp")
            if "%02X%02X%02X%02X:01F4" % tuple(int(b) for b in address.split(".")[::-1]) in seen:
                return p
            check(p.poll() is None, "sim-peerd ended: %s" % (p.poll() is not None and p.stderr.read()))
            time.sleep(0.02)
        raise Failed("sim-peerd did not listen")

    def end(self, *processes):
        for p in processes:
            if p.poll() is None:
                p.terminate()
                try:
                    p.wait(5)
                except subprocess.TimeoutExpired:
                    p.kill()
                    p.wait()

    def close(self):
        self.end(*self.processes)
        for ns in (self.client, self.server) if self.with_net else ():
            tool("ip", "netns", "del", ns, must=False)
        if self.folder:
            shutil.rmtree(self.folder, ignore_errors=True)


class Untouched:
    """with Untouched(bench): what is there afterwards is what was there before."""

    def __init__(self, bench):
        self.bench = bench

    def __enter__(self):
        self.before = self.bench.state().splitlines()
        return self

    def __exit__(self, kind, value, trace):
        if kind:
            return
        if sabotaged():
            tool("ip", "-n", self.bench.client, "rule", "add", "pref", "77", "lookup", "77")
        after = self.bench.state().splitlines()
        gone = [b for b in self.before if b not in after]
        new = [a for a in after if a not in self.before]
        if sabotaged():
            tool("ip", "-n", self.bench.client, "rule", "del", "pref", "77")
        check(not gone and not new, "\n".join(["gone: " + g for g in gone] +
                                              ["left: " + n for n in new]))


class Dial:
    """A connect that goes on while the test does something else."""

    def __init__(self, bench, *args, server=SILENT, name="l2tpc", env=None, json=True, **how):
        self.bench, self.json = bench, json
        self.out, self.err = (os.path.join(bench.folder, "%s.%s" % (name, n))
                              for n in ("out", "err"))
        words = ["connect", "--server", server, "--user", USER, "--name", name, "--psk-file",
                 bench.folder + "/psk", "--password-file", bench.folder + "/password"]
        words += list(args) + (["--json"] if json else [])
        with open(self.out, "wb") as out, open(self.err, "wb") as err:
            self.process = bench.spawn(bench.command(words, **how), env=bench.environment(env),
                                       stdin=subprocess.DEVNULL, stdout=out, stderr=err)

    def text(self, path=None):
        with open(path or self.out, errors="replace") as f:
            return f.read()

    def told(self):
        return self.text()[-3000:] + self.text(self.err)[-3000:]

    def wait(self, needle='"stage-begin","stage":"ike-phase1"', seconds=10):
        end = time.monotonic() + seconds
        while needle not in self.text():
            check(self.process.poll() is None and time.monotonic() < end,
                  "did not get to %s:\n%s" % (needle, self.told()))
            time.sleep(0.01)
        return self

    def wait_up(self):
        self.wait('"state":"up"' if self.json else "L2TP inside IPsec", 15)
        return self

    def wait_end(self, seconds):
        start = time.monotonic()
        try:
            code = self.process.wait(seconds * PATIENCE)
        except subprocess.TimeoutExpired:
            self.process.kill()
            raise Failed("still running %.1f s later:\n%s" % (seconds * PATIENCE, self.told()))
        self.took = time.monotonic() - start
        sane(self.text(self.err))
        return code

    def stop(self, how=signal.SIGINT, seconds=5.0):
        self.process.send_signal(how)
        return self.wait_end(seconds)

    def last(self):
        return objects(self.text())[-1]
