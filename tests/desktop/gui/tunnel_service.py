#!/usr/bin/python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""Stands in for a running tunnel on the system bus: net.l2tpc.Tunnel1 with what a file says. One
JSON command a line on stdin: {"own": uuid}, {"status": object}, {"release": true}, {"cycle": n},
{"silent": true}, {"sessions": n, "states": [first, then, or then]}. One line back for each; "cycle" does not wait for
anybody, a session of "sessions" goes on when its status was asked for."""
import json
import sys
import threading

import gi
from gi.repository import Gio, GLib

XML = """<node><interface name="net.l2tpc.Tunnel1">
<method name="GetStatus"><arg type="s" direction="out"/></method>
<method name="Disconnect"/>
<property name="State" type="s" access="read"/>
</interface></node>"""
status = {"state": "dialing"}
silent = False
loop = GLib.MainLoop()
bus = Gio.bus_get_sync(Gio.BusType.SYSTEM)
owned = []
sessions = {"left": 0}


def changed():
    bus.emit_signal(None, "/net/l2tpc/Tunnel1", "org.freedesktop.DBus.Properties",
                    "PropertiesChanged", GLib.Variant("(sa{sv}as)", (
                        "net.l2tpc.Tunnel1", {"State": GLib.Variant("s", status["state"])}, [])))


def release():
    while owned:
        bus.call_sync("org.freedesktop.DBus", "/org/freedesktop/DBus", "org.freedesktop.DBus",
                      "ReleaseName", GLib.Variant("(s)", (owned.pop(),)), None, 0, -1, None)


def own(uuid):
    name = "net.l2tpc.Tunnel1.u" + uuid.replace("-", "")
    bus.call_sync("org.freedesktop.DBus", "/org/freedesktop/DBus", "org.freedesktop.DBus",
                  "RequestName", GLib.Variant("(su)", (name, 4)), None, 0, -1, None)
    owned.append(name)


def on_call(connection, sender, path, interface, method, parameters, invocation):
    if method == "GetStatus":
        if not silent:
            invocation.return_value(GLib.Variant("(s)", (json.dumps(status),)))
        if sessions["left"]:
            GLib.idle_add(next_step)
    else:
        invocation.return_value(None)
        release()


def on_get(connection, sender, path, interface, name):
    return GLib.Variant("s", status["state"])


def next_step():
    """Dialing, up or failed, gone; and again."""
    global status
    if sessions["left"] and sessions["at"] == 0:
        sessions["at"] = 1
        status = sessions["states"][1 + sessions["left"] % 2]
        changed()
    elif sessions["left"]:
        release()
        sessions["left"] -= 1
        begin_session()
    return False


def begin_session():
    global status
    status = sessions["states"][0]
    sessions["at"] = 0
    if sessions["left"]:
        own("00000000-0000-4000-8000-%012d" % (sessions["left"] % 7))
    else:
        print("done", flush=True)


def obey(command):
    global status, silent
    silent = command.get("silent", False)
    if "sessions" in command:
        sessions.update(left=command["sessions"], states=command["states"])
        begin_session()
        return False
    if "status" in command:
        status = command["status"]
        changed()
    if "own" in command:
        own(command["own"])
    if command.get("release"):
        release()
    for i in range(command.get("cycle", 0)):
        own("00000000-0000-4000-8000-%012d" % command.get("number", 77))
        changed()
        release()
    print("done", flush=True)
    return False


def read():
    for line in sys.stdin:
        GLib.idle_add(obey, json.loads(line))
    GLib.idle_add(loop.quit)


bus.register_object("/net/l2tpc/Tunnel1", Gio.DBusNodeInfo.new_for_xml(XML).interfaces[0], on_call,
                    on_get, None)
threading.Thread(target=read, daemon=True).start()
loop.run()
