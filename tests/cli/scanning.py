# SPDX-License-Identifier: LGPL-2.1-or-later
"""l2tpc scan: words that cannot be, servers that answer and that do not, an end by hand."""
import json
import signal
import subprocess
import time

from suite import check
from bench import Untouched, NOBODY, SECOND, SERVER, SILENT
from common import bench, one_sentence, suite, usage


@suite.case()
def scan_words():
    for words in (["scan", "--help"], ["scan", "-h"], ["scan", "x", "--help"]):
        code, out, err = bench.run(*words)
        check(code == 0 and err == "" and "--quick" in out, "%d %r %r" % (code, out, err))
    usage("scan", words="Which server?")
    usage("scan", SERVER, "b", words="'b' is one word too many")
    usage("scan", SERVER, "--psk-file", "x", words="--psk-file is not an option")
    usage("scan", SERVER, "-x", words="-x is not an option")
    usage("scan", SERVER, "--json=yes", words="--json=yes")
    usage("scan", SERVER, "--timeout", words="--timeout needs a value")
    usage("scan", SERVER, "--quick", "--all", words="do not go together")
    for v in ("0", "301", "-1", "1s", "", "99999999999"):
        usage("scan", SERVER, "--timeout", v, words="--timeout does not take")
    for v in ("", "PSK", "none", "psk,rsa", "ecdsa-256"):
        usage("scan", SERVER, "--auth", v, words="--auth does not take")


@suite.case()
def scan_servers_that_cannot_be():
    for server in ("", " ", "a b", "host\x07", "ho\x1b[1mst", "a..b", "a:", "a:0", "a:65536", "[::1",
                   "[]", "http://a", "a" * 254, b"h\xc3\x28ost", b"\xff\xfe"):
        usage("scan", server, words="cannot be a server")


def scan_fails(code, status, *args, seconds=20, words="", **how):
    for with_json in (False, True):
        with Untouched(bench):
            began = time.monotonic()
            got, out, err = bench.run("scan", *args, *(["--json"] if with_json else []), **how)
        check(time.monotonic() - began < seconds, "it took %.1f s" % (time.monotonic() - began))
        check(got == status, "exit status %d, not %d: %s%s" % (got, status, out, err))
        if with_json:
            found = json.loads(out)
            check(err == "" and found["schema"] == 1 and found["error"]["code"] == code, out + err)
            check(found["scan"]["accepted"] == 0 and found["scan"]["policy"] is None, out)
        else:
            lines = err.splitlines()
            check(len(lines) == 3 and "[" + code in lines[2] and words in lines[0], err)


@suite.case()
def scan_without_an_answer():
    scan_fails("ike.no-answer", 4, SILENT, "--timeout", "2", seconds=4)
    scan_fails("ike.unreachable", 4, SECOND, "--timeout", "2", seconds=4)
    scan_fails("resolve.bad-address", 3, "127.0.0.1")
    scan_fails("resolve.temporary", 3, "host.example")


@suite.case()
def scan_gives_up_a_mute_server_by_itself():
    began = time.monotonic()
    code, out, err = bench.run("scan", SILENT, "--all")
    check(code == 4 and "9 tries" in err and out == "", "%d %s%s" % (code, out, err))
    check(time.monotonic() - began < 15, "it took %.1f s" % (time.monotonic() - began))


@suite.case()
def scan_of_a_server():
    peer = bench.peer()
    with Untouched(bench):
        code, out, err = bench.run("scan", SERVER, "--quick")
    check(code == 0 and err == "", "%d %s%s" % (code, out, err))
    for words in ("4 of ", "accepted   strong", "--policy strong", "  --ike aes256-",
                  "NAT traversal: yes", "Nobody vouches"):
        check(words in out, "no %r in:\n%s" % (words, out))
    with Untouched(bench):
        code, out, err = bench.run("scan", SERVER, "--quick", "--json", user=NOBODY)
    found = json.loads(out)
    check(code == 0 and err == "" and "error" not in found, out + err)
    check(found["scan"]["end"] == "complete" and found["scan"]["messages"] == 4, out)
    check(sum(s["answer"] == "accepted" for s in found["suites"]) == found["scan"]["accepted"], out)
    code, out, err = bench.run("scan", SERVER, "--quick", redirect="> /dev/full")
    check(code == 1 and "could not be written" in one_sentence(err), "%d %s" % (code, err))
    bench.end(peer)


@suite.case()
def scan_ended_by_hand():
    for address, status in ((SILENT, 1), (SERVER, 0)):
        peer = bench.peer() if address == SERVER else None
        p = bench.spawn(bench.command(["scan", address, "--json"]), env=bench.environment(),
                        stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                        text=True)
        time.sleep(1.5)
        p.send_signal(signal.SIGINT)
        out, err = p.communicate(timeout=5)
        found = json.loads(out)
        check(p.returncode == status and found["scan"]["end"] == "stopped", out + err)
        if status:
            check(found["error"]["code"] == "local.cancelled", out)
        else:
            check(0 < found["scan"]["accepted"] < len(found["suites"]), out)
        bench.end(*([peer] if peer else []))
