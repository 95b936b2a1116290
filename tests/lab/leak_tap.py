# SPDX-License-Identifier: LGPL-2.1-or-later
"""The other end of every wire: what of the packets that arrive is not the tunnel's own. Started in
the server's namespace, or in the client's with "+" before the names: then what leaves is judged. A
line on the standard input is answered by a line of JSON."""
import json
import select
import socket
import struct
import sys

MARKER = b"in-clear-text"  # what leak_sender.py writes into every packet
ETH_ALL, OUTGOING = 3, 4
NEIGHBOURS = (133, 135, 136, 143)  # router and neighbour discovery, MLD: the kernel's own
STATISTICS = 6


def is_tunnel(frame, client, server):
    """Address resolution, IKE and ESP with the server, neighbour discovery: nothing else may leave."""
    kind = frame[12:14]
    if MARKER in frame:
        return False
    if kind == b"\x08\x06":
        return True
    if kind == b"\x86\xdd":
        # Hop-by-hop options stand before what MLD has to say.
        at = 14 + 40 + (8 * (frame[55] + 1) if frame[20] == 0 else 0)
        last = frame[54] if frame[20] == 0 else frame[20]
        return last == 58 and frame[at] in NEIGHBOURS
    if kind != b"\x08\x00" or frame[26:30] not in client or frame[30:34] != server:
        return False
    head = 14 + 4 * (frame[14] & 15)
    if frame[23] == 50:
        return True
    return frame[23] == 17 and struct.unpack("!H", frame[head + 2:head + 4])[0] in (500, 4500)


def main():
    server = socket.inet_aton(sys.argv[1])
    client = [socket.inet_aton(a) for a in sys.argv[2].split(",")]
    taps, count = {}, {}
    for name in sys.argv[3:]:
        s = socket.socket(socket.AF_PACKET, socket.SOCK_RAW, socket.htons(ETH_ALL))
        s.setsockopt(socket.SOL_SOCKET, 33, 64 << 20)  # SO_RCVBUFFORCE
        s.bind((name.lstrip("+"), ETH_ALL))
        s.setblocking(False)
        taps[s] = name
    lost, samples = 0, []

    def drain():
        quiet = True
        for s, name in taps.items():
            while True:
                try:
                    frame, where = s.recvfrom(65535)
                except BlockingIOError:
                    break
                quiet = False
                if (where[2] == OUTGOING) != name.startswith("+"):
                    continue
                key = "tunnel" if is_tunnel(frame, client, server) else name
                count[key] = count.get(key, 0) + 1
                if key != "tunnel" and len(samples) < 8:
                    samples.append("%s %s" % (name, frame[:80].hex()))
        return quiet
    print("ready", flush=True)
    while True:
        ready = select.select([sys.stdin, *taps], [], [])[0]
        drain()
        if sys.stdin not in ready:
            continue
        if not sys.stdin.readline():
            return
        while not drain():
            pass
        for s in taps:
            lost += struct.unpack("II", s.getsockopt(263, STATISTICS, 8))[1]
        print(json.dumps({"lost": lost, "count": count, "samples": samples}), flush=True)
        count, samples = {}, []


main()
