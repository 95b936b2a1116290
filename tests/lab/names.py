#!/usr/bin/env python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""A name server of the lab: names.py FILE answers A with the address that FILE holds at the moment,
whatever name is asked for, and appends a line to FILE.asked."""
import os
import socket
import struct
import sys


def answer(query, address):
    end = query.index(b"\0", 12) + 5
    kind = struct.unpack(">H", query[end - 4:end - 2])[0]
    head = query[:2] + struct.pack(">HHHHH", 0x8180, 1, 1 if kind == 1 else 0, 0, 0)
    record = struct.pack(">HHHIH", 0xc00c, 1, 1, 1, 4) + socket.inet_aton(address)
    return head + query[12:end] + (record if kind == 1 else b"")


def main(path):
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as s:
        s.bind(("0.0.0.0", 53))
        open(path + ".ready", "w").close()
        while True:
            query, peer = s.recvfrom(512)
            with open(path) as f:
                address = f.read().strip()
            with open(path + ".asked", "a") as f:
                f.write("%s %s\n" % (peer[0], address))
            s.sendto(answer(query, address), peer)


if __name__ == "__main__" and os.path.exists(sys.argv[1]):
    main(sys.argv[1])
