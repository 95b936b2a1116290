#!/usr/bin/python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""Stands in for the service of a computer without NetworkManager: net.l2tpc.Service1, and for each of
its tunnels net.l2tpc.Tunnel1, with a status from a file. It wants the password "wonderland". Each call
is a line of JSON on stdout, with what was in its memory files. dial_service.py FOLDER STATUS [METHOD]:
with a METHOD it has the connection "Branch" from the start, and dies when METHOD is called."""
import json
import os
import sys
import uuid

from gi.repository import Gio, GLib

interfaces, status_file = sys.argv[1:3]
fatal = sys.argv[3] if len(sys.argv) > 3 else None
NAME, PATH = "net.l2tpc.Service1", "/net/l2tpc/Service1"
profiles = {}
tunnels = {}
loop = GLib.MainLoop()
bus = Gio.bus_get_sync(Gio.BusType.SYSTEM)
with open(status_file) as f:
    UP = json.load(f)


def daemon(method, signature, *arguments):
    bus.call_sync("org.freedesktop.DBus", "/org/freedesktop/DBus", "org.freedesktop.DBus", method,
                  GLib.Variant(signature, arguments), None, 0, -1, None)


def tunnel_name(number):
    return "net.l2tpc.Tunnel1.u" + number.replace("-", "")


def signal(to, name, signature, *arguments):
    bus.emit_signal(to, PATH, NAME, name, GLib.Variant(signature, arguments) if signature else None)


def say(state):
    global status
    status = dict(UP, state=state)
    bus.emit_signal(None, "/net/l2tpc/Tunnel1", "org.freedesktop.DBus.Properties",
                    "PropertiesChanged", GLib.Variant("(sa{sv}as)", (
                        "net.l2tpc.Tunnel1", {"State": GLib.Variant("s", state)}, [])))


def text_of(invocation, handle):
    fd = invocation.get_message().get_unix_fd_list().get(handle)
    text = os.pread(fd, 65536, 0).decode()
    os.close(fd)
    return text


def key_file(text):
    k = GLib.KeyFile()
    k.load_from_data(text, len(text.encode()), 0)
    return k


def value(text, group, key):
    try:
        return key_file(text).get_string(group, key)
    except GLib.Error:
        return ""


def begin(number, sender):
    say("dialing")
    daemon("RequestName", "(su)", tunnel_name(number), 4)
    tunnels[number] = sender
    if value(profiles[number], "vpn-secrets", "password") == "wonderland":
        say("up")
    else:
        signal(sender, "SecretsNeeded", "(suassb)", number, 7, ["password"], "", False)


def end(number, *error):
    sender = tunnels.pop(number)
    daemon("ReleaseName", "(s)", tunnel_name(number))
    signal(sender, "Ended", "(s(ssss))", number, error or ("", "", "", ""))


def store(number, text):
    old = profiles.get(number, "")
    if old and not value(text, "vpn-secrets", "password") and value(old, "vpn-secrets", "password"):
        k = key_file(text)
        k.set_string("vpn-secrets", "password", value(old, "vpn-secrets", "password"))
        text = k.to_data()[0]
    profiles[number] = text
    signal(None, "ProfilesChanged", None)


def serve(method, invocation, sender, a):
    if method == "ListProfiles":
        return GLib.Variant("(a(ssssas))", ([
            (n, value(t, "connection", "id"), value(t, "vpn", "gateway"), "own", [])
            for n, t in profiles.items()],))
    if method == "GetProfile":
        k = key_file(profiles[a[0]])
        if k.has_group("vpn-secrets"):
            k.remove_group("vpn-secrets")
        return GLib.Variant("(s)", (k.to_data()[0],))
    if method == "AddProfileByFd":
        number, text = str(uuid.uuid4()), text_of(invocation, a[0])
        k = key_file(text)
        k.set_string("connection", "uuid", number)
        store(number, k.to_data()[0])
        return GLib.Variant("(s)", (number,))
    if method == "UpdateProfileByFd":
        text = text_of(invocation, a[1])
        a.append(value(text, "vpn-secrets", "password"))
        store(a[0], text)
    elif method == "RemoveProfile":
        del profiles[a[0]]
        signal(None, "ProfilesChanged", None)
    elif method == "Connect":
        GLib.idle_add(begin, a[0], sender)
    elif method == "ProvideSecretsByFd":
        secret = text_of(invocation, a[2]["password"]) if a[2] else ""
        a.append(secret)
        if secret == "wonderland":
            GLib.idle_add(say, "up")
        else:
            GLib.idle_add(end, a[0], "ppp-auth", "ppp.auth.failed", "A sentence of the service.", "")
    elif method == "Disconnect":
        GLib.idle_add(end, a[0])
    return None


def on_call(connection, sender, path, interface, method, parameters, invocation):
    a = list(parameters.unpack())
    if method == fatal:
        print("died", flush=True)
        os._exit(0)
    if method == "GetLog":
        invocation.return_value(GLib.Variant("(a(tuss))", ([],)))
        return
    if interface == "net.l2tpc.Tunnel1":
        invocation.return_value(GLib.Variant("(s)", (json.dumps(status),)))
        return
    try:
        answer = serve(method, invocation, sender, a)
        print(json.dumps([method] + a), flush=True)
        invocation.return_value(answer)
    except KeyError:
        invocation.return_dbus_error(NAME + ".Error.NotFound", "There is no such connection.")


def export(name, path):
    with open(os.path.join(interfaces, name + ".xml")) as f:
        bus.register_object(path, Gio.DBusNodeInfo.new_for_xml(f.read()).interfaces[0], on_call,
                            lambda *a: GLib.Variant("as", []), None)


BRANCH = "0badcafe-0000-4000-8000-00000000b4a7"
if fatal:
    profiles[BRANCH] = """[connection]
id=Branch
uuid=%s
type=vpn
[vpn]
service-type=org.freedesktop.NetworkManager.l2tp
ipsec-enabled=yes
gateway=branch.example.com
%s""" % (BRANCH, "" if fatal == "ProvideSecretsByFd" else "[vpn-secrets]\npassword=wonderland\n")
status = UP
export(NAME, PATH)
export("net.l2tpc.Tunnel1", "/net/l2tpc/Tunnel1")
daemon("RequestName", "(su)", NAME, 4)
print("ready", flush=True)
loop.run()
