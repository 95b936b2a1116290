#!/usr/bin/python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""Drives a window over AT-SPI, inside the session and as its user: one JSON command a line on stdin,
one JSON answer a line on stdout. It sees what a screen reader sees, and nothing else."""
import json
import subprocess
import sys
import time

import gi
gi.require_version("Atspi", "2.0")
from gi.repository import Atspi  # noqa: E402

Atspi.set_timeout(3000, 10000)
STATES = {"focusable": Atspi.StateType.FOCUSABLE, "showing": Atspi.StateType.SHOWING,
          "checked": Atspi.StateType.CHECKED, "sensitive": Atspi.StateType.SENSITIVE,
          "focused": Atspi.StateType.FOCUSED, "pressed": Atspi.StateType.PRESSED}


def application(name):
    desktop = Atspi.get_desktop(0)
    for i in range(desktop.get_child_count()):
        a = desktop.get_child_at_index(i)
        if a and name in (a.get_name() or ""):
            return a
    return None


def walk(node, depth=0):
    yield node, depth
    for i in range(node.get_child_count()):
        child = node.get_child_at_index(i)
        if child:
            yield from walk(child, depth + 1)


def describe(node, depth):
    states = node.get_state_set()
    text = ""
    t = node.get_text_iface()
    if t:
        text = t.get_text(0, t.get_character_count())
    return {"role": node.get_role_name(), "name": node.get_name() or "",
            "description": node.get_description() or "", "text": text, "depth": depth,
            "states": [k for k, v in STATES.items() if states.contains(v)]}


def find(app, command):
    for node, _ in walk(app):
        try:
            if command.get("role") and node.get_role_name() != command["role"]:
                continue
            if "name" in command and (node.get_name() or "") != command["name"]:
                continue
            if "description" in command and (node.get_description() or "") != command["description"]:
                continue
            return node
        except gi.repository.GLib.Error:
            continue  # gone since
    return None


def press_until(app, node, command):
    """Milliseconds from the pressing of a key until a node, looked for before, is described so."""
    begin = time.monotonic()
    subprocess.Popen(["xdotool", "key", command["key"]])
    while time.monotonic() < begin + 5:
        if node.get_description() == command["until"]:
            return (time.monotonic() - begin) * 1000
        time.sleep(0.002)
    return None


def act(app, command):
    what = command["do"]
    if what == "dump":
        return [describe(n, d) for n, d in walk(app)]
    wanted = what != "absent"
    end = time.monotonic() + command.get("within", 3)
    node = find(app, command)
    while bool(node) != wanted and time.monotonic() < end:
        time.sleep(0.03)
        node = find(app, command)
    if not wanted:
        return node is None
    if not node:
        return None
    if what == "click":
        action = node.get_action_iface()
        if not action or not action.get_n_actions():
            return None
        done = bool(action.do_action(0))
        time.sleep(0.4)  # GTK 4.8 shows the button pressed for 250 ms; and it dies when it is asked
        return done      # for the children of a window that is just being destroyed
    if what == "place":
        e = node.get_component_iface().get_extents(Atspi.CoordType.SCREEN)
        return [e.x, e.y, e.width, e.height]
    if what == "press-until":
        return press_until(app, node, command)
    return describe(node, 0)


def answer(command):
    app = application(command["app"])
    if command["do"] == "windows":  # a program without any may have nothing here
        return {"value": app.get_child_count() if app else 0}
    end = time.monotonic() + 10
    while not app and time.monotonic() < end:
        time.sleep(0.05)
        app = application(command["app"])
    if not app:
        return {"error": "no application %s" % command["app"]}
    for attempt in range(3):
        try:
            return {"value": act(app, command)}
        except gi.repository.GLib.Error as e:  # the tree changed under our feet
            trouble = str(e)
            time.sleep(0.1)
    return {"error": trouble}


for line in sys.stdin:
    print(json.dumps(answer(json.loads(line))), flush=True)
