# SPDX-License-Identifier: LGPL-2.1-or-later
"""Recordings for the front end's fake back end: profiles, dials and what they come to. The status is
one that was recorded at a real server; nothing in it is put together by hand but what a case needs."""
import copy
import json
import math
import os

HERE = os.path.dirname(os.path.abspath(__file__))
STAGES = ["resolve", "ike-phase1", "ike-auth", "ike-quick", "esp-check", "l2tp-tunnel", "l2tp-call",
          "ppp-lcp", "ppp-auth", "ppp-ip", "up"]


def recorded():
    with open(os.path.join(HERE, "status.json")) as f:
        return json.load(f)


def up(name):
    st = recorded()
    st["name"] = name
    st["interface"] = st["details"]["device_name"] = "l2tp0"
    return st


def dialing(name, stage, error=None, state="dialing"):
    """As far as this stage, with the times of the recording."""
    st = up(name)
    at = STAGES.index(stage)
    st["state"] = state
    st["is_l2tp_in_ipsec"] = False
    st["stages"] = [s for s in st["stages"] if STAGES.index(s["stage"]) <= at]
    st["evidence"] = [dict(e, ok=False, value=None) for e in st["evidence"]]
    for group in ("ip", "esp", "kernel", "l2tp", "ppp"):
        st[group] = {k: None for k in st[group]}
    st["details"] = {k: None for k in st["details"]}
    if error:
        st["error"] = error
    return st


def failed(name, stage, code, message, hint, windows=None, peer=None):
    return dialing(name, stage, state="failed",
                   error={"code": code, "stage": stage, "message": message, "hint": hint,
                          "peer_code": peer, "windows_code": windows})


def lying(name):
    """An engine that says what the kernel has not seen."""
    st = up(name)
    st["is_l2tp_in_ipsec"] = False
    for e in st["evidence"]:
        if e["code"] == "kernel.esp-out":
            e.update(ok=False, value="kernel 0, engine 412")
    return st


def wave(n, scale, shift=0.0):
    return [abs(math.sin(i / 9.0 + shift) + 0.5 * math.sin(i / 3.1)) * scale for i in range(n)]


def history(n=120, scale=1.4e6):
    return [[int(a), int(b)] for a, b in zip(wave(n, scale), wave(n, scale / 4, 1.3))]


def climb(name, ms=60, ending=None):
    steps = [{"after_ms": ms, "status": dialing(name, s)} for s in STAGES[:-1]]
    return steps + [{"after_ms": ms, "status": ending or up(name)}]


def secrets_step(ms, fields, message="", again=""):
    return {"after_ms": ms, "secrets": {"message": message, "again": again, "fields": fields}}


def profile(number, name, server, user="", **more):
    return dict({"uuid": "00000000-0000-4000-8000-%012d" % number, "name": name, "server": server,
                 "user": user, "dial": climb(name)}, **more)


def write(path, profiles, **more):
    with open(path, "w") as f:
        json.dump(dict({"profiles": copy.deepcopy(profiles)}, **more), f)
    os.chmod(path, 0o644)
    return path
