# SPDX-License-Identifier: LGPL-2.1-or-later
"""Where the secrets of a dial to a real server stand while it is up: tests/canary's search, with
what the server really knows."""
import json
import os
import subprocess
import sys

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.append(os.path.join(os.path.dirname(HERE), "canary"))
from search import Needles, search, search_file, told  # noqa: E402
from suite import check  # noqa: E402

ARENA = {"dd", "wf"}


def processes(client):
    out = subprocess.run(["ip", "netns", "pids", client.ns], capture_output=True, text=True).stdout
    for pid in out.split():
        with open("/proc/%s/comm" % pid) as f:
            if f.read().startswith("l2tpc"):
                yield int(pid)


def secrets_of(dial):
    """What must be nowhere but in the arena, and the keys that OpenSSL has to work with."""
    own, at_work = Needles(), Needles()
    own.add("pre-shared key", b"labpsk123")
    own.add("password", b"wonderland")
    with open(dial.keylog) as f:
        for k in map(json.loads, f):
            if k["kind"] == "esp":
                at_work.add("ESP key", bytes.fromhex(k["cipher_key"])[:16])
            else:
                own.add(k["kind"], bytes.fromhex(k["key"]))
    return own, at_work


def stand_in_the_arena(dial, client):
    own, at_work = secrets_of(dial)
    check(len({name for name, _, _ in own.rows}) == 4 and at_work.rows, "no keys were told")
    dialing = 0
    for pid in processes(client):
        total, hits = search(pid, own)
        check(total > 1 << 18, "%d bytes" % total)
        out = [h for h in hits if not ARENA <= h[0].flags]
        check(not out, "outside of the arena of %d:\n%s" % (pid, told(out)))
        dialing += any(name == "skeyid" for _, name, _, _ in hits)
        check(any(name == "skeyid" for _, name, _, _ in hits) or not hits,
              "in a process that does not dial:\n" + told(hits))
    check(dialing == 1, "%d processes have keys" % dialing)
    for path in [dial.stderr_path] + [os.path.join(root, n) for root, _, names in
                                      os.walk(client.run_dir) for n in names]:
        if os.path.isfile(path):
            check(not search_file(path, own) and not search_file(path, at_work), path)
