# SPDX-License-Identifier: LGPL-2.1-or-later
"""What every suite written in Python does the same way: stable case names, --list, one line per
case, a last line "N passed, N failed, N skipped", and one sabotage switch."""
import fnmatch
import os
import sys
import threading
import traceback


class Skip(Exception):
    """The case cannot run here; the text says why."""


class Failed(Exception):
    """The case found something wrong; the text says what."""


def sabotaged():
    return os.environ.get("L2TPC_SABOTAGE") == "1"


def check(condition, text):
    if not condition:
        raise Failed(text)


class Suite:
    def __init__(self, name):
        self.name = name
        self.cases = []
        self.count = {"ok  ": 0, "FAIL": 0, "SKIP": 0}
        self.lock = threading.Lock()

    def case(self, name=None):
        """Decorator: the function is a case, named after it (or NAME)."""
        def add(function):
            self.cases.append((name or function.__name__.replace("_", "-"), function))
            return function
        return add

    def judge(self, function):
        """What came of a case, and what is to be said of it."""
        try:
            function()
        except Skip as e:
            return "SKIP", "    SKIPPED: %s\n" % e
        except Failed as e:
            return "FAIL", "".join("    %s\n" % line for line in str(e).splitlines())
        except Exception:  # a crash of the test is a failure of the test
            return "FAIL", "".join("    %s\n" % line for line in traceback.format_exc().splitlines())
        return "ok  ", ""

    def tell(self, name, word, text):
        with self.lock:
            self.count[word] += 1
            sys.stdout.write("%s%s %s\n" % (text, word, name))
            sys.stdout.flush()

    def run_one(self, name, function):
        self.tell(name, *self.judge(function))

    def run_all(self, cases):
        """One after the other; a sabotaged suite has said what it can at its first red case."""
        for name, function in cases:
            self.run_one(name, function)
            if sabotaged() and self.count["FAIL"]:
                break

    def chosen(self, argv):
        """The cases that the command line asks for; prints them and leaves on --list."""
        if "--list" in argv:
            for name, _ in self.cases:
                print(name)
            sys.exit(0)
        for a in argv:
            if a.startswith("-"):
                sys.stderr.write("usage: [L2TPC_SABOTAGE=1] %s [--list] [CASE...]\n" % sys.argv[0])
                sys.exit(2)
        return [(n, f) for n, f in self.cases
                if not argv or any(fnmatch.fnmatchcase(n, a) for a in argv)]

    def end(self):
        print("%d passed, %d failed, %d skipped"
              % (self.count["ok  "], self.count["FAIL"], self.count["SKIP"]))
        sys.exit(1 if self.count["FAIL"] or not sum(self.count.values()) else 0)

    def main(self, argv=None):
        for name, function in self.chosen(sys.argv[1:] if argv is None else argv):
            self.run_one(name, function)
        self.end()
