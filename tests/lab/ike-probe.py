#!/usr/bin/env python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""ike-probe.py SERVER [PORT]: does an IKEv1 responder answer a main mode message 1?
Exit 0 and the time in milliseconds, or 1. On port 4500 the non-ESP marker goes in front."""
import os
import socket
import struct
import sys
import time


def attribute(kind, value):
    return struct.pack("!HH", 0x8000 | kind, value)


def message_1(cookie):
    # AES-128, SHA-1, PSK, modp1024 and 3DES, SHA-1, PSK, modp1024; lifetime 28800 s (RFC 2409).
    common = attribute(2, 2) + attribute(3, 1) + attribute(4, 2) + attribute(11, 1) + \
        attribute(12, 28800)
    choices = [attribute(1, 7) + attribute(14, 128) + common, attribute(1, 5) + common]
    transforms = b""
    for n, attributes in enumerate(choices, 1):
        more = 3 if n < len(choices) else 0
        transforms += struct.pack("!BBHBBH", more, 0, 8 + len(attributes), n, 1, 0) + attributes
    proposal = struct.pack("!BBHBBBB", 0, 0, 8 + len(transforms), 1, 1, 0, len(choices)) + transforms
    sa = struct.pack("!BBHII", 13, 0, 12 + len(proposal), 1, 1) + proposal
    rfc3947 = bytes.fromhex("4a131c81070358455c5728f20e95452f")
    vendor = struct.pack("!BBH", 0, 0, 4 + len(rfc3947)) + rfc3947
    body = sa + vendor
    return struct.pack("!8s8sBBBBII", cookie, bytes(8), 1, 0x10, 2, 0, 0, 28 + len(body)) + body


def main():
    server, port = sys.argv[1], int(sys.argv[2]) if len(sys.argv) > 2 else 500
    marker = bytes(4) if port == 4500 else b""
    cookie = os.urandom(8)
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as s:
        s.connect((server, port))
        start = time.monotonic()
        for wait in (1.0, 2.0):
            try:
                s.send(marker + message_1(cookie))
                end = time.monotonic() + wait
                while time.monotonic() < end:
                    s.settimeout(max(0.01, end - time.monotonic()))
                    answer = s.recv(4096)[len(marker):]
                    if answer[:8] == cookie and answer[8:16] != bytes(8):
                        print("answered after %.1f ms" % ((time.monotonic() - start) * 1000))
                        return 0
            except (socket.timeout, ConnectionRefusedError):
                continue
    print("no answer")
    return 1


sys.exit(main())
