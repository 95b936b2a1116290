# SPDX-License-Identifier: LGPL-2.1-or-later
"""Rows of tests/bench/run that need no rounds: many sessions in one process, their memory, throughput
and wake-ups. Each makes its own namespaces and takes them down."""
import json
import os
import signal
import subprocess

NAMES = [os.environ.get("LAB_NS", "l2tpc") + "-row-" + x for x in "ab"]
OUTER = ["10.97.0.1", "10.97.0.2"]
FIRST = "10.98.0.1"


def sh(command, must=True):
    p = subprocess.run(command, shell=True, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    if must and p.returncode:
        raise RuntimeError("%s: %s" % (command, p.stdout.strip()))
    return p.stdout


class Net:
    """A client's and a server's namespace; all of 10.98.0.0/16 is at the server."""

    def __enter__(self):
        self.__exit__()
        for n in NAMES:
            sh("ip netns add %s && ip -n %s link set lo up" % (n, n))
        sh("ip link add va netns %s type veth peer name vb netns %s" % tuple(NAMES))
        for n, link, address in zip(NAMES, ("va", "vb"), OUTER):
            sh("ip -n %s addr add %s/24 dev %s && ip -n %s link set %s up" % (n, address, link, n, link))
        sh("ip -n %s route add 10.98.0.0/16 via %s" % (NAMES[0], OUTER[1]))
        sh("ip -n %s route add local 10.98.0.0/16 dev lo" % NAMES[1])
        return self

    def __exit__(self, *_):
        for n in NAMES:
            sh("ip netns del %s" % n, must=False)

    def start(self, end, command, **how):
        return subprocess.Popen(["ip", "netns", "exec", NAMES[end]] + command, stdin=subprocess.DEVNULL,
                                stdout=subprocess.PIPE, text=True, **how)


def peers(net, folder, count):
    p = net.start(1, [os.path.join(folder, "bench-peers"), FIRST, str(count)])
    if p.stdout.readline().strip() != "ready":
        raise RuntimeError("bench-peers did not start")
    return p


def stop(process):
    process.send_signal(signal.SIGTERM)
    try:
        return process.communicate(timeout=20)[0]
    except subprocess.TimeoutExpired:
        process.kill()
        return process.communicate()[0]


def goal(name, is_so, wanted, found):
    return {"goal": name, "verdict": "reached" if is_so else "missed", "wanted": wanted, "found": found}


def sessions(folder, count, suite, seconds, idle):
    with Net() as net:
        server = peers(net, folder, count)
        client = net.start(0, [os.path.join(folder, "bench-sessions"), FIRST, str(count), str(seconds),
                               suite, str(idle)])
        out, _ = client.communicate(timeout=120 + seconds + idle)
        seen = json.loads(stop(server).strip().splitlines()[-1])
    r = json.loads(out.strip().splitlines()[-1])
    r["server"] = seen
    each = (r["kb_all"] - r["kb_few"]) / max(1, count - r["few"])
    print("%d sessions, %s: %d dialed %d to %d in %.1f s; private dirty memory %.1f MB at %d,"
          " %.1f MB with all; %.2f Gbit/s each way in packets of 1300 bytes, %.0f packets/s each way,"
          " %.2f s of CPU a second; idle: %.1f wake-ups a minute and session, CPU %.2f %%"
          % (count, suite, r["up"], r["few"], count, r["dial_seconds"], r["kb_few"] / 1024, r["few"],
             r["kb_all"] / 1024, r["gbps_each_way"], r["packets"] / r["seconds"], r["cpu"] / r["seconds"],
             r["idle_wake_ups"] * 60 / r["idle_seconds"] / count, 100 * r["idle_cpu"] / r["idle_seconds"]))
    goals = [goal("%d sessions: up" % count, r["up"] == count, str(count), str(r["up"])),
             goal("... have passed traffic", r["served"] == count, str(count), str(r["served"])),
             goal("... KB for each further one", each <= 64, "<= 64", "%.1f" % each),
             goal("... allocations during the transfer", r["allocations"] == 0, "0", str(r["allocations"])),
             goal("... wake-ups a minute and session, idle",
                  r["idle_wake_ups"] * 60 / r["idle_seconds"] / count <= 6, "<= 6",
                  "%.1f" % (r["idle_wake_ups"] * 60 / r["idle_seconds"] / count)),
             goal("... ended", r["down"] == count, str(count), str(r["down"]))]
    return r, goals


ROWS = {
    "sessions": lambda f: sessions(f, 200, "aes128-sha1", 3, 5),
    "sessions-1000": lambda f: sessions(f, 1000, "aes128-sha1", 10, 30),
    "sessions-1000-gcm": lambda f: sessions(f, 1000, "aes128gcm16", 10, 30),
}


def main(names, folder, path):
    results, goals = {}, []
    for name in names:
        try:
            results[name], more = ROWS[name](folder)
            goals += more
        except (RuntimeError, ValueError, IndexError, subprocess.TimeoutExpired) as e:
            print("FAILED %s: %s" % (name, e))
    for g in goals:
        print("%-8s %-46s wanted %-8s found %s" % (g["verdict"], g["goal"], g["wanted"], g["found"]))
    if path:
        with open(path, "w") as f:
            json.dump({"rows": results, "goals": goals}, f, indent=1)
    return 0 if len(results) == len(names) else 1
