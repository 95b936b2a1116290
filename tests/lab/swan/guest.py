# SPDX-License-Identifier: LGPL-2.1-or-later
"""The server's machine: User-mode Linux in the router's namespace, and a shell in it."""
import ctypes
import os
import re
import shutil
import socket
import time

import profiles
import router
import server
from place import (MANAGE_GUEST, ROOT, SHARE, SHIM, WORK, Broken, alive, load_state, ns, read,
                   save_state, spawn, stop)

CLONE_NEWNET = 0x40000000
BOOT_SECONDS = 60
PORT = 2323


def command(daemon):
    cards = ["vec%d:transport=tap,ifname=%s,depth=128,mac=02:4c:54:00:0%d:02" % (i, tap, i)
             for i, tap in enumerate(("wan", "manage"))]
    return ["ip", "netns", "exec", ns("rt"), "env", "LD_PRELOAD=" + SHIM, "linux.uml", "mem=384M",
            "umid=" + ns("server"), "uml_dir=" + os.path.join(WORK, "uml"), "ubd0r=" + ROOT,
            "root=/dev/ubda", "rootfstype=ext4", "ro", "init=/init"] + cards + \
           ["con0=null,fd:1", "con=null", "ssl=null", "lab.share=" + SHARE, "lab.daemon=" + daemon]


def boot(profile):
    """A server of this profile, from nothing; returns the seconds that it took."""
    conf = profiles.parse(profile)
    stop("server")
    router.up()
    shutil.rmtree(SHARE, ignore_errors=True)
    os.makedirs(os.path.join(WORK, "uml"), exist_ok=True)
    os.makedirs(SHARE)
    server.configure(conf)
    began = time.monotonic()
    process = spawn("server", command(conf["daemon"]), os.path.join(SHARE, "console.log"))
    console = os.path.join(SHARE, "console.log")
    while time.monotonic() - began < BOOT_SECONDS and alive(process) and \
            "Kernel panic" not in read(console):
        if read(os.path.join(SHARE, "READY")):
            state = load_state()
            state["profile"] = profile
            save_state(state)
            return time.monotonic() - began
        time.sleep(0.05)
    raise Broken("the guest did not come up:\n" +
                 "\n".join(t for t in read(console).splitlines()[-60:] if "<60" not in t))


def connect(timeout):
    libc = ctypes.CDLL(None, use_errno=True)
    here = os.open("/proc/thread-self/ns/net", os.O_RDONLY)
    there = os.open("/run/netns/" + ns("rt"), os.O_RDONLY)
    try:
        if libc.setns(there, CLONE_NEWNET):
            raise OSError(ctypes.get_errno(), "setns")
        try:
            return socket.create_connection((MANAGE_GUEST, PORT), timeout)
        finally:
            libc.setns(here, CLONE_NEWNET)
    finally:
        os.close(here)
        os.close(there)


def run(script, timeout=30):
    """A shell script in the guest: (exit status, output)."""
    out = b""
    try:
        with connect(5) as s:
            s.settimeout(timeout)
            s.sendall(("(\n%s\n) < /dev/null 2>&1\necho \"__RC=$?\"\n" % script).encode())
            s.shutdown(socket.SHUT_WR)
            while not re.search(rb"__RC=\d+\n$", out):
                more = s.recv(65536)
                if not more:
                    break
                out += more
    except OSError as e:
        return 255, "%s(guest: %s)\n" % (out.decode(errors="replace"), e)
    text = out.decode(errors="replace")
    m = re.search(r"__RC=(\d+)\n$", text)
    return (int(m.group(1)), text[:m.start()]) if m else (254, text)


def delay(ms):
    """Holds every packet of the server back, each way; 0 ends it. The guest's kernel has netem."""
    script = "tc qdisc del dev eth0 root; tc qdisc del dev eth0 ingress\n"
    if ms:
        script += (
            "modprobe -qa sch_netem sch_ingress act_mirred cls_u32; modprobe -q ifb numifbs=1\n"
            "ip link add ifb0 type ifb 2> /dev/null; ip link set ifb0 up\n"
            "tc qdisc add dev eth0 root netem delay {d}ms limit 10000 &&\n"
            "tc qdisc add dev eth0 handle ffff: ingress &&\n"
            "tc filter add dev eth0 parent ffff: protocol all u32 match u32 0 0 "
            "action mirred egress redirect dev ifb0 &&\n"
            "tc qdisc replace dev ifb0 root netem delay {d}ms limit 10000\n").format(d=ms)
    rc, out = run(script)
    if ms and rc:
        raise Broken("no delay: " + out)


def security_associations():
    """The kernel's list: a dictionary for each direction."""
    found = []
    for line in run("ip xfrm state")[1].splitlines():
        words = line.split()
        if line.startswith("src "):
            found.append({"src": words[1], "dst": words[3], "encap": None})
        elif found and words:
            sa = found[-1]
            if words[0] == "proto":
                sa.update(proto=words[1], spi=int(words[3], 16), mode=words[-1])
            elif words[0] in ("enc", "aead", "auth-trunc", "auth"):
                sa[words[0].split("-")[0]] = (words[1], 4 * (len(words[2]) - 2))
            elif words[0] == "encap":
                sa["encap"] = words[2]
    return found


def log(name):
    return read(os.path.join(SHARE, name))
