# SPDX-License-Identifier: LGPL-2.1-or-later
"""The world of the canaries: that of the command's tests, with programs that stand still when they
are told to, and secrets that are made anew for each run."""
import json
import os
import re
import secrets
import shutil
import subprocess

import common
import schedule
from bench import Bench, Dial, HERE as CLI, TOP, SERVER, USER, NOBODY  # noqa: F401
from suite import Suite, Skip, Failed, check, sabotaged
from search import Needles, search, search_file, told

suite = Suite("canary")
HERE = os.path.dirname(os.path.abspath(__file__))


def canary():
    return secrets.token_hex(16).encode().translate(
        bytes.maketrans(b"0123456789abcdef", b"GHJKMNPQRSTVWXYZ"))


def tool(*args, must=True, **how):
    out = subprocess.run(args, capture_output=True, timeout=60, **how)
    check(out.returncode == 0 or not must, "%s: %s" % (args[0], out.stderr.decode(errors="replace")))
    return out.stdout


class Cage(Bench):
    def build(self):
        """No sanitizers: their shadow and their quarantine would be searched, too."""
        if not os.environ.get("CLI_BUILD"):
            script = ". tests/lib/builds.sh; build_variant clang && build_dir clang"
            out = subprocess.run(["bash", "-c", script], cwd=TOP, capture_output=True, text=True)
            check(out.returncode == 0, "the clang build failed\n" + out.stdout + out.stderr)
            os.environ["CLI_BUILD"] = out.stdout.strip().splitlines()[-1]
        Bench.build(self)
        self.wanted("canary-dialer", "canary-signer", "canary-no-wipe.so")
        self.psk, self.password, self.wrong = canary(), canary(), canary()
        self.tunnel_secret, self.passphrase, self.pin = canary(), canary(), canary()
        for name in ("psk", "password", "wrong", "tunnel_secret", "passphrase", "pin"):
            self.write(name, getattr(self, name), 0o644)
        self.keylog = os.path.join(self.folder, "keys.jsonl")
        self.write("keys.jsonl", b"", 0o666)

    def wanted(self, *names):
        for root, _, files in os.walk(os.environ["CLI_BUILD"]):
            for n in set(names) & set(files):
                shutil.copy(os.path.join(root, n), self.bin)
        for n in names:
            if not os.path.exists(os.path.join(self.bin, n)):
                raise Skip("the build has no %s" % n)

    def path(self, name):
        return os.path.join(self.folder, name)

    def serve(self, *options):
        self.write("keys.jsonl", b"", 0o666)  # those of the dial to come
        self.net()
        return self.peer(SERVER, "psk=" + self.psk.decode(),
                         "password=" + self.password.decode(), *options)

    def environment(self, extra=None):
        keys = {"L2TPC_KEYLOG": self.keylog, "L2TPC_KEYLOG_ALL": "1"}
        if sabotaged():
            keys.update(LD_PRELOAD=self.path("bin/canary-no-wipe.so"), CANARY_NO_WIPE="long")
        return Bench.environment(self, dict(keys, **(extra or {})))

    def in_a_core(self, pid, wanted):
        """What the kernel, or root's own debugger, would write of it."""
        if not shutil.which("gcore"):
            raise Skip("gdb is not installed")
        out = subprocess.run(["gcore", "-o", self.path("core"), str(pid)], capture_output=True,
                             text=True, timeout=60, stdin=subprocess.DEVNULL)
        core = self.path("core.%d" % pid)
        check(os.path.exists(core) and os.path.getsize(core) > 1 << 18, out.stdout + out.stderr)
        hits = search_file(core, wanted)
        os.unlink(core)
        return hits

    def told_keys(self):
        """Every derived key of the dial: (name, bytes)."""
        with open(self.keylog) as f:
            lines = [json.loads(line) for line in f]
        for k in lines:
            if k["kind"] == "esp":
                yield "ESP key", bytes.fromhex(k["cipher_key"])[:32]
                yield "ESP integrity key", bytes.fromhex(k["integ_key"])
            else:
                yield ("SKEYID" if k["kind"] == "skeyid" else "IKE key"), bytes.fromhex(k["key"])

    def expanded_keys(self):
        """What they become before they are used: (name, bytes)."""
        with open(self.keylog) as f:
            lines = [json.loads(line) for line in f]
        for k in lines:
            cipher, key, integ = ("AES", k["key"], "") if k["kind"] == "ike" else \
                (k["cipher"], k["cipher_key"], k["integ_key"]) if k["kind"] == "esp" else ("", "", "")
            key, integ = bytes.fromhex(key), bytes.fromhex(integ)
            if k["kind"] != "ike" or len(key) in (16, 24, 32):
                for name, raw in schedule.expanded(cipher, key, integ):
                    yield "%s %s" % (k["kind"].upper(), name), raw


common.bench = cage = Cage()


def needles(*names, derived=True, more=(), expanded=False):
    found = Needles()
    for name, raw in cage.expanded_keys() if expanded else ():
        found.add_words(name, raw)
    for name in names:
        found.add(name, getattr(cage, name))
    if "password" in names:
        found.add("NT hash", nt_hash(cage.password))
    for name, raw in list(cage.told_keys() if derived else ()) + list(more):
        if len(raw) >= 8:
            found.add(name, raw)
    return found


def nt_hash(password):
    return tool("openssl", "dgst", "-provider", "legacy", "-provider", "default", "-md4", "-binary",
                input=password.decode().encode("utf-16-le"))


class Still:
    """A program of ours between its lines: it says a word, and goes on with the next line."""

    def __init__(self, program, *args, user=None, env=None):
        command = cage.command(args, user=user)
        command[command.index(cage.l2tpc)] = cage.path("bin/" + program)
        self.process = cage.spawn(command, env=cage.environment(env), stdin=subprocess.PIPE,
                                  stdout=subprocess.PIPE, stderr=subprocess.PIPE, bufsize=0)

    @property
    def pid(self):
        return self.process.pid

    def word(self):
        line = self.process.stdout.readline().decode().strip()
        check(line, "it ended: %s" % (self.process.poll() is not None and
                                      self.process.stderr.read().decode(errors="replace")))
        return line

    def until(self, *words):
        seen = []
        while True:
            seen.append(self.word())
            if seen[-1] in words:
                return seen

    def go_on(self):
        self.process.stdin.write(b"\n")

    def searched(self, wanted):
        """What is in its memory now, and that there was something to search."""
        total, hits = search(self.pid, wanted)
        check(total > 1 << 20 and wanted.rows + wanted.words, "only %d bytes were searched" % total)
        return hits

    def freed(self, wanted):
        """Goes on to its end, in which nothing may be left."""
        self.go_on()
        self.until("freed")
        hits = self.searched(wanted() if callable(wanted) else wanted)
        cage.end(self.process)
        check(not hits, "still in memory when all is freed:\n" + told(hits))


class Served:
    """with Served(...): a server that knows the secrets."""

    def __init__(self, *options):
        self.options = options

    def __enter__(self):
        self.peer = cage.serve(*self.options)

    def __exit__(self, *_):
        cage.end(self.peer)


def dialer(*words, **how):
    return Still("canary-dialer", SERVER, USER, *words, **how)


def numbers_of(key):
    """The secret numbers of a key file: (name, bytes)."""
    text = tool("openssl", "pkey", "-in", key, "-text", "-noout").decode()
    names = {"privateExponent": "RSA d", "prime1": "RSA p", "prime2": "RSA q",
             "exponent1": "RSA d mod p-1", "exponent2": "RSA d mod q-1", "coefficient": "RSA 1/q",
             "priv": "EC scalar"}
    for name, digits in re.findall(r"^(\w+):\s*\n((?:\s+[0-9a-f:]+\n)+)", text, re.M):
        if name in names:
            yield names[name], bytes.fromhex(re.sub(r"[\s:]", "", digits)).lstrip(b"\0")
