# SPDX-License-Identifier: LGPL-2.1-or-later
"""A desktop session without a screen, programs in it, and a driver that sees what a screen reader
sees. All of it runs as an unprivileged user; nothing of the machine's own session is touched."""
import functools
import gettext
import glob
import json
import os
import re
import shutil
import signal
import subprocess
import sys
import time

HERE = os.path.dirname(os.path.abspath(__file__))
TOP = os.path.dirname(os.path.dirname(os.path.dirname(HERE)))
sys.path.insert(0, os.path.join(TOP, "tests", "lib"))
from suite import Failed, Skip, check  # noqa: E402

LAB = os.path.join(TOP, "tests", "desktop", "gui-lab")
DIR = os.environ.get("GUIL_DIR", "/tmp/gui-lab-%s" % os.environ.get("LAB_NS", "l2tpc"))
BUILD = os.environ.get("L2TPC_BUILD", os.path.join(TOP, "build"))
SHOTS = os.environ.get("GUI_SHOTS", os.path.join(BUILD, "screenshots"))
SYSTEM_BUS = os.path.join(DIR, "run", "system")


BUILDS = os.path.join(TOP, "tests", "lib", "builds.sh")


@functools.lru_cache(maxsize=None)
def program(variant):
    """The front end of a build with test hooks: $L2TPC_GUI, or that of $GUI_VARIANT or this one."""
    given = os.environ.get("L2TPC_GUI")
    if given:
        return given
    variant = os.environ.get("GUI_VARIANT", variant)
    out = subprocess.run(["bash", "-c", ". %s && build_variant %s && build_program %s l2tpc-gui"
                          % (BUILDS, variant, variant)], capture_output=True, text=True, cwd=TOP)
    path = out.stdout.strip().split("\n")[-1]
    if out.returncode != 0:
        raise Failed(out.stdout + out.stderr)
    if not path.endswith("l2tpc-gui"):
        raise Skip("GTK 4.8 and libadwaita 1.2 are not installed")
    return path


def lab(*args, check_it=True, **kw):
    env = dict(os.environ, GUIL_DIR=DIR)
    return subprocess.run([LAB] + list(args), env=env, check=check_it, capture_output=True,
                          text=True, timeout=kw.pop("timeout", 60), **kw)


class Session:
    def __init__(self):
        self.driver = None
        self.bus = None
        self.apps = []
        self.started = 0

    def build(self, variants):
        """Once for all sessions, which find it made."""
        if not shutil.which("Xvfb"):
            raise Skip("Xvfb is not installed")
        for variant in variants:
            program(variant)

    def take(self, variant):
        """What the next case runs: the program and its libraries, where any user may read them."""
        path = program(variant)
        self.root = os.path.dirname(os.path.dirname(path))
        folder = os.path.join(self.folder, "of-" + variant)
        self.program = os.path.join(folder, "l2tpc-gui")
        self.libraries = os.path.join(folder, "lib")
        with open(path, "rb") as f:
            self.sanitized = b"__asan_init" in f.read()  # slower then, and larger
        if os.path.exists(folder):
            return
        os.makedirs(self.libraries)
        shutil.copy(path, self.program)
        for name, place in (("libl2tpc.so.0", "libl2tpc/api"),
                            ("libl2tpc-profile.so.0", "libl2tpc/profile")):
            shutil.copy(os.path.join(self.root, place, name), self.libraries)
        subprocess.run(["chmod", "-R", "a+rX", folder], check=True)

    def up(self):
        lab("down", check_it=False)
        lab("up")
        os.makedirs(SHOTS, exist_ok=True)
        self.folder = os.path.join(DIR, "test")
        os.makedirs(self.folder)
        for name in ("driver.py", "tunnel_service.py", "first_frame.py", "panel.py"):
            shutil.copy(os.path.join(HERE, name), self.folder)
        subprocess.run(["chmod", "-R", "a+rX", self.folder], check=True)
        os.chmod(DIR, 0o755)
        self.config = os.path.join(self.folder, "system.conf")
        with open(self.config, "w") as f:
            f.write('<busconfig><listen>unix:path=%s</listen><auth>EXTERNAL</auth>'
                    '<policy context="default"><allow send_destination="*" eavesdrop="true"/>'
                    '<allow eavesdrop="true"/><allow own="*"/></policy></busconfig>' % SYSTEM_BUS)
        os.chmod(self.config, 0o644)
        self.complaints = os.path.join(self.folder, "complaints")
        os.makedirs(self.complaints)
        os.chmod(self.complaints, 0o777)
        self.bus = self.background("system-bus", "dbus-daemon", "--nofork", "--nopidfile",
                                   "--config-file=" + self.config)
        end = time.monotonic() + 5
        while not os.path.exists(SYSTEM_BUS) and time.monotonic() < end:
            time.sleep(0.02)
        self.start_driver()

    def start_driver(self):
        self.driver = subprocess.Popen(
            [LAB, "exec", "/usr/bin/python3", "-W", "ignore",
             os.path.join(self.folder, "driver.py")],
            env=dict(os.environ, GUIL_DIR=DIR), stdin=subprocess.PIPE, stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL, text=True)

    def down(self):
        for pid in list(self.apps):
            self.end(pid)
        if self.driver:
            self.driver.stdin.close()
            self.driver.wait(10)
        lab("down", check_it=False)

    def log(self, name):
        return os.path.join(DIR, "log", name)

    def background(self, name, *argv):
        out = lab("bg", self.log(name), "env", *argv)
        return int(out.stdout.split()[-1])

    def environment(self, fake=None, **more):
        env = {"LD_LIBRARY_PATH": self.libraries, "GSETTINGS_BACKEND": "memory",
               "DBUS_SYSTEM_BUS_ADDRESS": "unix:path=" + SYSTEM_BUS}
        if fake:
            env["L2TPC_GUI_FAKE"] = fake
        if self.sanitized:  # what the toolkit still holds at the end is its own affair
            env["ASAN_OPTIONS"] = "detect_leaks=0:log_path=%s/asan" % self.complaints
            env["UBSAN_OPTIONS"] = "print_stacktrace=1:log_path=%s/ubsan" % self.complaints
        env.update(more)
        return ["%s=%s" % pair for pair in env.items()]

    def start(self, *args, fake=None, name="app", **more):
        self.started += 1
        pid = self.background("app-%d-%s" % (self.started, name), *self.environment(fake, **more),
                              self.program, *args)
        self.apps.append(pid)
        return pid

    def copy_other(self, path, name):
        copy = os.path.join(self.folder, name)
        shutil.copy(path, copy + ".new")
        os.chmod(copy + ".new", 0o755)
        os.replace(copy + ".new", copy)  # the one before may still run
        return copy

    def first_frame(self, path, **env):
        out = lab("exec", "env", *self.environment(**env), "/usr/bin/python3",
                  os.path.join(self.folder, "first_frame.py"), path)
        time.sleep(0.3)  # its name leaves the bus
        return float(out.stdout.split()[-1])

    def start_other(self, path, name):
        copy = self.copy_other(path, name)
        pid = self.background(name, *self.environment(), copy)
        self.apps.append(pid)
        return pid

    def catalogues(self, language):
        """The build's catalogue, laid out as installed. Where there is none yet an empty one: it is
        what makes the toolkit use its own, and so write from right to left."""
        out = os.path.join(self.folder, "locale")
        source = os.path.join(self.root, "po", language, "LC_MESSAGES", "l2tpc.mo")
        place = os.path.join(out, language, "LC_MESSAGES")
        os.makedirs(place, exist_ok=True)
        if os.path.exists(source):
            shutil.copy(source, place)
        else:
            subprocess.run(["msgfmt", "-o", os.path.join(place, "l2tpc.mo"), "-"], check=True,
                           text=True, input='msgid ""\nmsgstr "Language: %s\\n'
                           'Content-Type: text/plain; charset=UTF-8\\n"\n' % language)
        subprocess.run(["chmod", "-R", "a+rX", self.folder], check=True)
        return out

    def say(self, words, language=None):
        """The words in the user's language, of the catalogue that the program is given."""
        if not language:
            return words
        return gettext.translation("l2tpc", self.catalogues(language), [language],
                                   fallback=True).gettext(words)

    def end(self, pid):
        if pid in self.apps:
            self.apps.remove(pid)
        try:
            os.kill(pid, signal.SIGTERM)
        except ProcessLookupError:
            return
        end = time.monotonic() + 5
        while os.path.exists("/proc/%d" % pid) and time.monotonic() < end and not zombie(pid):
            time.sleep(0.02)

    def judged(self, case):
        """A case is good when nothing that ran in it has complained, either."""
        self.complaint()
        try:
            case()
        except Exception as e:
            said = self.complaint()
            if said and not isinstance(e, Skip):
                raise Failed("%s\n%s" % (e, said)) from e
            raise
        said = self.complaint()
        check(not said, said)

    def complaint(self):
        """What the programs had to say about themselves since this was asked last."""
        said = []
        for path in glob.glob(os.path.join(self.complaints, "*")):
            with open(path, errors="replace") as f:
                text = f.read()[:4000]
            if "unexpected format specifier" not in text or "ERROR" in text:  # it knows not all of glibc's
                said.append(text)
            os.unlink(path)
        for path in glob.glob(self.log("app-*")):
            with open(path, errors="replace") as f:
                said += [line for line in f if re.search(r"-(CRITICAL|WARNING) \*\*", line)
                         and "unable to send notifications" not in line]  # to nobody, here
            os.unlink(path)
        return "\n".join(said)

    def alive(self, pid):
        return os.path.exists("/proc/%d" % pid) and not zombie(pid)

    def ask(self, **command):
        command.setdefault("app", "l2tpc-gui")
        self.driver.stdin.write(json.dumps(command) + "\n")
        self.driver.stdin.flush()
        answer = json.loads(self.driver.stdout.readline())
        if "error" in answer:
            raise Failed("%s: %s" % (command, answer["error"]))
        return answer["value"]

    def see(self, name, **more):
        """Waits until something with this accessible name is there."""
        node = self.ask(do="wait", name=name, **more)
        check(node, "nothing named %r %s; there is: %s" % (name, more or "", self.names()))
        return node

    def names(self):
        return sorted({n["name"] for n in self.ask(do="dump") if n["name"]})[:60]

    def gone(self, name, **more):
        check(self.ask(do="absent", name=name, **more), "%r is still there" % name)

    def click(self, name, **more):
        check(self.ask(do="click", name=name, **more) is not None,
              "nothing named %r to click; there is: %s" % (name, self.names()))

    def action(self, name, parameter=None):
        """An action of the application over D-Bus, as a launcher or a notification calls it."""
        end = time.monotonic() + 10
        while True:
            out = lab("exec", "gdbus", "call", "--session", "-d", "net.l2tpc.Dialer", "-o",
                      "/net/l2tpc/Dialer", "-m", "org.gtk.Actions.Activate", name,
                      "[<'%s'>]" % parameter if parameter else "[]", "{}", check_it=False)
            if out.returncode == 0:
                return
            check(time.monotonic() < end, "action %s: %s" % (name, out.stderr))
            time.sleep(0.05)

    def keys(self, *words):
        self.x("xdotool", *words)

    def x(self, *argv):
        with open(os.path.join(DIR, "display")) as f:
            display = ":" + f.read().strip()
        subprocess.run(argv, env=dict(os.environ, DISPLAY=display), check=True,
                       capture_output=True, timeout=20)

    def clipboard(self):
        """What a program of the session has copied, asked for as another one would paste it."""
        code = ("import gi; gi.require_version('Gtk', '3.0'); from gi.repository import Gtk, Gdk; "
                "print(Gtk.Clipboard.get(Gdk.SELECTION_CLIPBOARD).wait_for_text())")
        return lab("exec", "/usr/bin/python3", "-W", "ignore", "-c", code).stdout

    def shot(self, name):
        path = os.path.join(SHOTS, name + ".png")
        time.sleep(0.4)  # animations end
        lab("shot", path)
        return path


def zombie(pid):
    try:
        with open("/proc/%d/stat" % pid) as f:
            return f.read().rsplit(")", 1)[1].split()[0] == "Z"
    except FileNotFoundError:
        return True


def pss_kib(pid):
    with open("/proc/%d/smaps_rollup" % pid) as f:
        for line in f:
            if line.startswith("Pss:"):
                return int(line.split()[1])
    raise Failed("no Pss")
