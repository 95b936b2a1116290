# SPDX-License-Identifier: LGPL-2.1-or-later
"""Profiles that people have, dialed by NetworkManager at a Linux server in a guest (tests/lab/swan):
cases of tests/desktop/nm."""
import os
import re
import shutil

from suite import Skip, check, sabotaged
from nm_world import TOP, World

SWAN = os.path.join(TOP, "tests", "lab", "swan", "lab")
X509 = os.path.join(TOP, "tests", "vectors", "x509")
SERVER, INSIDE = "198.51.100.2", "10.99.0.1"
OBJECT = "pkcs11:token=lab;object=own"
PASSPHRASE = "open"  # of client-locked.key
PSK, USER, PASSWORD = "lab-psk-0123456789", "alice", "Alice-pw-1"

TOKEN = """mkdir -p /var/lib/softhsm/tokens
softhsm2-util --init-token --free --label lab --so-pin 5678 --pin 1234
softhsm2-util --import "$1/client.key" --token lab --label own --id 01 --pin 1234
openssl x509 -in "$1/client.pem" -outform DER -out /run/own.der
pkcs11-tool --module /usr/lib/softhsm/libsofthsm2.so --token-label lab --login --pin 1234 \\
    --write-object /run/own.der --type cert --label own --id 01
chmod -R a+rwX /var/lib/softhsm"""


class Swan(World):
    """A server of one profile and a NetworkManager on the LAN before it."""

    def __init__(self, world, profile):
        super().__init__()
        self.build = world.ours()
        self.words = profile
        self.folder = "%s/%s-sw" % (os.environ["LAB_WORK"], os.environ["LAB_NS"])
        self.env = dict(os.environ, NML_TAG="sw", NML_BESIDE="swan")

    def call(self, *args, **more):
        return super().call(*args, env=self.env, **more)

    def __enter__(self):
        if not os.path.isdir("/usr/lib/uml/modules"):
            raise Skip("the package user-mode-linux is not installed (tests/packages/interop)")
        try:
            self.must(SWAN, "up", self.words, timeout=400)
            self.must(self.lab, "up")
            if not sabotaged():
                self.must(self.lab, "install", self.build)
            self.before = self.state()
        except BaseException:
            self.__exit__()
            raise
        return self

    def __exit__(self, *_):
        self.call(self.lab, "down")
        self.call(SWAN, "down")

    def log_of(self, name):
        path = os.path.join(os.environ["LAB_WORK"], os.environ["LAB_NS"] + "-swan", "share", name)
        with open(path, errors="replace") as f:
            return f.read()

    def profile(self, name, data=None, secrets=None, **more):
        """As network-manager-l2tp 1.20.8 writes it when its dialog is filled in and saved."""
        items = {"gateway": SERVER, "user": USER, "machine-auth-type": "psk",
                 "user-auth-type": "password", "mru": "1400", "mtu": "1400"}
        items.update(data or {})
        kept = {"password": PASSWORD, "ipsec-psk": PSK}
        kept.update(secrets or {})
        return super().profile(name, data=items, secrets=kept, **more)

    def certificate(self, name, cert, key, **more):
        """The passphrase of its key, or the PIN of its token, is asked for when it is wanted."""
        for f in ("client.pem", "client-locked.key", "ca.pem"):
            self.run("cp", os.path.join(X509, f), "/etc/ssl/")
        self.profile(name, data={"machine-auth-type": "tls", "machine-cert": cert,
                                 "machine-key": key, "machine-ca": "/etc/ssl/ca.pem",
                                 "machine-certpass-flags": "2", "ipsec-psk-flags": None},
                     secrets={"ipsec-psk": None}, **more)

    def fill_token(self):
        """A key on a token, where a system keeps it; nothing of this machine is touched."""
        out = self.run("sh", "-ec", TOKEN, "token", X509)
        check(out.returncode == 0, "softhsm2: " + out.stdout + out.stderr)

    def fetches(self):
        out = self.run("curl", "-sS", "-m", "10", "http://%s/" % INSIDE)
        check("inside the tunnel" in out.stdout, "fetch through the tunnel: " + out.stderr)

    def ends(self, name):
        self.disconnect(name)
        self.nothing_left()


def add_cases(suite, world):
    @suite.case()
    def old_profile_at_a_pap_server_of_group_2():
        """Nothing was chosen for it: the profile's age is its owner's consent."""
        with Swan(world, "ike-aes128+esp-aes-sha1+pap") as s:
            s.profile("old")
            s.connect("old")
            s.fetches()
            # A server beyond the router: NetworkManager asked the way past the tunnel's own rules.
            way = s.run("ip", "route", "show", SERVER).stdout
            check("via 10.77.1.1 dev eth0" in way, "no route to the server: " + s.state())
            way = s.run("ip", "route", "get", SERVER, "uid", "65534").stdout
            check("dev l2tp" in way, "a user's packets to the server leave in clear: " + way)
            check("MODP_1024" in s.log_of("charon.log"), "another group was agreed")
            check("PAP AuthAck" in s.log_of("pppd.log"), "PAP was not used")
            s.ends("old")
            s.profile("strict", data={"refuse-pap": "yes"})
            out = s.connect("strict", must=False)
            check(out.returncode != 0, "PAP was used though the profile refuses it")
            check(re.search(r"ppp\.\S+: \S.{20,}", s.told()), "no sentence: " + s.told())
            s.nothing_left()

    @suite.case()
    def passphrase_and_pin_are_asked_for():
        """In the dial, once the server wants a signature. A wrong passphrase is asked for again; a wrong
        PIN ends the dial, as a token counts them."""
        for tool in ("softhsm2-util", "pkcs11-tool", "openssl"):
            if not shutil.which(tool):
                raise Skip("%s is not installed (tests/packages/token)" % tool)
        with Swan(world, "ike-aes256+esp-aes-sha1+rsa") as s:
            s.certificate("locked", "/etc/ssl/client.pem", "/etc/ssl/client-locked.key")
            out = s.ask("con", "up", "locked", answers=["mistaken", PASSPHRASE])
            check(out.returncode == 0, "locked: %s%s\n%s" % (out.stdout, out.stderr, s.told()))
            check("ike.auth.cert-passphrase" in s.told(), "the first one was right? " + s.told())
            check("mistaken" not in s.log(), "a secret is in the log")
            s.fetches()
            s.ends("locked")
            s.fill_token()
            s.certificate("token", OBJECT, OBJECT)
            out = s.ask("con", "up", "token", answers=["4321"])
            check(out.returncode != 0, "connected with a wrong PIN")
            check("local.token-pin: " in s.told(), "no sentence: " + s.told())
            out = s.ask("con", "up", "token", answers=["1234"])
            check(out.returncode == 0, "token: %s%s\n%s" % (out.stdout, out.stderr, s.told()))
            check("PIN of the token lab" in out.stdout, "which token is not told: " + out.stdout)
            s.fetches()
            s.ends("token")
