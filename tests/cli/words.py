# SPDX-License-Identifier: LGPL-2.1-or-later
"""Options, names and servers that cannot be."""
import json

from suite import check
from bench import Dial, Untouched, objects, CLIENT, SERVER, USER
from common import base, bench, failed, secrets, suite, usage


# ---- words and options

@suite.case()
def help_of_every_verb():
    for words in (["--help"], ["-h"], ["help"], ["--version"], ["connect", "--help"],
                  ["connect", "-h"], ["connect", "--server", "x", "--help"], ["status", "--help"],
                  ["status", "-h"], ["disconnect", "--help"], ["explain", "--help"],
                  ["explain", "-h"]):
        with Untouched(bench):
            code, out, err = bench.run(*words)
        check(code == 0 and err == "" and len(out) > 8, "%s: %d %r %r" % (words, code, out, err))


@suite.case()
def no_command():
    code, out, err = bench.run()
    check(code == 2 and out == "" and "connect" in err, "%d %r %r" % (code, out, err))


@suite.case()
def unknown_commands_and_surplus_words():
    usage("dial", words="'dial' is not a command")
    usage("Connect", words="not a command")
    usage("", words="not a command")
    usage(*base(), "surplus", words="'surplus' is one word too many")
    usage("status", "a", "b", words="'b' is not the name")
    usage("status", "--jsn", words="'--jsn'")
    usage("disconnect", "--json", words="'--json'")
    usage("explain", "ike.no-proposal", "b", words="one word too many")


@suite.case()
def unknown_options_and_missing_values():
    for words in (["--psk", "hunter2"], ["--psk=hunter2"], ["--password", "hunter2"]):
        usage(*base(), *words, words="A secret is not an argument")
        check("hunter2" not in bench.run(*base(), *words)[2], "the secret is repeated")
    usage(*base(), "--frobnicate", words="--frobnicate is not an option")
    usage(*base(), "-x", words="-x is not an option")
    usage(*base(), "-xyz", words="-x is not an option")
    usage(*base(), "--json=yes", words="--json=yes")
    usage("connect", "--user", "alice", "--server", words="--server needs a value")
    usage("connect", "--user", "alice", words="--server HOST")
    usage("connect", "--server", SERVER, words="--user NAME")
    usage("connect", "--server", SERVER, "--user", "", words="--user")
    usage("connect", "--server", SERVER, "--user", "u" * 256, words="--user")
    usage(*base(), "--domain", "d" * 256, words="--user")


@suite.case()
def bad_numbers():
    for option, values in (("--timeout", ("0", "3601", "-1", "1s", "", "99999999999", " 5")),
                           ("--mru", ("127", "1501", "x", "1e3")),
                           ("--secrets-fd", ("-1", "x", "65536", ""))):
        for v in values:
            usage(*base(), option, v, words=option + " does not take")


@suite.case()
def bad_words():
    for option, value in (("--policy", "best"), ("--ike", "rot13"), ("--ike", ""),
                          ("--ike", "modp2048"), ("--esp", "rot13"), ("--esp", ","),
                          ("--encapsulation", "tcp"), ("--allow", "eap"), ("--allow", "!"),
                          ("--quirk", "none"), ("--interface", "a/b"), ("--interface", "x" * 16),
                          ("--interface", "%d%d"), ("--interface", ""), ("--interface", "l2tp%s"),
                          ("--interface", "..")):
        usage(*base(), *secrets(), option, value, words=option + " does not take")
    usage(*base(), *["--allow", "pap"] * 9, words="--allow was given too often")
    usage(*base(), *["--quirk", "port-1701"] * 5, words="--quirk was given too often")


@suite.case()
def identities():
    for option in ("--server-id", "--local-id"):
        for value, why in (("my group", "say what it is with keyid:"), ("@#abc", "in pairs"),
                           ("a@", "user@host"), ("CN=", "distinguished name"), ("", "is empty"),
                           ("ip:x", "no IPv4 or IPv6 address")):
            usage(*base(), *secrets(), option, value, words=why)


@suite.case()
def aggressive_mode():
    usage(*base(), *secrets(), "--ike-mode", "quick", words="--ike-mode does not take")
    failed("ike.aggressive-consent", 4, *base(), *secrets(), "--ike-mode", "aggressive",
           words="guessed offline")


@suite.case()
def interface_that_is_taken():
    for name in ("lo", "outer"):
        failed("local.tun", 1, *base(), *secrets(), "--interface", name, words="busy: %s." % name)


@suite.case()
def until_unknown_stage():
    for v in ("ike", "IKE-QUICK", "up ", "", "ppp_auth", "none"):
        usage(*base(), *secrets(), "--until", v, words="--until does not take")


@suite.case()
def route_garbage():
    for v in ("", "/", "10.0.0.0/", "10.0.0.0/33", "10.0.0.0/-1", "10.0.0/8", "10.0.0.0/8/8",
              "example.com/8", "2001:db8::/129", "10.0.0.0/ 8", "9" * 300, "10.0.0.0/08x"):
        usage(*base(), "--route", v, words="--route does not take")


@suite.case()
def route_65_times():
    routes = [w for i in range(65) for w in ("--route", "10.%d.0.0/16" % i)]
    usage(*base(), *routes, words="--route was given too often")


@suite.case()
def connection_names():
    for name in ("../x", "..", ".", "a/b", "/etc/passwd", "", "-x", "a..b", "a b", "a\nb", "ü",
                 "x" * 65, "a\x1b[2Jb"):
        usage(*base(), *secrets(), "--name", name, words="cannot name a connection")
        if name and not name.startswith("-"):
            usage("status", name, words="is not the name")
            usage("disconnect", name, words="is not the name")


@suite.case()
def connection_name_of_64_bytes():
    name = "x" * 64
    with Untouched(bench):
        dial = Dial(bench, name=name).wait()
        code, out, err = bench.run("status", name, "--json")
        check(code == 0 and json.loads(out)["name"] == name, out + err)
        code, out, err = bench.run("disconnect", name)
        check(code == 0 and out == "", "%d %s%s" % (code, out, err))
        check(dial.wait_end(1) == 1, dial.told())


# ---- servers

@suite.case()
def servers_that_cannot_be():
    for server in ("", " ", "a b", "host name", "host\x07", "ho\x1b[1mst", "host\n", "a..b", ".a",
                   "-a", "a:", "a:0", "a:65536", "a:99999999", "a:-1", "a:500x", "a:b", ":500",
                   "[::1", "[::1]x", "[::1]:", "[::1]:0", "[::1]:65536", "[]", "[198.51.100.1]",
                   "2001:db8::1:2:3:4:5:6:7:8", "a/b", "a@b", "http://a", "a" * 254,
                   b"h\xc3\x28ost", b"\xff\xfe"):
        usage("connect", "--server", server, "--user", USER, *secrets(),
              words="--server does not take")


@suite.case()
def international_names():
    """They are names: what fails is looking them up."""
    for server in ("xn--bcher-kva.example", "bücher.example", "例え.example", "a" * 63 + ".example",
                   "host-1.example:4501", "x_y.example"):
        with Untouched(bench):
            code, out, err = bench.run(*base(server), *secrets(), "--json")
        error = objects(out)[-1]["error"]
        check(code == 3 and error["code"] in ("resolve.not-found", "resolve.temporary"), out + err)
        check(objects(out)[-1]["server"]["name"] == server.split(":")[0], out)


@suite.case()
def servers_that_are_nobody():
    for server in ("127.0.0.1", "127.1.2.3", "0.0.0.0", "224.0.0.1", "239.1.2.3",
                   "255.255.255.255", CLIENT, CLIENT + ":4444", "::1", "[::1]",
                   "[::1]:500", "::", "[ff02::1]", "localhost"):
        failed("resolve.bad-address", 3, *base(server), *secrets())


@suite.case()
def server_that_is_the_broadcast_address():
    """Only the kernel knows that it is one, and refuses to send."""
    failed("ike.unreachable", 4, *base("198.51.100.255"), *secrets())


@suite.case()
def ipv6_literals_are_taken():
    """There is no IPv6 here, and the dial says so; the ways to write it are all understood."""
    for server, port in (("2001:db8::1", 500), ("[2001:db8::1]", 500), ("[2001:db8::1]:4501", 4501)):
        with Untouched(bench):
            code, out, err = bench.run(*base(server), *secrets(), "--json", "--timeout", "3")
        last = objects(out)[-1]
        check(last["server"]["name"] == "2001:db8::1", out + err)
        check(last["server"]["port"] in (port, None), out)
        check(code in (1, 3, 4) and last["error"]["code"] != "resolve.bad-name", out)
