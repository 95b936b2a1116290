# SPDX-License-Identifier: LGPL-2.1-or-later
"""The dialog for secrets, and a desktop session of an unprivileged user beside a NetworkManager of
its own: cases of tests/desktop/nm."""
import json
import os
import re
import subprocess
import time

from suite import Skip, Failed, check, sabotaged
import nm_files

HERE = os.path.dirname(os.path.abspath(__file__))
RULE = ('polkit.addRule(function(a,s){ if (a.id.indexOf("org.freedesktop.NetworkManager.")==0) '
        'return "yes"; });')
SERVICE = "org.freedesktop.NetworkManager.l2tp"


class Session:
    """nm-lab with polkit, and gui-lab in it."""

    def __init__(self, world):
        self.world = world
        self.folder = "%s/%s-ed" % (os.environ["LAB_WORK"], os.environ["LAB_NS"])
        self.gui_folder = "/tmp/%s-ed-gui" % os.environ["LAB_NS"]  # the user must get there
        self.env = dict(os.environ, NML_TAG="ed", NML_POLKIT="1", NML_DIR=self.folder, GUIL_NM="1",
                        GUIL_DIR=self.gui_folder, GUIL_SIZE="1000x900x24")
        self.gui = os.path.join(HERE, "gui-lab")

    def call(self, *args, timeout=60, check_rc=True):
        out = subprocess.run(args, env=self.env, capture_output=True, text=True, errors="replace",
                             timeout=timeout, stdin=subprocess.DEVNULL)
        if check_rc and out.returncode != 0:
            raise Failed("%s: %s" % (" ".join(args), out.stderr or out.stdout))
        return out.stdout

    def root(self, *args, **more):
        return self.call(self.world.lab, "exec", *args, **more)

    def __enter__(self):
        self.__exit__()
        try:
            self.up()
        except BaseException:
            self.__exit__()
            raise
        return self

    def up(self):
        self.call(self.world.lab, "up", "239")
        if not sabotaged():
            self.call(self.world.lab, "install", self.world.ours())
        self.root("sh", "-c", "mkdir -p /etc/polkit-1/rules.d && cat > /etc/polkit-1/rules.d/10-lab"
                  ".rules << 'X'\n%s\nX" % RULE)
        self.call(self.gui, "up")
        # an unlocked keyring first, or agents wait for its own prompt
        self.call(self.gui, "exec", "sh", "-c",
                  "printf 'x\\n' | gnome-keyring-daemon --unlock --components=secrets > /dev/null")

    def __exit__(self, *_):
        self.call(self.gui, "down", check_rc=False)
        self.call(self.world.lab, "down", check_rc=False)

    def start(self, *args):
        subprocess.run([self.gui, "bg", self.gui_folder + "/log/program", *args], env=self.env,
                       stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, timeout=20)

    def drive(self, command):
        """One command to what a screen reader sees of the window."""
        out = subprocess.run([self.gui, "exec", "/usr/bin/python3", os.path.join(HERE, "gui", "driver.py")],
                             env=self.env, text=True, capture_output=True, timeout=60,
                             input=json.dumps(dict({"app": "l2tpc-gui"}, **command)) + "\n")
        check(out.returncode == 0, "driver: " + out.stderr)
        said = json.loads(out.stdout)
        check(said.get("value"), "%s: %s" % (command, said))
        return said["value"]

    def x(self, *args, timeout=30):
        with open(self.gui_folder + "/display") as f:
            display = ":" + f.read().strip()
        out = subprocess.run(["xdotool", *args], env=dict(os.environ, DISPLAY=display), text=True,
                             capture_output=True, timeout=timeout)
        return out.stdout.strip()

    def window(self, title):
        found = self.x("search", "--sync", "--onlyvisible", "--name", title).splitlines()
        check(found, "no window '%s'" % title)
        time.sleep(1)
        return found[0]

    def shot(self, name):
        self.call(self.gui, "shot", os.path.join(os.environ["LAB_WORK"], name + ".png"))

    def click(self, window, from_right, from_bottom):
        size = re.search(r"Geometry: (\d+)x(\d+)", self.x("getwindowgeometry", window))
        self.x("mousemove", "--window", window, str(int(size[1]) - from_right),
               str(int(size[2]) - from_bottom), "click", "1")


def ask_dialog(world, data, secrets, *args):
    """The dialog in external UI mode: {secret: {field: value}}, and the description."""
    said = "".join("DATA_KEY=%s\nDATA_VAL=%s\n" % p for p in data.items())
    said += "".join("SECRET_KEY=%s\nSECRET_VAL=%s\n" % p for p in secrets.items())
    out = world.call(os.path.join(world.ours(), "nm-plugin", "auth-dialog", "nm-l2tpc-auth-dialog"),
                     "-u", "7f1b6a2e-3c1d-4d8e-9a43-0a1d2f4c5b6e", "-n", "Office", "-s", SERVICE,
                     *args, input=said + "DONE\nQUIT\n", timeout=20)
    check(out.returncode == 0, "the dialog failed: " + out.stderr)
    groups = {}
    for (group, key), value in nm_files.groups(out.stdout).items():
        groups.setdefault(group.strip("[]"), {})[key] = value
    return groups, out.stdout


# Of a connection's data and secrets, with these arguments: which are asked for, which handed on.
DIALOG = [
    ("nothing is kept", {}, {}, [], {"password", "ipsec-psk"}, set()),
    ("all is kept", {}, {"password": "p", "ipsec-psk": "k"}, [], set(), {"password", "ipsec-psk"}),
    ("the password was wrong", {}, {"password": "p", "ipsec-psk": "k"}, ["-r", "-t", "password"],
     {"password"}, set()),
    ("so, without -r", {}, {"password": "p", "ipsec-psk": "k"}, ["-t", "password"], {"password"},
     set()),
    ("the key was wrong", {}, {"password": "p", "ipsec-psk": "k"}, ["-t", "ipsec-psk"],
     {"ipsec-psk"}, set()),
    ("a certificate", {"machine-auth-type": "tls"}, {}, [], {"password"}, set()),
    ("a locked key or a token", {"machine-auth-type": "tls"}, {}, ["-t", "machine-certpass"],
     {"machine-certpass"}, set()),
    ("a one-time code", {}, {"password": "p"}, ["-t", "one-time-code"], {"one-time-code"}, set()),
    ("a new password", {}, {"password": "p"}, ["-t", "new-password"], {"new-password"}, set()),
    ("a password that is not needed", {"password-flags": "4"}, {"ipsec-psk": "k"}, [], set(),
     {"ipsec-psk"}),
    ("an old profile", {"ipsec-psk": "k"}, {"password": "p"}, [], set(), {"password", "ipsec-psk"}),
]


def add_cases(suite, world):
    @suite.case()
    def dialog_tells_what_to_ask():
        for what, data, secrets, args, asked, kept in DIALOG:
            groups, said = ask_dialog(world, dict(data, gateway="vpn.example.com"), secrets, "-i",
                                      "--external-ui-mode", *args)
            got = {k for k, v in groups.items() if v.get("ShouldAsk") == "true"}
            rest = {k for k, v in groups.items() if v.get("ShouldAsk") == "false"} - {"no-secret"}
            check(got == asked and rest == kept, "%s: asks for %s, has %s" % (what, got, rest))
        groups, said = ask_dialog(world, {"gateway": "x"}, {}, "-i", "--external-ui-mode", "-t",
                                  "x-vpn-message:The server refused it.", "-t", "password")
        check(groups["VPN Plugin UI"]["Description"] == "The server refused it.", said)
        groups, said = ask_dialog(world, {"gateway": "x"}, {}, "--external-ui-mode")
        check(groups["password"]["ShouldAsk"] == "false", "asks though it may not: " + said)

    @suite.case()
    def dialog_gives_what_is_kept():
        _, said = ask_dialog(world, {"gateway": "x"}, {"password": "p w", "ipsec-psk": "k"})
        check(said == "password\np w\nipsec-psk\nk\n\n\n", repr(said))

    @suite.case()
    def connection_editor_opens_edits_and_saves():
        with Session(world) as s:
            s.root("nmcli", "connection", "import", "type", "l2tp", "file",
                   os.path.join(nm_files.VECTORS, "every-key.nmconnection"))
            show = ("nmcli", "-e", "no", "-g", "vpn.data", "connection", "show", "Every key; of 1.20")
            before = set(s.root(*show).strip().split(", "))
            s.start("nm-connection-editor", "--edit=7f1b6a2e-3c1d-4d8e-9a43-0a1d2f4c5b6e")
            window = s.window("Editing")
            s.x("key", "alt+u", "key", "ctrl+a", "type", "bob")
            time.sleep(.5)
            s.shot("connection-editor")
            s.click(window, 45, 25)
            for _ in range(50):
                after = set(s.root(*show).strip().split(", "))
                if "user = bob" in after:
                    break
                time.sleep(.1)
            check(after == before - {"user = alice"} | {"user = bob"},
                  "changed: %s" % sorted(before ^ after))

    @suite.case()
    def applet_types_the_secrets():
        with Session(world) as s:
            s.root("nmcli", "connection", "add", "type", "vpn", "vpn-type", "l2tp", "con-name", "Lab",
                   "--", "vpn.data", "gateway=10.99.1.1, user=alice, password-flags=2, "
                   "ipsec-enabled=yes, ipsec-psk-flags=2", "ipv6.method", "disabled")
            s.start("nm-applet")
            time.sleep(2)
            path = re.search(r"^(\S+):Lab$", s.root("nmcli", "-g", "DBUS-PATH,NAME", "connection",
                                                    "show"), re.M)[1]
            # not nmcli: it registers an agent of its own, which would be asked first
            s.call(s.gui, "exec", "gdbus", "call", "--system", "-d", "org.freedesktop.NetworkManager",
                   "-o", "/org/freedesktop/NetworkManager", "-m",
                   "org.freedesktop.NetworkManager.ActivateConnection", path, "/", "/")
            s.window("Authenticate VPN")
            s.shot("agent")
            s.x("type", "wonderland")
            s.x("key", "Tab")
            s.x("type", "labpsk123")
            s.x("key", "Return")
            for _ in range(100):
                active = s.root("nmcli", "-t", "-f", "NAME,STATE", "connection", "show", "--active")
                if "Lab:activated" in active:
                    break
                time.sleep(.1)
            check("Lab:activated" in active, "not connected: %s\n%s" % (
                active, s.call(world.lab, "logs", "l2tpc|vpn", check_rc=False)[-1500:]))

    @suite.case()
    def window_dials_and_shows_the_proof():
        program = os.path.abspath(os.path.join(world.ours(), "gui", "l2tpc-gui"))
        if not os.path.exists(program):
            raise Skip("built without the window")
        with Session(world) as s:
            s.root("nmcli", "connection", "add", "type", "vpn", "vpn-type", "l2tp", "con-name", "Lab",
                   "--", "vpn.data", "gateway=10.99.1.1, user=alice, password-flags=0, "
                   "ipsec-enabled=yes, ipsec-psk-flags=0", "vpn.secrets",
                   "password=wonderland, ipsec-psk=labpsk123", "ipv6.method", "disabled")
            s.start(program)
            s.drive({"do": "click", "role": "push button", "name": "Connect", "within": 8})
            s.drive({"do": "find", "name": "This is L2TP inside IPsec", "within": 15})
            active = s.root("nmcli", "-t", "-f", "NAME,STATE", "connection", "show", "--active")
            check("Lab:activated" in active, "NetworkManager knows nothing of it: " + active)
            s.shot("window")
            s.drive({"do": "click", "role": "push button", "name": "Disconnect"})
            s.drive({"do": "find", "role": "push button", "name": "Connect", "within": 5})
            check("Lab" not in s.root("nmcli", "-t", "-f", "NAME", "connection", "show", "--active"),
                  "it is still connected")

    @suite.case()
    def window_outlives_networkmanager():
        """It is killed in the middle of a dial, and beneath a tunnel that is shown."""
        program = os.path.abspath(os.path.join(world.ours(), "gui", "l2tpc-gui"))
        if not os.path.exists(program):
            raise Skip("built without the window")
        with Session(world) as s:
            s.root("nmcli", "connection", "add", "type", "vpn", "vpn-type", "l2tp", "con-name", "Lab",
                   "--", "vpn.data", "gateway=10.99.1.1, user=alice, password-flags=0, "
                   "ipsec-enabled=yes, ipsec-psk-flags=0", "vpn.secrets",
                   "password=wonderland, ipsec-psk=labpsk123", "ipv6.method", "disabled")
            s.start(program)
            for moment in ("dialing", "connected"):
                s.drive({"do": "click", "role": "push button", "name": "Connect", "within": 15})
                if moment == "connected":
                    s.drive({"do": "find", "name": "This is L2TP inside IPsec", "within": 15})
                s.root("sh", "-c", "kill -9 $(cat /run/nm.pid)")
                s.drive({"do": "find", "name": "NetworkManager is not running.", "within": 5})
                if moment == "connected":
                    s.shot("networkmanager-gone")
                s.call(world.lab, "restart-nm")
            s.drive({"do": "find", "role": "push button", "name": "Connect", "within": 15})
            with open(s.gui_folder + "/log/program") as f:
                said = f.read()
            check("CRITICAL" not in said, said)

    @suite.case()
    def editor_for_gtk4_opens_and_saves():
        host = "/tmp/%s-editor-host" % os.environ["LAB_NS"]
        flags = world.must("pkg-config", "--cflags", "--libs", "libnm", "gtk4").split()
        world.must("cc", "-o", host, os.path.join(HERE, "host", "editor_host.c"), *flags)
        try:
            with Session(world) as s:
                s.start(host, os.path.join(world.ours(), "nm-plugin", "editor-plugin",
                                           "libnm-vpn-plugin-l2tpc.so"),
                        os.path.join(nm_files.VECTORS, "every-key.nmconnection"))
                s.window("Editing")
                s.x("key", "alt+u", "key", "ctrl+a", "type", "bob")
                s.x("key", "alt+d")
                time.sleep(1)
                s.shot("editor-gtk4")
                s.x("key", "alt+s")
                time.sleep(1)
                with open(s.gui_folder + "/log/program") as f:
                    said = f.read()
                check("'user': 'bob'" in said and "'unit': '7'" in said, "saved: " + said)
        finally:
            os.unlink(host)


class Screen(Session):
    """The session alone, beside the NetworkManager and the bus that the lab has already."""

    def __init__(self, world):
        super().__init__(world)
        self.env = dict(os.environ, NML_DIR=world.folder, GUIL_NM="1", GUIL_DIR=self.gui_folder,
                        GUIL_SIZE="1000x900x24")

    def up(self):
        self.call(self.gui, "up")

    def __exit__(self, *_):
        self.call(self.gui, "down", check_rc=False)
