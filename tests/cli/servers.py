# SPDX-License-Identifier: LGPL-2.1-or-later
"""Tables of servers: l2tpc servers, and tables of one's own, good and bad."""
import os
import shutil

from suite import check
from bench import Dial, Untouched, SERVER, SILENT
from common import base, bench, secrets, suite, usage

HEAD = "l2tpc-servers 1\n"
OFFICE = HEAD + "server The office\nvendor-name RFC 3947\nquirk port-1701\nnote Ask Bob.\n"


class Tables:
    """A folder of tables by their names."""

    def __init__(self, **files):
        self.files = files

    def __enter__(self):
        self.folder = os.path.join(bench.folder, "servers.d")
        os.mkdir(self.folder)
        for name, text in self.files.items():
            bench.write("servers.d/%s.quirks" % name, text, 0o644)
        return self.folder

    def __exit__(self, *_):
        shutil.rmtree(self.folder)


@suite.case()
def servers_list():
    code, out, err = bench.run("servers")
    check(code == 0 and err == "" and out.count("server ") >= 20, out[-500:] + err)
    for name in ("strongSwan", "Libreswan", "SoftEther VPN Server", "FortiGate", "xl2tpd"):
        check("server %s\n" % name in out, "%s is not listed" % name)
        code, one, err = bench.run("servers", name.upper())
        check(code == 0 and one.startswith("server %s\n" % name) and "  source " in one, one + err)
    usage("servers", "nobody", words="no server 'nobody'")
    usage("servers", "a", "b", words="'b' is one word too many")
    usage("servers", "--servers-dir", words="needs a value")
    usage("servers", "--all", words="--all is not an option")


@suite.case()
def servers_of_ones_own():
    with Tables(office=OFFICE, broken=HEAD + "server x\nvendor-id 0\n") as folder:
        code, out, err = bench.run("servers", "--servers-dir", folder)
        check(code == 0 and out.startswith("server The office\n  # office.quirks, 2\n"), out[:300])
        check("broken.quirks, line 3: " in err and "The file is ignored." in err, err)
        check(len(err.splitlines()) == 1, err)
        # What is listed can be read again.
        bench.write("servers.d/again.quirks", HEAD + out.replace("  ", ""), 0o644)
        os.unlink(os.path.join(folder, "broken.quirks"))
        code, out, err = bench.run("servers", "the office", "--servers-dir", folder)
        check(code == 0 and err == "" and out.count("server The office") == 2, out + err)
    code, _, err = bench.run("servers", "--servers-dir", "/nonexistent")
    check(code == 0 and "/nonexistent cannot be read" in err, err)


@suite.case()
def broken_table_does_not_stop_a_dial():
    with Tables(broken="rubbish\n") as folder, Untouched(bench):
        code, _, err = bench.run(*base(SILENT), *secrets(), "--timeout", "1", "--servers-dir", folder)
        check(code == 4 and "broken.quirks, line 1: " in err and "[local.timeout" in err, err)


@suite.case()
def failure_says_what_may_help():
    wrong = bench.write("wrong-password", "not it\n")
    peer = bench.peer()
    try:
        with Tables(office=OFFICE + "suggest --allow pap\n") as folder, Untouched(bench):
            args = [*base(), "--psk-file", bench.folder + "/psk", "--password-file", wrong,
                    "--servers-dir", folder]
            code, _, err = bench.run(*args)
            check(code == 11 and "[ppp.auth.failed" in err, err)
            check("Kind of server: The office" in err and "Known of this kind: Ask Bob." in err and
                  "Options that may help: --allow pap" in err, err)
            code, _, err = bench.run(*args, "--json")
            check(code == 11 and err == "", err)
    finally:
        bench.end(peer)


@suite.case()
def status_names_the_server():
    peer = bench.peer()
    try:
        with Tables(office=OFFICE) as folder, Untouched(bench):
            dial = Dial(bench, "--servers-dir", folder, server=SERVER).wait_up()
            code, out, err = bench.run("status")
            check(code == 0 and "The office" in out and "Ask Bob." in out and
                  "port-1701 (office.quirks: The office)" in out and "vendor-name RFC 3947" in out,
                  out + err)
            check(dial.stop() == 0, dial.told())
    finally:
        bench.end(peer)
