# SPDX-License-Identifier: LGPL-2.1-or-later
"""Cases of the live and the interop suite: the four processes of a dial, and what becomes of it when one ends."""
import copy
import os
import signal
import subprocess
import time

from suite import Skip, check
from dial import HERE, TOP, Client, Dial, same_state


def eventually(client, before, seconds):
    """The state is as before within that time, counted from now."""
    end = time.monotonic() + seconds
    while client.state() != before and time.monotonic() < end:
        time.sleep(0.05)
    same_state(before, client.state())


def rights_of(pid):
    with open("/proc/%d/status" % pid) as f:
        return dict(line.rstrip("\n").split(":\t", 1) for line in f)


def processes_of(dial):
    """Front, engine, signer and broker: the four processes of a dial, by name."""
    front = next(p for p in descendants(dial.process.pid)
                 if rights_of(p)["Name"] == "l2tpc")
    found = {"front": front}
    for p in descendants(front)[1:]:
        name = rights_of(p)["Name"]
        check(name.startswith("l2tpc-") and name[6:] not in found, "a second %s" % name)
        found[name[6:]] = p
    check(sorted(found) == ["broker", "engine", "front", "signer"], str(found))
    return found


def is_gone(pid):
    """Nothing of it is left but, perhaps, a status that nobody has waited for yet."""
    try:
        return rights_of(pid)["State"].startswith("Z")
    except OSError:
        return True


def wait_gone(its):
    end = time.monotonic() + 3
    for name in its:
        while not is_gone(its[name]):
            check(time.monotonic() < end, "the %s does not end" % name)
            time.sleep(0.02)


def descendants(pid):
    found = [pid]
    for p in found:
        out = subprocess.run(["pgrep", "-P", str(p)], capture_output=True, text=True).stdout
        found += [int(c) for c in out.split()]
    return found


def has_no_rights(pid, filtered=True):
    """A user of its own, no group, no capability, nothing to come back by; in every thread."""
    mine = rights_of(pid)
    for key in ("CapInh", "CapPrm", "CapEff", "CapBnd", "CapAmb"):
        check(int(mine[key], 16) == 0, "%s is %s" % (key, mine[key]))
    users = set(mine["Uid"].split())
    check(len(users) == 1 and users == set(mine["Gid"].split()) and
          0x7c320000 <= int(users.copy().pop()) < 0x7d000000, "it runs as %s" % mine["Uid"])
    check(mine["Groups"].split() == [], "its groups are " + mine["Groups"])
    for task in os.listdir("/proc/%d/task" % pid):
        with open("/proc/%d/task/%s/status" % (pid, task)) as f:
            text = f.read()
        check("CapEff:\t0000000000000000" in text and "NoNewPrivs:\t1" in text and
              "Seccomp:\t2" in text, text)
    return users.pop()


def holds(pid, secret):
    """Any memory of that process that it may write to."""
    with open("/proc/%d/maps" % pid) as f:
        areas = [line.split() for line in f]
    with open("/proc/%d/mem" % pid, "rb", 0) as memory:
        for area in areas:
            start, end = (int(x, 16) for x in area[0].split("-"))
            if "w" not in area[1] or end - start > 1 << 28 or area[-1].startswith("[v"):
                continue
            try:
                memory.seek(start)
                if secret in memory.read(end - start):
                    return True
            except OSError:
                pass
    return False


def plain_bench(bench):
    """Sanitizers make calls of their own, so that only a build without them is killed."""
    if b"__asan_init" not in open(bench.l2tpc, "rb").read():
        return bench
    out = subprocess.run(["bash", "-c", ". %s/tests/lib/builds.sh && build_variant clang && "
                          "build_program clang l2tpc" % TOP], capture_output=True, text=True)
    check(out.returncode == 0, "the build failed:\n" + out.stdout + out.stderr)
    plain = copy.copy(bench)
    plain.l2tpc = out.stdout.strip()
    return plain


def cases(live):
    suite = live.suite

    @suite.case()
    def processes_have_no_rights():
        client = Client()
        before = client.state()
        dial = Dial(live.bench, client)
        dial.wait_up()
        its = processes_of(dial)
        users = [has_no_rights(its[name]) for name in ("front", "engine", "signer")]
        check(len(set(users)) == 3, "they share a user: %s" % users)
        check(len(os.listdir("/proc/%d/task" % its["engine"])) == 1, "the engine has threads")
        root = rights_of(its["broker"])
        check(root["Uid"].split()[0] == "0", "the broker runs as " + root["Uid"])
        for name, pid in its.items():
            for fd in os.listdir("/proc/%d/fd" % pid):
                to = os.readlink("/proc/%d/fd/%s" % (pid, fd))
                check(name == "engine" or "/dev/net/tun" not in to, "the %s keeps the TUN" % name)
                check(name != "engine" or "/dev/pts" not in to, "the engine's " + to)
        live.carries_traffic(dial)
        live.proven(dial.fresh_status())
        dial.stop()
        same_state(before, client.state())

    @suite.case()
    def data_threads_are_behind_the_filter():
        client = Client()
        before = client.state()
        capture = live.Capture(live.bench, client.seen)
        dial = Dial(live.bench, client, "--data-threads", "2")
        dial.wait_up()
        engine = processes_of(dial)["engine"]
        has_no_rights(engine)
        tasks = os.listdir("/proc/%d/task" % engine)
        check(len(tasks) == 3, "the engine has %d threads" % len(tasks))
        for task in tasks:
            with open("/proc/%d/task/%s/status" % (engine, task)) as f:
                check("\nSeccomp:\t2\n" in f.read(), "a thread is outside of the filter")
        live.carries_traffic(dial)
        live.proven(dial.fresh_status())
        dial.stop()
        same_state(before, client.state())
        capture.judge([dial], polite=True)

    @suite.case()
    def secrets_are_where_they_are_used():
        """The engine has the pre-shared key and the password; nobody else keeps them."""
        client = Client()
        dial = Dial(live.bench, client, password="wonderland")
        dial.wait_up()
        its = processes_of(dial)
        for name in ("front", "signer", "broker"):
            check(not holds(its[name], b"wonderland"), "the %s knows the password" % name)
        check(holds(its["engine"], b"wonderland"), "this test finds nothing")
        dial.stop()

    @suite.case()
    def engine_that_opens_something_is_killed():
        plain = plain_bench(live.bench)
        for call in ("openat", "socket", "execve", "fork", "code"):
            client = Client()
            before = client.state()
            dial = Dial(plain, client, env={"L2TPC_TEST_FORBIDDEN": call})
            dial.must_fail("local.engine", 15)
            check("l2tpc-engine was ended by signal %d" % signal.SIGSYS in dial.told(),
                  "%s: %s" % (call, dial.told()))
            eventually(client, before, 1.5)

    @suite.case()
    def killed_process_ends_the_dial():
        """Whichever of the four it is: within a second the others are gone and all is undone."""
        for name in ("front", "engine", "signer"):
            client = Client()
            before = client.state()
            dial = Dial(live.bench, client)
            dial.wait_up()
            its = processes_of(dial)
            check(client.state() != before, "nothing to clean up: was the tunnel up at all?")
            os.kill(its[name], signal.SIGKILL)
            eventually(client, before, 1.5)  # looking takes some time, too
            for other, pid in its.items():
                try:
                    check(rights_of(pid)["State"][0] in "ZX", "%s: the %s lives on" % (name, other))
                except FileNotFoundError:
                    pass
            if name != "front":
                dial.must_fail("local." + name, 60)

    @suite.case()
    def stopped_engine_is_ended():
        """One that does nothing any more holds a TUN: its user's second word ends it."""
        client = Client()
        before = client.state()
        dial = Dial(live.bench, client)
        dial.wait_up()
        its = processes_of(dial)
        os.kill(its["engine"], signal.SIGSTOP)
        for _ in range(2):
            os.kill(its["front"], signal.SIGTERM)
            time.sleep(0.2)
        dial.wait_end(time.monotonic() - dial.began + 5)
        eventually(client, before, 1.5)

    @suite.case()
    def killed_broker_ends_the_dial():
        client = Client()
        before = client.state()
        dial = Dial(live.bench, client)
        dial.wait_up()
        its = processes_of(dial)
        os.kill(its["broker"], signal.SIGKILL)
        begun = time.monotonic()
        dial.must_fail("local.broker", begun - dial.began + 5)
        check(time.monotonic() - begun < 1, "it ended after %.1f s" % (time.monotonic() - begun))
        check(client.state() != before, "nothing to clean up: did the broker do it?")
        # The next start puts right what is left; this one goes nowhere.
        Dial(live.bench, client, "--timeout", "2", server="10.98.0.77", name=dial.name).wait_end(10)
        same_state(before, client.state())

    @suite.case()
    def killed_dial_is_cleaned_up():
        """All processes at once, as when the computer kills a whole control group."""
        client = Client()
        before = client.state()
        dial = Dial(live.bench, client)
        dial.wait_up()
        its = processes_of(dial)
        for name in its:
            os.kill(its[name], signal.SIGSTOP)
        for name in its:
            os.kill(its[name], signal.SIGKILL)
        dial.process.wait(5)
        check(client.state() != before, "nothing to clean up: was the tunnel up at all?")
        # The next start puts right what the killed dial left; this one goes nowhere.
        Dial(live.bench, client, "--timeout", "2", server="10.98.0.77", name=dial.name).wait_end(10)
        same_state(before, client.state())

    @suite.case()
    def kill_switch_is_not_the_engines_to_lift():
        """Nor what was learned its own to write: a test engine asks the broker for both."""
        client = Client()
        before = client.state()
        dial = Dial(live.bench, client, "--kill-switch", "--verbose",
                    env={"L2TPC_TEST_FORBIDDEN": "broker"},
                    memory=os.path.join(live.bench.folder, "state-%d" % client.n))
        dial.wait_up()
        with open(dial.stderr_path) as f:
            check(f.read().count("the broker refuses request") == 2, dial.told())
        its = processes_of(dial)
        os.kill(its["engine"], signal.SIGKILL)
        dial.must_fail("local.engine", 60)
        check("stays blocked" in dial.told(), dial.told())
        rules = client.run("nft", "list", "tables").stdout
        check("l2tpc-block" in rules, "it went with the engine: " + rules)
        client.run(live.bench.l2tpc, "unblock")
        same_state(before, client.state())

    @suite.case()
    def server_moves_behind_a_kill_switch():
        """The name leads elsewhere by now (F16): it is asked for past the tunnel that was lost, whose
        routes, DNS and kill switch stay; and nothing else of this computer comes through."""
        client, other = Client(), Client()
        new = "10.99.1.250"
        where = os.path.join(live.bench.folder, "address-%d" % client.n)
        point(where, "10.99.1.1")
        server = os.environ["LAB_NS"] + "-srv"
        live.bench.remember(subprocess.Popen(
            ["ip", "netns", "exec", other.ns, os.path.join(HERE, "names.py"), where]))
        with open("/etc/netns/%s/resolv.conf" % client.ns, "w") as f:
            f.write("nameserver %s\n" % other.address)
        end = time.monotonic() + 5
        while not os.path.exists(where + ".ready") and time.monotonic() < end:
            time.sleep(0.05)
        dial = Dial(live.bench, client, "--kill-switch", "--reconnect", "on", server="gate.lab")
        dial.wait_up()
        check(dial.status["server"]["address"] == "10.99.1.1", "%s" % dial.status["server"])
        subprocess.run(["ip", "-n", server, "addr", "replace", new + "/24", "dev", "lan0"], check=True)
        subprocess.run(["ip", "netns", "exec", server, "nft", "-f", "-"], text=True, check=True,
                       input="""
            table ip moved%d {
                chain old { type filter hook prerouting priority -300;
                             ip saddr %s ip daddr 10.99.1.1 drop; }
                chain new { type nat hook prerouting priority -100;
                            ip saddr %s ip daddr %s dnat to 10.99.1.1; }
            }""" % (client.n, client.address, client.address, new))
        point(where, new)
        asked = os.path.getsize(where + ".asked")
        live.end_session(client)
        end = time.monotonic() + 60
        with dial.changed:
            while dial.status.get("server", {}).get("address") != new and time.monotonic() < end:
                dial.changed.wait(0.5)
        check(dial.status["server"]["address"] == new, dial.told())
        check(os.path.getsize(where + ".asked") > asked, "nobody has asked again")
        live.carries_traffic(dial)
        dial.stop()


def point(where, address):
    with open(where + ".new", "w") as f:
        f.write(address + "\n")
    os.rename(where + ".new", where)


def certificate_cases(lab):
    @lab.case("strongswan+ike-aes256+esp-aes-sha1+rsa-uri")
    def engine_with_a_certificate_opens_nothing():
        """Names, files and questions to a CA are the signer's: its filter is closed here, too."""
        if b"__asan_init" in open(lab.bench.l2tpc, "rb").read():
            raise Skip("sanitizers make calls of their own, and are not killed for it")
        for call in ("openat", "socket", "execve"):
            d = lab.dial(lab.Client(), *lab.with_certificate(), psk=None,
                         env={"L2TPC_TEST_FORBIDDEN": call})
            d.must_fail("local.engine", 15)
            check("l2tpc-engine was ended by signal %d" % signal.SIGSYS in d.told(),
                  "%s: %s" % (call, d.told()))

    @lab.case("strongswan+ike-aes256+esp-aes-sha1+rsa-uri")
    def revocation_past_the_kill_switch():
        """The broker's sockets go past it, which was in force before the question."""
        for how, asked, source in (("good", [lab.POST], "ocsp"),
                                   ("no-ocsp", [lab.POST, lab.GET], "crl")):
            lab.revocation_of(how, "--revocation", "hard", "--kill-switch", asked=asked,
                              state="good", source=source)

    @lab.case("strongswan+ike-aes256+esp-aes-sha1+rsa")
    def token_of_root_gives_no_more_than_itself():
        """Its signer is user 0, with no capability; it tries to write, to signal, to reach services
        and to start a program, and does not come up when anything of that works."""
        token = lab.SoftToken(lab.bench).fill("client")
        d = lab.dial(lab.Client(), *token.words(), psk=None,
                     env=dict(token.env, L2TPC_TEST_FORBIDDEN="root", SUDO_UID="0"))
        d.wait_up(30)
        its = rights_of(processes_of(d)["signer"])
        check(its["Uid"].split() == ["0"] * 4, "it is user " + its["Uid"])
        for key in ("CapInh", "CapPrm", "CapEff", "CapBnd", "CapAmb"):
            check(int(its[key], 16) == 0, "%s is %s" % (key, its[key]))
        check(its["NoNewPrivs"] == "1" and its["Seccomp"] == "2", str(its))
        d.stop()
