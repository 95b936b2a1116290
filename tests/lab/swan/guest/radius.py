# SPDX-License-Identifier: LGPL-2.1-or-later
"""radius.py SECRET NAME:PASSWORD...: answers Access-Requests (RFC 2865) of l2tpns, which knows no
users of its own. PAP and CHAP; the user's name is all that is looked at, and the password."""
import hashlib
import socket
import struct
import sys

REQUEST, ACCEPT, REJECT = 1, 2, 3
USER, PAP, CHAP, CHALLENGE = 1, 2, 3, 60


def attributes(body):
    found = {}
    while len(body) > 2 and body[1] >= 2:
        found[body[0]] = body[2:body[1]]
        body = body[body[1]:]
    return found


def clear(secret, authenticator, hidden):
    out, before = b"", authenticator
    for at in range(0, len(hidden), 16):
        pad = hashlib.md5(secret + before).digest()
        before = hidden[at:at + 16]
        out += bytes(a ^ b for a, b in zip(before, pad))
    return out.rstrip(b"\0")


def fits(secret, authenticator, asked, password):
    if password is None:
        return False
    if CHAP in asked:
        said = asked[CHAP]
        challenge = asked.get(CHALLENGE, authenticator)
        return hashlib.md5(said[:1] + password + challenge).digest() == said[1:]
    return clear(secret, authenticator, asked.get(PAP, b"")) == password


def main(secret, *users):
    secret = secret.encode()
    known = dict(u.encode().split(b":", 1) for u in users)
    s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    s.bind(("127.0.0.1", 1812))
    while True:
        packet, peer = s.recvfrom(4096)
        code, number, length = struct.unpack("!BBH", packet[:4])
        asked = attributes(packet[20:length])
        if code != REQUEST:
            continue
        good = fits(secret, packet[4:20], asked, known.get(asked.get(USER)))
        head = struct.pack("!BBH", ACCEPT if good else REJECT, number, 20)
        s.sendto(head + hashlib.md5(head + packet[4:20] + secret).digest(), peer)


if __name__ == "__main__":
    main(*sys.argv[1:])
