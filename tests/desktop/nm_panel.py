# SPDX-License-Identifier: LGPL-2.1-or-later
"""The whole way of a user: a file that is opened, a real panel, a real NetworkManager and a real
server, which goes away and comes back. Driven by what a screen reader sees; the pointer goes where
the icon is. A case of tests/desktop/nm."""
import functools
import gettext
import os
import re
import subprocess
import sys
import time

import nm_desktop
from nm_world import BEHIND, SOFTETHER
from suite import Skip, check

CONNECT, DETAILS = 1, 2  # rows of the menu
MOBILECONFIG = """<?xml version="1.0" encoding="UTF-8"?>
<plist version="1.0"><dict><key>PayloadContent</key><array><dict>
<key>PayloadType</key><string>com.apple.vpn.managed</string>
<key>UserDefinedName</key><string>Office</string><key>VPNType</key><string>L2TP</string>
<key>PPP</key><dict><key>CommRemoteAddress</key><string>10.99.1.1</string>
<key>AuthName</key><string>alice</string><key>AuthPassword</key><string>wonderland</string></dict>
<key>IPSec</key><dict><key>AuthenticationMethod</key><string>SharedSecret</string>
<key>SharedSecret</key><data>bGFicHNrMTIz</data></dict>
</dict></array><key>PayloadType</key><string>Configuration</string></dict></plist>
"""
PANEL = """<?xml version="1.0" encoding="UTF-8"?>
<channel name="xfce4-panel" version="1.0">
<property name="configver" type="int" value="2"/>
<property name="panels" type="array"><value type="int" value="1"/>
<property name="panel-1" type="empty">
<property name="position" type="string" value="p=6;x=0;y=0"/>
<property name="length" type="uint" value="100"/><property name="position-locked" type="bool" value="true"/>
<property name="size" type="uint" value="32"/>
<property name="plugin-ids" type="array"><value type="int" value="1"/></property>
</property></property>
<property name="plugins" type="empty">
<property name="plugin-1" type="string" value="systray"><property name="square-icons" type="bool" value="true"/></property>
</property></channel>
"""


# How the same way looks to others: name of the case, environment. The words come from the catalogues.
LOOKS = {
    "dark": {"ADW_DEBUG_COLOR_SCHEME": "prefer-dark", "GTK_THEME": "Adwaita:dark"},
    "german": {"LANGUAGE": "de"},
    "arabic": {"LANGUAGE": "ar"},
}


class User(nm_desktop.Session):
    def __init__(self, world, program, look=None):
        super().__init__(world)
        self.program = program
        self.home = self.gui_folder + "/home"
        self.look = "-" + look if look else ""
        catalogues = os.path.join(world.ours(), "po")
        self.dress = dict(LOOKS.get(look, {}), L2TPC_GUI_LOCALE_DIR=catalogues)
        language = self.dress.get("LANGUAGE", "")
        self.say = gettext.translation("l2tpc", catalogues, [language]).gettext if language else str

    def start(self, *args):
        """GTK_THEME is for the panel alone; libadwaita would lose its looks."""
        super().start("env", *["%s=%s" % p for p in self.dress.items() if p[0] != "GTK_THEME"], *args)

    def shot(self, name):
        super().shot(name + self.look)

    def write(self, path, text):
        full = os.path.join(self.home, path)
        self.call(self.gui, "exec", "mkdir", "-p", os.path.dirname(full))
        subprocess.run([self.gui, "exec", "tee", full], env=self.env, input=text, text=True,
                       check=True, stdout=subprocess.DEVNULL, timeout=20)
        return full

    def install(self):
        """What the package puts into the system's folders, in the user's own."""
        top = os.path.dirname(os.path.dirname(nm_desktop.HERE))
        with open(os.path.join(top, "gui", "data", "net.l2tpc.Dialer.desktop.in")) as f:
            text = re.sub("Exec=l2tpc-gui", "Exec=" + self.program, f.read())
        self.write(".local/share/applications/net.l2tpc.Dialer.desktop",
                   text.replace("DBusActivatable=true\n", ""))
        with open(os.path.join(top, "gui", "data", "net.l2tpc.Dialer.mime.xml")) as f:
            self.write(".local/share/mime/packages/net.l2tpc.Dialer.xml", f.read())
        for name in ("off", "busy", "on", "failed", "blocked"):
            icon = "net.l2tpc.Dialer-tray-%s.svg" % name
            with open(os.path.join(top, "gui", "icons", icon)) as f:
                self.write(".local/share/icons/hicolor/scalable/status/" + icon, f.read())
        for tool, folder in (("update-mime-database", "mime"),
                             ("update-desktop-database", "applications")):
            self.call(self.gui, "exec", tool, self.home + "/.local/share/" + folder)

    def start_panel(self):
        self.write(".config/xfce4/xfconf/xfce-perchannel-xml/xfce4-panel.xml", PANEL)
        subprocess.run([self.gui, "bg", self.gui_folder + "/log/panel", "env",
                        *["%s=%s" % p for p in self.dress.items()], "xfce4-panel",
                        "--disable-wm-check"], env=self.env, stdin=subprocess.DEVNULL,
                       stdout=subprocess.DEVNULL, timeout=20)

    def see(self, within=5, **node):
        return self.drive(dict(node, do="find", within=within))

    def press(self, **node):
        self.drive(dict(node, do="click", within=5))

    def choose(self, row):
        """A row of our icon's menu, counted from 1. The panel shows a menu to the pointer and the
        keyboard alone; the icon is the first thing behind the panel's handle, on the left in Arabic,
        too."""
        self.x("mousemove", "25", "16", "click", "3")
        time.sleep(0.5)
        self.shot("panel-menu")
        self.x("key", *["Down"] * row, "Return")

    def sees(self, words, within=5, **node):
        """What the catalogue of the user's language has for the words."""
        return self.see(name=self.say(words), within=within, **node)

    def sees_office(self, state, within=5):
        self.see(name="Office", role="list item", description=self.say(state) + ", 10.99.1.1",
                 within=within)

    def received(self):
        return self.sees("IP bytes received", role="list item")["description"]


def lose(world):
    """The server ends the session; with NM_LONG=1 it dies, which takes half a minute to be noticed."""
    if os.environ.get("NM_LONG"):
        world.must(SOFTETHER, "crash")
        return 45
    sessions = world.must(SOFTETHER, "sessions").splitlines()
    ours = [row.split()[0].split("=", 1)[1] for row in sessions if "L2TP" in row]
    check(ours, "sessions of the server: %s" % sessions)
    # One of a client that was killed may still wait for its end; the newest is ours.
    world.must(SOFTETHER, "admin", "SessionDisconnect", max(ours, key=lambda s: int(s.rsplit("-", 1)[1])))
    return 10


def the_whole_way(world, look=None):
    program = os.path.abspath(os.path.join(world.ours(), "gui", "l2tpc-gui"))
    for needed in (program, "/usr/bin/xfce4-panel"):
        if not os.path.exists(needed):
            raise Skip("there is no " + needed)
    with User(world, program, look) as s:
        s.install()
        s.start_panel()
        s.start("gio", "open", s.write("office.mobileconfig", MOBILECONFIG))
        s.sees("This will be added", within=10)
        s.shot("panel-import")
        s.press(name=s.say("_Add").replace("_", ""), role="push button")
        s.sees_office("Not connected")
        s.x("key", "ctrl+w")
        time.sleep(1)
        check(not s.x("search", "--onlyvisible", "--name", s.say("L2TP Dialer")), "a window is left")
        s.choose(CONNECT)
        s.shot("panel-connecting")
        end = time.monotonic() + 15
        while "l2tp" not in s.root("ip", "-br", "link") and time.monotonic() < end:
            time.sleep(0.1)
        time.sleep(1.5)
        s.choose(DETAILS)
        s.sees("This is L2TP inside IPsec", within=10)
        s.shot("panel-proof")
        before = s.received()
        out = s.call(s.gui, "exec", "curl", "-sS", "-m", "10", BEHIND)
        check("behind the VPN server" in out, "fetch through the tunnel: " + out)
        time.sleep(1.5)
        check(s.received() != before, "no traffic is seen: " + before)
        within = lose(world)
        why = s.sees("Why it failed", within=within)["description"]
        s.shot("panel-lost")
        print("    %s" % why)
        check(why in [s.say(w) for w in ("The tunnel was interrupted.",
                                         "The server no longer answers.")], why)
        s.sees_office("Reconnecting")
        if os.environ.get("NM_LONG"):
            world.must(SOFTETHER, "revive")
        s.sees_office("Connected", within=60)
        s.sees("This is L2TP inside IPsec")
        s.shot("panel-again")
        out = s.call(s.gui, "exec", "curl", "-sS", "-m", "10", BEHIND)
        check("behind the VPN server" in out, "fetch after the loss: " + out)
        s.choose(CONNECT)  # the same row: it is connected
        s.sees_office("Not connected", within=10)


def add_cases(suite, world):
    @suite.case()
    def panel_connects_proves_and_survives_a_loss():
        the_whole_way(world)

    # The same for other eyes: only by name, or in a long run.
    if not os.environ.get("NM_LONG") and not any(a.startswith("panel-in-") for a in sys.argv):
        return
    for look in LOOKS:
        suite.case("panel-in-" + look)(functools.partial(the_whole_way, world, look))
