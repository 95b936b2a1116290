# SPDX-License-Identifier: LGPL-2.1-or-later
"""The run directory and the control socket when something else is there."""
import json
import os
import signal
import socket
import subprocess

from suite import check
from bench import Dial, Untouched, NOBODY, PATIENCE, SERVER, SILENT
from common import RunDir, base, bench, failed, secrets, suite


# ---- the run directory

@suite.case()
def run_dir_that_is_not_private():
    for mode, owner in ((0o777, 0), (0o1777, 0), (0o770, 0), (0o700, NOBODY)):
        with RunDir(mode, owner):
            failed("local.journal", 1, *base(SILENT), *secrets(), words="private directory")


@suite.case()
def run_dir_that_is_something_else():
    with RunDir(None):
        with open(bench.run_dir, "w"):
            failed("local.journal", 1, *base(SILENT), *secrets(), words="private directory")
    with RunDir(None):
        os.mkdir(bench.folder + "/elsewhere", 0o700)
        os.symlink(bench.folder + "/elsewhere", bench.run_dir)
        failed("local.journal", 1, *base(SILENT), *secrets(), words="private directory")
        check(not os.listdir(bench.folder + "/elsewhere"), "it was followed")
    failed("local.journal", 1, *base(SILENT), *secrets(), words="No such file",
           env={"L2TPC_RUN_DIR": bench.folder + "/no/such"})


@suite.case()
def run_dir_read_only():
    with RunDir():
        failed("local.journal", 1, *base(SILENT), *secrets(), words="Read-only file system",
               before="mount -t tmpfs -o ro,mode=700 none %s || exit 99" % bench.run_dir)


@suite.case()
def run_dir_without_room():
    with RunDir():
        failed("local.journal", 1, *base(SILENT), *secrets(), words="No space left",
               before="mount -t tmpfs -o mode=700,nr_inodes=1 none %s || exit 99" % bench.run_dir)


@suite.case()
def disk_full_for_the_journal():
    peer = bench.peer()
    try:
        with RunDir():
            failed("local.journal", 1, *base(SERVER), *secrets(), words="device: " + bench.run_dir,
                   before="mount -t tmpfs -o mode=700,size=8k none {0} || exit 99; "
                          "cat /dev/zero > {0}/fill 2> /dev/null".format(bench.run_dir))
    finally:
        bench.end(peer)


@suite.case()
def no_rights():
    """Nobody has no rights to dial, is told so, and has a run directory of its own."""
    folder = os.path.join(bench.folder, "of-nobody")
    os.mkdir(folder, 0o755)
    os.chown(folder, NOBODY, NOBODY)
    for n in ("psk", "password"):
        os.chown(os.path.join(bench.folder, n), NOBODY, NOBODY)
    try:
        failed("local.rights", 1, *base(SERVER), *secrets(), user=NOBODY,
               env={"L2TPC_RUN_DIR": None, "XDG_RUNTIME_DIR": folder})
        left = [os.path.join(r, n) for r, _, names in os.walk(folder) for n in names if n != "lock"]
        check(not left, "left: %s" % left)
        failed("local.rights", 1, *base(SERVER), *secrets(), user=NOBODY, words="Permission denied",
               env={"L2TPC_RUN_DIR": bench.folder + "/run-nobody"})
    finally:
        for n in ("psk", "password"):
            os.chown(os.path.join(bench.folder, n), 0, 0)


# ---- the control socket

def make_socket(path, owner=0):
    s = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    s.bind(path)
    os.chown(path, owner, owner)
    s.close()


@suite.case()
def stale_socket():
    """What a killed connection left is taken over, and passed over by the others."""
    with RunDir():
        path = os.path.join(bench.run_dir, "l2tpc.sock")
        for owner in (0, NOBODY):
            make_socket(path, owner)
            code, out, err = bench.run("status")
            check(code == 0 and "No connection is running." in out, "%d %s%s" % (code, out, err))
            dial = Dial(bench).wait()
            code, out, err = bench.run("status", "l2tpc", "--json")
            check(code == 0 and json.loads(out)["state"] == "dialing", out + err)
            check(dial.stop() == 1, dial.told())
            check(not os.path.lexists(path), "the socket is left")


def kill_all(dial):
    """The connection and its broker at once, so that neither can clean up."""
    out = subprocess.run(["pgrep", "-P", str(dial.process.pid)], capture_output=True, text=True)
    processes = [int(p) for p in out.stdout.split()]
    for p in processes:
        os.kill(p, signal.SIGSTOP)
    dial.process.kill()
    for p in processes:
        os.kill(p, signal.SIGKILL)
    dial.process.wait()


@suite.case()
def killed_connection_is_passed_over():
    with RunDir():
        dial = Dial(bench).wait()
        kill_all(dial)
        check(os.path.exists(bench.run_dir + "/l2tpc.sock"), "nothing to pass over")
        failed("local.not-running", 1, "status", "l2tpc")
        dial = Dial(bench).wait()
        check(dial.stop() == 1, dial.told())
        check(not [n for n in os.listdir(bench.run_dir) if n != "lock"], os.listdir(bench.run_dir))


@suite.case()
def foreign_things_in_place_of_the_socket():
    with RunDir():
        path = os.path.join(bench.run_dir, "l2tpc.sock")
        for make, remove in ((lambda: open(path, "w").close(), os.unlink), (os.mkdir, os.rmdir),
                             (lambda: os.symlink("/etc/passwd", path), os.unlink),
                             (lambda: os.symlink("nowhere", path), os.unlink),
                             (lambda: os.mkfifo(path), os.unlink)):
            make(path) if make is os.mkdir else make()
            failed("local.journal", 1, *base(SILENT), *secrets(), words="is in the way")
            for verb in ("status", "disconnect"):
                code, out, err = bench.run(verb, "l2tpc")
                check(code == 1 and out == "" and err.startswith("l2tpc: "), "%d %s" % (code, err))
            code, out, err = bench.run("status")
            check(code == 0 and err == "", err)
            check(os.path.lexists(path), "it was removed")
            remove(path)


@suite.case()
def foreign_things_in_place_of_the_lock():
    with RunDir():
        path = os.path.join(bench.run_dir, "l2tpc.lock")
        os.symlink("/etc/passwd", path)
        failed("local.journal", 1, *base(SILENT), *secrets(), words="symbolic links")
        os.unlink(path)
        os.mkdir(path)
        failed("local.journal", 1, *base(SILENT), *secrets(), words="directory")
        check(os.listdir(bench.run_dir) == ["l2tpc.lock"], os.listdir(bench.run_dir))


@suite.case()
def second_dial_of_the_same_name():
    with Untouched(bench):
        dial = Dial(bench).wait()
        failed("local.already-up", 1, *base(SILENT), *secrets(), words="l2tpc is already running")
        check(dial.process.poll() is None, "the first one ended")
        check(bench.run("status", "l2tpc")[0] == 0, "the first one does not answer")
        check(dial.stop() == 1, dial.told())


@suite.case()
def strangers_at_the_socket():
    """Others are hung up on; noise and silence from the own user change nothing."""
    with Untouched(bench):
        dial = Dial(bench).wait()
        path = os.path.join(bench.run_dir, "l2tpc.sock")
        check(os.stat(path).st_mode & 0o777 == 0o600, "mode of the socket")
        for noise in (b"", b"x" * 4096, b"status\n", b"status jsonx\n", b"\0\0\n", b"disconnect"):
            with socket.socket(socket.AF_UNIX) as s:
                s.settimeout(3 * PATIENCE)
                s.connect(path)
                if noise:
                    s.send(noise)
                try:
                    check(s.recv(100) == b"", "noise was answered")
                except ConnectionResetError:
                    pass
        os.chmod(bench.run_dir, 0o755)
        os.chmod(path, 0o666)
        code, out, err = bench.run("status", "l2tpc", user=NOBODY)
        check(code == 1 and out == "" and "another user" not in out, "%d %s%s" % (code, out, err))
        os.chmod(path, 0o600)
        failed("local.not-yours", 1, "status", "l2tpc", user=NOBODY)
        code, out, err = bench.run("disconnect", "l2tpc", user=NOBODY)
        check(code == 1 and "another user" in err, "%d %s%s" % (code, out, err))
        os.chmod(bench.run_dir, 0o700)
        check(dial.process.poll() is None, dial.told())
        check(dial.stop() == 1, dial.told())
