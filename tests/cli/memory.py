# SPDX-License-Identifier: LGPL-2.1-or-later
"""What a connection remembers of its server, and l2tpc forget."""
import os
import shutil

from suite import check
from bench import Dial, SERVER, objects
from common import bench, one_sentence, suite, usage

NAME = "office"


def folder():
    return os.path.join(bench.folder, "state")


def dial_once(*args, json=True):
    peer = bench.peer(SERVER)
    dial = Dial(bench, *args, server=SERVER, name=NAME, json=json).wait_up()
    check(dial.stop() == 0, dial.told())
    bench.end(peer)
    return dial


def state_of(dial):
    return [o for o in objects(dial.text()) if o.get("state") == "up"][-1]


@suite.case()
def forget_wants_one_name():
    for args in ((), ("a", "b"), ("../x",), ("",), ("--all",)):
        usage("forget", *args, words="Usage: l2tpc forget NAME")
    code, out, err = bench.run("forget", "--help")
    check(code == 0 and out.startswith("Usage: l2tpc forget NAME") and not err, out + err)
    code, out, err = bench.run("forget", "nobody")
    check((code, out, err) == (0, "Nothing was learned about nobody.\n", ""), out + err)


@suite.case()
def second_dial_remembers():
    shutil.rmtree(folder(), ignore_errors=True)
    check(state_of(dial_once("--no-memory"))["learned"]["state"] == "none", "the first dial")
    check(not os.path.exists(folder()), "--no-memory kept something")
    check(state_of(dial_once())["learned"]["state"] == "none", "nothing was there yet")
    path = os.path.join(folder(), NAME)
    check(os.stat(path).st_mode & 0o777 == 0o600, "mode %o" % os.stat(path).st_mode)
    with open(path) as f:
        text = f.read()
    for secret in ("psk", "password"):
        with open(os.path.join(bench.folder, secret)) as f:
            check(f.read().strip() not in text, "the %s is in there" % secret)
    second = state_of(dial_once())
    check(second["learned"]["state"] == "used" and second["ike"]["peer_id_changed"] is False,
          str(second["learned"]))
    with open(path, "a") as f:
        f.write("not a line of ours")
    third = dial_once(json=False)
    err = third.text(third.err)
    check("[local.learned]" in err, "nobody was told: %r" % err)
    code, out, err = bench.run("forget", NAME)
    check((code, out, err) == (0, "What was learned about %s is forgotten.\n" % NAME, ""), out + err)
    check(not os.listdir(folder()), str(os.listdir(folder())))


@suite.case()
def memory_that_cannot_be_kept():
    shutil.rmtree(folder(), ignore_errors=True)
    with open(folder(), "w"):
        pass
    try:
        dial = dial_once(json=False)
        check("could not be kept" in one_sentence(dial.text(dial.err)), dial.told())
    finally:
        os.unlink(folder())
