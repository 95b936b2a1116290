# SPDX-License-Identifier: LGPL-2.1-or-later
"""Running connections: status, disconnect, signals."""
import json
import os
import re
import signal
import subprocess
import time

from suite import check
from bench import Dial, Untouched, objects, PATIENCE, SECOND, SERVER
from common import bench, failed, one_sentence, suite

PHASE1 = '"stage-begin","stage":"ike-phase1"'


# ---- status and disconnect

@suite.case()
def nothing_runs():
    code, out, err = bench.run("status")
    check((code, out, err) == (0, "No connection is running.\n", ""), "%d %s%s" % (code, out, err))
    check(bench.run("status", "--json") == (0, "", ""), "status --json")
    code, out, err = bench.run("disconnect")
    check(code == 1 and out == "" and "No connection is running." in one_sentence(err), err)
    last = failed("local.not-running", 1, "status", "office", words="'office'"[1:-1])
    check(last["name"] == "office" and last["state"] == "down", str(last))
    code, out, err = bench.run("disconnect", "office")
    check(code == 1 and out == "" and "local.not-running" in err, err)


@suite.case()
def one_dialing_connection():
    with Untouched(bench):
        dial = Dial(bench, name="office").wait()
        for args in ([], ["office"]):
            code, out, err = bench.run("status", *args)
            check(code == 0 and out.startswith("office: dialing, NOT proven"), out + err)
            code, out, err = bench.run("status", "--json", *args)
            o = json.loads(out)
            check(o["state"] == "dialing" and o["interface"] is None and "error" not in o, out)
        start = time.monotonic()
        check(bench.run("disconnect") == (0, "", ""), "disconnect")
        check(time.monotonic() - start < 2 * PATIENCE, "disconnect took too long")
        # It has answered when nothing is left: no waiting here.
        check(not [n for n in os.listdir(bench.run_dir) if n != "lock"], os.listdir(bench.run_dir))
        check(dial.wait_end(1) == 1, dial.told())
        check(dial.last()["error"]["code"] == "local.cancelled", dial.told())
        check(dial.last()["error"]["stage"] == "ike-phase1", dial.told())


@suite.case()
def two_connections_up():
    peers = [bench.peer(), bench.peer(SECOND)]
    try:
        with Untouched(bench):
            more = ["--no-default-route", "--no-dns"]
            b = Dial(bench, *more, "--route", "10.77.3.4/16", server=SECOND, name="b").wait_up()
            a = Dial(bench, *more, server=SERVER, name="a").wait_up()
            code, out, err = bench.run("status")
            check(code == 0 and re.findall(r"^(\w): up", out, re.M) == ["a", "b"], out + err)
            code, out, err = bench.run("status", "--json")
            both = objects(out)
            check([o["name"] for o in both] == ["a", "b"], out)
            check(all(o["is_l2tp_in_ipsec"] and o["interface"] for o in both), out)
            check("10.77.0.0/16" in bench.state(), "the route with host bits was not taken")
            code, out, err = bench.run("disconnect")
            check(code == 1 and "2 connections are running" in one_sentence(err), err)
            check(bench.run("disconnect", "a") == (0, "", ""), "disconnect a")
            check(a.wait_end(1) == 0 and a.last()["state"] == "down", a.told())
            check(bench.run("status", "b", "--json")[0] == 0, "b is gone too")
            check(bench.run("disconnect") == (0, "", ""), "disconnect the last one")
            check(b.wait_end(1) == 0, b.told())
    finally:
        bench.end(*peers)


@suite.case()
def stopped_connection_does_not_block_for_ever():
    with Untouched(bench):
        dial = Dial(bench).wait()
        dial.process.send_signal(signal.SIGSTOP)
        try:
            p = bench.spawn(bench.command(["status", "l2tpc"]), env=bench.environment(),
                            stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
            out, err = p.communicate(timeout=20)
            check(p.returncode == 1 and b"local.not-answering" in err, err.decode())
        finally:
            dial.process.send_signal(signal.SIGCONT)
        check(dial.stop() == 1, dial.told())


# ---- signals

@suite.case()
def signals_while_dialing():
    """At any moment: it ends within a second, with status 1, and nothing is left."""
    for how in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        for wait in (PHASE1, 0.0, 0.1, 0.2, 0.35):
            with Untouched(bench):
                dial = Dial(bench)
                if isinstance(wait, str):
                    dial.wait()
                    time.sleep(0.05)
                else:
                    time.sleep(wait)
                code = dial.stop(how, 1)
                begun = "stage-begin" in dial.text()
                # Before there is anything to end politely the signal just ends the process.
                check(code == 1 or (not begun and code == -how),
                      "exit status %d %s s after the start:\n%s" % (code, wait, dial.told()))
                if code == 1:
                    check(dial.last()["error"]["code"] == "local.cancelled", dial.told())


@suite.case()
def second_signal_ends_at_once():
    """The server falls silent when the tunnel is up: the first signal waits for it, the second does
    not, and routes are restored all the same."""
    peer = bench.peer()
    try:
        for json_too in (True, False):
            with Untouched(bench):
                dial = Dial(bench, server=SERVER, json=json_too).wait_up()
                peer.send_signal(signal.SIGSTOP)
                dial.process.send_signal(signal.SIGINT)
                time.sleep(0.3)
                waits = dial.process.poll() is None
                if waits:
                    dial.process.send_signal(signal.SIGINT)
                check(dial.wait_end(1) == 0, dial.told())
                peer.send_signal(signal.SIGCONT)
                if json_too:
                    check(dial.last()["state"] in ("closing", "down"), dial.told())
                check(waits, "the polite end did not wait for the silent server")
            bench.end(peer)
            peer = bench.peer()
    finally:
        peer.send_signal(signal.SIGCONT)
        bench.end(peer)


@suite.case()
def two_signals_while_dialing():
    with Untouched(bench):
        dial = Dial(bench).wait()
        dial.process.send_signal(signal.SIGTERM)
        check(dial.stop(signal.SIGINT, 1) == 1, dial.told())
        check(dial.last()["error"]["code"] == "local.cancelled", dial.told())


@suite.case()
def signals_while_up():
    peer = bench.peer()
    try:
        for how in (signal.SIGTERM, signal.SIGHUP):
            with Untouched(bench):
                dial = Dial(bench, server=SERVER, name="up").wait_up()
                check(dial.stop(how) == 0, dial.told())
                check(dial.last()["state"] == "down" and "error" not in dial.last(), dial.told())
    finally:
        bench.end(peer)
