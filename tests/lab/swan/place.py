# SPDX-License-Identifier: LGPL-2.1-or-later
"""Where the lab is: folders, addresses, credentials, and the processes that it started."""
import json
import os
import signal
import subprocess
import sys
import time

HERE = os.path.dirname(os.path.realpath(__file__))
TOP = os.path.dirname(os.path.dirname(os.path.dirname(HERE)))
PREFIX = os.environ.get("LAB_NS", "l2tpc") + "-swan"
WORK = os.path.join(os.path.realpath(os.environ.get("LAB_WORK", "/tmp/l2tpc-lab")), PREFIX)
STATE = os.path.join(WORK, "state.json")
SHARE = os.path.join(WORK, "share")
# The image is built once and shared by every lab of this tree.
IMAGES = os.path.join(os.environ.get("L2TPC_BUILD", os.path.join(TOP, "build")), "swan")
ROOT = os.path.join(IMAGES, "root.ext4")
SHIM = os.path.join(IMAGES, "xstate.so")

SERVER, WAN = "198.51.100.2", "198.51.100.1"
LAN, CLIENT = "10.77.1.1", "10.77.1.%d"
MANAGE_HOST, MANAGE_GUEST = "10.78.0.1", "10.78.0.2"
INSIDE, RANGE, FIXED = "10.99.0.1", "10.99.0.10-10.99.0.200", "10.99.0.222"
PSK = "lab-psk-0123456789"
TUNNEL_SECRET = "lab-tunnel-secret"
USERS = [("alice", "Alice-pw-1", "*"), ("bob", "Bob-pw-2", FIXED), ("carol", "c@rol #'pw", "*")]
CLIENTS, CLIENTS_MAX = 2, 16  # from the beginning; when a case asks for more


class Broken(Exception):
    """The lab itself does not work; the text says what."""


def sh(command, check=True, timeout=120):
    if isinstance(command, str):
        command = ["bash", "-c", command]
    r = subprocess.run(command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                       stderr=subprocess.STDOUT, text=True, timeout=timeout, errors="replace")
    if check and r.returncode:
        raise Broken("%s ended with %d:\n%s" % (" ".join(command)[:300], r.returncode,
                                               r.stdout[-2000:]))
    return r.stdout


def write(path, text, mode=0o644):
    os.makedirs(os.path.dirname(path), exist_ok=True)
    with open(path, "w") as f:
        f.write(text)
    os.chmod(path, mode)


def read(path):
    try:
        with open(path, errors="replace") as f:
            return f.read()
    except OSError:
        return ""


def ns(name):
    return "%s-%s" % (PREFIX, name)


# ---- processes: known by id and start time, so that a reused id is never ended ----
def load_state():
    try:
        return json.loads(read(STATE))
    except ValueError:
        return {"processes": [], "profile": None}


def save_state(state):
    write(STATE + ".new", json.dumps(state, indent=1))
    os.replace(STATE + ".new", STATE)


def start_time(pid):
    stat = read("/proc/%d/stat" % pid)
    return stat.rsplit(")", 1)[1].split()[19] if stat else None


def alive(p):
    return p["start"] is not None and start_time(p["pid"]) == p["start"]


def spawn(what, command, log, env=None):
    """A background process in a session of its own, remembered for stop()."""
    with open(log, "ab") as out:
        p = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=out, stderr=out,
                             start_new_session=True, env=env)
    state = load_state()
    state["processes"].append({"pid": p.pid, "start": start_time(p.pid), "what": what})
    save_state(state)
    return state["processes"][-1]


def end_process(p, grace=1.0):
    for sig in (signal.SIGTERM, signal.SIGKILL):
        if not alive(p):
            return
        try:
            os.killpg(p["pid"], sig)  # it leads a group of its own
        except ProcessLookupError:
            return
        until = time.monotonic() + grace
        while time.monotonic() < until and alive(p):
            try:
                os.waitpid(p["pid"], os.WNOHANG)
            except ChildProcessError:
                pass
            time.sleep(0.02)


def stop(what=None):
    """Ends what spawn() started: all of it, or the processes of that name."""
    state = load_state()
    for p in reversed(state["processes"]):
        if what in (None, p["what"]):
            end_process(p)
    state["processes"] = [p for p in state["processes"] if what not in (None, p["what"])]
    if state["processes"] or os.path.exists(STATE):
        save_state(state)


def say(text):
    sys.stderr.write("swan: %s\n" % text)
