# SPDX-License-Identifier: LGPL-2.1-or-later
"""Profiles: l2tpc import, export, migrate, and connect by a profile's name."""
import os
import shutil
import subprocess

from suite import check
from bench import PASSWORD, PSK, SERVER, TOP, USER, Dial, objects
from common import bench, one_sentence, suite, usage

VECTORS = os.path.join(TOP, "tests", "vectors", "profile")

OLD = """[connection]
id={name}
uuid=5b9d1f9e-54e5-4a0f-8a9c-0d6b1f7f2a11
type=vpn
[vpn]
gateway={server}
user={user}
{more}
service-type=org.freedesktop.NetworkManager.l2tp
[vpn-secrets]
password={password}
ipsec-psk={psk}
[ipv4]
method=auto
"""


def folder():
    path = os.path.join(bench.folder, "profiles")
    os.makedirs(path, 0o700, exist_ok=True)
    return path


def env():
    return {"L2TPC_PROFILES_DIR": folder()}


def write(name, more="ipsec-enabled=yes", mode=0o600, server=SERVER):
    path = os.path.join(folder(), name + ".nmconnection")
    with open(path, "w") as f:
        f.write(OLD.format(name=name, server=server, user=USER, more=more, password=PASSWORD,
                           psk=PSK))
    os.chmod(path, mode)
    return path


def vector(name):
    return os.path.join(VECTORS, name)


@suite.case()
def import_wants_files():
    usage("import", words="Which file is to be imported?", env=env())
    usage("import", "/nonexistent", words="cannot be read", env=env())
    usage("import", "/", words="is not a file", env=env())
    usage("import", "--name", "../x", vector("office.onc"), words="cannot name", env=env())
    usage("import", "--to", words="needs a value", env=env())
    usage("import", "--fast", words="not an option", env=env())
    usage("import", *[vector("office.onc")] * 17, words="17 files are too many", env=env())
    code, out, err = bench.run("import", "--help", env=env())
    check(code == 0 and "rasphone" in out and not err, out + err)


@suite.case()
def import_refuses_foreign_files():
    for name, words in (("openvpn.ovpn", "an OpenVPN configuration"),
                        ("wireguard.conf", "a WireGuard configuration"),
                        ("ikev2.mobileconfig", "none over L2TP/IPsec"),
                        ("random.bin", "no file that holds"), ("empty", "is empty")):
        usage("import", vector("foreign/" + name), words=words, env=env())


@suite.case()
def import_writes_for_the_owner_alone():
    to = os.path.join(bench.folder, "imported")
    shutil.rmtree(to, ignore_errors=True)
    code, out, err = bench.run("import", vector("office.mobileconfig"), "--to", to, env=env())
    path = os.path.join(to, "Office.nmconnection")
    check(code == 0 and out.splitlines()[0] == path and not err, "%d %s%s" % (code, out, err))
    check("[weak.pap]" in out and "[import.aggressive]" in out and "Ng7x4t" not in out, out)
    check(os.stat(path).st_mode & 0o777 == 0o600, "mode %o" % os.stat(path).st_mode)
    check(os.stat(to).st_mode & 0o777 == 0o700, "mode %o" % os.stat(to).st_mode)
    with open(path) as f:
        text = f.read()
    check("ipsec-psk=Ng7x4tQzV9\n" in text and "net.l2tpc.policy=compatible\n" in text, text)
    code, out, err = bench.run("import", vector("office.mobileconfig"), "--to", to, env=env())
    check(code == 1 and "not overwritten" in err, out + err)
    code, out, err = bench.run("import", vector("office.onc"), "--to", to, "--name", "Second",
                               env=env())
    check(code == 0 and os.path.exists(os.path.join(to, "Second.nmconnection")), out + err)
    code, out, err = bench.run("import", vector("rasphone.pbk"), "--to", to, "--name", "x",
                               env=env())
    check(code == 2 and "2 connections" in one_sentence(err), out + err)


@suite.case()
def import_check_writes_nothing():
    to = os.path.join(bench.folder, "nothing")
    files = ["ipsec.conf", "ipsec.secrets", "xl2tpd.conf", "options.l2tpd.client", "chap-secrets"]
    code, out, err = bench.run("import", "--check", "--to", to, *[vector(f) for f in files],
                               env=env())
    check(code == 0 and out.startswith("office\n") and not err, out + err)
    check("leftupdown was not understood" in out and not os.path.exists(to), out)


@suite.case()
def export_keeps_secrets_back():
    path = write("office")
    code, out, err = bench.run("export", "office", "--to", "networkmanager", env=env())
    check(code == 0 and "gateway=" + SERVER in out and PSK not in out and PASSWORD not in out, out)
    check("The secrets were left out." in err, err)
    usage("export", "office", "--to", "apple", "--secrets", words="never printed", env=env())
    usage("export", "office", "--to", "vpnc", words="'vpnc' is not a format", env=env())
    usage("export", "office", words="Which profile, and to which format?", env=env())
    usage("export", "nobody", "--to", "onc", words="There is no profile 'nobody'", env=env())
    target = os.path.join(bench.folder, "office.onc")
    if os.path.exists(target):
        os.unlink(target)
    code, out, err = bench.run("export", path, "--to", "onc", "--out", target, "--secrets",
                               env=env())
    check(code == 0 and os.stat(target).st_mode & 0o777 == 0o600, out + err)
    with open(target) as f:
        check(PSK in f.read(), "no key")
    code, out, err = bench.run("export", path, "--to", "onc", "--out", target, env=env())
    check(code == 1 and "not overwritten" in err, err)
    several = os.path.join(bench.folder, "swan")
    shutil.rmtree(several, ignore_errors=True)
    code, out, err = bench.run("export", path, "--to", "swan", "--out", several, env=env())
    check(code == 0 and sorted(os.listdir(several)) ==
          ["ipsec.conf", "options.l2tpd.client", "xl2tpd.conf"], out + err)


@suite.case()
def migrate_tells_each():
    to = os.path.join(bench.folder, "connections")
    shutil.rmtree(to, ignore_errors=True)
    os.makedirs(to)
    for name, more in (("good", "ipsec-enabled=yes"), ("plain", ""), ("new", "ipsec-enabled=yes\n"
                                                                      "ipsec-ikev2=yes")):
        shutil.move(write(name, more), to)
    shutil.copy(vector("foreign/nm-wifi.nmconnection"), to)
    code, out, err = bench.run("migrate", "--check", "--from", to, env=env())
    check(code == 1 and not err, "%d %s" % (code, err))
    parts = {p.split()[0]: p for p in out.replace("\n  ", "\t").splitlines()}
    check(sorted(parts) == ["good", "new", "plain"], out)
    check("can be dialed as it is" in parts["good"] and "[weak.nm-l2tp-list]" in parts["good"], out)
    check("cannot be dialed" in parts["plain"] and "[profile.no-ipsec]" in parts["plain"], out)
    check("[profile.ikev2]" in parts["new"], out)
    check(PSK not in out and PASSWORD not in out, "a secret")
    usage("migrate", words="l2tpc migrate --check", env=env())
    code, out, err = bench.run("migrate", "--check", "--from", "/nonexistent", env=env())
    check(code == 1 and "cannot be read" in one_sentence(err), err)


@suite.case()
def connect_refuses_a_profile_before_any_packet():
    write("plain", "")
    usage("connect", "plain", words="L2TP without IPsec", env=env())
    write("ikev2", "ipsec-enabled=yes\nipsec-ikev2=yes")
    usage("connect", "ikev2", words="IKEv2", env=env())
    write("odd", "ipsec-enabled=yes\nmru=1400x")
    usage("connect", "odd", words="no whole number", env=env())
    write("huge", "ipsec-enabled=yes\ndomain=" + "a" * 900000)
    usage("connect", "huge", words="longer than 255 bytes", env=env())
    write("list", "ipsec-enabled=yes\nipsec-ike=nonsense")
    usage("connect", "list", words="nonsense", env=env())
    usage("connect", "nobody", words="There is no profile 'nobody'", env=env())
    usage("connect", "../office", words="cannot be read", env=env())
    usage("connect", ".office", words="cannot name a profile", env=env())
    path = write("open", mode=0o622)
    usage("connect", "open", words="can be changed by other users", env=env())
    usage("connect", path, words="can be changed by other users", env=env())
    usage("connect", vector("rasphone.pbk"), words="several connections", env=env())
    write("office")
    usage("connect", "office", "again", words="one word too many", env=env())


class ByProfile(Dial):
    """A connect whose settings come from a profile."""

    def __init__(self, *args):
        self.bench, self.json = bench, True
        self.out, self.err = (os.path.join(bench.folder, "profile." + n) for n in ("out", "err"))
        with open(self.out, "wb") as out, open(self.err, "wb") as err:
            self.process = bench.spawn(bench.command(["connect", *args, "--json"]),
                                       env=bench.environment(env()), stdin=subprocess.DEVNULL,
                                       stdout=out, stderr=err)


@suite.case()
def connect_by_a_profile():
    """An untouched old profile is dialed, with its own list, PAP allowed, secrets from the file."""
    write("Office VPN")
    peer = bench.peer(SERVER)
    try:
        dial = ByProfile("Office VPN", "--reconnect", "off").wait_up()
        state = [o for o in objects(dial.text()) if o.get("state") == "up"][-1]
        check(state["name"] == "Office-VPN", str(state.get("name")))
        check(state["ppp"]["user"] == USER if "user" in state.get("ppp", {}) else True, str(state))
        check(dial.stop() == 0, dial.told())
        told = dial.told()
        check(PSK not in told and PASSWORD not in told, "a secret was told")
    finally:
        bench.end(peer)


@suite.case()
def consent_to_pap_is_an_old_profiles():
    """A server that takes PAP alone is dialed by an untouched profile; by one of ours it is not."""
    peer = bench.peer(SERVER, "auth=pap")
    try:
        write("old")
        dial = ByProfile("old", "--no-memory").wait_up()
        check('"auth":"pap"' in dial.text().replace(" ", "").lower(), dial.told())
        check(dial.stop() == 0, dial.told())
        path = write("ours")
        with open(path, "a") as f:
            f.write("[user]\nnet.l2tpc.policy=compatible\n")
        dial = ByProfile("ours", "--no-memory")
        check(dial.wait_end(20) == 11 and dial.last()["error"]["code"] == "ppp.auth.weak",
              dial.told())
    finally:
        bench.end(peer)


@suite.case()
def command_line_goes_before_the_profile():
    write("office", "ipsec-enabled=yes\nipsec-ike=des-md5-modp768", server="192.0.2.77")
    usage("connect", "office", "--server", SERVER, words="one word too many", env=env())
    peer = bench.peer(SERVER)
    try:
        write("office", "ipsec-enabled=yes\nipsec-ike=des-md5-modp768")
        dial = ByProfile("office", "--policy", "compatible", "--name", "other").wait_up()
        state = [o for o in objects(dial.text()) if o.get("state") == "up"][-1]
        check(state["name"] == "other", str(state.get("name")))
        check(dial.stop() == 0, dial.told())
    finally:
        bench.end(peer)
