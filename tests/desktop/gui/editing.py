# SPDX-License-Identifier: LGPL-2.1-or-later
"""The plugin's editor in the window: a connection is made, changed, and left as it was."""
import os
import shutil
import subprocess

import fake
from suite import Skip, check, sabotaged

NAME_FILE = """[VPN Connection]
name=l2tp
service=org.freedesktop.NetworkManager.l2tpc
program=/nonexistent

[libnm]
plugin=%s
"""


def plugin(s):
    """The plugin of the build, where libnm is told to look for it; the folder of its .name file."""
    root = os.path.join(s.root, "nm-plugin")
    parts = [("editor-plugin", "libnm-vpn-plugin-l2tpc.so"),
             ("editor", "libnm-gtk4-vpn-plugin-l2tpc-editor.so")]
    out = os.path.join(s.folder, "vpn")
    for folder, name in parts:
        if not os.path.exists(os.path.join(root, folder, name)):
            raise Skip("libnm 1.42 and libnma-gtk4 are not installed")
        os.makedirs(os.path.join(out, folder), exist_ok=True)
        shutil.copy(os.path.join(root, folder, name), os.path.join(out, folder))
    names = os.path.join(out, "names")
    os.makedirs(names, exist_ok=True)
    with open(os.path.join(names, "nm-l2tpc-service.name"), "w") as f:
        f.write(NAME_FILE % os.path.join(out, *parts[0]))
    subprocess.run(["chmod", "-R", "a+rX", out], check=True)
    return names


def fill(s, accelerator, name, text):
    s.keys("key", accelerator, "ctrl+a", "type", "--delay", "5", text)
    node = s.see(name, role="text")
    check(node["text"] == text, "%s holds %r" % (name, node["text"]))


def can_save(s):
    return "sensitive" in s.see("Save", role="push button")["states"]


def edit(s):
    """The window manager may still be giving the focus back from the last dialog."""
    for _ in range(3):
        s.keys("key", "ctrl+e")
        if s.ask(do="wait", name="Edit Connection", within=1):
            return
    s.see("Edit Connection")


def add(suite, s):
    @suite.case("a-connection-is-made-and-edited-in-the-window")
    def makes():
        names = plugin(s)
        path = fake.write(os.path.join(s.folder, "office.json"),
                          [fake.profile(1, "Office", "vpn.example.com", "alice")])
        app = s.start(fake=path, NM_VPN_PLUGIN_DIR=names)
        try:
            s.see("Office", role="list item")
            s.keys("key", "ctrl+n")
            s.see("New Connection")
            check(not can_save(s), "it saves a connection without a server")
            fill(s, "alt+n", "Name", "Branch")
            fill(s, "alt+v", "Server Server", "two words")
            s.see("gateway is 'two words', which holds blanks, quotes or other signs that no name has.")
            check(not can_save(s), "it saves a server that cannot be one")
            s.shot("editor-fault")
            fill(s, "alt+v", "Server Server", "branch.example.com")
            fill(s, "alt+u", "User name User name", "dora")
            check(can_save(s), "all is entered, but it cannot be saved")
            s.click("Save", role="push button")
            s.gone("New Connection")
            s.see("Branch", role="list item", description="Not connected, branch.example.com" +
                  ("!" if sabotaged() else ""))
            s.see("branch.example.com · dora")  # what was made is what the page shows
            edit(s)
            for name, text in (("Name", "Branch"), ("User name User name", "dora")):
                check(s.see(name, role="text")["text"] == text, "%s was not kept" % name)
            check(not can_save(s), "it saves what nobody has changed")
            fill(s, "alt+v", "Server Server", "other.example.com")
            s.keys("key", "Escape")
            s.see("Discard the Changes?")
            s.click("Discard Discard", role="push button")  # a dialog names its button twice
            s.gone("Edit Connection")
            s.see("Branch", role="list item", description="Not connected, branch.example.com")
            edit(s)
            fill(s, "alt+v", "Server Server", "third.example.com")
            s.click("Save", role="push button")
            s.gone("Edit Connection")
            s.see("Branch", role="list item", description="Not connected, third.example.com")
            s.keys("key", "ctrl+d")
            s.see("Branch (copy)", role="list item", description="Not connected, third.example.com")
            check(s.alive(app), "the window died")
        finally:
            s.end(app)

    @suite.case("picture-of-the-editor")
    def pictures():
        """Dark, and from right to left; with more than a screen of it open."""
        names = plugin(s)
        path = fake.write(os.path.join(s.folder, "office.json"),
                          [fake.profile(1, "Office", "vpn.example.com", "alice")])
        for name, env in (("dark", {"ADW_DEBUG_COLOR_SCHEME": "prefer-dark"}),
                          ("arabic", {"LANGUAGE": "ar", "L2TPC_GUI_LOCALE_DIR": s.catalogues("ar")})):
            app = s.start(fake=path, NM_VPN_PLUGIN_DIR=names, **env)
            try:
                s.see("Office", role="list item")
                s.keys("key", "ctrl+e")
                check(s.ask(do="wait", role="text", within=3), "there is no editor")
                check(os.path.getsize(s.shot("editor-" + name)) > 10000 and not sabotaged(), "it is empty")
            finally:
                s.end(app)
