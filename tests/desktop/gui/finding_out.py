# SPDX-License-Identifier: LGPL-2.1-or-later
"""Where a dial broke, as a picture and as text; the log; the report for strangers."""
import os

import fake
from suite import check, sabotaged

WRONG = "00000000-0000-4000-8000-000000000001"
SILENT = "00000000-0000-4000-8000-000000000002"


def broken(s):
    return fake.write(os.path.join(s.folder, "broken.json"), [
        fake.profile(1, "Wrong key", "vpn.example.com", "alice", now=fake.failed(
            "Wrong key", "ike-auth", "ike.auth.psk", "The pre-shared key is wrong.",
            "Type the key again.", windows=789)),
        fake.profile(2, "Silent", "203.0.113.7", "bob", now=fake.failed(
            "Silent", "ike-phase1", "ike.no-answer", "The server did not answer.", "Ask."))])


def add(suite, s):
    @suite.case("find-out-why-marks-what-failed")
    def marks():
        app = s.start(fake=broken(s))
        try:
            s.action("show-details", WRONG)
            s.click("Find Out Why", role="push button")
            s.see("The way to the server")
            for name, word in (("Server", "works. It answered."),
                               ("IPsec", "failed. It ended at this stage: IPsec: authenticating."),
                               ("L2TP", "not known. It was not reached." + ("!" if sabotaged() else ""))):
                s.see(name, role="panel", description=word)
            s.see("Windows' number for it", role="list item", description="789")
            s.shot("diagnosis")
            s.keys("key", "Escape")
            s.gone("The way to the server")
            s.action("show-details", SILENT)
            s.keys("key", "ctrl+i")
            s.see("Server", role="panel", description="failed. It did not answer.")
            s.see("First hop", role="panel", description="not known. Nothing came back that could tell.")
        finally:
            s.end(app)

    @suite.case("log-is-sought-and-the-report-names-nobody")
    def report():
        log = [[2, "dial", "resolve begins"], [3, "ike", "alice at VPN.example.com, 203.0.113.77:500"],
               [0, "ike", "from fe80::1c and 10.99.1.2: no, says server@example.com"]]
        path = fake.write(os.path.join(s.folder, "log.json"), [
            fake.profile(1, "Wrong key", "vpn.example.com", "alice", log=log, now=fake.failed(
                "Wrong key", "ike-auth", "ike.auth.psk", "The key of vpn.example.com is wrong.", "Type."))])
        app = s.start(fake=path)
        try:
            s.action("show-details", WRONG)
            s.see("Find Out Why", role="push button")
            s.keys("key", "ctrl+l")
            s.see("1  Step  dial: resolve begins")
            s.keys("key", "Tab", "key", "Tab", "key", "Tab", "type", "--delay", "5", "server@")
            s.gone("1  Step  dial: resolve begins")
            s.see("3  Error  ike: from fe80::1c and 10.99.1.2: no, says server@example.com")
            s.shot("log")
            s.keys("key", "Escape")
            s.gone("Search the log")
            s.keys("key", "ctrl+shift+r")
            s.see("The report was copied. Names and addresses in it are replaced.")
            text = s.clipboard()
            said = [w for w in ("alice", "vpn.example.com", "203.0.113.77", "10.99.1", "fe80", "@", "Wrong key")
                    if w.lower() in text.lower()]
            check(not said, "the report says %s:\n%s" % (said, text))
            for words in ("[user 1] at [server 1], [address ", "ike.auth.psk", "IPsec: failed",
                          "The key of [server 1] is wrong." + ("!" if sabotaged() else "")):
                check(words in text, "%r is not in the report:\n%s" % (words, text))
        finally:
            s.end(app)

    @suite.case("picture-of-the-diagnosis")
    def pictures():
        for name, env in (("dark", {"ADW_DEBUG_COLOR_SCHEME": "prefer-dark"}),
                          ("arabic", {"LANGUAGE": "ar", "L2TPC_GUI_LOCALE_DIR": s.catalogues("ar")})):
            app = s.start(fake=broken(s), **env)
            try:
                s.action("show-details", WRONG)
                check(s.ask(do="wait", role="push button", within=5), "there is no window")
                s.keys("key", "ctrl+i")
                title = s.say("The way to the server", env.get("LANGUAGE"))
                check(s.ask(do="wait", name=title, within=5), "no %r" % title)
                check(os.path.getsize(s.shot("diagnosis-" + name)) > 10000 and not sabotaged(), "empty")
            finally:
                s.end(app)
