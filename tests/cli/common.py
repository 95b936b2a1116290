# SPDX-License-Identifier: LGPL-2.1-or-later
"""What the cases share: the suite, its bench, and the two ways to be refused."""
import os
import re
import shutil

from suite import Suite, check
from bench import Bench, Untouched, objects, SERVER, USER

suite = Suite("cli")
bench = Bench()


def base(server=SERVER):
    return ["connect", "--server", server, "--user", USER]


def secrets():
    return ["--psk-file", bench.folder + "/psk", "--password-file", bench.folder + "/password"]


def one_sentence(err):
    lines = err.splitlines()
    check(len(lines) == 1 and lines[0].startswith("l2tpc: ") and len(lines[0]) > 15,
          "not one sentence: %r" % err)
    check(not re.search(r"[\x00-\x08\x0b-\x1f\x7f]", err), "control bytes: %r" % err)
    return lines[0]


def usage(*args, words="", **how):
    """Refused before anything began: one sentence, status 2, nothing printed or left."""
    with Untouched(bench):
        code, out, err = bench.run(*args, **how)
    check(code == 2, "exit status %d for %s: %s%s" % (code, args, out, err))
    check(out == "", "printed: %r" % out)
    check(words in one_sentence(err), "%r is not in %r" % (words, err))


def failed(code, status, *args, words="", untouched=True, **how):
    """A dial that fails: sentence, hint and code for people; an object for programs."""
    for with_json in (False, True):
        if untouched:
            with Untouched(bench):
                got, out, err = bench.run(*args, *(["--json"] if with_json else []), **how)
        else:
            got, out, err = bench.run(*args, *(["--json"] if with_json else []), **how)
        check(got == status, "exit status %d, not %d: %s%s" % (got, status, out, err))
        if not with_json:
            lines = err.splitlines()
            check(len(lines) == 3 and lines[0].startswith("l2tpc: ") and
                  lines[1].startswith("       ") and lines[2].strip().startswith("["),
                  "not a sentence, a hint and a code: %r" % err)
            check("[" + code in lines[2], "%s is not in %r" % (code, lines[2]))
            check(words in lines[0], "%r is not in %r" % (words, lines[0]))
            continue
        check(err == "", "stderr with --json: %r" % err)
        last = objects(out)[-1]
        check(last["schema"] == 1 and last["state"] in ("failed", "down"), out)
        error = last["error"]
        check(error["code"] == code, "%s, not %s: %s" % (error["code"], code, out))
        for key in ("stage", "message", "hint"):
            check(error[key], "no %s: %s" % (key, out))
        check("peer_code" in error and "windows_code" in error, out)
        check(last.get("interface") is None, "interface without a tunnel: %s" % out)
    return last


class RunDir:
    """A run directory that is not as usual, in place of the test's own."""

    def __init__(self, mode=0o700, owner=0):
        self.mode, self.owner = mode, owner

    def __enter__(self):
        shutil.rmtree(bench.run_dir, ignore_errors=True)
        if self.mode is not None:
            os.mkdir(bench.run_dir)
            os.chmod(bench.run_dir, self.mode)
            os.chown(bench.run_dir, self.owner, self.owner)

    def __exit__(self, *_):
        if os.path.islink(bench.run_dir) or os.path.isfile(bench.run_dir):
            os.unlink(bench.run_dir)
        shutil.rmtree(bench.run_dir, ignore_errors=True)
