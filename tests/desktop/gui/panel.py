#!/usr/bin/python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""Stands in for a desktop's panel and for its notifications on the session bus: the watcher of
StatusNotifierItems with a host, a client of their menus, and org.freedesktop.Notifications. One JSON
command a line on stdin, one JSON answer a line on stdout."""
import json
import sys
import threading
import time

import gi
from gi.repository import Gio, GLib

WATCHER = "org.kde.StatusNotifierWatcher"
ITEM = "org.kde.StatusNotifierItem"
MENU = "com.canonical.dbusmenu"
NOTICES = "org.freedesktop.Notifications"
XML = """<node><interface name="%s">
<method name="RegisterStatusNotifierItem"><arg type="s"/></method>
<property name="IsStatusNotifierHostRegistered" type="b" access="read"/>
<signal name="StatusNotifierHostRegistered"/></interface>
<interface name="%s">
<method name="GetCapabilities"><arg type="as" direction="out"/></method>
<method name="GetServerInformation"><arg type="s" direction="out"/><arg type="s" direction="out"/>
<arg type="s" direction="out"/><arg type="s" direction="out"/></method>
<method name="Notify"><arg type="s"/><arg type="u"/><arg type="s"/><arg type="s"/><arg type="s"/>
<arg type="as"/><arg type="a{sv}"/><arg type="i"/><arg type="u" direction="out"/></method>
<method name="CloseNotification"><arg type="u"/></method></interface></node>""" % (WATCHER, NOTICES)
bus = Gio.bus_get_sync(Gio.BusType.SESSION)
context = GLib.MainContext.default()
items, signals, notices, history = [], [], {}, []
state = {"host": True, "next": 1}


def call(name, path, interface, method, parameters=None):
    return bus.call_sync(name, path, interface, method, parameters, None, 0, 3000, None).unpack()


def on_call(connection, sender, path, interface, method, parameters, invocation):
    answer = None
    if method == "RegisterStatusNotifierItem":
        items.append((parameters.unpack()[0], sender))
    elif method == "GetCapabilities":
        answer = GLib.Variant("(as)", (["actions", "body", "persistence"],))
    elif method == "GetServerInformation":
        answer = GLib.Variant("(ssss)", ("panel", "l2tpc", "1", "1.2"))
    elif method == "Notify":
        _, replaces, _, title, body, actions, _, _ = parameters.unpack()
        number = replaces or state["next"]
        state["next"] += 0 if replaces else 1
        notices[number] = {"title": title, "body": body, "replaced": bool(replaces),
                           "actions": dict(zip(actions[::2], actions[1::2])), "from": sender}
        history.append(title)
        answer = GLib.Variant("(u)", (number,))
    elif method == "CloseNotification":
        notices.pop(parameters.unpack()[0], None)
    invocation.return_value(answer)


def on_get(connection, sender, path, interface, name):
    return GLib.Variant("b", state["host"])


def on_signal(connection, sender, path, interface, signal, parameters):
    signals.append(signal)


def turn(seconds):
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        if not context.iteration(False):
            time.sleep(0.005)


def name_call(method, *arguments):
    kind = "(su)" if len(arguments) == 2 else "(s)"
    return call("org.freedesktop.DBus", "/org/freedesktop/DBus", "org.freedesktop.DBus", method,
                GLib.Variant(kind, arguments))


def item(within):
    end = time.monotonic() + within
    while not items and time.monotonic() < end:
        turn(0.01)
    return items[-1][0] if items else None


def properties(name):
    got = call(name, "/StatusNotifierItem", "org.freedesktop.DBus.Properties", "GetAll",
               GLib.Variant("(s)", (ITEM,)))[0]
    for key in got:
        if key.endswith("Pixmap"):
            got[key] = [[w, h, len(b), sum(1 for a in bytes(b)[::4] if a)] for w, h, b in got[key]]
    got["ToolTip"] = got["ToolTip"][2:]
    return got


def menu(name):
    path = call(name, "/StatusNotifierItem", "org.freedesktop.DBus.Properties", "Get",
                GLib.Variant("(ss)", (ITEM, "Menu")))[0]
    call(name, path, MENU, "AboutToShow", GLib.Variant("(i)", (0,)))
    _, root = call(name, path, MENU, "GetLayout", GLib.Variant("(iias)", (0, -1, [])))
    return path, [dict(row[1], id=row[0]) for row in root[2]]


def click(name, label):
    path, rows = menu(name)
    found = [r for r in rows if r.get("label", "") == label]
    if not found:
        return False
    call(name, path, MENU, "Event", GLib.Variant("(isvu)", (
        found[0]["id"], "clicked", GLib.Variant("s", ""), 0)))
    return True


def press(title, action):
    """A button of a notification, or its default action."""
    for number, notice in notices.items():
        wanted = [k for k, v in notice["actions"].items() if action in (k, v)]
        if notice["title"] == title and wanted:
            bus.emit_signal(notice["from"], "/org/freedesktop/Notifications", NOTICES,
                            "ActionInvoked", GLib.Variant("(us)", (number, wanted[0])))
            return True
    return False


def act(c):
    do = c["do"]
    if do == "appear":
        state["host"] = c.get("host", True)
        items.clear()
        return name_call("RequestName", WATCHER, 4)[0]
    if do == "host":
        state["host"] = True
        bus.emit_signal(None, "/StatusNotifierWatcher", WATCHER, "StatusNotifierHostRegistered", None)
        return True
    if do == "vanish":
        items.clear()
        return name_call("ReleaseName", WATCHER)[0]
    if do == "restart":  # between the two no time passes that a busy machine could stretch
        items.clear()
        name_call("ReleaseName", WATCHER)
        return name_call("RequestName", WATCHER, 4)[0]
    if do == "item":
        found = item(c.get("within", 5))
        return properties(found) if found else None
    if do == "absent":
        turn(c["within"])
        return not items
    if do == "menu":
        return menu(item(5))[1]
    if do == "click":
        return click(item(5), c["label"])
    if do == "activate":
        name = item(5)
        call(name, "/StatusNotifierItem", ITEM, "Activate", GLib.Variant("(ii)", (10, 10)))
        return True
    if do == "signals":
        said = list(signals)
        signals.clear()
        return said
    if do == "notices":
        return list(notices.values())
    if do == "history":
        said = list(history)
        history.clear()
        return said
    return press(c["title"], c["action"])


def serve(line):
    try:
        answer = {"value": act(json.loads(line))}
    except GLib.Error as e:
        answer = {"error": e.message}
    print(json.dumps(answer), flush=True)
    return False


def read():
    for line in sys.stdin:
        GLib.idle_add(serve, line)
    GLib.idle_add(loop.quit)


node = Gio.DBusNodeInfo.new_for_xml(XML)
bus.register_object("/StatusNotifierWatcher", node.interfaces[0], on_call, on_get, None)
bus.register_object("/org/freedesktop/Notifications", node.interfaces[1], on_call, None, None)
bus.signal_subscribe(None, ITEM, None, None, None, 0, on_signal)
name_call("RequestName", NOTICES, 4)
loop = GLib.MainLoop()
threading.Thread(target=read, daemon=True).start()
loop.run()
