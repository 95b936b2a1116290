# SPDX-License-Identifier: LGPL-2.1-or-later
"""The icon in the panel, its menu, how long the program lives, and notifications: before a panel and
a notification service that stand in for the desktop's."""
import json
import os
import subprocess
import time

import fake
from session import DIR, LAB, TOP
from suite import Failed, check, sabotaged

ONE = "00000000-0000-4000-8000-000000000001"
WAIT = {"L2TPC_GUI_TRAY_WAIT_MS": "400"}


class Panel:
    def __init__(self, s, **appear):
        self.child = subprocess.Popen(
            [LAB, "exec", "/usr/bin/python3", "-W", "ignore", os.path.join(s.folder, "panel.py")],
            env=dict(os.environ, GUIL_DIR=DIR), stdin=subprocess.PIPE, stdout=subprocess.PIPE,
            text=True)
        if appear.pop("shown", True):
            self.do("appear", **appear)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.child.stdin.close()
        self.child.wait(10)

    def do(self, what, **more):
        self.child.stdin.write(json.dumps(dict(more, do=what)) + "\n")
        self.child.stdin.flush()
        answer = json.loads(self.child.stdout.readline())
        if "error" in answer:
            raise Failed("panel: %s: %s" % (what, answer["error"]))
        return answer["value"]

    def labels(self):
        return [r.get("label", "-") for r in self.do("menu") if r.get("visible", True)]

    def until(self, what, test, within=5):
        """Waits until a command's answer passes the test; returns it."""
        end = time.monotonic() + within
        while True:
            said = self.do(what)
            if said is not None and test(said):
                return said
            check(time.monotonic() < end, "%s: %s" % (what, said))
            time.sleep(0.05)

    def face(self, title, within=5):
        return self.until("item", lambda i: i["Title"] == title, within)

    def click(self, label):
        if not self.do("click", label=label):
            raise Failed("no '%s' in %s" % (label, self.labels()))

    def notice(self, title):
        said = self.until("notices", lambda n: [x["title"] for x in n] == [title])
        return said[0]


def recording(s, name, dial=None, **more):
    now = {k: more.pop(k) for k in ("now",) if k in more}
    first = fake.profile(1, "Office_1", "vpn.example.com", "alice",
                         **dict(now, **({"dial": dial} if dial else {})))
    return fake.write(os.path.join(s.folder, name + ".json"), [
        first, fake.profile(2, "Home", "203.0.113.7", "bob")], **more)


def step(ms, state, error=None):
    status = dict(fake.up("Office_1"), state=state)
    if error:
        status["error"] = error
    return {"after_ms": ms, "status": status}


def windows(s):
    return s.ask(do="windows")


def ended(s, app, within=5):
    end = time.monotonic() + within
    while s.alive(app) and time.monotonic() < end:
        time.sleep(0.02)
    return not s.alive(app)


def add(suite, s):
    @suite.case("tray-item-says-all-that-panels-ask-for")
    def item():
        with Panel(s) as panel:
            app = s.start("--tray", fake=recording(s, "tray"))
            try:
                seen = panel.face("L2TP Dialer: connected" if sabotaged() else
                                  "L2TP Dialer: not connected")
                check(seen["Id"] == "net.l2tpc.Dialer" and seen["Status"] == "Active" and
                      seen["Category"] == "SystemServices" and not seen["ItemIsMenu"], str(seen))
                check(seen["IconName"] == "", "a name that no theme here has: an empty slot")
                sizes = [p[:3] for p in seen["IconPixmap"]]
                check(sizes == [[n, n, n * n * 4] for n in (16, 22, 24, 32, 48)], str(sizes))
                check(all(p[3] > p[2] / 4 / 3 for p in seen["IconPixmap"]), "an empty picture")
                missing = {"OverlayIconPixmap", "AttentionIconPixmap", "AttentionIconName", "Menu",
                           "IconThemePath", "ToolTip", "WindowId"} - set(seen)
                check(not missing, "panels ask for %s" % missing)
                check(panel.labels() == ["Connect Home", "Connect Office__1", "-", "Details",
                                         "Open L2TP Dialer", "-", "Quit"], str(panel.labels()))
                rows = {r.get("label"): r for r in panel.do("menu")}
                check(rows["Details"]["enabled"] is False, "details of nothing")
                check(rows["Connect Office__1"]["accessible-desc"] == "Connect Office_1" and
                      rows["Connect Office__1"]["toggle-type"] == "checkmark", str(rows))
                check(not windows(s), "a window, though it was to wait in the panel")
                panel.click("Quit")
                check(ended(s, app), "it did not quit")
            finally:
                s.end(app)

    @suite.case("tray-icon-name-where-the-theme-has-it")
    def theme():
        data = os.path.join(s.folder, "data")
        place = os.path.join(data, "icons", "hicolor", "scalable", "status")
        os.makedirs(place, exist_ok=True)
        for name in ("tray-off", "tray-on"):
            subprocess.run(["cp", os.path.join(TOP, "gui", "icons", "net.l2tpc.Dialer-%s.svg" % name),
                            place], check=True)
        with Panel(s) as panel:
            for desktop, name in (("XFCE", "net.l2tpc.Dialer-tray-off"),
                                  ("ubuntu:GNOME", "net.l2tpc.Dialer-off-symbolic")):
                app = s.start("--tray", fake=recording(s, "tray"), XDG_CURRENT_DESKTOP=desktop,
                              XDG_DATA_DIRS=data + ":/usr/local/share:/usr/share")
                try:
                    seen = panel.face("L2TP Dialer: not connected")
                    check(seen["IconName"] == name, "%s: %s" % (desktop, seen["IconName"]))
                    check(seen["IconThemePath"] == os.path.join(data, "icons"), str(seen))
                    check(seen["IconPixmap"], "no picture for a panel without the theme")
                finally:
                    s.end(app)
                    panel.do("appear")

    @suite.case("tray-menu-connects-and-disconnects")
    def clicks():
        with Panel(s) as panel:
            app = s.start("--tray", fake=recording(s, "clicks", fake.climb("Office_1", 30)))
            try:
                panel.face("L2TP Dialer: not connected")
                panel.do("signals")
                panel.click("Connect Office__1")
                panel.face("L2TP Dialer: connecting")
                seen = panel.face("L2TP Dialer: connected")
                check(seen["ToolTip"] == ["L2TP Dialer: connected", "Office_1 is connected"],
                      str(seen["ToolTip"]))
                said = set(panel.do("signals"))
                check(said >= {"NewIcon", "NewTitle", "NewToolTip"}, "the panel was told %s" % said)
                check("Disconnect Office__1 (connected)" in panel.labels(), str(panel.labels()))
                row = [r for r in panel.do("menu") if "Office" in r.get("label", "")][0]
                check(row["toggle-state"] == 1, str(row))
                check(not windows(s), "a window opened by itself")
                panel.click("Details")
                s.see("This is L2TP inside IPsec")
                panel.click("Disconnect Office__1 (connected)")
                panel.face("L2TP Dialer: not connected")
                check("Connect Office__1" in panel.labels(), str(panel.labels()))
            finally:
                s.end(app)

    @suite.case("tray-dial-asks-in-a-window")
    def asks():
        dial = [fake.secrets_step(10, [{"key": "password", "kind": "password"}])]
        with Panel(s) as panel:
            app = s.start("--tray", fake=recording(s, "asks", dial + fake.climb("Office_1", 10)))
            try:
                panel.click("Connect Office__1")
                s.see("The server wants to know who you are")
                s.keys("type", "--delay", "5", "wonderland")
                s.keys("key", "Return")
                panel.face("L2TP Dialer: connected")
            finally:
                s.end(app)

    @suite.case("window-closes-and-the-tray-stays")
    def life():
        with Panel(s) as panel:
            app = s.start(fake=recording(s, "life"), **WAIT)
            try:
                s.see("Home", role="list item")
                panel.face("L2TP Dialer: not connected")
                s.keys("key", "ctrl+w")
                end = time.monotonic() + 3
                while windows(s) and time.monotonic() < end:
                    time.sleep(0.05)
                time.sleep(0.6)
                check(s.alive(app) and not windows(s), "the icon went with the window")
                second = s.start("--tray", fake=recording(s, "life"), name="second")
                check(ended(s, second), "two instances run")
                check(not windows(s), "a second start that asks for no window opened one")
                panel.do("activate")
                s.see("Home", role="list item")
                s.keys("key", "ctrl+w")
                time.sleep(0.5)
                third = s.start(fake=recording(s, "life"), name="third")
                s.see("Home", role="list item")
                check(ended(s, third), "two instances run")
            finally:
                s.end(app)

    @suite.case("tray-follows-a-panel-that-goes-and-comes")
    def watcher():
        with Panel(s) as panel:
            app = s.start("--tray", fake=recording(s, "watcher"), **WAIT)
            try:
                panel.face("L2TP Dialer: not connected")
                panel.do("restart")
                panel.face("L2TP Dialer: not connected")
                time.sleep(0.6)
                check(not windows(s), "a panel that starts anew takes no icon away")
                panel.do("vanish")
                s.see("Home", role="list item")
                panel.do("appear", host=False)
                check(panel.do("item"), "it does not register with a watcher that nobody looks at")
                s.keys("key", "ctrl+w")
                check(ended(s, app), "hidden, with no panel that shows it")
            finally:
                s.end(app)

    @suite.case("no-panel-no-hidden-program")
    def nobody():
        schemas = os.path.join(s.folder, "schemas")
        os.makedirs(schemas, exist_ok=True)
        subprocess.run(["cp", os.path.join(TOP, "gui", "data", "net.l2tpc.Dialer.gschema.xml"),
                        schemas], check=True)
        subprocess.run(["glib-compile-schemas", schemas], check=True)
        begin = time.monotonic()
        app = s.start("--tray", fake=recording(s, "nobody"), GSETTINGS_SCHEMA_DIR=schemas,
                      XDG_CURRENT_DESKTOP="GNOME", **WAIT)
        try:
            s.see("Home", role="list item")
            check(time.monotonic() - begin < 6, "it was hidden for too long")
            texts = [n["name"] for n in s.ask(do="dump") if "has no place for the icon" in n["name"]]
            check(len(texts) == 1 and "The VPN switch of GNOME" in texts[0], str(texts))
            s.shot("no-panel")
            s.click("Understood", role="push button")
            s.keys("key", "ctrl+w")
            check(ended(s, app), "it runs on without window and icon")
        finally:
            s.end(app)

    @suite.case("network-blocked-and-how-to-lift-it")
    def blocked():
        with Panel(s) as panel:
            app = s.start("--tray", fake=recording(s, "blocked", blocked="Office_1",
                                                   **{"unblock-fails": "Only root may lift it."}))
            try:
                seen = panel.face("Network blocked by l2tpc")
                check(seen["Status"] == "NeedsAttention" and seen["AttentionIconPixmap"], str(seen))
                check("Network blocked by l2tpc: lift the block…" in panel.labels()[0],
                      str(panel.labels()))
                panel.click("Network blocked by l2tpc: lift the block…")
                node = s.see("Network blocked by l2tpc", role="label")
                texts = "\n".join(n["name"] + n["text"] for n in s.ask(do="dump"))
                check("sudo l2tpc unblock" in texts and "Only root may lift it." in texts,
                      "no way to lift it: %s %s" % (node, texts))
                s.shot("blocked")
            finally:
                s.end(app)
            panel.do("appear")
            app = s.start("--tray", fake=recording(s, "blocked", blocked="Office_1"))
            try:
                panel.face("Network blocked by l2tpc")
                panel.click("Network blocked by l2tpc: lift the block…")
                panel.face("L2TP Dialer: not connected")
            finally:
                s.end(app)

    @suite.case("notifications-of-what-the-user-did-not-do")
    def notices():
        dial = [step(10, "up"), step(300, "reconnecting"), step(900, "up"), step(900, "failed", {
            "code": "ike.dpd-timeout", "stage": "up", "message": "The server is gone.", "hint": "",
            "peer_code": None, "windows_code": None})]
        with Panel(s) as panel:
            app = s.start("--tray", fake=recording(s, "notices", dial))
            try:
                panel.face("L2TP Dialer: not connected")
                panel.click("Connect Office__1")
                lost = panel.notice("Office_1 was interrupted")
                check("Details" in lost["actions"].values(), str(lost))
                again = panel.notice("Office_1 is connected again")
                check(again["replaced"], "a heap of notifications")
                end = panel.notice("Office_1 was lost")
                check(end["body"] == ("" if sabotaged() else "The server is gone."), str(end))
                check(len(panel.do("history")) == 3, "more than three")
                check(panel.do("press", title="Office_1 was lost", action="Try Again"), str(end))
                panel.notice("Office_1 was interrupted")
                s.see("Office_1", role="list item")
            finally:
                s.end(app)

    @suite.case("no-notification-of-what-the-user-did")
    def silent():
        with Panel(s) as panel:
            app = s.start("--tray", fake=recording(s, "silent", [step(10, "up")]))
            try:
                panel.face("L2TP Dialer: not connected")
                panel.click("Connect Office__1")
                panel.face("L2TP Dialer: connected")
                panel.click("Disconnect Office__1 (connected)")
                panel.face("L2TP Dialer: not connected")
                time.sleep(0.3)
                check(not panel.do("history"), "it told of what the user did")
            finally:
                s.end(app)
            # A dial that fails where nobody looks is told, one that fails before the user's eyes is not.
            end = fake.failed("Office_1", "ike-auth", "ike.wrong-psk", "The key is wrong.", "")
            for args, count in ((["--tray"], 1), ([], 0)):
                panel.do("appear")
                app = s.start(*args, fake=recording(s, "fails", [{"after_ms": 50, "status": end}]))
                try:
                    panel.face("L2TP Dialer: not connected")
                    if not args:
                        s.see("Office_1", role="list item")
                        time.sleep(0.5)  # it has the focus
                    panel.click("Connect Office__1")
                    panel.face("L2TP Dialer: failed")
                    time.sleep(0.2)
                    said = panel.do("history")
                    check(said == ["Office_1 could not be connected"] * count, str(said))
                    for row in panel.do("notices"):
                        check(row["body"] == "The key is wrong.", str(row))
                finally:
                    s.end(app)
