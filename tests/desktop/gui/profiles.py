# SPDX-License-Identifier: LGPL-2.1-or-later
"""The list of connections: what it shows, importing, duplicating, deleting."""
import os

import fake
from suite import check, sabotaged

OFFICE = "00000000-0000-4000-8000-000000000001"
MOBILECONFIG = """<?xml version="1.0" encoding="UTF-8"?>
<plist version="1.0"><dict><key>PayloadContent</key><array><dict>
<key>PayloadType</key><string>com.apple.vpn.managed</string>
<key>UserDefinedName</key><string>Branch</string><key>VPNType</key><string>L2TP</string>
<key>PPP</key><dict><key>CommRemoteAddress</key><string>branch.example.com</string>
<key>AuthName</key><string>dora</string></dict>
<key>IPSec</key><dict><key>AuthenticationMethod</key><string>SharedSecret</string></dict>
</dict></array><key>PayloadType</key><string>Configuration</string></dict></plist>
"""


def usual(session):
    return fake.write(os.path.join(session.folder, "usual.json"), [
        fake.profile(1, "Office", "vpn.example.com", "alice", now=fake.up("Office"),
                     since_ago_s=3723, history=fake.history(), rates=fake.history()),
        fake.profile(2, "Home router", "203.0.113.7", "bob"),
        fake.profile(3, "Lab", "lab.example.org", "carol"),
    ])


def add(suite, s):
    @suite.case("list-shows-state-in-words")
    def shows():
        app = s.start(fake=usual(s))
        try:
            s.see("Office", role="list item", description="Connected, vpn.example.com")
            s.see("Home router", role="list item", description="Not connected, 203.0.113.7" +
                  ("!" if sabotaged() else ""))
            s.see("Connect Office", role="check box", description="Connected")
        finally:
            s.end(app)

    @suite.case("empty-list-offers-import")
    def empty():
        path = fake.write(os.path.join(s.folder, "empty.json"), [])
        app = s.start(fake=path)
        try:
            s.see("No Connections Yet")
            s.see("Import…", role="push button")
            s.shot("empty")
        finally:
            s.end(app)

    @suite.case("no-service-says-what-to-install")
    def trouble():
        app = s.start()
        try:
            s.see("No service that makes connections is installed. Install the package "
                  "network-manager-l2tpc, or l2tpc-service on a computer without NetworkManager.")
        finally:
            s.end(app)

    @suite.case("double-click-shows-a-preview-and-adds")
    def imports():
        path = os.path.join(s.folder, "branch.mobileconfig")
        with open(path, "w") as f:
            f.write(MOBILECONFIG)
        os.chmod(path, 0o644)
        app = s.start(fake=usual(s))
        try:
            s.see("Office", role="list item")
            # A second start with a file: the first instance takes it.
            second = s.start(path, fake=usual(s), name="second")
            s.see("This will be added")
            s.see("Branch", description="branch.example.com · dora")
            s.see("Is not taken over", description="The file holds no pre-shared key; it will be "
                  "asked for.")
            s.shot("import")
            check(not [n for n in s.ask(do="dump") if n["role"] == "list item" and
                       n["name"] == "Branch" and n["description"].startswith("Not connected")],
                  "it was added before anybody agreed")
            s.click("Add", role="push button")
            s.see("Branch", role="list item", description="Not connected, branch.example.com")
            check(not s.alive(second), "two instances run")
        finally:
            s.end(app)

    @suite.case("foreign-file-is-refused-in-a-sentence")
    def foreign():
        path = os.path.join(s.folder, "song.mp3")
        with open(path, "wb") as f:
            f.write(b"ID3" + bytes(range(256)) * 8)
        os.chmod(path, 0o644)
        app = s.start(path, fake=usual(s))
        try:
            s.see("Nothing can be imported from this")
            node = s.ask(do="wait", name="Add", role="push button")
            check("sensitive" not in node["states"], "nothing can be added, but the button says so")
        finally:
            s.end(app)

    @suite.case("delete-can-be-undone")
    def delete():
        app = s.start(fake=usual(s))
        try:
            s.see("Lab", role="list item")
            s.action("show-details", "00000000-0000-4000-8000-000000000003")
            s.see("lab.example.org · carol")
            s.keys("key", "ctrl+Delete")
            s.gone("Lab", role="list item")
            s.click("Undo Undo", role="push button")  # a toast names its button twice
            s.see("Lab", role="list item")
            s.action("show-details", "00000000-0000-4000-8000-000000000003")
            s.keys("key", "ctrl+Delete")
            s.gone("Lab", role="list item")
        finally:
            s.end(app)

    @suite.case("search-finds-by-name-and-server")
    def search():
        app = s.start(fake=usual(s))
        try:
            s.see("Lab", role="list item")
            s.keys("key", "ctrl+f")
            s.keys("type", "--delay", "5", "203.0")
            s.gone("Lab", role="list item")
            s.see("Home router", role="list item")
        finally:
            s.end(app)
