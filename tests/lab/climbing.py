# SPDX-License-Identifier: LGPL-2.1-or-later
"""Cases of the interop suite: the ladder, and what a dial remembers of the one before."""
import os
import re
import shutil
import time

from suite import check
import router


def rungs(status):
    return [r.split()[0] for r in (status.get("ladder") or {}).get("rungs") or []]


def memory_of(lab, name):
    folder = os.path.join(lab.bench.folder, "memory-" + name)
    shutil.rmtree(folder, ignore_errors=True)
    return folder


def edit(folder, key, value):
    """The one file in there, with another value."""
    path = os.path.join(folder, os.listdir(folder)[0])
    with open(path) as f:
        text = f.read()
    text, n = re.subn(r"(?m)^%s=.*$" % re.escape(key), "%s=%s" % (key, value), text)
    check(n == 1, "no %s in the memory:\n%s" % (key, text))
    with open(path, "w") as f:
        f.write(text)


def up(lab, *args, memory=None, pings=True):
    client = lab.Client()
    d = lab.dial(client, *args, memory=memory)
    status = d.wait_up(45)
    times = [(s["stage"], s["ms"]) for s in status["stages"] if s["stage"] != "up"]
    # The ladder's part; how long xl2tpd and pppd take is their own affair.
    took = sum(ms for name, ms in times if name.startswith("ike-"))
    print("    up after %.0f ms by %s: %s" % (sum(ms for _, ms in times), ", ".join(rungs(status)),
                                              " ".join("%s %.0f" % t for t in times if t[1] >= 1)))
    if pings:
        lab.pings(client)
    status = d.fresh_status()
    d.stop()
    return status, took


def twice(lab, name, *args, pause=0):
    """Dials, and again with the memory of it: the second one begins where the first one ended."""
    folder = memory_of(lab, name)
    first, slow = up(lab, *args, memory=folder)
    check(first["learned"]["state"] == "none", "learned.state is %r" % first["learned"]["state"])
    time.sleep(pause)
    second, quick = up(lab, *args, memory=folder)
    check(second["learned"]["state"] == "used", "learned.state is %r" % second["learned"]["state"])
    check(rungs(second) == ["learned"], "the second dial climbed: %s" % rungs(second))
    print("    IKE took %.0f ms, then %.0f" % (slow, quick))
    check(quick < slow, "IKE of the second dial took %.0f ms, of the first %.0f" % (quick, slow))
    return first, second, slow, quick


def cases(lab):
    aes = "strongswan+ike-aes256+esp-aes-sha1"

    @lab.case(aes, in_short=True)
    def ladder_port_4500_blocked():
        router.rules(block=["4500"])
        first, second, slow, quick = twice(lab, "4500")
        check(rungs(first) == ["whole-list", "raw-esp"], "rungs %s" % rungs(first))
        lab.proven(first, "esp")
        lab.proven(second, "esp")
        check(quick < 2000, "%.0f ms" % quick)

    @lab.case(aes)
    def ladder_raw_esp_blocked_after_memory():
        folder = memory_of(lab, "moved")
        router.rules(block=["4500"])
        up(lab, memory=folder)
        router.rules(nat=True, block=["esp"])
        status, _ = up(lab, memory=folder)
        check(rungs(status) == ["learned", "udp"], "rungs %s" % rungs(status))
        lab.proven(status, "udp")

    @lab.case(aes)
    def ladder_both_blocked():
        router.rules(block=["4500", "esp"])
        lab.dial(lab.Client()).must_fail("ike.port-4500", 50)

    @lab.case(aes)
    def memory_downgrade_and_forget():
        folder = memory_of(lab, "floor")
        up(lab, memory=folder, pings=False)
        edit(folder, "floor-esp", "strong")
        client = lab.Client()
        d = lab.dial(client, memory=folder)
        status = d.wait_end(30)
        check((d.error or {}).get("code") == "ike.downgrade", "%s: %s" % (status, d.told()))
        out = client.run("env", "L2TPC_STATE_DIR=" + folder, lab.bench.l2tpc, "forget", d.name)
        check(out.returncode == 0 and not os.listdir(folder), out.stdout + out.stderr)
        up(lab, memory=folder, pings=False)

    @lab.case(aes)
    def memory_pinned_identity():
        folder = memory_of(lab, "pin")
        up(lab, memory=folder, pings=False)
        edit(folder, "peer-id", "192.0.2.99")
        client = lab.Client()
        d = lab.dial(client, memory=folder)
        status = d.wait_up(30)
        check(status["ike"]["peer_id_changed"] is True and
              status["ike"]["peer_id_before"] == "192.0.2.99", "ike: %s" % status["ike"])
        check(any(o.get("event") == "warning" and o["code"] == "ike.peer-id-changed"
                  for o in d.objects), "no warning:\n" + d.told())
        d.stop()
        status, _ = up(lab, memory=folder, pings=False)
        check(status["ike"]["peer_id_changed"] is False, "told twice")

    # Libreswan takes any port where its list says 1701.
    @lab.case("strongswan+port-1701")
    def strongswan_insists_on_port_1701():
        first, second, _, _ = twice(lab, "1701")
        check(rungs(first) == ["whole-list", "port-1701"], "rungs %s" % rungs(first))
        lab.proven(second, "udp")

    for daemon in ("strongswan", "libreswan"):
        @lab.case(daemon + "+esp-aes-sha256+sha256-96")
        def cut_to_96():
            status, _ = up(lab, "--quirk", "sha256-96")
            check(status["esp"]["integrity"] == "HMAC-SHA2-256-96", "%s" % status["esp"])
            d = lab.dial(lab.Client())
            d.wait_end(60)
            check((d.error or {}).get("code") in ("esp.bad-icv", "esp.nothing-back") and
                  "--quirk sha256-96" in d.error["hint"], "%s" % d.error)
        rename(lab, "cut-to-96", daemon + "-cuts-sha256-to-96-bits")

    @lab.case("libreswan")
    def libreswan_port_4500_blocked():
        router.rules(block=["4500"])
        # Its daemon hears nothing for some seconds after a client has left.
        first, _, _, _ = twice(lab, "libre", pause=15)
        check(rungs(first) == ["whole-list", "raw-esp"], "rungs %s" % rungs(first))


def rename(lab, old, new):
    """The last case gets the name of its daemon."""
    name, function = lab.suite.cases[-1]
    check(name == old, name)
    lab.suite.cases[-1] = (new, function)
    lab.profile_of[new] = lab.profile_of.pop(old)
