# SPDX-License-Identifier: LGPL-2.1-or-later
"""What a key becomes before it is used: the rounds of AES (FIPS 197 5.2, and those of its equivalent
inverse cipher, 5.3.5) and the states of a hash behind the block of an HMAC's key (RFC 2104 2)."""
import math
import struct


# ---- AES

def multiplied(a, b):
    """In GF(2^8) modulo x^8 + x^4 + x^3 + x + 1."""
    out = 0
    while b:
        out ^= a * (b & 1)
        a, b = (a << 1) ^ (0x11b if a & 0x80 else 0), b >> 1
    return out


def substitution():
    box, p, q = [0] * 256, 1, 1
    while True:
        p = multiplied(p, 3)
        q = multiplied(q, 0xf6)  # 1/3
        turned = q
        for n in range(1, 5):
            turned ^= (q << n | q >> (8 - n)) & 0xff
        box[p] = turned ^ 0x63
        if p == 1:
            box[0] = 0x63
            return box


SBOX = substitution()


def aes_rounds(key):
    """The round keys, the first of which are the key itself."""
    n = len(key) // 4
    words = [key[4 * i:4 * i + 4] for i in range(n)]
    constant = 1
    for i in range(n, 4 * (n + 7)):
        w = words[-1]
        if i % n == 0:
            w = bytes(SBOX[b] for b in w[1:] + w[:1])
            w = bytes([w[0] ^ constant]) + w[1:]
            constant = multiplied(constant, 2)
        elif n > 6 and i % n == 4:
            w = bytes(SBOX[b] for b in w)
        words.append(bytes(x ^ y for x, y in zip(words[-n], w)))
    return [b"".join(words[i:i + 4]) for i in range(0, len(words), 4)]


def aes_inverse(rounds):
    """Those between the first and the last, as deciphering wants them."""
    def column(c):
        return bytes(multiplied(c[i], 14) ^ multiplied(c[(i + 1) % 4], 11) ^
                     multiplied(c[(i + 2) % 4], 13) ^ multiplied(c[(i + 3) % 4], 9) for i in range(4))
    return [b"".join(column(r[i:i + 4]) for i in range(0, 16, 4)) for r in rounds[1:-1]]


# ---- HMAC

def rotated(x, n):
    return (x << n | x >> (32 - n)) & 0xffffffff


def sha1_block(block):
    start = (0x67452301, 0xefcdab89, 0x98badcfe, 0x10325476, 0xc3d2e1f0)
    w = list(struct.unpack(">16I", block))
    for i in range(16, 80):
        w.append(rotated(w[i - 3] ^ w[i - 8] ^ w[i - 14] ^ w[i - 16], 1))
    a, b, c, d, e = start
    for i, x in enumerate(w):
        f, k = ((d ^ b & (c ^ d), 0x5a827999), (b ^ c ^ d, 0x6ed9eba1),
                (b & c | d & (b | c), 0x8f1bbcdc), (b ^ c ^ d, 0xca62c1d6))[i // 20]
        a, b, c, d, e = (rotated(a, 5) + f + e + k + x) & 0xffffffff, a, rotated(b, 30), c, d
    return [(x + y) & 0xffffffff for x, y in zip(start, (a, b, c, d, e))]


PRIMES = [n for n in range(2, 312) if all(n % d for d in range(2, int(n ** 0.5) + 1))]


def root(n, k):
    """The first 32 bits behind the point of the k-th root of n (FIPS 180-4 4.2.2, 5.3.3)."""
    low, high = 0, n << 32
    while low < high:
        middle = (low + high + 1) // 2
        low, high = (middle, high) if middle ** k <= n << 32 * k else (low, middle - 1)
    return low & 0xffffffff


SHA256_START = [root(p, 2) for p in PRIMES[:8]]
SHA256_ROUND = [root(p, 3) for p in PRIMES[:64]]


def sha256_block(block):
    w = list(struct.unpack(">16I", block))
    for i in range(16, 64):
        x, y = w[i - 15], w[i - 2]
        w.append((w[i - 16] + (rotated(x, 25) ^ rotated(x, 14) ^ x >> 3) + w[i - 7] +
                  (rotated(y, 15) ^ rotated(y, 13) ^ y >> 10)) & 0xffffffff)
    a, b, c, d, e, f, g, h = SHA256_START
    for x, k in zip(w, SHA256_ROUND):
        t = h + (rotated(e, 26) ^ rotated(e, 21) ^ rotated(e, 7)) + (e & f ^ ~e & g) + k + x
        u = (rotated(a, 30) ^ rotated(a, 19) ^ rotated(a, 10)) + (a & b ^ a & c ^ b & c)
        a, b, c, d, e, f, g, h = (t + u) & 0xffffffff, a, b, c, (d + t) & 0xffffffff, e, f, g
    return [(x + y) & 0xffffffff for x, y in zip(SHA256_START, (a, b, c, d, e, f, g, h))]


def md5_block(block):
    start = (0x67452301, 0xefcdab89, 0x98badcfe, 0x10325476)
    turns = ((7, 12, 17, 22), (5, 9, 14, 20), (4, 11, 16, 23), (6, 10, 15, 21))
    steps = ((1, 0), (5, 1), (3, 5), (7, 0))
    w = struct.unpack("<16I", block)
    a, b, c, d = start
    for i in range(64):
        f = (d ^ b & (c ^ d), c ^ d & (b ^ c), b ^ c ^ d, c ^ (b | ~d & 0xffffffff))[i // 16]
        times, plus = steps[i // 16]
        t = a + f + int(abs(math.sin(i + 1)) * 2 ** 32) + w[(i * times + plus) % 16]
        a, b, c, d = d, (b + rotated(t & 0xffffffff, turns[i // 16][i % 4])) & 0xffffffff, b, c
    return [(x + y) & 0xffffffff for x, y in zip(start, (a, b, c, d))]


BLOCKS = {16: md5_block, 20: sha1_block, 32: sha256_block}


def hmac_block(key, with_what):
    return bytes(b ^ with_what for b in key.ljust(64, b"\0"))


def hmac_state(key, with_what):
    """The hash's words in this computer's order, as every implementation keeps them; None: a hash
    that is not looked for (a key of ESP is as long as its hash: RFC 2403, 2404, 4868)."""
    block = BLOCKS.get(len(key))
    words = block(hmac_block(key, with_what)) if block else []
    return struct.pack("=%dI" % len(words), *words)


# ---- both

def expanded(cipher, key, integ_key):
    """(name, bytes) of everything that these keys of an SA become."""
    if cipher.startswith("AES"):
        key = key[:len(key) // 8 * 8]  # GCM: a salt of four bytes stands behind it
        rounds = aes_rounds(key)
        for i in range(-(-len(key) // 16), len(rounds)):
            yield "round key %d" % i, rounds[i]
        for i, r in enumerate(aes_inverse(rounds)):
            yield "round key %d, inverse" % (i + 1), r
    for name, with_what in (("inner", 0x36), ("outer", 0x5c)):
        if integ_key:
            yield "%s key of the HMAC" % name, hmac_block(integ_key, with_what)[:len(integ_key)]
        state = hmac_state(integ_key, with_what)
        if state:
            yield "%s state of the HMAC" % name, state


def trust():
    """Against what others publish: FIPS 197 A.1 and B, and the hashes of one block."""
    import hashlib
    key = bytes.fromhex("2b7e151628aed2a6abf7158809cf4f3c")
    assert aes_rounds(key)[10].hex() == "d014f9a8c9ee2589e13f0cc8b6630ca6"
    assert aes_rounds(key[:8] * 4)[14] and len(aes_rounds(key[:8] * 3)) == 13
    # FIPS 197 A.3
    key = bytes.fromhex("603deb1015ca71be2b73aef0857d77811f352c073b6108d72d9810a30914dff4")
    assert aes_rounds(key)[14].hex() == "fe4890d1e6188d0b046df344706c631e"
    padded = b"abc\x80".ljust(56, b"\0") + struct.pack(">Q", 24)
    assert struct.pack(">5I", *sha1_block(padded)) == hashlib.sha1(b"abc").digest()
    assert struct.pack(">8I", *sha256_block(padded)) == hashlib.sha256(b"abc").digest()
    padded = b"abc\x80".ljust(56, b"\0") + struct.pack("<Q", 24)
    assert struct.pack("<4I", *md5_block(padded)) == hashlib.md5(b"abc").digest()
    column = bytes.fromhex("8e4da1bc") * 4  # the inverse of MixColumns of db 13 53 45
    assert aes_inverse([b"", column, b""]) == [bytes.fromhex("db135345") * 4]
