# SPDX-License-Identifier: LGPL-2.1-or-later
"""The library in a program that goes on: what is left in its memory when a session was freed."""
import os
import shutil

from suite import Failed, Skip, check, sabotaged
from bench import NOBODY, TOP
from cage import (cage, canary, dialer, needles, numbers_of, suite, tool, told, Served, Still)
from search import search

SECRETS = ("psk", "password")


def dialed(*words, names=SECRETS, last="up", server=(), **how):
    """A whole dial; the needles are those of `names`, of every derived key and what became of it."""
    with Served(*server):
        still = dialer(*words, **how)
        seen = still.until("up", "down")
        check(seen[-1] == last, "%s" % seen)
        check(last == "down" or list(cage.told_keys()), "no key was told")
        still.freed(lambda: needles(*names, expanded=True))
    return seen


def files(*names):
    return ["%s=%s" % (n.replace("_", "-"), cage.path(n)) for n in names]


@suite.case()
def forgets_a_dial():
    dialed(*files(*SECRETS))


@suite.case()
def forgets_what_was_asked_for():
    dialed("ask=1", *files(*SECRETS))


@suite.case()
def forgets_pap_and_chap():
    dialed(*files(*SECRETS), "allow=pap", server=("auth=pap",))
    dialed(*files(*SECRETS), server=("auth=chap",))


@suite.case()
def forgets_a_wrong_password():
    seen = dialed("psk=" + cage.path("psk"), "password=" + cage.path("wrong"),
                  names=("psk", "wrong"), last="down")
    check("failed ppp.auth.failed" in seen, "%s" % seen)


@suite.case()
def forgets_a_wrong_key():
    seen = dialed("psk=" + cage.path("wrong"), "password=" + cage.path("password"),
                  names=("password", "wrong"), last="down")
    check("failed ike.auth.psk" in seen, "%s" % seen)


@suite.case()
def forgets_when_a_question_is_cancelled():
    seen = dialed("ask=cancel", *files(*SECRETS), last="down")
    check("failed local.secret" in seen, "%s" % seen)


@suite.case()
def forgets_a_tunnel_secret():
    dialed(*files("psk", "password", "tunnel_secret"), names=SECRETS + ("tunnel_secret",),
           server=("secret=" + cage.tunnel_secret.decode(),))


@suite.case()
def holds_secrets_in_the_arena_alone():
    """While the tunnel is up: the login is forgotten, the key and SKEYIDs stand where they are
    locked and not dumped."""
    with Served():
        still = dialer(*files(*SECRETS))
        still.until("up")
        derived = needles(derived=False, more=[k for k in cage.told_keys() if k[0] == "SKEYID"])
        hits = still.searched(needles("psk", derived=False))
        check(hits, "the pre-shared key is nowhere: is this search any good?")
        hits += still.searched(derived)
        out = [h for h in hits if not {"dd", "lo", "wf"} <= h[0].flags]
        check(not out, "outside of the arena:\n" + told(out))
        # The config keeps the password, as it may be dialed again; nothing else does.
        kept = {h[3] for h in still.searched(needles("password", derived=False))
                if not {"dd", "lo", "wf"} <= h[0].flags}
        check(not kept, "outside of the arena: %s" % kept)
        still.freed(lambda: needles(*SECRETS))


PROTECTED = {"CANARY_PROTECT": "1"}


@suite.case()
def holds_what_keys_become_where_it_is_locked():
    """A program that has called l2tpc_protect_crypto(): the rounds of AES and the states of HMAC
    while the tunnel is up."""
    with Served():
        still = dialer(*files(*SECRETS), env=PROTECTED)
        still.until("up")
        hits = still.searched(needles(expanded=True))
        seen = {h[1].split(" ", 1)[-1].rstrip("0123456789 ") for h in hits}
        check({"round key", "inner state of the HMAC", "outer state of the HMAC"} <= seen,
              "%s: is this search any good?" % seen)
        out = [h for h in hits if not {"dd", "lo"} <= h[0].flags]
        check(not out, "elsewhere:\n%s" % told(out))
        hits = cage.in_a_core(still.pid, needles(*SECRETS, expanded=True))
        check(not hits, "in a core: %s" % hits)
        still.freed(lambda: needles(*SECRETS, expanded=True))


# ---- certificates

def make_key(algorithm):
    """A key of our own that no other process has seen, locked and not, and a certificate."""
    name = cage.path(algorithm)
    how = {"rsa": ("RSA", "rsa_keygen_bits:2048"), "ec": ("EC", "ec_paramgen_curve:P-256")}
    kind, option = how[algorithm]
    if os.path.exists(name + ".p12"):
        return name
    tool("openssl", "genpkey", "-quiet", "-algorithm", kind, "-pkeyopt", option, "-out", name + ".key")
    tool("openssl", "req", "-x509", "-new", "-key", name + ".key", "-subj", "/CN=canary", "-days", "2",
         "-out", name + ".pem")
    word = "file:" + cage.path("passphrase")
    tool("openssl", "pkcs8", "-topk8", "-in", name + ".key", "-out", name + ".locked", "-passout", word)
    tool("openssl", "pkcs12", "-export", "-in", name + ".pem", "-inkey", name + ".key", "-out",
         name + ".p12", "-passout", word)
    for end in (".key", ".pem", ".locked", ".p12"):
        os.chmod(name + end, 0o644)
    return name


def key_needles(name, derived=False):
    return needles("passphrase", derived=derived, more=list(numbers_of(name + ".key")))


def signed(name, *words):
    still = Still("canary-signer", *words)
    check(still.word() == "up", "the key was not taken")
    still.freed(key_needles(name))


@suite.case()
def forgets_an_rsa_key_that_has_signed():
    name = make_key("rsa")
    check(len(list(numbers_of(name + ".key"))) == 6, "openssl tells other numbers")
    for words in ((name + ".pem", name + ".key"),
                  (name + ".pem", name + ".locked", cage.path("passphrase")),
                  (name + ".p12", "-", cage.path("passphrase"))):
        signed(name, *words)


@suite.case()
def forgets_an_ec_key_that_has_signed():
    name = make_key("ec")
    for words in ((name + ".pem", name + ".key"),
                  (name + ".pem", name + ".locked", cage.path("passphrase")),
                  (name + ".p12", "-", cage.path("passphrase"))):
        signed(name, *words)


@suite.case()
def forgets_passphrase_and_key_of_a_dial():
    """The server knows no certificates: the dial ends, the key was open."""
    for algorithm, words in (("rsa", ("certificate={}.pem", "key={}.locked", "ca={}.pem")),
                             ("ec", ("certificate={}.p12", "ca={}.pem"))):
        name = make_key(algorithm)
        for more in ((), ("ask=1",)):
            with Served():
                still = dialer(*more, "timeout=2", *[w.format(name) for w in words],
                               "passphrase=" + cage.path("passphrase"),
                               "password=" + cage.path("password"))
                seen = still.until("up", "down")
                check(any(w.startswith("failed ") for w in seen), "%s" % seen)
                still.freed(key_needles(name))


@suite.case()
def forgets_a_passphrase_that_does_not_fit():
    name = make_key("rsa")
    still = dialer("certificate=" + name + ".p12", "ca=" + name + ".pem",
                   "passphrase=" + cage.path("wrong"))
    seen = still.until("up", "down")
    check(any(w.startswith("failed ike.auth.cert-passphrase") for w in seen), "%s" % seen)
    still.freed(needles("wrong", derived=False))


@suite.case()
def forgets_the_pin_of_a_token():
    """A module of our own that wants the PIN, and one that says it is wrong."""
    try:
        cage.wanted("libfake-token.so")
    except Failed:
        raise Skip("built without p11-kit")
    home = cage.path("home")
    shutil.rmtree(home, ignore_errors=True)
    os.makedirs(home + "/.config/pkcs11/modules")
    with open(home + "/.config/pkcs11/modules/fake.module", "w") as f:
        f.write("module: %s\n" % cage.path("bin/libfake-token.so"))
    tool("chown", "-R", "%d:%d" % (NOBODY, NOBODY), home)
    name = make_key("rsa")
    for how in ("wrong", "always"):
        for more in ((), ("ask=1",)):
            env = {"HOME": home, "L2TPC_FAKE_TOKEN": how, "L2TPC_FAKE_LOG": home + "/log"}
            with Served():
                still = dialer(*more, "timeout=2", "certificate=" + name + ".pem",
                               "key-uri=pkcs11:token=l2tpc-fake", "ca=" + name + ".pem",
                               "passphrase=" + cage.path("pin"), user=NOBODY, env=env)
                seen = still.until("up", "down")
                check(any(w.startswith("failed ") for w in seen), "%s" % seen)
                still.freed(needles("pin", derived=False))
            with open(home + "/log") as f:
                check(f.read(), "nobody has logged in: %s" % seen)
            os.unlink(home + "/log")


# ---- the tests themselves

@suite.case()
def the_search_finds_what_is_kept():
    with Served():
        still = dialer(*files(*SECRETS), "leak=1")
        still.until("up")
        still.go_on()
        still.until("freed")
        hits = still.searched(needles("password", derived=False))
        cage.end(still.process)
    check(any(how == "plain" and m.name == "[heap]" for m, _, how, _ in hits), told(hits))


@suite.case()
def the_search_finds_what_keys_become():
    """A program that has not called l2tpc_protect_crypto()."""
    with Served():
        still = dialer(*files(*SECRETS))
        still.until("up")
        wanted = needles(derived=False, expanded=True)
        hits = still.searched(wanted)
        core = cage.in_a_core(still.pid, wanted)
        cage.end(still.process)
    for name, found in (("memory", {n for m, n, _, _ in hits if "dd" not in m.flags}),
                        ("a core", {n for n, _, _ in core})):
        check(any("round key" in n and "inverse" not in n for n in found) and
              any("inverse" in n for n in found), "%s: %s" % (name, found))


@suite.case()
def the_search_knows_every_spelling():
    """This very process holds them all."""
    raw = canary()
    number = os.urandom(32)
    cage.spelled = raw
    held = [raw.decode().encode("utf-16-le"), raw.hex().encode(), raw.hex().upper().encode(),
            number[::-1]]
    wanted = needles("spelled", derived=False, more=[("number", number)])
    hows = {how for _, how, _, _ in ((h[0], h[2], h[1], h[3])
                                     for h in search(os.getpid(), wanted)[1])}
    check(held and {"plain", "UTF-16", "hex", "HEX", "turned round"} <= hows, "%s" % hows)


@suite.case()
def wiping_that_does_nothing_is_noticed():
    """The self-test: without it no config and no context can be made."""
    still = Still("canary-dialer", "192.0.2.1", "nobody",
                  env={"LD_PRELOAD": cage.path("bin/canary-no-wipe.so"), "CANARY_NO_WIPE": "all"})
    check(still.word() == "refused", "a config was made")
    cage.end(still.process)
