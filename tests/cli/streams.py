# SPDX-License-Identifier: LGPL-2.1-or-later
"""Closed and full streams, the catalogue of failures, German."""
import os
import re
import signal
import subprocess
import time

from suite import Skip, check
from bench import Dial, Untouched, objects, PATIENCE, SERVER, SILENT, TOP
from common import RunDir, base, bench, one_sentence, secrets, suite, usage


# ---- streams

@suite.case()
def output_closed_or_full():
    for words in (["--help"], ["--version"], ["explain"], ["connect", "--help"], ["status"]):
        for where in (">&-", "> /dev/full"):
            code, out, err = bench.run(*words, redirect=where)
            check(code == 1 and "could not be written" in one_sentence(err), "%d %s" % (code, err))
    check(bench.run("explain", redirect="2>&-")[0] == 0, "stderr closed")
    check(bench.run("--nonsense", redirect="2>&- >&- <&-")[0] == 2, "all closed")


@suite.case()
def output_to_a_reader_that_leaves():
    code, out, err = bench.run("explain", redirect="| head -n 1")
    check(out.count("\n") == 1 and err == "", out + err)


@suite.case()
def dial_with_closed_streams():
    """No file of ours becomes a standard stream: what is printed would be written into it."""
    for where in (">&-", "2>&-", ">&- 2>&- <&-"):
        with Untouched(bench):
            dial = Dial(bench, redirect=where, json=False)
            end = time.monotonic() + 8
            while not os.path.exists(bench.run_dir + "/l2tpc.sock") and time.monotonic() < end:
                time.sleep(0.02)
            code, out, err = bench.run("status", "l2tpc")
            check(code == 0 and "l2tpc: dialing" in out, out + err)
            lock = os.path.join(bench.run_dir, "l2tpc.lock")
            check(os.path.getsize(lock) == 0, "the lock holds output")
            check(dial.stop(signal.SIGINT, 1) == 1, dial.told())


@suite.case()
def dial_into_a_pipe_that_breaks():
    """The connection outlives whoever read about it, until it is told to end."""
    with Untouched(bench):
        p = bench.spawn(bench.command(base(SILENT) + secrets() + ["--json"]),
                        env=bench.environment(), stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                        stderr=subprocess.DEVNULL)
        check(b"resolve" in p.stdout.readline(), "no first line")
        p.stdout.close()
        time.sleep(0.5)
        check(bench.run("status", "l2tpc")[0] == 0, "it did not survive")
        p.send_signal(signal.SIGINT)
        check(p.wait(1 * PATIENCE + 1) == 1, "exit status %d" % p.returncode)


# ---- explain, and German

def codes():
    with open(os.path.join(TOP, "libl2tpc", "base", "failure.def")) as f:
        text = re.sub(r"\s+", " ", f.read())
    return re.findall(r'FAILURE\(\w+, "([^"]+)", \w+, (\d+),', text)


@suite.case()
def explain_every_code():
    code, out, err = bench.run("explain")
    check(code == 0 and err == "", err)
    check([line.split()[0] for line in out.splitlines()] == [c for c, _ in codes()], out)
    script = "; ".join("%s explain %s || exit 1" % (bench.l2tpc, c) for c, _ in codes())
    out = subprocess.run(["sh", "-c", script], env=bench.environment(), capture_output=True,
                         text=True, timeout=60)
    check(out.returncode == 0 and out.stderr == "", out.stderr)
    for c, number in codes():
        text = re.search(r"^%s\n(  .*\n){3}" % re.escape(c), out.stdout, re.M)
        check(text and "Exit status: " in text[0], "%s: %s" % (c, text and text[0]))
        check((("Windows error: %s." % number) in text[0]) == (number != "0"), text[0])
        status = int(re.search(r"Exit status: (\d+)", text[0])[1])
        check((status == 1) == (c.startswith("local.") and c != "local.timeout"), text[0])


@suite.case()
def explain_windows_numbers():
    for number in sorted({n for _, n in codes() if n != "0"}):
        code, out, err = bench.run("explain", number)
        wanted = [c for c, n in codes() if n == number]
        check(code == 0 and [x for x in out.splitlines() if x[0] != " "] == wanted, out + err)


@suite.case()
def explain_nonsense():
    for word in ("", "599", "1000", "666", "-809", "809x", "ike", "IKE.NO-PROPOSAL", "ike.no-proposal ",
                 "none", "99999999999999999999", "\x1b[31m", "ü"):
        usage("explain", word, words="There is no failure code")


def german():
    if not os.path.exists(os.path.join(bench.folder, "de.mo")):
        raise Skip("msgfmt is not installed (package gettext): there is no German catalogue")
    return {"LANGUAGE": "de"}


@suite.case()
def german_sentences():
    env = german()
    usage(*base("a b"), *secrets(), words="--server", env=env)
    err = bench.run("frobnicate", env=env)[2]
    check(err != bench.run("frobnicate")[2], "not German: " + err)
    code, out, err = bench.run("explain", "local.secret", env=env)
    check(code == 0 and "Exit status" not in out, out)
    with RunDir(0o777):
        code, out, err = bench.run(*base(SILENT), *secrets(), env=env)
        check(code == 1 and "private directory" not in err, err)
        code, out, err = bench.run(*base(SILENT), *secrets(), "--json", env=env)
        check(code == 1 and "private directory" in objects(out)[-1]["error"]["message"], out)


@suite.case()
def german_columns():
    """Umlauts have two bytes and one column: the values stand below each other."""
    env = german()
    peer = bench.peer()
    try:
        with Untouched(bench):
            dial = Dial(bench, server=SERVER, env=env, name="de")
            dial.wait_up()
            out = bench.run("status", "de", env=env)[1]
            check(dial.stop() == 0, dial.told())
    finally:
        bench.end(peer)
    # A dial with --json says everything in English, also to others; so ask one that has none.
    peer = bench.peer()
    try:
        dial = Dial(bench, server=SERVER, env=env, name="de", json=False)
        end = time.monotonic() + 15
        while "ms  " not in dial.text() or len(dial.text().splitlines()) < 30:
            check(time.monotonic() < end and dial.process.poll() is None, dial.told())
            time.sleep(0.05)
        out = bench.run("status", "de")[1]
        check(dial.stop() == 0, dial.told())
    finally:
        bench.end(peer)
    rows = [r for r in out.splitlines() if r.startswith("  ") and not r.startswith("  [")]
    check(len(rows) > 20 and any(ord(ch) > 127 for r in rows for ch in r[:42]), out)
    for r in rows:
        check(re.match(r"^  .{40} \S", r) and not re.match(r"^  .{39}\S \S", r) or len(r.split("  ")[1]) >= 39,
              "the value of %r does not stand in its column" % r)
