# SPDX-License-Identifier: LGPL-2.1-or-later
"""One lab for the cases of tests/desktop/nm: a SoftEther server and a NetworkManager beside it."""
import os
import subprocess

from suite import Failed, Skip, sabotaged

HERE = os.path.dirname(os.path.abspath(__file__))
TOP = os.path.dirname(os.path.dirname(HERE))
SOFTETHER = os.path.join(TOP, "tests", "lab", "softether")


class World:
    def __init__(self):
        self.lab = os.path.join(HERE, "nm-lab")
        self.build = os.environ.get("NM_BUILD")

    def call(self, *args, timeout=60, **more):
        return subprocess.run([str(a) for a in args], capture_output=True, text=True,
                              errors="replace", timeout=timeout, stdin=subprocess.DEVNULL, **more)

    def must(self, *args, timeout=60):
        out = self.call(*args, timeout=timeout)
        if out.returncode != 0:
            raise Failed("%s: %s" % (" ".join(map(str, args)), (out.stderr or out.stdout).strip()))
        return out.stdout

    def run(self, *args, timeout=60):
        """As root where NetworkManager runs."""
        return self.call(self.lab, "exec", *args, timeout=timeout)

    def ours(self):
        """The build folder; the suite's own unless NM_BUILD names one."""
        if not self.build:
            script = ". tests/lib/builds.sh; build_variant clang >&2 && build_dir clang"
            out = self.call("bash", "-c", script, timeout=600, cwd=TOP)
            if out.returncode != 0:
                raise Failed("the build failed: " + out.stderr[-2000:])
            self.build = out.stdout.strip()
        return self.build

    def up(self):
        """None, or why no case can run."""
        if os.geteuid() != 0:
            return Skip("needs root")
        try:
            build = self.ours()
            if not os.path.exists(os.path.join(build, "nm-plugin", "data", "nm-l2tpc-service.name")):
                return Skip("built without libnm")
            self.must(SOFTETHER, "up", timeout=90)
            self.must(self.lab, "up")
            if not sabotaged():  # NetworkManager then knows of no such service
                self.must(self.lab, "install", build)
        except Failed as e:
            return e
        return None

    def down(self):
        if os.environ.get("LAB_KEEP"):
            return
        self.call(self.lab, "down")
        self.call(SOFTETHER, "down")

    def guarded(self, function, why):
        def guarded():
            if why:
                raise why
            function()
        return guarded
