# SPDX-License-Identifier: LGPL-2.1-or-later
"""A NAT may give IKE the port of another protocol: netfilter maps 500 to one below 512, such as
LDAP's 389 or echo's 7. tshark believes the lower port of the two, and to tell it that 7 is IKE
would spoil the echo inside the tunnel (SoftEther's beacon is one). So the copy that is judged has
such ports moved out of the way; nothing else in it changes, and the frames keep their numbers."""
import os
import struct

IKE_PORTS = (500, 4500)
UP = 60000              # above both, and below 65536 for whatever was below 4500
LINK_ETHERNET, IPV4, IPV6, UDP = 1, 0x0800, 0x86dd, 17


def udp_at(frame):
    """Where the UDP header of an Ethernet frame begins; None without one."""
    if len(frame) < 34:
        return None
    kind = struct.unpack("!H", frame[12:14])[0]
    if kind == IPV4:
        later_fragment = struct.unpack("!H", frame[20:22])[0] & 0x1fff
        at = 14 + 4 * (frame[14] & 15)
        return at if frame[23] == UDP and not later_fragment and len(frame) >= at + 8 else None
    return 54 if kind == IPV6 and frame[20] == UDP and len(frame) >= 62 else None


def move(frame):
    at = udp_at(frame)
    if at is None:
        return False
    ports = list(struct.unpack("!HH", frame[at:at + 4]))
    low, high = sorted(ports)
    if high not in IKE_PORTS or low >= high or low in IKE_PORTS:
        return False
    frame[at:at + 4] = struct.pack("!HH", *[p + UP if p == low else p for p in ports])
    return True


def untranslated(capture, folder, tshark):
    """`capture` itself, or a copy in `folder` when a NAT chose a port that misleads."""
    misleading = " or ".join("(udp.port == %d and udp.port < %d)" % (p, p) for p in IKE_PORTS)
    if not tshark("-r", capture, "-Y", misleading, "-T", "fields", "-e", "frame.number"):
        return capture
    copy = os.path.join(folder, "untranslated.pcap")
    tshark("-r", capture, "-F", "pcap", "-w", copy)
    with open(copy, "r+b") as f:
        body = bytearray(f.read())
        order = "<" if body[:4] in (b"\xd4\xc3\xb2\xa1", b"\x4d\x3c\xb2\xa1") else ">"
        if struct.unpack(order + "I", body[20:24])[0] != LINK_ETHERNET:
            return capture
        at = 24
        while at + 16 <= len(body):
            size = struct.unpack(order + "I", body[at + 8:at + 12])[0]
            frame = body[at + 16:at + 16 + size]
            if move(frame):
                body[at + 16:at + 16 + size] = frame
            at += 16 + size
        f.seek(0)
        f.write(body)
    return copy
