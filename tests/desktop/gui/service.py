# SPDX-License-Identifier: LGPL-2.1-or-later
"""The window of a computer without NetworkManager: what it does goes through net.l2tpc.Service1."""
import json
import os
import shutil
import subprocess
import time

from profiles import MOBILECONFIG
from session import DIR, HERE, LAB, SYSTEM_BUS, TOP
from suite import Failed, check, sabotaged


class Service:
    def __init__(self, s, *fatal):
        folder = os.path.join(s.folder, "service")
        os.makedirs(folder, exist_ok=True)
        for name in ("Service1", "Tunnel1"):
            shutil.copy(os.path.join(TOP, "data", "dbus", "net.l2tpc.%s.xml" % name), folder)
        for name in ("status.json", "dial_service.py"):
            shutil.copy(os.path.join(HERE, name), folder)
        subprocess.run(["chmod", "-R", "a+rX", folder], check=True)
        self.log = open(os.path.join(folder, "calls"), "w+")
        self.child = subprocess.Popen(
            [LAB, "exec", "env", "DBUS_SYSTEM_BUS_ADDRESS=unix:path=" + SYSTEM_BUS,
             "/usr/bin/python3", "-W", "ignore", os.path.join(folder, "dial_service.py"), folder,
             os.path.join(folder, "status.json"), *fatal],
            env=dict(os.environ, GUIL_DIR=DIR), stdin=subprocess.DEVNULL, stdout=self.log)
        self.wait(lambda: "ready" in self.text(), "the service")

    def wait(self, condition, what):
        end = time.monotonic() + 5
        while not condition():
            check(time.monotonic() < end, "%s did not come; calls: %s" % (what, self.text()))
            time.sleep(0.05)

    def text(self):
        self.log.flush()
        with open(self.log.name) as f:
            return f.read()

    def called(self, method):
        lines = [json.loads(l) for l in self.text().splitlines() if l.startswith("[")]
        return [l[1:] for l in lines if l[0] == method]

    def end(self):
        self.child.kill()
        self.child.wait(10)
        self.log.close()


# What the user does, and what is called by that.
MOMENTS = [("ListProfiles", ()), ("Connect", ("ctrl+Return",)), ("GetStatus", ("ctrl+Return",)),
           ("ProvideSecretsByFd", ("ctrl+Return", None)), ("Disconnect", ("ctrl+Return", "ctrl+Return")),
           ("GetProfile", ("ctrl+d",)), ("AddProfileByFd", ("ctrl+d",))]


def die_at(s, method, keys):
    """The service dies in the middle of one of its calls; the window says so and can be used."""
    service = Service(s, method)
    app = s.start()
    try:
        if keys:
            s.see("Branch", role="list item", description="Not connected, branch.example.com")
        for key in keys:
            if key is None:
                s.see("The server wants to know who you are")
                s.keys("type", "--delay", "5", "wonderland")
                s.keys("key", "Return")
                continue
            s.keys("key", key)
            if key != keys[-1]:
                s.ask(do="wait", name="This is L2TP inside IPsec", within=2)
        service.wait(lambda: "died" in service.text(), method)
        s.see("The service for L2TP connections has stopped.")
        begin = time.monotonic()
        s.see("Connections")
        check(time.monotonic() - begin < (0 if sabotaged() else 3), "it hangs at " + method)
        check(s.alive(app), "the window is gone, too: " + method)
    except Failed as e:
        raise Failed("%s: %s" % (method, e)) from e
    finally:
        s.end(app)
        service.end()


def add(suite, s):
    @suite.case("service-vanishes-in-the-middle-of-each-call")
    def vanishes():
        for method, keys in MOMENTS:
            die_at(s, method, keys)

    @suite.case("service-without-networkmanager-stores-and-dials")
    def dials():
        service = Service(s)
        path = os.path.join(s.folder, "branch.mobileconfig")
        with open(path, "w") as f:
            f.write(MOBILECONFIG)
        os.chmod(path, 0o644)
        app = s.start(path)
        try:
            s.see("This will be added")
            s.click("Add", role="push button")
            s.see("Branch", role="list item", description="Not connected, branch.example.com")
            s.keys("key", "ctrl+Return")
            s.see("The server wants to know who you are")
            s.click("Remember in the connection Remember")
            s.keys("type", "--delay", "5", "wrong")
            s.keys("key", "Return")
            s.see("Branch", role="list item", description="Failed, branch.example.com")
            s.see("A sentence of the service.")
            check(not service.called("UpdateProfileByFd"), "a wrong password was kept")
            s.keys("key", "ctrl+Return")
            s.see("The server wants to know who you are")
            s.click("Remember in the connection Remember")
            s.keys("type", "--delay", "5", "wonderland")
            s.keys("key", "Return")
            s.see("Branch", role="list item", description="Connected, branch.example.com" +
                  ("!" if sabotaged() else ""))
            s.see("This is L2TP inside IPsec")
            asked = [a[3] for a in service.called("ProvideSecretsByFd")]
            check(asked == ["wrong", "wonderland"], "it was answered: %s" % asked)
            service.wait(lambda: service.called("UpdateProfileByFd"), "the password to be kept")
            check(service.called("UpdateProfileByFd")[0][2] == "wonderland", "another password")
            s.keys("key", "ctrl+Return")
            s.see("Branch", role="list item", description="Not connected, branch.example.com")
            s.keys("key", "ctrl+Return")  # and now nothing is asked
            s.see("Branch", role="list item", description="Connected, branch.example.com")
            service.end()
            s.see("The service for L2TP connections has stopped.")
            check(s.alive(app), "the window is gone, too")
        finally:
            s.end(app)
            service.end()
