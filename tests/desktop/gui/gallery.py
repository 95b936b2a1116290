# SPDX-License-Identifier: LGPL-2.1-or-later
"""Each page of the window as one sees it who reads it otherwise: pictures to be looked at. Long; a
case for each look, run when it is named or with GUI_LONG=1."""
import fnmatch
import os
import sys
import time

import editing
import fake
from finding_out import broken
from profiles import MOBILECONFIG, usual
from suite import check

ONE = "00000000-0000-4000-8000-000000000001"
LOOKS = ["light", "dark", "contrast", "text-1.5", "text-2", "german", "arabic"]


def dress(s, look):
    """The environment of that look. The size of text is a setting of the screen."""
    s.x("xprop", "-root", "-f", "RESOURCE_MANAGER", "8s", "-set", "RESOURCE_MANAGER",
        "Xft.dpi: %d" % (96 * float(look[5:] if look.startswith("text-") else 1)))
    languages = {"german": "de", "arabic": "ar"}
    if look in languages:
        return {"LANGUAGE": languages[look],
                "L2TPC_GUI_LOCALE_DIR": s.catalogues(languages[look])}
    return {"dark": {"ADW_DEBUG_COLOR_SCHEME": "prefer-dark"},
            "contrast": {"ADW_DEBUG_HIGH_CONTRAST": "1"}}.get(look, {})


class Gallery:
    def __init__(self, s, look):
        self.s, self.look, self.env, self.number = s, look, dress(s, look), 0

    def start(self, path, *args, **more):
        self.app = self.s.start(*args, fake=path, **dict(self.env, **more))
        check(self.s.ask(do="wait", role="push button", within=8), "there is no window")
        time.sleep(0.3)

    def end(self):
        check(self.s.alive(self.app), "the window died")
        self.s.end(self.app)

    def shot(self, name):
        self.number += 1
        path = self.s.shot("gallery-%s-%02d-%s" % (self.look, self.number, name))
        check(os.path.getsize(path) > 5000, "%s is empty" % name)

    def press(self, *words):
        self.s.keys("key", *words)
        time.sleep(0.5)

    def scroll(self, name, times, x=None):
        x = x or (400 if self.look == "arabic" else 800)
        for i in range(times):
            self.s.keys("mousemove", str(x), "400", "click", "--repeat", "7", "5")
            self.shot("%s-%d" % (name, i + 2))

    def main_page(self):
        self.start(fake.write(os.path.join(self.s.folder, "none.json"), []))
        self.shot("empty")
        self.end()
        self.start(usual(self.s))
        self.s.action("show-details", ONE)
        self.shot("details")
        self.scroll("details", 6)
        self.end()

    def dials(self):
        fields = [{"key": "password", "kind": "password"},
                  {"key": "ipsec-psk", "kind": "psk"}, {"key": "code", "kind": "code", "keep": False},
                  {"key": "new", "kind": "new-password", "keep": False}]
        dial = fake.climb("Office", 400)[:4] + [fake.secrets_step(400, fields, again="The server did "
                                                                  "not accept the password.")]
        self.start(fake.write(os.path.join(self.s.folder, "dial.json"), [
            fake.profile(1, "Office", "vpn.example.com", "alice", dial=dial)]))
        self.s.action("connect", ONE)
        time.sleep(0.4)
        self.shot("connecting")
        time.sleep(1)
        self.shot("secrets")
        self.scroll("secrets", 1)
        self.end()

    def failures(self):
        self.start(broken(self.s))
        self.s.action("show-details", ONE)
        self.shot("failed")
        self.press("ctrl+i")
        self.shot("diagnosis")
        self.scroll("diagnosis", 1, 640)
        self.press("Escape")
        self.press("ctrl+l")
        self.shot("log")
        self.end()

    def dialogs(self):
        path = os.path.join(self.s.folder, "branch.mobileconfig")
        with open(path, "w") as f:
            f.write(MOBILECONFIG)
        os.chmod(path, 0o644)
        self.start(usual(self.s), NM_VPN_PLUGIN_DIR=editing.plugin(self.s))
        second = self.s.start(path, fake=usual(self.s), name="second")
        time.sleep(1)
        self.shot("import")
        self.s.end(second)
        self.press("Escape")
        self.s.action("show-details", ONE)
        self.press("ctrl+e")
        self.shot("editor")
        self.scroll("editor", 1, 640)
        self.press("Escape")
        for name, key in (("preferences", "ctrl+comma"), ("help", "ctrl+question")):
            self.press(key)
            self.shot(name)
            self.press("Escape")
        self.s.action("about")
        time.sleep(0.5)
        self.shot("about")
        self.end()


def wanted(name):
    return os.environ.get("GUI_LONG") or any(
        fnmatch.fnmatchcase(name, a) and a.startswith("gallery") for a in sys.argv[1:])


def add(suite, s):
    def look_at(look):
        g = Gallery(s, look)
        for page in (g.main_page, g.dials, g.failures, g.dialogs):
            try:
                page()
            finally:
                s.end(g.app)
        dress(s, "light")

    for look in LOOKS:
        if wanted("gallery-" + look):
            suite.case("gallery-" + look)(lambda look=look: look_at(look))
