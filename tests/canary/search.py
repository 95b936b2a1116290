# SPDX-License-Identifier: LGPL-2.1-or-later
"""Looks for secrets in what a process can read of itself: every mapping, the heap and all stacks
among them, and every spelling that a program could have made of a secret."""
import base64
import os
import re

LARGEST = 1 << 30  # bytes of one mapping; no program of ours has more


def unpadded(raw):
    """The base64 of these bytes wherever they begin in a text of three bytes a group."""
    for shift in range(3):
        text = base64.b64encode(b"\0" * shift + raw).rstrip(b"=")
        yield text[2 * (shift > 0) + (shift > 0):len(text) - 1]


def spellings(raw):
    """(name, bytes) of everything that would give the secret away."""
    yield "plain", raw
    yield "turned round", raw[::-1]  # numbers of a computer's own order
    yield "UTF-16", raw.decode("latin-1").encode("utf-16-le")
    yield "hex", raw.hex().encode()
    yield "HEX", raw.hex().upper().encode()
    for text in unpadded(raw):
        yield "base64", text
    if len(raw) >= 24:  # a half that was not overwritten
        yield "its beginning", raw[:len(raw) // 2]
        yield "its end", raw[len(raw) // 2:]


class Needles:
    def __init__(self):
        self.rows, self.words = [], []

    def add(self, name, raw):
        assert len(raw) >= 8, name
        self.rows += [(name, how, text) for how, text in spellings(raw)]

    def add_words(self, name, raw):
        """What a program computes with: in words of 32 bits, of either order."""
        turned = b"".join(raw[i:i + 4][::-1] for i in range(0, len(raw), 4))
        self.words += [(name, "plain", raw), (name, "words turned round", turned)]

    def find(self, data, written=True):
        """(name, spelling, offset) of the first hit of each row; nobody computes in what is not
        `written`."""
        for name, how, text in self.rows + (self.words if written else []):
            at = data.find(text)
            if at >= 0:
                yield name, how, at


class Mapping:
    def __init__(self, line):
        m = re.match(r"([0-9a-f]+)-([0-9a-f]+) (\S+) \S+ \S+ \S+\s*(.*)", line)
        self.start, self.end = int(m.group(1), 16), int(m.group(2), 16)
        self.rights, self.name, self.flags = m.group(3), m.group(4) or "anonymous", set()
        self.own = True

    def __str__(self):
        return "%x-%x %s %s" % (self.start, self.end, self.rights, self.name)


def mappings(pid):
    found = []
    with open("/proc/%d/smaps" % pid) as f:
        for line in f:
            if re.match(r"[0-9a-f]+-[0-9a-f]+ ", line):
                found.append(Mapping(line))
            elif line.startswith("Anonymous:"):  # a private file of which no page was written to
                m = found[-1]
                m.own = m.name[0] != "/" or m.rights[3] != "p" or int(line.split()[1]) > 0
            elif line.startswith("VmFlags:"):
                found[-1].flags = set(line.split()[1:])
    return found


def read(pid, mapping):
    with open("/proc/%d/mem" % pid, "rb", buffering=0) as f:
        f.seek(mapping.start)
        out, left = bytearray(), mapping.end - mapping.start
        try:
            while left > 0:
                part = f.read(min(left, 1 << 22))
                if not part:
                    break
                out += part
                left -= len(part)
        except OSError:
            pass  # a page that even its owner cannot read
    return bytes(out)


def search(pid, needles):
    """(bytes searched, [(mapping, name, spelling, address)])."""
    hits, total = [], 0
    for m in mappings(pid):
        if "r" not in m.rights or m.name in ("[vvar]", "[vsyscall]"):
            continue
        if m.end - m.start > LARGEST:
            raise MemoryError("a mapping of %d bytes: is it a sanitizer's?" % (m.end - m.start))
        total += m.end - m.start
        data = read(pid, m) if m.own else b""
        hits += [(m, name, how, m.start + at) for name, how, at in needles.find(data, "w" in m.rights)]
    return total, hits


def told(hits):
    return "\n".join("%s (%s) at %x in %s" % (name, how, at, m) for m, name, how, at in hits[:20])


def search_file(path, needles):
    with open(path, "rb") as f:
        return list(needles.find(f.read()))
