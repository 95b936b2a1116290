# SPDX-License-Identifier: LGPL-2.1-or-later
"""The whole way of a user: a file that is opened, a real panel, a real NetworkManager and a real
server, which goes away and comes back. Driven by what a screen reader sees; the pointer goes where
the icon is. A case of tests/desktop/nm."""
import os
import re
import subprocess
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


class User(nm_desktop.Session):
    def __init__(self, world, program):
        super().__init__(world)
        self.program = program
        self.home = self.gui_folder + "/home"

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
        subprocess.run([self.gui, "bg", self.gui_folder + "/log/panel", "xfce4-panel",
                        "--disable-wm-check"], env=self.env, stdin=subprocess.DEVNULL,
                       stdout=subprocess.DEVNULL, timeout=20)

    def see(self, within=5, **node):
        return self.drive(dict(node, do="find", within=within))

    def press(self, **node):
        self.drive(dict(node, do="click", within=5))

    def choose(self, row):
        """A row of our icon's menu, counted from 1. The panel shows a menu to the pointer and the
        keyboard alone; the icon is the first thing behind the panel's handle."""
        self.x("mousemove", "25", "16", "click", "3")
        time.sleep(0.5)
        self.shot("panel-menu")
        self.x("key", *["Down"] * row, "Return")


    def received(self):
        return self.see(name="IP bytes received", role="list item", within=5)["description"]


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


def add_cases(suite, world):
    @suite.case()
    def panel_connects_proves_and_survives_a_loss():
        program = os.path.abspath(os.path.join(world.ours(), "gui", "l2tpc-gui"))
        for needed in (program, "/usr/bin/xfce4-panel"):
            if not os.path.exists(needed):
                raise Skip("there is no " + needed)
        with User(world, program) as s:
            s.install()
            s.start_panel()
            s.start("gio", "open", s.write("office.mobileconfig", MOBILECONFIG))
            s.see(name="This will be added", within=10)
            s.shot("panel-import")
            s.press(name="Add", role="push button")
            s.see(name="Office", role="list item", description="Not connected, 10.99.1.1")
            s.x("key", "ctrl+w")
            time.sleep(1)
            check(not s.x("search", "--onlyvisible", "--name", "L2TP Dialer"), "a window is left")
            s.choose(CONNECT)
            s.shot("panel-connecting")
            end = time.monotonic() + 15
            while "l2tp" not in s.root("ip", "-br", "link") and time.monotonic() < end:
                time.sleep(0.1)
            time.sleep(1.5)
            s.choose(DETAILS)
            s.see(name="This is L2TP inside IPsec", within=10)
            s.shot("panel-proof")
            before = s.received()
            out = s.call(s.gui, "exec", "curl", "-sS", "-m", "10", BEHIND)
            check("behind the VPN server" in out, "fetch through the tunnel: " + out)
            time.sleep(1.5)
            check(s.received() != before, "no traffic is seen: " + before)
            within = lose(world)
            why = s.see(name="Why it failed", within=within)["description"]
            s.shot("panel-lost")
            print("    %s" % why)
            check(why in ("The tunnel was interrupted.", "The server no longer answers."), why)
            s.see(name="Office", role="list item", description="Reconnecting, 10.99.1.1")
            if os.environ.get("NM_LONG"):
                world.must(SOFTETHER, "revive")
            s.see(name="Office", role="list item", description="Connected, 10.99.1.1", within=60)
            s.see(name="This is L2TP inside IPsec", within=5)
            s.shot("panel-again")
            out = s.call(s.gui, "exec", "curl", "-sS", "-m", "10", BEHIND)
            check("behind the VPN server" in out, "fetch after the loss: " + out)
            s.choose(CONNECT)  # the same row: it is connected
            s.see(name="Office", role="list item", description="Not connected, 10.99.1.1", within=10)
