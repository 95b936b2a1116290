# SPDX-License-Identifier: LGPL-2.1-or-later
"""The command: wherever its secrets come from, they show up nowhere but in its arena."""
import os
import subprocess

from suite import check
from bench import Dial, SERVER, USER, PATIENCE
from cage import cage, needles, suite, told, tool, Served
from library import make_key, numbers_of
from search import search, search_file
from secret import Terminal

SECRETS = ("psk", "password")
LOCKED = {"dd", "lo", "wf"}


def children(pid):
    found = []
    for name in os.listdir("/proc"):
        try:
            with open("/proc/%s/stat" % name) as f:
                if name.isdigit() and int(f.read().rsplit(")", 1)[1].split()[1]) == pid:
                    found.append(int(name))
        except OSError:
            pass  # it has ended
    return found


def written_files(pid):
    """What the process has open for writing, and whatever it has mapped."""
    for fd in os.listdir("/proc/%d/fd" % pid):
        try:
            with open("/proc/%d/fdinfo/%s" % (pid, fd)) as f:
                flags = int([line.split()[1] for line in f if line.startswith("flags:")][0], 8)
            path = os.path.realpath("/proc/%d/fd/%s" % (pid, fd))
        except OSError:
            continue
        if flags & 3 and os.path.isfile(path) and path != cage.keylog:
            yield path


def kept_files():
    for folder in (cage.run_dir, cage.path("state")):
        for root, _, names in os.walk(folder):
            for n in names:
                path = os.path.join(root, n)
                if os.path.isfile(path):
                    yield path


def nowhere(pid, wanted, *files):
    """Arguments, environment, files, the control socket."""
    for p in [pid] + children(pid):
        for path in ["/proc/%d/%s" % (p, n) for n in ("cmdline", "environ")] + \
                list(written_files(p)):
            hits = search_file(path, wanted)
            check(not hits, "%s: %s" % (path, hits))
        with open("/proc/%d/limits" % p) as f:
            core = [line for line in f if line.startswith("Max core file size")][0].split()
        check(core[4:6] == ["0", "0"], "%s" % core)
    for path in list(kept_files()) + list(files):
        hits = search_file(path, wanted)
        check(not hits, "%s: %s" % (path, hits))
    for how in (("status",), ("status", "--json")):
        text = cage.run(*how)[1].encode()
        check(not list(wanted.find(text)), "%s: %s" % (how, list(wanted.find(text))))


def name_of(pid):
    with open("/proc/%d/comm" % pid) as f:
        return f.read().strip()


def engine_of(pid):
    return [c for c in children(pid) if name_of(c) == "l2tpc-engine"][0]


def in_memory(pid, up=True):
    """The engine: in its arena alone, and what the keys become where it is locked and not dumped.
    The others, which have passed them on or never had them: nothing at all."""
    others = [pid] + children(pid)
    engine = engine_of(pid)
    others.remove(engine)
    skeyids = [k for k in cage.told_keys() if k[0] == "SKEYID"]
    _, hits = search(engine, needles(*SECRETS, derived=False, more=skeyids))
    check(any(name == "psk" for _, name, _, _ in hits), "the search finds nothing at all")
    out = [h for h in hits if not LOCKED <= h[0].flags]
    check(not out, "outside of the arena:\n" + told(out))
    _, hits = search(engine, needles(expanded=True))
    check(hits or not up, "no expanded key is found: is this search any good?")
    out = [h for h in hits if not {"dd", "lo"} <= h[0].flags]
    check(not out, "outside of protected memory:\n" + told(out))
    for p in others:
        total, hits = search(p, needles(*SECRETS, expanded=True))
        check(total > 1 << 18 and not hits, "in %s:\n%s" % (name_of(p), told(hits)))
    return [p for p in others if name_of(p) == "l2tpc-broker"]


def used(bursts=20):
    """Packets through the tunnel, several at once: every back end of ESP has had its turn."""
    for size in (56, 1000):
        tool("ip", "netns", "exec", cage.client, "ping", "-q", "-f", "-c", str(32 * bursts), "-l", "32",
             "-w", "2", "-s", str(size), "192.0.2.77", must=False)


def stopped(dial):
    check(dial.stop() == 0, dial.told())


@suite.case()
def command_with_files():
    with Served():
        dial = Dial(cage, "--verbose", server=SERVER).wait_up()
        used()
        nowhere(dial.process.pid, needles(*SECRETS), dial.out, dial.err)
        check(in_memory(dial.process.pid), "there is no broker")
        stopped(dial)
        for path in [dial.out, dial.err] + list(kept_files()):
            hits = search_file(path, needles(*SECRETS))
            check(not hits, "%s: %s" % (path, hits))


@suite.case()
def command_with_a_core():
    """What root's own debugger may write of it: secrets, and all that keys become, are left out."""
    with Served():
        dial = Dial(cage, server=SERVER).wait_up()
        used()
        skeyids = [k for k in cage.told_keys() if k[0] == "SKEYID"]
        keys = list(cage.expanded_keys())
        check(len(skeyids) >= 4 and len(keys) >= 40, "%s %s" % (skeyids, keys))
        hits = cage.in_a_core(engine_of(dial.process.pid), needles(*SECRETS, expanded=True))
        check(not hits, "in the core: %s" % hits)
        stopped(dial)


def connected(args, given, **how):
    """A dial whose secrets come through descriptor 0."""
    err = cage.path("fed.err")
    with Served(), open(err, "wb") as stderr:
        p = cage.spawn(cage.command(["connect", "--server", SERVER, "--user", USER, "--verbose"] +
                                    args), env=cage.environment(), stdin=subprocess.PIPE,
                       stdout=subprocess.PIPE, stderr=stderr, **how)
        p.stdin.write(given)
        p.stdin.close()
        text = b""
        while b"L2TP inside IPsec" not in text:
            line = p.stdout.readline()
            check(line, "not up: %r" % text)
            text += line
        nowhere(p.pid, needles(*SECRETS), err)
        in_memory(p.pid)
        cage.end(p)
        text += p.stdout.read()
        check(not list(needles(*SECRETS).find(text)), "shown: %r" % text)


@suite.case()
def command_with_standard_input():
    connected(["--psk-file", "-", "--password-file", cage.path("password")], cage.psk + b"\n")
    connected(["--password-file", "-", "--psk-file", cage.path("psk")], cage.password + b"\n")


@suite.case()
def command_with_a_descriptor():
    connected(["--secrets-fd", "0"], b"psk=" + cage.psk + b"\npassword=" + cage.password + b"\n")


@suite.case()
def command_with_a_terminal():
    """Typed; looked for between the two questions, and when it is up."""
    with Served():
        t = Terminal("connect", "--server", SERVER, "--user", USER)
        try:
            t.wait("Pre-shared key: ").type(cage.psk + b"\n")
            t.wait("Password: ")
            in_memory(t.process.pid, up=False)
            t.type(cage.password + b"\n")
            t.wait("this is L2TP inside IPsec")
            in_memory(t.process.pid)
            nowhere(t.process.pid, needles(*SECRETS))
            t.type(b"\x03")
            check(t.end(8 * PATIENCE) == 0, "exit status %s" % t.process.returncode)
            check(not list(needles(*SECRETS).find(t.text.encode())), t.text)
        finally:
            t.close()


@suite.case()
def command_that_is_cancelled_at_a_question():
    """Half typed, then Ctrl-C: not on the screen, nor in a file."""
    with Served():
        t = Terminal("connect", "--server", SERVER, "--user", USER, "--verbose")
        try:
            t.wait("Pre-shared key: ").type(cage.wrong)
            wanted = needles("wrong", derived=False)
            _, hits = search(t.process.pid, wanted)
            check(not hits, "before Enter:\n" + told(hits))
            t.type(b"\x03")
            check(t.end(4 * PATIENCE) == 1, "exit status %s" % t.process.returncode)
            check(not list(wanted.find(t.text.encode())), t.text)
            for path in kept_files():
                check(not search_file(path, wanted), path)
        finally:
            t.close()


@suite.case()
def command_with_a_key():
    """Passphrase and key of a certificate: in no line of the log, and not in its answers."""
    name = make_key("rsa")
    wanted = needles("passphrase", "wrong", derived=False, more=list(numbers_of(name + ".key")))
    with Served():
        for certificate in ((name + ".p12",), (name + ".pem", "--key", name + ".locked")):
            for passphrase in ("passphrase", "wrong"):
                words = ["--certificate", *certificate, "--passphrase-file", cage.path(passphrase)]
                code, out, err = cage.run("connect", "--server", SERVER, "--user", USER, "--ca",
                                          name + ".pem", "--password-file", cage.path("password"),
                                          "--verbose", "--json", "--timeout", "2", *words)
                check(code != 0 and out, out + err)
                check(not list(wanted.find((out + err).encode())), out + err)
                code, out, err = cage.run("certificate", "check", "--ca", name + ".pem", *words)
                check(not list(wanted.find((out + err).encode())), out + err)
