# SPDX-License-Identifier: LGPL-2.1-or-later
"""From the switch to the tunnel: stages, questions, cancelling, failures."""
import os

import fake
from suite import check, sabotaged

ONE = "00000000-0000-4000-8000-000000000001"
PASSWORD = {"key": "password", "kind": "password", "expect": "wonderland"}


def recording(s, name, dial):
    return fake.write(os.path.join(s.folder, name + ".json"),
                      [fake.profile(1, "Office", "vpn.example.com", "alice", dial=dial)])


def add(suite, s):
    @suite.case("switch-connects-and-shows-stages")
    def stages():
        app = s.start(fake=recording(s, "stages", fake.climb("Office", 300)))
        try:
            s.click("Connect Office", role="check box")
            s.see("Looking up the server", role="list item", description="done, 1 ms")
            s.see("PPP: logging in", role="list item", description="still to come")
            s.shot("connecting")
            s.see("This is L2TP inside IPsec", within=6)
            s.see("Disconnect", role="push button")
            s.gone("Stages of the connection")
        finally:
            s.end(app)

    @suite.case("cancel-within-100-ms")
    def cancel():
        app = s.start(fake=recording(s, "cancel", fake.climb("Office", 600)))
        try:
            s.action("connect", ONE)
            s.see("IPsec: agreeing on algorithms and keys", role="list item", within=5)
            s.see("Cancel", role="push button")
            took = s.ask(do="press-until", key="ctrl+Return", name="Office", role="list item",
                         until="Not connected, vpn.example.com")
            check(took is not None and took < (0 if sabotaged() else 100), "it took %s ms" % took)
            print("    cancelled after %.0f ms" % took)
        finally:
            s.end(app)

    @suite.case("failure-is-a-sentence-a-hint-and-a-button")
    def failure():
        end = fake.failed("Office", "ike-auth", "ike.wrong-psk", "The sentence of the catalogue.",
                          "What to try next.", windows=789)
        app = s.start(fake=recording(s, "failure", fake.climb("Office", 20)[:3] +
                                     [{"after_ms": 20, "status": end}]))
        try:
            s.action("connect", ONE)
            s.see("Why it failed", description="The sentence of the catalogue.")
            s.see("What to try next.")
            s.see("ike.wrong-psk · known to Windows as error 789")
            s.see("Try Again", role="push button")
            s.see("IPsec: authenticating", role="list item", description="failed, 1 ms")
            s.shot("failed")
            s.click("Try Again", role="push button")
            s.see("Office", role="list item", description="Failed, vpn.example.com", within=5)
        finally:
            s.end(app)

    @suite.case("lost-tunnel-comes-back-and-the-window-lets-it")
    def lost():
        gone = dict(fake.up("Office"), state="reconnecting")
        gone["recovery"] = dict(gone.get("recovery") or {}, last_failure="up.peer-dead")
        app = s.start(fake=recording(s, "lost", fake.climb("Office", 10) + [
            {"after_ms": 500, "status": gone}, {"after_ms": 5000, "status": fake.up("Office")}]))
        try:
            s.action("connect", ONE)
            s.see("Office", role="list item", description="Reconnecting, vpn.example.com", within=5)
            s.see("Why it failed", description="The server no longer answers.")
            s.see("It is being made again by itself.")
            s.gone("This is L2TP inside IPsec")
            check(not s.ask(do="wait", name="The tunnel was interrupted.", within=0.2), "it is said twice")
            s.see("Office", role="list item", description="Connected, vpn.example.com", within=10)
            s.see("This is L2TP inside IPsec")
            s.gone("Why it failed")
        finally:
            s.end(app)

    @suite.case("secrets-are-asked-in-place-and-again")
    def secrets():
        step = fake.secrets_step(10, [PASSWORD], again="The server did not accept the password.")
        app = s.start(fake=recording(s, "secrets", [step] + fake.climb("Office", 10)))
        try:
            s.action("connect", ONE)
            s.see("The server wants to know who you are")
            node = s.see("Continue", role="push button")
            check("sensitive" not in node["states"], "it can be answered with nothing")
            s.keys("type", "--delay", "5", "wrong")
            s.shot("secrets")
            s.keys("key", "Return")
            s.see("The server did not accept the password.")
            s.keys("type", "--delay", "5", "wonderland")
            s.keys("key", "Return")
            s.see("This is L2TP inside IPsec")
            check("wonderland" not in str(s.ask(do="dump")), "the password is still there")
        finally:
            s.end(app)

    @suite.case("code-and-new-password")
    def code():
        step = fake.secrets_step(10, [
            {"key": "code", "kind": "code", "expect": "123456", "keep": False},
            {"key": "new", "kind": "new-password", "expect": "n3w", "keep": False}],
            message="The password has expired.")
        app = s.start(fake=recording(s, "code", [step] + fake.climb("Office", 10)))
        try:
            s.action("connect", ONE)
            s.see("The password has expired.")
            s.see("One-time code")
            s.keys("type", "--delay", "5", "123456")
            s.keys("key", "Tab")
            s.keys("type", "--delay", "5", "n3w")
            node = s.see("Continue", role="push button")
            check("sensitive" not in node["states"], "one copy of a new password is enough")
            s.keys("key", "Tab")
            s.keys("type", "--delay", "5", "n3w")
            node = s.see("Continue", role="push button")
            if "sensitive" not in node["states"]:  # the eye beside the entry took the focus
                s.keys("key", "Tab")
                s.keys("type", "--delay", "5", "n3w")
            s.keys("key", "Return")
            s.see("This is L2TP inside IPsec")
        finally:
            s.end(app)

    @suite.case("refused-question-ends-the-dial")
    def refused():
        step = fake.secrets_step(10, [PASSWORD])
        app = s.start(fake=recording(s, "refused", [step] + fake.climb("Office", 10)))
        try:
            s.action("connect", ONE)
            s.see("The server wants to know who you are")
            s.click("Cancel", role="push button")
            s.gone("The server wants to know who you are")
            s.see("Office", role="list item", description="Not connected, vpn.example.com")
        finally:
            s.end(app)
