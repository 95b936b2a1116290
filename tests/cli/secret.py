# SPDX-License-Identifier: LGPL-2.1-or-later
"""Where secrets come from, and where they must not go."""
import fcntl
import json
import os
import pty
import re
import select
import signal
import subprocess
import termios
import time

from suite import Failed, check
from bench import Dial, Untouched, objects, sane, NOBODY, PASSWORD, PATIENCE, PSK, SERVER, SILENT
from common import base, bench, secrets, suite, usage


# ---- secrets

@suite.case()
def secret_files_that_cannot_be_read():
    bench.write("big", b"x" * 513)
    bench.write("huge", b"x" * 100000)
    for option, what in (("--psk-file", "pre-shared key"), ("--password-file", "password")):
        for file, words in (("/nonexistent/x", "No such file"), (bench.folder, "directory"),
                            ("/etc/passwd/x", "Not a directory"), ("", "cannot be read"),
                            (bench.folder + "/big", "longer than 512 bytes"),
                            (bench.folder + "/huge", "longer than 512 bytes"),
                            ("/dev/zero", "longer than 512 bytes"),
                            (bench.folder + "/loop", "symbolic links")):
            if file.endswith("loop") and not os.path.islink(file):
                os.symlink("loop", file)
            usage(*base(), option, file, words=words)
            check(what in bench.run(*base(), option, file)[2], what)


@suite.case()
def secret_file_without_rights():
    run_dir = os.path.join(bench.folder, "nobody-run")
    usage(*base(), "--psk-file", bench.folder + "/psk", words="Permission denied", user=NOBODY,
          env={"L2TPC_RUN_DIR": run_dir})
    check(not os.path.exists(run_dir), "the run directory was made for nothing")


@suite.case()
def both_secrets_from_standard_input():
    usage(*base(), "--psk-file", "-", "--password-file", "-", words="one secret only",
          input=b"x\n")


@suite.case()
def empty_pre_shared_keys():
    bench.write("empty", b"")
    bench.write("newline", b"\n")
    for f in ("empty", "newline"):
        usage(*base(), "--psk-file", bench.folder + "/" + f, words="is empty")
    usage(*base(), "--psk-file", "-", words="is empty", input=b"\n")
    usage(*base(), "--secrets-fd", "0", words="is empty", input=b"psk=\n")


def dialed(*args, **how):
    """Taken: the dial begins, and is interrupted by its own short patience."""
    with Untouched(bench):
        code, out, err = bench.run(*base(SILENT), *args, "--json", "--timeout", "1", **how)
    check('"stage":"ike-phase1"' in out, out + err)
    check(objects(out)[-1]["error"]["code"] == "local.timeout", out + err)
    return err


@suite.case()
def secrets_of_any_bytes():
    for i, (psk, password) in enumerate((
            (b"nul\0in\0side", b"\0"), (b"'\"$`\\ ;|&", b"'; rm -rf /;"), (b"x" * 512, b"y" * 512),
            ("pré-partagé".encode(), "пароль".encode()), (b"\xff\xfe\x80", b"\xc3\x28"),
            (b"x\n\n", b""))):
        bench.write("any-psk", psk)
        bench.write("any-password", password)
        err = dialed("--psk-file", bench.folder + "/any-psk", "--password-file",
                     bench.folder + "/any-password")
        check(err == "", err)


@suite.case()
def secrets_descriptor():
    for text in (b"psk=a\npassword=b\n", b"psk=a\npassword=b", b"password=\n\npsk=x\n",
                 b"psk=a=b\npassword==\n", b"psk=" + b"x" * 512 + b"\npassword=" + b"y" * 512):
        check(dialed("--secrets-fd", "0", input=text) == "", text)
    err = dialed("--secrets-fd", "0", input=b"psk=a\r\npassword=b\r\n")
    check(err.count("carriage return") == 2, err)


@suite.case()
def secrets_descriptor_junk():
    usage(*base(), "--secrets-fd", "0", words="none of psk=", input=b"labpsk123\n")
    usage(*base(), "--secrets-fd", "0", words="none of psk=", input=b"psk=a\nPassword=b\n")
    usage(*base(), "--secrets-fd", "0", words="none of psk=", input=b"\r\n")
    usage(*base(), "--secrets-fd", "0", words="longer", input=b"psk=" + b"x" * 513)
    usage(*base(), "--secrets-fd", "0", words="descriptor 0", input=b"psk=" + b"x" * 5000)
    usage(*base(), "--secrets-fd", "0", words="none of psk=", input=os.urandom(300) + b"\n")


@suite.case()
def secrets_descriptor_closed():
    usage(*base(), "--secrets-fd", "9", words="descriptor 9: Bad file descriptor")
    usage(*base(), "--secrets-fd", "0", words="Bad file descriptor", redirect="<&-")
    usage(*base(), "--psk-file", "-", words="Bad file descriptor", redirect="<&-")
    usage(*base(), "--secrets-fd", "1", words="Descriptor 1 gave no secrets", redirect=">&-")
    usage(*base(), "--secrets-fd", "0", words="Descriptor 0 gave no secrets")
    usage(*base(), "--secrets-fd", "9", words="descriptor 9", redirect="9> /dev/null")


@suite.case()
def secrets_from_a_source_that_never_comes():
    fifo = os.path.join(bench.folder, "fifo")
    os.mkfifo(fifo)
    for how in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        r, w = os.pipe()
        for args, stdin in ((["--psk-file", fifo], None), (["--secrets-fd", "0"], r)):
            with Untouched(bench):
                p = bench.spawn(bench.command(base() + args), env=bench.environment(),
                                stdin=stdin or subprocess.DEVNULL, stdout=subprocess.DEVNULL,
                                stderr=subprocess.DEVNULL)
                time.sleep(0.3)
                check(p.poll() is None, "it did not wait")
                p.send_signal(how)
                try:
                    check(p.wait(1 * PATIENCE) == -how, "exit status %d" % p.returncode)
                except subprocess.TimeoutExpired:
                    bench.end(p)
                    raise Failed("it could not be interrupted")
        os.close(r)
        os.close(w)


@suite.case()
def secrets_are_nowhere():
    """Neither among the arguments, nor in the environment, the log, the output or a file."""
    peer = bench.peer()
    try:
        with Untouched(bench):
            dial = Dial(bench, "--verbose", server=SERVER).wait_up()
            found = dial.text() + dial.text(dial.err)
            for f in ("cmdline", "environ"):
                with open("/proc/%d/%s" % (dial.process.pid, f), errors="replace") as text:
                    found += text.read()
            for root, _, names in os.walk(bench.run_dir):
                for n in names:
                    path = os.path.join(root, n)
                    if os.path.isfile(path):
                        with open(path, errors="replace") as text:
                            found += text.read()
            check(len(dial.text(dial.err)) > 100, "--verbose says nothing")
            check(dial.stop() == 0, dial.told())
        for secret in (PSK, PASSWORD):
            check(secret not in found, "%s can be seen" % secret)
    finally:
        bench.end(peer)


@suite.case()
def no_terminal_to_ask_on():
    peer = bench.peer()
    try:
        with Untouched(bench):
            p = subprocess.run(["setsid"] + bench.command(base() + ["--json"]),
                               capture_output=True, env=bench.environment(),
                               stdin=subprocess.DEVNULL, timeout=20)
    finally:
        bench.end(peer)
    out = p.stdout.decode()
    sane(p.stderr.decode())
    check(p.returncode == 1 and objects(out)[-1]["error"]["code"] == "local.secret", out)


# ---- the terminal

class Terminal:
    """l2tpc with a terminal of its own."""

    def __init__(self, *args):
        self.master, slave = pty.openpty()
        self.slave = slave

        def adopt():
            os.setsid()
            fcntl.ioctl(0, termios.TIOCSCTTY, 0)

        self.process = bench.spawn(bench.command(args), env=bench.environment(), stdin=slave,
                                   stdout=slave, stderr=slave, preexec_fn=adopt)
        self.text = ""

    def echo(self):
        return bool(termios.tcgetattr(self.slave)[3] & termios.ECHO)

    def read(self, seconds):
        if not select.select([self.master], [], [], seconds)[0]:
            return False
        self.text += os.read(self.master, 4096).decode(errors="replace")
        return True

    def wait(self, needle, seconds=10):
        end = time.monotonic() + seconds
        while needle not in self.text:
            check(time.monotonic() < end, "%r did not come: %r" % (needle, self.text))
            self.read(0.1)
        return self

    def type(self, text):
        os.write(self.master, text)

    def end(self, seconds):
        end = time.monotonic() + seconds
        while self.process.poll() is None and time.monotonic() < end:
            self.read(0.02)
        while self.read(0):
            pass
        sane(self.text)
        if self.process.poll() is None:
            bench.end(self.process)
            raise Failed("still running: %r" % self.text)
        return self.process.returncode

    def close(self):
        bench.end(self.process)
        os.close(self.master)
        os.close(self.slave)


@suite.case()
def prompt_and_interrupt():
    """Ctrl-C at a prompt: the dial ends at once and the terminal echoes again."""
    for what in (b"\x03", signal.SIGTERM):
        peer = bench.peer()
        with Untouched(bench):
            t = Terminal(*base())
            try:
                t.wait("Pre-shared key: ")
                check(not t.echo(), "the terminal echoes what is typed")
                check(t.text.endswith("\x1b[KPre-shared key: "), "behind the live line: %r" % t.text)
                code, out, _ = bench.run("status", "--json")
                check(code == 0 and json.loads(out)["state"] == "dialing", out)
                if isinstance(what, bytes):
                    t.type(what)
                else:
                    t.process.send_signal(what)
                check(t.end(1 * PATIENCE) == 1, "exit status %s" % t.process.returncode)
                check(t.echo(), "the terminal was left without echo")
                check("was cancelled" in t.text, t.text)
            finally:
                t.close()
                bench.end(peer)


@suite.case()
def prompt_answers():
    peer = bench.peer()
    try:
        with Untouched(bench):
            t = Terminal(*base())
            try:
                t.wait("Pre-shared key: ").type(PSK.encode() + b"\n")
                t.wait("Password: ").type(PASSWORD.encode() + b"\n")
                t.wait("this is L2TP inside IPsec")
                check(t.echo(), "the terminal was left without echo")
                got = json.loads(bench.run("status", "--json")[1])
                check(got["secrets"]["psk_origin"] == got["secrets"]["password_origin"] == "asked"
                      and got["ike"]["psk_strength"] == "good", "%s" % got["secrets"])
                t.type(b"\x03")
                check(t.end(8) == 0, "exit status %s: %r" % (t.process.returncode, t.text))
                check(PSK not in t.text and PASSWORD not in t.text, "a secret was shown")
            finally:
                t.close()
    finally:
        bench.end(peer)


@suite.case()
def prompt_refusals():
    """Nothing, or too much: the dial says that the secret is missing."""
    for typed in (b"\n", b"x" * 600 + b"\n", b"\x04"):
        peer = bench.peer()
        with Untouched(bench):
            t = Terminal(*base())
            try:
                t.wait("Pre-shared key: ").type(typed)
                check(t.end(3) == 1 and "local.secret" in t.text, "%r" % t.text)
                check(t.echo(), "the terminal was left without echo")
            finally:
                t.close()
                bench.end(peer)


@suite.case()
def live_line_is_cleared_before_an_error():
    with Untouched(bench):
        t = Terminal(*base(SILENT), *secrets())
        try:
            t.wait("... ")
            t.type(b"\x03")
            check(t.end(1 * PATIENCE) == 1, "exit status %s" % t.process.returncode)
            line = [x for x in t.text.split("\n") if "l2tpc: " in x][0]
            check(re.search(r"\r\x1b\[Kl2tpc: ", line), "%r" % line)
        finally:
            t.close()
