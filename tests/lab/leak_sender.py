# SPDX-License-Identifier: LGPL-2.1-or-later
"""Programs that know nothing of tunnels: packets to everywhere, all the time, by every way out that an
ordinary socket has. leak_sender.py PAUSE_MS [device:]ADDRESS,PORT[,tcp]..."""
import random
import socket
import sys
import time

MARKER = b"in-clear-text"


def family(host):
    return socket.AF_INET6 if ":" in host else socket.AF_INET


class Way:
    def __init__(self, text):
        device, _, rest = text.rpartition("@")
        self.host, port, *tcp = rest.split(",")
        self.to, self.device, self.tcp = (self.host, int(port)), device.encode(), bool(tcp)
        self.socket = None

    def open(self):
        kind = socket.SOCK_STREAM if self.tcp else socket.SOCK_DGRAM
        s = socket.socket(family(self.host), kind)
        s.setblocking(False)
        s.setsockopt(socket.SOL_SOCKET, socket.SO_BROADCAST, 1)
        if self.device:
            s.setsockopt(socket.SOL_SOCKET, socket.SO_BINDTODEVICE, self.device)
        return s

    def send(self):
        """A connection is begun anew each time, and never gets anywhere."""
        try:
            if self.tcp:
                with self.open() as s:
                    s.connect_ex(self.to)
            else:
                self.socket = self.socket or self.open()
                self.socket.sendto(MARKER, self.to)
        except OSError:  # blocked, unreachable, or the device is not there now
            if self.socket:
                self.socket.close()
            self.socket = None


def main():
    pause, ways = float(sys.argv[1]) / 1000, [Way(a) for a in sys.argv[2:]]
    while True:
        random.shuffle(ways)
        for w in ways:
            w.send()
        time.sleep(pause)


main()
