#!/usr/bin/env python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""A name server of the lab: names.py FILE answers every question for an IPv4 address with those that
stand in FILE at the moment, and appends a line to FILE.asked. Without FILE it is silent."""
import os
import socket
import struct
import sys


def answer(query, addresses):
    end = query.index(b"\0", 12) + 5
    kind = struct.unpack(">H", query[end - 4:end - 2])[0]
    found = addresses if kind == 1 else []
    out = query[:2] + struct.pack(">HHHHH", 0x8180, 1, len(found), 0, 0) + query[12:end]
    for a in found:
        out += struct.pack(">HHHIH", 0xc00c, 1, 1, 1, 4) + socket.inet_aton(a)
    return out


def main(path):
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as s:
        s.bind(("0.0.0.0", 53))
        open(path + ".ready", "w").close()
        while True:
            query, peer = s.recvfrom(2048)
            try:
                with open(path) as f:
                    addresses = f.read().split()
                s.sendto(answer(query, addresses), peer)
                with open(path + ".asked", "a") as f:
                    f.write("%s %s\n" % (peer[0], " ".join(addresses)))
            except (OSError, ValueError, struct.error):
                pass


if __name__ == "__main__":
    main(sys.argv[1])
