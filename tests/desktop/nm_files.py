# SPDX-License-Identifier: LGPL-2.1-or-later
"""Import and export through nmcli: cases of tests/desktop/nm that need no server."""
import os
import re
import tempfile
import time

from suite import check

HERE = os.path.dirname(os.path.abspath(__file__))
VECTORS = os.path.join(os.path.dirname(HERE), "vectors", "profile")

# File, connection.id, and what vpn.data must then hold.
FORMATS = [
    ("every-key.nmconnection", "Every key; of 1.20", "gateway = vpn.example.com"),
    ("ours.nmconnection", None, "gateway = "),
    ("every-key.conf", "Every key; of 1.20", "ipsec-remote-id = @gate.example.com"),
    ("1.52.conf", "Series 1.52", "ipsec-group-name = @Sales"),
    ("office.mobileconfig", "Office", "gateway = vpn.example.com"),
    ("office-binary.mobileconfig", "Office", "gateway = vpn.example.com"),
    ("office-signed.mobileconfig", None, "gateway = vpn.example.com"),
    ("rasphone.pbk", None, "gateway = "),
    ("office.ps1", None, "gateway = "),
    ("office.onc", None, "gateway = "),
    ("ipsec.conf", "office", "gateway = vpn.example.com"),
    ("router.rsc", None, "gateway = "),
    ("network", None, "gateway = "),
]

# What a value must not be, and the words that tell so.
HOSTILE = [
    ("a line break", "gateway=a\\nb", "control character"),
    ("an escape", "user=\x1b[31mred", "control character"),
    ("quotes", "ipsec-remote-id=\"@x\"", "quotes"),
    ("a command", "gateway=$(reboot)", "blanks, quotes or other signs"),
    ("a number with a tail", "mtu=1400x", "no whole number"),
    ("a number out of range", "mtu=99999999999999999999", "out of its range"),
    ("neither yes nor no", "ipsec-forceencaps=maybe", "neither yes nor no"),
    ("a value of 1 MB", "user=" + "a" * 1000000, "longer than"),
    ("proposals with an option", "ipsec-ike=aes256 \"; up", "no list of algorithms"),
]


def imported(world, path):
    """(UUID, what nmcli said)."""
    out = world.run("nmcli", "connection", "import", "type", "l2tp", "file", path)
    found = re.search(r"\(([0-9a-f-]{36})\) successfully added", out.stdout)
    return (found.group(1) if found else None), out.stdout + out.stderr


def field(world, uuid, name):
    return world.must(world.lab, "exec", "nmcli", "-e", "no", "-g", name, "connection", "show",
                      uuid).strip()


def forget(world, uuid):
    world.run("nmcli", "connection", "delete", uuid)


def groups(text):
    """A keyfile as {(group, key): value}."""
    out, group = {}, ""
    for line in text.splitlines():
        if line.startswith("["):
            group = line
        elif "=" in line and not line.startswith("#"):
            key, value = line.split("=", 1)
            out[group, key] = value
    return out


def exported_back(world, name, drop):
    """Imports a file and exports it to the same format: what is lost or new."""
    uuid, said = imported(world, os.path.join(VECTORS, name))
    check(uuid, said)
    with tempfile.TemporaryDirectory() as d:
        os.chmod(d, 0o755)
        back = os.path.join(d, "back." + name.rsplit(".", 1)[1])
        out = world.run("nmcli", "connection", "export", uuid, back)
        forget(world, uuid)
        check(out.returncode == 0, out.stderr)
        with open(back) as f, open(os.path.join(VECTORS, name)) as g:
            new, old = groups(f.read()), groups(g.read())
    old = {k: v for k, v in old.items() if not drop(k)}
    lost = {k: v for k, v in old.items() if new.get(k) != v}
    check(not lost, "lost or changed: %s" % {k: (v, new.get(k)) for k, v in lost.items()})


def add_cases(suite, world):
    @suite.case()
    def nmcli_imports_every_format():
        for name, wanted_id, data in FORMATS:
            uuid, said = imported(world, os.path.join(VECTORS, name))
            check(uuid, "%s: %s" % (name, said))
            try:
                check(data in field(world, uuid, "vpn.data"),
                      "%s: %s" % (name, field(world, uuid, "vpn.data")))
                check(field(world, uuid, "vpn.service-type") == "org.freedesktop.NetworkManager.l2tp",
                      "%s: another service" % name)
                if wanted_id:
                    check(field(world, uuid, "connection.id") == wanted_id, name)
            finally:
                forget(world, uuid)

    @suite.case()
    def keyfile_comes_back_without_loss():
        # libnm writes no default, and its own names of what it holds; secrets are left out.
        exported_back(world, "every-key.nmconnection",
                      lambda k: k[0] in ("[vpn-secrets]", "[ipv6]", "[ipv4]"))

    @suite.case()
    def file_of_networkmanager_l2tp_comes_back_without_loss():
        exported_back(world, "every-key.conf",
                      lambda k: k[1] in ("ignore-auto-routes", "dhcp-send-hostname"))

    @suite.case()
    def foreign_files_are_refused_at_once():
        folder = os.path.join(VECTORS, "foreign")
        began = time.monotonic()
        for name in sorted(os.listdir(folder)):
            uuid, said = imported(world, os.path.join(folder, name))
            if uuid:
                forget(world, uuid)
            check(not uuid, "%s was imported" % name)
            check("L2TP/IPsec" in said or "empty" in said, "%s: %s" % (name, said))
        check(time.monotonic() - began < 15, "took %.1f s" % (time.monotonic() - began))

    @suite.case()
    def hostile_values_are_refused_with_a_sentence():
        with tempfile.TemporaryDirectory() as d:
            os.chmod(d, 0o755)
            path = os.path.join(d, "hostile.nmconnection")
            for what, line, words in HOSTILE:
                with open(path, "w") as f:
                    key = line.split("=")[0]
                    rest = "" if key == "gateway" else "gateway=vpn.example.com\n"
                    f.write("[connection]\nid=h\ntype=vpn\n[vpn]\n%sipsec-enabled=yes\n%s\n"
                            "service-type=org.freedesktop.NetworkManager.l2tp\n" % (rest, line))
                uuid, said = imported(world, path)
                if uuid:
                    forget(world, uuid)
                check(not uuid, "%s was imported" % what)
                check(words in said, "%s: %s" % (what, said[:300]))
