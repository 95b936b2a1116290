# SPDX-License-Identifier: LGPL-2.1-or-later
"""names.py FILE: a resolver on 127.0.0.1 that answers every question for an address with those that
stand in FILE at the moment."""
import socket
import struct
import sys


def answer(query, addresses):
    end = 12
    while query[end]:
        end += 1 + query[end]
    question = query[12:end + 5]
    kind = struct.unpack(">H", question[-4:-2])[0]
    found = addresses if kind == 1 else []
    out = query[:2] + struct.pack(">HHHHH", 0x8180, 1, len(found), 0, 0) + question
    for a in found:
        out += b"\xc0\x0c" + struct.pack(">HHIH", 1, 1, 1, 4) + socket.inet_aton(a)
    return out


def main():
    s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    s.bind(("127.0.0.1", 53))
    while True:
        query, who = s.recvfrom(2048)
        try:
            with open(sys.argv[1]) as f:
                s.sendto(answer(query, f.read().split()), who)
        except (OSError, IndexError, struct.error):
            pass


main()
