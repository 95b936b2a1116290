# SPDX-License-Identifier: LGPL-2.1-or-later
"""The kill switch: what leaves the computer is counted by the other side, not by the one that blocks."""
import re
import subprocess
import sys
import time

from world import MARK, SERVER, check, run

LAN, LOOKUPS, LAN_HOST = 1, 2, "192.168.77.9"
SENDER = """
import socket, sys
mark, proto = int(sys.argv[1]), sys.argv[2]
for to in sys.argv[3:]:
    host, port = to.rsplit(",", 1)
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    s = socket.socket(family, socket.SOCK_DGRAM) if proto == "udp" else \\
        socket.socket(family, socket.SOCK_RAW, int(proto))
    if mark:
        s.setsockopt(socket.SOL_SOCKET, 36, mark)
    try:
        s.sendto(b"x" * 20, (host, int(port)))
    except OSError as e:
        pass
"""


def watch(w):
    """The server counts what comes in on either wire, but for neighbour discovery."""
    run("ip", "-n", w.s, "address", "add", LAN_HOST + "/24", "dev", "lan1")
    run("ip", "-n", w.s, "address", "add", "fd77::9/64", "dev", "lan1", "nodad")
    run("ip", "netns", "exec", w.s, "nft", """
        table inet w {
            counter out {}
            counter lan {}
            chain in {
                type filter hook prerouting priority -300;
                icmpv6 type { nd-router-solicit, nd-neighbor-solicit, nd-neighbor-advert, \
                    nd-router-advert, mld2-listener-report } accept
                iifname "s0" counter name out
                iifname "lan1" counter name lan
            }
        }""")


def seen(w, name):
    text = run("ip", "netns", "exec", w.s, "nft", "list", "counter", "inet", "w", name)
    return int(re.search(r"packets (\d+)", text).group(1))


def send(w, *to, mark=0, proto="udp"):
    subprocess.run(["ip", "netns", "exec", w.c, "python3", "-c", SENDER, str(mark), proto, *to],
                   check=True, timeout=20)


def expect(w, out, lan, why):
    end = time.monotonic() + 2
    got = None
    while got != (out, lan) and time.monotonic() < end:
        time.sleep(0.05)  # neighbours are looked up first
        got = seen(w, "out"), seen(w, "lan")
    check(got == (out, lan), "%s: the other side saw %d and %d packets, not %d and %d"
          % (why, *got, out, lan))


def everywhere(w, **how):
    send(w, SERVER + ",9", "203.0.113.9,53", "2001:db8:1::1,9", "2001:db8:7::1,443", **how)


def start(w):
    watch(w)
    return w.tool()


def kill_switch_before_and_behind_a_tunnel(w):
    before = w.state()
    t = start(w)
    everywhere(w)
    expect(w, 4, 0, "nothing is blocked yet")
    t.ok("block a - - 0")
    everywhere(w)
    send(w, LAN_HOST + ",9", "fd77::9,9")
    expect(w, 4, 0, "before the tunnel")
    send(w, SERVER + ",500", SERVER + ",4500", mark=0x6c32)
    send(w, SERVER + ",0", mark=0x6c32, proto="50")
    send(w, SERVER + ",0", mark=0x6c32, proto="47")
    expect(w, 7, 0, "the way to the server")
    t.ok("tun l2tp0 1400")
    t.ok("apply if=l2tp0 name=a local=10.98.0.2 server=%s flags=3" % SERVER)
    t.ok("block a l2tp0 10.98.0.2 0")
    w.in_client("nft", """
        table inet t {
            counter got {}
            chain out {
                type filter hook postrouting priority 200
                oifname "l2tp0" counter name got
            }
        }""")
    everywhere(w)
    expect(w, 7, 0, "with the tunnel")
    check("packets 2 " in w.in_client("nft", "list", "counter", "inet", "t", "got"),
          "the tunnel itself is blocked")
    w.in_client("nft", "delete", "table", "inet", "t")
    t.ok("release l2tp0")
    everywhere(w)
    expect(w, 7, 0, "behind the tunnel")
    check(int(t.ok("blocked")["packets"]) > 0, "no packet was counted")
    t.ok("unblock a")
    everywhere(w)
    expect(w, 11, 0, "lifted")
    t.refused("unblock a", "ENOENT")
    t.end()
    check("l2tpc-block" not in w.in_client("nft", "list", "tables"), "the table is left")
    w.expect_state(before)


def kill_switch_outlives_its_process(w):
    t = start(w)
    t.ok("tun l2tp0 1400")
    t.ok("apply if=l2tp0 name=a local=10.98.0.2 server=%s flags=3" % SERVER)
    t.ok("block a l2tp0 10.98.0.2 0")
    t.kill()
    everywhere(w)
    expect(w, 0, 0, "after kill -9")
    again = w.tool()
    check(again.recovery["recovered"] == "1", "nothing was recovered")
    everywhere(w)
    expect(w, 0, 0, "after the recovery")
    got = again.ok("blocked")
    check(got["holders"] == "1" and got["names"] == "a", str(got))
    again.ok("block a - - 0")
    again.ok("unblock -")
    everywhere(w)
    expect(w, 4, 0, "lifted by the next one")


def kill_switch_with_the_local_network(w):
    t = start(w)
    t.ok("block a - - %d" % LAN)
    send(w, LAN_HOST + ",9", "fd77::9,9")
    expect(w, 0, 2, "neighbours")
    send(w, LAN_HOST + ",53", LAN_HOST + ",853", "fd77::9,53")
    expect(w, 0, 2, "name servers of the local network")
    everywhere(w)
    expect(w, 0, 2, "beyond it")
    t.ok("block a - - 0")
    send(w, LAN_HOST + ",9", "fd77::9,9")
    expect(w, 0, 2, "neighbours, no longer allowed")


def kill_switch_of_two(w):
    t = start(w)
    t.ok("block a - - 0")
    t.ok("block b.2_x-y - - 0")
    check(t.ok("blocked")["holders"] == "2", "two hold it")
    t.ok("unblock a")
    everywhere(w)
    expect(w, 0, 0, "the other one still holds")
    t.ok("unblock b.2_x-y")
    everywhere(w)
    expect(w, 4, 0, "nobody holds")
    for name in ("../x", "a;b", "{", "-a", "x" * 65):
        t.refused("block %s - - 0" % name, "EINVAL")
    t.refused("block a eth0} - 0", "EINVAL")
    t.refused("block a - 2001:db8::1 0", "EINVAL")
    t.refused("block a - - 4", "EINVAL")
    check(t.ok("blocked")["holders"] == "0", "a refused request has blocked")


def kill_switch_guards_the_inner_address(w):
    t = start(w)
    t.ok("tun l2tp0 1400")
    t.ok("apply if=l2tp0 name=a local=10.98.0.2 server=%s flags=3" % SERVER)
    run("ip", "-n", w.s, "route", "add", "10.98.0.2/32", "via", "198.51.100.2")
    w.in_client("nft", """
        table inet t {
            counter got {}
            chain in {
                type filter hook input priority 200
                ip daddr 10.98.0.2 counter name got
            }
        }""")

    def probe():
        subprocess.run(["ip", "netns", "exec", w.s, "python3", "-c", SENDER, "0", "udp",
                        "10.98.0.2,9"], check=True, timeout=20)
        text = w.in_client("nft", "list", "counter", "inet", "t", "got")
        return int(re.search(r"packets (\d+)", text).group(1))

    check(probe() == 1, "the probe does not arrive at all")
    t.ok("block a l2tp0 10.98.0.2 0")
    check(probe() == 1, "a neighbour reached the address inside the tunnel")


def chains(w):
    """The table in nft's own words, a chain a list of rules."""
    found = {}
    for line in w.in_client("nft", "list", "table", "inet", "l2tpc-block").splitlines():
        word = line.split()
        if word[:1] in (["chain"], ["counter"]) and line.endswith("{"):
            rules = found[" ".join(word[:2])] = []
        elif word and word[0] != "}" and not line.startswith("table"):
            rules.append(line.strip())
    found["counter blocked"] = ["packets"]  # whatever the other side's neighbours made it count
    return found


PRIVATE = ["ip daddr 10.0.0.0/8", "ip daddr 172.16.0.0/12", "ip daddr 192.168.0.0/16",
           "ip daddr 169.254.0.0/16", "ip6 daddr fc00::/7", "ip6 daddr fe80::/10",
           "ip daddr 224.0.0.0/4", "ip daddr 255.255.255.255", "ip6 daddr ff00::/8"]
LAN_RULES = ['%s dport %d counter name "blocked" drop' % (p, d) for d in (53, 853)
             for p in ("tcp", "udp")] + [r + " accept" for r in PRIVATE]
MARKED = "meta mark 0x%08x " % MARK


def base(hook, policy):
    return "type filter hook %s priority filter + 10; policy %s;" % (hook, policy)


def expected(holders, flags):
    lan = LAN_RULES if flags & LAN else []
    table = {"counter blocked": ["packets"],
             "chain holders": ["jump hold-" + n for n in holders],
             "chain addresses": ["jump addr-" + n for n in holders]}
    for name, (dev, local) in holders.items():
        table["chain hold-" + name] = ['oifname "%s" accept' % dev, 'iifname "%s" accept' % dev] \
            if dev else []
        table["chain addr-" + name] = ["ip daddr %s drop" % local] if local else []
    last = ['counter name "blocked" drop']
    table["chain output"] = [base("output", "drop"), 'oifname "lo" accept', "jump holders",
                             "udp sport 68 udp dport 67 accept", "udp sport 546 udp dport 547 accept"] + \
        ["icmpv6 type nd-%s accept" % n for n in
         ("router-solicit", "neighbor-solicit", "neighbor-advert")] + \
        [MARKED + "meta l4proto %s accept" % p for p in ("udp", "esp")] + \
        ([MARKED.rstrip() + " meta l4proto tcp accept"] if flags & LOOKUPS else []) + lan + last
    table["chain forward"] = [base("forward", "drop"), "jump holders"] + lan + last
    table["chain input"] = [base("input", "accept"), 'iifname "lo" accept', "jump holders",
                            "jump addresses"]
    return table


def kill_switch_in_the_words_of_nft(w):
    """What stands in the kernel, read by somebody else, rule by rule; and who leaves takes what was
    his along."""
    t = w.tool()

    def same(holders, flags):
        got, want = chains(w), expected(holders, flags)
        for name in sorted(set(got) | set(want)):
            check(got.get(name) == want.get(name), "%s: %s, not %s"
                  % (name, got.get(name), want.get(name)))
    long = "x" * 64
    for flags in range(4):
        t.ok("block a - - %d" % flags)
        same({"a": (None, None)}, flags)
    t.ok("block a l2tp0 10.98.0.2 %d" % LAN)
    t.ok("block %s fifteen-letters 10.98.0.3 0" % long)
    same({"a": ("l2tp0", "10.98.0.2"), long: ("fifteen-letters", "10.98.0.3")}, 0)
    t.ok("block a l2tp1 10.98.0.4 %d" % LOOKUPS)  # a new TUN: the old name passes no more
    same({"a": ("l2tp1", "10.98.0.4"), long: ("fifteen-letters", "10.98.0.3")}, LOOKUPS)
    t.ok("unblock a")
    same({long: ("fifteen-letters", "10.98.0.3")}, LOOKUPS)
    t.refused("unblock a", "ENOENT")
    t.ok("unblock " + long)
    check("l2tpc-block" not in w.in_client("nft", "list", "tables"), "the table is left")


def kill_switch_of_very_many(w):
    """As many as there can be tunnels, and no more."""
    t = w.tool()
    for i in range(256):
        t.ok("block n%d l2tp%d 10.98.0.%d 3" % (i, i, i))
    t.refused("block one-more - - 0", "ENOSPC", " 17 ")
    check(t.ok("blocked")["holders"] == "256", "holders")
    check(len(chains(w)["chain holders"]) == 256, "jumps")
    t.ok("block n7 l2tp7 10.98.0.7 3")
    t.ok("unblock n7")
    check("jump hold-n7" not in chains(w)["chain holders"], "it is still there")
    t.ok("unblock -")
    t.refused("unblock -", "ENOENT")


def kill_switch_fails_as_a_whole(w):
    """Whatever system call of a change fails or is its process's last, the table is the one before
    or the one after, and never none."""
    def one_of(holders, text):
        got = chains(w)
        check(any(got == expected(h, f) for h, f in holders), "%s: %s" % (text, got))
    before, after = {"a": ("l2tp0", "10.98.0.2")}, {"a": ("l2tp1", "10.98.0.3")}
    for verb in ("failat", "killat"):
        for n in range(1, 80):
            t = w.tool()
            t.ok("block a l2tp0 10.98.0.2 0")
            t.ok("%s %d" % (verb, n))
            answer = t.ask("block a l2tp1 10.98.0.3 %d" % LAN)
            one_of([(before, 0), (after, LAN)], "%s %d -> %s" % (verb, n, answer))
            if answer.startswith("error"):
                one_of([(before, 0)], "%s %d -> %s" % (verb, n, answer))
            if verb == "killat" and answer.startswith("ok"):
                break
            if verb == "failat" and t.ok("failat 0")["left"] != "0":
                break
            t.end()
        check(2 < n < 79, "%d calls" % n)
        t.end()
    t = w.tool()
    t.ok("unblock -")


ASKER = """
import socket, sys
for port in sys.argv[3:]:
    s = socket.socket()
    s.setblocking(False)
    if int(sys.argv[2]):
        s.setsockopt(socket.SOL_SOCKET, 36, int(sys.argv[2]))
    s.connect_ex((sys.argv[1], int(port)))
"""


def kill_switch_lets_marked_questions_out(w):
    """Names and what a CA says, with the mark and when that was asked for; nothing else of TCP."""
    t = start(w)

    def ask(mark):
        subprocess.run(["ip", "netns", "exec", w.c, "python3", "-c", ASKER, "203.0.113.9",
                        str(mark), "53", "80", "443", "25", "8080"], check=True, timeout=20)
    t.ok("block a - - %d" % LOOKUPS)
    ask(0)
    ask(MARK + 1)
    expect(w, 0, 0, "without the mark")
    ask(MARK)
    send(w, "203.0.113.9,53", mark=MARK)
    expect(w, 6, 0, "with the mark")
    t.ok("block a - - 0")
    ask(MARK)
    expect(w, 6, 0, "no longer asked for")


def kill_switch_lets_one_user_ask(w):
    """A resolver's sockets cannot be marked: then it is the user who may ask, for as long as its
    holder holds, and what else that user does stays in."""
    t = start(w)

    def ask(user):
        become = ["setpriv", "--reuid", str(user), "--clear-groups", "--regid", str(user)]
        subprocess.run(["ip", "netns", "exec", w.c, *become, sys.executable, "-c", ASKER,
                        "203.0.113.9", "0", "53", "80", "443", "25", "8080"], check=True, timeout=20)
        subprocess.run(["ip", "netns", "exec", w.c, *become, sys.executable, "-c", SENDER, "0", "udp",
                        "203.0.113.9,53", "203.0.113.9,443", "2001:db8:7::1,53"], check=True,
                       timeout=20)
    t.refused("block a - - 0 2084700001", "EINVAL")
    t.ok("block a - - %d 2084700001" % LOOKUPS)
    t.ok("block b - - %d" % LOOKUPS)
    check(chains(w)["chain hold-a"] == ["meta skuid 2084700001 udp dport 53 accept"] +
          ["meta skuid 2084700001 tcp dport %d accept" % p for p in (53, 80, 443)],
          "%s" % chains(w)["chain hold-a"])
    ask(2084700002)
    expect(w, 0, 0, "another user")
    ask(2084700001)
    expect(w, 5, 0, "the one who may")
    t.ok("unblock a")
    ask(2084700001)
    expect(w, 5, 0, "its holder is gone")


def kill_switch_over_many_cycles(w):
    """Tunnels that come and go, the block held: not one packet beside them."""
    t = start(w)
    t.ok("block a - - 0")
    for i in range(100):
        t.ok("tun l2tp0 1400")
        t.ok("apply if=l2tp0 name=a local=10.98.0.2 server=%s flags=3" % SERVER)
        t.ok("block a l2tp0 10.98.0.2 %d" % (i % 2))
        if i % 10 == 0:
            everywhere(w)
        if i % 25 == 7:
            t.kill()
            t = w.tool()
        else:
            t.ok("release l2tp0")
            t.end()
            t = w.tool()
        if i % 10 == 5:
            everywhere(w)
    expect(w, 0, 0, "100 cycles")


CASES = [f for n, f in sorted(globals().items()) if n.startswith("kill_switch_")]
