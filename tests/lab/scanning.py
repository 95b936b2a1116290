# SPDX-License-Identifier: LGPL-2.1-or-later
"""l2tpc scan against a real server: what it finds, and what a capture says of its manners."""
import json
import tempfile

import judge as judging
import nat
from suite import check, sabotaged

PACE = 0.240  # seconds between two messages, with a little room for the machine's own jitter


def scan(client, l2tpc, server, *args, timeout=100):
    """The object that it prints, and its exit status; a sanitizer's report is a failure."""
    out = client.run(l2tpc, "scan", server, "--json", *args, timeout=timeout)
    check("Sanitizer" not in out.stderr and "runtime error" not in out.stderr, out.stderr)
    try:
        found = json.loads(out.stdout)
    except ValueError:
        found = None
    check(found, "l2tpc scan said: %s%s" % (out.stdout, out.stderr))
    check(found["schema"] == 1, "schema is %r" % found["schema"])
    return found, out.returncode


def answers(found, answer, auth="psk"):
    return {s["suite"] for s in found["suites"] if s["answer"] == answer and s["auth"] == auth}


def accepts_exactly(found, suites, status):
    """Of what was asked the server's own list, no more and no less."""
    want = set(suites) ^ ({"des-md5-modp768"} if sabotaged() else set())
    got = answers(found, "accepted")
    check(got == want, "accepted too: %s, not accepted: %s" % (sorted(got - want),
                                                               sorted(want - got)))
    check(status == 0 and "error" not in found, "exit status %d: %s" % (status,
                                                                        found.get("error")))
    check(found["scan"]["accepted"] == len(got), "it counts %d" % found["scan"]["accepted"])


def mannerly(pcap, client, found):
    """Message 1s of main mode alone, each question with a cookie of its own, as many as it says, and
    never too fast; nothing after its end, which came before the capture's. (The server repeats its
    messages 2: a port that has closed meanwhile is the kernel's to say, by ICMP.)"""
    with tempfile.TemporaryDirectory() as folder:
        out = judging.tshark(
            "-r", nat.untranslated(pcap, folder, judging.tshark), "-Y",
            "ip.src == %s && udp && !icmp" % client, "-T", "fields", "-e", "frame.time_epoch", "-e",
            "udp.dstport", "-e", "isakmp.exchangetype", "-e", "isakmp.rspi", "-e", "isakmp.ispi",
            "-e", "udp.length")
    rows = [line.split("\t") for line in out.splitlines()]
    check(len(rows) == found["scan"]["messages"], "%d datagrams left, it says %d"
          % (len(rows), found["scan"]["messages"]))
    for time, port, exchange, theirs, _, length in rows:
        check(port == "500" and exchange == "2" and int(theirs, 16) == 0,
              "not a message 1 of main mode: %s" % [port, exchange, theirs])
        check(int(length) <= 1240, "a datagram of %s bytes" % length)
    times = [float(r[0]) for r in rows]
    gaps = [b - a for a, b in zip(times, times[1:])]
    check(not gaps or min(gaps) >= PACE, "two messages within %.3f s" % min(gaps or [9]))
    print("    %d messages in %.1f s, %d answers, %d of %d accepted, end: %s" % (
        len(rows), times[-1] - times[0], found["scan"]["answers"], found["scan"]["accepted"],
        len(found["suites"]), found["scan"]["end"]))
