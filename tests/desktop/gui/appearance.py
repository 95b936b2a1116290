# SPDX-License-Identifier: LGPL-2.1-or-later
"""What everybody must be able to see, hear and afford."""
import os
import re
import time

import fake
from profiles import OFFICE, usual
from session import pss_kib
from tray import Panel
from suite import Skip, check, sabotaged




def nameless(nodes):
    """What can take the focus and has no name. Inside its own pages libadwaita keeps scrolled
    windows that nobody can name; they hold what is named."""
    found = []
    for i, n in enumerate(nodes):
        if "focusable" not in n["states"] or n["name"].strip():
            continue
        if n["role"] == "scroll pane" and i and nodes[i - 1]["role"] == "panel":
            continue
        if n["role"] in ("text", "password text") and n["text"]:
            continue
        above = [m["name"] for m in reversed(nodes[:i]) if m["depth"] < n["depth"]]
        if n["role"] in ("text", "password text", "entry") and any(above[:4]):
            continue  # the field inside a row that has the name
        found.append("%s at depth %d, beneath %s" % (n["role"], n["depth"], above[:6]))
    return found


def valueless(nodes):
    """Rows of details whose value a screen reader would not say."""
    begun = False
    found = []
    for n in nodes:
        begun = begun or n["name"] == "Device name"
        if begun and n["role"] == "list item" and not n["description"]:
            found.append(n["name"])
    return found


def empty_window(s):
    path = os.path.join(s.root, "tests", "desktop", "gui", "empty-window")
    if not os.path.exists(path):
        raise Skip("no empty window to compare with")
    return path


def add(suite, s):
    @suite.case("everything-has-a-name-and-every-value-is-said")
    def walk():
        secrets = fake.secrets_step(5, [{"key": "password", "kind": "password"}])
        path = fake.write(os.path.join(s.folder, "walk.json"), [
            fake.profile(1, "Office", "vpn.example.com", "alice", now=fake.up("Office"),
                         history=fake.history(), rates=fake.history()),
            fake.profile(2, "Broken", "203.0.113.7", "bob", now=fake.failed(
                "Broken", "ike-auth", "ike.wrong-psk", "A sentence.", "A hint.", windows=789)),
            fake.profile(3, "Asks", "lab.example.org", "carol", dial=[secrets])])
        app = s.start(fake=path)
        try:
            found = []
            for number, sign in ((1, "Device name"), (2, "Why it failed"), (3, "Asks")):
                s.action("show-details", "00000000-0000-4000-8000-%012d" % number)
                if number == 3:
                    s.action("connect", "00000000-0000-4000-8000-%012d" % number)
                    s.see("The server wants to know who you are")
                s.see(sign)
                nodes = s.ask(do="dump")
                check(len(nodes) > 40, "there is nothing to walk")
                if sabotaged():
                    nodes = [dict(n, name="") for n in nodes]
                found += nameless(nodes) + ["%s has no value" % v for v in valueless(nodes)]
            s.action("preferences")
            s.see("Start with the session")
            found += nameless(s.ask(do="dump"))
            check(not found, "\n".join(sorted(set(found))))
        finally:
            s.end(app)

    def pictures(name, **env):
        app = s.start(fake=usual(s), **env)
        try:
            s.action("show-details", OFFICE)
            s.ask(do="wait", role="image", within=5)
            check(os.path.getsize(s.shot("details-" + name)) > 10000, "the picture is empty")
            s.keys("mousemove", "400" if name == "arabic" else "800", "500", "click", "--repeat", "8", "5")
            s.shot("details-" + name + "-2")
        finally:
            s.end(app)

    @suite.case("picture-light")
    def light():
        pictures("light")

    @suite.case("picture-dark")
    def dark():
        pictures("dark", ADW_DEBUG_COLOR_SCHEME="prefer-dark")

    @suite.case("picture-high-contrast")
    def contrast():
        pictures("contrast", ADW_DEBUG_HIGH_CONTRAST="1")

    @suite.case("picture-german")
    def german():
        pictures("german", LANGUAGE="de", L2TPC_GUI_LOCALE_DIR=s.catalogues("de"))

    @suite.case("picture-arabic")
    def arabic():
        pictures("arabic", LANGUAGE="ar", L2TPC_GUI_LOCALE_DIR=s.catalogues("ar"))

    @suite.case("idle-window-costs-at-most-20-mb-more")
    def memory():
        """Beside an empty window of libadwaita in the same session."""
        if s.sanitized:
            raise Skip("a sanitizer takes its own share")
        other = s.start_other(empty_window(s), "empty-window")
        app = s.start(fake=fake.write(os.path.join(s.folder, "idle.json"),
                                      [fake.profile(1, "Office", "vpn.example.com", "alice")]))
        try:
            s.see("Office", role="list item")
            s.ask(do="wait", app="empty-window", name="Empty", within=5)
            time.sleep(2)
            ours, theirs = pss_kib(app), pss_kib(other)
            print("    %.1f MiB, an empty window %.1f MiB" % (ours / 1024, theirs / 1024))
            check(ours - theirs <= (-1 if sabotaged() else 20 * 1000),
                  "%d KiB more than an empty window" % (ours - theirs))
        finally:
            s.end(app)
            s.end(other)

    @suite.case("first-frame-within-twice-an-empty-window")
    def first_frame():
        """Side by side, three starts each, the fastest of them: what else runs here is no measure."""
        fake_file = fake.write(os.path.join(s.folder, "idle.json"),
                               [fake.profile(1, "Office", "vpn.example.com", "alice")])
        other = s.copy_other(empty_window(s), "empty-window")
        times = {"ours": [], "empty": []}
        for _ in range(3):
            times["empty"].append(s.first_frame(other))
            times["ours"].append(s.first_frame(s.program, fake=fake_file))
        ours, theirs = min(times["ours"]), min(times["empty"])
        print("    %.0f ms, an empty window %.0f ms" % (ours, theirs))
        check(ours <= (0 if sabotaged() else 2) * theirs, "%.0f ms beside %.0f ms" % (ours, theirs))

    @suite.case("idle-window-does-not-wake-up")
    def wakeups():
        """Without a tunnel to look at, nothing happens in ten seconds but what the toolkit does."""
        app = s.start(fake=fake.write(os.path.join(s.folder, "idle.json"),
                                      [fake.profile(1, "Office", "vpn.example.com", "alice")]))
        try:
            s.see("Office", role="list item")
            time.sleep(2)
            woken_at_most(app, "the window", 2)
        finally:
            s.end(app)

    @suite.case("idle-tray-program-does-not-wake-up")
    def tray_wakeups():
        """Nor while it is connected: only who looks at a tunnel has it asked each second."""
        dial = [{"after_ms": 10, "status": fake.up("Office")}]
        path = fake.write(os.path.join(s.folder, "idle.json"),
                          [fake.profile(1, "Office", "vpn.example.com", "alice", dial=dial)])
        with Panel(s) as panel:
            app = s.start("--tray", fake=path)
            try:
                panel.face("L2TP Dialer: not connected")
                time.sleep(1)
                woken_at_most(app, "the icon", 2)
                panel.click("Connect Office")
                panel.face("L2TP Dialer: connected")
                time.sleep(1)
                woken_at_most(app, "the icon of a connection", 2)
                panel.do("activate")
                s.see("ESP bytes received", role="list item")
                time.sleep(1)
                woken_at_most(app, "the window of a connection", 6)
                s.keys("key", "ctrl+w")
                time.sleep(2)
                woken_at_most(app, "the icon, its window closed", 2)
            finally:
                s.end(app)


def switches(pid):
    """How often each of its threads has gone to sleep: it was woken as often."""
    found = {}
    for thread in os.listdir("/proc/%d/task" % pid):
        with open("/proc/%d/task/%s/status" % (pid, thread)) as f:
            text = f.read()
        name = "main" if int(thread) == pid else re.search(r"^Name:\t(.*)", text)[1]
        count = int(re.search(r"^voluntary_ctxt_switches:\t(\d+)", text, re.M)[1])
        found[name] = found.get(name, 0) + count
    return found


def woken_at_most(pid, what, most):
    before = switches(pid)
    time.sleep(2)
    woken = {name: n - before.get(name, 0) for name, n in switches(pid).items()}
    woken = {name: n for name, n in woken.items() if n}
    print("    %s: woken in 2 s: %s" % (what, woken or "never"))
    check(sum(woken.values()) <= (-1 if sabotaged() else most), "%s wakes up: %s" % (what, woken))
