# SPDX-License-Identifier: LGPL-2.1-or-later
"""Cases of tests/desktop/bus: what net.l2tpc.Service1 tells and lets do whom, and what it keeps."""
import base64
import time

from suite import Failed, check, sabotaged

SERVICE = "net.l2tpc.Service1"
UUID = "6f6c7570-6c69-4e6b-8000-0000000000%02x"
CALL = '"net.l2tpc.Service1", "/net/l2tpc/Service1", "net.l2tpc.Service1"'


def keyfile(number, name="shared", server="10.99.1.1", data="", permissions=""):
    return """[connection]
id=%s
uuid=%s
type=vpn
permissions=%s

[vpn]
service-type=org.freedesktop.NetworkManager.l2tp
gateway=%s
user=alice
ipsec-enabled=yes
%s
""" % (name, UUID % number, permissions, server, data)


def add(world, number, owner="system", **more):
    """As root; the UUID, which of a profile of the computer is the one that was asked for."""
    return world.serve("AddProfile", "ss", [keyfile(number, **more), owner], user=False)[0]


def refused(why, call):
    try:
        call()
    except Failed as e:
        check(why in str(e) and not sabotaged(), "refused otherwise: %s" % e)
        return
    raise Failed("it was not refused")


def service(world):
    """The process that has the bus's name."""
    out = world.run("busctl", "call", "org.freedesktop.DBus", "/org/freedesktop/DBus",
                    "org.freedesktop.DBus", "GetConnectionUnixProcessID", "s", SERVICE)
    return out.stdout.split()[-1]


def cases(suite, world):
    @suite.case()
    def an_update_keeps_an_old_key():
        """One that NetworkManager-l2tp keeps among the data, which nobody is shown."""
        uuid = add(world, 1, data="ipsec-psk=labpsk123")
        text = world.serve("GetProfile", "s", [uuid], user=False)[0]
        check("labpsk" not in text and "gateway" in text, text)
        if not sabotaged():
            world.serve("UpdateProfile", "ss", [uuid, text.replace("alice", "bob")], user=False)
        kept = world.run("cat", "/etc/l2tpc/profiles/%s.nmconnection" % uuid).stdout
        check("user=bob" in kept and "labpsk123" in kept, "the key is gone")
        world.serve("RemoveProfile", "s", [uuid], user=False)

    @suite.case()
    def a_shared_connection_is_not_told_to_everybody():
        world.allow()
        mine, theirs = add(world, 2, permissions="user:nobody:;"), add(world, 3)
        said = {p[0]: p for p in world.serve("ListProfiles")[0]}
        check(said[mine][1:3] == ["shared", "10.99.1.1"], "not told to its user: %s" % said)
        check(said[theirs][1:3] == (["", ""] if not sabotaged() else ["shared"]), said)
        check("alice" in world.serve("GetProfile", "s", [mine])[0], "the keyfile of one's own")
        refused("NotAuthorized", lambda: world.serve("GetProfile", "s", [theirs]))
        world.allow("net.l2tpc.view-details")
        said = {p[0]: p for p in world.serve("ListProfiles")[0]}
        check(said[theirs][1:3] == ["shared", "10.99.1.1"], "polkit was not believed")
        check("alice" in world.serve("GetProfile", "s", [theirs])[0], "nor for the keyfile")
        for uuid in (mine, theirs):
            world.serve("RemoveProfile", "s", [uuid], user=False)

    @suite.case()
    def who_started_it_may_see_and_end_it():
        """A connection of the computer, whose files root opens."""
        world.allow("net.l2tpc.connect")
        uuid = add(world, 4)
        world.serve("Connect", "sa{ss}", [uuid, {"psk": "labpsk123", "password": "wonderland"}])
        world.wait(lambda: world.tunnels(), "the object")
        world.wait(lambda: world.properties()["State"] == "up", "up", 20)
        check(world.properties(user=True)["IdentityShown"] is not sabotaged(), "hidden from its starter")
        world.ask("Disconnect", user=True)
        world.wait(lambda: not world.tunnels(), "the end")
        world.serve("RemoveProfile", "s", [uuid], user=False)

    @suite.case()
    def secrets_are_whole_or_refused():
        """Longer than 512 bytes: a sentence, and the question stays. Base64 is what stands behind it."""
        world.allow("net.l2tpc.connect")
        uuid = add(world, 5)
        out = world.python("""
loop, seen = GLib.MainLoop(), []
def give(request, table):
    try:
        call(%s, "ProvideSecrets", "(sua{ss})", [uuid, request, table])
        seen.append("taken")
    except GLib.Error as e:
        seen.append(e.message.split(":")[1].split(".")[-1])
def on(c, sender, path, interface, signal, v):
    if signal != "SecretsNeeded":
        return loop.quit()
    seen.append(v[2][0])
    if v[2] == ["psk"]:
        give(v[1], {"psk": "x" * 513})
        give(v[1], {"psk": "0s*"})
        give(v[1], {"password": "wonderland"})
        give(v[1], {"psk": %r})
    else:
        give(v[1], {"password": "x" * 513})
        give(v[1], {"password": "wonderland"})
uuid = %r
bus.signal_subscribe("net.l2tpc.Service1", "net.l2tpc.Service1", None, None, None, 0, on)
call(%s, "Connect", "(sa{ss})", [uuid, {}])
def look():
    try:
        if call("net.l2tpc.Tunnel1.u" + uuid.replace("-", ""), "/net/l2tpc/Tunnel1",
                "org.freedesktop.DBus.Properties", "Get", "(ss)", ["net.l2tpc.Tunnel1", "State"])[0] == "up":
            seen.append("up")
            call(%s, "Disconnect", "(s)", [uuid])
            return False
    except GLib.Error:
        pass
    return True
GLib.timeout_add(200, look)
GLib.timeout_add_seconds(20, loop.quit)
loop.run()
print(json.dumps(seen))""" % (CALL, "0s" + base64.b64encode(b"labpsk123").decode(), uuid, CALL, CALL),
                           user=True)
        want = ["psk", "Invalid", "Invalid", "Invalid", "taken", "password", "Invalid", "taken", "up"]
        check(out == (want if not sabotaged() else []), out)
        world.serve("RemoveProfile", "s", [uuid], user=False)

    @suite.case()
    def one_account_leaves_room_for_others():
        """Its calls wait for polkit, where a person may be asked; its tunnels for a dead server."""
        world.allow("net.l2tpc.connect")
        mine = [world.serve("AddProfile", "ss", [keyfile(6, server="10.99.1.77"), "own"])[0]
                for _ in range(5)]
        code = """
out = []
for uuid in %r:
    try:
        call(%s, "Connect", "(sa{ss})", [uuid, {"psk": "a", "password": "b"}])
        out.append("taken")
    except GLib.Error as e:
        out.append(e.message.split(":")[1].split(".")[-1])
for uuid in %r[:4]:
    call(%s, "Disconnect", "(s)", [uuid])
print(json.dumps(out))"""
        out = world.python(code % (mine, CALL, mine, CALL), user=True)
        check(out == ["taken"] * 4 + ["Busy"], "tunnels: %s" % out)
        world.allow("slow", "net.l2tpc.connect")
        out = world.python("""
import subprocess
replies, loop = [], GLib.MainLoop()
def done(b, result):
    try:
        b.call_finish(result)
        replies.append("taken")
    except GLib.Error as e:
        replies.append(e.message.split(":")[1].split(".")[-1])
for i in range(40):
    bus.call(%s, "Connect", GLib.Variant("(sa{ss})", ("none", {})), None, 0, 15000, None, done)
GLib.timeout_add(1500, loop.quit)
loop.run()
print(json.dumps([replies.count("Busy"), len(replies)]), flush=True)
GLib.timeout_add(4000, loop.quit)
loop.run()""" % CALL, user=True, meanwhile=lambda: check(
            world.serve("ListProfiles", user=False) == [[]], "root was not served"))
        check(out == ([24, 24] if not sabotaged() else []), "calls: %s" % out)
        world.allow()
        for uuid in mine:
            world.serve("RemoveProfile", "s", [uuid])

    @suite.case()
    def a_secret_in_a_memfd_leaves_no_copy():
        world.allow("net.l2tpc.connect")
        uuid = add(world, 7)
        world.python("""
import os
fds = Gio.UnixFDList.new()
table = {}
for kind, secret in (("psk", b"labpsk123"), ("password", b"wonder" + b"land")):
    fd = os.memfd_create(kind)
    os.write(fd, secret)
    table[kind] = fds.append(fd)
bus.call_with_unix_fd_list_sync(%s, "ConnectByFd", GLib.Variant("(sa{sh})", (%r, table)), None, 0, 15000,
                                fds, None)
r, w = os.pipe()
fds = Gio.UnixFDList.new()
try:
    bus.call_with_unix_fd_list_sync(%s, "AddProfileByFd", GLib.Variant("(hs)", (fds.append(r), "own")),
                                    None, 0, 3000, fds, None)
except GLib.Error as e:
    print(json.dumps(e.message.split(":")[1]))""" % (CALL, uuid, CALL), user=True)
        world.wait(lambda: world.tunnels() and world.properties()["State"] == "up", "up", 20)
        found = world.python("""
import re
found = []
with open("/proc/%s/maps") as maps, open("/proc/%s/mem", "rb", 0) as mem:
    for line in maps:
        m = re.match(r"([0-9a-f]+)-([0-9a-f]+) rw", line)
        if not m:
            continue
        try:
            mem.seek(int(m[1], 16))
            bytes = mem.read(int(m[2], 16) - int(m[1], 16))
        except OSError:
            continue
        found += [[w.decode(), line.split()[-1]] for w in (b"labpsk" b"123", b"wonder" b"land", %s)
                  if w in bytes]
print(json.dumps(found))""" % (service(world), service(world),
                             "b'never there'" if not sabotaged() else "b'net.l2tpc'"))
        check(found == [], "in its memory: %s" % found)
        world.serve("Disconnect", "s", [uuid], user=False)
        world.wait(lambda: not world.tunnels(), "the end")
        world.serve("RemoveProfile", "s", [uuid], user=False)

    @suite.case()
    def a_starter_that_stands_still_holds_nobody():
        """Its own dial does not begin; Disconnect still ends it, and the bus goes on."""
        world.allow("net.l2tpc.connect")
        uuid = add(world, 8)
        parent = service(world)
        starter = world.run("ps", "-o", "pid=", "--ppid", parent).stdout.split()[0]
        if not sabotaged():
            world.run("kill", "-STOP", starter)
        try:
            world.serve("Connect", "sa{ss}", [uuid, {"psk": "labpsk123", "password": "wonderland"}])
            time.sleep(2 if sabotaged() else 0.3)
            check(world.properties()["State"] == "dialing" and world.properties()["Stage"] == "",
                  "it dials without its starter")
            world.serve("Disconnect", "s", [uuid])
            world.wait(lambda: not world.tunnels(), "the end", 3)
        finally:
            world.run("kill", "-CONT", starter)
        world.serve("RemoveProfile", "s", [uuid], user=False)

    @suite.case()
    def an_engine_that_stands_still_delays_nobody():
        """Its own status comes from what it said last; the service and the command wait for none of it."""
        world.allow("net.l2tpc.connect")
        uuid = add(world, 10)
        world.serve("Connect", "sa{ss}", [uuid, {"psk": "labpsk123", "password": "wonderland"}])
        world.wait(lambda: world.tunnels() and world.properties()["State"] == "up", "up", 20)
        engine = world.run("pgrep", "-x", "l2tpc-engine").stdout.split()
        world.run("kill", "-STOP", *engine)
        try:
            out = world.python("""
import time
def timed(*what):
    began = time.monotonic()
    said = call(*what)
    return int((time.monotonic() - began) * 1000), said
tunnel = "net.l2tpc.Tunnel1.u" + %r.replace("-", "")
get = [tunnel, "/net/l2tpc/Tunnel1", "org.freedesktop.DBus.Properties", "Get", "(ss)"]
time.sleep(0.2)
pending = []
bus.call(tunnel, "/net/l2tpc/Tunnel1", "net.l2tpc.Tunnel1", "GetStatus", None, None, 0, 15000, None,
         lambda b, r: pending.append(b.call_finish(r).unpack()[0]))
service = max(timed(%s, "ListProfiles", None, [])[0] for i in range(5))
all = [timed(tunnel, "/net/l2tpc/Tunnel1", "net.l2tpc.Tunnel1", "GetStatus", None, [])[0] for i in range(5)]
time.sleep(1)
age = timed(*get, ["net.l2tpc.Tunnel1", "StatusAgeMs"])[1][0]
state = timed(*get, ["net.l2tpc.Tunnel1", "State"])[1][0]
print(json.dumps([service, sum(all), age, state]))""" % (uuid, CALL))
        finally:
            world.run("kill", "-CONT", *engine)
        service_ms, sum_ms, age, state = out
        check(service_ms < (600 if not sabotaged() else -1), "the service waited %d ms" % service_ms)
        check(sum_ms < 2000, "five calls for the status took %d ms" % sum_ms)
        check(1000 < age < 10000 and state == "up", "said: %s" % out)
        world.wait(lambda: world.properties()["StatusAgeMs"] < 300, "a fresh status")
        world.serve("Disconnect", "s", [uuid], user=False)
        world.wait(lambda: not world.tunnels(), "the end")
        world.serve("RemoveProfile", "s", [uuid], user=False)

    @suite.case()
    def new_keys_and_the_log():
        """Of the command and of the service: keys change on demand, and the engine's log has levels."""
        world.allow("net.l2tpc.connect")
        uuid = add(world, 11)
        for dial in (True, False):
            p = world.dial() if dial else None
            if not dial:
                world.serve("Connect", "sa{ss}", [uuid, {"psk": "labpsk123", "password": "wonderland"}])
                world.wait(lambda: world.tunnels() and world.properties()["State"] == "up", "up", 20)
            before = world.properties()["EspSpiOut"]
            if not sabotaged():
                world.ask("Rekey", user=not dial)
            world.wait(lambda: world.properties()["EspSpiOut"] != before, "other keys", 5)
            lines = world.ask("GetLog", "t", [0])[0]
            said = {(level, module) for _, level, module, _ in lines}
            check({(2, "ike"), (3, "l2tp"), (2, "ppp"), (2, "tunnel")} <= said, "the log: %s" % lines)
            check("new keys" in [line for _, _, _, line in lines], "the log does not tell of it")
            check(world.ask("GetLog", "t", [lines[-1][0]])[0] == [], "lines come twice")
            if dial:
                world.hang_up(p)
            else:
                world.serve("Disconnect", "s", [uuid])
            world.wait(lambda: not world.tunnels(), "the end")
        world.serve("RemoveProfile", "s", [uuid], user=False)

    @suite.case()
    def sentences_are_in_the_callers_language():
        world.allow("net.l2tpc.connect")
        uuid = add(world, 9)
        made = world.run("sh", "-ec", """
            localedef --no-archive -i de_DE -f UTF-8 de_DE.UTF-8 > /dev/null 2>&1 || locale -a | grep -q de_DE
            mkdir -p "$2"/de/LC_MESSAGES
            msgfmt -o "$2"/de/LC_MESSAGES/l2tpc.mo "$1"/po/de.po""", "sh", world.top(),
                         world.locale_dir())
        check(made.returncode == 0, "no German in the lab: " + made.stderr)
        out = world.python("""
loop, seen = GLib.MainLoop(), []
for bad in ("../../etc", "xx_YY", "x" * 100):
    try:
        call(%s, "SetLocale", "(s)", [bad])
    except GLib.Error as e:
        seen.append(e.message.split(":")[1].split(".")[-1])
call(%s, "SetLocale", "(s)", [%r])
def on(c, sender, path, interface, signal, v):
    seen.append(v[1][2])
    loop.quit()
bus.signal_subscribe("net.l2tpc.Service1", "net.l2tpc.Service1", "Ended", None, None, 0, on)
call(%s, "Connect", "(sa{ss})", [%r, {"psk": "labpsk123", "password": "wrong"}])
GLib.timeout_add_seconds(20, loop.quit)
loop.run()
print(json.dumps(seen))""" % (CALL, CALL, "de_DE.UTF-8" if not sabotaged() else "C.UTF-8", CALL, uuid),
                           user=True)
        check(out[:3] == ["NotFound"] * 3 and "hat Benutzernamen und" in out[3], out)
        world.serve("RemoveProfile", "s", [uuid], user=False)
