# SPDX-License-Identifier: LGPL-2.1-or-later
"""The control socket obeys the rules of a network parser, in both directions (hostile.md C18)."""
import os
import random
import socket
import threading
import time

from suite import check, sabotaged
from bench import Dial, Untouched
from common import bench, suite, RunDir

VERBS = (b"status text\n", b"status json\n", b"disconnect\n")


def ask(path, request):
    """What comes back for these bytes, up to 64 KiB."""
    with socket.socket(socket.AF_UNIX) as s:
        s.settimeout(5)
        s.connect(path)
        answer = b""
        try:
            s.sendall(request)
            s.shutdown(socket.SHUT_WR)
            while len(answer) < 65536:
                got = s.recv(4096)
                if not got:
                    break
                answer += got
        except (BrokenPipeError, ConnectionResetError):
            pass
        return answer


def requests():
    """Every verb with one thing wrong, then noise of every length."""
    for verb in VERBS:
        for i in range(len(verb)):
            yield verb[:i]
            yield verb[:i] + bytes([verb[i] ^ 0x20]) + verb[i + 1:]
        for more in (b"\0", b"\n", b"x", b"\0" * 19, b" " * 20, verb, b"\n" * 5000):
            yield verb + more
        yield b" " + verb
        yield verb.upper()
        yield verb[:-1] + b"\r\n"
        yield verb[:-1] + b"\0\n"
    dice = random.Random(18)
    for n in range(600):
        yield bytes(dice.randrange(256) for _ in range(n % 80))


@suite.case()
def c18_requests_that_are_none():
    with Untouched(bench):
        dial = Dial(bench, name="office").wait()
        path = os.path.join(bench.run_dir, "office.sock")
        good = ask(path, VERBS[1])
        check(b'"state":"dialing"' in good and not sabotaged(), "status json: %r" % good[:200])
        for request in requests():
            answer = ask(path, request)
            check(answer == b"", "%r is answered: %r" % (request[:60], answer[:200]))
        check(dial.process.poll() is None, "it has ended:\n" + dial.told())
        check(b'"state":"dialing"' in ask(path, VERBS[1]), "no status behind all that")
        dial.stop()


def answers():
    yield b""
    yield b"x"
    yield b"\0" * 100000
    yield b"{" * 70000
    yield bytes(range(256)) * 400
    yield b"\n" * 50000
    yield b"a" * 3000000


@suite.case()
def c18_answers_that_are_none():
    """Whatever sits at the socket: the command ends, in time, without a sanitizer's word."""
    with RunDir():
        path = os.path.join(bench.run_dir, "office.sock")
        for answer in answers():
            with socket.socket(socket.AF_UNIX) as s:
                s.bind(path)
                s.listen(4)

                def serve(answer=answer, s=s):
                    try:
                        peer, _ = s.accept()
                        with peer:
                            peer.settimeout(5)
                            peer.recv(64)
                            peer.sendall(answer)
                    except OSError:
                        pass
                thread = threading.Thread(target=serve, daemon=True)
                thread.start()
                start = time.monotonic()
                code, out, err = bench.run("status", "office", timeout=30)
                check(time.monotonic() - start < 20, "it took too long")
                check(code == (0 if answer else 1), "%d for %d bytes: %s" % (code, len(answer), err))
                thread.join(10)
            os.unlink(path)
