# SPDX-License-Identifier: LGPL-2.1-or-later
"""Tunnels as the system bus tells of them, whoever started them."""
import json
import os
import subprocess
import time

import fake
from session import DIR, LAB, SYSTEM_BUS
from suite import check, sabotaged

UUID = "0badcafe-0000-4000-8000-00000000004d"


class Service:
    def __init__(self, s):
        self.child = subprocess.Popen(
            [LAB, "exec", "env", "DBUS_SYSTEM_BUS_ADDRESS=unix:path=" + SYSTEM_BUS,
             "/usr/bin/python3", "-W", "ignore", os.path.join(s.folder, "tunnel_service.py")],
            env=dict(os.environ, GUIL_DIR=DIR), stdin=subprocess.PIPE, stdout=subprocess.PIPE,
            text=True)

    def do(self, **command):
        self.child.stdin.write(json.dumps(command) + "\n")
        self.child.stdin.flush()
        return self.child.stdout.readline().strip()

    def end(self):
        self.child.stdin.close()
        self.child.wait(10)

    def kill(self):
        self.child.kill()
        self.child.wait(10)


def descriptors(pid):
    return len(os.listdir("/proc/%d/fd" % pid))


def heap_kib(pid):
    with open("/proc/%d/smaps_rollup" % pid) as f:
        for line in f:
            if line.startswith("Private_Dirty:"):
                return int(line.split()[1])
    return 0


def add(suite, s):
    @suite.case("tunnel-of-the-command-line-is-listed-and-ended")
    def guest():
        service = Service(s)
        app = s.start()
        try:
            service.do(status=fake.up("night shift"))
            service.do(own=UUID)
            s.see("night shift", role="list item", description="Connected, 10.99.1.1")
            s.action("show-details", UUID)
            s.see("This is L2TP inside IPsec")
            service.do(status=fake.lying("night shift"))
            s.see("This is not proven to be L2TP inside IPsec", within=3)
            s.click("Disconnect", role="push button")
            s.gone("night shift", role="list item")
        finally:
            s.end(app)
            service.end()

    @suite.case("service-vanishes-or-falls-silent")
    def vanishes():
        app = s.start()
        try:
            for moment in ("before an answer", "while shown", "without a word"):
                service = Service(s)
                service.do(status=fake.up("fleeting"), silent=moment == "before an answer")
                service.do(own=UUID, silent=moment == "before an answer")
                if moment != "before an answer":
                    s.see("fleeting", role="list item")
                if moment == "without a word":
                    service.do(silent=True)
                    time.sleep(1.5)
                    s.see("Disconnect", role="push button", within=1)
                service.kill()
                s.gone("fleeting", role="list item")
                check(s.alive(app), "the window is gone, too: %s" % moment)
            begin = time.monotonic()
            s.see("Connections")
            check(time.monotonic() - begin < 1, "it hangs")
        finally:
            s.end(app)

    @suite.case("1000-tunnels-come-and-go-and-nothing-stays")
    def cycles():
        service = Service(s)
        app = s.start()
        try:
            s.see("Connections")
            service.do(status=fake.up("cycle"))
            service.do(cycle=300)  # faster than anybody can ask
            states = [fake.dialing("cycle", "ike-auth"), fake.up("cycle"), fake.failed(
                "cycle", "ike-auth", "ike.wrong-psk", "A sentence.", "A hint.", windows=789)]

            def after(number):
                """What the program holds when it has seen the last of them go."""
                service.do(sessions=number, states=states)
                service.do(status=fake.up("last"), own=UUID)
                s.see("last", role="list item", within=20)
                service.do(release=True)
                s.gone("last", role="list item", within=20)
                return heap_kib(app), descriptors(app)

            seen = [after(n) for n in (400, 500, 500)]
            steps = [b[0] - a[0] for a, b in zip(seen, seen[1:])]
            files = seen[-1][1] - seen[0][1]
            print("    after 500 more, and 500: %s KiB, %+d descriptors" % (steps, files))
            # What leaks leaks both times; what the heap laid by once it does not lay by again.
            check(s.sanitized or min(steps) < (-1024 if sabotaged() else 128), "it grows")
            check(files <= 0, "descriptors stay open")
        finally:
            s.end(app)
            service.end()
