# SPDX-License-Identifier: LGPL-2.1-or-later
"""Cases shared by sessions: each is a process of this program with a folder, a screen and buses of
its own, that takes the next case from a pipe and tells the first process what came of it."""
import contextlib
import fcntl
import io
import json
import os
import signal
import subprocess
import sys
import threading
import time

from session import DIR
from suite import Failed, Skip, sabotaged

# They measure the machine as much as the program, and have it alone; taken last.
ALONE = {"cancel-within-100-ms", "first-frame-within-twice-an-empty-window",
         "idle-window-costs-at-most-20-mb-more"}

# They go through most of the window's own code, and run where each wrong access is seen.
SANITIZED = {"double-click-shows-a-preview-and-adds", "foreign-file-is-refused-in-a-sentence",
             "delete-can-be-undone", "a-connection-is-made-and-edited-in-the-window",
             "secrets-are-asked-in-place-and-again", "find-out-why-marks-what-failed",
             "log-is-sought-and-the-report-names-nobody", "service-vanishes-or-falls-silent",
             "service-without-networkmanager-stores-and-dials",
             "service-vanishes-in-the-middle-of-each-call", "picture-dark",
             "tray-menu-connects-and-disconnects"}


def variant_of(name):
    return "sanitize" if name in SANITIZED else "clang"


def ordered(suite):
    chosen = suite.chosen(sys.argv[1:])
    return [c for c in chosen if c[0] not in ALONE] + [c for c in chosen if c[0] in ALONE]


class Machine:
    """Shared by cases, held by the one that measures."""

    def __init__(self, path):
        self.file = open(path, "w")

    @contextlib.contextmanager
    def for_case(self, name):
        fcntl.flock(self.file, fcntl.LOCK_EX if name in ALONE else fcntl.LOCK_SH)
        try:
            yield
        finally:
            fcntl.flock(self.file, fcntl.LOCK_UN)


def serve(suite, session):
    """A session: cases come as numbers of one byte, answers leave as lines of JSON."""
    queue, answers = int(os.environ["GUI_QUEUE"]), sys.stdout
    machine = Machine(os.environ["GUI_MACHINE"])
    cases = ordered(suite)

    def tell(**what):
        answers.write(json.dumps(what) + "\n")
        answers.flush()

    try:
        session.up()
        for number in iter(lambda: os.read(queue, 1), b""):
            name, function = cases[number[0]]
            said = io.StringIO()
            tell(begin=name)
            session.take(variant_of(name))
            with machine.for_case(name), contextlib.redirect_stdout(said):
                begin = time.monotonic()
                word, text = suite.judge(lambda: session.judged(function))
            took = "    %.1f s\n" % (time.monotonic() - begin) if os.environ.get("GUI_TIMES") else ""
            tell(end=name, word=word, text=said.getvalue() + took + text)
            if sabotaged() and word == "FAIL":
                os.read(queue, 255)  # one red case is all that is asked for
    except (Skip, Failed) as e:
        tell(begin="session")
        tell(end="session", word="SKIP" if isinstance(e, Skip) else "FAIL", text="    %s\n" % e)
    finally:
        session.down()


def listen(suite, child):
    """What a session says, until it ends; what it left unsaid is a failure."""
    case = "session"
    for line in child.stdout:
        said = json.loads(line)
        if "begin" in said:
            case = said["begin"]
        else:
            suite.tell(said["end"], said["word"], said["text"])
            case = None
    if child.wait() != 0 or case:
        suite.tell(case or "session", "FAIL", "    the session ended with %d\n" % child.returncode)


def share(suite, cases, number):
    end, feed = os.pipe()
    os.write(feed, bytes(range(len(cases))))
    os.close(feed)
    machine = DIR + ".machine"
    children = []
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))
    try:
        for i in range(number):
            env = dict(os.environ, GUIL_DIR="%s-%d" % (DIR, i + 1), GUI_QUEUE=str(end),
                       GUI_MACHINE=machine)
            children.append(subprocess.Popen([sys.executable] + sys.argv, env=env, pass_fds=[end],
                                             stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                                             text=True))
        os.close(end)
        threads = [threading.Thread(target=listen, args=(suite, c)) for c in children]
        for t in threads:
            t.start()
        for t in threads:
            t.join()
    finally:
        for child in children:
            child.terminate()
            child.wait()
        if os.path.exists(machine):
            os.unlink(machine)


def main(suite, session):
    if "GUI_QUEUE" in os.environ:
        signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))
        serve(suite, session)
        return
    cases = ordered(suite)
    if os.getuid() != 0:
        suite.tell("gui", "SKIP", "    SKIPPED: needs root, to become an unprivileged user\n")
    else:
        word, text = suite.judge(lambda: session.build({variant_of(c[0]) for c in cases}))
        if word != "ok  ":
            suite.tell("build", word, text)
            suite.end()
        share(suite, cases, min(int(os.environ.get("GUI_SESSIONS", "2")), len(cases)))
    suite.end()
