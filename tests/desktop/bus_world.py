# SPDX-License-Identifier: LGPL-2.1-or-later
"""A lab for the cases of tests/desktop/bus: that of tests/desktop/nm, with our names on its bus and a
polkit that says what a case wants."""
import json
import os
import re
import subprocess
import time

from nm_world import World, TOP
from suite import Failed, check, sabotaged

PREFIX = "net.l2tpc.Tunnel1"
PATH = "/net/l2tpc/Tunnel1"
SERVICE = "net.l2tpc.Service1"
SERVICE_PATH = "/net/l2tpc/Service1"

POLKIT = r'''
import dbus, dbus.mainloop.glib, dbus.service, sys
from gi.repository import GLib
dbus.mainloop.glib.DBusGMainLoop(set_as_default=True)
bus = dbus.SystemBus()
name = dbus.service.BusName("org.freedesktop.PolicyKit1", bus)
class Authority(dbus.service.Object):
    @dbus.service.method("org.freedesktop.PolicyKit1.Authority", in_signature="(sa{sv})sa{ss}us",
                         out_signature="(bba{ss})", async_callbacks=("reply", "error"))
    def CheckAuthorization(self, subject, action, details, flags, cancel, reply, error):
        with open("/run/s/polkit.log", "a") as f:
            f.write("%s\n" % action)
        with open("/run/s/allowed") as f:
            allowed = f.read().split()
        def say():
            reply((action in allowed, False, {}))
        if "slow" in allowed:  # as if a person thought about it
            GLib.timeout_add(4000, say)
        else:
            say()
a = Authority(bus, "/org/freedesktop/PolicyKit1/Authority")
GLib.MainLoop().run()
'''

DRIVER = r'''
import json, sys
from gi.repository import Gio, GLib
bus = Gio.bus_get_sync(Gio.BusType.SYSTEM)
def call(name, path, interface, member, signature, arguments, timeout=15000):
    v = GLib.Variant(signature, tuple(arguments)) if signature else None
    return bus.call_sync(name, path, interface, member, v, None, 0, timeout, None).unpack()
'''


class BusWorld(World):
    def up(self):
        why = super().up()
        if why:
            return why
        try:
            self.must(self.lab, "exec", "bash", "-eu", "-c", r'''
                install -d -m 755 /etc/dbus-1/system.d /run/s /usr/share/dbus-1/system-services
                install -m 644 "$1"/data/dbus/net.l2tpc.conf /etc/dbus-1/system.d/
                sed "s,^Exec=.*,Exec=$2/nm-plugin/service/nm-l2tpc-service --standalone --idle 3," \
                    "$2/nm-plugin/service/net.l2tpc.Service1.service" \
                    > /usr/share/dbus-1/system-services/net.l2tpc.Service1.service
                cat > /etc/dbus-1/system.d/mock.conf << X
<busconfig><policy user="root"><allow own="org.freedesktop.PolicyKit1"/></policy>
<policy context="default"><allow send_destination="org.freedesktop.PolicyKit1"/></policy></busconfig>
X
                (umask 077; printf labpsk123 > /run/s/psk; printf wonderland > /run/s/pw)
                dbus-send --system --print-reply --dest=org.freedesktop.DBus /org/freedesktop/DBus \
                    org.freedesktop.DBus.ReloadConfig > /dev/null
            ''', "install", TOP, self.ours())
            self.allow()
            self.start("/usr/bin/python3", "-c", POLKIT)
            self.wait(lambda: "org.freedesktop.PolicyKit1" in self.names(), "the mock of polkit")
        except Failed as e:
            return e
        return None

    def allow(self, *actions):
        self.must(self.lab, "exec", "sh", "-c", 'echo "$*" > /run/s/allowed', "sh", *actions)

    def start(self, *command):
        """In the background of the lab; ends with it at the latest."""
        return subprocess.Popen([self.lab, "exec"] + list(command), stdin=subprocess.DEVNULL,
                                stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)

    def wait(self, condition, what, seconds=10):
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            if condition():
                return
            time.sleep(0.1)
        raise Failed("%s did not come within %d s" % (what, seconds))

    def names(self):
        out = self.run("busctl", "call", "org.freedesktop.DBus", "/org/freedesktop/DBus",
                       "org.freedesktop.DBus", "ListNames")
        return re.findall(r'"([^"]*)"', out.stdout)

    def tunnels(self):
        return [n for n in self.names() if n.startswith(PREFIX)]

    def python(self, code, user=False, timeout=40, meanwhile=None):
        """What the code, in which call() and bus stand, prints as JSON; `meanwhile` is called when it
        has been running for a second."""
        p = subprocess.Popen([self.lab, "user" if user else "exec", "/usr/bin/python3", "-"],
                             stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                             text=True)
        try:
            p.stdin.write(DRIVER + code)
            p.stdin.close()
            p.stdin = None
            if meanwhile:
                time.sleep(1)
                meanwhile()
            out, said = p.communicate(timeout=timeout)
        finally:
            p.kill()
        if p.returncode != 0:
            raise Failed(said.strip().split("\n")[-1])
        return json.loads(out)

    def top(self):
        return TOP

    def locale_dir(self):
        """Where the service's build looks for its translations; the lab's own /usr."""
        out = subprocess.run(["meson", "introspect", "--buildoptions", self.ours()],
                             capture_output=True, text=True, check=True).stdout
        options = {o["name"]: o["value"] for o in json.loads(out)}
        return os.path.join(options["prefix"], options["localedir"])

    def ask(self, member, signature="", arguments=(), user=False, name=None, interface=PREFIX):
        return self.python("print(json.dumps(call(%r, %r, %r, %r, %r, %r)))" % (
            name or self.tunnels()[0], PATH, interface, member,
            "(%s)" % signature if signature else "", list(arguments)), user)

    def refused(self, why, *args, **more):
        try:
            self.ask(*args, **more)
        except Failed as e:
            check(why in str(e), "it was refused otherwise: %s" % e)
            return
        raise Failed("it was not refused")

    def properties(self, user=False):
        return self.ask("GetAll", "s", [PREFIX], user, interface="org.freedesktop.DBus.Properties")[0]

    def serve(self, member, signature="", arguments=(), user=True):
        return self.python("print(json.dumps(call(%r, %r, %r, %r, %r, %r)))" % (
            SERVICE, SERVICE_PATH, SERVICE, member, "(%s)" % signature if signature else "",
            list(arguments)), user)

    def l2tpc(self, *args, user=False):
        return self.call(self.lab, "user" if user else "exec",
                         os.path.join(self.ours(), "libl2tpc", "cli", "l2tpc"), *args)

    def dial(self):
        args = ["connect", "--server", "10.99.1.1", "--user", "alice", "--psk-file", "/run/s/psk",
                "--password-file", "/run/s/pw", "--name", "office"]
        process = self.start(os.path.join(self.ours(), "libl2tpc", "cli", "l2tpc"), *args)
        self.wait(lambda: "office: up" in self.l2tpc("status", "office").stdout, "the tunnel", 20)
        return process

    def hang_up(self, process):
        self.l2tpc("disconnect", "office")
        process.wait(timeout=10)
