# SPDX-License-Identifier: LGPL-2.1-or-later
"""Users without any right: `l2tpc run`, and the example whose TUN is a socket."""
import os
import subprocess

from suite import check


def pids(client):
    """What runs in the client's own namespace; the command is in another one."""
    found = []
    for pid in subprocess.run(["ip", "netns", "pids", client.ns], capture_output=True,
                              text=True).stdout.split():
        with open("/proc/%s/cmdline" % pid) as f:
            found.append((int(pid), f.read()))
    return found


class Run:
    """`l2tpc run` by a user without any right; the folder is readable for it, and writable for keys."""

    def __init__(self, bench, client, *command, server, user="alice", password="wonderland",
                 psk="labpsk123", example=None):
        self.folder = os.path.join(bench.folder, client.ns + "-run")
        os.makedirs(self.folder, exist_ok=True)
        os.chmod(bench.folder, 0o755)
        os.chmod(self.folder, 0o777)
        for what, text in (("psk", psk), ("password", password)):
            with open(os.path.join(self.folder, what), "w") as f:
                f.write(text + "\n")
        self.keylog = os.path.join(self.folder, "keys.jsonl")
        # A desktop's udev lets everybody open the device; a bare machine may not have udev.
        tun = os.path.join(self.folder, "tun")
        # The build may stand where only its owner may look.
        build = os.path.join(self.folder, "build")
        os.makedirs(build, exist_ok=True)
        at = os.path.abspath(bench.l2tpc).split(os.sep)
        script = ('rm -f %s && mknod -m 666 %s c 10 200 && mount --bind %s /dev/net/tun && mount --bind %s %s && '
                  'exec setpriv --reuid 65534 --regid 65534 --clear-groups --no-new-privs "$@"'
                  % (tun, tun, tun, os.sep.join(at[:-3]), build))
        secrets = [os.path.join(self.folder, n) for n in ("psk", "password")]
        words = [os.path.join(build, *at[-3:]), "run", "--server", server, "--user", user,
                 "--psk-file", secrets[0], "--password-file", secrets[1], "--"]
        if example:
            words = [os.path.join(build, "libl2tpc", "examples", example), server, user, *secrets]
        self.process = subprocess.Popen(
            client.command("bash", "-c", script, "run", "env", "L2TPC_KEYLOG=" + self.keylog,
                           "XDG_RUNTIME_DIR=", *words, *command),
            stdout=subprocess.PIPE, stderr=subprocess.PIPE, stdin=subprocess.DEVNULL, text=True,
            errors="replace")
        bench.remember(self.process)

    def end(self, status, seconds=30):
        out, err = self.process.communicate(timeout=seconds)
        check("Sanitizer" not in err and "runtime error" not in err, err)
        check(self.process.returncode == status, "exit status %d, not %d:\n%s%s"
              % (self.process.returncode, status, out[-500:], err[-1500:]))
        return out, err


def cases(lab):
    """The rows of tests/lab/interop."""
    place = lab.place

    def run(client, *command, **how):
        return Run(lab.bench, client, *command, server=place.SERVER, password="Alice-pw-1",
                   psk=place.PSK, **how)

    @lab.case("strongswan+ike-aes256+esp-aes-sha1", in_short=True)
    def run_by_an_ordinary_user():
        """Behind a NAT, as at home: the page behind the server, by its name."""
        lab.router.rules(nat=True)
        client = lab.Client()
        before = client.state()
        capture = lab.Capture()
        one = run(client, "sh", "-c", "id -u; grep CapEff /proc/self/status; ip route; "
                  "curl -sS -m 10 http://inside.lab.test/")
        out, err = one.end(0, seconds=40)
        check(out.startswith("65534\n") and "CapEff:\t0000000000000000" in out,
              "the command has rights: " + out)
        check("default dev l2tp0" in out and " eth" not in out, "its network is " + out)
        check("inside the tunnel" in out, "fetch through the tunnel: " + out + err)
        lab.same_state(before, client.state())
        v = capture.judge([one], polite=True)
        check(v.counts["esp_opened"] > 10, "only %d ESP packets" % v.counts["esp_opened"])

    @lab.case("strongswan+ike-aes256+esp-aes-sha1")
    def socket_in_place_of_a_tun():
        client = lab.Client()
        before = client.state()
        capture = lab.Capture()
        one = run(client, place.INSIDE, example="dial_socket")
        out, err = one.end(0, seconds=40)
        check("answer from " + place.INSIDE in out, out + err)
        lab.same_state(before, client.state())
        capture.judge([one], polite=True)
